"""
Use case: a notice → its orders as they should be.

Claim the order, fetch the truth from Stripe, decide, take the step that is missing, record it. Running it again at any
time is harmless, so a repeat, a late event and “look again” are all the same thing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from paidshare import catalog, letters, shares
from paidshare.entitlement import Due, Policy, entitlement
from paidshare.errors import (
    AccountUnexpected,
    AddressMissing,
    LetterInDoubt,
    LetterRejected,
    MailUnavailable,
    NeedsAPerson,
    OrderNotThereYet,
    OrderUnknown,
    OutOfTime,
    PatienceExhausted,
    SecretUnavailable,
    TryAgain,
)
from paidshare.notices import Notice
from paidshare.orders import Letter, Order, Share, ShareRequest
from paidshare.ports import Clock, Ledger, LinkKey, Mailer, Payments, Shares
from paidshare.progress import Plan, Progress, State, Step, Told, plan

# Stripe writes a session's payment down within moments of the payment's own first event. After this the payment is
# somebody else's: taken by another program with the same Stripe account.
_NOBODYS_AFTER = timedelta(minutes=5)
_WAIT_FOR_ITS_ORDER_S = 60.0

# SES tells within seconds that it has sent a letter. Whoever finds one in doubt waits that long for its word, and then
# mails: a second letter is better than none.
_SES_TELLS_WITHIN = timedelta(seconds=90)

SWEEP, RESEND = "sweep", "operator.resend"
"""Why our own notices ask for a look. No event of Stripe's has such a type."""


@dataclass(frozen=True, slots=True)
class Shop:
    """
    Everything a delivery needs from outside, and the seller's choices.

    `connected_accounts`: whether orders of connected accounts (Stripe Connect) are delivered, too.
    """

    ledger: Ledger
    payments: Payments
    shares: Shares
    mailer: Mailer
    link_key: LinkKey
    clock: Clock
    policy: Policy
    connected_accounts: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one order, for the log: the step taken, the state the order is in, why."""

    order_id: str
    step: Step
    state: State
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at the orders of a notice: who looks, why, and until when. `last`: nobody will try again."""

    shop: Shop
    holder: str
    why: str
    account: str | None
    deadline: datetime | None
    last: bool

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
        raise AccountUnexpected(f"the event belongs to account {notice.account}")
    look = _Look(shop, holder, notice.why, notice.account, deadline, last)
    try:
        orders = _orders_of(notice, shop)
    except TryAgain as error:
        raise look.trouble(error) from error
    if not orders:
        return (Outcome(notice.about, Step.NOTHING, State.NOT_OURS, "nobodys"),)
    outcomes: list[Outcome] = []
    troubles: list[TryAgain | NeedsAPerson] = []
    for order_id in orders:
        try:
            outcomes.append(_looked_at(order_id, look))
        except (TryAgain, NeedsAPerson) as error:
            error.order_id = error.order_id or order_id
            troubles.append(error)
    if troubles:
        # While there is something to try again, the message stays, and comes back with the person's case in it, too.
        raise next((t for t in troubles if isinstance(t, TryAgain)), troubles[0])
    return tuple(outcomes)


def _orders_of(notice: Notice, shop: Shop) -> tuple[str, ...]:
    now = shop.clock()
    orders = shop.payments.orders_of(notice.about, now=now, account=notice.account)
    if not orders and now - notice.at < _NOBODYS_AFTER:
        raise OrderNotThereYet(f"{notice.about} has no order yet", wait=_WAIT_FOR_ITS_ORDER_S)
    return orders


def _looked_at(order_id: str, look: _Look, *, sent_from: str | None = None) -> Outcome:
    shop, now = look.shop, look.shop.clock()
    try:
        found = shop.ledger.claim(order_id, holder=look.holder, now=now)
    except TryAgain as error:
        raise look.trouble(error) from error
    # A paid order that the sweep finds and the ledger has never seen: never looked at, or its row was lost.
    may_be_lost = look.why == SWEEP and found.first_seen_at == now.replace(microsecond=0)
    progress = replace(found, account=look.account or found.account)
    work = _Work(look, order_id, progress, may_be_lost=may_be_lost)
    try:
        order = shop.payments.order(order_id, account=progress.account)
        if order.same_as is None:
            return work.bring_up_to_date(order)
        if sent_from is not None:
            raise OrderUnknown(f"{sent_from} is kept under {order_id}, and that under {order.same_as}")
        work.pass_on(order.same_as)
    except (TryAgain, NeedsAPerson) as error:
        trouble = look.trouble(error) if isinstance(error, TryAgain) else error
        trouble.order_id = order_id
        if isinstance(trouble, NeedsAPerson):
            trouble.known = (found.state, found.reason) == (State.ON_HOLD, trouble.reason)
            work.progress = replace(work.progress, state=State.ON_HOLD, reason=trouble.reason)
        # The lease would run out by itself; giving it back lets the retry start at once.
        work.release()
        raise trouble from error
    return _looked_at(order.same_as, replace(look, account=progress.account), sent_from=order_id)


class _Work:
    """
    One order in hand: what is known to be done, and the lease under which it is written down.

    `may_be_lost`: the ledger may have forgotten a delivery.
    """

    def __init__(self, look: _Look, order_id: str, progress: Progress, *, may_be_lost: bool) -> None:
        self._shop = look.shop
        self._order_id = order_id
        self._holder = look.holder
        self._deadline = look.deadline
        self._resend = look.why == RESEND
        self._may_be_lost = may_be_lost
        self.progress = progress

    def bring_up_to_date(self, order: Order) -> Outcome:
        dues = entitlement(order, self._shop.policy, now=self._shop.clock(), promise=self.progress.promise)
        todo = plan(dues, self.progress)
        self._note(payment_intent=order.payments[0].id if order.payments else self.progress.payment_intent)
        match todo.step:
            case Step.DELIVER:
                self._deliver(order, dues, todo)
            case Step.REOPEN | Step.CHANGE:
                self._give(order, todo)
            case Step.CLOSE:
                self._take_back(order, dues, todo)
            case Step.TELL_FAILURE:
                self._tell_failure(order, dues)
            case Step.NOTHING if self._resend and todo.access:
                self._mail_again(order, todo)
            case Step.WAIT | Step.NOTHING:
                pass
        self._note(state=todo.state, reason=todo.why)
        self.release()
        return Outcome(self._order_id, todo.step, todo.state, todo.why)

    def pass_on(self, order_id: str) -> None:
        """Write down that the order is kept under *order_id*."""
        self._note(state=State.ELSEWHERE, reason=order_id)
        self.release()

    def release(self) -> None:
        self._shop.ledger.release(self._order_id, self.progress, holder=self._holder, now=self._shop.clock())

    def _deliver(self, order: Order, dues: tuple[Due, ...], todo: Plan) -> None:
        if not order.email:
            raise AddressMissing("Stripe has no e-mail address for this paid order")
        request = self._request(order, todo)
        share = self._shop.shares.find(request) if self._may_be_lost else None
        if share is None:
            share = self._opened(request)
            self._mail(
                letters.delivery(to=order.email, order_id=order.id, products=_products(todo.access), share=share)
            )
        else:
            # Nobody is mailed a second time because a row was lost; an operator can ask for it.
            self._note(share_id=share.id, share_name=share.name, share_expires_at=share.expires_at)
        self._note(
            delivered_at=self.progress.mailed_at or self._shop.clock(),
            lines=_ids(dues),
            given=_ids(todo.access),
            told=Told.ACCESS,
        )

    def _mail_again(self, order: Order, todo: Plan) -> None:
        if not order.email:
            raise AddressMissing("Stripe has no e-mail address for this paid order")
        request = self._request(order, todo)
        share = self._shop.shares.find(request) or self._opened(request)
        self._mail(letters.delivery(to=order.email, order_id=order.id, products=_products(todo.access), share=share))

    def _give(self, order: Order, todo: Plan) -> None:
        """
        What was given stays as it was then: only where other lines are due is the share filled anew, from what the
        products say now.
        """
        given, share_id = _ids(todo.access), self.progress.share_id
        changed = set(given) != set(self.progress.given)
        if changed or share_id is None or not self._shop.shares.reopen(share_id, until=todo.until):
            share = self._opened(self._request(order, todo))
            # A share that `open` finds keeps its expiry; this one has time to catch up on.
            self._shop.shares.reopen(share.id, until=todo.until)
        self._note(closed_at=None, share_expires_at=todo.until)
        if changed or self.progress.told is not Told.ACCESS:
            self._tell(order, Told.ACCESS, self._news(order, todo))
        self._note(given=given)

    def _news(self, order: Order, todo: Plan) -> Callable[[str], Letter]:
        products, until, why = _products(todo.access), todo.until, todo.why or ""
        if self.progress.told is not Told.ACCESS:
            return lambda to: letters.access_back(to=to, order_id=order.id, products=products, until=until)
        return lambda to: letters.access_changed(to=to, order_id=order.id, products=products, until=until, why=why)

    def _take_back(self, order: Order, dues: tuple[Due, ...], todo: Plan) -> None:
        if self.progress.closed_at is None and self.progress.share_id is not None:
            self._shop.shares.close(self.progress.share_id)
            self._note(closed_at=self._shop.clock())
        if not self.progress.link_may_be_out:
            return
        products = _products([due for due in dues if due.line.id in self.progress.given] or dues)
        held, why = todo.state is State.ACCESS_ON_HOLD, str(todo.why)
        write = letters.access_on_hold if held else letters.access_ended
        told = Told.ON_HOLD if held else Told.ENDED
        self._tell(order, told, lambda to: write(to=to, order_id=order.id, products=products, why=why))

    def _tell_failure(self, order: Order, dues: tuple[Due, ...]) -> None:
        products = _products(dues)
        self._tell(
            order,
            Told.PAYMENT_FAILED,
            lambda to: letters.payment_failed(to=to, order_id=order.id, products=products),
        )

    def _request(self, order: Order, todo: Plan) -> ShareRequest:
        days = self._shop.policy.link_days
        goods = tuple(catalog.goods(due.line, default_link_days=days) for due in todo.access)
        return shares.share_request(order.id, goods, todo.until, self._link_key())

    def _opened(self, request: ShareRequest) -> Share:
        share = self._shop.shares.open(request, deadline=self._deadline)
        self._note(share_id=share.id, share_name=share.name, share_expires_at=share.expires_at)
        return share

    def _link_key(self) -> str:
        key = self._shop.link_key()
        if not shares.is_link_key(key):
            raise SecretUnavailable("link_key in the secret is empty or too short")
        return key

    def _tell(self, order: Order, told: Told, write: Callable[[str], Letter]) -> None:
        # Without an address there is nobody to tell; what the buyer has is as it should be all the same.
        if order.email:
            self._mail(write(order.email))
        self._note(told=told)

    def _mail(self, letter: Letter) -> None:
        now = self._shop.clock()
        if self.progress.has_left(letter.kind):
            self._note(mailing=None, mailed_at=self.progress.sent_at)
            return
        if self.progress.mailing == letter.kind and self.progress.mailing_at is not None:
            until = self.progress.mailing_at + _SES_TELLS_WITHIN
            if now < until:
                raise LetterInDoubt("a letter may have left", wait=(until - now).total_seconds())
        if self._deadline is not None and now >= self._deadline:
            # A letter that leaves in the last seconds may not be written down, and would leave again.
            raise OutOfTime("too late in this invocation for the letter", wait=1)
        self._note(mailing=letter.kind, mailing_at=now)
        self._shop.ledger.record(self._order_id, self.progress, holder=self._holder, now=now)
        try:
            message_id = self._shop.mailer.send(letter, order_id=self._order_id)
        except (LetterRejected, MailUnavailable) as error:
            if not (isinstance(error, MailUnavailable) and error.in_doubt):
                self._note(mailing=None)
            raise
        self._note(mailing=None, mailed_at=self._shop.clock(), message_id=message_id)

    def _note(self, **done: Any) -> None:
        self.progress = replace(self.progress, **done)


def _ids(dues: Iterable[Due]) -> tuple[str, ...]:
    return tuple(due.line.id for due in dues)


def _products(dues: Iterable[Due]) -> tuple[str, ...]:
    return tuple(due.line.product_name for due in dues)
