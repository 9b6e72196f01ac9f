"""What is to be done next for an order. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from paidshare.delivering.entitlement import Due, entitlement
from paidshare.delivering.errors import PaidNothingGiven, PaymentUndone
from paidshare.delivering.refunds import money_kept
from paidshare.orders import Order
from paidshare.progress import Progress, Said
from paidshare.settings import Policy
from paidshare.states import TELLS, Kind, Standing, State, Told, Why
from paidshare.wishes import Renewal


class Step(StrEnum):
    """What is to be done next."""

    DELIVER = "deliver"
    """Open the share and mail the link."""
    WAIT = "wait"
    TELL_FAILURE = "tell_failure"
    """Mail that the payment failed."""
    CLOSE = "close"
    """Archive the share, and mail why."""
    REOPEN = "reopen"
    """Open the share again, and mail so."""
    CHANGE = "change"
    """Make the share hold other lines than it does, and mail so."""
    SPREAD = "spread"
    """Of one event's many orders, each gets a notice of its own."""
    NOTHING = "nothing"
    """All is as it should be."""


@dataclass(frozen=True, slots=True)
class Plan:
    """
    The one step that takes an order to what is due, the state it is in then, because *why*, and what is mailed.

    `access` are those of all `dues` that the buyer should have.
    """

    step: Step
    state: State
    why: Why | None = None
    access: tuple[Due, ...] = ()
    letter: Said | None = None
    dues: tuple[Due, ...] = ()

    @property
    def until(self) -> datetime:
        """
        An order has one share, which stays open as long as its longest line; what ends before is taken out of it then.
        Raises ValueError when there is no access.
        """
        return max(due.until for due in self.access if due.until is not None)


class Answer(StrEnum):
    """How a seller who keeps money for an order answers for it."""

    NOTHING_KEPT = "nothing_kept"
    NOT_OURS = "not_ours"
    ACCESS = "access"
    TOLD = "told"
    """The buyer was told why there is no access, or, with the link, until when there would be."""
    NOT_YET = "not_yet"
    """For a day; then a person is asked."""


_NOT_YET_FOR = timedelta(days=1)  # A bank debit is no kept money before it has come; what has come is told of at once.


def decide(order: Order, policy: Policy, progress: Progress, *, now: datetime, renewal: Renewal | None = None) -> Plan:
    """
    What to do about *order*.

    While money is kept the buyer has access, or was told why not, or a person has the case; nothing is ever settled in
    silence. Raises like `entitlement`, and PaymentUndone and PaidNothingGiven.
    """
    seen_at = progress.first_seen_at
    due = partial(
        entitlement, order, policy, now=now, promise=progress.promise, seen_at=seen_at, ruling=progress.ruling
    )
    dues = due(renewal=renewal)
    if any(one.ran_out for one in dues):
        # Why none could be made anew has to be known before the buyer asks.
        again = {one.line.id: one for one in due(renewal=Renewal(by_buyer=True))}
        dues = tuple(_run_out(one, again[one.line.id]) if one.ran_out else one for one in dues)
    todo = plan(dues, progress, kept=money_kept(order), by_page=policy.by_page)
    said = answer(order, todo, progress)
    late = seen_at is not None and now - seen_at >= _NOT_YET_FOR
    if said is None or (said is Answer.NOT_YET and late):
        raise PaidNothingGiven(f"money is kept, and the order is {todo.state}: {todo.why}")
    return todo


def answer(order: Order, todo: Plan, progress: Progress) -> Answer | None:
    """How the plan answers for the money that is kept; None when it does not."""
    if not money_kept(order):
        return Answer.NOTHING_KEPT
    if todo.access:
        return Answer.ACCESS
    if todo.state is State.NOT_OURS:
        return Answer.NOT_OURS
    if todo.state is State.WAITING:
        return Answer.NOT_YET
    told = TELLS[Kind(todo.letter.kind)] if todo.letter else progress.told
    ran_out = _is_no_news(todo.dues, todo.why) and progress.delivered_at is not None
    return Answer.TOLD if ran_out or told in (Told.ON_HOLD, Told.ENDED) else None


def plan(dues: Sequence[Due], progress: Progress, *, kept: bool = False, by_page: bool = False) -> Plan:
    """
    What to do about *dues* (`entitlement.entitlement`); *kept*: the seller has money for them; *by_page*: letters hold
    the link of the order's page. A letter in doubt counts
    as not left: settle it first where this plan mails another one. Raises PaymentUndone.
    """
    all_dues = tuple(dues)
    access = tuple(due for due in all_dues if due.standing is Standing.ACCESS)
    if progress.delivered_at is not None:
        todo = _after_delivery(all_dues, access, progress, kept=kept, by_page=by_page)
    elif access:
        letter = Said(Kind.DELIVERY, ids(access))
        todo = Plan(Step.DELIVER, State.DELIVERED, _why_not_all(all_dues), access, letter)
    elif all(due.why is Why.GIVEN_ALREADY for due in all_dues):
        todo = Plan(Step.NOTHING, State.NOT_OURS, all_dues[0].why if all_dues else Why.NO_LINE_OF_OURS)
    elif (missing := _first(all_dues, Standing.NOTHING_YET)) is None:
        todo = _without_access(all_dues, progress, kept=kept)
    elif missing.why is Why.PAYMENT_FAILED and not progress.knows(Told.PAYMENT_FAILED):
        letter = Said(Kind.PAYMENT_FAILED, ids(all_dues))
        todo = Plan(Step.TELL_FAILURE, State.WAITING, missing.why, letter=letter)
    else:
        todo = Plan(Step.WAIT, State.WAITING, missing.why)
    return replace(todo, dues=all_dues)


def ids(dues: Iterable[Due]) -> tuple[str, ...]:
    """The ids of the lines."""
    return tuple(due.line.id for due in dues)


def _after_delivery(
    dues: tuple[Due, ...], access: tuple[Due, ...], progress: Progress, *, kept: bool, by_page: bool
) -> Plan:
    if not dues:
        raise PaymentUndone("none of the lines that were delivered is in the order any more")
    given = [due for due in dues if due.line.id in progress.given]
    if (missing := _first(given, Standing.NOTHING_YET)) is not None:
        raise PaymentUndone(f"the order was delivered, and now it is {missing.why}")
    if not access:
        return _without_access(dues, progress, kept=kept)
    due = frozenset(ids(access))
    is_gone = progress.share is not None and progress.share.gone
    letter = _news(dues, access, progress)
    if letter is not None and is_gone and not by_page:
        # What the earlier letter's link opened is deleted.
        letter = Said(Kind.DELIVERY, letter.lines)
    step = Step.NOTHING
    # One that is gone is made when it is asked for, and not before.
    holds = set(progress.given) if is_gone else set(progress.holds)
    if letter is not None or due != set(progress.given) or due != holds:
        step = Step.CHANGE
    shut = progress.share is not None and progress.share.may_be_closed
    if shut or progress.told is not Told.ACCESS:
        step = Step.REOPEN
    return Plan(step, State.DELIVERED, _why_not_all(dues), access, letter)


def _news(dues: tuple[Due, ...], access: tuple[Due, ...], progress: Progress) -> Said | None:
    """What to tell a buyer who should have *access*; None when nothing of it is news."""
    if not progress.knows(Told.ACCESS):
        if progress.last_letter is not None and progress.last_letter.unsure:
            # “The link in our earlier letter” says nothing to who may not have it: a second one is better than none.
            return Said(Kind.DELIVERY, ids(access))
        if progress.told is not Told.ACCESS:
            return Said(Kind.ACCESS_BACK, ids(access))
    added = [due for due in access if due.line.id not in progress.given]
    # What ran out by itself did so when the letter had said.
    gone = [
        due
        for due in dues
        if due.line.id in progress.given and due.standing is not Standing.ACCESS and due.why is not Why.EXPIRED
    ]
    if not added and not gone and progress.knows(Told.ACCESS):
        return None
    changed = any(due.line.added for due in added)
    why = Why.SUBSCRIPTION_CHANGED if changed else gone[0].why if gone else None
    return Said(Kind.ACCESS_CHANGED, ids(access), why and str(why))


def _why_not_all(dues: tuple[Due, ...]) -> Why | None:
    """Why one of the lines is without access, where another has it."""
    without = _first(dues, Standing.ENDED) or _first(dues, Standing.ON_HOLD)
    return without.why if without else None


def _without_access(dues: tuple[Due, ...], progress: Progress, *, kept: bool) -> Plan:
    held = _first(dues, Standing.ON_HOLD)
    # What was taken back says more than what ran out by itself.
    ended = [due for due in dues if due.standing is Standing.ENDED]
    over = next((due for due in ended if due.why is not Why.EXPIRED), None)
    why = (held or over or dues[0]).why
    state, told, kind = State.ACCESS_ENDED, Told.ENDED, Kind.ACCESS_ENDED
    if held:
        state, told, kind = State.ACCESS_ON_HOLD, Told.ON_HOLD, Kind.ACCESS_ON_HOLD
    if _is_no_news(dues, why) and progress.delivered_at is not None:
        return Plan(Step.NOTHING, state, why)
    to_close = progress.share is not None and progress.share.may_be_open
    # Who was never mailed a link is told why none comes, as long as the money is kept; and who was told, what is true.
    waits = progress.delivered_at is not None or kept or progress.told in (Told.ON_HOLD, Told.ENDED)
    to_tell = waits and not progress.knows(told)
    about = [due for due in dues if due.line.id in progress.given] or dues
    lines = ids(due for due in about if not held or due.standing is Standing.ON_HOLD) or ids(dues)
    letter = Said(kind, lines, str(why)) if to_tell else None
    return Plan(Step.CLOSE if to_close or to_tell else Step.NOTHING, state, why, letter=letter)


def _run_out(due: Due, again: Due) -> Due:
    """*due*, of which the share has run out, where *again* would be due if the buyer asked for another."""
    is_over = again.standing in (Standing.ENDED, Standing.ON_HOLD)
    return replace(due, standing=again.standing, why=again.why) if is_over else due


def _is_no_news(dues: Sequence[Due], why: Why | None) -> bool:
    """Whether the link has run out by itself, when the letter had said."""
    return why is Why.EXPIRED or (bool(dues) and all(due.ran_out for due in dues))


def _first(dues: Sequence[Due], standing: Standing) -> Due | None:
    return next((due for due in dues if due.standing is standing), None)
