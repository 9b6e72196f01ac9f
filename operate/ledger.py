"""An order's row in the ledger, for reading."""

from typing import TYPE_CHECKING, Any

from paidshare.loose_json import as_instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The rest follows by name.
_FIRST = ("state", "reason", "first_seen_at", "delivered_at", "share_id", "share_expires_at")


def row(dynamodb: "DynamoDBClient", table: str, order_id: str) -> dict[str, str]:
    """
    What the ledger says of the order, by attribute, in words, times in UTC; empty when it does not know the order.

    Raises AWS's own errors (botocore's).
    """
    item = dynamodb.get_item(TableName=table, Key={"order_id": {"S": order_id}}, ConsistentRead=True).get("Item", {})
    names = [name for name in _FIRST if name in item]
    names += sorted(item.keys() - {*_FIRST, "order_id"})
    return {name: _words(name, item[name]) for name in names}


def _words(name: str, value: Any) -> str:
    [(kind, kept)] = value.items()
    if kind == "L":
        return ", ".join(_words("", each) for each in kept)
    if kind == "N" and name.endswith(("_at", "_until")) and kept.isdecimal():
        return f"{as_instant(int(kept)):%Y-%m-%d %H:%M:%S} UTC"
    return str(kept)
