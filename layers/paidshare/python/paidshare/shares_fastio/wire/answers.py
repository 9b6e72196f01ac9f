"""What Fast.io answers to what it did."""

from typing import Any

from paidshare.shares_fastio.values import Node, RemoteShare
from paidshare.shares_fastio.wire.loose import dict_in, identifier, instant, json_object, text, true, whole

ORDER = "paidshare_order"
_TOKENS = ("auth_token", "token", "access_token", "jwt")
_BARRED = ("deleted", "suspended", "locked")


def payload(body: bytes) -> dict[str, Any] | None:
    """The data of a successful answer; None when the body is no envelope that reports success."""
    envelope = json_object(body)
    if envelope is None or envelope.get("result") not in (True, "yes"):
        return None
    return inner if isinstance(inner := envelope.get("response"), dict) else envelope


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
    virus = dict_in(raw.get("virus"))
    return Node(
        id=str(raw["id"]),
        # JSON may hold half a surrogate pair, which no form can carry.
        name=str(raw.get("name") or raw["id"]).encode("utf-8", "replace").decode(),
        kind="folder" if kind == "folder" else "file" if kind in ("file", "note") else "other",
        size=whole(raw.get("size")),
        hash=identifier(raw.get("hash")),
        hash_algo=identifier(raw.get("hash_algo")),
        gone=true(raw.get("trashed")) or true(raw.get("deleted")) or raw.get("parent") == "trash",
        infected=true(virus.get("infected")) or virus.get("status") == "infected",
    )


def next_cursor(data: dict[str, Any]) -> str | None:
    """Where the next page of a listing starts; None on the last page."""
    pagination = dict_in(data.get("pagination"))
    cursor = pagination.get("next_cursor")
    return str(cursor) if cursor and pagination.get("has_more") is not False else None


def has_more(data: dict[str, Any]) -> bool:
    """Whether a listing says that this page is not its last."""
    return true(dict_in(data.get("pagination")).get("has_more"))


def shares(data: dict[str, Any]) -> tuple[RemoteShare | None, ...] | None:
    """The shares of a list answer, None for one without an id; None when it has no `shares`."""
    raw = data.get("shares")
    return tuple(share(dict_in(entry)) for entry in raw) if isinstance(raw, list) else None


def share(data: dict[str, Any]) -> RemoteShare | None:
    """The share of a create or details answer; None when there is no id in it."""
    raw = dict_in(data.get("share")) or data
    if not isinstance(raw.get("id"), str | int) or not raw["id"]:
        return None
    return RemoteShare(
        id=str(raw["id"]),
        expires_at=instant(raw.get("expires")),
        order_id=order_of(raw.get("owner_defined")),
        archived=true(raw["archived"]) if "archived" in raw else None,
        barred=tuple(name for name in _BARRED if true(raw.get(name))),
        name=identifier(raw.get("custom_name")),
        url=identifier(raw.get("custom_url")),
        access=text(raw.get("access_options")),
        downloads=text(raw.get("download_security")),
    )


def order_of(owner_defined: object) -> str | None:
    """The order that a share says it is for."""
    if isinstance(owner_defined, str):
        owner_defined = json_object(owner_defined.encode("utf-8", "replace"))
    found = dict_in(owner_defined).get(ORDER)
    return found if isinstance(found, str) else None


def is_free(data: dict[str, Any]) -> bool | None:
    """Whether the check of a name says that nobody has it; None where it says nothing."""
    said = data.get("available")
    return None if said is None else true(said)


def token(data: dict[str, Any]) -> str | None:
    """A guest's token: at the root, or one level below it."""
    for where in (data, *map(dict_in, data.values())):
        for name in _TOKENS:
            found = where.get(name)
            if isinstance(found, str) and found and found.isascii() and found.isprintable() and " " not in found:
                return found
    return None
