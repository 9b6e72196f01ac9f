"""The secrets of senders, as keys: every reading of each that its sender may mean. Pure; nothing here raises."""

import binascii
import re
from collections.abc import Iterator, Sequence

SHORTEST_SECRET = 16
"""Bytes. Real ones have 32 and more; what is shorter is a placeholder, or a secret that was cut off."""


_HEX_KEY = re.compile(r"(?:[0-9a-fA-F]{2})+")


_BASE64_KEY = re.compile(r"([A-Za-z0-9+/_-]+)={0,2}")


_FROM_URL_SAFE = str.maketrans("-_", "+/")


def stripe_keys(secrets: Sequence[str | None]) -> Iterator[tuple[int, bytes]]:
    for index, secret in enumerate(secrets):
        if isinstance(secret, str) and _is_long_enough(_utf8(secret.strip())):
            yield index, _utf8(secret)


def fastio_keys(secrets: Sequence[str | None]) -> Iterator[tuple[int, bytes]]:
    """Every reading of each secret, none twice. The pages say “hex or base64”, and one shows `whsec_`."""
    for index, secret in enumerate(secrets):
        if isinstance(secret, str):
            whole = secret.strip()
            bare = whole.removeprefix("whsec_")
            readings = dict.fromkeys((_utf8(whole), _utf8(bare), _hex_key(bare), _base64_key(bare)))
            yield from ((index, key) for key in readings if _is_long_enough(key))


def _is_long_enough(key: bytes) -> bool:
    return len(key) >= SHORTEST_SECRET


def _utf8(text: str) -> bytes:
    """Empty, and so never a key, when *text* holds half a surrogate pair."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return b""


def _hex_key(text: str) -> bytes:
    return bytes.fromhex(text) if _HEX_KEY.fullmatch(text) else b""


def _base64_key(text: str) -> bytes:
    found = _BASE64_KEY.fullmatch(text)
    return from_base64(found[1]) if found and len(found[1]) % 4 != 1 else b""


def from_base64(text: str) -> bytes:
    """Either alphabet, with padding or without. *text* is known to be base64 of a possible length."""
    text = text.rstrip("=").translate(_FROM_URL_SAFE)
    return binascii.a2b_base64(text + "=" * (-len(text) % 4))


_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")


# The 43rd character carries four bits: a digest then has one spelling per alphabet, not four.
_BASE64_DIGEST = re.compile(r"[A-Za-z0-9+/_-]{42}[AEIMQUYcgkosw048]=?")


def hex_digest(text: str) -> bytes | None:
    return bytes.fromhex(text) if _HEX_DIGEST.fullmatch(text) else None


def base64_digest(text: str) -> bytes | None:
    return from_base64(text) if _BASE64_DIGEST.fullmatch(text) else None
