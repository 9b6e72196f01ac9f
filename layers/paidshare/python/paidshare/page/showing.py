"""What the ledger knows of an order → which of eight pages its buyer sees. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from paidshare.grants import KnownShare
from paidshare.progress import Progress
from paidshare.states import State, Why


class Shows(StrEnum):
    """The eight pages: each is a sentence and one action."""

    PREPARING = "preparing"
    READY = "ready"
    BANK = "bank"
    FAILED = "failed"
    ON_HOLD = "on_hold"
    ENDED = "ended"
    RAN_OUT = "ran_out"
    PERSON = "person"

    @property
    def moves(self) -> bool:
        """Whether something else is to be seen soon, so that it is looked for."""
        return self in (Shows.PREPARING, Shows.BANK)


@dataclass(frozen=True, slots=True)
class Showing:
    """
    Which page, and why (the value of a `Why`). `share_id` is of the share that is to be opened there, None where it is
    made when the buyer asks. `since` is when a person was told. `stamp` is another one whenever the page would be.
    """

    shows: Shows
    why: str | None = None
    share_id: str | None = None
    since: datetime | None = None

    @property
    def stamp(self) -> str:
        return f"{self.shows}.{self.why or ''}.{self.share_id or ''}"


def showing(progress: Progress | None, *, now: datetime, asked: bool = False) -> Showing | None:
    """
    Which page is shown of an order; None for one that has nothing of ours. *asked*: the buyer has just asked for a
    share, which is made within seconds.
    """
    if progress is None:
        return Showing(Shows.PREPARING)
    if (share := _filled(progress, now)) is not None:
        return Showing(Shows.READY, share_id=share.id)
    match progress.state:
        case State.NOT_OURS | State.ELSEWHERE:
            found = None
        case State.NEW:
            found = Showing(Shows.PREPARING)
        case State.WAITING:
            found = _waiting(progress)
        case State.ACCESS_ON_HOLD:
            found = Showing(Shows.ON_HOLD, progress.reason)
        case State.ACCESS_ENDED if progress.reason != Why.EXPIRED:
            found = Showing(Shows.ENDED, progress.reason)
        case State.ACCESS_ENDED:
            found = _run_out(progress, now=now, asked=asked)
        case State.ON_HOLD if not _has_access(progress, now):
            found = Showing(Shows.PERSON, since=progress.case_told_at)
        case _:
            found = _given(progress, now=now, asked=asked)
    return found


def _waiting(progress: Progress) -> Showing:
    shown = {Why.PAYMENT_FAILED: Shows.FAILED, Why.NOT_PAID: Shows.BANK}
    return Showing(shown.get(Why(progress.reason), Shows.PREPARING) if progress.reason else Shows.PREPARING)


def _run_out(progress: Progress, *, now: datetime, asked: bool) -> Showing:
    if not any(grant.lasts(now) for grant in progress.grants):
        return Showing(Shows.ENDED, Why.EXPIRED)
    return Showing(Shows.PREPARING if asked else Shows.RAN_OUT)


def _filled(progress: Progress, now: datetime) -> KnownShare | None:
    """
    The share that the first letter tells of: it has all that is granted, and whether that letter leaves, is refused or
    is in doubt changes nothing of it. None once the letter has left, and while access is known to be taken back: what
    was refunded before that letter, and then was not after all, is open again with it.
    """
    share = progress.share
    is_taken_back = progress.state in (State.ACCESS_ENDED, State.ACCESS_ON_HOLD)
    if share is None or progress.delivered_at is not None or is_taken_back:
        return None
    has_all = share.holds and set(share.holds) == {one.line for one in progress.grants}
    return share if share.works(now) and has_all else None


def _given(progress: Progress, *, now: datetime, asked: bool) -> Showing:
    share = progress.share
    if share is None or progress.delivered_at is None or (share.may_be_closed and not share.gone):
        # In the middle of something: a share that is being made, closed or opened.
        return Showing(Shows.PREPARING)
    if not _has_access(progress, now):
        return _run_out(progress, now=now, asked=asked)
    if share.gone or share.ends_at <= now:
        return Showing(Shows.PREPARING if asked else Shows.READY)
    return Showing(Shows.READY, share_id=share.id)


def _has_access(progress: Progress, now: datetime) -> bool:
    """Whether a line is open. A row of a version that wrote down no grants says only when its share ends."""
    if progress.delivered_at is None or progress.share is None or progress.share.closed_at is not None:
        return False
    if not progress.grants:
        return progress.share.ends_at > now
    return any(grant.closed_at is None and grant.until > now for grant in progress.grants)
