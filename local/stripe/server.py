"""The Stripe stand-in's front: who may call, in which encoding and version, once per idempotency key."""

import base64
import hashlib
import re
import time
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.hosting.standin import StandIn
from local.stripe import api, objects
from local.stripe.cli_feed import CliFeed
from local.stripe.control import Controls
from local.stripe.form import Call, Params, StripeProblem, read_form
from local.stripe.objects import Json
from local.stripe.sending import Sender
from local.stripe.state import StripeState

_VERSION = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}(\.[a-z]+)?")


class Desk:
    """Checks a call before it is worked on: key, version, encoding. Which keys are accepted can change."""

    def __init__(self, *, livemode: bool, keys: Sequence[str] | None) -> None:
        self._form = re.compile(rf"[rs]k_{'live' if livemode else 'test'}_[A-Za-z0-9_]+")
        self._keys = keys

    def accept(self, keys: Sequence[str] | None) -> None:
        """Only these keys from now on; None for every key of the right mode."""
        self._keys = keys

    def check(self, request: Request) -> None:
        """Raises StripeProblem."""
        key = _key_of(request.headers.get("authorization", ""))
        if not key:
            raise StripeProblem("You did not provide an API key.", status=401)
        if not self._form.fullmatch(key) or (self._keys is not None and key not in self._keys):
            # As much of the key as Stripe itself shows: whoever logs this message logs it.
            raise StripeProblem(f"Invalid API Key provided: {key[:8]}*********{key[-4:]}", status=401)
        version = request.headers.get("stripe-version", objects.API_VERSION)
        if not _VERSION.fullmatch(version):
            raise StripeProblem(f"Invalid Stripe API version: {version}")


def _key_of(authorization: str) -> str:
    """The key as a bearer token, or as the user of basic authentication (`curl -u sk_test_…:`): Stripe takes both."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return given
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given, validate=True).decode("ascii").partition(":")[0]
    except ValueError:
        return ""


def stripe_app(
    *,
    livemode: bool = False,
    keys: Sequence[str] | None = None,
    webhook_url: str | None = None,
    webhook_secret: str | None = None,
    retries: Sequence[float] = (1.0, 2.0, 4.0, 8.0),
    clock: Callable[[], float] = time.time,
) -> StandIn:
    """
    A Stripe account in one mode, empty.

    `keys` are the API keys it accepts, None for every `sk_…` and `rk_…` of its mode. Events go to
    `webhook_url`, signed with `webhook_secret` (made up when None); `retries` are the waits in seconds before
    further attempts. `clock` is Unix seconds. Routes: `local.stripe.api`, `local.stripe.control`.
    """
    state = StripeState(livemode, clock=clock)
    sender = Sender(state, retries=tuple(retries), url=webhook_url)
    sender.secret = webhook_secret or sender.secret
    desk = Desk(livemode=livemode, keys=keys)
    feed = CliFeed(sender, check=desk.check)
    app = Starlette(
        routes=[
            *Controls(state, sender, desk.accept).routes(),
            *feed.routes(),
            Route("/{path:path}", _Api(state, desk, sender).answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]
    )

    def forget() -> None:
        state.forget()
        sender.forget()

    return StandIn(app, reset=forget)


class _Api:
    def __init__(self, state: StripeState, desk: Desk, sender: Sender) -> None:
        self._state = state
        self._desk = desk
        self._sender = sender
        self._routes = [
            (method, re.compile(path.replace("{id}", "([^/]+)")), answer) for method, path, answer in api.ROUTES
        ]

    async def answer(self, request: Request) -> Response:
        headers = {"Request-Id": objects.new_id("req", 14)}
        try:
            self._desk.check(request)
            body = (await request.body()).decode()
            headers["Stripe-Version"] = request.headers.get("stripe-version", objects.API_VERSION)
            key = request.headers.get("idempotency-key")
            if request.method == "POST" and key:
                headers["Idempotency-Key"] = key
                return self._once(key, request, body, headers)
            return JSONResponse(self._worked(request, body), headers=headers)
        except StripeProblem as problem:
            return JSONResponse(problem.body, status_code=problem.status, headers=headers)
        finally:
            self._sender.announce_soon(self._state.told())

    def _once(self, key: str, request: Request, body: str, headers: dict[str, str]) -> Response:
        """The first answer again for the same call, an error for another one (docs.stripe.com/idempotency)."""
        asked = hashlib.sha256(f"{request.url.path}\n{body}".encode()).hexdigest()
        if key not in self._state.answers:
            self._state.answers[key] = asked, self._worked(request, body)
            return JSONResponse(self._state.answers[key][1], headers=headers)
        before, answer = self._state.answers[key]
        if before != asked:
            raise StripeProblem(
                "Keys for idempotent requests can only be used with the same parameters they were first used with.",
                kind="idempotency_error",
            )
        return JSONResponse(answer, headers=headers | {"Idempotent-Replayed": "true"})

    def _worked(self, request: Request, body: str) -> Json:
        for method, path, answer in self._routes:
            match = path.fullmatch(request.url.path)
            if match and method == request.method:
                params = _params(request, body)
                expand = Params({"expand": params.raw.pop("expand", [])}).texts("expand")
                call = Call(
                    params,
                    id=match[1] if match.groups() else "",
                    account=request.headers.get("stripe-account"),
                )
                return self._state.expanded(answer(self._state, call), expand)
        raise StripeProblem(f"Unrecognized request URL ({request.method}: {request.url.path}).", status=404)


def _params(request: Request, body: str) -> Params:
    if request.method != "POST":
        if body:
            raise StripeProblem("A GET or DELETE has its parameters in the query.")
        return read_form(request.url.query)
    kind = request.headers.get("content-type", "").split(";")[0]
    if body and kind != "application/x-www-form-urlencoded":
        raise StripeProblem("Invalid request (check that your POST content type is application/x-www-form-urlencoded).")
    if request.url.query:
        raise StripeProblem("A POST has its parameters in the body.")
    return read_form(body)
