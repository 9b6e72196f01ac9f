"""
Use case: one round of the sweep, which makes sure that nothing is lost where no event says so.

It only ever asks for looks, and tidies shares: what an order should be is decided by `delivering`, as ever. Each part
keeps its own place, written down behind every page, so that a round may end anywhere and the next one goes on there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import batched

from paidshare import shares
from paidshare.errors import (
    FastioUnavailable,
    FileMissing,
    NeedsAPerson,
    OrderBusy,
    SecretUnavailable,
    ShareRefused,
    TryAgain,
)
from paidshare.grants import KnownShare
from paidshare.notices import NEEDED, OF_WARNINGS, SWEEP, Notice
from paidshare.ports import Clock, Ledger, LinkKey, LookQueue
from paidshare.states import State
from paidshare.sweeping.errors import RoundBusy
from paidshare.sweeping.ports import Bookmark, OrderBook, Received, ShareCloser, Shelves, StripeLists
from paidshare.sweeping.rounds import Fate, Known, Listed, Page, Pass, Shelved, Track, Unsettled, fate

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
_UNREADABLE_IN_A_ROW = 3
"""So many shares, one after the other, that cannot be looked at are Fast.io's trouble, and not theirs."""


def _nobody_knows(notice: Notice) -> bool:
    del notice
    return False


@dataclass(frozen=True, slots=True)
class Broom:
    """
    Everything a round needs from outside. `received` tells which events need not be taken in; `warnings` whether early
    fraud warnings hold access.
    """

    bookmark: Bookmark
    book: OrderBook
    ledger: Ledger
    lists: StripeLists
    shelves: Shelves
    shares: ShareCloser
    queue: LookQueue
    link_key: LinkKey
    clock: Clock
    received: Received = field(default=_nobody_knows)
    warnings: bool = False


@dataclass(slots=True)
class Part:
    """
    What came of one part of a round, for the log.

    Of what it `saw` it `asked` for some orders, and `closed` and `deleted` some shares; `on_hold` wait for a person;
    `missed` are events of sales that should have come; `refused` says which shares Fast.io would not let it look at or
    tidy. `finished`: it came to the end; else the next round goes on. `trouble` is why not.
    """

    name: str
    saw: int = 0
    asked: int = 0
    closed: int = 0
    deleted: int = 0
    on_hold: int = 0
    missed: int = 0
    refused: tuple[str, ...] = ()
    finished: bool = False
    trouble: TryAgain | NeedsAPerson | None = None


_COMPARED = ("sessions", "invoices")


def drift(parts: Iterable[Part]) -> int | None:
    """
    How many orders Stripe lists and the ledger does not have, and how many events of sales never came; None when that
    was not, or could not be, found out.
    """
    sound = [part for part in parts if part.trouble is None]
    compared = [part for part in sound if part.name in _COMPARED]
    found = sum(part.asked for part in compared) + sum(part.missed for part in sound)
    return found if len(compared) == len(_COMPARED) else None


def on_hold(parts: Iterable[Part]) -> int | None:
    """How many orders wait for a person; None when not all were seen."""
    return next((part.on_hold for part in parts if part.name == "unsettled" and part.finished), None)


def sweep(broom: Broom, *, holder: str, until: datetime, deadline: datetime) -> tuple[Part, ...]:
    """
    One round. No other is let in before *until*, when *holder*'s process is surely over; nothing is begun after
    *deadline*. Each part gets the same share of the time that is left, and one's trouble keeps no other from its work.

    Raises RoundBusy; LedgerUnavailable and QueueUnavailable before anything is done.
    """
    place = broom.bookmark.take_up(holder=holder, now=broom.clock(), until=until)
    try:
        return _Round(broom, holder, deadline, dict(place)).parts()
    finally:
        broom.bookmark.put_down(holder=holder)


class _Round:
    def __init__(self, broom: Broom, holder: str, deadline: datetime, place: dict[str, Track]) -> None:
        self._broom = broom
        self._holder = holder
        self._deadline = deadline
        self._place = place

    def parts(self) -> tuple[Part, ...]:
        work: list[tuple[str, Callable[[Part, datetime], None]]] = [("shares", self._tidy)]
        if self._broom.queue.backlog() < _LONG_QUEUE:
            work = [*self._asking(), *work]
        return tuple(self._part(name, do, left=len(work) - i) for i, (name, do) in enumerate(work))

    def _asking(self) -> Iterator[tuple[str, Callable[[Part, datetime], None]]]:
        lists = self._broom.lists
        yield "unsettled", self._ask_again
        yield "sessions", partial(self._compare, lists.sessions, _OPEN_FOR)
        # Stripe goes on collecting an invoice for days after it was made.
        yield "invoices", partial(self._compare, lists.invoices, _REACH)
        for kind in (*_RETURNED, "warnings") if self._broom.warnings else _RETURNED:
            yield kind, partial(self._ask_about, kind)
        needed = NEEDED | OF_WARNINGS if self._broom.warnings else NEEDED
        for number, types in enumerate(batched(sorted(needed), _EVENTS_A_CALL, strict=False), start=1):
            yield f"events_{number}", partial(self._take_in, types)

    def _part(self, name: str, do: Callable[[Part, datetime], None], *, left: int) -> Part:
        part, now = Part(name), self._broom.clock()
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
        book, now = self._broom.book, self._broom.clock()
        for orders in batched(book.unsettled(before=now), _ORDERS_AT_A_TIME, strict=False):
            if self._broom.clock() >= end:
                return
            waiting = self._waiting(orders)
            part.saw += len(orders)
            part.on_hold += len(waiting)
            over = [order for order in orders if order.given_up(now) and order.order_id not in waiting]
            due = [order for order in orders if order.due(now) and order not in over]
            self._ask(part, [_look(order.order_id, now, account=order.account) for order in due])
            for order in due:
                book.touch(order, now=now)
            for order in over:
                book.give_up(order)
        part.finished = True

    def _waiting(self, orders: Sequence[Unsettled]) -> frozenset[str]:
        """Those that wait for a person: they are counted, and never given up."""
        known = self._broom.book.known(order.order_id for order in orders)
        return frozenset(order_id for order_id, order in known.items() if order.state is State.ON_HOLD)

    # --- Stripe's lists -------------------------------------------------------------------------------------

    def _compare(self, listed: Callable[..., Page[Listed]], overlap: timedelta, part: Part, end: datetime) -> None:
        def page(going: Pass) -> str | None:
            found = listed(since=going.since, after=going.after)
            part.saw += len(found.items)
            late = [one.order_id for one in found.items if self._broom.clock() - one.at >= _LATE_AFTER]
            self._ask_for_unknown(part, late)
            return found.after

        self._go_through(part, end, page, reach=_REACH, overlap=overlap)

    def _take_in(self, types: Sequence[str], part: Part, end: datetime) -> None:
        def page(going: Pass) -> str | None:
            found = self._broom.lists.happened(types, since=going.since, after=going.after)
            part.saw += len(found.items)
            now = self._broom.clock()
            late = [one for one in found.items if now - one.at >= _EVENT_LATE_AFTER]
            missed = [one for one in late if not self._broom.received(one)]
            self._ask(part, missed)
            part.missed += sum(one.why in _OF_SALES and now - one.at >= _MISSED_AFTER for one in missed)
            return found.after

        # Each is asked for when it is late, and a few times: it is never remembered as received.
        self._go_through(part, end, page, reach=_REACH, overlap=_EVENT_LATE_AFTER + _CLOCKS_DIFFER)

    def _ask_about(self, kind: str, part: Part, end: datetime) -> None:
        def page(going: Pass) -> str | None:
            found = self._broom.lists.returned(kind, since=going.since, after=going.after)
            now = self._broom.clock()
            part.saw += len(found.items)
            late = dict.fromkeys(one.order_id for one in found.items if now - one.at >= _MONEY_LATE_AFTER)
            self._ask(part, [_look(about, now) for about in late])
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
        while self._broom.clock() < end:
            going = track.next_pass(now=self._broom.clock(), reach=reach, overlap=overlap)
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
            start = int(going.after) if going.after and going.after.isdecimal() else 0
            return self._tidy_shelf(part, end, start)

        track = self._track(part)
        if track.going is None and track.reached and self._broom.clock() - track.reached < _ALL_SHARES_EVERY:
            part.finished = True
            return
        self._go_through(part, end, page, reach=timedelta(), overlap=timedelta())

    def _tidy_shelf(self, part: Part, end: datetime, start: int) -> str | None:
        """Where the next shelf begins; the first share that is left of this one when the time is up."""
        shelf, link_key, deleted = self._broom.shelves.shelf(start), self._link_key(), part.deleted
        known = self._broom.book.known(share.order_id for share in shelf.shares if share.order_id is not None)
        unreadable = 0
        for share in shelf.shares:
            if self._broom.clock() >= end:
                part.saw += share.at
                return str(start + share.at - (part.deleted - deleted))
            try:
                self._see_to(part, share, known, link_key)
                unreadable = 0
            except (FileMissing, ShareRefused, FastioUnavailable) as error:
                unreadable += 1
                part.refused += (str(error),)
                if unreadable >= _UNREADABLE_IN_A_ROW and isinstance(error, FastioUnavailable):
                    raise
        part.saw += shelf.size
        following = start + shelf.size - (part.deleted - deleted)
        return str(following) if shelf.more else None

    def _see_to(self, part: Part, listed: Shelved, known: Mapping[str, Known], link_key: str) -> None:
        """One share: whose it is, whether its order is to be looked at, and whether it is to be tidied."""
        share = listed if listed.order_id is not None else self._broom.shelves.look(listed.id)
        if share is None or share.order_id is None:
            return
        order_id, now = share.order_id, self._broom.clock()
        order = (known if listed.order_id is not None else self._broom.book.known([order_id])).get(order_id)
        if not _is_ours(share, order_id, order, link_key):
            return
        if order is None:
            self._ask_for_unknown(part, [order_id])
        elif fate(share, order, now=now) is not Fate.KEEP:
            self._tidy_share(part, share, order_id)
        elif order.state is State.DELIVERED and not share.shut(now) and order.is_due(now):
            self._ask(part, [_look(order_id, now)])

    def _tidy_share(self, part: Part, share: Shelved, order_id: str) -> None:
        """Decided anew with the order's lease in hand: a worker may just be giving its buyer access again."""
        ledger, now = self._broom.ledger, self._broom.clock()
        try:
            progress = ledger.claim(order_id, holder=self._holder, now=now)
        except OrderBusy:
            return
        try:
            found = self._broom.shelves.look(share.id)
            if found is None or found.order_id != order_id:
                return
            # Fast.io's answer may have taken longer than the lease lasts: whoever lost it writes nothing, and does
            # nothing to the share.
            match fate(found, Known.of(progress), now=now):
                case Fate.CLOSE:
                    # As Deliver does it: written down first, so that it knows what it finds.
                    known = progress.share or KnownShare(share.id, share.expires_at or now)
                    progress = replace(progress, share=known).closing(now=now)
                    ledger.record(order_id, progress, holder=self._holder, now=self._broom.clock())
                    self._broom.shares.close(share.id)
                    progress = progress.closed()
                    part.closed += 1
                case Fate.DELETE:
                    ledger.record(order_id, progress, holder=self._holder, now=self._broom.clock())
                    self._broom.shelves.delete(share.id)
                    part.deleted += 1
                case Fate.KEEP:
                    pass
        except OrderBusy:
            return
        finally:
            # Whatever a crash may have left undone is for Deliver to see: it stays marked.
            with suppress(OrderBusy):
                ledger.release(order_id, progress, holder=self._holder, now=self._broom.clock(), done=False)

    def _link_key(self) -> str:
        key = self._broom.link_key()
        if not shares.is_link_key(key):
            raise SecretUnavailable("link_key in the secret is empty or too short")
        return key

    # --- Asking ---------------------------------------------------------------------------------------------

    def _ask_for_unknown(self, part: Part, order_ids: Sequence[str]) -> None:
        """A look at each of the orders that the ledger does not have. It has them when Deliver begins to look."""
        known, now = self._broom.book.known(order_ids), self._broom.clock()
        unknown = [order_id for order_id in dict.fromkeys(order_ids) if order_id not in known]
        self._ask(part, [_look(order_id, now) for order_id in unknown])

    def _ask(self, part: Part, notices: Sequence[Notice]) -> None:
        if notices:
            self._broom.queue.ask(notices)
            part.asked += len(notices)

    def _track(self, part: Part) -> Track:
        return self._place.get(part.name, Track())

    def _keep(self, part: Part, track: Track) -> None:
        self._place[part.name] = track
        self._broom.bookmark.keep(self._place, holder=self._holder)


def _is_ours(share: Shelved, order_id: str, order: Known | None, link_key: str) -> bool:
    """
    Whether this installation made *share*: another one with the same Fast.io account has another link_key, and other
    orders.
    """
    recorded = order is not None and order.share_id == share.id
    return recorded or share.name == shares.share_name(link_key, order_id)


def _look(order_id: str, now: datetime, *, account: str | None = None) -> Notice:
    return Notice(source="stripe", event_id=f"{SWEEP}:{order_id}", why=SWEEP, about=order_id, at=now, account=account)
