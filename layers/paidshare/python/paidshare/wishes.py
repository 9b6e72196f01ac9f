"""
What an operator, or the buyer on the order's page, may wish of an order, as a notice's `why`, and what stands in the
ledger of it. Pure.

A wish goes through the queue like any other notice, and is fulfilled by a look at its order, once
(docs/decisions/0030-wishes-go-through-the-queue.md).
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from paidshare.notices import RESEND, Notice
from paidshare.states import Standing

MOST_DAYS = 365


class Wants(StrEnum):
    """The kinds of wishes: the word that begins a notice's `why`."""

    RESEND = RESEND
    """Mail the link once more."""
    EXTEND = "operator.extend"
    """Have the link work for some days from now on, at least, and mail it."""
    END = "operator.end"
    """No access, until it is restored."""
    HOLD = "operator.hold"
    """No access for now, until it is restored."""
    RESTORE = "operator.restore"
    """The last `END` or `HOLD` holds no longer: what is due is what Stripe says."""
    OPEN = "buyer.open"
    """Have a share of what the buyer has access to, made anew where there is none. Asked for as often as one likes."""
    CORRECT = "buyer.correct"
    """Have all letters from now on go to another address, and nothing be had by what the old one got. Once."""


_RULES = {Wants.END: Standing.ENDED, Wants.HOLD: Standing.ON_HOLD, Wants.RESTORE: Standing.ACCESS}
_WHY = re.compile(
    r"(?P<wants>(?:operator|buyer)\.[a-z]+)(?::(?:(?P<days>[0-9]{1,3})|(?P<sealed>[A-Za-z0-9_-]{64,240})))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Ruling:
    """
    What the seller rules about an order, since *at*: `ENDED` and `ON_HOLD` whatever Stripe says, and with `ACCESS` what
    Stripe says. The latest holds; no event, sweep or replay undoes it.
    """

    standing: Standing
    at: datetime


@dataclass(frozen=True, slots=True)
class Renewal:
    """
    A wish for a link: what was bought once, and has run out by itself, is given again, for its days; or *until* a
    moment, to which what is live is given at least. A buyer's (`by_buyer`) is heard as long as there is access.
    """

    until: datetime | None = None
    by_buyer: bool = False


class Refused(StrEnum):
    """Why an address is not corrected from the order's page."""

    OPENED = "opened"
    """Fast.io knows of somebody who opened a file of the share."""
    NOT_KNOWN = "not_known"
    """Fast.io does not let us see whether anybody did."""


@dataclass(frozen=True, slots=True)
class Correction:
    """
    The buyer's own word, *at* a moment and once, on where letters go: *to* an address, sealed for its order
    (`storefront.addresses`); None where that was *refused*. `withdrawing`: what the old address got may still open the
    share.
    """

    at: datetime
    to: str | None = None
    refused: Refused | None = None
    withdrawing: bool = False


def edition(correction: Correction | None) -> int:
    """Which tokens open an order's page: those in letters to the old address do no longer, once it is corrected."""
    return 0 if correction is None or correction.to is None else 1


@dataclass(frozen=True, slots=True)
class Answered:
    """
    A wish (its event id) that was answered, and what came of it: `mailed`, or `<state>:<reason>` of the order; None
    where only that it was answered is remembered.
    """

    event_id: str
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """
    One wish, made at *at*. `days` is how long the link is to work, for `EXTEND` alone, and `sealed` the address, for
    `CORRECT`.
    """

    event_id: str
    wants: Wants
    at: datetime
    days: int | None = None
    sealed: str | None = None

    @property
    def mails(self) -> bool:
        """Whether it is for a letter with the link."""
        return self.wants in (Wants.RESEND, Wants.EXTEND)

    @property
    def ruling(self) -> Ruling | None:
        """What it rules; None for a wish that rules nothing."""
        return Ruling(_RULES[self.wants], self.at) if self.wants in _RULES else None

    def until(self, now: datetime) -> datetime | None:
        """Until when, at least, the link is to work; None for a wish that says nothing of it."""
        return None if self.days is None else now + timedelta(days=self.days)


def why(wants: Wants, days: int | None = None, sealed: str | None = None) -> str:
    """The `why` of the notice that carries the wish. Raises ValueError for what no wish can have."""
    if (days is not None) is not (wants is Wants.EXTEND) or (days is not None and not 1 <= days <= MOST_DAYS):
        raise ValueError(f"{wants} for {days} days")
    if (sealed is not None) is not (wants is Wants.CORRECT):
        raise ValueError(f"{wants} of an address")
    said = sealed if days is None else days
    return wants if said is None else f"{wants}:{said}"


def of(notice: Notice) -> Wish | None:
    """The wish that *notice* carries; None for any other notice, and for what `why` did not write."""
    read = _WHY.fullmatch(notice.why)
    if read is None or read["wants"] not in Wants:
        return None
    wants, days, sealed = Wants(read["wants"]), None if read["days"] is None else int(read["days"]), read["sealed"]
    try:
        why(wants, days, sealed)
    except ValueError:
        return None
    return Wish(notice.event_id, wants, notice.at, days, sealed)


def named(text: str) -> str:
    """The notice's `why` as it may be logged: without a sealed address."""
    read = _WHY.fullmatch(text)
    return read["wants"] if read is not None and read["sealed"] else text
