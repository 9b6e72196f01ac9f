"""How far an order has come, and what is next. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from paidshare.entitlement import Due, Grant, Policy, Promise, Standing, Why, entitlement, money_kept
from paidshare.errors import PaidNothingGiven, PaymentUndone
from paidshare.letter_kinds import Kind
from paidshare.orders import Order

_CLOCKS_APART = timedelta(seconds=5)


class State(StrEnum):
    """The order as the ledger's reader sees it. `Progress.reason` says why; what is done is in the other fields."""

    NEW = "new"
    WAITING = "waiting"
    """Known, but there is nothing to deliver yet."""
    NOT_OURS = "not_ours"
    """Nothing in it is delivered by us."""
    ELSEWHERE = "elsewhere"
    """The same purchase as the order that `Progress.reason` names, and kept under that."""
    DELIVERED = "delivered"
    ACCESS_ON_HOLD = "access_on_hold"
    ACCESS_ENDED = "access_ended"
    ON_HOLD = "on_hold"
    """Needs a person."""

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do until Stripe has news; the sweep looks at the others again and again."""
        return self in (State.NOT_OURS, State.ELSEWHERE, State.DELIVERED, State.ACCESS_ENDED)


class Told(StrEnum):
    """What the buyer believes after our last letter."""

    PAYMENT_FAILED = "payment_failed"
    ACCESS = "access"
    ON_HOLD = "on_hold"
    ENDED = "ended"


_TELLS = {
    Kind.DELIVERY: Told.ACCESS,
    Kind.PAYMENT_FAILED: Told.PAYMENT_FAILED,
    Kind.ACCESS_ON_HOLD: Told.ON_HOLD,
    Kind.ACCESS_ENDED: Told.ENDED,
    Kind.ACCESS_BACK: Told.ACCESS,
    Kind.ACCESS_CHANGED: Told.ACCESS,
}


@dataclass(frozen=True, slots=True)
class Said:
    """
    What a letter says: its kind, the lines (their ids) that it is about, and why. Two that say the same are one letter.
    """

    kind: str
    lines: tuple[str, ...] = ()
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """
    What was done for one order. Holds no personal data, no link, and nothing that a link could be made of.

    `account` is the connected account it belongs to.

    Of the share: `closed_at` is since when it is archived; `holds` are the ids of the lines that it is filled with,
    none when that is in doubt. `switching` is written down before it is closed or opened, and gone after: what a crash
    or a lost answer leaves there is in doubt, and is done again.

    Of the buyer: `lines` are the ids of the order's lines that are ours, settled when the link was mailed
    (`delivered_at`), and `grants` what each of them was given; `given` are those of them that the buyer was last told
    to have, `told` what the last letter said.

    `mailing` is the kind of a letter that is about to leave, `mailing_lines` and `mailing_why` what else it says,
    written down at `mailing_at`, before it leaves; all are gone again when `mailed_at` and `message_id` are written.
    What is left there is the one doubt that only SES settles: `sent_at` is its own word of the last letter that it
    sent, `sent_mark` which one that was, `sent_kind` of what kind. `unsure`: the link's letter counts as left without
    its word, so that the link goes into the next letter that gives access.

    `resent` is the event id of the operator's last wish to mail the link once more that was answered, and
    `resent_outcome` what came of it: `mailed`, or why nothing was.

    `next_end` is when the first of the lines that the share holds ends; the sweep asks for a look then. `case_told_at`
    is when a person was last told of what the order is on hold for.

    `unseen`: the sweep found the order, and the ledger had never heard of it. The ledger shows `sent_…`,
    how often the order was claimed (`claims`) and since when it is known (`first_seen_at`), and never writes them from
    here.
    """

    state: State = State.NEW
    reason: str | None = None
    account: str | None = None
    payment_intent: str | None = None
    share_id: str | None = None
    share_expires_at: datetime | None = None
    closed_at: datetime | None = None
    switching: bool = False
    holds: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    given: tuple[str, ...] = ()
    told: Told | None = None
    mailing: str | None = None
    mailing_at: datetime | None = None
    mailing_lines: tuple[str, ...] = ()
    mailing_why: str | None = None
    mailed_at: datetime | None = None
    message_id: str | None = None
    delivered_at: datetime | None = None
    resent: str | None = None
    resent_outcome: str | None = None
    next_end: datetime | None = None
    case_told_at: datetime | None = None
    unseen: bool = False
    unsure: bool = False
    sent_at: datetime | None = None
    sent_mark: str | None = None
    sent_kind: str | None = None
    first_seen_at: datetime | None = field(default=None, compare=False)
    claims: int = field(default=0, compare=False)

    @property
    def promise(self) -> Promise | None:
        """What the buyer was given; None before the link was mailed."""
        if self.delivered_at is None or self.share_expires_at is None:
            return None
        return Promise(self.lines, self.share_expires_at, self.closed_at, self.grants or None)

    @property
    def in_doubt(self) -> Said | None:
        """The letter that may have left; None while that is known of every letter."""
        return None if self.mailing is None else Said(self.mailing, self.mailing_lines, self.mailing_why)

    @property
    def mark(self) -> str:
        """What SES's events call the letter in doubt."""
        return "" if self.mailing_at is None else str(int(self.mailing_at.timestamp()))

    @property
    def has_left(self) -> bool:
        """Whether SES says that the letter in doubt was sent."""
        if self.mailing is None or self.sent_at is None or self.mailing_at is None:
            return False
        if self.sent_mark is not None:
            return self.sent_mark == self.mark
        if self.sent_kind not in (None, self.mailing):
            return False
        # A letter of a version that did not mark it. SES's clock is not ours; and where another letter left a moment
        # before, its word may be about that one.
        close = self.mailed_at is not None and self.mailing_at - self.mailed_at < 2 * _CLOCKS_APART
        return self.sent_at >= self.mailing_at - (timedelta() if close else _CLOCKS_APART)

    def marked(self, letter: Said, *, now: datetime) -> "Progress":
        """With *letter* about to leave."""
        return replace(self, mailing=letter.kind, mailing_lines=letter.lines, mailing_why=letter.why, mailing_at=now)

    def unmarked(self) -> "Progress":
        """With no letter in doubt."""
        return replace(self, mailing=None, mailing_lines=(), mailing_why=None)

    def after_letter(self, *, at: datetime | None = None, message_id: str | None = None) -> "Progress":
        """
        With the letter in doubt counted as left, *at* (or when SES says) under *message_id*: what the buyer believes,
        and has from then on.
        """
        if self.mailing is None or self.mailing_at is None:
            return self
        when = at or (self.sent_at if self.sent_at and self.has_left else self.mailing_at)
        told = _TELLS[Kind(self.mailing)]
        unsure = (at is None and not self.has_left) if self.mailing == Kind.DELIVERY else self.unsure
        now = replace(self.unmarked(), told=told, mailed_at=when, message_id=message_id, unsure=unsure)
        if told is not Told.ACCESS:
            return now
        # A row of an earlier version does not say what its letter in doubt is about: all of it, then.
        lines = self.mailing_lines or self.given or self.lines
        opened = now.opened(lines, at=self.mailing_at)
        return replace(opened, given=lines, delivered_at=self.delivered_at or when, unseen=False)

    def opened(self, lines: Iterable[str], *, at: datetime) -> "Progress":
        """With *lines* open from *at* on, for the time that each had left."""
        due = frozenset(lines)
        grants = (
            replace(one, until=one.resumed_until(at), closed_at=None) if one.line in due else one for one in self.grants
        )
        return replace(self, grants=tuple(grants))

    def taken_back(self, lines: Iterable[str], *, now: datetime) -> "Progress":
        """With *lines* taken back at *now*, as far as they have not run out before."""
        gone = frozenset(lines)
        closing = (grant.line in gone and grant.closed_at is None and grant.until > now for grant in self.grants)
        grants = zip(self.grants, closing, strict=True)
        return replace(self, grants=tuple(replace(one, closed_at=now) if closes else one for one, closes in grants))

    def granting(self, new: Iterable[Grant], *, now: datetime) -> "Progress":
        """
        With the *new* grants, for lines that had none, or whose own has run out; before the link was ever mailed, for
        all.
        """
        if self.delivered_at is None:
            return replace(self, grants=tuple(new))
        live = {grant.line for grant in self.grants if grant.closed_at is not None or grant.until > now}
        added = {grant.line: grant for grant in new if grant.line not in live}
        return replace(self, grants=tuple(({grant.line: grant for grant in self.grants} | added).values()))


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


def decide(order: Order, policy: Policy, progress: Progress, *, now: datetime, renew: bool = False) -> Plan:
    """
    What to do about *order*. To *renew* is an operator's wish: what ran out by itself is given for its days again.

    While money is kept the buyer has access, or was told why not, or a person has the case; nothing is ever settled in
    silence. Raises like `entitlement`, and PaymentUndone and PaidNothingGiven.
    """
    seen_at = progress.first_seen_at
    dues = entitlement(order, policy, now=now, promise=progress.promise, seen_at=seen_at, renew=renew)
    todo = plan(dues, progress, kept=money_kept(order))
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
    told = _TELLS[Kind(todo.letter.kind)] if todo.letter else progress.told
    ran_out = todo.why is Why.EXPIRED and progress.delivered_at is not None
    return Answer.TOLD if ran_out or told in (Told.ON_HOLD, Told.ENDED) else None


def plan(dues: Sequence[Due], progress: Progress, *, kept: bool = False) -> Plan:
    """
    What to do about *dues* (`entitlement.entitlement`); *kept*: the seller has money for them. A letter in doubt counts
    as not left: settle it first where this plan mails another one. Raises PaymentUndone.
    """
    all_dues = tuple(dues)
    access = tuple(due for due in all_dues if due.standing is Standing.ACCESS)
    if progress.delivered_at is not None:
        todo = _after_delivery(all_dues, access, progress, kept=kept)
    elif access:
        letter = Said(Kind.DELIVERY, ids(access))
        todo = Plan(Step.DELIVER, State.DELIVERED, _why_not_all(all_dues), access, letter)
    elif all(due.why is Why.GIVEN_ALREADY for due in all_dues):
        todo = Plan(Step.NOTHING, State.NOT_OURS, all_dues[0].why if all_dues else Why.NO_LINE_OF_OURS)
    elif (missing := _first(all_dues, Standing.NOTHING_YET)) is None:
        todo = _without_access(all_dues, progress, kept=kept)
    elif missing.why is Why.PAYMENT_FAILED and progress.told is not Told.PAYMENT_FAILED:
        letter = Said(Kind.PAYMENT_FAILED, ids(all_dues))
        todo = Plan(Step.TELL_FAILURE, State.WAITING, missing.why, letter=letter)
    else:
        todo = Plan(Step.WAIT, State.WAITING, missing.why)
    return replace(todo, dues=all_dues)


def ids(dues: Iterable[Due]) -> tuple[str, ...]:
    """The ids of the lines."""
    return tuple(due.line.id for due in dues)


def _after_delivery(dues: tuple[Due, ...], access: tuple[Due, ...], progress: Progress, *, kept: bool) -> Plan:
    if not dues:
        raise PaymentUndone("none of the lines that were delivered is in the order any more")
    given = [due for due in dues if due.line.id in progress.given]
    if (missing := _first(given, Standing.NOTHING_YET)) is not None:
        raise PaymentUndone(f"the order was delivered, and now it is {missing.why}")
    if not access:
        return _without_access(dues, progress, kept=kept)
    due = frozenset(ids(access))
    letter = _news(dues, access, progress)
    step = Step.NOTHING
    if letter is not None or due != set(progress.given) or due != set(progress.holds):
        step = Step.CHANGE
    if progress.closed_at is not None or progress.switching or progress.told is not Told.ACCESS:
        step = Step.REOPEN
    return Plan(step, State.DELIVERED, _why_not_all(dues), access, letter)


def _news(dues: tuple[Due, ...], access: tuple[Due, ...], progress: Progress) -> Said | None:
    """What to tell a buyer who should have *access*; None when nothing of it is news."""
    if progress.told is not Told.ACCESS:
        # “The link in our earlier letter” says nothing to who may not have it: a second one is better than none.
        return Said(Kind.DELIVERY if progress.unsure else Kind.ACCESS_BACK, ids(access))
    added = [due for due in access if due.line.id not in progress.given]
    # What ran out by itself did so when the letter had said.
    gone = [
        due
        for due in dues
        if due.line.id in progress.given and due.standing is not Standing.ACCESS and due.why is not Why.EXPIRED
    ]
    if not added and not gone:
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
    if why is Why.EXPIRED and progress.delivered_at is not None:
        return Plan(Step.NOTHING, state, why)
    to_close = progress.share_id is not None and (progress.closed_at is None or progress.switching)
    # Who was never mailed a link is told why none comes, as long as the money is kept; and who was told, what is true.
    waits = progress.delivered_at is not None or kept or progress.told in (Told.ON_HOLD, Told.ENDED)
    to_tell = waits and progress.told is not told
    about = [due for due in dues if due.line.id in progress.given] or dues
    lines = ids(due for due in about if not held or due.standing is Standing.ON_HOLD) or ids(dues)
    letter = Said(kind, lines, str(why)) if to_tell else None
    return Plan(Step.CLOSE if to_close or to_tell else Step.NOTHING, state, why, letter=letter)


def _first(dues: Sequence[Due], standing: Standing) -> Due | None:
    return next((due for due in dues if due.standing is standing), None)
