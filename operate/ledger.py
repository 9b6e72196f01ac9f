"""An order's row in the ledger: for reading, and to end the case that waits for a person there."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from paidshare.aws import is_condition_failed, number
from paidshare.loose_json import as_instant
from paidshare.states import State

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The rest follows by name.
_FIRST = ("state", "reason", "first_seen_at", "delivered_at", "share_id", "share_expires_at")
_MOMENT = ("_at", "until", "_end")


@dataclass(frozen=True, slots=True)
class Row:
    """
    What the commands decide on. `claims` counts the looks at the order, and `in_work` is whether one is going on.

    `resent` is the last wish to mail the link once more that was answered, and `resent_outcome` how.
    """

    order_id: str
    state: str
    reason: str | None = None
    account: str | None = None
    claims: int = 0
    in_work: bool = False
    resent: str | None = None
    resent_outcome: str | None = None


class Ledger:
    """The Orders table. Every call raises AWS's own errors (botocore's)."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def words(self, order_id: str) -> dict[str, str]:
        """What the ledger says of the order, by attribute, in words, times in UTC; empty when it has no such order."""
        item = self._item(order_id)
        names = [name for name in _FIRST if name in item]
        names += sorted(item.keys() - {*_FIRST, "order_id"})
        return {name: _words(name, item[name]) for name in names}

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

    def _row(self, order_id: str) -> Row | None:
        item = self._item(order_id)
        if "state" not in item:
            return None
        texts = {name: item[name]["S"] for name in ("reason", "account", "resent", "resent_outcome") if name in item}
        return Row(
            order_id,
            item["state"]["S"],
            claims=int(item["claims"]["N"]) if "claims" in item else 0,
            in_work="lease_holder" in item,
            **texts,
        )

    def _item(self, order_id: str) -> dict[str, Any]:
        key = {"order_id": {"S": order_id}}
        return dict(self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item", {}))


def _words(name: str, value: Any) -> str:
    [(kind, kept)] = value.items()
    match kind:
        case "L":
            # What has parts of its own, such as a grant, is told from the next by a semicolon.
            words = ("; " if any("M" in each for each in kept) else ", ").join(_words(name, each) for each in kept)
        case "M":
            words = ", ".join(f"{part} {_words(part, kept[part])}" for part in sorted(kept, key=_line_first))
        case "SS":
            words = ", ".join(sorted(kept))
        case "BOOL":
            words = "yes" if kept else "no"
        case "N" if name.endswith(_MOMENT) and kept.isdecimal():
            words = f"{as_instant(int(kept)):%Y-%m-%d %H:%M:%S} UTC"
        case _:
            words = str(kept)
    return words


def _line_first(part: str) -> tuple[bool, str]:
    return part != "line", part
