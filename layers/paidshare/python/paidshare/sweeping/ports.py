"""What sweeping needs from outside."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from paidshare.notices import Notice
from paidshare.ports import Clock, Ledger, LinkKey, ReconcileQueue
from paidshare.sweeping.rounds import Known, Listed, ListedShare, Page, Place, SharePage, Unsettled

type Received = Callable[[Notice], bool]
"""Whether the front door took this event's notice. Raises LedgerUnavailable."""


class OrderIndex(Protocol):
    """The ledger as the sweep reads it: many orders at a time. Every call raises LedgerUnavailable."""

    def unsettled(self, *, before: datetime) -> Iterator[Unsettled]:
        """The orders that are not settled and were last touched before *before*, the longest untouched first."""

    def known(self, order_ids: Iterable[str]) -> Mapping[str, Known]:
        """Those of the orders that the ledger has, by id."""

    def touch(self, order: Unsettled, *, now: datetime) -> None:
        """Write down that somebody asked for *order* at *now*, unless somebody touched it since it was read."""

    def give_up(self, order: Unsettled) -> None:
        """*order* counts as settled until somebody works on it again. Not if somebody touched it since it was read."""


class StripeLists(Protocol):
    """
    What Stripe lists of the seller's own account, newest first, made at *since* (aware) or later, from *after* on.

    Every call raises StripeUnavailable, and OrderUnknown when Stripe refuses the question, as it does an *after* that
    it does not know (any more).
    """

    def sessions(self, *, since: datetime, after: str | None) -> Page[Listed]:
        """The Checkout Sessions that were completed and are orders. A subscription's order is its invoice."""

    def invoices(self, *, since: datetime, after: str | None) -> Page[Listed]:
        """The invoices that were paid."""

    def happened(self, types: Sequence[str], *, since: datetime, after: str | None) -> Page[Notice]:
        """The events of these *types* (at most 20), whether any endpoint has taken them or not."""

    def returned(self, kind: str, *, since: datetime, after: str | None) -> Page[Listed]:
        """
        Money that went back, or may: *kind* is `refunds`, `disputes`, `credit_notes` or `warnings`. Each is named by
        what leads to its order.
        """


class ShareListing(Protocol):
    """All shares of our Fast.io account. Every call raises FastioUnavailable, and ShareRefused or FileMissing."""

    def page(self, start: int, workspace: str | None = None) -> SharePage:
        """
        A page of the list of shares, from the *start*-th on (0 is the first): of those that are not archived, or of the
        archived ones of *workspace*. `look` says whose each is, where the list does not.
        """

    def next_workspace(self, after: str | None = None) -> str | None:
        """The workspace whose list comes after that of *after*, or is the first; None when there is none."""

    def look(self, share_id: str) -> ListedShare | None:
        """The share as it is now; None when it is gone, or of no order."""

    def delete(self, share_id: str) -> None:
        """Delete the share for good. One that is gone already is no error."""


class Checkpoint(Protocol):
    """The sweep's place, and whose turn it is. Every call raises LedgerUnavailable."""

    def take_up(self, *, holder: str, now: datetime, until: datetime) -> Place:
        """The place, for *holder* alone until *until*. Raises RoundBusy."""

    def keep(self, place: Place, *, holder: str) -> None:
        """Write the place down. Raises RoundBusy when another holder has it."""

    def put_down(self, *, holder: str) -> None:
        """Let the next round have it. Nothing happens when another holder has it."""


class ShareCloser(Protocol):
    """What sweeping does to a share that may come back."""

    def close(self, share_id: str) -> None:
        """See `delivering.ports.Shares`."""


def _nobody_knows(notice: Notice) -> bool:
    del notice
    return False


@dataclass(frozen=True, slots=True)
class SweepPorts:
    """
    Everything a round needs from outside. `received` tells which events need not be taken in; `warnings` whether early
    fraud warnings hold access.
    """

    checkpoint: Checkpoint
    index: OrderIndex
    ledger: Ledger
    lists: StripeLists
    share_listing: ShareListing
    shares: ShareCloser
    queue: ReconcileQueue
    link_key: LinkKey
    clock: Clock
    received: Received = field(default=_nobody_knows)
    warnings: bool = False
