"""
A proxy between one worker and everything it talks to: it names and numbers the calls, and strikes at one of them.

AWS, the Stripe stand-in and the Fast.io stand-in share its address; their paths tell them apart.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_LATE_SECONDS = 2.0
_HELD_SECONDS = 20.0
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class Blow(StrEnum):
    """What happens to a call."""

    KILL_BEFORE = "before"
    """The worker is killed, and the call never arrives."""
    KILL_AFTER = "after"
    """The call did its work; the worker is killed before it hears of it."""
    THROTTLED = "throttled"
    FAILED = "500"
    RESET = "connection reset"
    LOST = "answer lost"
    """The call did its work, and the connection breaks instead of an answer."""
    LATE = "2 s late"
    HELD = "held"
    """The call waits until the test lets it go."""


@dataclass(slots=True)
class Strike:
    """
    *blow* falls on the *nth* call named *at* and those after it, *times* in all.

    *about* narrows it to calls with that id in them; *luck* is asked about each, and may let it through.
    """

    at: str
    blow: Blow
    nth: int = 1
    times: int = 1
    about: str = ""
    luck: Callable[[], bool] = lambda: True
    held: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Call:
    """What went through: `answer` is the upstream's body, `status` 0 when there was none."""

    name: str
    body: bytes
    status: int
    answer: bytes

    @property
    def told(self) -> dict[str, Any]:
        """The request's JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def heard(self) -> dict[str, Any]:
        """The answer's JSON."""
        found: dict[str, Any] = json.loads(self.answer)
        return found


class Proxy:
    """
    At `url`. `calls` are those that reached their upstream, in order; `victim` is the worker that a blow kills.
    """

    def __init__(self, *, aws_url: str, stripe_url: str, fastio_url: str) -> None:
        self._aws, self._stripe, self._fastio = (urlsplit(url).netloc for url in (aws_url, stripe_url, fastio_url))
        self.url = ""
        self.calls: list[Call] = []
        self.victim: Future[int] = Future()
        self._strikes: list[Strike] = []
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def arm(self, *strikes: Strike) -> None:
        """From now on these, and calls are counted from one again."""
        with self._lock:
            self._strikes = list(strikes)
            self._seen.clear()

    def environ(self) -> dict[str, str]:
        """What sends a worker's calls through here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_SESV2": self.url,
            "STRIPE_API_BASE": self.url,
            "FASTIO_API_BASE": f"{self.url}/current",
        }

    def answer(self, client: "_Client") -> None:
        """Have *client*'s request done, or not."""
        body = client.rfile.read(int(client.headers.get("content-length") or 0))
        name = call_name(client.command, client.path, client.headers.get("x-amz-target", ""), body)
        strike = self._due(name, f"{client.path} {body!r}")
        blow = strike.blow if strike else None
        if strike and blow is Blow.HELD:
            strike.reached.set()
            strike.held.wait(_HELD_SECONDS)
        if blow is Blow.LATE:
            time.sleep(_LATE_SECONDS)
        if blow is Blow.KILL_BEFORE:
            self._kill()
        if blow in (Blow.KILL_BEFORE, Blow.RESET):
            client.drop()
        elif blow in (Blow.THROTTLED, Blow.FAILED):
            client.refuse(*_refusal(name, blow))
        else:
            self._forward(client, name, body, blow)

    def _forward(self, client: "_Client", name: str, body: bytes, blow: Blow | None) -> None:
        try:
            status, headers, answer = self._upstream(client, body)
        except (OSError, http.client.HTTPException):  # Dropped by a stand-in's own fault.
            self.calls.append(Call(name, body, 0, b""))
            client.drop()
            return
        self.calls.append(Call(name, body, status, answer))
        if blow is Blow.KILL_AFTER:
            self._kill()
        if blow in (Blow.KILL_AFTER, Blow.LOST):
            client.drop()
            return
        client.pass_on(status, headers, answer)

    def _upstream(self, client: "_Client", body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        host = self._stripe if client.path.startswith("/v1/") else self._aws
        if client.path.startswith("/current/"):
            host = self._fastio
        connection = http.client.HTTPConnection(host, timeout=30)
        with contextlib.closing(connection):
            headers = {key: value for key, value in client.headers.items() if key.lower() not in _HOP_BY_HOP}
            connection.request(client.command, client.path, body, headers | {"connection": "close"})
            got = connection.getresponse()
            return got.status, got.getheaders(), got.read()

    def _due(self, name: str, request: str) -> Strike | None:
        with self._lock:
            self._seen[name] += 1
            for strike in self._strikes:
                fits = strike.at == name and self._seen[name] >= strike.nth and strike.about in request
                if fits and strike.times > 0 and strike.luck():
                    strike.times -= 1
                    return strike
            return None

    def _kill(self) -> None:
        os.kill(self.victim.result(10), signal.SIGKILL)


@contextlib.contextmanager
def proxy(*, aws_url: str, stripe_url: str, fastio_url: str) -> Iterator[Proxy]:
    """One, while the block runs."""
    made = Proxy(aws_url=aws_url, stripe_url=stripe_url, fastio_url=fastio_url)
    server = _Server(("127.0.0.1", 0), _Client)
    server.proxy = made
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    proxy: Proxy

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # A killed worker's connections end like that.
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # As it came.


class _Client(BaseHTTPRequestHandler):
    """One connection of the worker's."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:  # The standard library's name.
        with contextlib.suppress(ConnectionError):  # The worker is dead, and will not hear it.
            self.server.proxy.answer(self)

    do_GET = do_DELETE = do_POST  # noqa: N815  # As above.

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # As above.
        """Nobody wants to read it."""

    def pass_on(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for key, value in headers:
            if key.lower() not in _HOP_BY_HOP:
                self.send_header(key, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status: int, error: str) -> None:
        body = json.dumps({"__type": error, "message": "struck by the test"}).encode()
        self.pass_on(status, [("content-type", "application/x-amz-json-1.0"), ("x-amzn-errortype", error)], body)

    def drop(self) -> None:
        """A reset: what is not yet sent is thrown away."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


# --- Names ----------------------------------------------------------------------------------------------

_AWS = {
    "secretsmanager.GetSecretValue": "Secrets Manager: get secret",
    "AmazonSQS.ReceiveMessage": "SQS: take the message",
    "AmazonSQS.DeleteMessage": "SQS: delete the message",
    "AmazonSQS.ChangeMessageVisibility": "SQS: put the message off",
    "AmazonSQS.ChangeMessageVisibilityBatch": "SQS: put the messages off",
    "AmazonSQS.SendMessage": "SQS: send",
    "DynamoDB_20120810.PutItem": "events table: in progress",
    "DynamoDB_20120810.DeleteItem": "events table: forget",
}
_PATHS = {
    r"POST /v2/email/outbound-emails": "SES: send the letter",
    r"GET /v1/checkout/sessions/\w+": "Stripe: get the session",
    r"GET /v1/checkout/sessions": "Stripe: find the session",
    r"GET /v1/disputes": "Stripe: list the disputes",
    r"GET /current/workspace/[^/]+/storage/[^/]+/details/": "Fast.io: look at the files",
    r"POST /current/workspace/[^/]+/create/share/": "Fast.io: create the share",
    r"POST /current/share/[^/]+/storage/root/addfile/": "Fast.io: add a file",
    r"GET /current/share/[^/]+/storage/root/list/": "Fast.io: list the share’s files",
    r"GET /current/share/[^/]+/details/": "Fast.io: look at the share",
    r"POST /current/share/[^/]+/archive/": "Fast.io: archive the share",
    r"POST /current/share/[^/]+/unarchive/": "Fast.io: unarchive the share",
    r"POST /current/share/[^/]+/auth/guest/": "Fast.io: open it as a guest",
    r"POST /current/share/[^/]+/update/": "Fast.io: change the share",
}


def call_name(method: str, target: str, operation: str, body: bytes) -> str:
    """What a person would call it."""
    if operation == "DynamoDB_20120810.UpdateItem":
        return _update_name(body)
    if operation:
        return _AWS.get(operation, operation)
    route = f"{method} {target.partition('?')[0]}"
    return next((name for form, name in _PATHS.items() if re.fullmatch(form, route)), route)


def _update_name(body: bytes) -> str:
    asked = json.loads(body)
    if "order_id" not in asked["Key"]:
        is_bought = asked["Key"]["id"].get("S", "").startswith("bought#")
        return "events table: who bought it before" if is_bought else "events table: done"
    if "attribute_not_exists(lease_until)" in asked.get("ConditionExpression", ""):
        return "ledger: claim the order"
    _sets, _, removed = asked["UpdateExpression"].partition(" REMOVE ")
    if "lease_holder" in removed:
        return "ledger: done"
    changes_share = ":switching" in asked["ExpressionAttributeValues"]
    return f"ledger: {'the share is about to change' if changes_share else 'a letter is about to leave'}"


def _refusal(name: str, blow: Blow) -> tuple[int, str]:
    """AWS's own answer: status and error code."""
    if blow is Blow.FAILED:
        return 500, "InternalServerError"
    if name.startswith(("ledger", "events table")):
        return 400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
    if name.startswith("SES"):
        return 429, "TooManyRequestsException"
    return 400, "ThrottlingException"
