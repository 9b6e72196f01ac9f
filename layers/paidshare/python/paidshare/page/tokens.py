"""
An order's page: its address, with a token that nobody can make, read or guess, and the cookie of who came from
Checkout. Pure.

A token is the order's id, sealed (`sealing`). So one order's token is always the same, and a letter that is read by
somebody else does not tell the Checkout Session's id, which is worth more here.
"""

import re
from enum import StrEnum

from paidshare import sealing
from paidshare.ports import LinkKey

_ORDER = re.compile(r"(?:cs|in)_[A-Za-z0-9_]{1,200}", re.ASCII)
_SESSION = re.compile(r"cs_(?:test|live)_[A-Za-z0-9]{1,200}", re.ASCII)


class Purpose(StrEnum):
    """What a token opens. Each has keys of its own: none does for another."""

    PAGE = "page"
    """Looking at the page, and asking for the share: in every letter."""
    CHECKOUT = "checkout"
    """The same, without it in the address: in the cookie of who came from Checkout."""
    FORM = "form"
    """Posting a form of the page: in the page itself."""


def is_session_id(text: str) -> bool:
    """Whether *text* has the form of a Checkout Session's id."""
    return _SESSION.fullmatch(text) is not None


EDITIONS = (0, 1)
"""Those of an order's tokens: before its address was corrected, and since. Neither does for the other."""


def token(link_key: str, order_id: str, purpose: Purpose = Purpose.PAGE, edition: int = 0) -> str:
    """
    The token, 24 to 400 characters that a URL and a cookie take as they are.

    Raises ValueError for an id that no order has, SecretUnavailable for a *link_key* that could be guessed.
    """
    if _ORDER.fullmatch(order_id) is None:
        raise ValueError("no order has such an id")
    return sealing.sealed(link_key, _use(purpose, edition), order_id.encode())


def opened(link_key: str, text: str, purpose: Purpose = Purpose.PAGE, edition: int = 0) -> str | None:
    """
    The order that the token *text* is for; None for what `token` did not make with this key. Raises SecretUnavailable.
    """
    plain = sealing.opened(link_key, _use(purpose, edition), text)
    return None if plain is None else plain.decode()


def address(base: str, link_key: LinkKey, order_id: str, edition: int = 0) -> str:
    """Where the order's page is: never logged. *base* is what all pages are under. Raises like `token`."""
    return f"{base.rstrip('/')}/{token(link_key(), order_id, edition=edition)}"


def _use(purpose: Purpose, edition: int) -> str:
    return f"{purpose}:{edition}" if edition else purpose
