"""What delivering needs from outside."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from paidshare.orders import Goods, Letter, Order, Share, ShareFile, ShareRequest

type Live = Callable[[Sequence[str]], Collection[str]]
"""Of some orders (their ids), those that the ledger still has something open for. Raises LedgerUnavailable."""


def none_live(order_ids: Sequence[str]) -> Collection[str]:
    """`Live` of a shop that has delivered nothing yet."""
    del order_ids
    return ()


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

    def withdraw(self, share_id: str) -> None:
        """
        Delete the share for good: whoever has its link has nothing any more. One that is gone already is left so.

        Raises ShareRefused, FastioUnavailable.
        """

    def was_opened(self, share_id: str) -> bool | None:
        """
        Whether somebody has opened a file of the share, as far as Fast.io says by now, also of one that is gone; None
        where it does not let us see that. Raises FastioUnavailable.
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
        first letter is mailed, or when it should hold other goods than it does. Where the request's share does not
        exist any more, the next one is made under its `next_name`.

        Safe to call any number of times: the request's share, or one that exists under its name, is checked to be this
        order's, rid of what is not wanted, given the request's end (unless a person prolonged it), and only then
        unarchived and completed: at no moment does the link open what it should not. It is returned with the end that
        Fast.io has for it. Files are checked before anything is made, so a missing one leaves no share behind. No call
        is begun after *deadline*; what is done is kept.
        Raises FileMissing, ShareRefused, ShareTaken, PlanFull, FastioUnavailable, OutOfTime.
        """

    def files(self, goods: tuple[Goods, ...], *, deadline: datetime | None = None) -> tuple[ShareFile, ...]:
        """
        The files that a share of *goods* would have, as they are in Fast.io now. Makes nothing. Raises FileMissing,
        ShareRefused, FastioUnavailable, OutOfTime.
        """

    def strip(
        self, share_id: str, *, gone: tuple[Goods, ...], kept: tuple[Goods, ...], deadline: datetime | None = None
    ) -> None:
        """
        Take out of the share what *gone* is and *kept* is not, where not all of *kept* is there any more to fill it
        with. Where nobody can tell what went, all goes that is not known to stay; where nobody can tell either, the
        share is closed. Safe to repeat. Raises ShareRefused, FastioUnavailable, OutOfTime.
        """


class Room(Protocol):
    """Where the Fast.io plan is full."""

    def make(self, order_id: str, *, now: datetime) -> bool:
        """
        Whether there is room now for a share of the order: one that no letter promises was deleted. Raises
        FastioUnavailable, LedgerUnavailable.
        """


class Purchases(Protocol):
    """Who bought what lately, under marks that name nobody; kept for a day or two."""

    def __call__(self, mark: str, order_id: str, at: datetime, within: timedelta) -> str | None:
        """
        Another order than *order_id* that bought what *mark* stands for, at most *within* before or after *at*; else
        None, and from now on it is *order_id* that did. Safe to repeat. Raises LedgerUnavailable.
        """


def remembers_none(mark: str, order_id: str, at: datetime, within: timedelta) -> str | None:
    """`Purchases` of a shop that has no memory of them."""
    del mark, order_id, at, within
    return None


type PageOf = Callable[[str, int], str]
"""Where an order's page is, by its id and the edition of its tokens: never logged. Raises SecretUnavailable."""


class Mailer(Protocol):
    """Letters out."""

    def send(self, letter: Letter, *, order_id: str) -> str:
        """Send *letter*, return the provider's message id. Raises LetterRejected, MailUnavailable."""
