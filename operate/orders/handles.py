"""What somebody calls an order → what it is asked for by. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from paidshare.storefront.addresses import is_address


class By(StrEnum):
    """What kind of name it is."""

    ORDER = "order"
    """An order's own id: of a Checkout Session (`cs_…`) or an invoice (`in_…`)."""
    LEADS_TO = "leads_to"
    """The id of something at Stripe that belongs to an order: a payment, charge, refund, dispute, subscription …"""
    CUSTOMER = "customer"
    EMAIL = "email"
    REFERENCE = "reference"
    """The last eight characters of an order's id, by which a letter names it."""


@dataclass(frozen=True, slots=True)
class Handle:
    by: By
    name: str


# What `StripePayments.orders_of` takes.
_LEADS_TO = re.compile(r"(pi|ch|py|re|pyr|du|dp|issfr|sub|cn)_[A-Za-z0-9_]{1,250}")
_ORDER = re.compile(r"(cs|in)_[A-Za-z0-9_]{1,250}")
_CUSTOMER = re.compile(r"cus_[A-Za-z0-9_]{1,250}")
_REFERENCE = re.compile(r"[A-Za-z0-9_]{8}")
_DASHBOARD = "dashboard.stripe.com"


def read(given: str) -> Handle | None:
    """The handle that *given* is, with what people paste round it; None for what can be none."""
    words = given.strip().strip("<>“”\"'`(),;").removeprefix("mailto:").strip()
    if words.lower().startswith(("https://", "http://")):
        return _on_a_page(words)
    return _id(words) or _email(words) or _reference(words)


def _id(words: str) -> Handle | None:
    for form, by in ((_ORDER, By.ORDER), (_LEADS_TO, By.LEADS_TO), (_CUSTOMER, By.CUSTOMER)):
        if form.fullmatch(words):
            return Handle(by, words)
    return None


def _email(words: str) -> Handle | None:
    return Handle(By.EMAIL, words) if is_address(words) else None


def _reference(words: str) -> Handle | None:
    return Handle(By.REFERENCE, words) if _REFERENCE.fullmatch(words) else None


def _on_a_page(url: str) -> Handle | None:
    """
    What a page of Stripe's dashboard is about: `…/payments/pi_…`, `…/acct_…/test/invoices/in_…`.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.hostname != _DASHBOARD:
        return None
    named = [_id(unquote(segment)) for segment in parts.path.split("/")]
    return next((handle for handle in reversed(named) if handle), None)
