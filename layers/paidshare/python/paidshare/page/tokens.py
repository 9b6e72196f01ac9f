"""
An order's page: its address, with a token that nobody can make, read or guess, and the cookie of who came from
Checkout. Pure.

A token is the order's id, sealed: encrypted and authenticated with HMAC-SHA-256 under keys made of `link_key`, in the
manner of SIV (RFC 5297, section 2.6: the tag of what is sealed is the nonce that it is encrypted with). So one order's
token is always the same, and a letter that is read by somebody else does not tell the Checkout Session's id, which is
worth more here.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum

from paidshare.ports import LinkKey
from paidshare.shares import checked_link_key

_TAG_BYTES = 16
_LONGEST = 255
_ORDER = re.compile(r"(?:cs|in)_[A-Za-z0-9_]{1,200}", re.ASCII)
_SESSION = re.compile(r"cs_(?:test|live)_[A-Za-z0-9]{1,200}", re.ASCII)
_FORM = re.compile(r"[A-Za-z0-9_-]{24,400}", re.ASCII)


class Purpose(StrEnum):
    """What a token opens. Each has keys of its own: none does for another."""

    PAGE = "page"
    """Looking at the page, and asking for the share: in every letter."""
    CHECKOUT = "checkout"
    """Correcting the address: in the cookie of who came from Checkout."""
    FORM = "form"
    """Posting a form of the page: in the page itself."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a token is for: an order, and which edition of its page, as a corrected address makes older ones void."""

    order_id: str
    edition: int = 0


def is_session_id(text: str) -> bool:
    """Whether *text* has the form of a Checkout Session's id."""
    return _SESSION.fullmatch(text) is not None


def token(link_key: str, to: Pass, purpose: Purpose = Purpose.PAGE) -> str:
    """
    The token, 24 to 400 characters that a URL and a cookie take as they are.

    Raises ValueError for an id that no order has, SecretUnavailable for a *link_key* that could be guessed.
    """
    if _ORDER.fullmatch(to.order_id) is None or not 0 <= to.edition <= _LONGEST:
        raise ValueError("no order has such an id, or so many editions of its page")
    plain = bytes([to.edition]) + to.order_id.encode()
    tag = _tag(link_key, purpose, plain)
    return base64.urlsafe_b64encode(tag + _crypted(link_key, purpose, tag, plain)).decode().rstrip("=")


def opened(link_key: str, text: str, purpose: Purpose = Purpose.PAGE) -> Pass | None:
    """What the token *text* is for; None for what `token` did not make with this key. Raises SecretUnavailable."""
    sealed = _decoded(text)
    tag, rest = sealed[:_TAG_BYTES], sealed[_TAG_BYTES:]
    # Whatever is no token is worked on like one.
    plain = _crypted(link_key, purpose, tag, rest)
    is_ours = hmac.compare_digest(_tag(link_key, purpose, plain), tag)
    return Pass(plain[1:].decode(), plain[0]) if is_ours and len(plain) > 1 else None


def address(base: str, link_key: LinkKey, order_id: str, edition: int = 0) -> str:
    """Where the order's page is: never logged. *base* is what all pages are under. Raises like `token`."""
    return f"{base.rstrip('/')}/{token(link_key(), Pass(order_id, edition))}"


def _decoded(text: str) -> bytes:
    nothing = bytes(_TAG_BYTES)
    if _FORM.fullmatch(text) is None:
        return nothing
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return nothing
    # Of several texts that mean the same bytes only one is a token.
    return sealed if base64.urlsafe_b64encode(sealed).decode().rstrip("=") == text else nothing


def _tag(link_key: str, purpose: Purpose, plain: bytes) -> bytes:
    return hmac.digest(_key(link_key, purpose, b"tag"), plain, hashlib.sha256)[:_TAG_BYTES]


def _crypted(link_key: str, purpose: Purpose, tag: bytes, text: bytes) -> bytes:
    """*text* with HMAC's stream for *tag* over it: the same does and undoes it."""
    key, stream = _key(link_key, purpose, b"stream"), b""
    while len(stream) < len(text):
        stream += hmac.digest(key, tag + bytes([len(stream) // 32]), hashlib.sha256)
    return bytes(a ^ b for a, b in zip(text, stream, strict=False))


def _key(link_key: str, purpose: Purpose, use: bytes) -> bytes:
    label = b"paidshare/" + purpose.value.encode() + b"/" + use
    return hmac.digest(checked_link_key(link_key).encode(), label, hashlib.sha256)
