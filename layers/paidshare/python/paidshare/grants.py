"""What the buyer of an order was given: the share, and what it holds line by line. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from paidshare.orders import Line


@dataclass(frozen=True, slots=True)
class Grant:
    """
    What the buyer was given of one line: goods (`nodes` of `workspace`), until when their share works, and since when
    it is taken back (None while it is not). Until `access_until` the buyer may have it made anew, None for life. What
    the product says later changes nothing of it.
    """

    line: str
    until: datetime
    workspace: str
    nodes: tuple[str, ...]
    closed_at: datetime | None = None
    access_until: datetime | None = None

    def resumed_until(self, now: datetime) -> datetime:
        """Until when the line lasts if it is open from *now* on: the time while it was taken back does not count."""
        return self.until if self.closed_at is None else self.until + (now - self.closed_at)

    def resumed(self, now: datetime) -> "Grant":
        """Open from *now* on, for the time that was left."""
        left, until = self.access_until, self.resumed_until(now)
        return replace(self, until=until, closed_at=None, access_until=left and left + (until - self.until))

    def lasts(self, now: datetime) -> bool:
        """Whether the buyer may still have what has run out by itself made anew."""
        return self.access_until is None or self.access_until > now


type Grants = tuple[Grant, ...]


def opened(grants: Grants, lines: Iterable[str], *, at: datetime) -> Grants:
    """With *lines* open from *at* on, for the time that each had left."""
    due = frozenset(lines)
    return tuple(one.resumed(at) if one.line in due else one for one in grants)


def taken_back(grants: Grants, lines: Iterable[str], *, now: datetime) -> Grants:
    """With *lines* taken back at *now*, as far as they have not run out before."""
    gone = frozenset(lines)
    return tuple(
        replace(one, closed_at=now) if one.line in gone and one.closed_at is None and one.until > now else one
        for one in grants
    )


def renewed(grants: Grants, new: Iterable[Grant], *, now: datetime) -> Grants:
    """With the *new* ones, for lines that had none, or whose own has run out."""
    live = {grant.line for grant in grants if grant.closed_at is not None or grant.until > now}
    added = {grant.line: grant for grant in new if grant.line not in live}
    return tuple(({grant.line: grant for grant in grants} | added).values())


def prolonged(grants: Grants, until: Mapping[str, datetime], *, now: datetime) -> Grants:
    """With the lines that are open, and are in *until*, given until then at least."""
    return tuple(
        _given_until(one, max(one.until, until.get(one.line, one.until)))
        if one.closed_at is None and one.until > now
        else one
        for one in grants
    )


def _given_until(grant: Grant, until: datetime) -> Grant:
    """An operator may give more than the product says: access lasts as long as its share does, at least."""
    ends = grant.access_until
    return replace(grant, until=until, access_until=ends and max(ends, until))


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

    def without_what_ran_out(self, lines: Iterable[Line], now: datetime, *, lasting: bool = False) -> "Promise":
        """
        The promise as if what was bought once, and has run out by itself, had not been given yet. *lasting*: only that
        of which the buyer still has access.
        """
        kept = [(line, grant) for line in lines if (grant := self.of(line.id)) is not None]
        left = (
            grant
            for line, grant in kept
            if line.period_end is not None or grant.closed_at or grant.until > now or (lasting and not grant.lasts(now))
        )
        return replace(self, grants=tuple(left))

    def lasts(self, line: Line, now: datetime) -> bool:
        """Whether the buyer may have the line made anew when it has run out: a subscription's ends with its period."""
        grant = None if self.grants is None else self.of(line.id)
        return grant is not None and line.period_end is None and grant.lasts(now)

    def over(self, now: datetime) -> bool:
        """Whether all that was given has run out by itself."""
        if self.grants is None:
            return self.closed_at is None and self.until <= now
        return all(grant.closed_at is None and grant.until <= now for grant in self.grants)


@dataclass(frozen=True, slots=True)
class KnownShare:
    """
    The order's share as we know it: `ends_at` is the end that we gave it, `closed_at` since when access is taken back,
    for which it is archived.

    `gone`: there is none now, because it was not made yet, has run out, or made room for another; the next one is made
    when it is asked for, as the next `generation` (the name of a deleted one may stay taken). `spare_since`: no letter
    promises this one, so it may make room; it was asked for last at that moment.

    `holds` are the ids of the lines that it is filled with, none when that is in doubt. `switching` is written down
    before it is closed or opened, and gone after: what a crash or a lost answer leaves there is in doubt, and is done
    again.

    Raises ValueError for a share without an id, and naive moments.
    """

    id: str
    ends_at: datetime
    holds: tuple[str, ...] = ()
    closed_at: datetime | None = None
    switching: bool = False
    generation: int = 0
    gone: bool = False
    spare_since: datetime | None = None

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a share without an id")
        for moment in (self.ends_at, self.closed_at, self.spare_since):
            if moment is not None:
                check_aware(moment)

    @property
    def may_be_open(self) -> bool:
        return not self.gone and (self.closed_at is None or self.switching)

    @property
    def may_be_closed(self) -> bool:
        return self.closed_at is not None or self.switching

    def works(self, now: datetime) -> bool:
        """Whether whoever has its link gets in, as far as anybody knows."""
        return not self.gone and not self.may_be_closed and self.ends_at > now

    @property
    def next_generation(self) -> int:
        """What a share is that is made for the order now, where this one is gone."""
        return self.generation + 1

    def deleting(self) -> "KnownShare":
        """About to be deleted at Fast.io; `deleted` when it is."""
        return replace(self, switching=True, holds=())

    def deleted(self) -> "KnownShare":
        """Gone for good from Fast.io; what was promised of it stays."""
        return replace(self, gone=True, switching=False, holds=(), spare_since=None)


UNMADE = "0"
"""The id of a share that was never made."""


def unmade(ends_at: datetime) -> KnownShare:
    """The share of an order that is delivered by its page: made when the buyer asks."""
    return KnownShare(UNMADE, ends_at, generation=-1, gone=True)


def check_aware(moment: datetime) -> None:
    """Raises ValueError for a naive *moment*."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
