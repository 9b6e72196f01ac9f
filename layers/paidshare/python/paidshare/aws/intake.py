"""
Intake on SQS: each event's notice is queued once.

Powertools Idempotency (DynamoDB) goes round the send, so that a repeat is one only when the first is really in
the queue: a failed send forgets the key, a crashed one expires with the function's time-out, one in progress
makes the sender come back.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from paidshare import notices
from paidshare.aws import errors
from paidshare.aws.errors import summary
from paidshare.aws.idempotency import BaseError, IdempotencyConfig, idempotent_function
from paidshare.aws.idempotency import IdempotencyAlreadyInProgressError as AlreadyInProgress
from paidshare.aws.remembered import Remembered
from paidshare.errors import QueueUnavailable
from paidshare.notices import Notice

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

# Stripe sends an event again for up to three days by itself (docs.stripe.com/webhooks). Not much longer: what
# an operator sends again by hand after that should be looked at again.
REMEMBERED_SECONDS = 4 * 24 * 3600


KEY_PREFIX = "intake"


def idempotency() -> IdempotencyConfig:
    """How an event's notice is remembered: under its key, `{"key": notice.key}`."""
    return IdempotencyConfig(
        event_key_jmespath="key",
        raise_on_no_idempotency_key=True,
        expires_after_seconds=REMEMBERED_SECONDS,
    )


class SqsIntake:
    """The port `Intake` on SQS and the Events table."""

    def __init__(
        self,
        *,
        sqs: "SQSClient",
        queue_url: str,
        dynamodb: "DynamoDBClient",
        events_table: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._config = idempotency()
        self._send_once: Callable[..., None] = idempotent_function(
            self._send,
            data_keyword_argument="event",
            persistence_store=Remembered(dynamodb, events_table, clock=clock),
            config=self._config,
            # Said here, because the default is made of module and function names, which a refactoring changes.
            key_prefix=KEY_PREFIX,
        )

    def lasts(self, context: Any) -> None:
        """Tell how long this invocation may last: a key in progress expires with it."""
        self._config.register_lambda_context(context)

    def take(self, notice: Notice) -> bool:
        """Queue *notice*; False when this event's notice was queued before. Raises QueueUnavailable."""
        sent: list[Notice] = []
        try:
            self._send_once(event={"key": notice.key}, notice=notice, sent=sent)
        except AlreadyInProgress as exc:
            raise QueueUnavailable("the same event is in progress") from exc
        except BaseError as exc:
            cause = exc.__cause__
            reason = summary("DynamoDB", cause) if isinstance(cause, errors.AWS_ERRORS) else type(cause or exc).__name__
            raise QueueUnavailable(f"events table: {reason}") from exc
        return bool(sent)

    def _send(self, *, event: dict[str, str], notice: Notice, sent: list[Notice]) -> None:
        del event  # Powertools' key.
        try:
            self._sqs.send_message(
                QueueUrl=self._queue_url,
                MessageBody=notices.to_json(notice),
                MessageGroupId=notices.group(notice),
                DelaySeconds=notices.delay(notice),
            )
        except errors.AWS_ERRORS as exc:
            raise QueueUnavailable(summary("SQS", exc)) from exc
        sent.append(notice)
