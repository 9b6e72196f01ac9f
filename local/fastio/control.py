"""The Fast.io stand-in's control routes, which `server` lists: files put there, rules, and its clock."""

import contextlib
import json
from dataclasses import asdict, fields, replace
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.fastio.nodes import INSTANT
from local.fastio.rules import Rules
from local.fastio.state import Fastio, standing

_FLAGS = ("infected", "trashed", "hashed", "busy", "lost")
_SHARE_FLAGS = ("locked", "suspended", "deleted")


def routes(state: Fastio) -> list[Route]:
    return [*_routes(state), *_closing_routes(state)]


def _routes(state: Fastio) -> list[Route]:
    async def files(request: Request) -> Response:
        match wanted := await _read(request):
            case {"workspace": str() as workspace, "path": str() as path, "content": str() as content}:
                flags = {name: bool(wanted[name]) for name in _FLAGS if name in wanted}
                if path.strip("/") and len(wanted) == 3 + len(flags):
                    return JSONResponse(state.seed(workspace, path, content.encode(), **flags))
        return JSONResponse({"error": "a file is an object: workspace, path, content"}, status_code=400)

    async def shares(_request: Request) -> Response:
        return JSONResponse({"shares": _shares_shown(state)})

    async def clock(request: Request) -> Response:
        with contextlib.suppress(ValueError, OverflowError):
            match json.loads(await request.body()):
                case {"advance_s": int() | float() as seconds}:
                    state.offset += timedelta(seconds=seconds)
                    return JSONResponse({"now": state.now().strftime(INSTANT)})
        return JSONResponse({"error": "an object with advance_s, in seconds"}, status_code=400)

    return [
        Route("/_files", files, methods=["POST"]),
        Route("/_shares", shares, methods=["GET"]),
        Route("/_clock", clock, methods=["POST"]),
    ]


def _closing_routes(state: Fastio) -> list[Route]:
    async def workspaces(request: Request) -> Response:
        match await _read(request):
            case {"workspace": str() as name, "member": bool() as member, **rest} if not rest:
                if (workspace := state.workspace(name)) is not None:
                    workspace.member = member
                    return JSONResponse({"workspace_id": workspace.id, "member": member})
        return JSONResponse({"error": "an object: workspace, one that has files, and member"}, status_code=400)

    async def shares(request: Request) -> Response:
        match await _read(request):
            case {"share": str() as name, **flags} if flags and set(flags) <= set(_SHARE_FLAGS):
                if (share := state.share(name)) is not None:
                    for flag, value in flags.items():
                        setattr(share, str(flag), bool(value))
                    return JSONResponse({"share": share.id})
        return JSONResponse({"error": "an object: share, one that exists, and flags"}, status_code=400)

    async def rules(request: Request) -> Response:
        changes = await _read(request)
        if isinstance(changes, dict) and changes.keys() <= {one.name for one in fields(Rules)}:
            state.rules = replace(state.rules, **changes)
            return JSONResponse(asdict(state.rules))
        return JSONResponse({"error": "an object of rules"}, status_code=400)

    return [
        Route("/_rules", rules, methods=["POST"]),
        Route("/_workspaces", workspaces, methods=["POST"]),
        Route("/_shares", shares, methods=["POST"]),
    ]


async def _read(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError:
        return None


def _shares_shown(state: Fastio) -> list[dict[str, Any]]:
    return [
        {
            "id": share.id,
            "custom_name": share.custom_name,
            "title": share.fields["title"],
            "expires": share.expires.strftime(INSTANT) if share.expires else None,
            "archived": share.archived,
            "standing": standing(share, state.now()),
            "owner_defined": share.fields.get("owner_defined"),
            "files": [{"name": node.name, "size": len(node.content or b"")} for node in share.storage.inside("root")],
        }
        for share in state.shares.values()
    ]
