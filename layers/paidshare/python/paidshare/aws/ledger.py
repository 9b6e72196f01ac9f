"""
The ledger on DynamoDB: one item per order in the Orders table.

Three writes per delivered order: claim, “about to mail”, done. Each is conditional on the lease.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

from paidshare.aws import rows
from paidshare.aws.errors import AWS_ERRORS, code, is_condition_failed, summary
from paidshare.aws.rows import instant, number
from paidshare.errors import LedgerUnavailable, OrderBusy
from paidshare.progress import Progress
from paidshare.states import State

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Longer than Deliver's time-out (60 s in template.yaml): a worker that is still alive never loses its lease.
LEASE = timedelta(seconds=75)

SHARDS = tuple(map(str, range(16)))
"""
The values of the attribute `unsettled`, which settled orders do not have: an order's is always the same.

It is the index's partition key, and DynamoDB writes no more than 1,000 a second under one such key, nor then into the
table: docs.aws.amazon.com/amazondynamodb/latest/developerguide/gsi-throttling.html
"""

OF_A_PAYMENT = "payment_intent-order_id"
"""The index by which an order is found by its payment (template.yaml)."""

# The holder itself asks again where the first answer was lost.
_FREE = "attribute_not_exists(lease_until) OR lease_until < :now OR lease_holder = :holder"

_MOST = 100  # DynamoDB's own limit for a batch.
_TRIES = 5


def shard(order_id: str) -> str:
    """The one of `SHARDS` that is this order's."""
    return SHARDS[crc32(order_id.encode()) % len(SHARDS)]


class DynamoLedger:
    """The port `Ledger`. Times are stored as Unix seconds, so that a person can read and sort them."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def claim(self, order_id: str, *, holder: str, now: datetime) -> Progress:
        return rows.read(self._claimed(order_id, holder, now))

    def claim_unseen(self, order_id: str, *, since: datetime, holder: str, now: datetime) -> Progress | State:
        news = "attribute_exists(unsettled) OR attribute_not_exists(seen_until) OR seen_until < :since"
        try:
            return rows.read(self._claimed(order_id, holder, now, news=news, values={":since": number(since)}))
        except OrderBusy as busy:
            refused: Any = busy.__cause__
            item = refused.response.get("Item", {})
            # An order in anybody's hands is not settled.
            if "unsettled" in item or "seen_until" not in item or instant(item["seen_until"]) < since:
                raise
            return State(item["state"]["S"])

    def paid_by(self, payment: str) -> tuple[str, ...]:
        try:
            answer = self._dynamodb.query(
                TableName=self._table,
                IndexName=OF_A_PAYMENT,
                KeyConditionExpression="payment_intent = :payment",
                ExpressionAttributeValues={":payment": {"S": payment}},
            )
        except AWS_ERRORS as exc:
            # A table that an earlier version's stack left behind has no such index.
            if code(exc) == "ValidationException":
                return ()
            raise LedgerUnavailable(summary("DynamoDB", exc)) from exc
        return tuple(item["order_id"]["S"] for item in answer["Items"])

    def _claimed(
        self, order_id: str, holder: str, now: datetime, *, news: str = "", values: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        return self._update(
            order_id,
            "SET lease_holder = :holder, lease_until = :until, updated_at = :now,"
            " first_seen_at = if_not_exists(first_seen_at, :now), #state = if_not_exists(#state, :new),"
            # What a crash leaves behind is found by the sweep, through an index that holds only such orders.
            " unsettled = :shard, unsettled_at = if_not_exists(unsettled_at, :now)"
            " ADD claims :one",
            f"({_FREE}) AND ({news})" if news else _FREE,
            {
                ":holder": {"S": holder},
                ":until": number(now + LEASE),
                ":now": number(now),
                ":new": {"S": State.NEW.value},
                ":shard": {"S": shard(order_id)},
                ":one": {"N": "1"},
                **(values or {}),
            },
            {"#state": "state"},
            shown=bool(news),
        )

    def record(self, order_id: str, progress: Progress, *, holder: str, now: datetime) -> None:
        self._write(order_id, progress, holder, now, also_remove=())

    def release(self, order_id: str, progress: Progress, *, holder: str, now: datetime, done: bool = True) -> None:
        settled = ("unsettled", "unsettled_at") if done and progress.state.settled else ()
        self._write(order_id, progress, holder, now, also_remove=("lease_holder", "lease_until", *settled))

    def live(self, order_ids: Sequence[str], *, now: datetime) -> Collection[str]:
        items = read_many(self._dynamodb, self._table, order_ids, "order_id, unsettled, #state, share_expires_at")
        return [item["order_id"]["S"] for item in items if _is_live(item, now)]

    def spare(self, order_ids: Sequence[str]) -> Sequence[str]:
        attributes = "order_id, spare_since, share_gone, #state"
        items = read_many(self._dynamodb, self._table, order_ids, attributes)
        found = [item for item in items if "spare_since" in item and "share_gone" not in item]
        return [item["order_id"]["S"] for item in sorted(found, key=lambda item: int(item["spare_since"]["N"]))]

    def seen(self, order_id: str) -> Progress | None:
        """The order's progress, for who only wants to know; None for one that the ledger has never heard of."""
        try:
            answer = self._dynamodb.get_item(
                TableName=self._table, Key={"order_id": {"S": order_id}}, ConsistentRead=True
            )
        except AWS_ERRORS as exc:
            raise LedgerUnavailable(summary("DynamoDB", exc)) from exc
        return rows.read(answer["Item"]) if "claims" in answer.get("Item", {}) else None

    def _write(
        self, order_id: str, progress: Progress, holder: str, now: datetime, *, also_remove: tuple[str, ...]
    ) -> None:
        row = rows.written(progress)
        values = {name: value for name, value in row.items() if value is not None}
        names = {f"#{name}": name for name in values}
        sets = ", ".join(f"#{name} = :{name}" for name in values)
        gone = [*(name for name, value in row.items() if value is None), *also_remove]
        names |= {f"#{name}": name for name in gone}
        self._update(
            order_id,
            f"SET {sets}, updated_at = :now" + (" REMOVE " + ", ".join(f"#{name}" for name in gone) if gone else ""),
            "lease_holder = :holder",
            {f":{name}": value for name, value in values.items()} | {":holder": {"S": holder}, ":now": number(now)},
            names,
        )

    def _update(
        self,
        order_id: str,
        expression: str,
        condition: str,
        values: dict[str, Any],
        names: dict[str, str],
        *,
        shown: bool = False,
    ) -> dict[str, Any]:
        """The row as it is then. With *shown*, the error of a write that was refused has the row that refused it."""
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key={"order_id": {"S": order_id}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD" if shown else "NONE",
                ExpressionAttributeNames=names,
            )
        except AWS_ERRORS as exc:
            if is_condition_failed(exc):
                raise OrderBusy("another worker holds the order") from exc
            raise LedgerUnavailable(summary("DynamoDB", exc)) from exc
        return answer.get("Attributes", {})


def read_many(
    dynamodb: "DynamoDBClient", table: str, order_ids: Iterable[str], attributes: str
) -> Iterator[dict[str, Any]]:
    """
    Of the orders those that there are, each with its *attributes* (a projection, of which one is `#state`).

    Raises LedgerUnavailable.
    """
    for some in batched(dict.fromkeys(order_ids), _MOST, strict=False):
        keys: list[Any] = [{"order_id": {"S": order_id}} for order_id in some]
        for _ in range(_TRIES):
            wanted = {"Keys": keys, "ProjectionExpression": attributes, "ExpressionAttributeNames": {"#state": "state"}}
            try:
                answer = dynamodb.batch_get_item(RequestItems={table: cast("Any", wanted)})
            except AWS_ERRORS as exc:
                raise LedgerUnavailable(summary("DynamoDB", exc)) from exc
            yield from answer["Responses"].get(table, ())
            # What DynamoDB leaves out of a batch, being short of capacity, is asked for again.
            left_out = answer.get("UnprocessedKeys", {}).get(table)
            keys = list(left_out["Keys"]) if left_out else []
            if not keys:
                break
        else:
            raise LedgerUnavailable(f"DynamoDB left out {len(keys)} of {len(some)} orders")


def _is_live(item: dict[str, Any], now: datetime) -> bool:
    """Whether something may still change for the order: it is not settled, or its link is out and works."""
    if "unsettled" in item:
        return True
    works = "share_expires_at" in item and instant(item["share_expires_at"]) > now
    return works and item["state"]["S"] == State.DELIVERED
