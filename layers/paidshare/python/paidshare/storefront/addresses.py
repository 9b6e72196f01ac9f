"""
The address that a buyer's letters go to: what can be one, how much of it is shown, and how one that the buyer corrected
is kept. Pure.

A corrected one is sealed for its order, and padded: nobody without `link_key` reads it, tells how long it is, or that
two orders have the same.
"""

import re

from paidshare import sealing
from paidshare.text import one_line

LONGEST_CORRECTED = 160
"""Bytes: it has to fit into a notice. The seller can correct longer ones (`resend --to`)."""

# As `SenderAddress` in template.yaml, without the dots and hyphens that SES and DNS refuse.
_ADDRESS = re.compile(
    r"(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_LONGEST = 254  # RFC 5321, 4.5.3.1.3, less the brackets.
_BLOCK = 32


def is_address(given: str) -> bool:
    """Whether a letter could go to *given*, whose domain may be written in its own letters (`ada@bücher.example`)."""
    local, at, domain = given.rpartition("@")
    try:
        plain = local + at + domain.encode("idna").decode()
    except UnicodeError:
        return False
    return len(plain) <= _LONGEST and _ADDRESS.fullmatch(plain) is not None


def is_correction(given: str) -> bool:
    """Whether *given* can be kept as a corrected address."""
    return is_address(given) and len(given.encode()) <= LONGEST_CORRECTED


def masked(address: str) -> str:
    """Enough of an address for its owner to recognize it: `a…@example.com`."""
    name, _, domain = one_line(address).rpartition("@")
    return f"{name[:1]}…@{domain}"


def sealed(link_key: str, order_id: str, address: str) -> str:
    """*address* for the order. Raises ValueError unless it `is_correction`, SecretUnavailable."""
    if not is_correction(address):
        raise ValueError("no address that can be kept")
    plain = address.encode()
    return sealing.sealed(link_key, _use(order_id), plain + bytes(-len(plain) % _BLOCK))


def opened(link_key: str, order_id: str, text: str) -> str | None:
    """The address that *text* seals; None for what `sealed` did not make for this order. Raises SecretUnavailable."""
    plain = sealing.opened(link_key, _use(order_id), text)
    return None if plain is None else plain.rstrip(b"\0").decode()


def _use(order_id: str) -> str:
    return f"address:{order_id}"
