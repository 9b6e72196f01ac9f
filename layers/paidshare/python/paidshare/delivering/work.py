"""One order in hand, brought to what it should be step by step. Any of them may be the last before a crash."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paidshare.delivering import catalog
from paidshare.delivering.buyer.correcting import Correcting
from paidshare.delivering.buyer.twice import Twice
from paidshare.delivering.errors import LetterInDoubt, MetadataBroken, ShareTaken
from paidshare.delivering.lease import Lease
from paidshare.delivering.mailing import Mailing
from paidshare.delivering.plan import Plan, Step, decide
from paidshare.delivering.sharing import Sharing
from paidshare.delivering.steps import Steps
from paidshare.errors import FastioUnavailable, FileMissing, NeedsAPerson, ShareRefused, TryAgain
from paidshare.orders import Order
from paidshare.progress import Said
from paidshare.retries import Late
from paidshare.settings import Policy
from paidshare.states import TELLS, Kind, State
from paidshare.wishes import Renewal, Wants, Wish

# SES tells within seconds that it has sent a letter. Whoever finds one in doubt waits that long for its word, and then
# mails: a second letter is better than none.
_SES_TELLS_WITHIN = timedelta(seconds=90)

_MAILED = "mailed"

_KEEPS_GOODS_BACK = (FastioUnavailable, FileMissing, MetadataBroken, ShareRefused, ShareTaken)
"""Of what can be in the way of a paid order, what its buyer is told of. A letter that could not leave tells nothing."""
IN_TIME_S = 60.0
"""999 of 1,000 buyers should have their first link so soon after they paid (docs/decisions/0029)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What came of one order, for the log: the step taken, the state the order is in, why. `waited_s`: the buyer's first
    link was mailed, so many seconds after the payment; None when it was not, or nothing was paid. `plan_full`: there
    was no room for its share, and its page serves it. `twice_of`: the buyer bought the same just before,
    with that order.
    """

    order_id: str
    step: Step
    state: State
    reason: str | None = None
    waited_s: float | None = field(default=None, compare=False)
    plan_full: bool = field(default=False, compare=False)
    twice_of: str | None = field(default=None, compare=False)

    @property
    def in_time(self) -> bool:
        return self.waited_s is not None and self.waited_s <= IN_TIME_S


class Work:
    """
    The steps for one order at *now*. *wish* is an operator's or the buyer's, None where there is none, or it was
    answered.
    """

    def __init__(
        self,
        lease: Lease,
        sharing: Sharing,
        mailing: Mailing,
        buyer: tuple[Correcting, Twice],
        *,
        policy: Policy,
        wish: Wish | None,
        now: datetime,
    ) -> None:
        self._lease = lease
        self._sharing = sharing
        self._mailing = mailing
        self._correcting, self._twice = buyer
        self._steps = Steps(lease, sharing, mailing, by_page=policy.by_page, now=now)
        self._policy = policy
        # Once, however often the same wish comes.
        self._wish = wish
        self._now = now
        self._due: tuple[str, ...] = ()

    def bring_up_to_date(self, order: Order) -> Plan:
        """All that is to be done for *order*; `finish` gives it back. Returns the plan that was carried out."""
        paid_by = order.payments[0].id if order.payments else self._lease.progress.payment_intent
        self._lease.note(payment_intent=paid_by)
        self._heed_the_seller()
        self._correcting.heed(self._wish, order)
        todo = self._next(order)
        self._due = tuple(due.line.product_name for due in todo.access)
        self._twice.note(order, todo)
        match todo.step:
            case Step.DELIVER:
                self._steps.deliver(order, todo)
            case Step.REOPEN | Step.CHANGE:
                self._steps.give(order, todo)
            case Step.CLOSE:
                self._steps.take_back(order, todo)
            case Step.TELL_FAILURE:
                self._mailing.tell(order, todo)
            case Step.WAIT | Step.NOTHING:
                pass
        if self._wish and self._wish.wants is Wants.OPEN:
            todo = self._opened(order, todo)
        elif self._wish and self._wish.wants is not Wants.CORRECT:
            todo = self._fulfil(self._wish, order, todo)
        return todo

    def put_off(self, order: Order, trouble: TryAgain | NeedsAPerson, *, by_a_person: bool) -> None:
        """
        Know since when the goods of *order* cannot be had, and tell the buyer once, when that lasts too long.

        Safe to call for any trouble, and raises nothing: whether that letter leaves changes nothing about the trouble.
        *by_a_person* as in `Desk.delayed`.
        """
        progress = self._lease.progress
        # Of a product that does not say what to deliver, it is known that it is due, and no more.
        due = self._due or isinstance(trouble, MetadataBroken)
        if not due or not isinstance(trouble, _KEEPS_GOODS_BACK) or progress.delivered_at is not None:
            return
        late = progress.late or Late(self._now)
        self._lease.note(late=late)
        # Who was told anything else by now knows better than that it is late.
        if progress.told is not None or late.told_at is not None:
            return
        if self._mailing.late_after is not None and self._now - late.since >= self._mailing.late_after:
            ours = (line.product_name for line in order.lines if catalog.is_ours(line) and not line.credit)
            # Where there is no address, too: it is a case, which this one's own trouble is already.
            with suppress(TryAgain, NeedsAPerson):
                self._mailing.tell_of_delay(order, self._due or tuple(ours), by_a_person=by_a_person)

    def finish(self, order: Order, todo: Plan) -> None:
        """Write down that all that *todo* says of *order* is done, and give it back."""
        if not self._lease.progress.told_late:
            self._lease.note(late=None)
        # By the slower clock of both, should one of them be wrong.
        seen_until = order.as_of and min(order.as_of, self._now)
        self._lease.note(
            state=todo.state,
            reason=todo.why,
            case_told_at=None,
            put_off=None,
            next_end=self._next_end(),
            seen_until=seen_until,
        )
        self._lease.release()

    @property
    def mailed(self) -> list[str]:
        """The kinds of the letters that left."""
        return self._mailing.mailed

    def pass_on(self, order_id: str) -> None:
        """Write down that the order is kept under *order_id*."""
        self._lease.note(state=State.ELSEWHERE, reason=order_id, put_off=None)
        self._lease.release()

    # --- What is next ---------------------------------------------------------------------------------------

    def _next(self, order: Order) -> Plan:
        """
        What to do, once it is known of every letter whether it left.

        What says the same as it (though by now for another reason, or of other lines) is mailed when SES has not told
        of it: where it never left, nobody else would tell. Before a letter that says something else, it counts as left.
        What is to be taken back does not wait for that.
        """
        todo, doubt = self._decided(order), self._lease.progress.in_flight
        if doubt is None:
            return todo
        if not self._lease.progress.has_left:
            if self._now < (known_at := doubt.at + _SES_TELLS_WITHIN):
                if todo.step is Step.CLOSE:
                    self._sharing.close(todo)
                raise LetterInDoubt("a letter may have left", wait=(known_at - self._now).total_seconds())
            wished_again = self._wish and self._wish.mails and todo.access and doubt.said.kind == Kind.DELIVERY
            if _says_the_same(todo.letter, doubt.said) or wished_again:
                return todo
        self._lease.progress = self._lease.progress.after_letter()
        return self._decided(order)

    def _decided(self, order: Order, *, renewal: Renewal | None = None) -> Plan:
        return decide(order, self._policy, self._lease.progress, now=self._now, renewal=renewal)

    def _next_end(self) -> datetime | None:
        """When the first of the lines ends that the share holds; None when it ends with the share itself."""
        progress = self._lease.progress
        ends = {one.until for one in progress.grants if one.line in progress.holds and one.closed_at is None}
        is_open = progress.share is not None and progress.share.closed_at is None
        return min(ends) if is_open and len(ends) > 1 else None

    @property
    def plan_was_full(self) -> bool:
        """Whether there was no room for the order's share, so that its page serves it."""
        return self._steps.plan_was_full

    # --- The buyer's wish, and the operator's ---------------------------------------------------------------

    def _heed_the_seller(self) -> None:
        """What is ruled is so from this look on. SQS keeps no order: what was ruled later stays."""
        ruling, before = self._wish.ruling if self._wish else None, self._lease.progress.ruling
        if ruling is not None and (before is None or before.at <= ruling.at):
            self._lease.note(ruling=ruling)

    def _opened(self, order: Order, todo: Plan) -> Plan:
        """
        With a share, where the buyer has access. It is not remembered that it was wished for: that changes nothing.
        """
        if self._lease.progress.delivered_at is None:
            return todo
        renewed = todo if todo.access else self._decided(order, renewal=Renewal(by_buyer=True))
        if not renewed.access:
            return todo
        self._steps.open(renewed)
        return renewed

    def _fulfil(self, wish: Wish, order: Order, todo: Plan) -> Plan:
        """What is left of it to do, and what came of it written down."""
        outcome = f"{todo.state}:{todo.why}" if todo.why else f"{todo.state}:"
        if wish.mails and (renewed := self._renewed(wish, order, todo)).access:
            if renewed is not todo or Kind.DELIVERY not in self._mailing.mailed:
                self._steps.mail_again(order, renewed)
            todo, outcome = renewed, _MAILED
        self._lease.progress = self._lease.progress.answering(wish.event_id, outcome)
        return todo

    def _renewed(self, wish: Wish, order: Order, todo: Plan) -> Plan:
        """
        What is due when the link is wished for: *todo*, unless that would give nothing any more, or not for as long.
        """
        until = wish.until(self._now)
        if todo.access and (until is None or until <= todo.until):
            return todo
        return self._decided(order, renewal=Renewal(until))


def _says_the_same(letter: Said | None, doubt: Said) -> bool:
    return letter is not None and TELLS[Kind(letter.kind)] is TELLS[Kind(doubt.kind)]
