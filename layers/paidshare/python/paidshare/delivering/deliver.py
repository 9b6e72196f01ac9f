"""
Use case: a notice → its orders as they should be.

Claim the order, fetch the truth from Stripe, decide, take the step that is missing, record it. Running it again at any
time is harmless, so a repeat, a late event and “look again” are all the same thing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from paidshare import wishes
from paidshare.delivering.buyer.correcting import Correcting
from paidshare.delivering.buyer.twice import Twice
from paidshare.delivering.errors import AccountUnexpected, OrderNotThereYet
from paidshare.delivering.lease import Lease
from paidshare.delivering.mailing import Mailing
from paidshare.delivering.plan import Plan, Step
from paidshare.delivering.ports import Mailer, PageOf, Payments, Purchases, Room, Shares, remembers_none
from paidshare.delivering.sharing import Sharing
from paidshare.delivering.work import Outcome, Work
from paidshare.errors import NeedsAPerson, OrderUnknown, PatienceExhausted, TryAgain
from paidshare.notices import ECHOES, LOOK, SWEEP, Notice
from paidshare.orders import Order
from paidshare.ports import Clock, Ledger, LinkKey, ReconcileQueue
from paidshare.progress import Progress
from paidshare.retries import PutOff
from paidshare.settings import Policy
from paidshare.states import Kind, State
from paidshare.storefront.seller import PLAIN, Seller
from paidshare.wishes import Wish

# Stripe writes a session's payment down within moments of the payment's own first event. After this the payment is
# somebody else's: taken by another program with the same Stripe account.
_NOBODYS_AFTER = timedelta(minutes=5)
_WAIT_FOR_ITS_ORDER_S = 60.0

_A_CASE_IS_TOLD_AGAIN_AFTER = timedelta(days=7)
"""
A dead letter lives for 14 days in its queue (template.yaml). The sweep looks at a case at least every three days
(`rounds.Unsettled.due`): one that still waits gets another in time.
"""

_LONGEST_WHY = 200
_GIVEN_BACK = "order.gives_back"

_SETTLES_WITHIN = timedelta(seconds=5)
"""
So long after an event's moment (in whole seconds, by the clock of one of Stripe's machines) whatever is read at Stripe,
by the clock of another one, has in it what the event tells of (docs/decisions/0046).
"""

SEEN = "seen"
"""Why nothing was done for an event: a look after it has seen what it tells of."""

_MOST_ORDERS = 5
"""More orders of one event than this get a notice each: a plan changed a hundred times a year has as many invoices."""


@dataclass(frozen=True, slots=True)
class Shop:
    """
    Everything a delivery needs from outside, and the seller: how buyers see it, and its choices. `connected_accounts`:
    whether orders of connected accounts (Stripe Connect) are delivered, too.
    """

    ledger: Ledger
    payments: Payments
    shares: Shares
    mailer: Mailer
    reconcile: ReconcileQueue
    link_key: LinkKey
    clock: Clock
    policy: Policy
    room: Room
    page_of: PageOf
    purchases: Purchases = remembers_none
    seller: Seller = PLAIN
    connected_accounts: bool = False


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at the orders of a notice: who looks, and until when. `last`: nobody will try again."""

    shop: Shop
    holder: str
    notice: Notice
    account: str | None
    deadline: datetime | None
    last: bool
    wish: Wish | None

    def claim(self, order_id: str) -> Progress | State:
        """The order in hand; or its state, where a look after the event has seen to all that it can tell of."""
        ledger, now, created = self.shop.ledger, self.shop.clock(), self.notice.created
        if created is None or self.wish is not None:
            return ledger.claim(order_id, holder=self.holder, now=now)
        since = created + _SETTLES_WITHIN
        return ledger.claim_unseen(order_id, since=since, holder=self.holder, now=now)

    def trouble(self, error: TryAgain) -> TryAgain | NeedsAPerson:
        """What *error* means for the queue: after the last attempt, a case for a person."""
        if not self.last:
            return error
        return PatienceExhausted(f"{error.reason}: {error}")


def deliver(
    notice: Notice, shop: Shop, *, holder: str, deadline: datetime | None = None, last: bool = False
) -> tuple[Outcome, ...]:
    """
    Bring the orders that *notice* is about up to date. *holder* names this worker in the lease; near *deadline* a
    long order stops, and the next attempt carries on, unless this is the *last* one.

    A Fast.io notice is only counted: no order waits for one (docs/decisions/0010).

    Safe to call any number of times, also at once. Raises TryAgain, and NeedsAPerson with the order put on hold; the
    error's `order_id` names the order. One order's trouble keeps no other from being looked at.
    """
    if notice.source != "stripe":
        return (Outcome(notice.about, Step.NOTHING, State.NOT_OURS, f"{notice.source}_{notice.why}"),)
    if notice.account is not None and not shop.connected_accounts:
        parked = AccountUnexpected(f"the event belongs to account {notice.account}")
        # Only what a person was told of before has an account in the ledger.
        parked.known = notice.why == SWEEP
        raise parked
    look = _Look(shop, holder, notice, notice.account, deadline, last, wishes.of(notice))
    try:
        orders = _orders_of(notice, shop)
        if len(orders) > _MOST_ORDERS:
            shop.reconcile.ask([replace(notice, about=order_id) for order_id in orders])
            return (Outcome(notice.about, Step.SPREAD, State.ELSEWHERE, f"{len(orders)} orders"),)
    except TryAgain as error:
        raise look.trouble(error) from error
    if not orders:
        return (Outcome(notice.about, Step.NOTHING, State.NOT_OURS, "nobodys"),)
    return _each_looked_at(orders, look)


def _each_looked_at(orders: tuple[str, ...], look: _Look) -> tuple[Outcome, ...]:
    outcomes: list[Outcome] = []
    troubles: list[TryAgain | NeedsAPerson] = []
    for order_id in orders:
        try:
            outcomes.append(_looked_at(order_id, look))
        except (TryAgain, NeedsAPerson) as error:
            error.order_id = error.order_id or order_id
            troubles.append(error)
    if troubles:
        # While there is something to try again, the message stays, and comes back with the persons' cases in it, too.
        first, *others = sorted(troubles, key=lambda trouble: isinstance(trouble, NeedsAPerson))
        if isinstance(first, NeedsAPerson):
            first.others = tuple(other for other in others if isinstance(other, NeedsAPerson))
        raise first
    return tuple(outcomes)


def _orders_of(notice: Notice, shop: Shop) -> tuple[str, ...]:
    if notice.why in ECHOES and (known := shop.ledger.paid_by(notice.about)):
        return known
    now = shop.clock()
    live = partial(shop.ledger.live, now=now)
    orders = shop.payments.orders_of(notice.about, now=now, account=notice.account, live=live)
    if not orders and now - notice.at < _NOBODYS_AFTER:
        raise OrderNotThereYet(f"{notice.about} has no order yet", wait=_WAIT_FOR_ITS_ORDER_S)
    return orders


def _looked_at(order_id: str, look: _Look, *, sent_from: str | None = None) -> Outcome:
    shop = look.shop
    try:
        found = look.claim(order_id)
    except TryAgain as error:
        raise look.trouble(error) from error
    if isinstance(found, State):
        return Outcome(order_id, Step.NOTHING, found, SEEN)
    lease, work = _in_hand(order_id, found, look)
    account, order = lease.progress.account, None
    try:
        order = shop.payments.order(order_id, account=account)
        if order.same_as is None:
            todo = work.bring_up_to_date(order)
            # Before the order counts as seen: who comes again for what is missing here would be told that nothing is.
            _look_at_what_it_gives_back(order, todo, look)
            work.finish(order, todo)
            first = Kind.DELIVERY in work.mailed and found.delivered_at is None
            waited_s = _seconds_since_payment(order, look) if first else None
            twice_of = lease.progress.twice_of if first else None
            return Outcome(order_id, todo.step, todo.state, todo.why, waited_s, work.plan_was_full, twice_of)
        if sent_from is not None:
            raise OrderUnknown(f"{sent_from} is kept under {order_id}, and that under {order.same_as}")
        work.pass_on(order.same_as)
    except (TryAgain, NeedsAPerson) as error:
        trouble = look.trouble(error) if isinstance(error, TryAgain) else error
        trouble.order_id = order_id
        if order is not None:
            work.put_off(order, error, by_a_person=isinstance(trouble, NeedsAPerson))
        if isinstance(trouble, NeedsAPerson):
            _put_on_hold(lease, found, trouble, now=shop.clock())
        else:
            lease.note(put_off=PutOff(f"{trouble.reason}: {trouble}"[:_LONGEST_WHY], shop.clock()))
        # The lease would run out by itself; giving it back lets the retry start at once.
        lease.release(done=isinstance(trouble, NeedsAPerson))
        raise trouble from error
    return _looked_at(order.same_as, replace(look, account=account), sent_from=order_id)


def _in_hand(order_id: str, found: Progress, look: _Look) -> tuple[Lease, Work]:
    """The order as it was claimed, and who does what is to be done for it."""
    shop, now = look.shop, look.shop.clock()
    # The sweep found it and the ledger has never heard of it: never looked at, or its row was lost.
    unseen = found.unseen or (look.notice.why == SWEEP and found.claims == 1)
    progress = replace(found, account=look.account or found.account, unseen=unseen)
    lease = Lease(order_id, progress, ledger=shop.ledger, holder=look.holder, clock=shop.clock)
    page, key, end = partial(shop.page_of, order_id), shop.link_key, look.deadline
    mailing = Mailing(lease, shop.mailer, shop.seller, page=page, link_key=key, clock=shop.clock, now=now, deadline=end)
    sharing = Sharing(lease, shop.shares, key, shop.policy, shop.room, now, end)
    buyer = Correcting(lease, sharing, key, now), Twice(lease, shop.purchases, key, now)
    wish = None if look.wish is None or found.has_answered(look.wish.event_id) else look.wish
    return lease, Work(lease, sharing, mailing, buyer, policy=shop.policy, wish=wish, now=now)


def _seconds_since_payment(order: Order, look: _Look) -> float | None:
    """
    Since Stripe's event of it. Who looked without one (the sweep, an operator) goes by the order, which of a bank debit
    knows only when it was begun.
    """
    if look.wish is None and look.notice.why not in (SWEEP, LOOK):
        paid_at = look.notice.at
    else:
        charged = [one.at for one in order.payments if one.at is not None]
        if (paid := order.paid_at or max(charged, default=None)) is None:
            return None
        paid_at = paid
    return max(0.0, (look.shop.clock() - paid_at).total_seconds())


def _put_on_hold(lease: Lease, found: Progress, case: NeedsAPerson, *, now: datetime) -> None:
    """Note that the order waits for a person, and tell *case* whether one was told of the same before."""
    same, told = (found.state, found.reason) == (State.ON_HOLD, case.reason), found.case_told_at
    case.known = same and told is not None and now - told < _A_CASE_IS_TOLD_AGAIN_AFTER
    lease.note(state=State.ON_HOLD, reason=case.reason, case_told_at=told if case.known else now, put_off=None)


def _look_at_what_it_gives_back(order: Order, todo: Plan, look: _Look) -> None:
    """A changed plan gives back what older invoices of the subscription paid for: they are looked at, too."""
    if todo.step is Step.DELIVER and order.subscription and any(line.credit for line in order.lines):
        about, now = order.subscription.id, look.shop.clock()
        look.shop.reconcile.ask([Notice("stripe", look.notice.event_id, _GIVEN_BACK, about, now, look.account)])
