"""The outside, as Paidshare needs it. Each port has one adapter here and one in-memory fake in tests/fakes.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

# For the type checker only: Receive takes two ports, and must not load the values of all the others when it starts.
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from paidshare.mail_events import MailEvent
    from paidshare.notices import Notice
    from paidshare.orders import Goods, Letter, Order, Share, ShareRequest
    from paidshare.progress import Progress
    from paidshare.rounds import Known, Listed, Page, Place, Shelf, Shelved, Unsettled
    from paidshare.secret import Secret

type Clock = Callable[[], datetime]
"""Now, aware UTC."""

type LinkKey = Callable[[], str]
"""The secret's `link_key`, which names the shares. Raises SecretUnavailable."""


type Live = Callable[[Sequence[str]], Collection[str]]
"""Of some orders (their ids), those that the ledger still has something open for. Raises LedgerUnavailable."""


def none_live(order_ids: Sequence[str]) -> Collection[str]:
    """`Live` of a shop that has delivered nothing yet."""
    del order_ids
    return ()


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

    def orders_of(
        self, about: str, *, now: datetime, account: str | None = None, live: Live = none_live
    ) -> tuple[str, ...]:
        """
        The ids of the orders that *about* belongs to, empty when Stripe knows of none (yet).

        *about* is an order (answered as it is, without asking), a payment, charge, refund, dispute, early fraud warning
        or credit note, or a subscription: of that, the paid invoices whose period is not over at *now*, and those,
        however old, that are *live*. An old one that is not is none of ours: a shop may be older than its Paidshare.
        Raises OrderUnknown when Stripe does not know *about* itself, StripeUnavailable, and what *live* raises.
        """


class Shares(Protocol):
    """Fast.io shares."""

    def find(self, request: ShareRequest) -> Share | None:
        """
        The order's share (the request's, else the one under its name) as it is, with the files that are in it; None
        when there is none.

        Changes nothing. Raises ShareTaken when it is another order's, ShareRefused, FastioUnavailable.
        """

    def close(self, share_id: str) -> None:
        """
        Archive the share: its link dies at once. One that is archived or gone already is left as it is.

        Raises ShareRefused, FastioUnavailable.
        """

    def reopen(self, share_id: str, *, until: datetime) -> datetime | None:
        """
        Un-archive the share as it was left, open until *until* (aware); the end that Fast.io has for it then, None when
        it is gone.

        Safe to repeat. Raises ShareRefused when only a person can open it again, FastioUnavailable.
        """

    def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
        """
        The order's share, live, with exactly the files of its goods as they are in Fast.io now. Call it before the
        first letter is mailed, or when it should hold other goods than it does.

        Safe to call any number of times: the request's share, or one that exists under its name, is checked to be this
        order's, rid of what is not wanted, given the request's end (unless a person prolonged it), and only then
        unarchived and completed: at no moment does the link open what it should not. It is returned with the end that
        Fast.io has for it. Files are checked before anything is made, so a missing one leaves no share behind. No call
        is begun after *deadline*; what is done is kept.
        Raises FileMissing, ShareRefused, ShareTaken, FastioUnavailable, OutOfTime.
        """

    def strip(
        self, share_id: str, *, gone: tuple[Goods, ...], kept: tuple[Goods, ...], deadline: datetime | None = None
    ) -> None:
        """
        Take out of the share what *gone* is and *kept* is not, where not all of *kept* is there any more to fill it
        with. Where nobody can tell what went, all goes that is not known to stay; where nobody can tell either, the
        share is closed. Safe to repeat. Raises ShareRefused, FastioUnavailable, OutOfTime.
        """


class Mailer(Protocol):
    """Letters out."""

    def send(self, letter: Letter, *, order_id: str) -> str:
        """Send *letter*, return the provider's message id. Raises LetterRejected, MailUnavailable."""


class Ledger(Protocol):
    """What was done for each order, and who is working on it."""

    def claim(self, order_id: str, *, holder: str, now: datetime) -> Progress:
        """
        Take the order's lease and return what was done so far. *holder* may take it again while it has it.

        Raises OrderBusy, LedgerUnavailable.
        """

    def record(self, order_id: str, progress: Progress, *, holder: str, now: datetime) -> None:
        """Write *progress* while holding the lease. Raises OrderBusy if it was lost, LedgerUnavailable."""

    def release(self, order_id: str, progress: Progress, *, holder: str, now: datetime, done: bool = True) -> None:
        """
        Write *progress* and give the lease back. Unless all is *done*, the order stays one that the sweep asks for.

        Raises like `record`.
        """

    def live(self, order_ids: Sequence[str], *, now: datetime) -> Collection[str]:
        """
        Those of the orders that are not over: not settled, or with an open share. Raises LedgerUnavailable.
        """


class OrderBook(Protocol):
    """The ledger as the sweep reads it: many orders at a time. Every call raises LedgerUnavailable."""

    def unsettled(self, *, before: datetime) -> Iterator[Unsettled]:
        """The orders that are not settled and were last touched before *before*, the longest untouched first."""

    def known(self, order_ids: Iterable[str]) -> Mapping[str, Known]:
        """Those of the orders that the ledger has, by id."""

    def touch(self, order: Unsettled, *, now: datetime) -> None:
        """Write down that somebody asked for *order* at *now*, unless somebody touched it since it was read."""

    def give_up(self, order: Unsettled) -> None:
        """*order* counts as settled until somebody works on it again. Not if somebody touched it since it was read."""


type Received = Callable[[Notice], bool]
"""Whether the front door took this event's notice. Raises LedgerUnavailable."""


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


class Shelves(Protocol):
    """All shares of our Fast.io account. Every call raises FastioUnavailable, and ShareRefused or FileMissing."""

    def shelf(self, start: int) -> Shelf:
        """
        A page of the list of shares, from the *start*-th on (0 is the first). `look` says whose each is, where the list
        does not.
        """

    def look(self, share_id: str) -> Shelved | None:
        """The share as it is now; None when it is gone, or of no order."""

    def delete(self, share_id: str) -> None:
        """Delete the share for good. One that is gone already is no error."""


class LookQueue(Protocol):
    """Where looks at orders are asked for. Every call raises QueueUnavailable."""

    def backlog(self) -> int:
        """About how many messages wait for a worker. Not those that are in work, or put off."""

    def ask(self, notices: Sequence[Notice]) -> None:
        """Queue all of *notices*; when it raises, some of them may be queued."""


class Bookmark(Protocol):
    """The sweep's place, and whose turn it is. Every call raises LedgerUnavailable."""

    def take_up(self, *, holder: str, now: datetime, until: datetime) -> Place:
        """The place, for *holder* alone until *until*. Raises RoundBusy."""

    def keep(self, place: Place, *, holder: str) -> None:
        """Write the place down. Raises RoundBusy when another holder has it."""

    def put_down(self, *, holder: str) -> None:
        """Let the next round have it. Nothing happens when another holder has it."""


class MailLog(Protocol):
    """What became of each order's letters. Every call raises LedgerUnavailable."""

    def note(self, event: MailEvent) -> bool:
        """
        Write *event* down on its order, if the ledger knows the order. False when a person was told of it (`told`).

        Safe to call any number of times and in any order: the newest moment of each fact stays.
        """

    def told(self, event: MailEvent) -> None:
        """Remember that a person was told of *event*."""
