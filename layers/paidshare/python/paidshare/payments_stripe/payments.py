"""Orders as Stripe has them now: the port `Payments` on Stripe's API, at the SDK's pinned version."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from ssl import SSLContext
from time import monotonic

import stripe

from paidshare.delivering.ports import Live, none_live
from paidshare.errors import OrderUnknown
from paidshare.orders import Order
from paidshare.payments_stripe.access import StripeAccess
from paidshare.payments_stripe.account import StripeAccount
from paidshare.payments_stripe.search import OrderSearch

# An id becomes part of a path, an account's a header, so what could lead elsewhere never gets that far.
_ORDER_ID = re.compile(r"(cs|in)_[A-Za-z0-9_]{1,250}")
_ABOUT = re.compile(r"(cs|in|pi|ch|py|re|pyr|du|dp|issfr|sub|cn)_[A-Za-z0-9_]{1,250}")
_ACCOUNT = re.compile(r"acct_[A-Za-z0-9_]{1,250}")
_WORD = re.compile(r"[A-Za-z0-9_]+")


class StripePayments:
    """
    Asks Stripe about one order at a time: one call for the usual sale, more only for what the answer leads to.

    `fraud_warnings`: early fraud warnings are asked for too, for one more call per payment; the key has to be allowed
    to read them. The other arguments are `StripeAccess`'s, and its promises hold here, too.
    """

    def __init__(
        self,
        *,
        api_key: Callable[[], str],
        api_base: str,
        timeout_s: float = 10.0,
        fraud_warnings: bool = False,
        tls: SSLContext | None = None,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        self._access = StripeAccess(api_key=api_key, api_base=api_base, timeout_s=timeout_s, tls=tls)
        self._fraud_warnings = fraud_warnings
        self._monotonic = monotonic

    def close(self) -> None:
        """Give the connections back."""
        self._access.close()

    def order(self, order_id: str, *, account: str | None = None) -> Order:
        """
        The order (a Checkout Session or an invoice) as it is now, of the connected *account* if there is one.

        Raises OrderUnknown when Stripe has no such order for our key or refuses the question, and
        StripeUnavailable when it cannot be asked now, its limit is reached, or it refuses our key.
        """
        _check(order_id, _ORDER_ID, "order")
        is_invoice = order_id.startswith("in_")
        _check_account(account)

        def order(client: stripe.StripeClient) -> Order:
            asked = StripeAccount(client, account, fraud_warnings=self._fraud_warnings)
            began = self._monotonic()
            found = asked.invoice(order_id) if is_invoice else asked.session(order_id)
            # Nothing was read before the first question was sent.
            took = timedelta(seconds=self._monotonic() - began)
            return found if asked.said_at is None else replace(found, as_of=asked.said_at - took)

        return self._access.answer(order_id, order)

    def orders_of(
        self, about: str, *, now: datetime, account: str | None = None, live: Live = none_live
    ) -> tuple[str, ...]:
        """
        The ids of the orders that *about* belongs to, empty when Stripe knows of none (yet).

        Asks nothing about a session or an invoice, which are orders; the invoice that Checkout wrote for a session is
        found out by `order`. Raises like `order`.
        """
        _check(about, _ABOUT, "id that leads to an order")
        if _ORDER_ID.fullmatch(about):
            return (about,)
        _check_account(account)
        return self._access.answer(
            about, lambda client: OrderSearch(client, account).orders_of(about, now=now, live=live)
        )


def _check_account(account: str | None) -> None:
    if account is not None:
        _check(account, _ACCOUNT, "account")


def _check(given: str, form: re.Pattern[str], what: str) -> None:
    """Raises OrderUnknown for what cannot be an id of Stripe's."""
    if not form.fullmatch(given):
        shown = given if _WORD.fullmatch(given) else "an id with other characters"
        raise OrderUnknown(f"no {what} at Stripe: {shown[:80]}")
