"""What the Fast.io stand-in accepts in a request: strict where Fast.io is documented to be strict."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse

from local.fastio import codes
from local.fastio.nodes import INSTANT
from local.fastio.state import HASHES


class Refused(Exception):
    """
    An answer that is an error: its HTTP status, Fast.io's code (see `codes`), the fields that are wrong or, as an
    object, what else there is to say (`reason`), and what stands beside the error.
    """

    def __init__(
        self,
        status: int,
        code: int,
        text: str,
        params: list[dict[str, Any]] | dict[str, Any] | None = None,
        *,
        beside: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
        self.params = params or []
        self.beside = beside or {}

    def body(self) -> dict[str, Any]:
        """What is said of it, in the envelope."""
        error: dict[str, Any] = {"code": self.code, "text": self.text}
        if self.params:
            error["params"] = self.params
        return {"result": False, "error": error, **self.beside}

    def answer(self, request: Request) -> JSONResponse:
        said = self.body()
        said["error"] |= {
            "documentation_url": "https://api.fast.io/llms.txt",
            "resource": f"{request.method} {request.url.path}",
        }
        return JSONResponse(said, status_code=self.status)


type Check = Callable[[str, Mapping[str, str], datetime], str | None]
"""The value, the whole form and now → what is wrong, None when nothing is."""


def _one_of(*allowed: str) -> Check:
    return lambda value, _form, _now: None if value in allowed else f"must be one of {', '.join(allowed)}"


def _length(low: int, high: int) -> Check:
    return lambda value, _form, _now: None if low <= len(value) <= high else f"must have {low} to {high} characters"


def _title(value: str, form: Mapping[str, str], now: datetime) -> str | None:
    if any(unicodedata.category(c) == "Cc" for c in value):
        return "must not have control characters"
    return _length(2, 80)(value, form, now)


def _name(low: int, high: int) -> Check:
    said = f"must have {low} to {high} letters and digits"
    return lambda value, _form, _now: None if re.fullmatch(rf"[^\W_]{{{low},{high}}}", value) else said


def _expires(value: str, form: Mapping[str, str], now: datetime) -> str | None:
    if form.get("storage_mode", "independent") != "independent":
        return "only a share of its own storage can expire"
    try:
        instant = datetime.strptime(value, INSTANT).replace(tzinfo=UTC)
    except ValueError:
        return "must be YYYY-MM-DD HH:MM:SS"
    return None if instant > now else "must be in the future"


def _access(value: str, form: Mapping[str, str], now: datetime) -> str | None:
    # A portal is a Send share, whatever was asked for.
    portal = form.get("storage_mode", "independent") == "independent"
    if value == "Anyone with the link" and not portal and form.get("share_type", "exchange") != "send":
        return "only a Send share is open to anyone with the link"
    return _one_of(
        "Only members of the Share or Workspace",
        "Members of the Share, Workspace or Org",
        "Anyone with a registered account",
        "Anyone with the link",
    )(value, form, now)


def _json_object(value: str, _form: Mapping[str, str], _now: datetime) -> str | None:
    try:
        return None if isinstance(json.loads(value), dict) else "must be a JSON object"
    except ValueError:
        return "must be JSON"


def _source(value: str, _form: Mapping[str, str], _now: datetime) -> str | None:
    try:
        match json.loads(value):
            case {"type": "hash", "hash": {"hash": str(), "hash_type": str() as kind}} if kind in HASHES:
                return None
    except ValueError:
        pass
    return "must say a type of hash, with hash and hash_type"


_BOOLEAN = _one_of("true", "false")

UPDATABLE: dict[str, Check] = {
    "title": _title,
    "description": _length(10, 500),
    "custom_url": _name(10, 100),
    "access_options": _access,
    "expires": _expires,
    "download_security": _one_of("off", "medium", "high"),
    "intelligence": _BOOLEAN,
    "comments_enabled": _BOOLEAN,
    "guest_chat_enabled": _BOOLEAN,
    "anonymous_uploads_enabled": _BOOLEAN,
    "notify": _one_of("never", "notify_on_file_received", "notify_on_file_sent_or_received"),
    "display_type": _one_of("grid", "list"),
    "owner_defined": _json_object,
}
CREATABLE: dict[str, Check] = {name: check for name, check in UPDATABLE.items() if name != "custom_url"} | {
    "custom_name": _name(4, 80),
    "share_type": _one_of("send", "receive", "exchange"),
    "storage_mode": _one_of("independent", "workspace_folder"),
}
CREATE_NEEDS = ("title", "intelligence")
ADDABLE: dict[str, Check] = {"name": _length(1, 255), "from": _source}
CLEARABLE = frozenset({"expires", "description", "owner_defined"})


async def read_form(request: Request) -> dict[str, str]:
    """The body's fields. Raises Refused when it is not form-encoded, or says a field twice."""
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise Refused(406, codes.INVALID, f"the body must be form-encoded, not {kind or 'untyped'}")
    pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True)
    if len(dict(pairs)) != len(pairs):
        raise Refused(406, codes.INVALID, "a field is given twice")
    return dict(pairs)


def check(
    form: Mapping[str, str],
    known: Mapping[str, Check],
    now: datetime,
    *,
    needed: tuple[str, ...] = (),
    context: Mapping[str, str] | None = None,
) -> None:
    """
    Raises Refused, naming every field that is missing, unknown or malformed.

    *context* is what a share already has, for checks that look at more than one field.
    """
    whole = {**(context or {}), **form}
    params = [_param(name, "missing", "is required") for name in needed if name not in form]
    for name, value in form.items():
        fault = known[name](value, whole, now) if name in known else "is not a field of this call"
        if fault:
            params.append(_param(name, "invalid", fault))
    if params:
        raise Refused(406, codes.INVALID, "An invalid or missing value was given", params)


def _param(name: str, kind: str, message: str) -> dict[str, Any]:
    return {"name": name, "kind": kind, "message": message, "code": codes.INVALID, "expected_type": "string"}
