"""JSON from outside, read without trusting its shape. Pure; nothing here raises."""

import json
from datetime import UTC, datetime
from typing import Any

_LONGEST_ID = 255
"""Ids and type names are far shorter; anything longer is neither, and would only fill the log."""


def object_in(text: str | bytes) -> dict[str, Any]:
    """The JSON object in *text*; empty for anything else, also for JSON too deep or with absurd numbers."""
    try:
        return as_object(json.loads(text))
    except (ValueError, RecursionError):  # A UnicodeDecodeError is a ValueError.
        return {}


def as_object(value: object) -> dict[str, Any]:
    """*value* if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_id(value: object) -> str:
    """*value* if it can be an id or a type's name: short ASCII text without control characters; else empty."""
    fits = isinstance(value, str) and len(value) <= _LONGEST_ID and value.isascii() and value.isprintable()
    return str(value) if fits else ""


def as_instant(value: object) -> datetime:
    """
    Unix seconds, or ISO 8601 → aware UTC. An absurd time is the epoch: so long ago that nobody waits for what belongs
    to it.
    """
    try:
        if type(value) is int:
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str) and "T" in value:
            return datetime.fromisoformat(value).astimezone(UTC)
    except (OverflowError, ValueError, OSError):
        pass
    return datetime.fromtimestamp(0, UTC)
