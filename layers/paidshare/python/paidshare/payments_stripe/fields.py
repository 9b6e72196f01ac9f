"""
The fields of Stripe's JSON, read strictly. Pure.

What an answer must have, and has not, raises ValueError: an answer that was cut short must never read as an order
without goods, a refund or a dispute.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """The start of a list that came inside another object; `more` when it goes on."""

    items: list[Json]
    more: bool


def page_of(value: object) -> Page:
    """The list that *value* is. Raises ValueError for what is none, such as one that was not expanded."""
    page = mapping(value)
    items, more = page.get("data"), page.get("has_more")
    if not isinstance(items, list) or not isinstance(more, bool):
        raise ValueError("no list")  # noqa: TRY004  # An answer of the wrong shape, not a caller's mistake.
    return Page(items, more=more)


def expanded(value: object) -> Json:
    """*value*, which has to be an object and not only its id. Raises ValueError."""
    thing = mapping(value)
    the_id(thing)
    return thing


def the_id(thing: Json) -> str:
    """The object's own id. Raises ValueError without one."""
    return needed_text(thing, "id")


def id_in(field: object) -> str | None:
    """The id in a field that holds an id, or the object itself when expanded; None when it is empty."""
    return text(field) or text(mapping(field).get("id")) or None


def the_id_in(field: object) -> str:
    """Like `id_in`. Raises ValueError when the field is empty."""
    found = id_in(field)
    if found is None:
        raise ValueError("no id")
    return found


def instant(seconds: object) -> datetime | None:
    found = number(seconds)
    return None if found is None else datetime.fromtimestamp(found, UTC)


def mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def web_page(value: object) -> str:
    """The https:// address that *value* is, empty for everything else."""
    found = text(value)
    return found if found.startswith("https://") and found.isascii() and found.isprintable() else ""


def number(value: object) -> int | None:
    return value if type(value) is int else None


def needed_text(thing: Json, key: str) -> str:
    value = thing.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"no {key}")
    return value


def needed_number(thing: Json, key: str) -> int:
    value = number(thing.get(key))
    if value is None:
        raise ValueError(f"no {key}")
    return value


def flag(thing: Json, key: str) -> bool:
    value = thing.get(key)
    if not isinstance(value, bool):
        raise ValueError(f"no {key}")  # noqa: TRY004  # An answer of the wrong shape, not a caller's mistake.
    return value
