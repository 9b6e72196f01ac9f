"""
The port `Checkpoint`: one item of the Events table.

Of that table, because losing it costs one pass through Stripe's lists, and nothing else; the ledger is backed up and
holds orders only. It never expires: it has no `expiration`, by which the table forgets.
"""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from paidshare.aws.errors import AWS_ERRORS, is_condition_failed, summary
from paidshare.aws.rows import number
from paidshare.errors import LedgerUnavailable
from paidshare.loose_json import as_id, as_instant, as_object, object_in
from paidshare.sweeping.errors import RoundBusy
from paidshare.sweeping.rounds import Pass, Place, Track

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = "sweep"
"""The item's `id`. The keys of Powertools begin with `intake#`."""


class DynamoCheckpoint:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def take_up(self, *, holder: str, now: datetime, until: datetime) -> Place:
        item = self._update(
            "SET holder = :holder, held_until = :until",
            "attribute_not_exists(held_until) OR held_until < :now",
            {":holder": {"S": holder}, ":until": number(until), ":now": number(now)},
        )
        return _place(item.get("place", {}).get("S", ""))

    def keep(self, place: Place, *, holder: str) -> None:
        self._update(
            "SET place = :place",
            "holder = :holder",
            {":place": {"S": _text(place)}, ":holder": {"S": holder}},
        )

    def put_down(self, *, holder: str) -> None:
        try:
            self._update("REMOVE holder, held_until", "holder = :holder", {":holder": {"S": holder}})
        except RoundBusy:
            return

    def place(self) -> Place:
        """Where the sweep is, for who only wants to know. Raises LedgerUnavailable."""
        try:
            answer = self._dynamodb.get_item(TableName=self._table, Key={"id": {"S": KEY}})
        except AWS_ERRORS as exc:
            raise LedgerUnavailable(summary("DynamoDB", exc)) from exc
        return _place(answer.get("Item", {}).get("place", {}).get("S", ""))

    def _update(self, expression: str, condition: str, values: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": KEY}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        except AWS_ERRORS as exc:
            if is_condition_failed(exc):
                raise RoundBusy("another round of the sweep is under way") from exc
            raise LedgerUnavailable(summary("DynamoDB", exc)) from exc
        return answer.get("Attributes", {})


def _text(place: Place) -> str:
    return json.dumps({name: _written(track) for name, track in place.items()})


def _written(track: Track) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if track.reached is not None:
        written["reached"] = _seconds(track.reached)
    if track.going is not None:
        written |= {"began": _seconds(track.going.began), "since": _seconds(track.going.since)}
        if track.going.after is not None:
            written["after"] = track.going.after
    return written


def _place(text: str) -> Place:
    """A place that makes no sense is the beginning: all is looked at once more."""
    return {name: _track(as_object(raw)) for name, raw in object_in(text).items()}


def _track(raw: dict[str, Any]) -> Track:
    going = None
    if "began" in raw and "since" in raw:
        going = Pass(as_instant(raw["began"]), as_instant(raw["since"]), as_id(raw.get("after")) or None)
    return Track(going, as_instant(raw["reached"]) if "reached" in raw else None)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
