"""What Deliver does to messages on its queue beyond taking them off: put one off, or give it to a person."""

import contextlib
import random
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from paidshare import retries
from paidshare.aws.errors import AWS_ERRORS, summary
from paidshare.errors import NeedsAPerson, QueueUnavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# SQS refuses the whole message for one character of these
# (docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
_NOT_SQS = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST = 1024


def age(sent_timestamp: str, *, now: datetime) -> float:
    """How many seconds ago a message was sent, by its `SentTimestamp` (SQS's, in milliseconds)."""
    return now.timestamp() - int(sent_timestamp) / 1000


class SqsMessages:
    """The work queue and its dead-letter queue."""

    def __init__(self, sqs: "SQSClient", *, queue_url: str, dead_letter_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._dead_letter_url = dead_letter_url

    def put_off(self, receipt_handle: str, *, seconds: int) -> None:
        """Hide the message for *seconds*; then it comes again. Raises QueueUnavailable."""
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except AWS_ERRORS as exc:
            raise QueueUnavailable(summary("SQS", exc)) from exc

    def come_again(self, receipt_handle: str, *, attempt: int, asked: float | None = None) -> int:
        """
        Put the message off for as long as `retries` says after its *attempt*-th receive → the seconds.

        Failing that, the queue's own visibility time-out does.
        """
        seconds = retries.seconds_until_retry(attempt, asked=asked, jitter=random.random())  # noqa: S311
        with contextlib.suppress(QueueUnavailable):
            self.put_off(receipt_handle, seconds=seconds)
        return seconds

    def hide(self, seconds: Mapping[str, int]) -> None:
        """
        Hide up to ten messages, each (by its receipt handle) for its own *seconds*, unless they are done before.

        What SQS does not take of it stays as it was. Raises QueueUnavailable.
        """
        try:
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(place), "ReceiptHandle": handle, "VisibilityTimeout": wait}
                    for place, (handle, wait) in enumerate(seconds.items())
                ],
            )
        except AWS_ERRORS as exc:
            raise QueueUnavailable(summary("SQS", exc)) from exc

    def give_to_a_person(self, body: str, error: NeedsAPerson, *, about: str) -> None:
        """
        Copy the message to the dead-letter queue now, with the reason, the order and what to do as attributes.

        The body stays as it was, so that a redrive puts it back to work. Raises QueueUnavailable.
        """
        said = {"reason": error.reason, "order": about, "advice": error.advice, "what": str(error)}
        words = {name: _NOT_SQS.sub("\ufffd", text)[:_LONGEST] for name, text in said.items() if text}
        try:
            self._sqs.send_message(
                QueueUrl=self._dead_letter_url,
                MessageBody=body,
                MessageAttributes={name: {"DataType": "String", "StringValue": text} for name, text in words.items()},
            )
        except AWS_ERRORS as exc:
            raise QueueUnavailable(summary("SQS", exc)) from exc
