"""The port StripeLists: the same rules for the fake and for the adapter over real HTTP to the stand-in."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.hosting.serving import serving
from paidshare.errors import OrderUnknown, StripeUnavailable
from paidshare.notices import EVENTS, Notice
from paidshare.payments_stripe import StripeListing
from paidshare.sweeping.ports import StripeLists
from paidshare.sweeping.rounds import Listed, Page
from tests.fakes_sweep import MemoryLists
from tests.stripe_world import KEY, StripeWorld

REFUNDED = "refund.created"
TYPES = ["checkout.session.completed", REFUNDED]
SOON = timedelta(seconds=5)


def now() -> datetime:
    return datetime.now(UTC)


class World(Protocol):
    lists: StripeLists

    def sell(self, *, ago: timedelta = ...) -> str:
        """A session that is complete; its id."""

    def bill(self, *, ago: timedelta = ...) -> str:
        """An invoice that is paid; its id."""

    def refund_in_silence(self, *, ago: timedelta = ...) -> str:
        """A refund whose event no endpoint took; the event's id."""


class MemoryWorld:
    def __init__(self) -> None:
        self._memory = MemoryLists()
        self.lists: StripeLists = self._memory
        self._made = 0

    def sell(self, *, ago: timedelta = timedelta()) -> str:
        return self._put(self._memory.paid_sessions, "cs_test", ago)

    def bill(self, *, ago: timedelta = timedelta()) -> str:
        return self._put(self._memory.paid_invoices, "in", ago)

    def refund_in_silence(self, *, ago: timedelta = timedelta()) -> str:
        self._made += 1
        at = now() - ago
        event = Notice("stripe", f"evt_{self._made}", REFUNDED, "pi_1", at.replace(microsecond=0))
        self._memory.events.insert(0, (at, event))
        return event.event_id

    def _put(self, where: list[tuple[datetime, Listed]], kind: str, ago: timedelta) -> str:
        self._made += 1
        at = now() - ago
        where.insert(0, (at, Listed(f"{kind}_{self._made}", at)))
        return f"{kind}_{self._made}"


class HttpWorld:
    def __init__(self, stripe: StripeWorld) -> None:
        self.stripe = stripe
        self.key = KEY
        self.adapter = StripeListing(api_key=lambda: self.key, api_base=stripe.url, livemode=False, timeout_s=30.0)
        self.lists: StripeLists = self.adapter

    def sell(self, *, ago: timedelta = timedelta()) -> str:
        return str(self._ago(ago, lambda: self.stripe.pay()["session"]))

    def bill(self, *, ago: timedelta = timedelta()) -> str:
        return str(self._ago(ago, lambda: self.stripe.bill(("Guide", {}))))

    def refund_in_silence(self, *, ago: timedelta = timedelta()) -> str:
        session = self.stripe.pay()["session"]
        return str(
            self._ago(ago, lambda: self.stripe.control("/_refund", {"session": session, "quiet": True})["event"])
        )

    def _ago[T](self, ago: timedelta, make: Callable[[], T]) -> T:
        self.stripe.control("/_clock", {"advance_s": -ago.total_seconds()})
        made = make()
        self.stripe.control("/_clock", {"advance_s": ago.total_seconds()})
        return made


@pytest.fixture
def http(stripe: StripeWorld) -> Iterator[HttpWorld]:
    world = HttpWorld(stripe)
    yield world
    world.adapter.close()


@pytest.fixture(params=["memory", "stripe"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return MemoryWorld()
    found: HttpWorld = request.getfixturevalue("http")
    return found


def every[T](ask: Callable[..., Page[T]], *, since: timedelta = SOON, **more: Any) -> list[T]:
    """All pages' items."""
    items: list[T] = []
    after: str | None = None
    while True:
        page = ask(since=now() - since, after=after, **more)
        items += page.items
        after = page.after
        if after is None:
            return items


def ids(ask: Callable[..., Page[Listed]], *, since: timedelta = SOON) -> list[str]:
    return [one.order_id for one in every(ask, since=since)]


class TestEveryStripeLists:
    def test_what_was_completed_is_listed_newest_first(self, world: World) -> None:
        first, second = world.sell(), world.sell()
        assert ids(world.lists.sessions) == [second, first]

    def test_paid_invoices_are_listed_newest_first(self, world: World) -> None:
        first, second = world.bill(), world.bill()
        assert ids(world.lists.invoices) == [second, first]

    def test_what_was_made_before_is_left_out(self, world: World) -> None:
        world.sell(ago=timedelta(hours=2))
        world.bill(ago=timedelta(hours=2))
        assert ids(world.lists.sessions, since=timedelta(hours=1)) == []
        assert ids(world.lists.invoices, since=timedelta(hours=1)) == []

    def test_an_order_comes_with_the_time_at_which_it_was_paid(self, world: World) -> None:
        world.sell(ago=timedelta(hours=2))
        world.bill(ago=timedelta(hours=2))
        for ask in (world.lists.sessions, world.lists.invoices):
            [one] = every(ask, since=timedelta(hours=3))
            assert abs(now() - timedelta(hours=2) - one.at) < timedelta(minutes=1)

    def test_a_list_goes_on_where_its_page_ended(self, world: World) -> None:
        made = [world.sell() for _ in range(101)]
        first = world.lists.sessions(since=now() - timedelta(minutes=1), after=None)
        assert len(first.items) == 100
        rest = world.lists.sessions(since=now() - timedelta(minutes=1), after=first.after)
        assert [one.order_id for one in rest.items] == made[:1]
        assert rest.after is None

    def test_a_place_that_stripe_does_not_know_is_refused(self, world: World) -> None:
        for ask in (world.lists.sessions, world.lists.invoices):
            with pytest.raises(OrderUnknown):
                ask(since=now() - SOON, after="cs_test_gone")

    def test_an_event_that_nobody_took_is_listed_as_a_notice(self, world: World) -> None:
        event_id = world.refund_in_silence()
        [notice] = [one for one in every(world.lists.happened, types=TYPES) if one.event_id == event_id]
        assert (notice.source, notice.why) == ("stripe", REFUNDED)
        assert notice.about.startswith("pi_")
        assert abs(now() - notice.at) < timedelta(minutes=1)

    def test_only_events_of_the_types_asked_for_are_listed(self, world: World) -> None:
        world.refund_in_silence()
        assert every(world.lists.happened, types=["customer.subscription.paused"]) == []

    def test_an_event_made_before_is_left_out(self, world: World) -> None:
        event_id = world.refund_in_silence(ago=timedelta(hours=2))
        found = every(world.lists.happened, since=timedelta(hours=1), types=TYPES)
        assert event_id not in [one.event_id for one in found]


class TestStripeListing:
    def test_an_order_that_was_paid_long_after_it_was_begun_is_as_young_as_its_payment(self, http: HttpWorld) -> None:
        product = http.stripe.product()
        asked: dict[str, Any] = {
            "mode": "payment",
            "success_url": "https://shop.example",
            "line_items": [{"price": http.stripe.sdk().v1.products.retrieve(product).default_price, "quantity": 1}],
        }
        made = http._ago(timedelta(hours=20), lambda: http.stripe.sdk().v1.checkout.sessions.create(asked))  # type: ignore[arg-type]
        http.stripe.control("/_pay", {"session": made["id"]})
        [one] = every(http.lists.sessions, since=timedelta(days=1))
        assert one.order_id == made["id"]
        assert abs(now() - one.at) < timedelta(minutes=1)

    def test_something_given_away_is_listed_without_a_payment(self, http: HttpWorld) -> None:
        session = http.stripe.pay(discount=900)["session"]
        assert ids(http.lists.sessions) == [session]

    def test_a_subscription_s_session_is_left_to_its_invoice_and_a_set_up_is_no_order(self, http: HttpWorld) -> None:
        invoice = http.stripe.pay(mode="subscription")["invoice"]
        http.stripe.pay(mode="setup")
        assert ids(http.lists.sessions) == []
        assert ids(http.lists.invoices) == [invoice]

    def test_an_open_session_and_an_unpaid_invoice_are_left_out(self, http: HttpWorld) -> None:
        sold = http.stripe.pay(mode="subscription")
        http.stripe.control("/_renew", {"subscription": sold["subscription"], "paid": False})
        assert ids(http.lists.invoices) == [sold["invoice"]]

    def test_orders_of_connected_accounts_are_not_listed(self, http: HttpWorld) -> None:
        http.stripe.pay(account="acct_1")
        assert ids(http.lists.sessions) == []

    def test_an_event_is_listed_whether_an_endpoint_took_it_or_there_is_none(self, http: HttpWorld) -> None:
        async def takes(_request: Request) -> Response:
            return Response()

        with serving(Starlette(routes=[Route("/", takes, methods=["POST"])])) as url:
            http.stripe.control("/_webhook", {"url": url, "retries": []})
            sold = http.stripe.pay()
        missed = http.stripe.pay()
        about = {one.about for one in every(http.lists.happened, types=TYPES)}
        assert {missed["session"], sold["session"]} <= about

    def test_a_subscription_that_begins_without_an_invoice_is_an_order(self, http: HttpWorld) -> None:
        session = http.stripe.pay(mode="subscription")["session"]
        whole = http.stripe.sdk().v1.checkout.sessions.retrieve(session).to_dict() | {"invoice": None}
        listed = {"object": "list", "data": [whole], "has_more": False, "url": "/v1/checkout/sessions"}
        http.stripe.fault(200, match="GET /v1/checkout/sessions", body=listed)
        assert ids(http.lists.sessions) == [session]

    def test_money_that_went_back_or_may_is_listed_by_what_leads_to_its_order(self, http: HttpWorld) -> None:
        sold, other, third = http.stripe.pay(), http.stripe.pay(), http.stripe.pay()
        http.stripe.control("/_refund", {"session": sold["session"]})
        http.stripe.control("/_dispute", {"session": other["session"]})
        http.stripe.control("/_warn", {"session": third["session"]})
        bill = http.stripe.bill(("Guide", {}))
        http.stripe.control("/_credit_note", {"invoice": bill})

        def about(kind: str) -> list[str]:
            return [one.order_id for one in every(http.lists.returned, kind=kind)]

        assert about("refunds") == [sold["payment_intent"]]
        assert about("disputes") == [other["payment_intent"]]
        assert about("warnings") == [third["payment_intent"]]
        assert about("credit_notes") == [bill]
        with pytest.raises(ValueError, match="no list of coupons"):
            about("coupons")

    def test_an_event_of_the_other_mode_is_left_out(self, http: HttpWorld) -> None:
        http.refund_in_silence()
        live = StripeListing(api_key=lambda: KEY, api_base=http.stripe.url, livemode=True)
        assert every(live.happened, types=TYPES) == []
        live.close()

    def test_every_type_that_matters_can_be_asked_for(self, http: HttpWorld) -> None:
        for types in (sorted(EVENTS)[:20], sorted(EVENTS)[20:]):
            http.lists.happened(types, since=now() - SOON, after=None)

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ({"status": 500}, StripeUnavailable),
            ({"status": 429}, StripeUnavailable),
            ({"status": 0}, StripeUnavailable),
        ],
    )
    def test_a_stripe_that_is_down_is_tried_again(
        self, http: HttpWorld, fault: dict[str, Any], error: type[Exception]
    ) -> None:
        http.stripe.control("/_faults", {"match": "GET /v1/checkout/sessions", "times": 2} | fault)
        with pytest.raises(error):
            http.lists.sessions(since=now() - SOON, after=None)

    def test_a_slow_answer_is_given_up_on_and_comes_again(self, http: HttpWorld) -> None:
        hurried = StripeListing(api_key=lambda: KEY, api_base=http.stripe.url, livemode=False, timeout_s=0.5)
        http.stripe.control(
            "/_faults", {"match": "GET /v1/checkout/sessions", "times": 2, "delay_s": 1, "status": None}
        )
        with pytest.raises(StripeUnavailable, match="ReadTimeout"):
            hurried.sessions(since=now() - SOON, after=None)
        hurried.close()

    def test_a_refused_key_is_not_told(self, http: HttpWorld) -> None:
        http.key = "sk_test_wrong"
        with pytest.raises(StripeUnavailable, match="key refused") as caught:
            http.lists.sessions(since=now() - SOON, after=None)
        assert "wrong" not in str(caught.value)
