"""
The Stripe stand-in's own routes, for tests and `python -m local`: JSON in, JSON out, names with an underscore.

Settings and sending:

- `POST /_webhook {"url", "secret", "retries", "events", "api_version"}`: where events go; `retries` are waits in
  seconds, `[]` none; `events` are the types it wants and `api_version` the shapes it gets, null for all and for
  the current ones. What is left out stays as it is, but `url` is needed.
- `POST /_keys {"keys": ["sk_test_…"] | null}`: the API keys that are accepted; null is any of the right mode.
- `POST /_product {"name", "metadata", "unit_amount", "currency"}` → `{"product", "price"}`.
- `POST /_send {"event", "forged", "unsigned", "stale_s", "url", "api_version"}`: an event once more, one attempt;
  `POST /_send {"session", "new_event": true}`: a second Event object for the session's last event.
- `POST /_clock {"advance_s": -3600}` → `{"now": 1790000000}`: moves the stand-in's clock, and so what is made next.
- `GET /_deliveries`: every attempt to send, in order.
- `GET /_events?about=ID` → `{"events": [{"event", "type"}, …]}`: every event whose object has this id or names it.

What happens to money. Each changes the state and sends Stripe's events for it, one after the other. They answer
with the ids of what they are about (`session`, `invoice`, `subscription`, `payment_intent`, `charge`, `refund`,
`dispute`, `warning`; what there is), `events` (`[{"event", "type", "delivery"}, …]`, in order) and, for the event
that matters most, `event`, `delivery` (the first target's) and `deliveries`. With `"quiet": true` the events are
made but not sent. PAID is one of `"session"`, `"invoice"`, `"payment_intent"`, `"charge"`.

- `POST /_pay` with the fields of `local.stripe.sale.Sale`.
- `POST /_settle {"session"}` and `POST /_fail {"session"}`: how a late payment ends.
- `POST /_invoice {"email", "products", "quantity", "account", "paid_out_of_band"}`: a paid invoice of its own.
- `POST /_refund {PAID, "amount", "status", "reason"}`: all that is left without an amount, `succeeded` at once.
- `POST /_refund_update {"refund" | PAID, "status"}`: `failed` and `canceled` give the money back to the seller.
  Without its id it is the newest one of what was paid.
- `POST /_dispute {PAID, "status", "reason"}`: `needs_response`; `warning_needs_response` is an inquiry.
- `POST /_dispute_update {"dispute" | PAID, "status"}`: `won`, `lost`, `warning_closed` and `prevented` close it, and
  so does `withdrawn`, the buyer's own end of it: an inquiry becomes `warning_closed`, a dispute `won`.
- `POST /_warn {PAID, "fraud_type"}`: an early fraud warning; a refund in full or a dispute settles it.
- `POST /_renew {"subscription" | "session", "paid": true}`: the next period, paid or not.
- `POST /_pay_invoice {"invoice"}`: an open invoice is paid after all.
- `POST /_credit_note {"invoice", "line", "amount", "to_card"}`: for one of its lines (its place; the first one), all of
  it without an amount, to the customer's balance or back to the card.
- `POST /_plan {"subscription" | "session", "product"}`: another product instead of its only one, billed with the next
  period, as Stripe does by default.
- `POST /_cancel {"subscription" | "session", "at_period_end": false}`.
- `POST /_subscription {"subscription" | "session", "status"}`, or `"pause_collection"` instead of a status: a
  behavior, or null to end the pause.
"""

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.stripe import catalog, sales
from local.stripe.acting import Done, only
from local.stripe.acts import ACTS, Act
from local.stripe.form import StripeProblem
from local.stripe.objects import Json
from local.stripe.sending import Manner, Sender, Target, shown
from local.stripe.state import StripeState

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
            "/_send": self.send,
            "/_clock": self.clock,
        }
        posts |= {path: self._acting(act) for path, act in ACTS.items()}
        made = [Route(path, _answering(work), methods=["POST"]) for path, work in posts.items()]
        return [
            *made,
            Route("/_deliveries", self._deliveries, methods=["GET"]),
            Route("/_events", self._events, methods=["GET"]),
        ]

    async def webhook(self, given: Json) -> Json:
        only(given, "url", "secret", "retries", "events", "api_version")
        sender = self._sender
        sender.url = given["url"]
        sender.secret = given.get("secret") or sender.secret
        if "retries" in given:
            sender.retries = tuple(float(wait) for wait in given["retries"] or ())
        if "events" in given:
            sender.events = ("*",) if given["events"] is None else tuple(given["events"])
        if "api_version" in given:
            sender.api_version = given["api_version"]
        return {"url": sender.url, "secret": sender.secret}

    async def keys(self, given: Json) -> Json:
        only(given, "keys")
        self._accept(given["keys"])
        return {"keys": given["keys"]}

    async def product(self, given: Json) -> Json:
        product, price = catalog.made_product(self._state, given)
        return {"product": product["id"], "price": price["id"]}

    async def send(self, given: Json) -> Json:
        only(given, "event", "session", "new_event", "forged", "unsigned", "stale_s", "url", "api_version")
        if given.get("new_event"):
            session = sales.known_session(self._state, given["session"])
            kind = self._last_event(session["id"])["type"]
            self._state.tell(kind, session)
            return await self._announced(Done((kind,), {"session": session["id"]}), quiet=False)
        event = self._state.objects.get(given.get("event", "")) or self._last_event(given.get("session", ""))
        manner = Manner(
            forged=bool(given.get("forged")),
            unsigned=bool(given.get("unsigned")),
            stale_s=int(given.get("stale_s", 0)),
        )
        url = given.get("url") or self._sender.url
        if url is None:
            raise ValueError("say where to send it: url, or POST /_webhook first")
        version = given.get("api_version") or self._sender.api_version
        delivery = await self._sender.attempt(event, Target(url, self._sender.secret, api_version=version), manner)
        return {"event": event["id"], "delivery": shown(delivery)}

    async def clock(self, given: Json) -> Json:
        only(given, "advance_s")
        self._state.offset += float(given["advance_s"])
        return {"now": self._state.now}

    def _acting(self, act: Act) -> Control:
        async def work(given: Json) -> Json:
            quiet = bool(given.pop("quiet", False))
            return await self._announced(act(self._state, given), quiet=quiet)

        return work

    async def _announced(self, done: Done, *, quiet: bool) -> Json:
        events, sent = self._state.told(), {}
        main = next(event for event in events if event["type"] in done.main)
        for event in events:
            sent[event["id"]] = [] if quiet else [shown(one) for one in await self._sender.announce(event)]
        return {
            **{name: value for name, value in done.ids.items() if value},
            "event": main["id"],
            "delivery": next(iter(sent[main["id"]]), None),
            "deliveries": sent[main["id"]],
            "events": [
                {"event": event["id"], "type": event["type"], "delivery": next(iter(sent[event["id"]]), None)}
                for event in events
            ],
        }

    def _last_event(self, session_id: str) -> Json:
        for one in reversed(self._state.objects.values()):
            if one["object"] == "event" and one["data"]["object"]["id"] == session_id:
                return one
        raise ValueError("there is no such event, and no event of such a session")

    async def _deliveries(self, _request: Request) -> Response:
        return JSONResponse({"deliveries": [shown(one) for one in self._sender.deliveries]})

    async def _events(self, request: Request) -> Response:
        about = request.query_params.get("about")
        every = [one for one in self._state.objects.values() if one["object"] == "event"]
        found = [one for one in every if about is None or about in _ids_in(one["data"]["object"])]
        return JSONResponse({"events": [{"event": one["id"], "type": one["type"]} for one in found]})


def _ids_in(of: Json) -> set[str]:
    return {value for value in of.values() if isinstance(value, str)}


def _answering(work: Control) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            given = json.loads(await request.body() or b"{}")
            return JSONResponse(await work(given))
        except (AttributeError, KeyError, TypeError, ValueError, StripeProblem) as exc:
            return JSONResponse({"error": f"{type(exc).__name__}: {exc}"}, status_code=400)

    return answer
