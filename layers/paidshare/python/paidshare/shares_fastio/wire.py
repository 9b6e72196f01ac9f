"""
Fast.io's API as bytes: what we send, and how what comes back is read. Pure, and the one place to correct.

Fast.io publishes no complete reference. Documented, or read in the vendor's own client: base URL, bearer token, form
bodies, the trailing slash, the envelope, HTTP 406 for refused fields, the fields of a share and of a node, `addfile` by
hash, 1 to 25 ids per details call with `{node}` for one and `{nodes, errors}` for more, page sizes, `x-ve-…` headers.

Guesses, each read tolerantly and each in the function named:

- `share`           the answer to a create is `{"share": {"id": …}}`
- `order_of`        `owner_defined` comes back as it was sent, as text or already parsed
- `instant`         times are UTC, with or without saying so
- `nodes`           a listing has `nodes` (a list, or an object with `items`)
- `next_cursor`     an unfinished listing says `pagination.has_more` and `next_cursor`
- `shares`          a list of shares has `shares`, archived ones too, each perhaps without its `owner_defined`
- `share`           a share says `archived` like `locked`, `suspended` and `deleted`, which are documented
- `confirmation`    a deletion reads it from its body or its query: both are sent
- `expiry_form`     the end of an archived share can be changed
- `node`            a trashed node says `trashed` or `deleted`, or has the parent `trash`
- `names_the_name`  a name that is taken is answered 409, or 406 naming `custom_name`
- `wait`            `x-ve-limit-expires` is an instant; a small number would be seconds from now
"""

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from paidshare.orders import ShareRequest
from paidshare.shares_fastio.values import Node, Problem, RemoteShare, Reply

MOST_IDS = 25  # In one details call.
PAGE_SIZE = 500

REFUSED_FIELDS = frozenset({400, 406, 422})
"""What “a field is wrong” is answered with: 406 now, 400 in older documents, 422 to be safe."""

KEY_OR_MEMBERSHIP = frozenset({401, 403})
"""The key is refused, or it is good and its account may not do this here: asking for the key decides."""

_BARRED = ("deleted", "suspended", "locked")
_ORDER = "paidshare_order"
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.\[\]-]{1,80}")
_INSTANT = "%Y-%m-%d %H:%M:%S"
_EPOCH_FROM = 1_000_000_000
_WAIT_UNSAID, _SHORTEST_WAIT, _LONGEST_WAIT = 60.0, 1.0, 3600.0


# --- Requests -------------------------------------------------------------------------------------------


def path(*parts: str) -> str:
    """`path("share", id, "details")` → `/share/{id}/details/`. The slash at the end is not optional."""
    return "/" + "/".join(quote(part, safe=",", errors="replace") for part in parts) + "/"


def share_form(request: ShareRequest) -> dict[str, str]:
    """
    A Send share of its own storage: the kind that can expire and that a guest can open with the link alone.

    `download_security` is off because its other settings keep a guest from downloading, and `intelligence`
    because it costs credits for every page.
    """
    return {
        "title": request.title,
        "custom_name": request.own_name,
        "share_type": "send",
        "storage_mode": "independent",
        "access_options": "Anyone with the link",
        "download_security": "off",
        "intelligence": "false",
        "comments_enabled": "false",
        "notify": "never",
        **expiry_form(request.expires_at),
        "owner_defined": json.dumps({_ORDER: request.order_id}),
    }


def expiry_form(until: datetime) -> dict[str, str]:
    return {"expires": until.astimezone(UTC).strftime(_INSTANT)}


def confirmation(share_id: str) -> dict[str, str]:
    """What makes a deletion one that was meant."""
    return {"confirm": share_id}


def file_form(name: str, content: Node) -> dict[str, str]:
    """A file of that *name* with the bytes of *content*, which Fast.io already has: nothing is uploaded."""
    source = {"type": "hash", "hash": {"hash": content.hash, "hash_type": content.hash_algo}}
    return {"name": name, "from": json.dumps(source)}


# --- Envelope and errors --------------------------------------------------------------------------------


def payload(body: bytes) -> dict[str, Any] | None:
    """The data of a successful answer; None when the body is no envelope that reports success."""
    envelope = _json_object(body)
    if envelope is None or envelope.get("result") not in (True, "yes"):
        return None
    return inner if isinstance(inner := envelope.get("response"), dict) else envelope


def problem(reply: Reply) -> Problem:
    """What *reply* says is wrong. Never its text, which may repeat what we sent."""
    envelope = _json_object(reply.body) or {}
    error = _dict(envelope.get("error")) or envelope
    code = _identifier(error.get("code")) or _identifier(error.get("error_id"))
    params = error.get("params")
    named = [_identifier(_dict(p).get("name")) for p in params] if isinstance(params, list) else []
    return Problem(
        code=code,
        fields=tuple(dict.fromkeys(name for name in named if name)),
        request_id=_identifier(reply.headers.get("x-ve-reqid")),
    )


def names_the_name(reply: Reply) -> bool:
    """Whether a refused create may mean that the share's name exists already. Looking it up decides."""
    return reply.status == 409 or (reply.status in REFUSED_FIELDS and "custom_name" in problem(reply).fields)


def wait(reply: Reply, now: datetime) -> float | None:
    """Seconds until Fast.io's limit ends, from 1 to 3600. None when it does not say and it is not a limit."""
    said = reply.headers.get("x-ve-limit-expires") or reply.headers.get("x-rate-limit-expiry")
    if said is None:
        return _WAIT_UNSAID if reply.status == 429 else None
    ends = instant(said)
    if ends is not None:
        seconds = (ends - now).total_seconds()
    elif re.fullmatch(r"[0-9]{1,9}", said.strip()):
        seconds = float(said)
    else:
        seconds = _WAIT_UNSAID
    return min(max(seconds, _SHORTEST_WAIT), _LONGEST_WAIT)


# --- Answers --------------------------------------------------------------------------------------------


def nodes(data: dict[str, Any]) -> tuple[Node, ...] | None:
    """The nodes of a details or list answer; None when it has neither `node` nor `nodes`."""
    if isinstance(data.get("node"), dict):
        raw: Any = [data["node"]]
    else:
        raw = data.get("nodes")
        if isinstance(raw, dict):
            raw = raw.get("items")
    if not isinstance(raw, list):
        return None
    return tuple(node(entry) for entry in raw if isinstance(entry, dict) and entry.get("id"))


def node(raw: dict[str, Any]) -> Node:
    """A note is a file: Fast.io stores it as one, and a buyer can read it."""
    kind = raw.get("type")
    virus = _dict(raw.get("virus"))
    return Node(
        id=str(raw["id"]),
        # JSON may hold half a surrogate pair, which no form can carry.
        name=str(raw.get("name") or raw["id"]).encode("utf-8", "replace").decode(),
        kind="folder" if kind == "folder" else "file" if kind in ("file", "note") else "other",
        size=_whole(raw.get("size")),
        hash=_identifier(raw.get("hash")),
        hash_algo=_identifier(raw.get("hash_algo")),
        gone=_true(raw.get("trashed")) or _true(raw.get("deleted")) or raw.get("parent") == "trash",
        infected=_true(virus.get("infected")) or virus.get("status") == "infected",
    )


def next_cursor(data: dict[str, Any]) -> str | None:
    """Where the next page of a listing starts; None on the last page."""
    pagination = _dict(data.get("pagination"))
    cursor = pagination.get("next_cursor")
    return str(cursor) if cursor and pagination.get("has_more") is not False else None


def has_more(data: dict[str, Any]) -> bool:
    """Whether a listing says that this page is not its last."""
    return _true(_dict(data.get("pagination")).get("has_more"))


def shares(data: dict[str, Any]) -> tuple[RemoteShare | None, ...] | None:
    """The shares of a list answer, None for one without an id; None when it has no `shares`."""
    raw = data.get("shares")
    return tuple(share(_dict(entry)) for entry in raw) if isinstance(raw, list) else None


def share(data: dict[str, Any]) -> RemoteShare | None:
    """The share of a create or details answer; None when there is no id in it."""
    raw = _dict(data.get("share")) or data
    if not isinstance(raw.get("id"), str | int) or not raw["id"]:
        return None
    return RemoteShare(
        id=str(raw["id"]),
        expires_at=instant(raw.get("expires")),
        order_id=order_of(raw.get("owner_defined")),
        archived=_true(raw.get("archived")),
        barred=tuple(name for name in _BARRED if _true(raw.get(name))),
        name=_identifier(raw.get("custom_name")),
    )


def order_of(owner_defined: object) -> str | None:
    """The order that a share says it is for."""
    if isinstance(owner_defined, str):
        owner_defined = _json_object(owner_defined.encode("utf-8", "replace"))
    found = _dict(owner_defined).get(_ORDER)
    return found if isinstance(found, str) else None


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


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _identifier(value: object) -> str | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _IDENTIFIER.fullmatch(text) else None


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, str | int) and re.fullmatch(r"[0-9]{1,18}", str(value)) else None


def _true(value: object) -> bool:
    return value not in (None, False, 0, "", "0", "false", "null", "no")
