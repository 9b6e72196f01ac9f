"""An order's row in the ledger: for reading, and to end the case that waits for a person there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from paidshare.aws import is_condition_failed, number
from paidshare.loose_json import as_instant
from paidshare.states import State

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Row:
    """
    An order's row as the commands read it. `item` has the attributes by name: texts, numbers, lists
    (`paidshare/aws/rows.py` and `mail_log.py` say which there are).
    """

    order_id: str
    item: Mapping[str, Any]

    @property
    def state(self) -> str:
        return self.text("state")

    @property
    def reason(self) -> str | None:
        return self.text("reason") or None

    @property
    def account(self) -> str | None:
        """The connected account that the order belongs to."""
        return self.text("account") or None

    @property
    def claims(self) -> int:
        """How often somebody looked at the order."""
        return int(self.item.get("claims", 0))

    @property
    def in_work(self) -> bool:
        """Whether a look is going on."""
        return "lease_holder" in self.item

    def text(self, name: str) -> str:
        """The text of that name; empty where there is none."""
        value = self.item.get(name)
        return value if isinstance(value, str) else ""

    def moment(self, name: str) -> datetime | None:
        """The moment of that name."""
        value = self.item.get(name)
        return as_instant(int(value)) if isinstance(value, Decimal) else None


class Ledger:
    """The Orders table. Every call raises AWS's own errors (botocore's)."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def row(self, order_id: str) -> Row | None:
        """The row that the order is kept in: of another order's id where the ledger says so."""
        found = self._row(order_id)
        if found is not None and found.state == State.ELSEWHERE and found.reason:
            return self._row(found.reason) or found
        return found

    def waiting(self, order_id: str) -> Row | None:
        """The order's own row, if it waits for a person."""
        found = self._row(order_id)
        return found if found is not None and found.state == State.ON_HOLD else None

    def end_case(self, order_id: str, reason: str | None, *, now: datetime) -> bool:
        """
        Nobody has to mend it: the sweep asks no more about the order, if it waits for a person because of *reason*.

        False when it does, and a worker has it in hand. News of the order, or a look, brings the case back.
        """
        row = self.waiting(order_id)
        if row is None or row.reason != reason:
            return True
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"order_id": {"S": order_id}},
                UpdateExpression="SET dismissed_at = :now REMOVE unsettled, unsettled_at",
                ConditionExpression="#state = :on_hold AND reason = :reason"
                " AND (attribute_not_exists(lease_until) OR lease_until < :now)",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":now": number(now),
                    ":on_hold": {"S": State.ON_HOLD.value},
                    ":reason": {"S": str(reason)},
                },
            )
        except ClientError as exc:
            if is_condition_failed(exc):
                return False
            raise
        return True

    def ending_in(self, reference: str) -> tuple[str, ...]:
        """
        The orders whose id ends so.

        Reads the ids of the whole table, because none is kept by its end: about a second for a thousand orders on a
        laptop, a minute for a million.
        """
        found: list[str] = []
        start: dict[str, Any] = {}
        while True:
            page = self._dynamodb.scan(
                TableName=self._table,
                FilterExpression="contains(order_id, :reference)",
                ExpressionAttributeValues={":reference": {"S": reference}},
                ProjectionExpression="order_id",
                **start,
            )
            found += [item["order_id"]["S"] for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return tuple(sorted(each for each in found if each.endswith(reference)))
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _row(self, order_id: str) -> Row | None:
        key = {"order_id": {"S": order_id}}
        item = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item", {})
        if "state" not in item:
            return None
        read = TypeDeserializer()
        return Row(order_id, {name: read.deserialize(cast("Any", value)) for name, value in item.items()})
