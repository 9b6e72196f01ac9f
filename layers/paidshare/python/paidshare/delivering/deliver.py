"""
Use case: a notice → its orders as they should be.

Claim the order, fetch the truth from Stripe, decide, take the step that is missing, record it. Running it again at any
time is harmless, so a repeat, a late event and “look again” are all the same thing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from paidshare import shares
from paidshare.delivering import catalog, letters
from paidshare.delivering.entitlement import Due, Policy
from paidshare.delivering.errors import (
    AccountUnexpected,
    AddressMissing,
    LetterInDoubt,
    LetterRejected,
    MailUnavailable,
    MetadataBroken,
    OrderNotThereYet,
    OutOfTime,
)
from paidshare.delivering.plan import Plan, Step, decide, ids
from paidshare.delivering.ports import Mailer, Payments, Shares
from paidshare.errors import FileMissing, NeedsAPerson, OrderUnknown, PatienceExhausted, SecretUnavailable, TryAgain
from paidshare.letter_kinds import Kind
from paidshare.notices import RESEND, SWEEP, Notice
from paidshare.orders import Goods, Letter, Order, Share, ShareRequest
from paidshare.ports import Clock, Ledger, LinkKey, LookQueue
from paidshare.progress import Grant, Progress, Said, State, Told, Why

# Stripe writes a session's payment down within moments of the payment's own first event. After this the payment is
# somebody else's: taken by another program with the same Stripe account.
_NOBODYS_AFTER = timedelta(minutes=5)
_WAIT_FOR_ITS_ORDER_S = 60.0

# SES tells within seconds that it has sent a letter. Whoever finds one in doubt waits that long for its word, and then
# mails: a second letter is better than none.
_SES_TELLS_WITHIN = timedelta(seconds=90)

_A_CASE_IS_TOLD_AGAIN_AFTER = timedelta(days=7)
"""
A dead letter lives for 14 days in its queue (template.yaml). The sweep looks at a case at least every three days
(`rounds.Unsettled.due`): one that still waits gets another in time.
"""

_SAME_END = timedelta(hours=1)
"""Ends that lie no further apart are one to a buyer."""

_MAILED = "mailed"
_GIVEN_BACK = "order.gives_back"

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
    live = partial(shop.ledger.live, now=now)
    orders = shop.payments.orders_of(notice.about, now=now, account=notice.account, live=live)
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
            outcome = work.bring_up_to_date(order)
            _look_at_what_it_gives_back(order, outcome, look)
            return outcome
        if sent_from is not None:
            raise OrderUnknown(f"{sent_from} is kept under {order_id}, and that under {order.same_as}")
        work.pass_on(order.same_as)
    except (TryAgain, NeedsAPerson) as error:
        trouble = look.trouble(error) if isinstance(error, TryAgain) else error
        trouble.order_id = order_id
        if isinstance(trouble, NeedsAPerson):
            now, told = shop.clock(), found.case_told_at
            same = (found.state, found.reason) == (State.ON_HOLD, trouble.reason)
            trouble.known = same and told is not None and now - told < _A_CASE_IS_TOLD_AGAIN_AFTER
            told = told if trouble.known else now
            work.progress = replace(work.progress, state=State.ON_HOLD, reason=trouble.reason, case_told_at=told)
        # The lease would run out by itself; giving it back lets the retry start at once.
        work.release(done=isinstance(trouble, NeedsAPerson))
        raise trouble from error
    return _looked_at(order.same_as, replace(look, account=progress.account), sent_from=order_id)


def _look_at_what_it_gives_back(order: Order, outcome: Outcome, look: _Look) -> None:
    """A changed plan gives back what older invoices of the subscription paid for: they are looked at, too."""
    if outcome.step is Step.DELIVER and order.subscription and any(line.credit for line in order.lines):
        about, now = order.subscription.id, look.shop.clock()
        look.shop.looks.ask([Notice("stripe", look.event_id, _GIVEN_BACK, about, now, look.account)])


class _Work:
    """One order in hand: what is known to be done, and the lease under which it is written down."""

    def __init__(self, look: _Look, order_id: str, progress: Progress) -> None:
        self._shop = look.shop
        self._order_id = order_id
        self._holder = look.holder
        self._deadline = look.deadline
        # Once, however often the same wish comes.
        self._wish = look.event_id if look.why == RESEND and look.event_id != progress.resent else None
        self._now = look.shop.clock()
        self._mailed: list[str] = []
        self.progress = progress

    def bring_up_to_date(self, order: Order) -> Outcome:
        self._note(payment_intent=order.payments[0].id if order.payments else self.progress.payment_intent)
        todo = self._next(order)
        match todo.step:
            case Step.DELIVER:
                self._deliver(order, todo)
            case Step.REOPEN | Step.CHANGE:
                self._give(order, todo)
            case Step.CLOSE:
                self._take_back(order, todo)
            case Step.TELL_FAILURE:
                self._tell(order, todo)
            case Step.WAIT | Step.NOTHING:
                pass
        if self._wish:
            todo = self._fulfil(self._wish, order, todo)
        self._note(state=todo.state, reason=todo.why, case_told_at=None, next_end=self._next_end())
        self.release()
        return Outcome(self._order_id, todo.step, todo.state, todo.why)

    def pass_on(self, order_id: str) -> None:
        """Write down that the order is kept under *order_id*."""
        self._note(state=State.ELSEWHERE, reason=order_id)
        self.release()

    def release(self, *, done: bool = True) -> None:
        now = self._shop.clock()
        self._shop.ledger.release(self._order_id, self.progress, holder=self._holder, now=now, done=done)

    # --- What is next ---------------------------------------------------------------------------------------

    def _next(self, order: Order) -> Plan:
        """
        What to do, once it is known of every letter whether it left.

        The same letter is mailed again when SES has not told of it; before another one leaves, it counts as left. What
        is to be taken back does not wait for that.
        """
        todo, doubt, since = self._decided(order), self.progress.in_doubt, self.progress.mailing_at
        if doubt is None or since is None:
            return todo
        if not self.progress.has_left:
            repeated = todo.letter == doubt or (self._wish and todo.access and doubt.kind == Kind.DELIVERY)
            if self._now < since + _SES_TELLS_WITHIN:
                if todo.step is Step.CLOSE:
                    self._close(todo)
                wait = (since + _SES_TELLS_WITHIN - self._now).total_seconds()
                raise LetterInDoubt("a letter may have left", wait=wait)
            if repeated:
                return todo
        self.progress = self.progress.after_letter()
        return self._decided(order)

    def _decided(self, order: Order, *, renew: bool = False) -> Plan:
        return decide(order, self._shop.policy, self.progress, now=self._now, renew=renew)

    def _fulfil(self, wish: str, order: Order, todo: Plan) -> Plan:
        """Mail the link once more, unless it was just mailed: that of the share that exists, or of one made anew."""
        if Kind.DELIVERY not in self._mailed:
            renewed = todo if todo.access else self._decided(order, renew=True)
            if not renewed.access:
                self._note(resent=wish, resent_outcome=f"{todo.state}:{todo.why}")
                return todo
            todo = renewed
            self._mail_again(order, todo)
        self._note(resent=wish, resent_outcome=_MAILED)
        return todo

    # --- Steps ----------------------------------------------------------------------------------------------

    def _deliver(self, order: Order, todo: Plan) -> None:
        _address(order)
        request = self._request(todo)
        found = self._shop.shares.find(request) if self.progress.unseen else None
        if found is not None:
            self._adopt(todo, found, request)
            return
        share = self._fill(request, ids(todo.access))
        self._promise(todo)
        self._tell(order, todo, share)

    def _promise(self, todo: Plan) -> None:
        """Before the letter leaves: it may be all that is ever known of it."""
        # What another order gives, or had run out before it could be delivered, never comes to life with the others.
        settled = ids(due for due in todo.dues if due.why not in (Why.EXPIRED, Why.GIVEN_ALREADY))
        self._note(lines=settled)
        self._grant(todo)

    def _adopt(self, todo: Plan, found: Share, request: ShareRequest) -> None:
        """
        The row was lost, and the share is there: nobody is mailed a second time because of that, and what the letter
        said of the share's end stands. An operator can ask for another letter.
        """
        access = ids(todo.access)
        # Until all is written down the row says `unseen`: whoever comes after a crash adopts the share, too.
        self._begin(unseen=True, share_id=found.id, share_expires_at=found.expires_at)
        if found.expires_at > self._now:
            kept = replace(request, share_id=found.id, expires_at=found.expires_at, last_end=found.expires_at)
            share = self._shop.shares.open(kept, deadline=self._deadline)
            self._note(share_expires_at=share.expires_at)
        self._promise(todo)
        until = self.progress.share_expires_at or found.expires_at
        grants = tuple(replace(one, until=min(one.until, until), closed_at=None) for one in self.progress.grants)
        self._note(grants=grants, holds=access, given=access, told=Told.ACCESS, delivered_at=self._now, unseen=False)

    def _mail_again(self, order: Order, todo: Plan) -> None:
        """The link of the share that there is, whatever the products say by now; made anew if it is gone or over."""
        _address(order)
        request = self._request(todo)
        share = self._shop.shares.find(request)
        # By now it may be archived, or another one than the ledger's: whoever is mailed its link must get in.
        if share is None or share.expires_at <= self._now or not self._reopened(share):
            share = self._fill(request, ids(todo.access))
        self._grant(todo)
        self._tell(order, replace(todo, letter=Said(Kind.DELIVERY, ids(todo.access))), share)

    def _reopened(self, share: Share) -> bool:
        """Whether the share is there and open, until when it would have been."""
        ends_at = self._shop.shares.reopen(share.id, until=share.expires_at)
        if ends_at is not None:
            self._note(share_id=share.id, share_expires_at=ends_at, closed_at=None, switching=False)
        return ends_at is not None

    def _give(self, order: Order, todo: Plan) -> None:
        """
        What was given stays as it was then: only where other lines are due, or it is in doubt what the share holds, is
        it filled anew.
        """
        due = ids(todo.access)
        gone = [one for one in todo.dues if one.line.id not in due and one.why is not Why.EXPIRED]
        self.progress = self.progress.taken_back(ids(gone), now=self._now)
        if set(due) != set(self.progress.holds):
            self._refill(todo)
        elif todo.step is Step.REOPEN:
            self._reopen(todo)
        self._grant(todo)
        # Before the letter: the sweep would close the share again of an order that says “on hold”.
        self._note(state=todo.state, reason=todo.why)
        if todo.letter is None:
            self.progress = replace(self.progress.opened(due, at=self._now), given=due)
        elif todo.letter.kind == Kind.DELIVERY:
            request = self._request(todo)
            self._tell(order, todo, self._shop.shares.find(request) or self._fill(request, due))
        else:
            self._tell(order, todo)

    def _refill(self, todo: Plan) -> None:
        due = ids(todo.access)
        held = self.progress.holds or self.progress.given
        try:
            self._fill(self._request(todo), due)
        except (FileMissing, MetadataBroken):
            # A file that is gone must not keep open what was taken back.
            if not self._stripped(todo) or not set(due) <= set(held):
                raise
            self._note(holds=due)
            self._reopen(todo)

    def _stripped(self, todo: Plan) -> bool:
        """Whether the share holds nothing any more but what is due. Where nobody can tell, it is closed."""
        share_id = self.progress.share_id
        if share_id is None:
            return False
        kept = [goods for due in todo.access if (goods := self._known_goods(due)) is not None]
        rest = [due for due in todo.dues if due not in todo.access]
        gone = [goods for due in rest if (goods := self._known_goods(due)) is not None]
        if len(gone) < len(rest):
            self._close(todo)
            return False
        self._shop.shares.strip(share_id, gone=tuple(gone), kept=tuple(kept), deadline=self._deadline)
        return True

    def _reopen(self, todo: Plan) -> None:
        share_id = self.progress.share_id
        self._begin(switching=True)
        ends_at = None if share_id is None else self._shop.shares.reopen(share_id, until=todo.until)
        if ends_at is None:
            self._fill(self._request(todo), ids(todo.access))
        else:
            self._note(switching=False, closed_at=None, share_expires_at=ends_at)

    def _take_back(self, order: Order, todo: Plan) -> None:
        self._close(todo)
        self._tell(order, todo)

    def _close(self, todo: Plan) -> None:
        share_id = self.progress.share_id
        self.progress = self.progress.taken_back(ids(todo.dues), now=self._now)
        if share_id is not None and (self.progress.closed_at is None or self.progress.switching):
            self._begin(switching=True, closed_at=self.progress.closed_at or self._now)
            self._shop.shares.close(share_id)
            self._note(switching=False)

    # --- The share ------------------------------------------------------------------------------------------

    def _request(self, todo: Plan) -> ShareRequest:
        goods = tuple(self._goods(due) for due in todo.access)
        request = shares.share_request(self._order_id, goods, todo.until, self._link_key())
        return replace(request, share_id=self.progress.share_id, last_end=self.progress.share_expires_at)

    def _goods(self, due: Due) -> Goods:
        """What was given of the line, else what its product says now. Raises MetadataBroken."""
        grants = self.progress.grants if self.progress.delivered_at is not None else ()
        given = next((grant for grant in grants if grant.line == due.line.id), None)
        days = self._shop.policy.link_days
        if given is None:
            return catalog.goods(due.line, default_link_days=days)
        return Goods(due.line.product_name, given.workspace, given.nodes, days)

    def _known_goods(self, due: Due) -> Goods | None:
        try:
            return self._goods(due)
        except MetadataBroken:
            return None

    def _fill(self, request: ShareRequest, lines: tuple[str, ...]) -> Share:
        """The order's share, open, with exactly the files of *lines*, to the moment that *request* says."""
        if self.progress.unseen:
            # From here on a share under the order's name is one that we began ourselves.
            self._begin(unseen=False)
        if self.progress.share_id is not None:
            self._begin(switching=True, holds=())
        share = self._shop.shares.open(request, deadline=self._deadline)
        self._note(share_id=share.id, share_expires_at=share.expires_at, closed_at=None, switching=False, holds=lines)
        return share

    def _grant(self, todo: Plan) -> None:
        """What the lines are given that had nothing yet. It counts from the letter that tells of it."""
        at = self._now
        self.progress = self.progress.granting(
            (
                Grant(due.line.id, due.until or at, (goods := self._goods(due)).workspace, goods.nodes, closed_at=at)
                for due in todo.access
            ),
            now=at,
        )

    def _next_end(self) -> datetime | None:
        """When the first of the lines ends that the share holds; None when it ends with the share itself."""
        ends = [one.until for one in self.progress.grants if one.line in self.progress.holds and one.closed_at is None]
        return min(ends) if self.progress.closed_at is None and len(set(ends)) > 1 else None

    def _begin(self, **doubt: Any) -> None:
        """Write down what will be in doubt if the next call's answer is lost."""
        self._note(**doubt)
        self._shop.ledger.record(self._order_id, self.progress, holder=self._holder, now=self._shop.clock())

    def _link_key(self) -> str:
        key = self._shop.link_key()
        if not shares.is_link_key(key):
            raise SecretUnavailable("link_key in the secret is empty or too short")
        return key

    # --- Letters --------------------------------------------------------------------------------------------

    def _tell(self, order: Order, todo: Plan, share: Share | None = None) -> None:
        if todo.letter is None:
            return
        if order.email:
            mailed = self.progress.delivered_at is not None
            self._mail(todo.letter, _written(todo.letter, order.email, order.id, todo, share, mailed=mailed))
        elif self.progress.delivered_at is None and todo.step is not Step.TELL_FAILURE:
            raise AddressMissing("Stripe has no e-mail address for this paid order")
        else:
            # Without an address there is nobody to tell; what the buyer has is as it should be all the same.
            mailed_at = self.progress.mailed_at
            self.progress = self.progress.marked(todo.letter, now=self._now).after_letter()
            self._note(mailed_at=mailed_at)

    def _mail(self, said: Said, letter: Letter) -> None:
        now = self._shop.clock()
        if self._deadline is not None and now >= self._deadline:
            # A letter that leaves in the last seconds may not be written down, and would leave again.
            raise OutOfTime("too late in this invocation for the letter", wait=1)
        marked = self.progress.marked(said, now=now)
        self._shop.ledger.record(self._order_id, marked, holder=self._holder, now=now)
        # Only now: where this could not be written down, no letter leaves, and none is in doubt.
        self.progress = marked
        try:
            message_id = self._shop.mailer.send(replace(letter, mark=marked.mark), order_id=self._order_id)
        except (LetterRejected, MailUnavailable) as error:
            if not (isinstance(error, MailUnavailable) and error.in_doubt):
                self.progress = self.progress.unmarked()
            raise
        self._mailed.append(said.kind)
        self.progress = marked.after_letter(at=self._shop.clock(), message_id=message_id)

    def _note(self, **done: Any) -> None:
        self.progress = replace(self.progress, **done)


def _written(said: Said, to: str, order_id: str, todo: Plan, share: Share | None, *, mailed: bool) -> Letter:
    """The letter that says so. With a *share* it is its link that is mailed; *mailed* is whether one was before."""
    products, why = _products(due for due in todo.dues if due.line.id in said.lines), said.why or ""
    if share is not None:
        earlier = [
            (due.line.product_name, due.until)
            for due in todo.access
            if due.until is not None and due.until < share.expires_at - _SAME_END
        ]
        return letters.delivery(to=to, order_id=order_id, products=products, share=share, earlier=earlier)
    match Kind(said.kind):
        case Kind.ACCESS_ON_HOLD:
            return letters.access_on_hold(to=to, order_id=order_id, products=products, why=why, mailed=mailed)
        case Kind.ACCESS_ENDED:
            return letters.access_ended(to=to, order_id=order_id, products=products, why=why, mailed=mailed)
        case Kind.ACCESS_BACK:
            return letters.access_back(to=to, order_id=order_id, products=products, until=todo.until)
        case Kind.ACCESS_CHANGED:
            return letters.access_changed(to=to, order_id=order_id, products=products, until=todo.until, why=why)
        case Kind.PAYMENT_FAILED:
            return letters.payment_failed(to=to, order_id=order_id, products=products)
        case Kind.DELIVERY:
            raise ValueError("a link is mailed of a share")


def _address(order: Order) -> str:
    if not order.email:
        raise AddressMissing("Stripe has no e-mail address for this paid order")
    return order.email


def _products(dues: Iterable[Due]) -> tuple[str, ...]:
    return tuple(due.line.product_name for due in dues)
