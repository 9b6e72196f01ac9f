"""The port `ReconcileQueue` on SQS: many notices in as few calls as SQS allows."""

from collections.abc import Sequence
from itertools import batched
from typing import TYPE_CHECKING

from paidshare import notices
from paidshare.aws.errors import AWS_ERRORS, summary
from paidshare.errors import QueueUnavailable
from paidshare.notices import Notice

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_MOST = 10  # SQS's own limit for a batch.
_TRIES = 3


class SqsReconcileQueue:
    def __init__(self, sqs: "SQSClient", *, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def backlog(self) -> int:
        try:
            answer = self._sqs.get_queue_attributes(
                QueueUrl=self._queue_url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        except AWS_ERRORS as exc:
            raise QueueUnavailable(summary("SQS", exc)) from exc
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def ask(self, asked: Sequence[Notice]) -> None:
        """See `ports.ReconcileQueue`. What SQS leaves out of a batch is sent again; a notice may get there twice."""
        for batch in batched(asked, _MOST, strict=False):
            waiting = {str(number): notice for number, notice in enumerate(batch)}
            for _ in range(_TRIES):
                waiting = self._left_out(waiting)
                if not waiting:
                    break
            else:
                raise QueueUnavailable(f"SQS left out {len(waiting)} of {len(batch)} messages")

    def _left_out(self, some: dict[str, Notice]) -> dict[str, Notice]:
        try:
            answer = self._sqs.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": number, "MessageBody": notices.to_json(notice), "MessageGroupId": notices.group(notice)}
                    for number, notice in some.items()
                ],
            )
        except AWS_ERRORS as exc:
            raise QueueUnavailable(summary("SQS", exc)) from exc
        taken = {entry["Id"] for entry in answer.get("Successful", [])}
        return {number: notice for number, notice in some.items() if number not in taken}
