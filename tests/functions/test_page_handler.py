"""Page's handler: the HTTP API's event in; an answer with its headers and cookie out, and a log line."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from functions.page import handler as page
from paidshare.page import tokens
from paidshare.page.tokens import Purpose
from paidshare.settings import PageSettings
from tests.builders import LINK_KEY
from tests.unit.test_page import COOKIE, FORM, TOKEN, Front, ran_out, sold
from tests.world import ORDER_ID

ENVIRON = {
    "STAGE": "test",
    "SECRET_NAME": "paidshare/test",
    "QUEUE_URL": "https://sqs/queue",
    "ORDERS_TABLE": "orders",
    "PAGE_URL": "https://api.example/order",
    "STRIPE_API_BASE": "https://api.stripe.com",
    "FASTIO_API_BASE": "https://api.fast.io/current",
    "FASTIO_WEB_BASE": "https://go.fast.io",
}


def event(method: str = "GET", **more: Any) -> dict[str, Any]:
    return {"requestContext": {"http": {"method": method}}, "headers": {}, **more}


def respond(front: Front, asked: dict[str, Any]) -> dict[str, Any]:
    return page.respond(asked, page.Container(front.ports, Logger(service="page"), "test"))


def test_a_page_is_shown_by_its_token() -> None:
    told = respond(sold(), event(pathParameters={"token": TOKEN}))
    assert (told["statusCode"], told["headers"]["cache-control"]) == (200, "no-store")
    assert "Open your files" in told["body"]
    assert "cookies" not in told


def test_checkout_s_id_becomes_a_cookie_that_scripts_and_other_sites_do_not_get() -> None:
    told = respond(sold(), event(queryStringParameters={"session_id": ORDER_ID}))
    [cookie] = told["cookies"]
    assert (told["statusCode"], told["headers"]["location"]) == (303, "/order")
    name, *attributes = cookie.split("; ")
    assert name == f"__Host-order={COOKIE}"
    assert attributes == ["Path=/", "Max-Age=86400", "HttpOnly", "SameSite=Lax", "Secure"]


@pytest.mark.parametrize(
    "given",
    [{"cookies": ["a=b", f"__Host-order={COOKIE}"]}, {"headers": {"Cookie": f"a=b; __Host-order={COOKIE}"}}],
)
def test_the_cookie_opens_the_page_without_a_token(given: dict[str, Any]) -> None:
    assert respond(sold(), event() | given)["statusCode"] == 200


@pytest.mark.parametrize("encoded", [False, True])
def test_a_form_asks_for_the_share(*, encoded: bool) -> None:
    front, body = ran_out(), f"form={FORM}"
    if encoded:
        body = base64.b64encode(body.encode()).decode()
    told = respond(front, event("POST", body=body, isBase64Encoded=encoded))
    assert (told["statusCode"], told["headers"]["location"]) == (303, f"/order/{TOKEN}?asked=1")
    assert len(front.queue.asked) == 1


@pytest.mark.parametrize(
    "body",
    [None, "", "form=", "form", "x" * 5_000, f"form={TOKEN}", "&".join(["a=b"] * 50), "form=%ff%00", "{}"],
)
def test_whatever_else_is_posted_is_refused(body: str | None) -> None:
    front = ran_out()
    assert respond(front, event("POST", body=body))["statusCode"] == 404
    assert respond(front, event("POST", body=body, isBase64Encoded=True))["statusCode"] == 404
    assert front.queue.asked == []


@pytest.mark.parametrize("asked", ["", "-1", "x", "9999", "٣", "1e3"])
def test_how_often_it_came_back_is_a_small_number_or_none(asked: str) -> None:
    told = respond(ran_out(), event(pathParameters={"token": TOKEN}, queryStringParameters={"asked": asked}))
    assert "Your link has run out" in told["body"]


def test_a_poll_gets_the_stamp_alone() -> None:
    told = respond(sold(), event(pathParameters={"token": TOKEN}, headers={"Accept": "text/plain"}))
    assert told["body"].startswith("ready.")


def test_the_log_has_the_order_and_no_token_link_or_address(caplog: pytest.LogCaptureFixture) -> None:
    front = sold()
    [share] = front.world.shares.made.values()
    respond(front, event(pathParameters={"token": TOKEN}))
    logged = str([vars(record) for record in caplog.records])
    assert ORDER_ID in logged
    for told in (TOKEN, share.name, "ada@", LINK_KEY):
        assert told not in logged


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    page._container.cache_clear()
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    yield ENVIRON
    page._container.cache_clear()


def test_a_container_is_made_of_the_environment(environ: dict[str, str]) -> None:
    assert page._container().ports.path == "/order"
    assert page._container().ports.secure
    assert PageSettings.from_environ(environ).page_url == "https://api.example/order"


def test_every_gap_is_named_in_the_log_and_the_buyer_is_asked_to_come_again(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("PAGE_URL", "QUEUE_URL"):
        monkeypatch.delenv(name)
    told = page.handler(event(), None)  # type: ignore[arg-type]
    assert (told["statusCode"], environ["STAGE"]) == (503, "test")
    [record] = caplog.records
    assert vars(record)["gaps"] == ["QUEUE_URL is not set", "PAGE_URL is not set"]


def test_the_cookie_s_token_is_none_of_the_page_s() -> None:
    assert tokens.opened(LINK_KEY, COOKIE, Purpose.PAGE) is None


@pytest.mark.parametrize(("typed", "status"), [("ada.lovelace%40example.org", 303), ("", 422), ("ada", 422)])
def test_a_form_with_an_address_asks_for_its_correction(typed: str, status: int) -> None:
    front = sold()
    told = respond(front, event("POST", cookies=[f"__Host-order={COOKIE}"], body=f"form={FORM}&email={typed}"))
    assert told["statusCode"] == status
    assert len(front.queue.asked) == (status == 303)


def test_a_page_that_waits_for_a_correction_says_so() -> None:
    asked = {"queryStringParameters": {"asked": "1", "for": "address"}, "cookies": [f"__Host-order={COOKIE}"]}
    assert "is being corrected" in respond(sold(), event() | asked)["body"]
