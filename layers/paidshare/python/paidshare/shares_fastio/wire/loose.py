"""A value of Fast.io's, read tolerantly."""

import json
import re
from datetime import UTC, datetime
from typing import Any

_IDENTIFIER = re.compile(r"[A-Za-z0-9_.\[\]-]{1,80}")
_EPOCH_FROM = 1_000_000_000


def instant(value: object) -> datetime | None:
    """`2026-04-24 23:49:04`, the same with ` UTC`, ISO 8601, or epoch seconds → aware UTC; else None."""
    text = str(value).strip().removesuffix("UTC").strip() if isinstance(value, str | int) else ""
    try:
        if re.fullmatch(r"[0-9]{10,11}(\.[0-9]+)?", text) and float(text) >= _EPOCH_FROM:
            return datetime.fromtimestamp(float(text), UTC)
        read = datetime.fromisoformat(text) if not text.isdigit() else None
    except (ValueError, OverflowError, OSError):
        return None
    if read is None:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def json_object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def dict_in(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def identifier(value: object) -> str | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _IDENTIFIER.fullmatch(text) else None


def text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def whole(value: object) -> int | None:
    return int(value) if isinstance(value, str | int) and re.fullmatch(r"[0-9]{1,18}", str(value)) else None


def true(value: object) -> bool:
    return value not in (None, False, 0, "", "0", "false", "null", "no")
