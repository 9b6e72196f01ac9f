"""The Fast.io stand-in's envelope, and its two ways to page a list."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.fastio.codes import INVALID
from local.fastio.forms import Refused
from local.fastio.nodes import Node


def done(**data: Any) -> JSONResponse:
    """The envelope of a success: the data lie at its root."""
    return JSONResponse({"result": True, "status": "ok", **data})


def bad(name: str) -> Refused:
    return Refused(406, INVALID, f"{name} is not valid", [{"name": name, "kind": "invalid", "code": INVALID}])


def only(request: Request, known: Sequence[str]) -> None:
    for name in request.query_params:
        if name not in known:
            raise bad(name)


def sort_key(sort_by: str) -> Any:
    keys: Mapping[str, Any] = {
        "name": lambda node: (node.name, node.id),
        "type": lambda node: (node.content is not None, node.name, node.id),
    }
    return keys.get(sort_by, lambda node: (node.created, node.id))


def cursor_page(inside: list[Node], size: int, cursor: str | None) -> Response:
    """The cursor is the id of the last node told: opaque to the client, and steady when files are added."""
    start = 0
    if cursor is not None:
        start = next((i + 1 for i, node in enumerate(inside) if node.id == cursor), -1)
        if start < 0:
            raise bad("cursor")
    page = inside[start : start + size]
    more = start + size < len(inside)
    return done(
        nodes=[node.shown() for node in page],
        pagination={"has_more": more, "next_cursor": page[-1].id if more else None, "page_size": size},
    )


def offset_page[T](request: Request, found: list[T], *, most: int) -> tuple[list[T], dict[str, Any]]:
    query = request.query_params
    limit, offset = query.get("limit", "100"), query.get("offset", "0")
    if not limit.isdecimal() or not 1 <= int(limit) <= most:
        raise bad("limit")
    if not offset.isdecimal():
        raise bad("offset")
    start, size = int(offset), int(limit)
    return found[start : start + size], {
        "total": len(found),
        "limit": size,
        "offset": start,
        "has_more": start + size < len(found),
    }
