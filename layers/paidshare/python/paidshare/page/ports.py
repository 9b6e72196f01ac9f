"""What the page needs from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from paidshare.grants import Grants
from paidshare.orders import Order
from paidshare.ports import Clock, LinkKey, ReconcileQueue
from paidshare.progress import Progress
from paidshare.storefront.languages import SOURCE


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the order: `size` in bytes and `sha256` in hex, None where Fast.io does not say."""

    name: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A share as Fast.io has it: its link, its end, and what is in it."""

    link: str
    ends_at: datetime | None
    files: tuple[PageFile, ...]


class Ledger(Protocol):
    """What was done for each order. Raises LedgerUnavailable."""

    def seen(self, order_id: str) -> Progress | None:
        """The order's progress; None for one that the ledger has never heard of."""


class MailLog(Protocol):
    """What became of each order's letters. Raises LedgerUnavailable."""

    def facts(self, order_id: str) -> Mapping[str, datetime]:
        """
        When a letter was last `sent`, `delivered`, `delayed`, `bounced`, `complained`, `rejected`, as far as SES said.
        """


class Payments(Protocol):
    """The truth at Stripe."""

    def order(self, order_id: str, *, account: str | None = None) -> Order:
        """See `delivering.ports.Payments`."""


class ShareFiles(Protocol):
    """What buyers can open. Every call raises FastioUnavailable, and ShareRefused or FileMissing."""

    def inside(self, share_id: str) -> Opened | None:
        """The share, if whoever has its link gets in; None when it is gone, archived or barred."""

    def of(self, grants: Grants) -> tuple[PageFile, ...]:
        """The files that a share of *grants* would have."""


@dataclass(frozen=True, slots=True)
class Ports:
    """
    Everything a page needs from outside. `path` is what all pages are under, as a browser asks for it,
    `language` (of `languages.LANGUAGES`) the shop's own.
    """

    ledger: Ledger
    mail_log: MailLog
    payments: Payments
    share_files: ShareFiles
    queue: ReconcileQueue
    link_key: LinkKey
    clock: Clock
    path: str
    secure: bool = True
    language: str = SOURCE
