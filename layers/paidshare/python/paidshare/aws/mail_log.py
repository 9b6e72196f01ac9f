"""
The port `MailLog` on DynamoDB: a few attributes of the order's item in the Orders table.

They are written without the order's lease, and are no other than these: `letter_<fact>_at` (Unix seconds) for each
fact, `letter_message_id` and `letter_kind` of the letter that was heard of last, `letter_sent_kind` and
`letter_sent_mark` of the one that was sent last, and `letter_cases`, what a person was told of.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from paidshare.aws.errors import AWS_ERRORS, is_condition_failed, summary
from paidshare.aws.rows import moment, number
from paidshare.errors import LedgerUnavailable
from paidshare.feedback.mail_events import Fact, MailEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# SES may know a letter of an order whose item was lost; it does not make a new one.
_KNOWN = "attribute_exists(order_id)"


class DynamoMailLog:
    """Over the Orders table. The item is the ledger's: only the attributes above are touched."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def note(self, event: MailEvent) -> bool:
        when = f"letter_{event.fact}_at"
        values = {":at": number(event.at), ":message": {"S": event.message_id}, ":kind": {"S": event.letter}}
        sent, newer = "", f"{when} <= :at"
        if event.fact is Fact.SENT:
            # Which one was sent last, for whoever finds a letter in doubt; what is heard of others must not hide it.
            sent = ", letter_sent_kind = :kind, letter_sent_mark = :mark"
            values |= {":mark": {"S": event.mark}}
            # Of two that were sent in one second, the later one: the other's word may come after it.
            later = "attribute_not_exists(letter_sent_mark) OR letter_sent_mark <= :mark"
            newer = f"{when} < :at OR ({when} = :at AND ({later}))"
        condition = f"{_KNOWN} AND (attribute_not_exists({when}) OR {newer})"
        if event.mark.isdecimal():
            condition += " AND (attribute_not_exists(corrected_to) OR corrected_at <= :began)"
            values |= {":began": {"N": event.mark}}
        item = self._update(
            event.order_id,
            f"SET {when} = :at, letter_message_id = :message, letter_kind = :kind{sent}",
            condition,
            values,
        )
        return not _went_astray(event, item) and _case(event) not in item.get("letter_cases", {}).get("SS", ())

    def told(self, event: MailEvent) -> None:
        self._update(event.order_id, "ADD letter_cases :case", _KNOWN, {":case": {"SS": [_case(event)]}})

    def facts(self, order_id: str) -> Mapping[str, datetime]:
        """See `page.ports.MailLog`."""
        try:
            answer = self._dynamodb.get_item(TableName=self._table, Key={"order_id": {"S": order_id}})
        except AWS_ERRORS as exc:
            raise LedgerUnavailable(summary("DynamoDB", exc)) from exc
        item = answer.get("Item", {})
        found = {fact.value: moment(item, f"letter_{fact}_at") for fact in Fact}
        return {fact: at for fact, at in found.items() if at is not None}

    def _update(self, order_id: str, expression: str, condition: str, values: dict[str, Any]) -> dict[str, Any]:
        """The item as it is now, also where *condition* kept it as it was; empty when there is none."""
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key={"order_id": {"S": order_id}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except AWS_ERRORS as exc:
            if is_condition_failed(exc):
                kept: dict[str, Any] = cast("dict[str, Any]", exc.response).get("Item", {})
                return kept
            raise LedgerUnavailable(summary("DynamoDB", exc)) from exc
        return answer.get("Attributes", {})


def _went_astray(event: MailEvent, item: dict[str, Any]) -> bool:
    """Whether the letter left for an address that its buyer has corrected since."""
    corrected_at = item["corrected_at"]["N"] if "corrected_to" in item else "0"
    return event.mark.isdecimal() and int(event.mark) < int(corrected_at)


def _case(event: MailEvent) -> str:
    return f"{event.fact}:{event.message_id}"
