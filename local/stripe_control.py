"""
The Stripe stand-in's own routes, for tests and `python -m local`: JSON in, JSON out, names with an underscore.

- `POST /_webhook {"url", "secret", "retries"}`: where events go; `retries` are waits in seconds, `[]` none.
- `POST /_keys {"keys": ["sk_test_…"] | null}`: the API keys that are accepted; null is any of the right mode.
- `POST /_product {"name", "metadata", "unit_amount", "currency"}` → `{"product", "price"}`.
- `POST /_pay` with the fields of `local.stripe_sales.Sale` → `{"session", "event", "delivery", "deliveries"}`.
- `POST /_settle {"session"}` and `POST /_fail {"session"}`: how a late payment ends; answered like `/_pay`.
- `POST /_send {"event", "forged", "unsigned", "stale_s", "url"}`: an event once more, one attempt;
  `POST /_send {"session", "new_event": true}`: a second Event object for the session's last event.
- `GET /_deliveries`: every attempt to send, in order.
"""

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local import stripe_sales
from local.stripe_form import StripeProblem
from local.stripe_objects import Json
from local.stripe_sending import Manner, Sender, Target, shown
from local.stripe_state import StripeState

type Control = Callable[[Json], Awaitable[Json]]


class Controls:
    """The routes' work. Each raises ValueError with what is wrong with its argument."""

    def __init__(self, state: StripeState, sender: Sender, accept: Callable[[list[str] | None], None]) -> None:
        self._state = state
        self._sender = sender
        self._accept = accept

    def routes(self) -> list[Route]:
        posts: dict[str, Control] = {
            "/_webhook": self.webhook,
            "/_keys": self.keys,
            "/_product": self.product,
            "/_pay": self.pay,
            "/_settle": self.settle,
            "/_fail": self.fail,
            "/_send": self.send,
        }
        made = [Route(path, _answering(work), methods=["POST"]) for path, work in posts.items()]
        return [*made, Route("/_deliveries", self._deliveries, methods=["GET"])]

    async def webhook(self, given: Json) -> Json:
        _only(given, "url", "secret", "retries")
        self._sender.url = given["url"]
        self._sender.secret = given.get("secret") or self._sender.secret
        if "retries" in given:
            self._sender.retries = tuple(float(wait) for wait in given["retries"] or ())
        return {"url": self._sender.url, "secret": self._sender.secret}

    async def keys(self, given: Json) -> Json:
        _only(given, "keys")
        self._accept(given["keys"])
        return {"keys": given["keys"]}

    async def product(self, given: Json) -> Json:
        product, price = stripe_sales.made_product(self._state, given)
        return {"product": product["id"], "price": price["id"]}

    async def pay(self, given: Json) -> Json:
        sale = stripe_sales.Sale.read(given)
        session = stripe_sales.completed(self._state, sale)
        return await self._announced("checkout.session.completed", session, quiet=sale.quiet)

    async def settle(self, given: Json) -> Json:
        _only(given, "session")
        session = stripe_sales.settled(self._state, given["session"])
        return await self._announced("checkout.session.async_payment_succeeded", session)

    async def fail(self, given: Json) -> Json:
        _only(given, "session")
        session = stripe_sales.failed(self._state, given["session"])
        return await self._announced("checkout.session.async_payment_failed", session)

    async def send(self, given: Json) -> Json:
        _only(given, "event", "session", "new_event", "forged", "unsigned", "stale_s", "url")
        if given.get("new_event"):
            session = stripe_sales.known_session(self._state, given["session"])
            return await self._announced(self._last_event(session["id"])["type"], session)
        event = self._state.objects.get(given.get("event", "")) or self._last_event(given.get("session", ""))
        manner = Manner(
            forged=bool(given.get("forged")),
            unsigned=bool(given.get("unsigned")),
            stale_s=int(given.get("stale_s", 0)),
        )
        url = given.get("url") or self._sender.url
        if url is None:
            raise ValueError("say where to send it: url, or POST /_webhook first")
        delivery = await self._sender.attempt(event, Target(url, self._sender.secret), manner)
        return {"event": event["id"], "delivery": shown(delivery)}

    async def _announced(self, kind: str, session: Json, *, quiet: bool = False) -> Json:
        event = self._state.new_event(kind, session)
        deliveries = [] if quiet else [shown(one) for one in await self._sender.announce(event)]
        return {
            "session": session["id"],
            "event": event["id"],
            "delivery": deliveries[0] if deliveries else None,
            "deliveries": deliveries,
        }

    def _last_event(self, session_id: str) -> Json:
        for one in reversed(self._state.objects.values()):
            if one["object"] == "event" and one["data"]["object"]["id"] == session_id:
                return one
        raise ValueError("there is no such event, and no event of such a session")

    async def _deliveries(self, _request: Request) -> Response:
        return JSONResponse({"deliveries": [shown(one) for one in self._sender.deliveries]})


def _only(given: Json, *known: str) -> None:
    if unknown := set(given) - set(known):
        raise ValueError(f"there is no field {sorted(unknown)}; there are {known}")


def _answering(work: Control) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            given = json.loads(await request.body() or b"{}")
            return JSONResponse(await work(given))
        except (AttributeError, KeyError, TypeError, ValueError, StripeProblem) as exc:
            return JSONResponse({"error": f"{type(exc).__name__}: {exc}"}, status_code=400)

    return answer
