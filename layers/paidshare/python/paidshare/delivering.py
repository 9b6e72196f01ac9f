"""
Use case: a notice → the order as it should be.

Claim the order, fetch the truth from Stripe, decide, take the steps that are missing, record each. Running it
again at any time is harmless, so a repeat, a late event and “look again” are all the same thing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from paidshare import letters, shares
from paidshare.entitlement import Access, Entitlement, NotOurs, entitlement
from paidshare.errors import AccountUnexpected, AddressMissing, NeedsAPerson, OutOfTime, SecretUnavailable, TryAgain
from paidshare.notices import Notice
from paidshare.orders import Order
from paidshare.ports import Clock, Ledger, LinkKey, Mailer, Payments, Shares
from paidshare.progress import Progress, State, Step, next_step


@dataclass(frozen=True, slots=True)
class Shop:
    """Everything a delivery needs from outside, and the seller's two settings."""

    ledger: Ledger
    payments: Payments
    shares: Shares
    mailer: Mailer
    link_key: LinkKey
    clock: Clock
    livemode: bool
    default_link_days: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, for the log: the step taken, the state the order is in, why."""

    step: Step
    state: State
    reason: str | None = None


def deliver(notice: Notice, shop: Shop, *, holder: str, deadline: datetime | None = None) -> Outcome:
    """
    Bring the order that *notice* is about up to date. *holder* names this worker in the lease; near *deadline* a
    long order stops, and the next attempt carries on.

    A Fast.io notice is only counted: no order waits for one (docs/decisions/0010).

    Safe to call any number of times, also at once. Raises TryAgain, and NeedsAPerson with the order put on hold.
    """
    if notice.source != "stripe":
        return Outcome(Step.NOTHING, State.NOT_OURS, f"{notice.source}_{notice.why}")
    order_id = notice.about
    progress = shop.ledger.claim(order_id, holder=holder, now=shop.clock())
    work = _Work(shop, order_id, holder, deadline, progress)
    try:
        if notice.account is not None:
            raise AccountUnexpected(f"the event belongs to account {notice.account}")
        return work.bring_up_to_date(shop.payments.order(order_id))
    except NeedsAPerson as error:
        if work.progress.mailed_at is None:  # What was delivered stays delivered, whatever is wrong with it now.
            work.progress = replace(work.progress, state=State.ON_HOLD, reason=error.reason)
        work.release()
        raise
    except TryAgain:
        # The lease would run out by itself; giving it back lets the retry start at once.
        work.release()
        raise


class _Work:
    """One order in hand: what is known to be done, and the lease under which it is written down."""

    def __init__(self, shop: Shop, order_id: str, holder: str, deadline: datetime | None, progress: Progress) -> None:
        self._shop = shop
        self._order_id = order_id
        self._holder = holder
        self._deadline = deadline
        self.progress = progress

    def bring_up_to_date(self, order: Order) -> Outcome:
        shop = self._shop
        if self.progress.mailed_at is not None:
            # What became of the product since is no business of this order's.
            self.release()
            return Outcome(Step.NOTHING, self.progress.state)
        due = entitlement(order, livemode=shop.livemode, default_link_days=shop.default_link_days, now=shop.clock())
        step = next_step(due)
        self.progress = replace(self.progress, payment_intent=order.payment_intent)
        if step is Step.DELIVER and isinstance(due, Access):
            self._deliver(order, due)
        else:
            self.progress = replace(self.progress, state=_waiting(due), reason=_reason(due))
        self.release()
        return Outcome(step, self.progress.state, self.progress.reason)

    def _deliver(self, order: Order, access: Access) -> None:
        if not order.email:
            raise AddressMissing("Stripe has no e-mail address for this paid order")
        request = shares.share_request(order.id, access.goods, access.until, self._link_key())
        share = self._shop.shares.open(request, deadline=self._deadline)
        if self._deadline is not None and self._shop.clock() >= self._deadline:
            # A letter that leaves in the last seconds may not be written down, and would leave again.
            raise OutOfTime("too late in this invocation for the letter", wait=1)
        self.progress = replace(
            self.progress,
            share_id=share.id,
            share_name=share.name,
            share_expires_at=share.expires_at,
            mailing_at=self._shop.clock(),
        )
        self._shop.ledger.record(self._order_id, self.progress, holder=self._holder, now=self._shop.clock())
        letter = letters.delivery(to=order.email, order_id=order.id, goods=access.goods, share=share)
        message_id = self._shop.mailer.send(letter, order_id=order.id)
        self.progress = replace(
            self.progress,
            state=State.DELIVERED,
            reason=None,
            mailed_at=self._shop.clock(),
            message_id=message_id,
        )

    def _link_key(self) -> str:
        key = self._shop.link_key()
        if not shares.is_link_key(key):
            raise SecretUnavailable("link_key in the secret is empty or too short")
        return key

    def release(self) -> None:
        self._shop.ledger.release(self._order_id, self.progress, holder=self._holder, now=self._shop.clock())


def _waiting(due: Entitlement) -> State:
    return State.NOT_OURS if isinstance(due, NotOurs) else State.WAITING


def _reason(due: Entitlement) -> str | None:
    return None if isinstance(due, Access) else due.reason
