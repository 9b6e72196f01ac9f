"""Runs ASGI applications on 127.0.0.1, each in a thread of this process: they end when it ends."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

# Longer than any client keeps a connection that it does not use (httpx: 5 s, ours to Fast.io: 30 s): of two ends that
# let go in the same moment, the client has sent a request that nobody reads. As long as nginx waits, unless told.
IDLE_SECONDS = 75


class _DroppingProtocol(H11Protocol):
    """HTTP/1.1 that lets an application drop the connection, as a network does (`StandIn`, `status: 0`)."""

    def handle_events(self) -> None:
        super().handle_events()
        if getattr(self, "scope", None):  # Set with the first complete head of a request.
            extensions: dict[str, Any] = self.scope.setdefault("extensions", {})
            extensions.setdefault("paidshare.drop", self.transport.abort)


def free_port(preferred: int = 0) -> int:
    """*preferred* if nobody has it on 127.0.0.1, else any free port."""
    for port in (preferred, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


@contextlib.contextmanager
def serving(
    app: ASGIApp, *, port: int = 0, host: str = "127.0.0.1", tls: tuple[Path, Path] | None = None
) -> Iterator[str]:
    """
    Serve *app* while the block runs; yields its URL, without a slash at the end. *tls* are a certificate and its key.

    Raises OSError when the server does not come up within a minute.
    """
    port = free_port(port)
    server = uvicorn.Server(config(app, host, port, tls=tls))
    thread = threading.Thread(target=server.run, name=f"serving-{port}", daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise OSError(f"no server came up on 127.0.0.1:{port}")
        time.sleep(0.005)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=5)


def config(app: ASGIApp, host: str, port: int, *, tls: tuple[Path, Path] | None = None) -> uvicorn.Config:
    """How *app* is served."""
    certificate, key = tls or (None, None)
    return uvicorn.Config(
        _ended_quietly(app),
        host=host,
        port=port,
        log_level="error",
        access_log=False,
        http=_DroppingProtocol,
        ws="websockets-sansio",
        lifespan="off",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=IDLE_SECONDS,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


def _ended_quietly(app: ASGIApp) -> ASGIApp:
    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(ConnectionError):
            await app(scope, receive, send)

    return run
