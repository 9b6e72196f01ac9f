"""
DynamoDB, SQS and Secrets Manager as Receive calls them: what boto3's clients do, without their weight.

A call has boto3's name, arguments and answer; what fails raises what boto3 would raise, after as many attempts.
docs/decisions/0043 says what it buys, where it differs, and how to go back.
"""

import json
import random
import time
from binascii import crc32
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any
from urllib.parse import quote, urlsplit

from paidshare.aws import errors, roots
from paidshare.aws.connection import Answered, Connection, Patience
from paidshare.aws.endpoints import endpoint_url
from paidshare.aws.errors import botocore
from paidshare.aws.sigv4 import Keys, Scope, signed


@dataclass(frozen=True, slots=True)
class Service:
    """How a service speaks JSON, from its model in botocore. `slot_s`: what the pause between attempts grows from."""

    name: str
    target: str
    json_version: str
    operations: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    slot_s: float = 0.05


_DYNAMODB = {
    "delete_item": "DeleteItem",
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
}
SERVICES = (
    Service("dynamodb", "DynamoDB_20120810", "1.0", _DYNAMODB, slot_s=0.025),
    Service("secretsmanager", "secretsmanager", "1.1", {"get_secret_value": "GetSecretValue"}),
    Service("sqs", "AmazonSQS", "1.0", {"send_message": "SendMessage"}, headers={"x-amzn-query-mode": "true"}),
)

# What another attempt may mend, as botocore's standard mode has it; tests/unit/test_json_client.py holds them to it.
TRANSIENT_STATUSES = frozenset({500, 502, 503, 504})
TRANSIENT = frozenset({"RequestTimeout", "RequestTimeoutException", "ReplicatedWriteConflictException"})
THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_UNSIGNED = {"user-agent": "paidshare"}
_THROTTLED_SLOT_S = 1.0
_LONGEST_ASKED_S = 5.0

# What boto3 would heed and this does not: proxies, other kinds of keys and endpoints, the files in ~/.aws.
_NEEDED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
_NOT_HEEDED = (
    "ALL_PROXY",
    "AWS_ACCOUNT_ID",
    "AWS_DEFAULT_PROFILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "HTTPS_PROXY",
    "HTTP_PROXY",
)


def suits(environ: Mapping[str, str]) -> bool:
    """Whether all that *environ* asks of a client is what a `JsonClient` does, so that it need not be boto3's."""
    asked = any(environ.get(name) or environ.get(name.lower()) for name in _NOT_HEEDED)
    urls = (value for name, value in environ.items() if name.startswith("AWS_ENDPOINT_URL"))
    return all(map(environ.get, _NEEDED)) and not asked and all(urlsplit(url).path in ("", "/") for url in urls)


def client(service: str, *, environ: Mapping[str, str], patience: Patience, attempts: int) -> Any:
    """A client of *service*: a `JsonClient`, or boto3's where *environ* `suits` nothing less."""
    if suits(environ):
        return JsonClient(service, environ, patience=patience, attempts=attempts)
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    config = Config(connect_timeout=patience.connect, read_timeout=patience.read, retries=retries)
    return boto3.session.Session().client(service, config=config)  # type: ignore[call-overload]


class JsonClient:
    """
    One *service* (by name) in the region and with the keys of *environ*, as Lambda sets them. Not for several threads.

    Raises botocore's ClientError for what AWS refuses, and its BotoCoreError for what it did not answer.
    """

    def __init__(
        self,
        service: str,
        environ: Mapping[str, str],
        *,
        patience: Patience,
        attempts: int,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._service = next(known for known in SERVICES if known.name == service)
        region = environ["AWS_DEFAULT_REGION"]
        self._keys = Keys(
            environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], environ.get("AWS_SESSION_TOKEN", "")
        )
        self._scope = Scope(region, service)
        self._connection = Connection(endpoint_url(service, region, environ), patience, roots.contexts(environ))
        self._environ = environ
        self._attempts = attempts
        self._sleep = sleep
        self._chance = chance
        self._clock = clock

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        if name not in (operations := self._service.operations):
            raise AttributeError(f"{self._service.name} is not asked for {name!r} here")
        return partial(self._call, operations[name])

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        body = json.dumps(arguments).encode()
        for attempt in count(1):
            try:
                return self._once(operation, body)
            except errors.AWS_ERRORS as error:
                slot_s = self._slot_s(error)
                if slot_s is None or attempt == self._attempts:
                    raise
                self._sleep(_pause_s(error, self._chance() * slot_s * 2 ** (attempt - 1)))
        raise AssertionError  # Not reached.

    def _once(self, operation: str, body: bytes) -> dict[str, Any]:
        modelled = {
            "content-type": f"application/x-amz-json-{self._service.json_version}",
            "host": self._connection.host,
            "x-amz-target": f"{self._service.target}.{operation}",
            **self._service.headers,
        }
        headers = signed(modelled, body, keys=self._keys, scope=self._scope, moment=self._clock())
        answered = self._connection.post(headers | _UNSIGNED | _trace(self._environ), body)
        if (crc := answered.headers.get("x-amz-crc32")) is not None and crc != str(actual := crc32(answered.body)):
            raise botocore().ChecksumError(checksum_type="crc32", expected_checksum=crc, actual_checksum=actual)
        said = _object(answered.body)
        if answered.status >= 300:
            raise botocore().ClientError(_refusal(answered, said or {}), operation)
        if said is None:
            raise botocore().HTTPClientError(error=f"{answered.status} without a JSON object")
        return said

    def _slot_s(self, error: Exception) -> float | None:
        """What the pause before another attempt grows from; None when there is to be none."""
        response = getattr(error, "response", None)
        if response is None:
            return self._service.slot_s
        code, status = response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
        if code in THROTTLED or status == 429:
            return _THROTTLED_SLOT_S
        return self._service.slot_s if code in TRANSIENT or status in TRANSIENT_STATUSES else None


def _pause_s(error: Exception, drawn_s: float) -> float:
    """At least what the service asks for, within bounds."""
    response = getattr(error, "response", None) or {}
    asked = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-retry-after", "")
    asked_s = int(asked) / 1000 if asked.isdecimal() and len(asked) < 10 else 0.0
    return max(drawn_s, min(asked_s, drawn_s + _LONGEST_ASKED_S))


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _refusal(answered: Answered, said: dict[str, Any]) -> dict[str, Any]:
    """What boto3 makes of an error: its code and message, and all that the service says besides."""
    code = str(said.get("__type") or answered.status).partition(":")[0].rpartition("#")[2]
    # SQS's codes had other names once, which boto3 still tells.
    old, _, blame = answered.headers.get("x-amzn-query-error", "").partition(";")
    message = said.get("message") or said.get("Message") or ""
    return said | {
        "Error": {"Code": old if old and blame else code, "Message": str(message)},
        "ResponseMetadata": {"HTTPStatusCode": answered.status, "HTTPHeaders": dict(answered.headers)},
    }


def _trace(environ: Mapping[str, str]) -> dict[str, str]:
    """Lambda stops functions that call each other in a circle by what they pass on, as boto3 does."""
    trace = environ.get("_X_AMZN_TRACE_ID") if "AWS_LAMBDA_FUNCTION_NAME" in environ else None
    return {"x-amzn-trace-id": quote(trace, safe="-=;:+&[]{}\"',")} if trace else {}
