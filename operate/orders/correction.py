"""
A buyer's corrected address, written down once: on the order at Stripe.

Nowhere else, because queue, ledger and logs hold no personal data (docs/decisions/0021).
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import stripe

from paidshare.payments_stripe import CORRECTED_ADDRESS, StripeAccess

_LAPTOP = ("127.0.0.1", "::1", "localhost")


class CorrectedBefore(Exception):
    """The order has another corrected address already."""


def is_safe_base(api_base: str) -> bool:
    """Whether a key that may write can be shown to *api_base*."""
    return api_base.startswith("https://") or urlsplit(api_base).hostname in _LAPTOP


@contextmanager
def unwarned() -> Iterator[None]:
    """For what is written at Stripe: the SDK hands httpx the form as text, which httpx would rather have otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def write(access: StripeAccess, order_id: str, address: str, *, account: str | None, replace: bool) -> bool:
    """
    Make *address* the one that the order's letters go to → whether it was not before.

    *account* is the connected account that the order belongs to. Raises CorrectedBefore unless *replace*; and
    OrderUnknown, StripeUnavailable.
    """
    options: stripe.RequestOptions = {"stripe_account": account} if account else {}

    def asked(client: stripe.StripeClient) -> bool:
        orders = client.v1.invoices if order_id.startswith("in_") else client.v1.checkout.sessions
        found = orders.retrieve(order_id, {}, options).to_dict()
        before = (found["metadata"] or {}).get(CORRECTED_ADDRESS)
        if before == address:
            return False
        if before and not replace:
            raise CorrectedBefore
        with unwarned():
            orders.update(order_id, {"metadata": {CORRECTED_ADDRESS: address}}, options)
        return True

    return access.answer(order_id, asked)
