"""
What the Events table remembers for a few days, and others than Receive ask for: which events the front door took
(`sweeping.ports.Received`, on what Powertools' idempotency keeps of `aws.intake`), and who bought what lately.
"""

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from paidshare.aws.direct.idempotency import IdempotencyItemNotFoundError
from paidshare.aws.direct.remembered import Remembered
from paidshare.aws.errors import AWS_ERRORS, is_condition_failed, summary
from paidshare.aws.intake import KEY_PREFIX, idempotency
from paidshare.aws.rows import number, string
from paidshare.errors import LedgerUnavailable
from paidshare.notices import Notice

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_REMEMBERED = timedelta(days=2)
"""One purchase may be delivered a day of outage after the other; they are compared by when they were paid."""


class DynamoReceived:
    """Over the Events table. One that is still in progress was not taken: its sender comes again, or it crashed."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._layer = Remembered(dynamodb, table, clock=time.time)
        self._layer.configure(idempotency(), key_prefix=KEY_PREFIX)

    def __call__(self, notice: Notice) -> bool:
        try:
            record = self._layer.get_record({"key": notice.key})
        except IdempotencyItemNotFoundError:
            return False
        except AWS_ERRORS as exc:
            raise LedgerUnavailable(summary("DynamoDB", exc)) from exc
        return record is not None and record.status == "COMPLETED"


class DynamoPurchases:
    """The port `delivering.ports.Purchases`, over the Events table, whose items say themselves when they may go."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def __call__(self, mark: str, order_id: str, at: datetime, within: timedelta) -> str | None:
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": f"bought#{mark}"}},
                UpdateExpression="SET order_id = :order, bought_at = :at, expiration = :over",
                ConditionExpression="attribute_not_exists(order_id) OR order_id = :order"
                " OR bought_at < :from OR bought_at > :to",
                ExpressionAttributeValues={
                    ":order": {"S": order_id},
                    ":at": number(at),
                    ":from": number(at - within),
                    ":to": number(at + within),
                    ":over": number(at + _REMEMBERED),
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except AWS_ERRORS as exc:
            if not is_condition_failed(exc):
                raise LedgerUnavailable(summary("DynamoDB", exc)) from exc
            return string(cast("dict[str, Any]", exc.response).get("Item", {}), "order_id")
        return None
