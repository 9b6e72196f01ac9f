"""How far an order has come: the values of its row in the ledger. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from paidshare.grants import Grant, KnownShare, Promise, check_aware, opened, prolonged, renewed, taken_back
from paidshare.retries import Late, PutOff
from paidshare.states import TELLS, Kind, State, Told
from paidshare.wishes import Answered, Correction, Ruling

_CLOCKS_APART = timedelta(seconds=5)

_REMEMBERED = 10
"""
So many answered wishes an order remembers: SQS may hand a message over once more at any time within its 14 days, and
nobody asks for more of one order in that time.
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a letter says: its kind, of which lines (their ids), and why. Two that say the same are one letter."""

    kind: str
    lines: tuple[str, ...] = ()
    why: str | None = None


@dataclass(frozen=True, slots=True)
class LetterInFlight:
    """
    A letter that is about to leave: written down at `at`, before it leaves, and gone when what came of it is known.
    What is left there is the one doubt that only SES settles.

    Raises ValueError for a kind of letter that there is not, and a naive `at`.
    """

    said: Said
    at: datetime

    def __post_init__(self) -> None:
        Kind(self.said.kind)
        check_aware(self.at)

    @property
    def mark(self) -> str:
        """What SES's events call the letter."""
        return str(int(self.at.timestamp()))

    def is_what(self, sent: "SentLetter", *, before: datetime | None) -> bool:
        """Whether it is this letter that SES *sent*; *before* is when the last one left."""
        # Two letters of an order may leave within the second that a mark names.
        if sent.kind not in (None, self.said.kind):
            return False
        if sent.mark is not None:
            return sent.mark == self.mark
        # A letter of a version that did not mark it. SES's clock is not ours; and where another letter left a moment
        # before, its word may be about that one.
        close = before is not None and self.at - before < 2 * _CLOCKS_APART
        return sent.at >= self.at - (timedelta() if close else _CLOCKS_APART)


@dataclass(frozen=True, slots=True)
class SentLetter:
    """SES's own word of the last letter that it sent: when, which one (`mark`) and of what kind, as far as it said."""

    at: datetime
    mark: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class LastLetter:
    """
    What the buyer was told last, and knows to have: the lines `given` (their ids).

    `mailed_at` and `message_id` are of the letter that said so; None where nobody could be mailed. `unheard`: it counts
    as left without SES's word, because another letter was to follow; until one has left, nothing counts as told.
    `unsure`: so does the link's letter, and the link goes into the next letter that gives access.

    Raises ValueError for a message without a moment, and a naive moment.
    """

    told: Told
    given: tuple[str, ...] = ()
    mailed_at: datetime | None = None
    message_id: str | None = None
    unsure: bool = False
    unheard: bool = False

    def __post_init__(self) -> None:
        if self.mailed_at is not None:
            check_aware(self.mailed_at)
        elif self.message_id is not None:
            raise ValueError("a letter that has a message id left at some time")


@dataclass(frozen=True, slots=True)
class Progress:
    """
    What was done for one order. Holds no personal data, no link, and nothing that a link could be made of.

    `account` is the connected account it belongs to. `lines` are the ids of the order's lines that are ours, settled
    when the link was first mailed (`delivered_at`), and `grants` what each of them was given.

    `next_end` is when the first of the lines that the share holds ends; the sweep asks for a look then. `case_told_at`
    is when a person was last told of what the order is on hold for. `ruling` is what the seller rules about access,
    `correction` the buyer's word on where letters go, `twice_of` an order of the same buyer and product just before,
    `answered` are the operator's last wishes that were answered, the youngest last, `put_off` is why nobody has come to
    the end of the order yet; `late` stays only where it was told. `seen_until` is how far, by Stripe's own clock
    (`Order.as_of`), a look was last finished.

    `unseen`: the sweep found the order, and the ledger had never heard of it. SES's word (`sent`), how often the order
    was claimed (`claims`) and since when it is known (`first_seen_at`) are the ledger's, and not written from here.
    """

    state: State = State.NEW
    reason: str | None = None
    account: str | None = None
    payment_intent: str | None = None
    share: KnownShare | None = None
    lines: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    delivered_at: datetime | None = None
    last_letter: LastLetter | None = None
    in_flight: LetterInFlight | None = None
    sent: SentLetter | None = None
    ruling: Ruling | None = None
    answered: tuple[Answered, ...] = ()
    correction: Correction | None = None
    twice_of: str | None = None
    put_off: PutOff | None = None
    late: Late | None = None
    next_end: datetime | None = None
    case_told_at: datetime | None = None
    seen_until: datetime | None = None
    unseen: bool = False
    first_seen_at: datetime | None = field(default=None, compare=False)
    claims: int = field(default=0, compare=False)

    @property
    def promise(self) -> Promise | None:
        """What the buyer was given; None before the link was mailed."""
        if self.delivered_at is None or self.share is None:
            return None
        return Promise(self.lines, self.share.ends_at, self.share.closed_at, self.grants or None)

    @property
    def told(self) -> Told | None:
        """What the buyer believes; None before the first letter."""
        return None if self.last_letter is None else self.last_letter.told

    def knows(self, what: Told) -> bool:
        """Whether the buyer was told so last, as far as anybody knows."""
        return self.last_letter is not None and self.last_letter.told is what and not self.last_letter.unheard

    @property
    def given(self) -> tuple[str, ...]:
        """The lines (their ids) that the buyer was last told to have."""
        return () if self.last_letter is None else self.last_letter.given

    @property
    def last_message_id(self) -> str | None:
        """The provider's id of the last letter that left, None where nobody knows it."""
        return next((one.message_id for one in (self.last_letter, self.late) if one and one.message_id), None)

    @property
    def told_late(self) -> bool:
        """Whether the buyer was told that the link comes late."""
        return self.late is not None and self.late.told_at is not None

    @property
    def holds(self) -> tuple[str, ...]:
        """The lines (their ids) that the share is filled with; none where there is no share, or that is in doubt."""
        return () if self.share is None else self.share.holds

    @property
    def has_left(self) -> bool:
        """Whether SES says that the letter in flight was sent."""
        before = self.last_letter.mailed_at if self.last_letter else None
        return self.in_flight is not None and self.sent is not None and self.in_flight.is_what(self.sent, before=before)

    def with_letter(self, said: Said, *, now: datetime) -> "Progress":
        """With a letter that says so about to leave."""
        return replace(self, in_flight=LetterInFlight(said, now))

    def after_letter(self, *, at: datetime | None = None, message_id: str | None = None) -> "Progress":
        """
        With the letter in flight counted as left, *at* (or when SES says) under *message_id*: what the buyer believes,
        and has from then on.
        """
        letter, before = self.in_flight, self.last_letter
        if letter is None:
            return self
        when = at or (self.sent.at if self.sent and self.has_left else letter.at)
        kind = Kind(letter.said.kind)
        unheard = at is None and not self.has_left
        unsure = unheard if kind is Kind.DELIVERY else before is not None and before.unsure
        told = LastLetter(TELLS[kind], self.given, when, message_id, unsure, unheard)
        if told.told is not Told.ACCESS:
            return replace(self, in_flight=None, last_letter=told)
        # A row of an earlier version does not say what its letter in doubt is about: all of it, then.
        lines = letter.said.lines or self.given or self.lines
        return replace(
            self.opened(lines, at=letter.at),
            in_flight=None,
            last_letter=replace(told, given=lines),
            delivered_at=self.delivered_at or when,
            unseen=False,
        )

    def opened(self, lines: Iterable[str], *, at: datetime) -> "Progress":
        """With *lines* open from *at* on, for the time that each had left."""
        return replace(self, grants=opened(self.grants, lines, at=at))

    def taken_back(self, lines: Iterable[str], *, now: datetime) -> "Progress":
        """With *lines* taken back at *now*, as far as they have not run out before."""
        return replace(self, grants=taken_back(self.grants, lines, now=now))

    def granting(self, new: Iterable[Grant], *, now: datetime) -> "Progress":
        """
        With the *new* grants, for lines that had none, or whose own has run out; before the link was ever mailed, for
        all.
        """
        return replace(self, grants=tuple(new) if self.delivered_at is None else renewed(self.grants, new, now=now))

    def prolonged(self, until: Mapping[str, datetime], *, now: datetime) -> "Progress":
        """With the lines in *until* that are open given until then at least."""
        return replace(self, grants=prolonged(self.grants, until, now=now))

    def has_answered(self, event_id: str) -> bool:
        """Whether the wish of that event was answered."""
        return any(one.event_id == event_id for one in self.answered)

    def answering(self, event_id: str, outcome: str) -> "Progress":
        """With the wish of that event answered."""
        earlier = tuple(replace(one, outcome=None) for one in self.answered)
        return replace(self, answered=(*earlier, Answered(event_id, outcome))[-_REMEMBERED:])

    def closing(self, *, now: datetime) -> "Progress":
        """With the share about to be archived, if there is one; `closed` when it is."""
        share = self.share
        if share is None:
            return self
        return replace(self, share=replace(share, switching=not share.gone, closed_at=share.closed_at or now))

    def closed(self) -> "Progress":
        """With the share archived, as `closing` said."""
        return self if self.share is None else replace(self, share=replace(self.share, switching=False))
