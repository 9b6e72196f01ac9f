"""
The Fast.io calls that Paidshare makes, stateful and strict, over real HTTP.

`fastio_app()` is the application: the API below `/current` (the calls are in `_api_routes`), what a guest
with a link sees below `/shared/` (`fastio_guest`), and control routes beside those of `local/hosting/standin.py`:

- `POST /_files {"workspace": "my-shop", "path": "Guides/field-guide.pdf", "content": "…"}` →
  `{"workspace_id", "node_id", "folder_ids"}`; workspace and folders are made as needed. Optional, for cases
  that should go wrong: `"infected": true`, `"trashed": true`, `"hashed": false`.
- `POST /_workspaces {"workspace": "my-shop", "member": false}`: the key's account may no longer see a
  workspace that has files; every call for it is answered 401, code 10545.
- `POST /_shares {"share": "o1…", "locked": true}`: also `suspended`, `deleted` (found, but closed to guests).
- `GET /_shares` → `{"shares": [{"id", "custom_name", "title", "expires", "archived", "standing",
  "owner_defined", "files": [{"name", "size"}, …]}, …]}`.
- `POST /_clock {"advance_s": 3600}` → `{"now": "2026-11-22 10:00:00"}`: moves the stand-in's clock on.

Where Fast.io's documents are silent, this server has what `paidshare/shares_fastio/wire.py` lists as guesses.
"""

import contextlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.fastio import guest
from local.fastio.calls import Calls
from local.fastio.forms import Refused
from local.fastio.state import INSTANT, Fastio, standing
from local.hosting.standin import StandIn

API_KEY = "fastio_test_key"
"""The key that the stand-in accepts unless told otherwise."""

_FLAGS = ("infected", "trashed", "hashed")
_SHARE_FLAGS = ("locked", "suspended", "deleted")
_LIMIT, _LIMIT_SECONDS = 500, 30

type Handler = Callable[[Request], Awaitable[Response]]


def fastio_app(
    *,
    api_key: str = API_KEY,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    share_limit: int = 1000,
) -> StandIn:
    """
    The stand-in, empty. *share_limit* is the plan's: one share more is answered 412.

    The API's base URL is the server's URL with `/current`, the web's is the server's URL.
    """
    state = Fastio(clock=clock, share_limit=share_limit)
    app = Starlette(
        routes=[
            # Fast.io answers 404 without the slash at the end; a redirect would hide the client's mistake.
            Mount("/current", Router(_api_routes(Calls(state), api_key), redirect_slashes=False)),
            *guest.GuestPages(state).routes(),
            *_control_routes(state),
            *_closing_routes(state),
        ],
        exception_handlers={Refused: _refused, HTTPException: _unknown_route},
    )
    return StandIn(_WithHeaders(app, state), reset=state.reset, prefix="/current")


def _api_routes(calls: Calls, api_key: str) -> list[Route]:
    def route(method: str, path: str, handler: Handler) -> Route:
        return Route(path, _authorised(handler, api_key), methods=[method])

    return [
        route("GET", "/user/auth/check/", calls.auth_check),
        route("GET", "/auth/scopes/", calls.scopes),
        route("GET", "/events/search/", calls.events),
        route("GET", "/shares/all/", calls.shares),
        route("GET", "/shares/check/name/{name}/", calls.name_check),
        route("GET", "/workspaces/all/", calls.workspaces),
        route("GET", "/workspace/{workspace}/details/", calls.workspace_details),
        route("GET", "/workspace/{workspace}/limits/", calls.workspace_limits),
        route("GET", "/workspace/{workspace}/list/shares/", calls.shares),
        route("POST", "/workspace/{workspace}/create/share/", calls.create_share),
        route("GET", "/{owner:str}/{owner_id}/storage/{nodes}/details/", calls.node_details),
        route("GET", "/{owner:str}/{owner_id}/storage/{folder}/list/", calls.list_folder),
        route("DELETE", "/{owner:str}/{owner_id}/storage/{node}/delete/", calls.delete_node),
        route("POST", "/share/{share}/storage/{folder}/addfile/", calls.add_file),
        route("GET", "/share/{share}/details/", calls.share_details),
        route("POST", "/share/{share}/update/", calls.update_share),
        route("POST", "/share/{share}/archive/", calls.archive_share),
        route("POST", "/share/{share}/unarchive/", calls.unarchive_share),
        route("DELETE", "/share/{share}/delete/", calls.delete_share),
    ]


def _authorised(handler: Handler, api_key: str) -> Handler:
    async def call(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not hmac.compare_digest(token.encode(), api_key.encode()):
            raise Refused(401, 1650, "The token is missing or not valid")
        return await handler(request)

    return call


def _control_routes(state: Fastio) -> list[Route]:
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

    return [
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


async def _refused(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, Refused):
        raise exc
    return exc.answer(request)


async def _unknown_route(request: Request, exc: Exception) -> Response:
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    return Refused(status, 1651 if status == 405 else 9992, "There is no such call").answer(request)


class _WithHeaders:
    """The headers that every answer of Fast.io's carries: a request id, and how much of the limit is left."""

    def __init__(self, app: ASGIApp, state: Fastio) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                expires = self._state.now() + timedelta(seconds=_LIMIT_SECONDS)
                headers["x-ve-reqid"] = secrets.token_hex(8)
                headers["x-ve-limit-max"] = str(_LIMIT)
                headers["x-ve-limit-avail"] = str(_LIMIT - 1)
                headers["x-ve-limit-expires"] = str(int(expires.timestamp()))
            await send(message)

        await self._app(scope, receive, with_headers)
