"""A story played once against the Stripe stand-in: the events that came of each step, and the truth after it."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.hosting.serving import serving
from local.stripe.server import stripe_app
from paidshare import notices
from paidshare.errors import OrderUnknown
from paidshare.notices import Notice
from paidshare.orders import Order
from paidshare.payments_stripe import StripePayments
from tests.fakes import Clock
from tests.fakes_shares import MemoryShares
from tests.stories.every import PRODUCTS
from tests.stories.story import Step, Story, Telling

WORKSPACE = "shop"
OLD_VERSION = "2024-06-20"

_KEY = "sk_test_51OfTheStories"


@dataclass(frozen=True, slots=True)
class Event:
    """One event's body, in the current API version and in an old one."""

    bodies: tuple[bytes, bytes]

    def notice(self, *, old: bool) -> Notice | None:
        """What Receive makes of it; None when it is not for us."""
        found = notices.from_stripe(self.bodies[old], livemode=False)
        return found if isinstance(found, Notice) else None


@dataclass(frozen=True, slots=True)
class Moment:
    """
    After one step: the events that it made, and the truth from now on. `orders` by id, `belongs` says which orders
    each thing is about that an event so far was about.
    """

    step: Step
    events: tuple[Event, ...]
    orders: Mapping[str, Order]
    belongs: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A story with a moment for each of its steps. `order_ids` are those of its endings. Equal only to itself."""

    story: Story
    moments: tuple[Moment, ...]
    order_ids: tuple[str, ...]


class Recorder:
    """Each story is recorded when it is first asked for. The stand-in's clock starts at `tests.builders.NOW`."""

    def __init__(self, url: str, mailbox_url: str, mailbox: list[bytes], clock: Clock) -> None:
        self._url = url
        self._mailbox_url = mailbox_url
        self._mailbox = mailbox
        self._clock = clock
        self._http = httpx.Client(base_url=url, trust_env=False)
        self._made: dict[str, Recording] = {}
        self._events_seen = 0
        shares = stocked()
        self._products = {
            key: self._post(
                "/_product",
                {
                    "name": product.name,
                    "unit_amount": product.price,
                    "metadata": product.metadata(WORKSPACE, lambda path: shares.put(WORKSPACE, path)),
                },
            )["product"]
            for key, product in PRODUCTS.items()
        }

    def close(self) -> None:
        self._http.close()

    def of(self, story: Story) -> Recording:
        if story.name not in self._made:
            self._made[story.name] = self._recorded(story)
        return self._made[story.name]

    def _recorded(self, story: Story) -> Recording:
        telling = Telling(story, self._products, email=f"{story.name}@example.com")
        # Whatever the story chooses: that a warning is ignored is the policy's doing, not the adapter's.
        payments = StripePayments(api_key=lambda: _KEY, api_base=self._url, fraud_warnings=True)
        moments: list[Moment] = []
        with contextlib.closing(payments):
            for step in story.steps:
                telling.learn(self._done(telling, step))
                events = tuple(self._events())
                told = [event for moment in moments for event in moment.events] + list(events)
                belongs = self._belongs(told, payments, story.account)
                order_ids = [*telling.ids.get("session", ()), *telling.ids.get("invoice", ())]
                orders = self._orders(order_ids, payments, story.account)
                moments.append(Moment(step, events, orders, belongs))
                self._clock.advance(seconds=60)
        return Recording(story, tuple(moments), tuple(telling.order_id(ending) for ending in story.endings))

    def _done(self, telling: Telling, step: Step) -> dict[str, Any]:
        path, body = telling.request(step)
        if not path.startswith("/v1/"):
            return self._post(path, {**body, "quiet": True})
        answer = self._http.post(path, data=body, headers={"Authorization": f"Bearer {_KEY}"})
        answer.raise_for_status()
        return {}

    def _events(self) -> Iterator[Event]:
        """Those that are new, as they come over the wire."""
        ids = [event["event"] for event in self._http.get("/_events").json()["events"]]
        for event_id in ids[self._events_seen :]:
            send = {"event": event_id, "url": self._mailbox_url}
            self._post("/_send", send)
            self._post("/_send", {**send, "api_version": OLD_VERSION})
            yield Event((self._mailbox[-2], self._mailbox[-1]))
        self._events_seen = len(ids)

    def _belongs(
        self, events: list[Event], payments: StripePayments, account: str | None
    ) -> dict[str, tuple[str, ...]]:
        found = (event.notice(old=old) for event in events for old in (False, True))
        about = dict.fromkeys(notice.about for notice in found if notice)
        return {one: payments.orders_of(one, now=self._clock(), account=account) for one in about}

    def _orders(self, order_ids: list[str], payments: StripePayments, account: str | None) -> dict[str, Order]:
        """Without those that our key may not see: they are of the other mode."""
        found = {}
        for order_id in order_ids:
            with contextlib.suppress(OrderUnknown):
                found[order_id] = payments.order(order_id, account=account)
        return found

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._http.post(path, json=body)
        assert answer.status_code == 200, f"{path} {body}: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found


@contextlib.contextmanager
def recorder() -> Iterator[Recorder]:
    mailbox: list[bytes] = []

    async def take(request: Request) -> Response:
        mailbox.append(await request.body())
        return Response(status_code=200)

    clock = Clock()
    stand_in = stripe_app(keys=[_KEY], clock=lambda: clock().timestamp())
    takes = Starlette(routes=[Route("/", take, methods=["POST"])])
    with serving(stand_in) as url, serving(takes) as mailbox_url:
        made = Recorder(url, mailbox_url, mailbox, clock)
        with contextlib.closing(made):
            yield made


def stocked(shares: MemoryShares | None = None) -> MemoryShares:
    """Fast.io with the shop's files in it."""
    shares = shares or MemoryShares()
    for product in PRODUCTS.values():
        for path in (*product.files, *product.folder):
            shares.put(WORKSPACE, path)
    return shares
