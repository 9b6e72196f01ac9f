"""The port `OrderIndex` on DynamoDB: the rows of `DynamoLedger`, many at a time."""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from paidshare.aws.errors import AWS_ERRORS, is_condition_failed, summary
from paidshare.aws.ledger import SHARDS, read_many
from paidshare.aws.rows import instant, moment, number, string
from paidshare.errors import LedgerUnavailable
from paidshare.states import State
from paidshare.sweeping.rounds import Known, Unsettled

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "unsettled-updated_at"

_BEFORE_SHARDS = "yes"
"""What versions without shards wrote; such a row changes with the next look at its order."""

_OF_KNOWN = "order_id, #state, reason, share_id, closed_at, share_expires_at, next_end, updated_at"
_UNTOUCHED = "updated_at = :seen"


class DynamoOrderIndex:
    """
    Its writes leave the lease alone, and so may come between a worker's own.

    They are conditional: an order that a worker has touched meanwhile stays as the worker left it.
    """

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def unsettled(self, *, before: datetime) -> Iterator[Unsettled]:
        each = (self._of(shard, before) for shard in (*SHARDS, _BEFORE_SHARDS))
        return heapq.merge(*each, key=lambda order: order.touched_at)

    def _of(self, shard: str, before: datetime) -> Iterator[Unsettled]:
        """One partition of the index, the longest untouched first, a page at a time."""
        start: dict[str, Any] = {}
        while True:
            try:
                page = self._dynamodb.query(
                    TableName=self._table,
                    IndexName=INDEX,
                    KeyConditionExpression="unsettled = :shard AND updated_at < :before",
                    ExpressionAttributeValues={":shard": {"S": shard}, ":before": number(before)},
                    **start,
                )
            except AWS_ERRORS as exc:
                raise LedgerUnavailable(summary("DynamoDB", exc)) from exc
            yield from map(_unsettled, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def known(self, order_ids: Iterable[str]) -> Mapping[str, Known]:
        items = read_many(self._dynamodb, self._table, order_ids, _OF_KNOWN)
        return {item["order_id"]["S"]: _known(item) for item in items}

    def touch(self, order: Unsettled, *, now: datetime) -> None:
        values = {":seen": number(order.touched_at), ":now": number(now)}
        self._update(order.order_id, "SET updated_at = :now", values)

    def give_up(self, order: Unsettled) -> None:
        self._update(order.order_id, "REMOVE unsettled, unsettled_at", {":seen": number(order.touched_at)})

    def _update(self, order_id: str, expression: str, values: dict[str, Any]) -> None:
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"order_id": {"S": order_id}},
                UpdateExpression=expression,
                ConditionExpression=_UNTOUCHED,
                ExpressionAttributeValues=values,
            )
        except AWS_ERRORS as exc:
            if is_condition_failed(exc):
                return
            raise LedgerUnavailable(summary("DynamoDB", exc)) from exc


def _unsettled(item: dict[str, Any]) -> Unsettled:
    return Unsettled(
        order_id=item["order_id"]["S"],
        account=string(item, "account"),
        since=instant(item["unsettled_at"]),
        touched_at=instant(item["updated_at"]),
    )


def _known(item: dict[str, Any]) -> Known:
    return Known(
        state=State(item["state"]["S"]),
        share_id=string(item, "share_id"),
        closed_at=moment(item, "closed_at"),
        reason=string(item, "reason"),
        until=moment(item, "share_expires_at"),
        next_end=moment(item, "next_end"),
        touched_at=moment(item, "updated_at"),
    )
