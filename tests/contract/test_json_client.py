"""
Receive's own client of AWS, held against boto3's: the same request to the byte, the same outcome of every fault.

Where it is stricter than boto3, which takes a broken answer for a good one, `STRICTER` says so.
"""

import json
import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from io import BufferedReader
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries import standard

from paidshare.aws import Patience, client
from paidshare.aws.connection import Answered, Connection
from paidshare.aws.json_client import THROTTLED, TRANSIENT, TRANSIENT_STATUSES, JsonClient, suits
from tests.certificates import certificate

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "eu-central-1"}
PUT = {"TableName": "events", "Item": {"id": {"S": "1"}}}
PATIENT, IMPATIENT = Patience(connect=5, read=5), Patience(connect=5, read=0.3)


# --- The same request --------------------------------------------------------------------------------------

REGIONS = ["us-east-1", "ap-southeast-2", "cn-north-1", "us-gov-west-1"]
_CHARACTERS = [chr(code) for code in (*range(256), 0x2028, 0x2602, 0xFFFD, 0x1F600, 0x10FFFF)]
_KEYS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+="


class Requests:
    """Any number of Receive's calls, each with other arguments, keys, regions and moments, by dice."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311  # Dice, no keys.

    def text(self, of: Sequence[str] = _CHARACTERS, *, least: int = 0) -> str:
        return "".join(self._dice.choices(of, k=self._dice.randrange(least, 40)))

    def item(self) -> dict[str, Any]:
        return {self.text(least=1): self._value() for _ in range(self._dice.randrange(1, 5))}

    def _value(self) -> dict[str, Any]:
        kind = self._dice.choice(["S", "N", "BOOL", "L"])
        number = self._dice.randrange(-(10**20), 10**20)
        values = {"S": self.text(), "N": str(number), "BOOL": number > 0, "L": [{"S": self.text()}]}
        return {kind: values[kind]}

    def call(self) -> tuple[str, dict[str, Any]]:
        of = {"TableName": self.text(least=1)}
        by_name = {"ExpressionAttributeNames": {"#a": self.text()}, "ExpressionAttributeValues": {":a": self._value()}}
        in_group = {"MessageGroupId": self.text()} if self._dice.random() < 0.5 else {}
        calls: list[tuple[str, dict[str, Any]]] = [
            ("dynamodb.put_item", {**of, "Item": self.item(), "ConditionExpression": self.text(), **by_name}),
            ("dynamodb.update_item", {**of, "Key": self.item(), "UpdateExpression": self.text(), **by_name}),
            ("dynamodb.delete_item", {**of, "Key": self.item()}),
            ("dynamodb.get_item", {**of, "Key": self.item(), "ConsistentRead": True}),
            ("sqs.send_message", {"QueueUrl": self.text(), "MessageBody": self.text(), **in_group}),
            ("secretsmanager.get_secret_value", {"SecretId": self.text(least=1)}),
        ]
        return self._dice.choice(calls)

    def environ(self) -> dict[str, str]:
        token = {"AWS_SESSION_TOKEN": self.text(_KEYS, least=1)} if self._dice.random() < 0.5 else {}
        return {
            "AWS_ACCESS_KEY_ID": self.text(_KEYS, least=1),
            "AWS_SECRET_ACCESS_KEY": self.text(_KEYS, least=1),
            "AWS_DEFAULT_REGION": self._dice.choice(REGIONS),
            **token,
        }

    def moment(self) -> datetime:
        return datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=self._dice.randrange(4 * 10**9))


class Theirs:
    """boto3's clients, which send nothing: what they would have sent is kept."""

    def __init__(self) -> None:
        self._session = boto3.session.Session(aws_access_key_id="a", aws_secret_access_key="b")
        self.sent: list[Any] = []

    @cache  # noqa: B019  # As long as the tests.
    def _client(self, service: str, region: str) -> Any:
        made = self._session.client(service, region_name=region)  # type: ignore[call-overload]
        made.meta.events.register("before-send", self._kept)
        return made

    def _kept(self, request: Any, **_: Any) -> AWSResponse:
        self.sent.append(request)
        raw: Any = SimpleNamespace(stream=lambda **_: iter([b"{}"]))
        return AWSResponse(request.url, 200, HTTPHeaders(), raw)

    def request(self, call: str, arguments: dict[str, Any], environ: dict[str, str]) -> tuple[dict[str, str], bytes]:
        service, _, operation = call.partition(".")
        keys: Any = self._session.get_credentials()
        keys.access_key, keys.secret_key = environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]
        keys.token = environ.get("AWS_SESSION_TOKEN")
        getattr(self._client(service, environ["AWS_DEFAULT_REGION"]), operation)(**arguments)
        sent = self.sent.pop()
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in sent.headers.items()
        }
        return {"host": sent.url.split("/")[2], **headers}, sent.body


def ours(call: str, arguments: dict[str, Any], environ: dict[str, str], now: datetime) -> tuple[dict[str, str], bytes]:
    service, _, operation = call.partition(".")
    sent: list[tuple[dict[str, str], bytes]] = []

    def post(_self: Connection, headers: dict[str, str], body: bytes) -> Answered:
        sent.append((headers, body))
        return Answered(200, {}, b"{}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "post", post)
        made = JsonClient(service, environ, patience=IMPATIENT, attempts=1, clock=lambda: now)
        getattr(made, operation)(**arguments)
    return sent[0]


@pytest.fixture(scope="module")
def theirs() -> Iterator[Theirs]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        yield Theirs()


def _given[T](value: T) -> T:
    return value


class TestRequest:
    def test_each_of_1200_is_boto3_s_to_the_byte_with_its_signature(
        self, theirs: Theirs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        requests = Requests(seed=7)
        for number in range(1200):
            call, environ, now = requests.call(), requests.environ(), requests.moment()
            monkeypatch.setattr("botocore.auth.get_current_datetime", partial(_given, now))
            their_headers, their_body = theirs.request(*call, environ)
            headers, body = ours(*call, environ, now)
            assert body == their_body, number
            [names] = [part for part in their_headers["authorization"].split(", ") if "SignedHeaders=" in part]
            for name in (*names.partition("=")[2].split(";"), "authorization"):
                assert headers[name] == their_headers[name], (number, call)

    def test_what_is_on_the_wire_is_what_was_signed(self) -> None:
        with scripted() as server:
            server.replies.append(answered(b"{}"))
            own(server, PATIENT).put_item(**PUT)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        line, *rest = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (header.split(": ", 1) for header in rest)}
        assert line == "POST / HTTP/1.1"
        assert headers["host"] == server.url.removeprefix("http://")
        assert json.loads(body) == PUT
        assert int(headers["content-length"]) == len(body)
        assert headers["x-amz-target"] == "DynamoDB_20120810.PutItem"

    def test_lambda_s_trace_is_passed_on_unsigned_as_boto3_does(self) -> None:
        environ = KEYS | {"AWS_LAMBDA_FUNCTION_NAME": "receive", "_X_AMZN_TRACE_ID": "Root=1-2;Lineage=a:1 b"}
        headers, _ = ours("dynamodb.put_item", PUT, environ, datetime.now(UTC))
        assert headers["x-amzn-trace-id"] == "Root=1-2;Lineage=a:1%20b"
        assert "trace" not in headers["authorization"]
        del environ["AWS_LAMBDA_FUNCTION_NAME"]
        assert "x-amzn-trace-id" not in ours("dynamodb.put_item", PUT, environ, datetime.now(UTC))[0]

    def test_what_receive_does_not_call_is_not_there(self) -> None:
        made = JsonClient("sqs", KEYS, patience=IMPATIENT, attempts=1)
        with pytest.raises(AttributeError, match="sqs is not asked for 'purge_queue' here"):
            _ = made.purge_queue


# --- The same outcome --------------------------------------------------------------------------------------

HANG_UP, SILENCE = "hangs up", "says nothing"


@dataclass
class Scripted:
    """A server that replies to one request after the other as it is told, with bytes or otherwise."""

    url: str
    replies: list[bytes | str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def handle(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while head := b"".join(takewhile(_is_header, iter(partial(_line, stream), b""))):
                length = next(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                self.requests.append(head + b"\r\n" + stream.read(length))
                reply = self.replies.pop(0) if self.replies else HANG_UP
                if isinstance(reply, bytes):
                    connection.sendall(reply)
                    if b"Connection: close" in reply or b"\r\nX-Then: hangs up" in reply:
                        return
                elif reply == SILENCE:
                    connection.settimeout(5)
                    stream.read(1)  # Until the client gives up.
                    return
                else:
                    return


def _is_header(line: object) -> bool:
    return line not in (b"\r\n", b"\n")


def _line(stream: BufferedReader) -> bytes:
    return stream.readline()


def answered(body: bytes, status: int = 200, **headers: str | int) -> bytes:
    """An answer of HTTP/1.1; underscores in the names of *headers* are dashes."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def refusal(code: str, status: int = 400, **more: Any) -> bytes:
    return answered(json.dumps({"__type": f"com.amazonaws#{code}", "message": "no", **more}).encode(), status)


class scripted:  # noqa: N801  # Used as a function.
    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls

    def __enter__(self) -> Scripted:
        self._listening = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if self._tls else "http"
        self._server = Scripted(f"{scheme}://127.0.0.1:{self._listening.getsockname()[1]}")
        threading.Thread(target=self._accept, daemon=True).start()
        return self._server

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._server.connections += 1
            threading.Thread(target=self._handled, args=[connection], daemon=True).start()

    def _handled(self, connection: socket.socket) -> None:
        try:
            secured = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            self._server.handle(secured)
        except (OSError, StopIteration):
            return

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def own(
    server: Scripted,
    patience: Patience,
    *,
    service: str = "dynamodb",
    slept: list[float] | None = None,
    bundle: str = "",
) -> Any:
    pauses = [] if slept is None else slept
    environ = KEYS | {"AWS_ENDPOINT_URL": server.url, "AWS_CA_BUNDLE": bundle}
    return JsonClient(service, environ, patience=patience, attempts=2, sleep=pauses.append, chance=lambda: 1.0)


def boto3_s(server: Scripted, patience: Patience, *, service: str = "dynamodb") -> Any:
    return boto3.session.Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret").client(  # type: ignore[call-overload]
        service,
        region_name="eu-central-1",
        endpoint_url=server.url,
        config=Config(
            connect_timeout=patience.connect,
            read_timeout=patience.read,
            retries={"mode": "standard", "total_max_attempts": 2},
        ),
    )


def outcome(call: Callable[..., dict[str, Any]], **arguments: Any) -> tuple[str, Any]:
    try:
        answer = call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response.get("Item")
    except BotoCoreError as error:
        return type(error).__name__, None
    return "answer", {name: value for name, value in answer.items() if name != "ResponseMetadata"}


GOOD = answered(b'{"Attributes": {"a": {"S": "b"}}}')
TRUNCATED = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX-Then: hangs up\r\n\r\n" + b'{"Attributes": '
WRONG_CRC = answered(b'{"Attributes": {"a": {"S": "b"}}}', x_amz_crc32="1")
FAULTS: dict[str, list[bytes | str]] = {
    "none": [GOOD],
    "a checksum that is right": [answered(b"{}", x_amz_crc32=str(crc32(b"{}")))],
    "an empty answer": [answered(b"")],
    "dropped once": [HANG_UP, GOOD],
    "dropped twice": [HANG_UP, HANG_UP],
    "silence once": [SILENCE, GOOD],
    "silence twice": [SILENCE, SILENCE],
    "no HTTP at all": [b"SSH-2.0-OpenSSH\r\nX-Then: hangs up\r\n\r\n", GOOD],
    "a checksum that is wrong once": [WRONG_CRC, GOOD],
    "a refusal that says more": [refusal("ConditionalCheckFailedException", Item={"id": {"S": "1"}})],
    "refused": [refusal("AccessDeniedException")],
    "a validation error": [refusal("ValidationException")],
    "a code with a namespace behind it": [answered(b'{"__type": "Odd:http://internal/"}', 400)],
    "a refusal without JSON": [answered(b"no", 400)],
    "a refusal without a body": [answered(b"", 403)],
    "500, then good": [refusal("InternalServerError", 500), GOOD],
    "500 twice": [refusal("InternalServerError", 500), refusal("InternalServerError", 500)],
    "502 of a proxy": [answered(b"<html>Bad gateway</html>", 502)] * 2,
    "503 without a body": [answered(b"", 503)] * 2,
    "504": [answered(b"{}", 504)] * 2,
    "501": [refusal("NotImplemented", 501)],
    "429 without a body": [answered(b"", 429)] * 2,
    "throttled, then good": [refusal("ProvisionedThroughputExceededException"), GOOD],
    "throttled twice": [refusal("ThrottlingException")] * 2,
    "asked to wait": [answered(b"", 503, x_amz_retry_after="100"), GOOD],
    "another region's write": [refusal("ReplicatedWriteConflictException"), GOOD],
    "moved": [answered(b"", 301, Location="http://127.0.0.1:1/")],
    "moved for now": [answered(b"", 307, Location="http://127.0.0.1:1/")],
    "moved, and says so": [answered(b"{}", 308, Location="http://127.0.0.1:1/")],
}
# boto3 takes these for a good answer that says nothing: a write that may not have been one.
STRICTER: dict[str, tuple[list[bytes | str], str]] = {
    "cut off twice": ([TRUNCATED, TRUNCATED], "ConnectionClosedError"),
    "no JSON twice": ([answered(b"<html>Log in to the network</html>")] * 2, "HTTPClientError"),
    "no JSON object twice": ([answered(b"[]")] * 2, "HTTPClientError"),
    "a checksum that is wrong twice": ([WRONG_CRC, WRONG_CRC], "ChecksumError"),
}


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long boto3 would have slept, at the most."""
    pauses: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=pauses.append))
    return pauses


class TestOutcome:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_fault_comes_to_what_it_comes_to_with_boto3_after_as_many_requests(
        self, fault: str, slept: list[float]
    ) -> None:
        pauses: list[float] = []
        found = []
        patience = IMPATIENT if SILENCE in FAULTS[fault] else PATIENT
        for make in (partial(own, slept=pauses), boto3_s):
            with scripted() as server:
                server.replies += FAULTS[fault]
                made = make(server, patience)
                found.append(
                    (
                        outcome(made.update_item, TableName="t", Key={"id": {"S": "1"}}),
                        len(server.requests),
                    )
                )
        assert found[0] == found[1]
        assert len(pauses) == len(slept)
        assert all(theirs <= most for theirs, most in zip(slept, pauses, strict=True))

    @pytest.mark.parametrize("fault", STRICTER)
    def test_what_boto3_takes_for_good_is_tried_again_and_is_an_error_then(self, fault: str) -> None:
        replies, kind = STRICTER[fault]
        with scripted() as server:
            server.replies += replies
            assert outcome(own(server, PATIENT).put_item, **PUT) == (kind, None)
        assert len(server.requests) == 2

    def test_the_refusals_of_sqs_keep_their_old_codes(self) -> None:
        old = answered(
            b'{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"}',
            400,
            x_amzn_query_error="AWS.SimpleQueueService.NonExistentQueue;Sender",
        )
        found = []
        for make in (own, boto3_s):
            with scripted() as server:
                server.replies.append(old)
                made = make(server, PATIENT, service="sqs")
                found.append(outcome(made.send_message, QueueUrl="q", MessageBody="m"))
        assert found[0] == found[1] == ("AWS.SimpleQueueService.NonExistentQueue", None)

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://no-such-host.invalid", "https://127.0.0.1:1"])
    def test_nobody_there_is_told_as_boto3_tells_it(self, url: str, slept: list[float]) -> None:
        nobody = Scripted(url)
        found = [outcome(make(nobody, PATIENT).put_item, **PUT) for make in (own, boto3_s)]
        assert found[0] == found[1] == ("EndpointConnectionError", None)


class TestTls:
    @pytest.fixture
    def known(self, tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
        shown, key = certificate(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(shown, key)
        return shown, context

    def test_whoever_shows_a_certificate_that_nobody_knows_is_asked_nothing(
        self, known: tuple[Path, ssl.SSLContext], slept: list[float]
    ) -> None:
        for make in (own, boto3_s):
            with scripted(known[1]) as server:
                server.replies.append(GOOD)
                assert outcome(make(server, PATIENT).put_item, **PUT)[0] == "SSLError"
                assert server.requests == []

    def test_a_bundle_that_is_said_is_the_one_that_is_trusted(self, known: tuple[Path, ssl.SSLContext]) -> None:
        with scripted(known[1]) as server:
            server.replies += [GOOD] * 2
            made = own(server, PATIENT, bundle=str(known[0]))
            assert [outcome(made.put_item, **PUT)[0] for _ in range(2)] == ["answer", "answer"]
        assert (server.connections, len(server.requests)) == (1, 2)

    def test_a_certificate_of_another_root_than_amazon_s_is_looked_for_among_all(
        self, known: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("certifi.where", lambda: str(known[0]))
        with scripted(known[1]) as server:
            server.replies += [GOOD] * 2
            made = own(server, PATIENT)
            assert [outcome(made.put_item, **PUT)[0] for _ in range(2)] == ["answer", "answer"]
        assert (server.connections, len(server.requests)) == (2, 2)  # The first was hung up on.


class TestConnection:
    def test_it_is_kept_for_the_next_call(self) -> None:
        with scripted() as server:
            server.replies += [GOOD] * 3
            made = own(server, PATIENT)
            for _ in range(3):
                made.put_item(**PUT)
        assert (server.connections, len(server.requests)) == (1, 3)

    @pytest.mark.parametrize("how", ["Connection: close", "X-Then: hangs up"])
    def test_one_that_was_closed_meanwhile_is_made_anew_and_costs_no_attempt(self, how: str) -> None:
        with scripted() as server:
            server.replies += [f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{how}\r\n\r\n{{}}".encode()] * 3
            pauses: list[float] = []
            made = own(server, PATIENT, slept=pauses)
            for _ in range(3):
                made.put_item(**PUT)
                wait_until_hung_up(made)
        assert (server.connections, len(server.requests), pauses) == (3, 3, [])


def wait_until_hung_up(made: Any) -> None:
    """The other side's farewell is a moment under way, too."""
    kept = made._connection._kept
    if kept is not None:
        kept.sock.recv(1, socket.MSG_PEEK)


class TestSuits:
    @pytest.mark.parametrize(
        "more",
        [
            {"HTTPS_PROXY": "http://proxy"},
            {"https_proxy": "http://proxy"},
            {"AWS_USE_FIPS_ENDPOINT": "true"},
            {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
            {"AWS_PROFILE": "shop"},
            {"AWS_ACCESS_KEY_ID": ""},
            {"AWS_SECRET_ACCESS_KEY": ""},
            {"AWS_DEFAULT_REGION": ""},
            {"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1/with/a/path"},
        ],
    )
    def test_what_only_boto3_heeds_is_left_to_boto3(
        self, more: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        environ = KEYS | more
        assert not suits(environ)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        made = client("sqs", environ=environ, patience=Patience(1, 3), attempts=2)
        assert made.meta.service_model.service_name == "sqs"
        assert made.meta.config.retries["total_max_attempts"] == 2
        assert (made.meta.config.connect_timeout, made.meta.config.read_timeout) == (1, 3)

    def test_lambda_s_own_environment_suits(self) -> None:
        assert suits(KEYS | {"AWS_SESSION_TOKEN": "t", "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": ""})
        assert isinstance(client("sqs", environ=KEYS, patience=IMPATIENT, attempts=2), JsonClient)


def test_what_another_attempt_may_mend_is_botocore_s_own_list() -> None:
    transient: Any = standard.TransientRetryableChecker
    throttled: Any = standard.ThrottledRetryableChecker
    assert frozenset(throttled._THROTTLED_ERROR_CODES) == THROTTLED
    assert frozenset(transient._TRANSIENT_ERROR_CODES) - THROTTLED == TRANSIENT - {"ReplicatedWriteConflictException"}
    assert frozenset(transient._TRANSIENT_STATUS_CODES) == TRANSIENT_STATUSES
