"""`secrets`: what is there is told and not shown; a value is put in from standard input; old and new overlap."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from operate.answers import Refused
from operate.setup import secret_text
from operate.setup.secret_text import LISTS, Name
from paidshare.secret import Secret
from tests.builders import LINK_KEY
from tests.cloud import SECRET_NAME
from tests.operate.test_schemas import held
from tests.operate.world import Ran, Run, Seller

OLD, NEW = "whsec_old0123456789abcdef", "whsec_new0123456789abcdef"

type Terminal = Callable[[str | None], None]
type Piped = Callable[..., Ran]


@pytest.fixture
def piped(run: Run, monkeypatch: pytest.MonkeyPatch) -> Piped:
    """A command with something on its standard input, which is no terminal."""

    def ran(value: str, *words: str) -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(value))
        return run("secrets", *words)

    return ran


def secret(seller: Seller) -> Secret:
    return Secret.read(text(seller))


def text(seller: Seller) -> str:
    return str(seller.aws.secretsmanager.get_secret_value(SecretId=SECRET_NAME)["SecretString"])


def put(seller: Seller, text: str) -> None:
    seller.aws.secretsmanager.put_secret_value(SecretId=SECRET_NAME, SecretString=text)


class TestStatus:
    def test_no_value_is_shown_and_what_is_missing_is_told(self, run: Run, seller: Seller) -> None:
        ran, said = run("secrets"), held("secrets", run("secrets", "status", "--json").out)
        assert (ran.code, said["missing"]) == (1, ["stripe_webhook_secrets"])
        assert "missing: stripe_webhook_secrets" in ran.err
        there = secret(seller)
        for value in (there.stripe_api_key, there.fastio_api_key, there.link_key):
            assert value not in ran.out + ran.err + json.dumps(said)
            assert secret_text.fingerprint(value) in ran.out

    def test_what_was_put_in_last_is_as_old_as_that_and_the_rest_older(
        self, piped: Piped, run: Run, seller: Seller
    ) -> None:
        piped(OLD, "set", "stripe_webhook_secrets")
        said = held("secrets", run("secrets", "--json").out)
        assert {one["name"]: one["at_least"] for one in said["values"]} == {
            "stripe_api_key": True, "stripe_webhook_secrets": False, "fastio_api_key": True, "link_key": True,
        }  # fmt: skip
        assert all(one["since"] for one in said["values"])

    def test_when_a_webhook_secret_was_needed_last_is_told(self, piped: Piped, run: Run, seller: Seller) -> None:
        piped(OLD, "set", "stripe_webhook_secrets")
        piped(NEW, "rotate", "stripe_webhook_secrets", "--yes")
        dimensions = {"stage": "prod", "source": "stripe", "scheme": "v1", "secret": "2"}
        seller.stack.cloudwatch.put_metric_data(
            Namespace="Paidshare",
            MetricData=[
                {
                    "MetricName": "Signatures",
                    "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                    "Timestamp": datetime.now(UTC) - timedelta(minutes=5),
                    "Value": 1,
                }
            ],
        )
        said = held("secrets", run("secrets", "--json").out)
        used = {one["place"]: one["last_used"] for one in said["values"] if one["name"] == "stripe_webhook_secrets"}
        assert used[1] is None
        assert used[2] is not None
        assert "last used" in run("secrets").out

    def test_a_secret_that_is_no_json_is_told_with_the_way_out(self, run: Run, seller: Seller) -> None:
        put(seller, "whsec_1")
        ran = run("secrets")
        assert (ran.code, "AWSPREVIOUS" in ran.err, "whsec_1" in ran.err) == (1, True, False)


class TestSet:
    def test_a_value_comes_from_standard_input_and_the_rest_stays(self, piped: Piped, seller: Seller) -> None:
        before = secret(seller)
        ran = piped(f" {OLD}\n", "set", "stripe_webhook_secrets")
        assert (ran.code, secret_text.fingerprint(OLD) in ran.out, OLD in ran.out + ran.err) == (0, True, False)
        assert secret(seller).stripe_webhook_secrets == (OLD,)
        assert secret(seller).link_key == before.link_key == LINK_KEY

    def test_a_person_is_asked_for_it(
        self, run: Run, seller: Seller, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        terminal("y")
        asked: list[Any] = []

        def prompt(_words: str, **how: Any) -> str:
            asked.append(how)
            return OLD

        monkeypatch.setattr(typer, "prompt", prompt)
        assert run("secrets", "set", "stripe_webhook_secrets").code == 0
        assert asked[0]["hide_input"] is True
        assert secret(seller).stripe_webhook_secrets == (OLD,)

    def test_what_is_there_is_not_replaced_unasked(self, piped: Piped, seller: Seller) -> None:
        ran = piped("fastio-0123456789", "set", "fastio_api_key")
        assert (ran.code, "--yes" in ran.err) == (2, True)
        assert (
            piped("fastio-0123456789", "set", "fastio_api_key", "--yes").code == 1
        )  # A webhook secret is missing yet.
        assert secret(seller).fastio_api_key == "fastio-0123456789"

    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            ("stripe_api_key", "rk_live_51KeyThatNobodyMaySee", "no key of the test mode"),
            ("stripe_api_key", "pk_test_51KeyThatNobodyMaySee", "no key of the test mode"),
            ("stripe_webhook_secrets", "we_51KeyThatNobodyMaySee", "whsec_"),
            ("stripe_webhook_secrets", "whsec_1", "whsec_"),
            ("fastio_api_key", "two 51KeyThatNobodyMaySee", "no blanks"),
            ("fastio_api_key", "é51KeyThatNobodyMaySee", "ASCII"),
            ("fastio_webhook_secrets", "short", "16 characters"),
            ("link_key", "51KeyThatNobodyMaySee", "32 characters"),
            ("link_key", "", "no link_key came on standard input"),
            ("link_keys", "x", ""),
        ],
    )
    def test_what_cannot_be_one_is_refused_unshown(
        self, piped: Piped, seller: Seller, name: str, value: str, said: str
    ) -> None:
        before = text(seller)
        ran = piped(value, "set", name, "--yes")
        assert (ran.code, said in ran.err, text(seller) == before) == (2, True, True), ran.err
        assert "NobodyMaySee" not in ran.out + ran.err

    def test_no_value_is_taken_from_the_arguments(self, run: Run) -> None:
        assert run("secrets", "set", "stripe_webhook_secrets", OLD).code == 2


class TestRotate:
    def test_old_and_new_are_taken_until_the_end(self, piped: Piped, seller: Seller) -> None:
        piped(OLD, "set", "stripe_webhook_secrets")
        ran = piped(NEW, "rotate", "stripe_webhook_secrets", "--yes")
        assert secret(seller).stripe_webhook_secrets == (NEW, OLD)
        assert "three days: paidshare secrets rotate stripe_webhook_secrets --end" in ran.out
        newest = NEW.replace("new", "one")
        piped(newest, "rotate", "stripe_webhook_secrets", "--yes")
        assert secret(seller).stripe_webhook_secrets == (newest, NEW)
        piped("", "rotate", "stripe_webhook_secrets", "--end", "--yes")
        assert secret(seller).stripe_webhook_secrets == (newest,)
        assert "nothing to end" in piped("", "rotate", "stripe_webhook_secrets", "--end", "--yes").out

    def test_of_a_key_there_is_one_and_the_old_is_to_be_revoked(self, piped: Piped, seller: Seller) -> None:
        assert "revoke the old one at Fast.io" in piped("fastio-0123456789", "rotate", "fastio_api_key", "--yes").out
        assert secret(seller).fastio_api_key == "fastio-0123456789"
        ran = piped("fastio-0123456789", "rotate", "fastio_api_key", "--yes")
        assert (ran.code, "there already" in ran.err) == (2, True)
        assert piped("", "rotate", "fastio_api_key", "--end", "--yes").code == 2

    def test_a_link_key_is_made_after_a_warning(self, run: Run, seller: Seller, terminal: Terminal) -> None:
        terminal("n")
        ran = run("secrets", "rotate", "link_key")
        assert (ran.code, "second share" in ran.err, secret(seller).link_key) == (1, True, LINK_KEY)
        run("secrets", "rotate", "link_key", "--yes")
        assert len(secret(seller).link_key) >= 32
        assert secret(seller).link_key != LINK_KEY


class TestText:
    @given(
        st.dictionaries(
            st.sampled_from([*Name, "mine"]),
            st.one_of(st.none(), st.integers(), st.text(max_size=5), st.lists(st.text(max_size=5), max_size=3)),
        )
    )
    def test_a_mended_secret_is_readable_and_loses_nothing(self, raw: dict[str, object]) -> None:
        mended = secret_text.mended(raw)
        Secret.read(secret_text.text(mended))
        assert mended == secret_text.mended(mended)
        for name in Name:
            there = secret_text.values(raw, name)
            # Of several texts where one belongs nobody can tell which is meant.
            assert secret_text.values(mended, name) == (there if name in LISTS or len(there) == 1 else ())
        assert mended.get("mine") == raw.get("mine")

    @pytest.mark.parametrize("text", ["", "[]", "{", '"x"', "{}"])
    def test_what_is_no_object_is_not_guessed_at(self, text: str) -> None:
        with pytest.raises(Refused):
            secret_text.read(text)
