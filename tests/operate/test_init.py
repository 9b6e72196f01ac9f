"""`init`: from an empty secret to a shop, said again without harm, and without a question where nobody is."""

import io
import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import stripe
import typer
from jsonschema import Draft202012Validator

from local.fastio.server import API_KEY
from operate import stacks
from operate.stacks import Name, NoStack, Stack
from paidshare.notices import NEEDED
from paidshare.secret import Secret
from tests.builders import LINK_KEY
from tests.cloud import SECRET_NAME
from tests.operate.test_doctor import URL, Shop, shop
from tests.operate.test_schemas import SCHEMAS, held
from tests.operate.world import Ran
from tests.stripe_world import KEY

__all__ = ["shop"]

EMPTY = {"stripe_api_key": "", "stripe_webhook_secrets": [], "fastio_api_key": "", "fastio_webhook_secrets": []}
GIVEN = json.dumps({"stripe_api_key": KEY, "fastio_api_key": API_KEY})

type Begin = Callable[..., Ran]


@pytest.fixture
def begin(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """`init` with something on standard input, of a shop whose secret and Stripe account are empty."""
    shop.writes(**EMPTY)
    shop.no_endpoint()
    monkeypatch.setenv("STRIPE_API_KEY", KEY)

    def ran(given: str = "", *words: str) -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        return shop.run("init", *words)

    return ran


def secret(shop: Shop) -> Secret:
    text = shop.seller.aws.secretsmanager.get_secret_value(SecretId=SECRET_NAME)["SecretString"]
    return Secret.read(text)


def endpoints(shop: Shop) -> list[Any]:
    return list(shop.seller.stripe.sdk().v1.webhook_endpoints.list().data)


def test_from_an_empty_secret_to_a_shop_in_order(shop: Shop, begin: Begin) -> None:
    ran = begin(GIVEN, "--json")
    said = held("init", ran.out)
    Draft202012Validator(SCHEMAS["doctor"]).validate(said["doctor"])
    assert ran.code == 0, ran.out
    [endpoint] = endpoints(shop)
    assert (endpoint.url, endpoint.api_version) == (URL, stripe.api_version)
    assert {*endpoint.enabled_events} == NEEDED
    there = secret(shop)
    assert (there.stripe_api_key, there.fastio_api_key, there.link_key) == (KEY, API_KEY, LINK_KEY)
    assert len(there.stripe_webhook_secrets) == 1
    assert KEY not in ran.out + ran.err
    assert {one["step"] for one in said["steps"]} == {"stack", "secret", "sender", "endpoint", "products"}


def test_said_again_it_changes_nothing_and_says_so(shop: Shop, begin: Begin) -> None:
    begin(GIVEN)
    before = secret(shop)
    said = held("init", begin("", "--json").out)
    assert [one for one in said["steps"] if one["did"] or one["open"]] == []
    assert (secret(shop) == before, len(endpoints(shop))) == (True, 1)


def test_what_is_there_is_not_replaced(shop: Shop, begin: Begin) -> None:
    begin(GIVEN)
    begin(json.dumps({"fastio_api_key": "another-key"}))
    assert secret(shop).fastio_api_key == API_KEY


def test_without_keys_it_says_what_is_missing_and_asks_nothing(shop: Shop, begin: Begin) -> None:
    ran = begin("")
    assert ran.code == 1
    assert "stripe_api_key is missing" in ran.err
    assert "fastio_api_key is missing" in ran.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("[]", "has to be a JSON object"),
        ("{", "has to be a JSON object"),
        ('{"stripe_key": "sk_test_51NobodyMaySee"}', "has to be a JSON object"),
        ('{"stripe_api_key": "sk_live_51NobodyMaySee"}', "no key of the test mode"),
    ],
)
def test_what_makes_no_sense_is_refused_unshown(shop: Shop, begin: Begin, given: str, said: str) -> None:
    ran = begin(given)
    assert (ran.code, said in ran.err, "NobodyMaySee" in ran.err) == (2, True, False)
    assert secret(shop).stripe_api_key == ""


def test_without_a_key_that_may_write_the_rest_is_done(
    shop: Shop, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STRIPE_API_KEY")
    ran = begin(GIVEN)
    assert (ran.code, "✗ endpoint:" in ran.err, "STRIPE_API_KEY" in ran.err) == (1, True, True)
    assert (secret(shop).stripe_api_key, endpoints(shop)) == (KEY, [])


def test_a_sender_that_ses_does_not_know_is_asked_for_and_the_person_told_the_rest(shop: Shop, begin: Begin) -> None:
    missing = {"Error": {"Code": "NotFoundException", "Message": "no"}}
    tokens = {"VerifiedForSendingStatus": False, "DkimAttributes": {"Tokens": ["a1", "b2"]}}
    shop.answers |= {"sesv2.GetEmailIdentity": missing, "sesv2.CreateEmailIdentity": {}}
    assert "open the message of Amazon's in the mailbox of shop@example.com" in begin(GIVEN).err
    shop.answers["sesv2.CreateEmailIdentity"] = tokens
    assert "a1._domainkey.example.com CNAME a1.dkim.amazonses.com" in begin(GIVEN, "--domain").err


class TestAtATerminal:
    @pytest.fixture
    def typed(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
        """What is answered to each question in turn; the questions, when it is over."""

        def answers(*given: str) -> list[str]:
            asked: list[str] = []
            left = iter(given)

            def prompt(words: str, **how: Any) -> str:
                asked.append(words)
                assert how["err"]
                return next(left)

            monkeypatch.setattr(typer, "prompt", prompt)
            return asked

        return answers

    def test_it_asks_for_what_is_missing_until_that_can_be_one(
        self,
        shop: Shop,
        begin: Begin,
        typed: Callable[..., list[str]],
        terminal: Callable[[str | None], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.delenv("STRIPE_API_KEY")
        terminal("y")
        asked = typed("pk_test_1", KEY, API_KEY, KEY)
        ran = shop.run("init")
        assert (ran.code, len(asked), len(endpoints(shop))) == (0, 4, 1), ran.err
        assert "no key of the test mode" in ran.err
        assert "not kept" in asked[-1]

    def test_where_nothing_is_deployed_it_deploys_first(
        self,
        shop: Shop,
        begin: Begin,
        typed: Callable[..., list[str]],
        terminal: Callable[[str | None], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        there, deployed = stacks.found, list[Any]()

        def found(name: Name) -> Stack:
            if not deployed:
                raise NoStack("no stack")
            return there(name)

        def run(command: Any, **_: Any) -> Any:
            deployed.append(command)
            return subprocess.CompletedProcess(command, 0)

        monkeypatch.setattr(stacks, "found", found)
        monkeypatch.setattr(subprocess, "run", run)
        terminal("y")
        typed("me@example.com", KEY, API_KEY)
        ran = shop.run("init", "--env", "test", "--sender", "shop@example.com")
        assert ran.code == 0, ran.err
        parameters = "PARAMETERS=SenderAddress=shop@example.com AlarmEmail=me@example.com"
        assert deployed == [["make", "deploy", "ENV=test", parameters]]


def test_where_nothing_is_deployed_and_nobody_can_be_asked_it_says_how(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(_name: Name) -> Stack:
        raise NoStack("no stack")

    monkeypatch.setattr(stacks, "found", found)
    ran = begin(GIVEN, "--env", "test")
    assert (ran.code, "make deploy ENV=test PARAMETERS=" in ran.err) == (2, True)
    assert begin(GIVEN, "--stack", "mine").code == 3
