"""
DynamoDB's law: a write is conditional on the item as it is, and is done even where its answer is lost; an index and an
eventually consistent read lag behind; what has expired goes later, or much later.

docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html and TTL.html
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from simulation.aws.errors import refused, tried, unanswered
from simulation.aws.expressions import Item, condition, number_of, update
from simulation.outside import Outside

_PAGE = 50
_HASHED = ("unsettled", "payment_intent")
"""The attributes that indexes begin with (template.yaml)."""
_NO_NAMES: frozenset[tuple[str, str]] = frozenset()
_OVER_CAPACITY = "ProvisionedThroughputExceededException"


@dataclass(slots=True)
class Table:
    """
    Items by their key. `older` are versions that a read that lags may still see, `watched` sees every write.

    `late_s` is how far an eventually consistent read lags at most, `ttl_s` how late what expired goes.
    """

    key: str
    now: Callable[[], float]
    late_s: float = 0.0
    expires: str | None = None
    ttl_s: float = 0.0
    items: dict[str, Item] = field(default_factory=dict)
    watched: Callable[[str, Item], None] = lambda _key, _item: None
    older: dict[str, list[tuple[float, Item]]] = field(default_factory=dict)
    hashed: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """By an index's attribute and its value: the keys of those that have it, or had it a moment ago."""

    def get(self, key: str) -> Item | None:
        item = self.items.get(key)
        if item is not None and self.expires in item and self.now() > float(item[self.expires]["N"]) + self.ttl_s:
            del self.items[key]
            return None
        return item

    def put(self, key: str, item: Item) -> None:
        if self.late_s:
            self._keep_older(key)
        self.items[key] = item
        for name in _HASHED:
            if name in item:
                self.hashed.setdefault((name, item[name]["S"]), set()).add(key)
        self.watched(key, item)

    def seen(self, key: str) -> Item | None:
        """The item as a reader sees it who may be late."""
        if key not in self.older:
            return self.get(key)
        moment = self.now() - self.late_s
        return next((item or None for at, item in self.older.get(key, ()) if at > moment), self.get(key))

    def _keep_older(self, key: str) -> None:
        now = self.now()
        kept = [one for one in self.older.get(key, ()) if one[0] > now - self.late_s]
        # Until `now` the item was as it is.
        self.older[key] = [*kept, (now, self.items.get(key, {}))]


class DynamoDB:
    """What boto3's client of DynamoDB is asked for, over *tables* by name, tried *attempts* times."""

    def __init__(self, outside: Outside, tables: dict[str, Table], *, attempts: int) -> None:
        self._outside = outside
        self._tables = tables
        self._attempts = attempts

    def update_item(
        self,
        *,
        TableName: str,
        Key: Item,
        UpdateExpression: str,
        ExpressionAttributeValues: Item | None = None,
        ExpressionAttributeNames: dict[str, str] | None = None,
        ConditionExpression: str | None = None,
        ReturnValues: str = "NONE",
        ReturnValuesOnConditionCheckFailure: str = "NONE",
    ) -> dict[str, Any]:
        table, names = self._tables[TableName], _named(ExpressionAttributeNames)
        key, values = _key_of(table, Key), ExpressionAttributeValues or {}

        def do() -> dict[str, Any]:
            item = table.get(key)
            _check(item, ConditionExpression, names, values, "UpdateItem", show=ReturnValuesOnConditionCheckFailure)
            table.put(key, update(UpdateExpression, names)(item or {table.key: {"S": key}}, values))
            return {"Attributes": table.items[key]} if ReturnValues == "ALL_NEW" else {}

        return self._call("UpdateItem", key, do)

    def put_item(
        self,
        *,
        TableName: str,
        Item: Item,
        ConditionExpression: str | None = None,
        ExpressionAttributeNames: dict[str, str] | None = None,
        ExpressionAttributeValues: Item | None = None,
        ReturnValuesOnConditionCheckFailure: str = "NONE",
    ) -> dict[str, Any]:
        table, names = self._tables[TableName], _named(ExpressionAttributeNames)
        key = Item[table.key]["S"]

        def do() -> dict[str, Any]:
            show, values = ReturnValuesOnConditionCheckFailure, ExpressionAttributeValues or {}
            _check(table.get(key), ConditionExpression, names, values, "PutItem", show=show)
            table.put(key, dict(Item))
            return {}

        return self._call("PutItem", key, do)

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool = False) -> dict[str, Any]:
        table = self._tables[TableName]
        key = _key_of(table, Key)

        def do() -> dict[str, Any]:
            item = table.get(key) if ConsistentRead else table.seen(key)
            return {} if item is None else {"Item": item}

        return self._call("GetItem", key, do)

    def delete_item(self, *, TableName: str, Key: Item) -> dict[str, Any]:
        table = self._tables[TableName]
        key = _key_of(table, Key)

        def do() -> dict[str, Any]:
            table.items.pop(key, None)
            return {}

        return self._call("DeleteItem", key, do)

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:
        [(name, wanted)] = RequestItems.items()
        table = self._tables[name]
        keys = [_key_of(table, key) for key in wanted["Keys"]]
        names = wanted.get("ExpressionAttributeNames", {})
        shown = [names.get(one, one) for one in wanted["ProjectionExpression"].split(", ")]

        def do() -> dict[str, Any]:
            found = (table.seen(key) for key in keys)
            items = [{one: item[one] for one in shown if one in item} for item in found if item]
            return {"Responses": {name: items}, "UnprocessedKeys": {}}

        return self._call("BatchGetItem", f"{len(keys)} keys", do)

    def query(
        self,
        *,
        TableName: str,
        IndexName: str,
        KeyConditionExpression: str,
        ExpressionAttributeValues: Item,
        ExclusiveStartKey: Item | None = None,
    ) -> dict[str, Any]:
        table, (hashed, ranged) = self._tables[TableName], IndexName.split("-")
        wanted = condition(KeyConditionExpression, _NO_NAMES)
        value = ExpressionAttributeValues[KeyConditionExpression.removeprefix(f"{hashed} = ").split(" ")[0]]["S"]
        start = (
            None
            if ExclusiveStartKey is None
            else (number_of(ExclusiveStartKey[ranged]), _key_of(table, ExclusiveStartKey))
        )

        def do() -> dict[str, Any]:
            found = sorted(
                _indexed(table, (hashed, value), ranged, lambda item: wanted(item, ExpressionAttributeValues))
            )
            rest = [one for one in found if start is None or one > start]
            items = [table.seen(key) or {} for _, key in rest[:_PAGE]]
            if len(rest) <= _PAGE:
                return {"Items": items}
            last = items[-1]
            return {"Items": items, "LastEvaluatedKey": {name: last[name] for name in (table.key, hashed, ranged)}}

        return self._call("Query", IndexName, do)

    def _call(self, operation: str, about: str, do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        def call() -> dict[str, Any]:
            return self._outside.call(
                "DynamoDB",
                f"{operation} {about}",
                do,
                refused=lambda: refused(_OVER_CAPACITY, operation),
                lost=lambda: unanswered("DynamoDB"),
                patience=4.0,
            )

        return tried(self._attempts, call, is_final=_is_final)


def _is_final(error: Exception) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def _check(
    item: Item | None, text: str | None, names: frozenset[tuple[str, str]], values: Item, operation: str, *, show: str
) -> None:
    if text is None or condition(text, names)(item or {}, values):
        return
    shown = {"Item": item} if show == "ALL_OLD" and item else {}
    raise refused("ConditionalCheckFailedException", operation, shown=shown)


def _indexed(
    table: Table, hashed: tuple[str, str], ranged: str, wanted: Callable[[Item], bool]
) -> Iterator[tuple[float | str, str]]:
    name, _ = hashed
    keys = table.hashed.get(hashed, set())
    for key in tuple(keys):
        item = table.seen(key)
        if item is not None and name in item and ranged in item:
            if wanted(item):
                yield number_of(item[ranged]), key
        elif name not in table.items.get(key, ()):
            keys.discard(key)


def _named(names: dict[str, str] | None) -> frozenset[tuple[str, str]]:
    return frozenset(names.items()) if names else _NO_NAMES


def _key_of(table: Table, key: Item) -> str:
    return str(key[table.key]["S"])
