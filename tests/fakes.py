"""
The ports in memory. tests/contract/ holds each to what its adapter does, so that none can drift.

Payments and shares have files of their own: fakes_payments.py and fakes_shares.py.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from paidshare.aws.ledger import LEASE
from paidshare.delivering.errors import LetterRejected
from paidshare.errors import OrderBusy, QueueUnavailable, SecretUnavailable
from paidshare.notices import Notice
from paidshare.orders import Letter
from paidshare.progress import Progress, SentLetter
from paidshare.secret import Secret
from paidshare.states import State
from tests.builders import NOW, a_secret


class Clock:
    """The port `Clock`, standing still until a test moves it."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, *, seconds: float = 0, days: float = 0) -> datetime:
        self.now += timedelta(seconds=seconds, days=days)
        return self.now


def whole_seconds[T](value: T) -> T:
    """*value*, a dataclass, with each moment in it as the ledger keeps it."""
    changed: dict[str, Any] = {}
    for one in fields(cast("Any", value)):
        match getattr(value, one.name):
            case datetime() as moment:
                changed[one.name] = moment.replace(microsecond=0)
            case tuple() as several if several and is_dataclass(several[0]):
                changed[one.name] = tuple(map(whole_seconds, several))
            case single if is_dataclass(single) and not isinstance(single, type):
                changed[one.name] = whole_seconds(single)
    return replace(cast("Any", value), **changed)  # type: ignore[no-any-return]


class MemoryLedger:
    """
    The port `Ledger`. `orders` is what is known of each, `leases` who works on it and until when.

    `sent` is when SES says that an order's last letter left, `marks` which one that was, `unsettled_at` since when an
    order is not settled.

    Like the real one it keeps whole seconds.
    """

    def __init__(self) -> None:
        self.orders: dict[str, Progress] = {}
        self.leases: dict[str, tuple[str, datetime]] = {}
        self.sent: dict[str, datetime] = {}
        self.marks: dict[str, str] = {}
        self.first_seen_at: dict[str, datetime] = {}
        self.unsettled_at: dict[str, datetime] = {}
        self.claims: Counter[str] = Counter()

    def claim(self, order_id: str, *, holder: str, now: datetime) -> Progress:
        lease = self.leases.get(order_id)
        if lease is not None and lease[0] != holder and lease[1] >= now.replace(microsecond=0):
            raise OrderBusy("another worker holds the order")
        self.leases[order_id] = (holder, (now + LEASE).replace(microsecond=0))
        self.unsettled_at.setdefault(order_id, now.replace(microsecond=0))
        known = self.orders.setdefault(order_id, Progress())
        self.claims[order_id] += 1
        first = self.first_seen_at.setdefault(order_id, now.replace(microsecond=0))
        at = self.sent.get(order_id)
        sent = None if at is None else SentLetter(at, self.marks.get(order_id))
        return replace(known, sent=sent, claims=self.claims[order_id], first_seen_at=first)

    def claim_unseen(self, order_id: str, *, since: datetime, holder: str, now: datetime) -> Progress | State:
        known = self.orders.get(order_id)
        if known is not None and order_id not in self.unsettled_at and known.seen_until and known.seen_until >= since:
            return known.state
        return self.claim(order_id, holder=holder, now=now)

    def paid_by(self, payment: str) -> tuple[str, ...]:
        return tuple(order_id for order_id, known in self.orders.items() if known.payment_intent == payment)

    def record(self, order_id: str, progress: Progress, *, holder: str, now: datetime) -> None:
        del now
        lease = self.leases.get(order_id)
        if lease is None or lease[0] != holder:
            raise OrderBusy("another worker holds the order")
        kept = replace(progress, sent=None, first_seen_at=None)
        self.orders[order_id] = whole_seconds(kept)

    def release(self, order_id: str, progress: Progress, *, holder: str, now: datetime, done: bool = True) -> None:
        self.record(order_id, progress, holder=holder, now=now)
        if done and progress.state.settled:
            del self.unsettled_at[order_id]
        del self.leases[order_id]

    def spare(self, order_ids: Sequence[str]) -> Sequence[str]:
        found = [(self.orders[one].share, one) for one in order_ids if one in self.orders]
        spare = [(share.spare_since, one) for share, one in found if share and share.spare_since and not share.gone]
        return [order_id for _, order_id in sorted(spare)]

    def live(self, order_ids: Sequence[str], *, now: datetime) -> Collection[str]:
        def is_live(order_id: str) -> bool:
            share, state = self.orders[order_id].share, self.orders[order_id].state
            works = share is not None and share.ends_at > now and state is State.DELIVERED
            return works or order_id in self.unsettled_at

        return [order_id for order_id in order_ids if order_id in self.orders and is_live(order_id)]


class MemoryMailer:
    """The port `Mailer`. `sent` is the buyers' inbox, in order; addresses in `refused` are not accepted."""

    def __init__(self) -> None:
        self.sent: list[Letter] = []
        self.refused: set[str] = set()

    def send(self, letter: Letter, *, order_id: str) -> str:
        if letter.to in self.refused:
            raise LetterRejected("refused")
        self.sent.append(letter)
        return f"message-{len(self.sent)}-{order_id}"


class MemoryPurchases:
    """The port `Purchases`."""

    def __init__(self) -> None:
        self._bought: dict[str, tuple[str, datetime]] = {}

    def __call__(self, mark: str, order_id: str, at: datetime, within: timedelta) -> str | None:
        other, when = self._bought.get(mark, (order_id, at))
        if other != order_id and abs(at - when) <= within:
            return other
        self._bought[mark] = (order_id, at)
        return None


class Crash(BaseException):
    """The process dies: nothing that handles errors sees it."""


class MemoryIntake:
    """The port `Intake`. `queue` is what a worker would get; a test may set `broken` or `crashing`."""

    def __init__(self) -> None:
        self.queue: list[Notice] = []
        self.broken = False
        self.crashing = False
        self._done: set[str] = set()
        self._in_progress: set[str] = set()

    def take(self, notice: Notice) -> bool:
        if notice.key in self._done:
            return False
        if notice.key in self._in_progress:
            raise QueueUnavailable("the same event is in progress")
        if self.crashing:
            self._in_progress.add(notice.key)
            raise Crash
        if self.broken:
            raise QueueUnavailable("no queue")
        self.queue.append(notice)
        self._done.add(notice.key)
        return True

    def expire_what_is_in_progress(self) -> None:
        self._in_progress.clear()


class MemoryVault:
    """
    The port `Vault`. `stored` is the secret as it is now; readers go on seeing the one they read before.

    A test may set `broken` (out of reach) or `just_reread` (too soon to read it afresh).
    """

    def __init__(self, stored: Secret | None = None) -> None:
        self.stored = stored or a_secret()
        self.broken = False
        self.just_reread = False
        self.rereads = 0
        self._cached = self.stored

    def secret(self) -> Secret:
        if self.broken:
            raise SecretUnavailable("no Secrets Manager")
        return self._cached

    def reread(self) -> Secret | None:
        self.rereads += 1
        if self.broken:
            raise SecretUnavailable("no Secrets Manager")
        if self.just_reread:
            return None
        self._cached = self.stored
        return self._cached
