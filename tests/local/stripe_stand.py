"""The Stripe stand-in as tests want it: its own routes, Stripe's SDK, and a shop that events come to."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import stripe
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

KEY = "sk_test_51Stand"
SECRET = "whsec_of_the_test"
AT = 1_795_300_000
SESSION_EVENTS = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
]


class Stand:
    """The stand-in, and a client of each kind."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Not HTTPXClient: its POST makes httpx warn that `data` is a string (16.1), and warnings are errors.
        self.http = stripe.RequestsClient(timeout=5)
        self.sdk = self.client(KEY)
        self.v1 = self.sdk.v1

    def client(self, key: str) -> stripe.StripeClient:
        return stripe.StripeClient(key, http_client=self.http, base_addresses={"api": self.url})

    def control(self, path: str, body: Any = None) -> Any:
        answer = httpx.post(self.url + path, json={} if body is None else body)
        answer.raise_for_status()
        return answer.json()

    def refused(self, path: str, **body: Any) -> str:
        """What the stand-in says to a control that it refuses."""
        answer = httpx.post(self.url + path, json=body)
        assert answer.status_code == 400, answer.text
        return str(answer.json()["error"])

    def raw(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {KEY}"} | more.pop("headers", {})
        return httpx.request(method, self.url + path, headers=headers, **more)

    def deliveries(self) -> list[dict[str, Any]]:
        return list(httpx.get(self.url + "/_deliveries").json()["deliveries"])

    def deliveries_when(self, count: int) -> list[dict[str, Any]]:
        return eventually(lambda: found if len(found := self.deliveries()) >= count else None)


def eventually[T](look: Callable[[], T | None]) -> T:
    """What *look* finds within five seconds."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if (found := look()) is not None:
            return found
        time.sleep(0.005)
    raise AssertionError("never")


class Shop:
    """What Stripe calls: remembers what it got, answers with the next of `statuses`, then with 200."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.url = ""

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    async def hook(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.body()))
        return PlainTextResponse("thanks", status_code=self.statuses.pop(0) if self.statuses else 200)


def types(told: dict[str, Any]) -> list[str]:
    """The types of a control's events, in order."""
    return [event["type"] for event in told["events"]]


def verify(got: tuple[dict[str, str], bytes], secret: str = SECRET, *, tolerance: int | None = None) -> None:
    headers, body = got
    stripe.WebhookSignature.verify_header(body.decode(), headers["stripe-signature"], secret, tolerance)
