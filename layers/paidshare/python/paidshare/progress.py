"""How far an order has come: the values of its row in the ledger. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from paidshare.letter_kinds import Kind
from paidshare.orders import Line

_CLOCKS_APART = timedelta(seconds=5)


class Why(StrEnum):
    """The reason, for the log, the ledger and the letter."""

    NO_LINE_OF_OURS = "no_line_of_ours"

    CHECKOUT_OPEN = "checkout_open"
    NO_INVOICE = "no_invoice"
    NOT_PAID = "not_paid"
    PAYMENT_FAILED = "payment_failed"
    SUBSCRIPTION_NOT_ACTIVE = "subscription_not_active"

    PAID = "paid"

    DISPUTED = "disputed"
    FRAUD_WARNING = "fraud_warning"
    SUBSCRIPTION_PAUSED = "subscription_paused"
    SUBSCRIPTION_UNPAID = "subscription_unpaid"

    GIVEN_ALREADY = "given_already"
    """Another order of the same subscription gives it, for the same time: one more seat, say."""

    EXPIRED = "expired"
    REFUNDED = "refunded"
    PARTLY_REFUNDED = "partly_refunded"
    CREDITED = "credited"
    """The plan was changed, and what was not used of this one was given back."""
    SUBSCRIPTION_CHANGED = "subscription_changed"
    """The plan was changed, and what is new of it is there already."""
    DISPUTE_LOST = "dispute_lost"
    SUBSCRIPTION_CANCELED = "subscription_canceled"


@dataclass(frozen=True, slots=True)
class Grant:
    """
    What the buyer was given of one line: goods (`nodes` of `workspace`), until when, and since when it is taken back
    (None while it is not). What the product says later changes nothing of it.
    """

    line: str
    until: datetime
    workspace: str
    nodes: tuple[str, ...]
    closed_at: datetime | None = None

    def resumed_until(self, now: datetime) -> datetime:
        """Until when the line lasts if it is open from *now* on: the time while it was taken back does not count."""
        return self.until if self.closed_at is None else self.until + (now - self.closed_at)


@dataclass(frozen=True, slots=True)
class Promise:
    """
    What the buyer was given: the ids of the lines that are ours, and until when their link works.

    `closed_at` is when access was taken back; None while it is open. `grants` say the same of each line by itself;
    rows of versions before they were written have none, and `until` for all.
    """

    lines: tuple[str, ...]
    until: datetime
    closed_at: datetime | None = None
    grants: tuple[Grant, ...] | None = None

    def of(self, line_id: str) -> Grant | None:
        """What was given of the line; None when it has never been given."""
        if self.grants is None:
            return Grant(line_id, self.until, "", (), self.closed_at)
        return next((grant for grant in self.grants if grant.line == line_id), None)

    def without_what_ran_out(self, lines: Iterable[Line], now: datetime) -> "Promise":
        """The promise as if what was bought once, and has run out by itself, had not been given yet."""
        kept = [(line, grant) for line in lines if (grant := self.of(line.id)) is not None]
        left = (grant for line, grant in kept if line.period_end is not None or grant.closed_at or grant.until > now)
        return replace(self, grants=tuple(left))

    def over(self, now: datetime) -> bool:
        """Whether all that was given has run out by itself."""
        if self.grants is None:
            return self.closed_at is None and self.until <= now
        return all(grant.closed_at is None and grant.until <= now for grant in self.grants)


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


TELLS = {
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
        told = TELLS[Kind(self.mailing)]
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
