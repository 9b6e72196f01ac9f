"""What idempotency writes is what Powertools' own layer writes, call by call, over whichever client."""

import datetime as dt
import time
from types import SimpleNamespace
from typing import Any, Protocol

import pytest
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence import dynamodb
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
from botocore.exceptions import ClientError

from paidshare.aws.remembered import Remembered

NOW = 1_796_000_000.25
PROGRESS = DataRecord("intake#1", "INPROGRESS", 1_796_300_000, 1_796_000_015_000)
DONE = DataRecord("intake#1", "COMPLETED", 1_796_300_000, response_data="null")
ITEM = {
    "id": {"S": "intake#1"},
    "status": {"S": "INPROGRESS"},
    "expiration": {"N": "1796300000"},
    "in_progress_expiration": {"N": "1796000015000"},
}


class Client:
    """Keeps what it is called with, and answers with *answer*, or raises it."""

    def __init__(self, answer: Any = None) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answer = answer
        self.meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_: None))

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls.append((name, arguments))
            if isinstance(self._answer, Exception):
                raise self._answer
            return self._answer or {}

        return call


class Layer(Protocol):
    def _get_record(self, idempotency_key: str) -> DataRecord: ...
    def _put_record(self, data_record: DataRecord) -> None: ...
    def _update_record(self, data_record: DataRecord) -> None: ...
    def _delete_record(self, data_record: DataRecord) -> None: ...


@pytest.fixture(params=["ours", "Powertools'"])
def layer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    class Then(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> "Then":
            return cls.fromtimestamp(NOW, tz)

    monkeypatch.setattr(dynamodb, "dt", SimpleNamespace(datetime=Then))

    def made(client: Client) -> Layer:
        anything: Any = client
        if request.param == "ours":
            return Remembered(anything, "events", clock=lambda: NOW)
        return DynamoDBPersistenceLayer("events", boto3_client=anything)

    return made


def calls(client: Client) -> dict[str, dict[str, Any]]:
    return dict(client.calls)


CALLS = {
    "put_item": {
        "TableName": "events",
        "Item": ITEM,
        "ConditionExpression": "attribute_not_exists(#id) OR #expiry < :now OR (#status = :inprogress"
        " AND attribute_exists(#in_progress_expiry) AND #in_progress_expiry < :now_in_millis)",
        "ExpressionAttributeNames": {
            "#id": "id",
            "#expiry": "expiration",
            "#in_progress_expiry": "in_progress_expiration",
            "#status": "status",
        },
        "ExpressionAttributeValues": {
            ":now": {"N": "1796000000"},
            ":now_in_millis": {"N": "1796000000250"},
            ":inprogress": {"S": "INPROGRESS"},
        },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    },
    "update_item": {
        "TableName": "events",
        "Key": {"id": {"S": "intake#1"}},
        "UpdateExpression": "SET #response_data = :response_data, #expiry = :expiry, #status = :status",
        "ExpressionAttributeNames": {"#expiry": "expiration", "#response_data": "data", "#status": "status"},
        "ExpressionAttributeValues": {
            ":expiry": {"N": "1796300000"},
            ":response_data": {"S": "null"},
            ":status": {"S": "COMPLETED"},
        },
    },
    "delete_item": {"TableName": "events", "Key": {"id": {"S": "intake#1"}}},
}


def test_every_write_is_powertools_own(layer: Any) -> None:
    client = Client()
    one = layer(client)
    one._put_record(PROGRESS)
    one._update_record(DONE)
    one._delete_record(DONE)
    assert calls(client) == CALLS


def test_what_is_there_is_read_as_powertools_reads_it(layer: Any) -> None:
    client = Client({"Item": ITEM})
    record = layer(client)._get_record("intake#1")
    assert calls(client) == {
        "get_item": {"TableName": "events", "Key": {"id": {"S": "intake#1"}}, "ConsistentRead": True}
    }
    assert (record.idempotency_key, record._status) == ("intake#1", "INPROGRESS")
    assert (record.expiry_timestamp, record.in_progress_expiry_timestamp) == (1_796_300_000, 1_796_000_015_000)
    done = {**ITEM, "status": {"S": "COMPLETED"}, "data": {"S": "null"}}
    assert layer(Client({"Item": done}))._get_record("intake#1").response_data == "null"


def test_what_is_not_there_is_not_found(layer: Any) -> None:
    with pytest.raises(IdempotencyItemNotFoundError):
        layer(Client())._get_record("intake#1")


@pytest.mark.parametrize("shown", [True, False])
def test_what_is_there_already_is_told_with_what_it_is(layer: Any, shown: bool) -> None:  # noqa: FBT001
    response: Any = {"Error": {"Code": "ConditionalCheckFailedException"}} | ({"Item": ITEM} if shown else {})
    with pytest.raises(IdempotencyItemAlreadyExistsError) as caught:
        layer(Client(ClientError(response, "PutItem")))._put_record(PROGRESS)
    old = caught.value.old_data_record
    assert (old is not None) is shown
    assert old is None or (old.idempotency_key, old._status) == ("intake#1", "INPROGRESS")


def test_any_other_refusal_stays_what_it_is(layer: Any) -> None:
    response: Any = {"Error": {"Code": "AccessDeniedException"}}
    with pytest.raises(ClientError, match="AccessDeniedException"):
        layer(Client(ClientError(response, "PutItem")))._put_record(PROGRESS)


def test_whoever_asks_for_powertools_own_layer_later_gets_it() -> None:
    """After `paidshare.aws.idempotency` has imported the package without it."""
    import subprocess
    import sys

    code = (
        "import paidshare.aws.idempotency, sys; assert 'boto3' not in sys.modules\n"
        "from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer as Layer\n"
        "from aws_lambda_powertools.utilities.idempotency.persistence import dynamodb\n"
        "assert Layer is dynamodb.DynamoDBPersistenceLayer and Layer('events', boto3_client=object()).table_name"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_clock_is_seconds() -> None:
    client: Any = Client()
    Remembered(client, "events", clock=time.time)._put_record(PROGRESS)
    assert abs(int(calls(client)["put_item"]["ExpressionAttributeValues"][":now"]["N"]) - time.time()) < 60
