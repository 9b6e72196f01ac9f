"""
A provider that is down is not asked by every worker: a circuit breaker in front of the ports `Payments`, `Shares` and
`Mailer`.

One order that a provider always fails on must not hold up the others, so it takes several orders in a row to open it:
the reason why this is not a library's breaker, which counts calls.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock

from paidshare.delivering.errors import MailUnavailable
from paidshare.delivering.ports import Live, Mailer, Payments, Shares, none_live
from paidshare.errors import FastioUnavailable, NeedsAPerson, PlanFull, StripeUnavailable, TryAgain
from paidshare.orders import Goods, Letter, Order, Share, ShareFile, ShareRequest

ORDERS = 12
"""
So many different orders in a row have to fail: more than a batch has. Of ten that are begun together those that fail do
so at their first call, and those that succeed say so after their last.
"""

SECONDS = 20.0
"""So long nobody asks then: shorter than a buyer's patience, longer than most restarts of a server."""


class Breaker:
    """
    Opens when *orders* different orders failed, one after the other, at one provider, and closes at its first answer.

    While it is open one order in *seconds* is let through to try. *monotonic* is in seconds. Safe to use from several
    threads at once.
    """

    def __init__(self, *, monotonic: Callable[[], float], orders: int = ORDERS, seconds: float = SECONDS) -> None:
        self._monotonic = monotonic
        self._orders = orders
        self._seconds = seconds
        self._failed: set[str] = set()
        self._next_try: float | None = None
        self._lock = Lock()

    @contextmanager
    def asking(self, about: str, unavailable: type[TryAgain]) -> Iterator[None]:
        """Ask the provider in here, about the order *about*. Raises *unavailable* at once while it is spared."""
        if (wait := self._wait()) > 0:
            raise unavailable("it was down a moment ago, and is not asked", wait=wait)
        try:
            yield
        except PlanFull:
            # An answer, and no order waits for it.
            self._close()
            raise
        except unavailable:
            self._count(about)
            raise
        except NeedsAPerson:
            # It answered, and that is all that matters here.
            self._close()
            raise
        self._close()

    def _wait(self) -> float:
        with self._lock:
            now = self._monotonic()
            if self._next_try is None:
                return 0.0
            if now < self._next_try:
                return self._next_try - now
            # This one tries; the others wait for what comes of it.
            self._next_try = now + self._seconds
            return 0.0

    def _count(self, about: str) -> None:
        with self._lock:
            self._failed.add(about)
            if len(self._failed) >= self._orders:
                self._next_try = self._monotonic() + self._seconds

    def _close(self) -> None:
        with self._lock:
            self._failed.clear()
            self._next_try = None


class SparedPayments:
    """The port `Payments` behind a breaker."""

    def __init__(self, payments: Payments, breaker: Breaker) -> None:
        self._payments = payments
        self._breaker = breaker

    def order(self, order_id: str, *, account: str | None = None) -> Order:
        with self._breaker.asking(order_id, StripeUnavailable):
            return self._payments.order(order_id, account=account)

    def orders_of(
        self, about: str, *, now: datetime, account: str | None = None, live: Live = none_live
    ) -> tuple[str, ...]:
        with self._breaker.asking(about, StripeUnavailable):
            return self._payments.orders_of(about, now=now, account=account, live=live)


class SparedShares:
    """The port `Shares` behind a breaker."""

    def __init__(self, shares: Shares, breaker: Breaker) -> None:
        self._shares = shares
        self._breaker = breaker

    def find(self, request: ShareRequest) -> Share | None:
        with self._breaker.asking(request.order_id, FastioUnavailable):
            return self._shares.find(request)

    def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
        with self._breaker.asking(request.order_id, FastioUnavailable):
            return self._shares.open(request, deadline=deadline)

    def files(self, goods: tuple[Goods, ...], *, deadline: datetime | None = None) -> tuple[ShareFile, ...]:
        with self._breaker.asking(goods[0].product_id, FastioUnavailable):
            return self._shares.files(goods, deadline=deadline)

    def close(self, share_id: str) -> None:
        with self._breaker.asking(share_id, FastioUnavailable):
            self._shares.close(share_id)

    def withdraw(self, share_id: str) -> None:
        with self._breaker.asking(share_id, FastioUnavailable):
            self._shares.withdraw(share_id)

    def was_opened(self, share_id: str) -> bool | None:
        with self._breaker.asking(share_id, FastioUnavailable):
            return self._shares.was_opened(share_id)

    def reopen(self, share_id: str, *, until: datetime) -> datetime | None:
        with self._breaker.asking(share_id, FastioUnavailable):
            return self._shares.reopen(share_id, until=until)

    def strip(
        self, share_id: str, *, gone: tuple[Goods, ...], kept: tuple[Goods, ...], deadline: datetime | None = None
    ) -> None:
        with self._breaker.asking(share_id, FastioUnavailable):
            self._shares.strip(share_id, gone=gone, kept=kept, deadline=deadline)


class SparedMailer:
    """The port `Mailer` behind a breaker."""

    def __init__(self, mailer: Mailer, breaker: Breaker) -> None:
        self._mailer = mailer
        self._breaker = breaker

    def send(self, letter: Letter, *, order_id: str) -> str:
        with self._breaker.asking(order_id, MailUnavailable):
            return self._mailer.send(letter, order_id=order_id)
