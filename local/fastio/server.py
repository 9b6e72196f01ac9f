"""
The Fast.io calls that Paidshare makes, stateful and strict, over real HTTP.

`fastio_app()` is the application: the API below `/current` (the calls are in `_api_routes`), what a guest
with a link sees below `/shared/` (`fastio_guest`), and control routes beside those of `local/hosting/standin.py`:

- `POST /_files {"workspace": "my-shop", "path": "Guides/field-guide.pdf", "content": "…"}` →
  `{"workspace_id", "node_id", "folder_ids"}`; workspace and folders are made as needed. Optional, for cases
  that should go wrong: `"infected": true`, `"trashed": true`, `"hashed": false`, `"busy": true`, `"lost": true`.
- `POST /_workspaces {"workspace": "my-shop", "member": false}`: the key's account may no longer see a
  workspace that has files; every call for it is answered 401, code 10545.
- `POST /_rules {"mode": "rw"}`: what the account's key may do, and what is not known of Fast.io; see `rules.Rules`.
- `POST /_shares {"share": "o1…", "locked": true}`: also `suspended`, `deleted` (found, but closed to guests).
- `GET /_shares` → `{"shares": [{"id", "custom_name", "title", "expires", "archived", "standing",
  "owner_defined", "files": [{"name", "size"}, …]}, …]}`.
- `POST /_clock {"advance_s": 3600}` → `{"now": "2026-11-22 10:00:00"}`: moves the stand-in's clock on.

Where Fast.io's documents are silent, this server has what `paidshare/shares_fastio/wire` lists as guesses.
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.fastio import codes, control, guest, rulings
from local.fastio.calls import Calls
from local.fastio.forms import Refused
from local.fastio.state import Fastio
from local.hosting.standin import StandIn

API_KEY = "fastio_test_key"
"""The key that the stand-in accepts unless told otherwise."""

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
            Mount("/current", Router(_api_routes(Calls(state), state, api_key), redirect_slashes=False)),
            *guest.GuestPages(state).routes(),
            *control.routes(state),
        ],
        exception_handlers={Refused: _refused, HTTPException: _unknown_route},
    )
    return StandIn(_WithHeaders(app, state), reset=state.reset, prefix="/current")


def _api_routes(calls: Calls, state: Fastio, api_key: str) -> list[Route]:
    def route(method: str, path: str, handler: Handler, *, admin: bool = False, guests: bool = False) -> Route:
        authorised = _authorised(handler, state, api_key, admin=admin, guests=guests)
        return Route(path, authorised, methods=[method])

    return [
        Route("/share/{share}/auth/guest/", calls.guest, methods=["POST"]),
        Route("/user/auth/check/", _authenticated(calls.auth_check, api_key), methods=["GET"]),
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
        route("GET", "/{owner:str}/{owner_id}/storage/{folder}/list/", calls.list_folder, guests=True),
        route("DELETE", "/{owner:str}/{owner_id}/storage/{node}/delete/", calls.delete_node),
        route("POST", "/share/{share}/storage/{folder}/addfile/", calls.add_file),
        route("GET", "/share/{share}/details/", calls.share_details),
        route("POST", "/share/{share}/update/", calls.update_share, admin=True),
        route("POST", "/share/{share}/archive/", calls.archive_share, admin=True),
        route("POST", "/share/{share}/unarchive/", calls.unarchive_share, admin=True),
        route("DELETE", "/share/{share}/delete/", calls.delete_share, admin=True),
    ]


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""


def _authenticated(handler: Handler, api_key: str) -> Handler:
    """For whoever has the key, whatever it may do."""

    async def call(request: Request) -> Response:
        if not hmac.compare_digest(_token(request).encode(), api_key.encode()):
            raise Refused(401, codes.TOKEN, "The token is missing or not valid")
        return await handler(request)

    return call


def _authorised(handler: Handler, state: Fastio, api_key: str, *, admin: bool, guests: bool) -> Handler:
    """
    For a key whose scopes go so far. Which calls on a share only an *admin* may do is not documented: those that change
    it as a whole. *guests* may do it in the share that their token is for, as long as that is open.
    """

    async def checked(request: Request) -> Response:
        rulings.check_key(state, request.method, admin=admin)
        return await handler(request)

    with_key = _authenticated(checked, api_key)

    async def call(request: Request) -> Response:
        admitted = rulings.admitted(state, _token(request)) if guests else None
        if admitted is None:
            return await with_key(request)
        share = state.share(request.path_params["owner_id"]) if request.path_params["owner"] == "share" else None
        if share is None or share.id != admitted:
            raise Refused(403, codes.GUEST, "The token is for another share")
        rulings.admit(state, share)
        return await handler(request)

    return call


async def _refused(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, Refused):
        raise exc
    return exc.answer(request)


async def _unknown_route(request: Request, exc: Exception) -> Response:
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    code = codes.METHOD if status == 405 else codes.UNKNOWN_ROUTE
    return Refused(status, code, "There is no such call").answer(request)


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
