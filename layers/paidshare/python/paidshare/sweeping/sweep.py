"""
Use case: one round of the sweep, which makes sure that nothing is lost where no event says so.

It only ever asks for looks, and tidies shares: what an order should be is decided by `delivering`, as ever. Each part
keeps its own place, written down behind every page, so that a round may end anywhere and the next one goes on there.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import batched

from paidshare.errors import NeedsAPerson, TryAgain
from paidshare.notices import NEEDED, OF_WARNINGS
from paidshare.states import State
from paidshare.sweeping.asking import ask, ask_for_unknown, look
from paidshare.sweeping.errors import RoundBusy
from paidshare.sweeping.ports import SweepPorts
from paidshare.sweeping.report import Part
from paidshare.sweeping.rounds import Listed, Page, Pass, Track, Unsettled
from paidshare.sweeping.tidying import Tidying

_REACH = timedelta(days=4)  # Stripe sends an event for three days (docs.stripe.com/webhooks); then it is ours to find.
_OPEN_FOR = timedelta(hours=25)
"""A session may be paid for a day after it was made (docs.stripe.com/api/checkout/sessions/create, `expires_at`)."""
_LATE_AFTER = timedelta(minutes=30)
"""Until then an order's event may simply be on its way, and is no drift."""
_EVENT_LATE_AFTER = timedelta(minutes=5)
"""
Stripe sends an event within seconds. With the five minutes between two rounds an event that reached nobody is taken in
within a quarter of an hour, and within half an hour what went back without any event.
"""
_OF_SALES = ("checkout.session.completed", "invoice.paid")
_MISSED_AFTER = timedelta(minutes=10)
_MONEY_LATE_AFTER = timedelta(minutes=10)
_RETURNED = ("refunds", "disputes", "credit_notes")
_CLOCKS_DIFFER = timedelta(minutes=5)
_ALL_SHARES_EVERY = timedelta(hours=1)

_LONG_QUEUE = 500
"""With so many messages waiting nothing is asked for: what seems to be missing is most likely among them."""

_EVENTS_A_CALL = 20  # Stripe's own limit.
_ORDERS_AT_A_TIME = 25


def sweep(ports: SweepPorts, *, holder: str, until: datetime, deadline: datetime) -> tuple[Part, ...]:
    """
    One round. No other is let in before *until*, when *holder*'s process is surely over; nothing is begun after
    *deadline*. Each part gets the same share of the time that is left, and one's trouble keeps no other from its work.

    Raises RoundBusy; LedgerUnavailable and QueueUnavailable before anything is done.
    """
    place = ports.checkpoint.take_up(holder=holder, now=ports.clock(), until=until)
    try:
        return _Round(ports, holder, deadline, dict(place)).parts()
    finally:
        ports.checkpoint.put_down(holder=holder)


class _Round:
    def __init__(self, ports: SweepPorts, holder: str, deadline: datetime, place: dict[str, Track]) -> None:
        self._ports = ports
        self._holder = holder
        self._deadline = deadline
        self._place = place

    def parts(self) -> tuple[Part, ...]:
        work: list[tuple[str, Callable[[Part, datetime], None]]] = [("shares", self._tidy)]
        if self._ports.queue.backlog() < _LONG_QUEUE:
            work = [*self._asking(), *work]
        return tuple(self._part(name, do, left=len(work) - i) for i, (name, do) in enumerate(work))

    def _asking(self) -> Iterator[tuple[str, Callable[[Part, datetime], None]]]:
        lists = self._ports.lists
        yield "unsettled", self._ask_again
        yield "sessions", partial(self._compare, lists.sessions, _OPEN_FOR)
        # Stripe goes on collecting an invoice for days after it was made.
        yield "invoices", partial(self._compare, lists.invoices, _REACH)
        for kind in (*_RETURNED, "warnings") if self._ports.warnings else _RETURNED:
            yield kind, partial(self._ask_about, kind)
        needed = NEEDED | OF_WARNINGS if self._ports.warnings else NEEDED
        for number, types in enumerate(batched(sorted(needed), _EVENTS_A_CALL, strict=False), start=1):
            yield f"events_{number}", partial(self._take_in, types)

    def _part(self, name: str, do: Callable[[Part, datetime], None], *, left: int) -> Part:
        part, now = Part(name), self._ports.clock()
        try:
            do(part, now + (self._deadline - now) / left)
        except RoundBusy:
            raise
        except (TryAgain, NeedsAPerson) as error:
            part.trouble = error
        return part

    # --- Orders that are not settled ------------------------------------------------------------------------

    def _ask_again(self, part: Part, end: datetime) -> None:
        """They need no place: what was asked for is touched, and so at the end of the list."""
        index, now = self._ports.index, self._ports.clock()
        for orders in batched(index.unsettled(before=now), _ORDERS_AT_A_TIME, strict=False):
            if self._ports.clock() >= end:
                return
            waiting = self._waiting(orders)
            part.saw += len(orders)
            part.on_hold += len(waiting)
            over = [order for order in orders if order.given_up(now) and order.order_id not in waiting]
            due = [order for order in orders if order.due(now) and order not in over]
            ask(self._ports, part, [look(order.order_id, now, account=order.account) for order in due])
            for order in due:
                index.touch(order, now=now)
            for order in over:
                index.give_up(order)
        part.finished = True

    def _waiting(self, orders: Sequence[Unsettled]) -> frozenset[str]:
        """Those that wait for a person: they are counted, and never given up."""
        known = self._ports.index.known(order.order_id for order in orders)
        return frozenset(order_id for order_id, order in known.items() if order.state is State.ON_HOLD)

    # --- Stripe's lists -------------------------------------------------------------------------------------

    def _compare(self, listed: Callable[..., Page[Listed]], overlap: timedelta, part: Part, end: datetime) -> None:
        def page(going: Pass) -> str | None:
            found = listed(since=going.since, after=going.after)
            part.saw += len(found.items)
            late = [one.order_id for one in found.items if self._ports.clock() - one.at >= _LATE_AFTER]
            ask_for_unknown(self._ports, part, late)
            return found.after

        self._go_through(part, end, page, reach=_REACH, overlap=overlap)

    def _take_in(self, types: Sequence[str], part: Part, end: datetime) -> None:
        def page(going: Pass) -> str | None:
            found = self._ports.lists.happened(types, since=going.since, after=going.after)
            part.saw += len(found.items)
            now = self._ports.clock()
            late = [one for one in found.items if now - one.at >= _EVENT_LATE_AFTER]
            missed = [one for one in late if not self._ports.received(one)]
            ask(self._ports, part, missed)
            part.missed += sum(one.why in _OF_SALES and now - one.at >= _MISSED_AFTER for one in missed)
            return found.after

        # Each is asked for when it is late, and a few times: it is never remembered as received.
        self._go_through(part, end, page, reach=_REACH, overlap=_EVENT_LATE_AFTER + _CLOCKS_DIFFER)

    def _ask_about(self, kind: str, part: Part, end: datetime) -> None:
        def page(going: Pass) -> str | None:
            found = self._ports.lists.returned(kind, since=going.since, after=going.after)
            now = self._ports.clock()
            part.saw += len(found.items)
            late = dict.fromkeys(one.order_id for one in found.items if now - one.at >= _MONEY_LATE_AFTER)
            ask(self._ports, part, [look(about, now) for about in late])
            return found.after

        # Whether its event came or not: one look more for each costs less than one that nobody heard of.
        self._go_through(part, end, page, reach=_REACH, overlap=_MONEY_LATE_AFTER + _CLOCKS_DIFFER)

    def _go_through(
        self,
        part: Part,
        end: datetime,
        page: Callable[[Pass], str | None],
        *,
        reach: timedelta,
        overlap: timedelta,
    ) -> None:
        """Page by page from where the list's pass is, the place written down when all of a page is done."""
        track = self._track(part)
        while self._ports.clock() < end:
            going = track.next_pass(now=self._ports.clock(), reach=reach, overlap=overlap)
            try:
                after = page(going)
            except NeedsAPerson:
                # Perhaps it is our place that is refused: Stripe may not know its object any more.
                self._keep(part, Track(reached=track.reached))
                raise
            track = track.moved(going, after)
            self._keep(part, track)
            if after is None:
                part.finished = True
                return

    # --- Shares ---------------------------------------------------------------------------------------------

    def _tidy(self, part: Part, end: datetime) -> None:
        def page(going: Pass) -> str | None:
            return Tidying(self._ports, self._holder).tidy(part, end, going.after)

        track = self._track(part)
        if track.going is None and track.reached and self._ports.clock() - track.reached < _ALL_SHARES_EVERY:
            part.finished = True
            return
        self._go_through(part, end, page, reach=timedelta(), overlap=timedelta())

    # --- Asking ---------------------------------------------------------------------------------------------

    def _track(self, part: Part) -> Track:
        return self._place.get(part.name, Track())

    def _keep(self, part: Part, track: Track) -> None:
        self._place[part.name] = track
        self._ports.checkpoint.keep(self._place, holder=self._holder)
