"""All that Deliver speaks to over TLS is checked by one context, and no connection reads the authorities anew."""

import json
import ssl
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import httpx
import pytest
import stripe
from botocore.config import Config
from botocore.exceptions import SSLError

from paidshare.aws import everybody_s, sharing
from paidshare.payments_stripe.http import OverHttpx
from paidshare.shares_fastio.api import http_client
from tests.certificates import certificate

KEYS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret", "region_name": "eu-central-1"}
ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})


class Answering(BaseHTTPRequestHandler):
    """`{}` to everything, and hangs up: each call is a connection."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.dumps({}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return certificate(tmp_path)


@pytest.fixture
def url(files: tuple[Path, Path]) -> Iterator[str]:
    """Of a server whose certificate nobody knows but who is told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_args: None  # type: ignore[method-assign]  # Who does not trust it hangs up.
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def told(files: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(files[0]))


def dynamodb(url: str, **more: Any) -> Any:
    session: Any = boto3.session.Session()
    return session.client("dynamodb", endpoint_url=url, config=ONCE, **KEYS, **more)


def aws(url: str, tls: ssl.SSLContext) -> object:
    return sharing(dynamodb(url), tls, environ={}).get_item(TableName="orders", Key={"order_id": {"S": "cs_1"}})


def payments(url: str, tls: ssl.SSLContext) -> object:
    client = OverHttpx(timeout=httpx.Timeout(10), tls=tls)
    try:
        return client.request("get", url, {})
    finally:
        client.close()


def shares(url: str, tls: ssl.SSLContext) -> object:
    with http_client(tls=tls) as client:
        return client.get(url)


EVERY = pytest.mark.parametrize("call", [aws, payments, shares])
type Call = Callable[[str, ssl.SSLContext], object]


@EVERY
def test_whom_the_context_trusts_is_spoken_to(call: Call, url: str, told: ssl.SSLContext) -> None:
    assert call(url, told)


@EVERY
def test_nobody_else_is(call: Call, url: str) -> None:
    with pytest.raises((SSLError, stripe.APIConnectionError, httpx.ConnectError)):
        call(url, everybody_s())


@EVERY
def test_who_has_another_name_is_not(call: Call, url: str, told: ssl.SSLContext) -> None:
    with pytest.raises((SSLError, stripe.APIConnectionError, httpx.ConnectError)):
        call(url.replace("127.0.0.1", "localhost"), told)


@EVERY
def test_no_connection_reads_an_authority(
    call: Call, url: str, told: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    for name in ("load_verify_locations", "load_default_certs"):
        monkeypatch.setattr(ssl.SSLContext, name, lambda *args, **_more: read.append(args))
    for _ in range(2):
        call(url, told)
    assert read == []


@EVERY
def test_the_context_is_as_strict_afterwards(call: Call, url: str, told: ssl.SSLContext) -> None:
    call(url, told)
    assert (told.check_hostname, told.verify_mode) == (True, ssl.CERT_REQUIRED)


def test_whom_the_operator_trusts_instead_is_left_to_boto3(files: tuple[Path, Path], url: str) -> None:
    client = dynamodb(url, verify=str(files[0]))
    found = sharing(client, everybody_s(), environ={"AWS_CA_BUNDLE": str(files[0])})
    assert found.get_item(TableName="orders", Key={"order_id": {"S": "cs_1"}})
