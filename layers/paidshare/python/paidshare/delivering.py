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
from paidshare.entitlement import Due, Policy, Standing, Why, entitlement
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
from paidshare.letters import Kind
from paidshare.notices import RESEND, SWEEP, Notice
from paidshare.orders import Letter, Order, Share, ShareRequest
from paidshare.ports import Clock, Ledger, LinkKey, LookQueue, Mailer, Payments, Shares
from paidshare.progress import Plan, Progress, State, Step, Told, plan

# Stripe writes a session's payment down within moments of the payment's own first event. After this the payment is
# somebody else's: taken by another program with the same Stripe account.
_NOBODYS_AFTER = timedelta(minutes=5)
_WAIT_FOR_ITS_ORDER_S = 60.0

# SES tells within seconds that it has sent a letter. Whoever finds one in doubt waits that long for its word, and then
# mails: a second letter is better than none.
_SES_TELLS_WITHIN = timedelta(seconds=90)

_OF_A_CLOSED_LINK = (Kind.ACCESS_ON_HOLD, Kind.ACCESS_ENDED, Kind.ACCESS_BACK)

_MOST_ORDERS = 5
"""More orders of one event than this get a notice each: a plan changed a hundred times a year has as many invoices."""


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
    looks: LookQueue
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
    event_id: str
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
        parked = AccountUnexpected(f"the event belongs to account {notice.account}")
        # Only what a person was told of before has an account in the ledger.
        parked.known = notice.why == SWEEP
        raise parked
    look = _Look(shop, holder, notice.why, notice.event_id, notice.account, deadline, last)
    try:
        orders = _orders_of(notice, shop)
        if len(orders) > _MOST_ORDERS:
            shop.looks.ask([replace(notice, about=order_id) for order_id in orders])
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
    now = shop.clock()
    orders = shop.payments.orders_of(notice.about, now=now, account=notice.account)
    if not orders and now - notice.at < _NOBODYS_AFTER:
        raise OrderNotThereYet(f"{notice.about} has no order yet", wait=_WAIT_FOR_ITS_ORDER_S)
    return orders


def _looked_at(order_id: str, look: _Look, *, sent_from: str | None = None) -> Outcome:
    shop = look.shop
    try:
        found = shop.ledger.claim(order_id, holder=look.holder, now=shop.clock())
    except TryAgain as error:
        raise look.trouble(error) from error
    # The sweep found it and the ledger has never heard of it: never looked at, or its row was lost.
    unseen = found.unseen or (look.why == SWEEP and found.claims == 1)
    progress = replace(found, account=look.account or found.account, unseen=unseen)
    work = _Work(look, order_id, progress)
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
        work.release(done=isinstance(trouble, NeedsAPerson))
        raise trouble from error
    return _looked_at(order.same_as, replace(look, account=progress.account), sent_from=order_id)


class _Work:
    """One order in hand: what is known to be done, and the lease under which it is written down."""

    def __init__(self, look: _Look, order_id: str, progress: Progress) -> None:
        self._shop = look.shop
        self._order_id = order_id
        self._holder = look.holder
        self._deadline = look.deadline
        # Once, however often the same wish comes.
        self._wish = look.event_id if look.why == RESEND and look.event_id != progress.resent else None
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
            case Step.NOTHING if self._wish and todo.access:
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

    def release(self, *, done: bool = True) -> None:
        now = self._shop.clock()
        self._shop.ledger.release(self._order_id, self.progress, holder=self._holder, now=now, done=done)

    def _deliver(self, order: Order, dues: tuple[Due, ...], todo: Plan) -> None:
        to = _address(order)
        request, access = self._request(order, todo), _ids(todo.access)
        share = self._shop.shares.find(request) if self.progress.unseen else None
        if share is None:
            share = self._fill(request, access)
            self._mail(letters.delivery(to=to, order_id=order.id, products=_products(todo.access), share=share))
        else:
            # Nobody is mailed a second time because a row was lost; an operator can ask for it.
            if share.expires_at > self._shop.clock():
                self._shop.shares.reopen(share.id, until=share.expires_at)
            self._note(share_id=share.id, share_expires_at=share.expires_at, holds=access)
        self._note(
            delivered_at=self.progress.mailed_at or self._shop.clock(),
            # What had run out before it could be delivered never comes to life with the others.
            lines=_ids(due for due in dues if due.why is not Why.EXPIRED),
            given=access,
            told=Told.ACCESS,
            unseen=False,
            resent=self._wish or self.progress.resent,
        )

    def _mail_again(self, order: Order, todo: Plan) -> None:
        to, request = _address(order), self._request(order, todo)
        share = self._shop.shares.find(request) or self._fill(request, _ids(todo.access))
        self._mail(letters.delivery(to=to, order_id=order.id, products=_products(todo.access), share=share))
        self._note(resent=self._wish)

    def _give(self, order: Order, todo: Plan) -> None:
        """
        What was given stays as it was then: only where other lines are due, or it is in doubt what the share holds, is
        it filled anew, from what the products say now.
        """
        due = _ids(todo.access)
        if set(due) != set(self.progress.holds):
            self._fill(self._request(order, todo), due)
        elif self.progress.closed_at is not None or self.progress.switching:
            self._reopen(order, todo)
        # Before the letter: the sweep would close the share again of an order that says “on hold”.
        self._note(share_expires_at=todo.until, state=todo.state, reason=todo.why)
        if self.progress.believed is not Told.ACCESS or set(due) != set(self.progress.given):
            self._tell(order, Told.ACCESS, self._news(order, todo))
        self._note(given=due)

    def _reopen(self, order: Order, todo: Plan) -> None:
        share_id = self.progress.share_id
        self._begin(switching=True)
        if share_id is not None and self._shop.shares.reopen(share_id, until=todo.until):
            self._note(switching=False, closed_at=None)
        else:
            self._fill(self._request(order, todo), _ids(todo.access))

    def _news(self, order: Order, todo: Plan) -> Callable[[str], Letter]:
        products, until, why = _products(todo.access), todo.until, todo.why or ""
        was_closed = self.progress.told is not Told.ACCESS or self.progress.mailing in _OF_A_CLOSED_LINK
        if was_closed:
            return lambda to: letters.access_back(to=to, order_id=order.id, products=products, until=until)
        return lambda to: letters.access_changed(to=to, order_id=order.id, products=products, until=until, why=why)

    def _take_back(self, order: Order, dues: tuple[Due, ...], todo: Plan) -> None:
        share_id = self.progress.share_id
        if share_id is not None and (self.progress.closed_at is None or self.progress.switching):
            self._begin(switching=True, closed_at=self.progress.closed_at or self._shop.clock())
            self._shop.shares.close(share_id)
            self._note(switching=False)
        held = todo.state is State.ACCESS_ON_HOLD
        told, why = (Told.ON_HOLD if held else Told.ENDED), str(todo.why)
        if not self.progress.link_may_be_out or self.progress.believed is told:
            return
        gone = [due for due in dues if due.line.id in self.progress.given] or dues
        products = _products([due for due in gone if not held or due.standing is Standing.ON_HOLD])
        write = letters.access_on_hold if held else letters.access_ended
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

    def _fill(self, request: ShareRequest, lines: tuple[str, ...]) -> Share:
        """The order's share, open, with exactly the files of *lines*, to the moment that *request* says."""
        if self.progress.unseen:
            # From here on a share under the order's name is one that we began ourselves.
            self._begin(unseen=False)
        if self.progress.share_id is not None:
            self._begin(switching=True, holds=())
        share = self._shop.shares.open(request, deadline=self._deadline)
        if self.progress.closed_at is not None or self.progress.delivered_at is not None:
            # A share that is found keeps its expiry, unless it waited for its letter for long; this one was mailed.
            self._shop.shares.reopen(share.id, until=request.expires_at)
            share = replace(share, expires_at=request.expires_at)
        self._note(share_id=share.id, share_expires_at=share.expires_at, closed_at=None, switching=False, holds=lines)
        return share

    def _begin(self, **doubt: Any) -> None:
        """Write down what will be in doubt if the next call's answer is lost."""
        self._note(**doubt)
        self._shop.ledger.record(self._order_id, self.progress, holder=self._holder, now=self._shop.clock())

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
        marked = replace(self.progress, mailing=letter.kind, mailing_at=now)
        self._shop.ledger.record(self._order_id, marked, holder=self._holder, now=now)
        # Only now: where this could not be written down, no letter leaves, and none is in doubt.
        self.progress = marked
        try:
            message_id = self._shop.mailer.send(letter, order_id=self._order_id)
        except (LetterRejected, MailUnavailable) as error:
            if not (isinstance(error, MailUnavailable) and error.in_doubt):
                self._note(mailing=None)
            raise
        self._note(mailing=None, mailed_at=self._shop.clock(), message_id=message_id)

    def _note(self, **done: Any) -> None:
        self.progress = replace(self.progress, **done)


def _address(order: Order) -> str:
    if not order.email:
        raise AddressMissing("Stripe has no e-mail address for this paid order")
    return order.email


def _ids(dues: Iterable[Due]) -> tuple[str, ...]:
    return tuple(due.line.id for due in dues)


def _products(dues: Iterable[Due]) -> tuple[str, ...]:
    return tuple(due.line.product_name for due in dues)
