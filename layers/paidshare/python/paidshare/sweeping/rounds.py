"""What a round of the sweep finds, where it stopped, and which of it is due. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from paidshare.progress import Progress
from paidshare.states import State, Why

STALE = timedelta(hours=1)
"""An order that nobody touched for this long is nobody's work any more: Deliver comes back to it sooner by itself."""

_SOON = timedelta(minutes=15)
"""Once before that, so that a buyer whose order waits for a person is told that it is late (docs/decisions/0059)."""

LOOKED_AT_EVERY = timedelta(days=1)
"""So often an order whose link is open is looked at in any case: what made no event at all is found then."""

_PART_OF_ITS_AGE = 8
_AT_LEAST_EVERY = timedelta(days=3)
_GIVEN_UP_AFTER = timedelta(days=35)  # Longer than Stripe lists its events (30 days, docs.stripe.com/api/events).
_KEPT_AFTER_EXPIRY = timedelta(minutes=10)  # Our clock and Fast.io's are apart, and a download may be under way.
_KEPT_AFTER_CLOSING = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """
    An order that the ledger does not call settled, and since when. `touched_at` is when anybody last worked on it, or
    asked.
    """

    order_id: str
    account: str | None
    since: datetime
    touched_at: datetime

    def given_up(self, now: datetime) -> bool:
        """Whether it is too old for news that no event would bring. What waits for a person is never given up."""
        return now - self.since > _GIVEN_UP_AFTER

    def due(self, now: datetime) -> bool:
        """
        Whether to ask for it again: after a quarter of an hour, after an hour, and with its age ever less often.

        Some fifty times in all, instead of 840: each is a call to Stripe, and what nobody mended for weeks can wait
        for hours.
        """
        if self.touched_at - self.since < _SOON:
            return now - self.touched_at >= _SOON
        return now - self.touched_at >= max(STALE, min((now - self.since) / _PART_OF_ITS_AGE, _AT_LEAST_EVERY))


@dataclass(frozen=True, slots=True)
class Listed:
    """
    An order in one of Stripe's lists, or what leads to one (a payment). `at` is when it was paid, or else made, as far
    as Stripe says.
    """

    order_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Page[T]:
    """A page of a list of Stripe's, newest first. `after` is where the next one begins, None on the last."""

    items: tuple[T, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class ListedShare:
    """
    A share that says which order it is for; `order_id` is None where only the share itself says so, and not the list,
    `archived` where it does not say. `at` is its place on the page.
    """

    id: str
    name: str | None
    order_id: str | None
    expires_at: datetime | None
    archived: bool | None
    at: int = field(default=0, compare=False)

    def shut(self, now: datetime) -> bool:
        """Whether nobody with the link gets in."""
        return bool(self.archived) or (self.expires_at is not None and self.expires_at <= now)


@dataclass(frozen=True, slots=True)
class SharePage:
    """A page of Fast.io's list of shares. `size` counts all that are on it, `shares` are those of orders."""

    shares: tuple[ListedShare, ...]
    size: int
    more: bool


@dataclass(frozen=True, slots=True)
class Known:
    """
    What the ledger says of an order that has a share: as in `Progress`, `until` is when it promised to close it, and
    `touched_at` when anybody last looked at the order.
    """

    state: State
    share_id: str | None
    closed_at: datetime | None
    reason: str | None = None
    until: datetime | None = None
    next_end: datetime | None = None
    touched_at: datetime | None = None

    @classmethod
    def of(cls, progress: Progress) -> "Known":
        share = progress.share
        return cls(
            state=progress.state,
            share_id=share.id if share else None,
            closed_at=share.closed_at if share else None,
            reason=progress.reason,
            until=share.ends_at if share else None,
            next_end=progress.next_end,
        )

    def is_due(self, now: datetime) -> bool:
        """Whether an order with an open link is to be looked at: one of its lines has ended, or nobody did for long."""
        ended = self.next_end is not None and self.next_end <= now
        return ended or (self.touched_at is not None and now - self.touched_at >= LOOKED_AT_EVERY)


class Fate(StrEnum):
    """What becomes of a share."""

    KEEP = "keep"
    CLOSE = "close"
    DELETE = "delete"


def fate(share: ListedShare, order: Known, *, now: datetime) -> Fate:
    """
    What the share of *order* has come to: a Fast.io plan allows 100 to 1,000 shares, and those that nobody can open
    count, too.

    Where access was taken back it may be given back (a refund can fail, a dispute be won): it stays for a day, and as
    long as the order is only on hold; after that access comes back with a share of the next generation. A link that ran
    out by itself has nothing to close: one that is open still was prolonged by a person. What the ledger promises for
    longer than Fast.io has it stays, too. Where a share does not say whether it is archived the ledger does.
    """
    taken_back = order.state in (State.ACCESS_ENDED, State.ACCESS_ON_HOLD) and order.reason != Why.EXPIRED
    untold = share.archived is None and order.closed_at is not None and taken_back
    if not share.shut(now) and not untold:
        return Fate.CLOSE if taken_back else Fate.KEEP
    if order.closed_at is not None:
        over = now - order.closed_at > _KEPT_AFTER_CLOSING
    else:
        promised = order.until is not None and order.until > now
        over = share.expires_at is not None and now - share.expires_at > _KEPT_AFTER_EXPIRY and not promised
    return Fate.DELETE if over and order.state is not State.ACCESS_ON_HOLD else Fate.KEEP


@dataclass(frozen=True, slots=True)
class Pass:
    """
    One way through a list, from its newest entry to those made at `since`, with all before `after` done (None: nothing
    yet).
    """

    began: datetime
    since: datetime
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """
    Where the sweep is in one list, which it goes through again and again.

    `going` is the pass under way, if there is one; `reached` is when the last one began that came to the end.
    """

    going: Pass | None = None
    reached: datetime | None = None

    def next_pass(self, *, now: datetime, reach: timedelta, overlap: timedelta) -> Pass:
        """
        The pass to go on with: the one under way, else one that goes back to the beginning of the last one and
        *overlap* further, but never more than *reach*.
        """
        since = now - reach if self.reached is None else max(now - reach, self.reached - overlap)
        return self.going or Pass(began=now, since=since)

    def moved(self, going: Pass, after: str | None) -> "Track":
        """With all of *going* before *after* done; None when that is all."""
        if after is None:
            return Track(reached=going.began)
        return Track(Pass(going.began, going.since, after), self.reached)


type Place = Mapping[str, Track]
"""Where the sweep is in each list, by the list's name."""
