"""The sweep's ports in memory. tests/contract/ holds each to what its adapter does."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from paidshare.errors import FastioUnavailable, OrderUnknown, PaidshareError, QueueUnavailable
from paidshare.notices import Notice
from paidshare.progress import Progress
from paidshare.sweeping.errors import RoundBusy
from paidshare.sweeping.rounds import Known, Listed, ListedShare, Page, Place, SharePage, Unsettled
from tests.fakes import MemoryLedger
from tests.fakes_shares import MemoryShares


class MemoryOrderIndex(MemoryLedger):
    """The ports `Ledger` and `OrderIndex`. `touched` is when anybody last touched an order."""

    def __init__(self) -> None:
        super().__init__()
        self.touched: dict[str, datetime] = {}

    def put(self, order_id: str, progress: Progress, *, at: datetime) -> None:
        """An order that a worker looked at once, and left so."""
        self.claim(order_id, holder="worker", now=at)
        self.release(order_id, progress, holder="worker", now=at)

    def claim(self, order_id: str, *, holder: str, now: datetime) -> Progress:
        progress = super().claim(order_id, holder=holder, now=now)
        self.touched[order_id] = now.replace(microsecond=0)
        return progress

    def record(self, order_id: str, progress: Progress, *, holder: str, now: datetime) -> None:
        super().record(order_id, progress, holder=holder, now=now)
        self.touched[order_id] = now.replace(microsecond=0)

    def unsettled(self, *, before: datetime) -> Iterator[Unsettled]:
        for order_id, at in sorted(self.touched.items(), key=lambda item: item[1]):
            since = self.unsettled_at.get(order_id)
            if since is not None and at < before.replace(microsecond=0):
                yield Unsettled(order_id, self.orders[order_id].account, since, at)

    def known(self, order_ids: Iterable[str]) -> Mapping[str, Known]:
        return {
            order_id: replace(Known.of(self.orders[order_id]), touched_at=self.touched.get(order_id))
            for order_id in order_ids
            if order_id in self.orders
        }

    def touch(self, order: Unsettled, *, now: datetime) -> None:
        if self.touched[order.order_id] == order.touched_at:
            self.touched[order.order_id] = now.replace(microsecond=0)

    def give_up(self, order: Unsettled) -> None:
        if self.touched[order.order_id] == order.touched_at:
            del self.unsettled_at[order.order_id]


@dataclass
class MemoryLists:
    """
    The port `StripeLists`, in pages of `size`. Each list holds when an object was made and the object, newest first.

    `failures` are raised first, in order; `asked` counts the calls.
    """

    paid_sessions: list[tuple[datetime, Listed]] = field(default_factory=list)
    paid_invoices: list[tuple[datetime, Listed]] = field(default_factory=list)
    events: list[tuple[datetime, Notice]] = field(default_factory=list)
    money_back: dict[str, list[tuple[datetime, Listed]]] = field(default_factory=dict)
    size: int = 100
    failures: list[PaidshareError] = field(default_factory=list)
    asked: int = 0

    def sessions(self, *, since: datetime, after: str | None) -> Page[Listed]:
        return self._page([(made, one, one.order_id) for made, one in self.paid_sessions], since, after)

    def invoices(self, *, since: datetime, after: str | None) -> Page[Listed]:
        return self._page([(made, one, one.order_id) for made, one in self.paid_invoices], since, after)

    def returned(self, kind: str, *, since: datetime, after: str | None) -> Page[Listed]:
        return self._page([(made, one, one.order_id) for made, one in self.money_back.get(kind, ())], since, after)

    def happened(self, types: Sequence[str], *, since: datetime, after: str | None) -> Page[Notice]:
        assert len(types) <= 20
        wanted = [(made, one, one.event_id) for made, one in self.events if one.why in types]
        return self._page(wanted, since, after)

    def _page[T](self, items: list[tuple[datetime, T, str]], since: datetime, after: str | None) -> Page[T]:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        start = 0
        if after is not None:
            start = next((i for i, (_, _, name) in enumerate(items, start=1) if name == after), -1)
            if start < 0:
                raise OrderUnknown("there is no such object")
        rest = [item for item in items[start:] if item[0] >= since.replace(microsecond=0)]
        shown = rest[: self.size]
        return Page(tuple(one for _, one, _ in shown), shown[-1][2] if len(rest) > len(shown) else None)


@dataclass
class MemoryShareListing:
    """The port `ShareListing`: the shares of *shares*, oldest first, in pages of `size`."""

    shares: MemoryShares
    size: int = 100
    looked: int = 0

    def page(self, start: int, workspace: str | None = None) -> SharePage:
        if self.shares.down:
            raise FastioUnavailable("the fake is down")
        archived = workspace is not None
        every = [name for name, share in self.shares.made.items() if (share.id in self.shares.archived) is archived]
        names = every[start : start + self.size]
        found = tuple(replace(self._listed_share(name), at=at) for at, name in enumerate(names))
        return SharePage(found, size=len(names), more=start + len(names) < len(every))

    def next_workspace(self, after: str | None = None) -> str | None:
        return "my-shop" if after is None else None

    def look(self, share_id: str) -> ListedShare | None:
        self.looked += 1
        name = self._name(share_id)
        return None if name is None else self._listed_share(name)

    def delete(self, share_id: str) -> None:
        name = self._name(share_id)
        if name is not None:
            self.shares.delete(name)

    def _name(self, share_id: str) -> str | None:
        return next((name for name, share in self.shares.made.items() if share.id == share_id), None)

    def _listed_share(self, name: str) -> ListedShare:
        share = self.shares.made[name]
        return ListedShare(share.id, name, self.shares.orders[name], share.expires_at, share.id in self.shares.archived)


@dataclass
class MemoryQueue:
    """The port `ReconcileQueue`. `asked` is what a worker gets, of which `waiting` tells; a test may set `broken`."""

    asked: list[Notice] = field(default_factory=list)
    waiting: int = 0
    broken: bool = False

    def backlog(self) -> int:
        return self.waiting

    def ask(self, notices: Sequence[Notice]) -> None:
        if self.broken:
            raise QueueUnavailable("the fake is broken")
        self.asked += notices


@dataclass
class MemoryCheckpoint:
    """The port `Checkpoint`. Like the real one it keeps whole seconds."""

    place: Place = field(default_factory=dict)
    holder: str | None = None
    until: datetime | None = None

    def take_up(self, *, holder: str, now: datetime, until: datetime) -> Place:
        if self.until is not None and self.until >= now:
            raise RoundBusy("another round")
        self.holder, self.until = holder, until
        return self.place

    def keep(self, place: Place, *, holder: str) -> None:
        if holder != self.holder:
            raise RoundBusy("another round")
        self.place = dict(place)

    def put_down(self, *, holder: str) -> None:
        if holder == self.holder:
            self.holder = self.until = None
