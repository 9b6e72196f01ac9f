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
    """The truth at Stripe."""

    def order(self, order_id: str, *, account: str | None = None) -> Order:
        """The order with all its lines. Raises OrderUnknown, StripeUnavailable."""


class Shares(Protocol):
    """Fast.io shares."""

    def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
        """
        The order's share, live, with exactly the files of its goods. Call it only before the letter is mailed.

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
