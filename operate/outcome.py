"""What came of a wish to mail a link once more, as the order's row tells it. Pure, but for the waiting."""

from collections.abc import Callable
from dataclasses import dataclass

from operate.ledger import Row
from paidshare.states import State

_MAILED = "mailed"
_EVERY_S = 1.0

_NOTHING = {
    State.NEW: "nobody has looked at the order yet",
    State.WAITING: "there is nothing to deliver yet",
    State.NOT_OURS: "nothing in the order is delivered by us",
    State.ELSEWHERE: "the order is kept under another id",
    State.DELIVERED: "the order is delivered",
    State.ACCESS_ON_HOLD: "access is on hold",
    State.ACCESS_ENDED: "access has ended",
    State.ON_HOLD: "the order waits for a person",
}
"""Why no link left, by the state that the order is in."""


@dataclass(frozen=True, slots=True)
class Came:
    """Whether a letter left, and in words what came of the wish."""

    mailed: bool
    words: str


def came_of(wish: str, *, before: Row, now: Row) -> Came | None:
    """
    What came of *wish* (its notice's event id); None when nothing did yet.

    *before* is the order's row as it was when the wish was made, *now* as it is: that an order waits for a person
    counts only when somebody looked at it since.
    """
    if now.resent == wish:
        # A Deliver that knows no outcomes writes a wish down only when it has mailed.
        outcome = now.resent_outcome or _MAILED
        if outcome == _MAILED:
            return Came(mailed=True, words="The link was mailed once more. `show` tells what SES says of the letter.")
        return Came(mailed=False, words=f"nothing was mailed: {_words(outcome)}")
    if now.state == State.ON_HOLD and now.claims > before.claims and not now.in_work:
        return Came(mailed=False, words=f"nothing was mailed: the order waits for a person ({now.reason}); see `dead`")
    return None


def waited(
    look: Callable[[], Came | None], *, seconds: float, monotonic: Callable[[], float], sleep: Callable[[float], None]
) -> Came | None:
    """What *look* finds within *seconds*, asked once a second; None when that is nothing."""
    until = monotonic() + seconds
    while (came := look()) is None and (left := until - monotonic()) > 0:
        sleep(min(_EVERY_S, left))
    return came


def _words(outcome: str) -> str:
    """`<state>:<reason>` in words; a newer Deliver's own, where it is of another form."""
    state, _, reason = outcome.partition(":")
    told = _NOTHING[State(state)] if state in State else state.replace("_", " ")
    return f"{told} ({reason.replace('_', ' ')})" if reason else told
