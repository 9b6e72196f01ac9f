"""The port Vault on Secrets Manager, and the fake beside it where both can be asked."""

import json
import traceback
from collections.abc import Iterator

import pytest

from paidshare.aws import SecretsManagerVault
from paidshare.errors import SecretUnavailable
from tests.builders import a_secret
from tests.cloud import SECRET_NAME, Cloud, cloud
from tests.fakes import MemoryVault

HIDDEN = "sk_live_0123456789"


class Seconds:
    """A clock that never goes back, and moves only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class World:
    def __init__(self, aws: Cloud) -> None:
        self.aws = aws
        self.monotonic = Seconds()
        self.calls: list[str] = []
        aws.secretsmanager.meta.events.register("before-call", lambda model, **_: self.calls.append(model.name))
        self.vault = SecretsManagerVault(aws.secretsmanager, SECRET_NAME, monotonic=self.monotonic)

    def reads(self) -> int:
        return self.calls.count("GetSecretValue")

    def put(self, text: str) -> None:
        self.aws.secretsmanager.put_secret_value(SecretId=SECRET_NAME, SecretString=text)


@pytest.fixture
def world() -> Iterator[World]:
    with cloud() as aws:
        yield World(aws)


def stored(*webhook_secrets: str) -> str:
    return json.dumps({"stripe_webhook_secrets": webhook_secrets, "link_key": "k"})


class TestSecret:
    def test_it_is_what_secrets_manager_holds(self, world: World) -> None:
        world.aws.make_secret(stored("a", "b"))
        assert world.vault.secret().stripe_webhook_secrets == ("a", "b")
        assert world.vault.secret().link_key == "k"

    def test_it_is_read_once_and_then_kept(self, world: World) -> None:
        world.aws.make_secret(stored("a"))
        for _ in range(5):
            world.vault.secret()
        assert world.reads() == 1

    def test_a_rotated_secret_is_not_seen_before_it_is_asked_for(self, world: World) -> None:
        world.aws.make_secret(stored("old"))
        world.vault.secret()
        world.put(stored("new"))
        assert world.vault.secret().stripe_webhook_secrets == ("old",)

    def test_a_missing_one_is_unavailable_and_says_why(self, world: World) -> None:
        with pytest.raises(SecretUnavailable, match="GetSecretValue: ResourceNotFoundException"):
            world.vault.secret()

    def test_one_that_appears_later_is_found(self, world: World) -> None:
        with pytest.raises(SecretUnavailable):
            world.vault.secret()
        world.aws.make_secret(stored("a"))
        assert world.vault.secret().stripe_webhook_secrets == ("a",)

    def test_a_binary_one_is_unavailable(self, world: World) -> None:
        world.aws.secretsmanager.create_secret(Name=SECRET_NAME, SecretBinary=HIDDEN.encode())
        with pytest.raises(SecretUnavailable) as caught:
            world.vault.secret()
        assert HIDDEN not in "".join(traceback.format_exception(caught.value))

    @pytest.mark.parametrize(
        "text",
        [HIDDEN, "{" + HIDDEN, json.dumps([HIDDEN]), json.dumps({"link_key": [HIDDEN]}), json.dumps(HIDDEN)],
    )
    def test_one_of_another_shape_is_unavailable_and_never_shown(self, world: World, text: str) -> None:
        world.aws.make_secret(text)
        for read in (world.vault.secret, world.vault.reread):
            with pytest.raises(SecretUnavailable) as caught:
                read()
            assert HIDDEN not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)

    def test_one_that_was_malformed_is_read_again_after_it_was_mended_and_asked_for(self, world: World) -> None:
        world.aws.make_secret("{")
        with pytest.raises(SecretUnavailable):
            world.vault.secret()
        world.put(stored("a"))
        world.vault.reread()
        assert world.vault.secret().stripe_webhook_secrets == ("a",)


class TestReread:
    def test_it_sees_a_rotation_at_once_and_everybody_after_it_does(self, world: World) -> None:
        world.aws.make_secret(stored("old"))
        world.vault.secret()
        world.put(stored("new"))
        fresh = world.vault.reread()
        assert fresh is not None
        assert fresh.stripe_webhook_secrets == ("new",)
        assert world.vault.secret() == fresh

    def test_a_flood_of_forgeries_costs_one_call_per_window(self, world: World) -> None:
        world.aws.make_secret(stored("a"))
        answers = [world.vault.reread() for _ in range(100)]
        assert [answer is not None for answer in answers] == [True] + [False] * 99
        assert world.reads() == 1

    def test_after_the_window_it_reads_again(self, world: World) -> None:
        world.aws.make_secret(stored("a"))
        world.vault.reread()
        world.monotonic.now += 14.9
        assert world.vault.reread() is None
        world.monotonic.now += 0.1
        assert world.vault.reread() is not None
        assert world.reads() == 2

    def test_one_that_fails_counts_too(self, world: World) -> None:
        with pytest.raises(SecretUnavailable):
            world.vault.reread()
        assert world.vault.reread() is None


class TestRepr:
    def test_the_vault_never_shows_what_it_read(self, world: World) -> None:
        world.aws.make_secret(stored(HIDDEN))
        assert HIDDEN not in repr(world.vault.secret()) + repr(world.vault)


class TestMemoryVault:
    def test_like_the_real_one_it_shows_a_rotation_only_when_asked(self) -> None:
        vault = MemoryVault(a_secret(link_key="old"))
        vault.stored = a_secret(link_key="new")
        assert vault.secret().link_key == "old"
        fresh = vault.reread()
        assert fresh is not None
        assert (fresh.link_key, vault.secret().link_key) == ("new", "new")

    def test_like_the_real_one_it_reads_nothing_afresh_a_moment_later(self) -> None:
        vault = MemoryVault()
        vault.just_reread = True
        assert vault.reread() is None

    @pytest.mark.parametrize("name", ["secret", "reread"])
    def test_like_the_real_one_it_may_be_out_of_reach(self, name: str) -> None:
        vault = MemoryVault()
        vault.broken = True
        with pytest.raises(SecretUnavailable):
            getattr(vault, name)()
