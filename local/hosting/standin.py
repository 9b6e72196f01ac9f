"""
What both stand-ins have in common: they remember every call, and fail on demand.

Control routes (outside the API that is stood in for, so their names start with an underscore):

- `GET /_calls` → `[{"method", "path", "query", "headers", "body", "status", "at"}, …]`, in order;
  credentials are blanked. `status` 0 means the connection was dropped.
- `POST /_faults` with one rule or a list of them →
  `{"match": "POST /workspace/*/create/share/", "status": 503, "times": 3, "delay_s": 0, "after": false}`.
  `match` is a method (or `*`) and a path pattern, in which `*` is anything but a slash and `**` anything at all.
  `after: true` does the work and then loses the answer, with `late_s` so many seconds after it was lost; `status: 0`
  drops the connection, `status: null` only delays. `times: null` lasts until the next reset; `chance: 0.2` strikes one
  call in five, by dice that `seed` (a number) sets. Optional: `body` (an object) and `headers`. The first rule that
  strikes counts. An empty list clears them.
- `GET /_faults` → `{"faults": […]}`, the rules, each with `fired`: how many calls it struck.
- `POST /_reset` forgets everything.
"""

import asyncio
import json
import random
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_CALLS = 50_000  # A soak of 1,000 orders makes about 15,000; nobody's memory should fill up overnight.


@dataclass(slots=True)
class Fault:
    """One rule of `/_faults`. `times` counts down; at 0 the rule is spent."""

    match: str
    status: int | None = 503
    times: int | None = 1
    delay_s: float = 0.0
    after: bool = False
    late_s: float = 0.0
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    chance: float = 1.0
    seed: int = 0
    fired: int = field(default=0, init=False)
    _dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311  # Dice, no keys.

    @classmethod
    def read(cls, raw: object) -> "Fault":
        """Raises ValueError with what is wrong: a misspelt rule that never fires would make a test lie."""
        if not isinstance(raw, dict) or not isinstance(raw.get("match"), str) or " " not in raw["match"]:
            raise ValueError("a fault is an object with match: 'METHOD /path/*/pattern'")
        unknown = set(raw) - {f.name for f in fields(cls) if f.init}
        if unknown:
            raise ValueError(f"a fault has no field {sorted(unknown)}")
        chance, seed = raw.get("chance", 1), raw.get("seed", 0)
        if not (isinstance(chance, int | float) and 0 <= chance <= 1 and isinstance(seed, int)):
            raise ValueError("chance is a number from 0 to 1, and seed a whole number")
        return cls(**raw)

    def strikes(self, method: str, path: str) -> bool:
        """Whether this call is struck, which is then counted."""
        if self.times == 0 or not self._fits(method, path) or self._dice.random() >= self.chance:
            return False
        self.fired += 1
        if self.times is not None:
            self.times -= 1
        return True

    def shown(self) -> dict[str, Any]:
        """The rule as it was given, and how often it fired."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.repr}

    def _fits(self, method: str, path: str) -> bool:
        wanted_method, pattern = self.match.split(" ", 1)
        wild = {"*": "[^/]*", "**": ".*"}
        regex = "".join(wild.get(part) or re.escape(part) for part in re.split(r"(\*\*?)", pattern))
        return wanted_method in ("*", method) and re.fullmatch(regex, path) is not None


class StandIn:
    """
    ASGI middleware round a stand-in's own application: calls remembered, faults injected, `/_reset` passed on.

    `prefix` is a path the client's base URL may carry (`/current` for Fast.io); it is not part of a match.
    """

    def __init__(self, app: ASGIApp, *, reset: Callable[[], Awaitable[None] | None], prefix: str = "") -> None:
        self.app = app
        self.prefix = prefix
        self.calls: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self._reset = reset
        self._under_way: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path in ("/_calls", "/_faults", "/_reset"):
            await (await self._control(Request(scope, receive)))(scope, receive, send)
        elif path.startswith("/_"):
            await self.app(scope, receive, send)
        else:
            await self._call(scope, receive, send, path.removeprefix(self.prefix))

    async def _control(self, request: Request) -> Response:
        match (request.method, request.url.path):
            case ("GET", "/_calls"):
                return JSONResponse(self.calls)
            case ("POST", "/_faults"):
                try:
                    rules = json.loads(await request.body())
                    if isinstance(rules, list):
                        self.faults = [Fault.read(rule) for rule in rules]
                    else:
                        self.faults.append(Fault.read(rules))
                except ValueError as exc:
                    return JSONResponse({"error": str(exc)}, status_code=400)
                return JSONResponse({"faults": len(self.faults)})
            case ("GET", "/_faults"):
                return JSONResponse({"faults": [rule.shown() for rule in self.faults]})
            case ("POST", "/_reset"):
                self.calls.clear()
                self.faults.clear()
                if (waiting := self._reset()) is not None:
                    await waiting
                return JSONResponse({"reset": True})
            case _:
                return JSONResponse({"error": "GET /_calls, GET or POST /_faults, POST /_reset"}, status_code=405)

    async def _call(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        body = await Request(scope, receive).body()
        call = _remembered(scope, path, body)
        self.calls.append(call)
        del self.calls[:-_MOST_CALLS]
        fault = next((f for f in self.faults if f.strikes(scope["method"], path)), None)
        if fault:
            if fault.delay_s:
                await asyncio.sleep(fault.delay_s)
            if fault.status is not None and not fault.after:
                await self._fail(fault, call, scope, receive, send)
                return
        answer: list[Message] = []
        if fault and fault.late_s:
            late = asyncio.create_task(self._late(fault.late_s, scope, body))
            self._under_way.add(late)
            late.add_done_callback(self._under_way.discard)
            await self._fail(fault, call, scope, receive, send)
            return
        await self.app(scope, _replay(body), _collect(answer))
        if fault and fault.status is not None:
            await self._fail(fault, call, scope, receive, send)
            return
        call["status"] = answer[0]["status"]
        for message in answer:
            await send(message)

    async def _late(self, seconds: float, scope: Scope, body: bytes) -> None:
        await asyncio.sleep(seconds)
        await self.app(dict(scope), _replay(body), _collect([]))

    async def _fail(self, fault: Fault, call: dict[str, Any], scope: Scope, receive: Receive, send: Send) -> None:
        call["status"] = fault.status
        if fault.status == 0:
            scope["extensions"]["paidshare.drop"]()  # From local/hosting/serving.py.
            await asyncio.sleep(0.01)  # uvicorn must see the lost connection before this application ends.
            return
        failure = JSONResponse(
            fault.body or {"error": "injected"}, status_code=fault.status or 503, headers=fault.headers
        )
        await failure(scope, receive, send)


def _remembered(scope: Scope, path: str, body: bytes) -> dict[str, Any]:
    headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
    if "authorization" in headers:
        headers["authorization"] = headers["authorization"].split(" ")[0] + " ***"
    return {
        "method": scope["method"],
        "path": path,
        "query": scope["query_string"].decode("latin-1"),
        "headers": headers,
        "body": body.decode("utf-8", "replace"),
        "status": None,
        "at": time.time(),
    }


def _replay(body: bytes) -> Receive:
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _collect(answer: list[Message]) -> Send:
    async def send(message: Message) -> None:
        answer.append(message)

    return send
