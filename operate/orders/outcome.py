"""What came of a wish, as the order's row tells it. Pure, but for the waiting."""

from collections.abc import Callable
from dataclasses import dataclass

from operate.orders.ledger import Row
from paidshare.states import State
from paidshare.wishes import Wants

MAILED = "mailed"
_EVERY_S = 1.0

_STANDS = {
    State.NEW: "nobody has looked at the order yet",
    State.WAITING: "there is nothing to deliver yet",
    State.NOT_OURS: "nothing in the order is delivered by us",
    State.ELSEWHERE: "the order is kept under another id",
    State.DELIVERED: "the order is delivered",
    State.ACCESS_ON_HOLD: "access is on hold",
    State.ACCESS_ENDED: "access has ended",
    State.ON_HOLD: "the order waits for a person",
}
"""How an order stands, by its state."""

_GOOD = {
    Wants.END: (State.ACCESS_ENDED, State.WAITING),
    Wants.HOLD: (State.ACCESS_ON_HOLD, State.ACCESS_ENDED, State.WAITING),
    Wants.RESTORE: (State.DELIVERED, State.WAITING),
}
"""The states of an order for which it came about: what is not paid yet is ended before it begins."""

_NOTHING = {
    Wants.RESEND: "nothing was mailed",
    Wants.EXTEND: "nothing was extended",
    Wants.RESTORE: "nothing was restored",
}


@dataclass(frozen=True, slots=True)
class Came:
    """Whether it came about, and in words what did."""

    good: bool
    words: str
    outcome: str


def came_of(wants: Wants, wish: str, *, before: Row | None, now: Row) -> Came | None:
    """
    What came of *wish* (its notice's event id); None when nothing did yet.

    *before* is the order's row as it was when the wish was made, *now* as it is: that an order waits for a person
    counts only when somebody looked at it since.
    """
    if now.text("resent") == wish:
        # A Deliver that knows no outcomes writes a wish down only when it has mailed.
        return _answered(wants, now.text("resent_outcome") or MAILED)
    looked_at = before is None or now.claims > before.claims
    if now.state == State.ON_HOLD and looked_at and not now.in_work:
        stands = f"the order waits for a person ({now.reason})"
        return Came(good=False, words=f"{_nothing(wants)}: {stands}; see `why`", outcome=f"on_hold:{now.reason}")
    return None


def _answered(wants: Wants, outcome: str) -> Came:
    if outcome == MAILED:
        return Came(good=True, words="The link was mailed. `why` tells what SES says of the letter.", outcome=outcome)
    state = outcome.partition(":")[0]
    if state in State and State(state) in _GOOD.get(wants, ()):
        return Came(good=True, words=f"Done: {in_words(outcome)}.", outcome=outcome)
    return Came(good=False, words=f"{_nothing(wants)}: {in_words(outcome)}", outcome=outcome)


def _nothing(wants: Wants) -> str:
    return _NOTHING.get(wants, "nothing came of it")


def waited(
    look: Callable[[], Came | None], *, seconds: float, monotonic: Callable[[], float], sleep: Callable[[float], None]
) -> Came | None:
    """What *look* finds within *seconds*, asked once a second; None when that is nothing."""
    until = monotonic() + seconds
    while (came := look()) is None and (left := until - monotonic()) > 0:
        sleep(min(_EVERY_S, left))
    return came


def in_words(outcome: str) -> str:
    """`<state>:<reason>` in words; a newer Deliver's own, where it is of another form."""
    state, _, reason = outcome.partition(":")
    told = _STANDS[State(state)] if state in State else state.replace("_", " ")
    return f"{told} ({reason.replace('_', ' ')})" if reason else told
