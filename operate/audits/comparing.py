"""
What Stripe, the ledger and Fast.io say of the same orders, held against each other.

What is due is not decided here a second time: an order is asked for at Stripe, and the very function that Deliver
decides with says what it would do now. Nothing to do is no difference.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from operate.goods.storage import share_listing
from operate.orders import mending
from operate.orders.at_stripe import AtStripe
from operate.stacks import Stack
from paidshare import shares
from paidshare.aws import DynamoLedger
from paidshare.delivering.plan import Step, decide
from paidshare.errors import NeedsAPerson, OrderUnknown
from paidshare.progress import Progress
from paidshare.states import State
from paidshare.sweeping.room import pages
from paidshare.sweeping.rounds import Fate, Known, ListedShare, fate

LATE = timedelta(minutes=30)
"""What was paid or given back since may be on its way still, and is no difference."""

LEFT_OUT = "Left out: what was paid or given back in the last half hour, and may be on its way."

_AT_ONCE = 4
"""Stripe lets a test key ask 25 times a second, and a live one 100 (docs.stripe.com/rate-limits)."""


class Difference(StrEnum):
    """A way in which they can differ, in words."""

    UNKNOWN = "paid, and the ledger has never heard of it"
    NOTHING_GIVEN = "paid, and neither link nor word was given"
    STILL_OPEN = "given back, disputed or over, and the link is open"
    OTHERWISE = "what the link holds, or what the buyer was told, is not what is due"
    OPEN_AT_FASTIO = "the ledger calls the link closed, and Fast.io has it open"
    GONE_AT_FASTIO = "the ledger calls the link open, and Fast.io has it closed, or not at all"


_STEPS = {
    Step.DELIVER: Difference.NOTHING_GIVEN,
    Step.TELL_FAILURE: Difference.OTHERWISE,
    Step.CLOSE: Difference.STILL_OPEN,
    Step.REOPEN: Difference.OTHERWISE,
    Step.CHANGE: Difference.OTHERWISE,
}


@dataclass(frozen=True, slots=True)
class Compared:
    """
    How many orders were compared, the differences by order, which of them could not be asked about, and what products
    that were sold have in their metadata that is nearly a field of ours.
    """

    orders: int
    found: dict[str, Difference]
    gaps: tuple[str, ...] = ()
    misspelt: tuple[str, ...] = ()


class Comparison:
    """Of the stack *to* at *now*. All of it raises what Stripe's, Fast.io's and the ledger's adapters raise."""

    def __init__(self, to: Stack, *, now: datetime) -> None:
        self._now = now
        self._policy = to.policy
        self._stripe = AtStripe(to)
        self._ledger = DynamoLedger(to.dynamodb, to.orders_table)
        secret = to.secret
        self._link_key = shares.checked_link_key(secret.link_key)
        self._listing = share_listing(to)
        self._misspelt: dict[str, None] = {}

    def since(self, moment: datetime) -> Compared:
        """Of all that was paid, given back or disputed since then, and of every open link, however old."""
        open_shares = {share.order_id: share for share in self._open_shares()}
        ids = dict.fromkeys([*self.orders_since(moment), *filter(None, open_shares)])
        found, gaps = {}, []
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for order_id, difference in threads.map(lambda one: (one, self._differs(one, open_shares)), ids):
                if isinstance(difference, OrderUnknown):
                    gaps.append(str(difference))
                elif difference is not None:
                    found[order_id] = difference
        return Compared(len(ids), found, tuple(gaps), tuple(sorted(self._misspelt)))

    def orders_since(self, moment: datetime) -> Iterator[str]:
        """What was paid, given back or disputed since then, but for the last half hour; some of it more than once."""
        leading: dict[str, None] = {}
        for one in self._stripe.listed(since=moment):
            if self._now - one.at < LATE:
                continue
            if one.order_id.startswith(("cs_", "in_")):
                yield one.order_id
            else:
                leading[one.order_id] = None
        for about in leading:
            yield from self._stripe.orders_of(about, now=self._now)

    def steps(self, order_ids: Iterable[str]) -> dict[str, str]:
        """What a look at each of them would do now (a `Step`), or the reason for which a person would get it."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return dict(threads.map(lambda one: (one, self._step(one)), dict.fromkeys(order_ids)))

    def _step(self, order_id: str) -> str:
        progress = self._ledger.seen(order_id) or Progress()
        try:
            return decide(self._stripe.order(order_id), self._policy, progress, now=self._now).step
        except NeedsAPerson as case:
            return case.reason

    def _open_shares(self) -> Iterator[ListedShare]:
        for page in pages(self._listing, archived=False):
            yield from self._looked_at(share for share in page.shares if not share.shut(self._now))

    def _looked_at(self, listed: Iterable[ListedShare]) -> Iterator[ListedShare]:
        """With its order, which only the share itself may say."""
        for share in listed:
            found = share if share.order_id else self._listing.look(share.id)
            if found is not None:
                yield found

    def _differs(self, order_id: str, open_shares: dict[str | None, ListedShare]) -> Difference | OrderUnknown | None:
        progress, share = self._ledger.seen(order_id), open_shares.get(order_id)
        if progress is None:
            return self._unheard_of(order_id, share)
        if progress.state in (State.ON_HOLD, State.ELSEWHERE):
            return None  # A person has it; or another order.
        try:
            order = self._stripe.order(order_id)
            # A sale of such a product is nobody's, in silence.
            self._misspelt |= dict.fromkeys(mending.misspelt(order.lines))
            todo = decide(order, self._policy, progress, now=self._now)
        except OrderUnknown as unknown:
            return unknown
        except NeedsAPerson:
            return Difference.OTHERWISE  # A person should have it, and has not.
        return _STEPS.get(todo.step) or self._at_fastio(progress, share)

    def _unheard_of(self, order_id: str, share: ListedShare | None) -> Difference | None:
        """An open share of another installation is none of ours."""
        ours = share is None or share.name == shares.share_name(self._link_key, order_id)
        return Difference.UNKNOWN if ours else None

    def _at_fastio(self, progress: Progress, share: ListedShare | None) -> Difference | None:
        known = progress.share
        if share is not None and known is not None and share.id == known.id:
            closed = fate(share, Known.of(progress), now=self._now) is Fate.CLOSE
            return Difference.OPEN_AT_FASTIO if closed else None
        promised = known is not None and known.closed_at is None and known.ends_at > self._now
        return Difference.GONE_AT_FASTIO if promised and progress.state is State.DELIVERED else None
