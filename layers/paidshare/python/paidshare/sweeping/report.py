"""What a round of the sweep needs from outside, and what comes of each of its parts."""

from collections.abc import Iterable
from dataclasses import dataclass

from paidshare.errors import NeedsAPerson, TryAgain


@dataclass(slots=True)
class Part:
    """
    What came of one part of a round, for the log.

    Of what it `saw` it `asked` for some orders, and `closed` and `deleted` some shares; `on_hold` wait for a person;
    `missed` are events of sales that should have come; `refused` says which shares Fast.io would not let it look at or
    tidy. `finished`: it came to the end; else the next round goes on. `trouble` is why not.
    """

    name: str
    saw: int = 0
    asked: int = 0
    closed: int = 0
    deleted: int = 0
    on_hold: int = 0
    missed: int = 0
    refused: tuple[str, ...] = ()
    finished: bool = False
    trouble: TryAgain | NeedsAPerson | None = None


_COMPARED = ("sessions", "invoices")


def drift(parts: Iterable[Part]) -> int | None:
    """
    How many orders Stripe lists and the ledger does not have, and how many events of sales never came; None when that
    was not, or could not be, found out.
    """
    sound = [part for part in parts if part.trouble is None]
    compared = [part for part in sound if part.name in _COMPARED]
    found = sum(part.asked for part in compared) + sum(part.missed for part in sound)
    return found if len(compared) == len(_COMPARED) else None


def on_hold(parts: Iterable[Part]) -> int | None:
    """How many orders wait for a person; None when not all were seen."""
    return next((part.on_hold for part in parts if part.name == "unsettled" and part.finished), None)
