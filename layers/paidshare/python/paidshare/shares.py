"""What an order's share is called, and what it is asked to be. Pure."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from paidshare.errors import SecretUnavailable
from paidshare.orders import Goods, ShareRequest
from paidshare.text import cut, one_line

# Short enough for a letter's plain text, and 160 bits: nobody finds a share by trying names.
_NAME_LENGTH = 32
_SHORTEST_KEY = 32
# Fast.io's own limits for a share's title.
_SHORTEST_TITLE, _LONGEST_TITLE = 2, 80
_TITLE_OF_LAST_RESORT = "Your files"


def is_link_key(text: str) -> bool:
    """Whether *text* is long enough to name shares that nobody can guess."""
    return len(text.strip()) >= _SHORTEST_KEY


def checked_link_key(text: str) -> str:
    """*text*, which the secret has for `link_key`. Raises SecretUnavailable unless `is_link_key`."""
    if not is_link_key(text):
        raise SecretUnavailable("link_key in the secret is empty or too short")
    return text


def share_name(link_key: str, order_id: str, generation: int = 0) -> str:
    """
    The name of the order's share of that *generation*, and so its address: always the same, and not to be guessed.

    33 lower-case letters and digits. Raises ValueError when *link_key* has fewer than 32 characters: whoever
    guesses the key can guess every buyer's link.
    """
    if not is_link_key(link_key):
        raise ValueError(f"link_key must have at least {_SHORTEST_KEY} characters")
    if not order_id:
        raise ValueError("an order without an id has no share")
    # No order's id has a colon: no two of them ever have one name.
    what = f"{order_id}:{generation}" if generation else order_id
    digest = hmac.digest(link_key.encode(), what.encode(), hashlib.sha256)
    # Fast.io wants letters and digits only; the leading letter keeps the name from being taken for an id.
    return "o" + base64.b32encode(digest).decode().lower()[:_NAME_LENGTH]


def is_share_name(text: str) -> bool:
    """Whether *text* has the form of `share_name`'s names, whoever's key made it."""
    return re.fullmatch(rf"o[a-z2-7]{{{_NAME_LENGTH}}}", text) is not None


def share_request(
    order_id: str, access_goods: tuple[Goods, ...], until: datetime, link_key: str, generation: int = 0
) -> ShareRequest:
    """
    The share that gives *access_goods* until *until* (aware; whole seconds are kept), as the order's *generation*-th.

    Raises ValueError for a naive *until* and like `share_name`.
    """
    if until.tzinfo is None:
        raise ValueError("until must be an aware datetime")
    return ShareRequest(
        order_id=order_id,
        name=share_name(link_key, order_id, generation),
        title=title(g.product_name for g in access_goods),
        expires_at=until.astimezone(UTC).replace(microsecond=0),
        goods=access_goods,
        next_name=share_name(link_key, order_id, generation + 1),
    )


def title(product_names: Iterable[str]) -> str:
    """The products' names, 2 to 80 characters: as many as fit, and then how many more there are."""
    names = [name for name in dict.fromkeys(map(one_line, product_names)) if name]
    for count in range(len(names), 0, -1):
        more = f" and {len(names) - count} more" if count < len(names) else ""
        text = ", ".join(names[:count]) + more
        if _SHORTEST_TITLE <= len(text) <= _LONGEST_TITLE:
            return text
    if not names or len(names[0]) < _SHORTEST_TITLE:
        return _TITLE_OF_LAST_RESORT
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return cut(names[0], _LONGEST_TITLE - len(more)) + more


def link(web_base: str, name: str) -> str:
    """What the buyer opens. Without the title, which Fast.io leaves optional and a log could pick up."""
    return f"{web_base.rstrip('/')}/shared/{name}"


def distinct_names(names: Iterable[str]) -> tuple[str, ...]:
    """
    *names* in their order, equal ones told apart: `a.pdf`, `a.pdf` → `a.pdf`, `a (2).pdf`.

    Names that differ only in case count as equal: they overwrite each other on most buyers' disks.
    """
    wanted = tuple(names)
    # A name that a file really has is never given to another one.
    own = {name.casefold() for name in wanted}
    given: set[str] = set()
    found = []
    for name in wanted:
        candidate, number = name, 1
        while candidate.casefold() in given or (number > 1 and candidate.casefold() in own):
            number += 1
            candidate = _numbered(name, number)
        given.add(candidate.casefold())
        found.append(candidate)
    return tuple(found)


def _numbered(name: str, number: int) -> str:
    stem, dot, extension = name.rpartition(".")
    return f"{stem} ({number}).{extension}" if dot and stem else f"{name} ({number})"
