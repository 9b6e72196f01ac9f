"""
What Powertools' idempotency remembers, on any client of DynamoDB: boto3's, or Receive's own.

Powertools' own layer writes the same, through boto3 alone; tests/contract/test_remembered.py holds this one against it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from paidshare.aws.errors import is_condition_failed
from paidshare.aws.idempotency import (
    BasePersistenceLayer,
    DataRecord,
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import UniversalAttributeValueTypeDef

# May be written when nothing is remembered, when it is forgotten by now (DynamoDB's TTL is late by days), and when what
# was in progress cannot be any more.
_IS_FREE = (
    "attribute_not_exists(#id) OR #expiry < :now OR "
    "(#status = :inprogress AND attribute_exists(#in_progress_expiry) AND #in_progress_expiry < :now_in_millis)"
)


class Remembered(BasePersistenceLayer):
    """
    In *table*, the items as Powertools' own layer has them. *clock* tells Unix seconds.

    Keeps no payload to compare: whoever asks under a key means the same.
    """

    def __init__(self, client: "DynamoDBClient", table: str, *, clock: Callable[[], float]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._client = client
        self._table = table
        self._clock = clock

    def _get_record(self, idempotency_key: str) -> DataRecord:
        found = self._client.get_item(TableName=self._table, Key=_key(idempotency_key), ConsistentRead=True)
        if "Item" not in found:
            raise IdempotencyItemNotFoundError
        return _record(found["Item"])

    def _put_record(self, data_record: DataRecord) -> None:
        item = _key(data_record.idempotency_key)
        item["expiration"] = {"N": str(data_record.expiry_timestamp)}
        item["status"] = {"S": data_record.status}
        if data_record.in_progress_expiry_timestamp is not None:
            item["in_progress_expiration"] = {"N": str(data_record.in_progress_expiry_timestamp)}
        now = self._clock()
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression=_IS_FREE,
                ExpressionAttributeNames={
                    "#id": "id",
                    "#expiry": "expiration",
                    "#in_progress_expiry": "in_progress_expiration",
                    "#status": "status",
                },
                ExpressionAttributeValues={
                    ":now": {"N": str(int(now))},
                    ":now_in_millis": {"N": str(int(now * 1000))},
                    ":inprogress": {"S": "INPROGRESS"},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except Exception as exc:
            if not is_condition_failed(exc):
                raise
            there: Any = exc.response.get("Item")
            raise IdempotencyItemAlreadyExistsError(old_data_record=_record(there) if there else None) from exc

    def _update_record(self, data_record: DataRecord) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=_key(data_record.idempotency_key),
            UpdateExpression="SET #response_data = :response_data, #expiry = :expiry, #status = :status",
            ExpressionAttributeNames={"#expiry": "expiration", "#response_data": "data", "#status": "status"},
            ExpressionAttributeValues={
                ":expiry": {"N": str(data_record.expiry_timestamp)},
                ":response_data": {"S": data_record.response_data},
                ":status": {"S": data_record.status},
            },
        )

    def _delete_record(self, data_record: DataRecord) -> None:
        self._client.delete_item(TableName=self._table, Key=_key(data_record.idempotency_key))


def _key(idempotency_key: str) -> "dict[str, UniversalAttributeValueTypeDef]":
    return {"id": {"S": idempotency_key}}


def _record(item: Any) -> DataRecord:
    until = item.get("in_progress_expiration")
    return DataRecord(
        idempotency_key=item["id"]["S"],
        status=item["status"]["S"],
        expiry_timestamp=int(item["expiration"]["N"]),
        in_progress_expiry_timestamp=int(until["N"]) if until else None,
        response_data=item.get("data", {}).get("S", ""),
    )
