"""
What is kept or handed out so that only we can read it. Pure.

Encrypted and authenticated with HMAC-SHA-256 under keys made of `link_key`, in the manner of SIV (RFC 5297, section
2.6: the tag of what is sealed is the nonce that it is encrypted with). So one text, sealed for one use, is always the
same, and nothing that is sealed for one use opens as another's.
"""

import base64
import binascii
import hashlib
import hmac
import re

from paidshare.shares import checked_link_key

_TAG_BYTES = 16
_FORM = re.compile(r"[A-Za-z0-9_-]{24,400}", re.ASCII)


def sealed(link_key: str, use: str, plain: bytes) -> str:
    """*plain* (of at most 284 bytes), as text that a URL takes as it is. Raises SecretUnavailable for a weak key."""
    tag = _tag(link_key, use, plain)
    return base64.urlsafe_b64encode(tag + _crypted(link_key, use, tag, plain)).decode().rstrip("=")


def opened(link_key: str, use: str, text: str) -> bytes | None:
    """
    What *text* seals for *use*; None for what `sealed` did not make with this key. Takes as long for either. Raises
    SecretUnavailable for a weak key.
    """
    whole = _decoded(text)
    tag, rest = whole[:_TAG_BYTES], whole[_TAG_BYTES:]
    # Whatever is nothing of ours is worked on as if it were.
    plain = _crypted(link_key, use, tag, rest)
    is_ours = hmac.compare_digest(_tag(link_key, use, plain), tag)
    return plain if is_ours and plain else None


def mark(link_key: str, use: str, text: str) -> str:
    """What *text* is known again by, and nobody without the key finds. Raises SecretUnavailable for a weak key."""
    return hmac.digest(_key(link_key, use, b"mark"), text.encode(), hashlib.sha256).hex()


def _decoded(text: str) -> bytes:
    nothing = bytes(_TAG_BYTES)
    if _FORM.fullmatch(text) is None:
        return nothing
    try:
        whole = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return nothing
    # Of several texts that mean the same bytes only one was made.
    return whole if base64.urlsafe_b64encode(whole).decode().rstrip("=") == text else nothing


def _tag(link_key: str, use: str, plain: bytes) -> bytes:
    return hmac.digest(_key(link_key, use, b"tag"), plain, hashlib.sha256)[:_TAG_BYTES]


def _crypted(link_key: str, use: str, tag: bytes, text: bytes) -> bytes:
    """*text* with HMAC's stream for *tag* over it: the same does and undoes it."""
    key, stream = _key(link_key, use, b"stream"), b""
    while len(stream) < len(text):
        stream += hmac.digest(key, tag + bytes([len(stream) // 32]), hashlib.sha256)
    return bytes(a ^ b for a, b in zip(text, stream, strict=False))


def _key(link_key: str, use: str, part: bytes) -> bytes:
    label = b"paidshare/" + use.encode() + b"/" + part
    return hmac.digest(checked_link_key(link_key).encode(), label, hashlib.sha256)
