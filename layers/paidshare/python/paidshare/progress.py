"""How far an order has come, and what is next. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from paidshare.entitlement import Access, Entitlement, NotOurs


class State(StrEnum):
    """The order as the ledger's reader sees it."""

    NEW = "new"
    WAITING = "waiting"
    """Known, but there is nothing to deliver yet (not paid)."""
    NOT_OURS = "not_ours"
    """Nothing in it is delivered by us."""
    DELIVERED = "delivered"
    ON_HOLD = "on_hold"
    """Needs a person: `Progress.reason` says why."""


@dataclass(frozen=True, slots=True)
class Progress:
    """
    What was done for one order. Holds no personal data and no link.

    `mailing_at` is written before the letter leaves and `mailed_at` after it: a gap between the two is the one
    doubt that a crash can leave.
    """

    state: State = State.NEW
    reason: str | None = None
    payment_intent: str | None = None
    share_id: str | None = None
    share_name: str | None = None
    share_expires_at: datetime | None = None
    mailing_at: datetime | None = None
    mailed_at: datetime | None = None
    message_id: str | None = None


class Step(StrEnum):
    """What is to be done next."""

    DELIVER = "deliver"
    """Open the share and send the letter."""
    WAIT = "wait"
    CLOSE = "close"
    """Nothing in it is ours."""
    NOTHING = "nothing"
    """It was delivered."""


def next_step(due: Entitlement) -> Step:
    """The one step that takes an order without a letter to what is *due*."""
    if isinstance(due, Access):
        return Step.DELIVER
    return Step.CLOSE if isinstance(due, NotOurs) else Step.WAIT
