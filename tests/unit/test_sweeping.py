"""Rounds of the sweep with every port in memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare import notices, shares
from paidshare.errors import FastioUnavailable, FileMissing, SecretUnavailable, ShareRefused, StripeUnavailable
from paidshare.notices import EVENTS, NEEDED, OF_WARNINGS, Notice
from paidshare.orders import Share
from paidshare.progress import Progress
from paidshare.states import State
from paidshare.sweeping import report, sweep
from paidshare.sweeping.errors import RoundBusy
from paidshare.sweeping.ports import Received, SweepPorts
from paidshare.sweeping.report import Part
from paidshare.sweeping.rounds import Known, Listed, ListedShare, Page, Pass, Place, SharePage, Track
from tests.builders import LINK_KEY, NOW, a_notice, a_progress, some_goods
from tests.fakes import Clock, Crash
from tests.fakes_shares import MemoryShares
from tests.fakes_sweep import MemoryCheckpoint, MemoryLists, MemoryOrderIndex, MemoryQueue, MemoryShareListing

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
QUARTER = 15 * MINUTE


@dataclass
class World:
    """A sweep in memory. Each page of Stripe's takes `page_s` seconds, each share tidied `share_s`."""

    clock: Clock = field(default_factory=Clock)
    checkpoint: MemoryCheckpoint = field(default_factory=MemoryCheckpoint)
    index: MemoryOrderIndex = field(default_factory=MemoryOrderIndex)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    shares: MemoryShares = field(default_factory=MemoryShares)
    link_key: str = LINK_KEY
    page_s: float = 0
    share_s: float = 0
    look_s: float = 0
    received: Received = field(default=lambda _notice: False)
    warnings: bool = False
    lists: MemoryLists = field(init=False)
    share_listing: MemoryShareListing = field(init=False)

    def __post_init__(self) -> None:
        world = self

        class Lists(MemoryLists):
            def _page[T](self, items: list[tuple[datetime, T, str]], since: datetime, after: str | None) -> Page[T]:
                world.clock.advance(seconds=world.page_s)
                return MemoryLists._page(self, items, since, after)

        class ShareListing(MemoryShareListing):
            def delete(self, share_id: str) -> None:
                world.clock.advance(seconds=world.share_s)
                MemoryShareListing.delete(self, share_id)

        self.lists, self.share_listing = Lists(), ShareListing(self.shares)
        self.shares.put("shop", "forest")

    def round(self, *, seconds: float = 225) -> dict[str, Part]:
        """One round, a quarter of an hour after the one before."""
        now = self.clock.now
        ports = SweepPorts(
            checkpoint=self.checkpoint,
            index=self.index,
            ledger=self.index,
            lists=self.lists,
            share_listing=self.share_listing,
            shares=self.shares,
            queue=self.queue,
            link_key=lambda: self.link_key,
            clock=self.clock,
            received=self.received,
            warnings=self.warnings,
        )
        try:
            parts = sweep.sweep(
                ports,
                holder=f"round-{now}",
                until=now + timedelta(seconds=seconds + 75),
                deadline=now + timedelta(seconds=seconds),
            )
        finally:
            self.clock.now = max(self.clock.now, now + QUARTER)
        return {part.name: part for part in parts}

    def sells(self, order_id: str, *, made: timedelta = HOUR, paid: timedelta | None = None) -> None:
        """A session that was made and paid so long ago, at the place in Stripe's list that it has for it."""
        made_at = self.clock.now - made
        listed = Listed(order_id, self.clock.now - (made if paid is None else paid))
        self.lists.paid_sessions.append((made_at, listed))
        self.lists.paid_sessions.sort(key=lambda item: item[0], reverse=True)

    def bills(self, order_id: str, *, made: timedelta = HOUR) -> None:
        at = self.clock.now - made
        self.lists.paid_invoices.insert(0, (at, Listed(order_id, at)))

    def deliver_looks(self) -> None:
        """Deliver takes all notices, and finds nothing to do."""
        for notice in self.queue.asked:
            self.index.put(notice.about, Progress(state=State.NOT_OURS), at=self.clock.now)

    def shares_out(
        self,
        order_id: str,
        state: State = State.DELIVERED,
        *,
        expired: timedelta = -DAY,
        closed: timedelta | None = None,
        link_key: str = LINK_KEY,
        recorded: bool = True,
    ) -> Share:
        """An order with a share that expired so long ago, and was closed so long ago if it was."""
        now = self.clock.now
        request = shares.share_request(order_id, (some_goods(nodes=("file-forest",)),), now - expired, link_key)
        made = self.shares.open(request)
        if closed is not None:
            self.shares.close(made.id)
        progress = a_progress(
            state=state,
            share_id=made.id if recorded else None,
            closed_at=None if closed is None else now - closed,
        )
        self.index.put(order_id, progress, at=now)
        return made

    def asked(self) -> list[str]:
        return [notice.about for notice in self.queue.asked]

    def is_open(self, share: Share) -> bool:
        return self.shares.open_files(share.name, self.clock.now) is not None


@pytest.fixture
def world() -> World:
    return World()


class TestUnsettledOrders:
    def test_an_order_that_nobody_touched_for_an_hour_is_asked_for(self, world: World) -> None:
        world.index.put("cs_1", Progress(state=State.WAITING, account="acct_1"), at=world.clock.now - HOUR - MINUTE)
        part = world.round()["unsettled"]
        assert world.queue.asked == [
            Notice("stripe", "sweep:cs_1", "sweep", "cs_1", NOW, account="acct_1"),
        ]
        assert (part.saw, part.asked, part.finished) == (1, 1, True)

    def test_deliver_knows_a_notice_of_the_sweep_by_its_reason(self, world: World) -> None:
        world.sells("cs_1")
        world.round()
        [notice] = world.queue.asked
        assert notice.why == notices.SWEEP

    def test_a_settled_order_is_not_asked_for(self, world: World) -> None:
        world.index.put("cs_1", Progress(state=State.DELIVERED), at=world.clock.now - DAY)
        world.round()
        assert world.asked() == []

    def test_who_was_asked_for_is_asked_for_again_when_an_hour_has_passed(self, world: World) -> None:
        world.index.put("cs_1", Progress(state=State.WAITING), at=world.clock.now - HOUR - MINUTE)
        asked = []
        for _ in range(9):
            world.round()
            asked.append(len(world.asked()))
        assert asked == [1, 1, 1, 1, 2, 2, 2, 2, 3]

    def test_an_order_of_five_weeks_ago_is_given_up(self, world: World) -> None:
        world.index.put("cs_1", Progress(state=State.WAITING), at=world.clock.now - 36 * DAY)
        world.round()
        assert world.asked() == []
        assert world.index.unsettled_at == {}

    def test_what_waits_for_a_person_is_never_given_up_and_is_counted(self, world: World) -> None:
        """However long it takes: its dead letter is written anew, and would else be gone after a fortnight."""
        world.index.put("cs_1", Progress(state=State.ON_HOLD), at=world.clock.now - 300 * DAY)
        world.index.put("cs_2", Progress(state=State.WAITING), at=world.clock.now)
        assert report.on_hold(world.round().values()) == 1
        assert world.asked() == ["cs_1"]
        for _ in range(6):
            world.clock.advance(days=1)
            world.round()
        assert world.asked().count("cs_1") == 3

    def test_how_many_wait_is_not_known_when_not_all_were_seen(self, world: World) -> None:
        world.queue.broken = True
        world.index.put("cs_1", Progress(state=State.ON_HOLD), at=world.clock.now - 2 * HOUR)
        assert report.on_hold(world.round().values()) is None

    def test_what_was_not_queued_is_asked_for_in_the_next_round(self, world: World) -> None:
        world.index.put("cs_1", Progress(state=State.WAITING), at=world.clock.now - 2 * HOUR)
        world.queue.broken = True
        assert world.round()["unsettled"].trouble is not None
        world.queue.broken = False
        world.round()
        assert world.asked() == ["cs_1"]

    def test_when_the_time_is_up_the_next_round_asks_for_the_rest(self, world: World) -> None:
        orders = [f"cs_{n:03}" for n in range(95)]
        for order_id in orders:
            world.index.put(order_id, Progress(state=State.WAITING), at=world.clock.now - 2 * HOUR)
        ask = world.queue.ask

        def slowly(notices: Sequence[Notice]) -> None:
            world.clock.advance(seconds=10)
            ask(notices)

        world.queue.ask = slowly  # type: ignore[method-assign]
        rounds = 0
        while len(world.asked()) < len(orders):
            world.round()
            rounds += 1
            assert rounds < 10
        assert rounds > 1
        assert sorted(world.asked()) == orders


class TestStripesLists:
    def test_what_the_ledger_does_not_have_is_asked_for_and_is_the_drift(self, world: World) -> None:
        world.sells("cs_lost")
        world.sells("cs_known")
        world.bills("in_lost")
        world.index.put("cs_known", Progress(state=State.DELIVERED), at=world.clock.now)
        parts = world.round()
        assert world.queue.asked == [a_look("cs_lost"), a_look("in_lost")]
        assert report.drift(parts.values()) == 2

    def test_what_was_found_is_no_drift_when_deliver_has_looked_at_it(self, world: World) -> None:
        world.sells("cs_1")
        world.round()
        world.deliver_looks()
        assert report.drift(world.round().values()) == 0
        assert world.asked() == ["cs_1"]

    def test_an_order_whose_event_may_be_on_its_way_is_no_drift(self, world: World) -> None:
        world.sells("cs_1", made=29 * MINUTE)
        world.bills("in_1", made=29 * MINUTE)
        assert report.drift(world.round().values()) == 0
        assert report.drift(world.round().values()) == 2

    def test_a_session_that_was_paid_on_the_next_day_is_found(self, world: World) -> None:
        for _ in range(4):
            world.round()
        world.sells("cs_1", made=DAY, paid=MINUTE)
        for _ in range(4):
            world.round()
        assert set(world.asked()) == {"cs_1"}

    def test_what_is_older_than_four_days_is_left_to_the_past(self, world: World) -> None:
        world.sells("cs_old", made=4 * DAY + MINUTE)
        world.sells("cs_1", made=4 * DAY - MINUTE)
        world.round()
        assert world.asked() == ["cs_1"]

    def test_later_passes_look_at_a_day_only(self, world: World) -> None:
        for days in range(4):
            world.sells(f"cs_{days}", made=days * DAY + 2 * HOUR)
        assert world.round()["sessions"].saw == 4
        assert world.round()["sessions"].saw == 1

    def test_ten_thousand_sessions_are_found_exactly_once_in_as_many_rounds_as_it_takes(self, world: World) -> None:
        orders = [f"cs_{n}" for n in range(10_000)]
        for n, order_id in enumerate(orders):
            at = world.clock.now - HOUR - timedelta(seconds=n)
            world.lists.paid_sessions.append((at, Listed(order_id, at)))
        world.page_s = 2
        rounds, drift = 0, 0
        while not (parts := world.round())["sessions"].finished:
            rounds += 1
            drift += report.drift(parts.values()) or 0
            world.deliver_looks()
        assert rounds > 3
        assert world.asked() == orders
        assert drift + (report.drift(parts.values()) or 0) == 10_000

    @given(data=st.data())
    def test_a_crash_anywhere_loses_nothing(self, data: st.DataObject) -> None:
        world = World()
        world.lists.size = 3
        orders = [f"cs_{n}" for n in range(14)]
        for n, order_id in enumerate(orders):
            world.sells(order_id, made=HOUR + n * MINUTE)
        for _ in range(data.draw(st.integers(1, 3), label="crashes")):
            with Dying(world, after=data.draw(st.integers(0, 12)), before=data.draw(st.booleans())):
                world.round()
            world.deliver_looks()
        while not world.round()["sessions"].finished:
            world.deliver_looks()
        assert set(world.asked()) == set(orders)

    def test_nothing_counts_as_seen_before_it_is_in_the_queue(self, world: World) -> None:
        world.sells("cs_1")
        world.queue.broken = True
        parts = world.round()
        assert parts["sessions"].trouble is not None
        assert report.drift(parts.values()) is None
        world.queue.broken = False
        world.round()
        assert world.asked() == ["cs_1"]

    def test_a_place_that_stripe_refuses_is_left_for_the_beginning(self, world: World) -> None:
        world.sells("cs_1")
        going = Pass(NOW - HOUR, NOW - DAY, "cs_of_another_account")
        world.checkpoint.place = {"sessions": Track(going, NOW - 2 * HOUR)}
        assert world.round()["sessions"].trouble is not None
        assert world.round()["sessions"].finished
        assert world.asked() == ["cs_1"]

    def test_while_stripe_is_down_the_place_is_kept(self, world: World) -> None:
        world.lists.size = 1
        for n in range(3):
            world.sells(f"cs_{n}", made=HOUR + n * MINUTE)
        going = Pass(NOW, NOW - DAY, "cs_0")
        world.checkpoint.place = {"sessions": Track(going)}
        world.lists.failures = [StripeUnavailable("down")]
        assert world.round()["sessions"].trouble is not None
        assert world.checkpoint.place["sessions"] == Track(going)

    def test_two_lists_with_the_same_order_make_one_notice_each_at_most(self, world: World) -> None:
        world.sells("cs_1")
        world.lists.paid_sessions *= 2
        world.round()
        assert world.asked() == ["cs_1"]


class TestMoneyBack:
    """What went back without any event: docs/decisions/0019."""

    def put(self, world: World, kind: str, about: str, *, ago: timedelta) -> None:
        at = world.clock.now - ago
        world.lists.money_back.setdefault(kind, []).insert(0, (at, Listed(about, at)))

    @pytest.mark.parametrize("kind", ["refunds", "disputes", "credit_notes"])
    def test_its_order_is_looked_at_within_half_an_hour_and_once(self, world: World, kind: str) -> None:
        self.put(world, kind, "pi_1", ago=timedelta())
        for _ in range(2):
            world.round()
        assert "pi_1" in world.asked()
        for _ in range(9):
            world.round()
        assert 1 <= world.asked().count("pi_1") <= 2

    @pytest.mark.parametrize("holds", [True, False])
    def test_fraud_warnings_are_asked_for_where_they_hold_access(self, world: World, holds: bool) -> None:  # noqa: FBT001
        world.warnings = holds
        self.put(world, "warnings", "pi_1", ago=HOUR)
        assert ("warnings" in world.round()) is holds
        assert world.asked() == (["pi_1"] if holds else [])

    def test_many_pieces_of_one_payment_are_one_look(self, world: World) -> None:
        for _ in range(3):
            self.put(world, "refunds", "pi_1", ago=HOUR)
        world.round()
        assert world.asked() == ["pi_1"]


class TestUndeliveredEvents:
    def put(self, world: World, event_id: str, *, ago: timedelta, why: str = "refund.updated") -> Notice:
        at = world.clock.now - ago
        notice = a_notice(event_id=event_id, why=why, about="pi_1", at=at)
        world.lists.events.insert(0, (at, notice))
        return notice

    def test_an_event_that_no_endpoint_took_is_asked_for_as_if_it_had_come(self, world: World) -> None:
        notice = self.put(world, "evt_1", ago=HOUR)
        parts = world.round()
        assert world.queue.asked == [notice]
        assert report.drift(parts.values()) == 0

    def test_an_event_that_may_be_on_its_way_is_left_for_later(self, world: World) -> None:
        self.put(world, "evt_1", ago=4 * MINUTE)
        world.round()
        assert world.asked() == []
        world.round()
        assert world.asked() == ["pi_1"]

    def test_an_event_that_the_front_door_took_is_left_alone(self, world: World) -> None:
        taken, missed = (self.put(world, f"evt_{n}", ago=HOUR) for n in (1, 2))
        world.received = lambda notice: notice == taken
        world.round()
        assert world.queue.asked == [missed]

    def test_an_event_that_another_endpoint_refuses_for_ever_is_asked_for_twice_at_most(self, world: World) -> None:
        self.put(world, "evt_1", ago=HOUR)
        for _ in range(20):
            world.round()
        assert 1 <= len(world.asked()) <= 2

    @pytest.mark.parametrize(("ago", "drift"), [(9 * MINUTE, 0), (10 * MINUTE, 1)])
    def test_one_of_a_sale_that_never_came_is_drift_though_its_order_is_looked_at(
        self, world: World, ago: timedelta, drift: int
    ) -> None:
        self.put(world, "evt_1", ago=ago, why="checkout.session.completed")
        assert report.drift(world.round().values()) == drift
        assert world.asked() == ["pi_1"]

    @pytest.mark.parametrize("why", sorted(EVENTS - NEEDED - OF_WARNINGS))
    def test_what_sellers_are_not_told_to_have_sent_is_left_alone(self, world: World, why: str) -> None:
        self.put(world, "evt_1", ago=HOUR, why=why)
        world.round()
        assert world.asked() == []

    @pytest.mark.parametrize("why", sorted(NEEDED | OF_WARNINGS))
    def test_every_type_that_matters_is_asked_about(self, world: World, why: str) -> None:
        world.warnings = why in OF_WARNINGS
        self.put(world, "evt_1", ago=HOUR, why=why)
        world.round()
        assert world.asked() == ["pi_1"]


class TestLinksThatAreOpen:
    """An order whose link is open is looked at when one of its lines ends, and once a day in any case."""

    def looked_at(self, world: World, *, ago: timedelta, next_end: timedelta | None = None) -> list[str]:
        world.shares_out("cs_1")
        end = None if next_end is None else world.clock.now + next_end
        world.index.put("cs_1", replace(world.index.orders["cs_1"], next_end=end), at=world.clock.now - ago)
        world.round()
        return world.asked()

    @pytest.mark.parametrize(("ago", "asked"), [(23 * HOUR, []), (24 * HOUR, ["cs_1"])])
    def test_once_a_day(self, world: World, ago: timedelta, asked: list[str]) -> None:
        assert self.looked_at(world, ago=ago) == asked

    @pytest.mark.parametrize(("next_end", "asked"), [(MINUTE, []), (timedelta(), ["cs_1"]), (-DAY, ["cs_1"])])
    def test_when_a_line_ends(self, world: World, next_end: timedelta, asked: list[str]) -> None:
        assert self.looked_at(world, ago=HOUR, next_end=next_end) == asked

    def test_one_that_is_closed_is_not(self, world: World) -> None:
        share = world.shares_out("cs_1")
        world.index.put("cs_1", world.index.orders["cs_1"], at=world.clock.now - 3 * DAY)
        world.shares.archived.add(share.id)
        world.round()
        assert world.asked() == []


class TestSharesThatCannotBeRead:
    def broken(self, world: World, *unreadable: str, error: type[Exception] = FileMissing) -> None:
        """A list that does not say whose its shares are; of *unreadable* orders' the share does not either."""
        listing = world.share_listing

        class Silent(MemoryShareListing):
            def page(self, start: int, workspace: str | None = None) -> SharePage:
                shown = listing.page(start, workspace)
                return replace(shown, shares=tuple(replace(one, order_id=None) for one in shown.shares))

            def look(self, share_id: str) -> ListedShare | None:
                world.clock.advance(seconds=world.look_s)
                found = super().look(share_id)
                if found is not None and found.order_id in unreadable:
                    raise error(f"share {share_id} cannot be read")
                return found

        world.share_listing = Silent(world.shares)

    @pytest.mark.parametrize("error", [FileMissing, ShareRefused, FastioUnavailable])
    def test_one_of_them_keeps_no_other_from_being_tidied(self, world: World, error: type[Exception]) -> None:
        world.shares_out("cs_bad", expired=3 * DAY)
        world.shares_out("cs_old", expired=3 * DAY)
        self.broken(world, "cs_bad", error=error)
        part = world.round()["shares"]
        assert (part.deleted, part.finished, len(part.refused)) == (1, True, 1)

    def test_many_in_a_row_are_fast_io_s_trouble(self, world: World) -> None:
        names = [f"cs_{n}" for n in range(5)]
        for name in names:
            world.shares_out(name, expired=3 * DAY)
        self.broken(world, *names, error=FastioUnavailable)
        part = world.round()["shares"]
        assert isinstance(part.trouble, FastioUnavailable)
        assert len(part.refused) == 3

    def test_a_page_of_slow_answers_ends_in_time_and_every_share_is_reached(self, world: World) -> None:
        for n in range(250):
            world.shares_out(f"cs_{n}", expired=3 * DAY)
        world.look_s = 1.1
        self.broken(world)
        rounds = 0
        while world.shares.made:
            began = world.clock.now
            world.round(seconds=200)
            took = world.clock.now - began
            assert took <= max(QUARTER, timedelta(seconds=275))
            rounds += 1
            assert rounds < 12
        assert rounds > 1


class TestSharesAndLeases:
    def test_a_sweep_that_lost_the_lease_does_nothing_to_the_share(self, world: World) -> None:
        share = world.shares_out("cs_1", State.ACCESS_ENDED, closed=61 * DAY)

        class Slow(MemoryShareListing):
            def look(self, share_id: str) -> ListedShare | None:
                found = super().look(share_id)
                # Fast.io's answer comes when the lease is over, and Deliver gave access back meanwhile.
                world.clock.advance(seconds=80)
                world.index.claim("cs_1", holder="deliver", now=world.clock.now)
                given = a_progress(state=State.DELIVERED, share_id=share_id)
                world.index.release("cs_1", given, holder="deliver", now=world.clock.now)
                world.shares.archived.discard(share_id)
                return found

        world.share_listing = Slow(world.shares)
        part = world.round()["shares"]
        assert (part.deleted, part.closed, part.trouble) == (0, 0, None)
        assert world.is_open(share)

    def test_a_share_that_a_person_prolonged_is_left_open(self, world: World) -> None:
        share = world.shares_out("cs_1", State.ACCESS_ENDED)
        world.index.put("cs_1", replace(world.index.orders["cs_1"], reason="expired"), at=world.clock.now)
        assert world.round()["shares"].closed == 0
        assert world.is_open(share)

    def test_what_the_ledger_still_promises_is_not_deleted_however_soon_fast_io_has_it_end(self, world: World) -> None:
        world.shares_out("cs_1", expired=3 * DAY)
        promised = a_progress(world.index.orders["cs_1"], share_expires_at=world.clock.now + DAY)
        world.index.put("cs_1", promised, at=world.clock.now)
        assert world.round()["shares"].deleted == 0
        world.clock.advance(days=1)
        assert world.round()["shares"].deleted == 1

    @pytest.mark.parametrize(
        ("state", "deleted"), [(State.ACCESS_ENDED, 1), (State.ON_HOLD, 1), (State.ACCESS_ON_HOLD, 0)]
    )
    def test_a_slot_is_given_back_of_what_was_closed_long_ago_unless_it_can_come_back(
        self, world: World, state: State, deleted: int
    ) -> None:
        world.shares_out("cs_1", state, closed=61 * DAY)
        assert world.round()["shares"].deleted == deleted


class TestShares:
    def test_a_share_that_expired_long_ago_is_deleted(self, world: World) -> None:
        world.shares_out("cs_old", expired=3 * DAY)
        kept = world.shares_out("cs_1")
        assert world.round()["shares"].deleted == 1
        assert list(world.shares.made) == [kept.name]

    @pytest.mark.parametrize("state", [State.ACCESS_ENDED, State.ACCESS_ON_HOLD])
    def test_a_share_without_access_that_is_open_all_the_same_is_closed(self, world: World, state: State) -> None:
        share = world.shares_out("cs_1", state, closed=DAY)
        world.shares.archived.clear()  # Somebody opened it by hand.
        assert world.round()["shares"].closed == 1
        assert not world.is_open(share)

    def test_the_order_s_row_stays_as_it_was(self, world: World) -> None:
        world.shares_out("cs_1", State.ACCESS_ENDED, closed=DAY)
        world.shares.archived.clear()
        before = world.index.orders["cs_1"]
        world.round()
        assert world.index.orders["cs_1"] == before
        assert world.index.leases == {}

    def test_a_share_whose_order_is_unknown_is_left_alone_and_its_order_asked_for(self, world: World) -> None:
        share = world.shares_out("cs_1", expired=3 * DAY)
        del world.index.orders["cs_1"], world.index.touched["cs_1"]
        parts = world.round()
        assert world.queue.asked == [a_look("cs_1")]
        assert share.name in world.shares.made
        assert report.drift(parts.values()) == 0

    def test_a_share_of_another_installation_is_left_alone(self, world: World) -> None:
        share = world.shares_out("cs_1", expired=3 * DAY, link_key="z" * 64, recorded=False)
        world.round()
        assert share.name in world.shares.made
        del world.index.orders["cs_1"], world.index.touched["cs_1"]
        world.clock.advance(days=1)
        world.round()
        assert world.asked() == []

    def test_a_share_in_the_ledger_is_ours_whatever_it_is_called(self, world: World) -> None:
        world.shares_out("cs_1", expired=3 * DAY, link_key="z" * 64)
        assert world.round()["shares"].deleted == 1

    def test_a_share_that_was_made_and_not_written_down_is_ours_by_its_name(self, world: World) -> None:
        world.shares_out("cs_1", expired=3 * DAY, recorded=False)
        assert world.round()["shares"].deleted == 1

    def test_an_order_in_work_is_left_to_its_worker(self, world: World) -> None:
        share = world.shares_out("cs_1", State.ACCESS_ON_HOLD, closed=DAY)
        world.shares.archived.clear()
        world.index.claim("cs_1", holder="worker", now=world.clock.now)
        part = world.round()["shares"]
        assert (part.closed, part.trouble) == (0, None)
        assert world.is_open(share)

    def test_it_is_decided_anew_when_no_worker_can_come_between(self, world: World) -> None:
        share = world.shares_out("cs_1", State.ACCESS_ON_HOLD, closed=DAY)
        world.shares.archived.clear()
        known = world.index.known

        def then_access_is_back(order_ids: Any) -> Any:
            found = known(order_ids)
            if found:
                world.index.put("cs_1", a_progress(state=State.DELIVERED, share_id=share.id), at=world.clock.now)
            return found

        world.index.known = then_access_is_back  # type: ignore[method-assign]
        assert world.round()["shares"].closed == 0
        assert world.is_open(share)

    def test_one_share_that_cannot_be_tidied_does_not_hold_up_the_others(self, world: World) -> None:
        first = world.shares_out("cs_1", expired=3 * DAY)
        world.shares_out("cs_2", expired=3 * DAY)
        delete = world.share_listing.delete

        def refusing(share_id: str) -> None:
            if share_id == first.id:
                raise ShareRefused(f"delete share {share_id}: HTTP 403")
            delete(share_id)

        world.share_listing.delete = refusing  # type: ignore[method-assign]
        part = world.round()["shares"]
        assert (part.deleted, part.refused, part.trouble) == (1, (f"delete share {first.id}: HTTP 403",), None)
        assert world.index.leases == {}

    def test_every_expired_share_is_deleted_over_all_pages_and_rounds(self, world: World) -> None:
        world.share_listing.size = 10
        world.share_s = 9
        for n in range(60):
            world.shares_out(f"cs_{n}", expired=3 * DAY if n % 3 else -DAY)
        rounds, deleted = 0, 0
        while not (part := world.round()["shares"]).finished:
            deleted += part.deleted
            rounds += 1
        assert rounds > 0
        assert deleted + part.deleted == 40
        assert len(world.shares.made) == 20

    def test_the_ledger_is_asked_once_for_many_shares(self, world: World) -> None:
        for n in range(60):
            world.shares_out(f"cs_{n}", expired=-DAY)
        asked: list[int] = []
        known = world.index.known

        def counted(order_ids: Iterable[str]) -> Mapping[str, Known]:
            asked.append(len(found := tuple(order_ids)))
            return known(found)

        world.index.known = counted  # type: ignore[method-assign]
        world.round()
        assert [count for count in asked if count] == [25, 25, 10]

    def test_when_the_time_is_up_in_the_middle_of_a_page_the_next_round_tidies_the_rest(self, world: World) -> None:
        world.share_s = 30
        for n in range(30):
            world.shares_out(f"cs_{n}", expired=3 * DAY)
        part = world.round()["shares"]
        assert part.deleted < 10
        assert not part.finished
        while not world.round()["shares"].finished:
            pass
        assert world.shares.made == {}

    def test_all_shares_are_looked_at_once_an_hour(self, world: World) -> None:
        world.shares_out("cs_1")
        assert [world.round()["shares"].saw for _ in range(6)] == [1, 0, 0, 0, 1, 0]

    def test_without_a_link_key_no_share_is_taken_for_ours(self, world: World) -> None:
        world.shares_out("cs_1", expired=3 * DAY)
        world.link_key = ""
        part = world.round()["shares"]
        assert isinstance(part.trouble, SecretUnavailable)
        assert len(world.shares.made) == 1


class TestRounds:
    def test_one_part_s_trouble_keeps_no_other_from_its_work(self, world: World) -> None:
        world.shares.down = True
        world.lists.failures = [StripeUnavailable("down")]
        world.bills("in_1")
        parts = world.round()
        assert isinstance(parts["sessions"].trouble, StripeUnavailable)
        assert isinstance(parts["shares"].trouble, FastioUnavailable)
        assert world.asked() == ["in_1"]
        assert report.drift(parts.values()) is None

    def test_while_the_queue_is_long_nothing_is_asked_for_and_the_drift_is_not_known(self, world: World) -> None:
        world.sells("cs_1")
        world.shares_out("cs_old", expired=3 * DAY)
        world.queue.waiting = 500
        parts = world.round()
        assert world.asked() == []
        assert parts["shares"].deleted == 1
        assert report.drift(parts.values()) is None
        world.queue.waiting = 499
        world.round()
        assert "cs_1" in world.asked()

    def test_a_list_without_end_does_not_starve_the_parts_behind_it(self, world: World) -> None:
        world.lists.size = 1
        world.page_s = 5
        for n in range(1_000):
            world.sells(f"cs_{n}", made=HOUR + n * MINUTE)
        world.bills("in_1")
        world.shares_out("cs_old", expired=3 * DAY)
        parts = world.round()
        assert not parts["sessions"].finished
        assert "in_1" in world.asked()
        assert parts["shares"].deleted == 1

    def test_nothing_is_begun_after_the_deadline(self, world: World) -> None:
        world.sells("cs_1")
        world.index.put("cs_2", Progress(state=State.WAITING), at=world.clock.now - DAY)
        world.shares_out("cs_old", expired=3 * DAY)
        parts = world.round(seconds=0)
        assert world.asked() == []
        assert world.lists.asked == 0
        assert not any(part.finished for part in parts.values())

    def test_a_round_that_is_under_way_keeps_the_next_one_out(self, world: World) -> None:
        world.sells("cs_1")
        world.checkpoint.take_up(holder="other", now=world.clock.now, until=world.clock.now + MINUTE)
        with pytest.raises(RoundBusy):
            world.round()
        assert world.asked() == []
        assert world.checkpoint.holder == "other"

    def test_a_round_that_lost_its_turn_stops(self, world: World) -> None:
        world.sells("cs_1")
        ask = world.queue.ask

        def meanwhile(notices: Sequence[Notice]) -> None:
            world.checkpoint.holder = "other"
            ask(notices)

        world.queue.ask = meanwhile  # type: ignore[method-assign]
        with pytest.raises(RoundBusy):
            world.round()

    def test_a_crashed_round_is_followed_by_the_next(self, world: World) -> None:
        world.sells("cs_1")
        with Dying(world, after=0, before=True):
            world.round()
        world.round()
        assert world.asked() == ["cs_1"]


def a_look(order_id: str) -> Notice:
    return Notice("stripe", f"sweep:{order_id}", "sweep", order_id, NOW)


class Dying:
    """
    The process ends at the *after*-th time that a round asks for looks or keeps its place (if it gets so far), before
    that is done or behind it. Nothing of it runs any more from then on, and its turn lasts until its time is up.
    """

    def __init__(self, world: World, *, after: int, before: bool) -> None:
        self._world = world
        self._left = after
        self._before = before
        self._ask, self._keep = world.queue.ask, world.checkpoint.keep
        self._put_down = world.checkpoint.put_down

    def __enter__(self) -> None:
        def ask(notices: Sequence[Notice]) -> None:
            self._step(lambda: self._ask(notices))

        def keep(place: Place, *, holder: str) -> None:
            self._step(lambda: self._keep(place, holder=holder))

        def put_down(*, holder: str) -> None:
            if self._left >= 0:
                self._put_down(holder=holder)

        world = self._world
        world.queue.ask, world.checkpoint.keep = ask, keep  # type: ignore[method-assign]
        world.checkpoint.put_down = put_down  # type: ignore[method-assign]

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        world = self._world
        world.queue.ask, world.checkpoint.keep = self._ask, self._keep  # type: ignore[method-assign]
        world.checkpoint.put_down = self._put_down  # type: ignore[method-assign]
        return kind is Crash

    def _step(self, work: Callable[[], None]) -> None:
        self._left -= 1
        if self._left >= 0:
            work()
            return
        if not self._before:
            work()
        raise Crash
