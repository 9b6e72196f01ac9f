from contextlib import closing

import httpx
from starlette.applications import Starlette
from uvicorn import Config

from local.hosting.serving import IDLE_SECONDS, config
from paidshare.shares_fastio.api import http_client


def kept_by(client: httpx.Client) -> float:
    transport = client._transport
    assert isinstance(transport, httpx.HTTPTransport)
    expiry = transport._pool._keepalive_expiry
    assert expiry is not None
    return float(expiry)


def test_a_server_keeps_an_idle_connection_for_longer_than_any_client_would_use_it_again() -> None:
    with httpx.Client() as usual, closing(http_client()) as ours:
        longest = max(kept_by(usual), kept_by(ours))

    assert config(Starlette(), "127.0.0.1", 0).timeout_keep_alive == IDLE_SECONDS
    assert 2 * longest < IDLE_SECONDS
    assert Config("").timeout_keep_alive < longest  # Which is why it is said.
