"""The outside, as Paidshare needs it. Each port has one adapter here and one in-memory fake in tests/fakes.py."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from paidshare.notices import Notice
from paidshare.orders import Letter, Order, Share, ShareRequest
from paidshare.progress import Progress
from paidshare.secret import Secret

type Clock = Callable[[], datetime]
"""Now, aware UTC."""

type LinkKey = Callable[[], str]
"""The secret's `link_key`, which names the shares. Raises SecretUnavailable."""


class Vault(Protocol):
    """Where the one secret is."""

    def secret(self) -> Secret:
        """The secret, at most a minute old. Raises SecretUnavailable."""

    def reread(self) -> Secret | None:
        """
        The secret as it is now, or None when it was read afresh a moment ago. Raises SecretUnavailable.

        Asked for when a signature or a key is refused, so that a rotation needs no deploy and no waiting.
        """


class Intake(Protocol):
    """Where verified events become notices on the queue."""

    def take(self, notice: Notice) -> bool:
        """Queue *notice*; False when this event's notice was queued before. Raises QueueUnavailable."""


class Payments(Protocol):
    """The truth at Stripe. *account* is a connected account's id; None asks for the seller's own."""

    def order(self, order_id: str, *, account: str | None = None) -> Order:
        """
        The order (`cs_…` or `in_…`) with its lines, payments and subscription, as they are now.

        Raises OrderUnknown, StripeUnavailable. Where `Order.same_as` is set, the rest may be left out.
        """

    def orders_of(self, about: str, *, now: datetime, account: str | None = None) -> tuple[str, ...]:
        """
        The ids of the orders that *about* belongs to, empty when Stripe knows of none (yet).

        *about* is an order (answered as it is, without asking), a payment, charge, refund, dispute or early fraud
        warning, or a subscription: of that, the paid invoices whose period may still give access at *now*.
        Raises OrderUnknown when Stripe does not know *about* itself, StripeUnavailable.
        """


class Shares(Protocol):
    """Fast.io shares."""

    def close(self, share_id: str) -> None:
        """
        Archive the share: its link dies at once. One that is archived or gone already is left as it is.

        Raises ShareRefused, FastioUnavailable.
        """

    def reopen(self, share_id: str, *, until: datetime) -> bool:
        """
        Un-archive the share as it was left, open until *until* (aware); False when it is gone.

        Safe to repeat. Raises ShareRefused when only a person can open it again, FastioUnavailable.
        """

    def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
        """
        The order's share, live, with exactly the files of its goods as they are in Fast.io now. Call it before the
        first letter is mailed, or when it should hold other goods than it does.

        Safe to call any number of times: a share that exists under the request's name is checked to be this
        order's, unarchived, rid of what is not wanted, completed, and returned with the expiry it already has, put
        off to the request's if it has been waiting for its letter for more than a day. Files are checked before
        anything is made, so a missing one leaves no share behind. No call is begun after *deadline*; what is done
        is kept.
        Raises FileMissing, ShareRefused, ShareTaken, FastioUnavailable, OutOfTime.
        """


class Mailer(Protocol):
    """Letters out."""

    def send(self, letter: Letter, *, order_id: str) -> str:
        """Send *letter*, return the provider's message id. Raises LetterRejected, MailUnavailable."""


class Ledger(Protocol):
    """What was done for each order, and who is working on it."""

    def claim(self, order_id: str, *, holder: str, now: datetime) -> Progress:
        """Take the order's lease and return what was done so far. Raises OrderBusy, LedgerUnavailable."""

    def record(self, order_id: str, progress: Progress, *, holder: str, now: datetime) -> None:
        """Write *progress* while holding the lease. Raises OrderBusy if it was lost, LedgerUnavailable."""

    def release(self, order_id: str, progress: Progress, *, holder: str, now: datetime) -> None:
        """Write *progress* and give the lease back. Raises like `record`."""
