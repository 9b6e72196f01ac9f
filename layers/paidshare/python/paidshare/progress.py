"""How far an order has come, and what is next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from paidshare.entitlement import Due, Promise, Standing, Why
from paidshare.errors import PaymentUndone

_CLOCKS_APART = timedelta(seconds=5)
_THE_LINK = "delivery"
"""`letters.Kind.DELIVERY`; said here, so that whoever reads progress need not load the templates."""


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


@dataclass(frozen=True, slots=True)
class Progress:
    """
    What was done for one order. Holds no personal data, no link, and nothing that a link could be made of.

    `account` is the connected account it belongs to.

    Of the share: `closed_at` is since when it is archived; `holds` are the ids of the lines that it is filled with,
    none when that is in doubt. `switching` is written down before it is closed or opened, and gone after: what a crash
    or a lost answer leaves there is in doubt, and is done again.

    Of the buyer: `lines` are the ids of the order's lines that are ours, settled when the link was mailed
    (`delivered_at`); `given` are those of them that the buyer was last told to have, `told` what the last letter said.
    `mailing` is the kind of a letter that is about to leave, written down at `mailing_at`, before it leaves; it is gone
    again when `mailed_at` and `message_id` are written. What is left there is the one doubt that only SES settles:
    `sent_at` is its own word of the last letter that it sent.

    `resent` is the event id of the operator's last wish to mail the link once more that was answered, and
    `resent_outcome` what came of it: `mailed`, or why nothing was.

    `next_end` is when the first of the lines that the share holds ends; the sweep asks for a look then.

    `unseen`: the sweep found the order, and the ledger had never heard of it. The ledger shows `sent_at`
    and how often the order was claimed (`claims`), and never writes them from here.
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
    given: tuple[str, ...] = ()
    told: Told | None = None
    mailing: str | None = None
    mailing_at: datetime | None = None
    mailed_at: datetime | None = None
    message_id: str | None = None
    delivered_at: datetime | None = None
    resent: str | None = None
    resent_outcome: str | None = None
    next_end: datetime | None = None
    unseen: bool = False
    sent_at: datetime | None = None
    claims: int = field(default=0, compare=False)

    @property
    def promise(self) -> Promise | None:
        """What the buyer was given; None before the link was mailed."""
        if self.delivered_at is None or self.share_expires_at is None:
            return None
        return Promise(self.lines, self.share_expires_at, self.closed_at)

    @property
    def believed(self) -> Told | None:
        """What the buyer believes; None while a letter is in doubt that would have changed it."""
        return self.told if self.mailing in (None, _THE_LINK) else None

    @property
    def link_may_be_out(self) -> bool:
        """Whether the buyer has the link, or may have it: a crash can leave the first letter in doubt."""
        return self.delivered_at is not None or self.mailing == _THE_LINK

    def has_left(self, kind: str) -> bool:
        """Whether the letter in doubt is of *kind*, and SES says that it was sent."""
        if self.mailing != kind or self.sent_at is None or self.mailing_at is None:
            return False
        # SES's clock is not ours. Where another letter left a moment before, its word may be about that one.
        close = self.mailed_at is not None and self.mailing_at - self.mailed_at < 2 * _CLOCKS_APART
        return self.sent_at >= self.mailing_at - (timedelta() if close else _CLOCKS_APART)


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
    The one step that takes an order to what is due, and the state it is in then, because *why*.

    `access` are the lines that the buyer should have.
    """

    step: Step
    state: State
    why: Why | None = None
    access: tuple[Due, ...] = ()

    @property
    def until(self) -> datetime:
        """
        An order has one share, which stays open as long as its longest line: nobody loses a file early because of what
        else was in the cart. Raises ValueError when there is no access.
        """
        return max(due.until for due in self.access if due.until is not None)


def plan(dues: Sequence[Due], progress: Progress) -> Plan:
    """What to do about *dues* (`entitlement.entitlement`). Raises PaymentUndone."""
    access = tuple(due for due in dues if due.standing is Standing.ACCESS)
    if progress.delivered_at is not None:
        return _after_delivery(dues, access, progress)
    if access:
        return Plan(Step.DELIVER, State.DELIVERED, _why_not_all(dues), access)
    if not dues:
        return Plan(Step.NOTHING, State.NOT_OURS, Why.NO_LINE_OF_OURS)
    missing = _first(dues, Standing.NOTHING_YET)
    if missing is None:
        return _without_access(dues, progress)
    failed = missing.why is Why.PAYMENT_FAILED and progress.told is not Told.PAYMENT_FAILED
    return Plan(Step.TELL_FAILURE if failed else Step.WAIT, State.WAITING, missing.why)


def _after_delivery(dues: Sequence[Due], access: tuple[Due, ...], progress: Progress) -> Plan:
    if not dues:
        raise PaymentUndone("none of the lines that were delivered is in the order any more")
    given = [due for due in dues if due.line.id in progress.given]
    if (missing := _first(given, Standing.NOTHING_YET)) is not None:
        raise PaymentUndone(f"the order was delivered, and now it is {missing.why}")
    if not access:
        return _without_access(dues, progress)
    due = {due.line.id for due in access}
    step = Step.NOTHING
    if due != set(progress.given) or due != set(progress.holds):
        step = Step.CHANGE
    if progress.closed_at is not None or progress.switching or progress.believed is not Told.ACCESS:
        step = Step.REOPEN
    return Plan(step, State.DELIVERED, _why_not_all(dues), access)


def _why_not_all(dues: Sequence[Due]) -> Why | None:
    """Why one of the lines is without access, where another has it."""
    without = _first(dues, Standing.ENDED) or _first(dues, Standing.ON_HOLD)
    return without.why if without else None


def _without_access(dues: Sequence[Due], progress: Progress) -> Plan:
    held = _first(dues, Standing.ON_HOLD)
    state, told = (State.ACCESS_ON_HOLD, Told.ON_HOLD) if held else (State.ACCESS_ENDED, Told.ENDED)
    why = (held or _first(dues, Standing.ENDED) or dues[0]).why
    to_close = progress.share_id is not None and (progress.closed_at is None or progress.switching)
    to_tell = progress.link_may_be_out and progress.believed is not told
    return Plan(Step.CLOSE if (to_close or to_tell) and why is not Why.EXPIRED else Step.NOTHING, state, why)


def _first(dues: Sequence[Due], standing: Standing) -> Due | None:
    return next((due for due in dues if due.standing is standing), None)
