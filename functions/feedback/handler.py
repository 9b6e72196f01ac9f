"""
Feedback: what SES says of our letters in; each is noted on its order, and a letter that failed goes to a person.

Once a day it also writes those dead letters anew that SQS would drop while a person has not seen to them.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from paidshare import notices, retries
from paidshare.aws import DeadLetters, DynamoMailLog, SqsMessages, age, count, forgotten_soon
from paidshare.errors import NeedsAPerson, PatienceExhausted, SettingsIncomplete, TryAgain, where
from paidshare.feedback import mail_events
from paidshare.feedback.mail_events import MailEvent
from paidshare.feedback.ports import MailLog
from paidshare.notices import NotForUs
from paidshare.settings import FeedbackSettings

_CLIENT = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Container:
    """Everything a batch needs, made once per container."""

    log: MailLog
    messages: SqsMessages
    dead_letters: DeadLetters
    logger: Logger
    stage: str
    clock: Callable[[], datetime] = _now


@cache
def _container() -> Container:
    settings = FeedbackSettings.from_environ(os.environ)
    session = boto3.session.Session()
    sqs = session.client("sqs", config=_CLIENT)
    return Container(
        log=DynamoMailLog(session.client("dynamodb", config=_CLIENT), settings.orders_table),
        messages=SqsMessages(sqs, queue_url=settings.queue_url, dead_letter_url=settings.dead_letter_url),
        dead_letters=DeadLetters(sqs, queue_url=settings.queue_url, dead_letter_url=settings.dead_letter_url),
        logger=Logger(service="feedback", use_rfc3339=True),
        stage=settings.stage,
    )


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse | None:
    """An SQS event → `{"batchItemFailures": […]}`: these come again, the others are done. The day's event → None."""
    try:
        container = _container()
    except SettingsIncomplete as error:
        Logger(service="feedback").error("settings_incomplete", extra={"gaps": error.gaps})
        raise  # The messages come again, and FeedbackErrorsAlarm pages.
    if event.get("detail-type") == "Scheduled Event":
        remind(container, now=container.clock())
        return None
    return noted(event, context, container)


def noted(event: dict[str, Any], context: LambdaContext, container: Container) -> PartialItemFailureResponse:
    """A batch of SES's events, worked off."""
    return process_partial_response(
        event=event,
        record_handler=partial(work, container=container),
        # A raised error would undo each message's own wait.
        processor=BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False),
        context=context,
    )


def remind(container: Container, *, now: datetime) -> None:
    """
    What waits in the ledger, Deliver tells of again every week. Of what waits nowhere else (a letter that failed, a
    message that is no notice, a parked account's event) the dead letter itself is kept.
    """
    with container.dead_letters.held() as letters:
        for letter in container.dead_letters.renewed(forgotten_soon(letters, now=now)):
            count("DeadLetters", stage=container.stage)
            facts = {"order_id": letter.order, "reason": letter.reason, "since": letter.since.isoformat()}
            container.logger.warning("dead_letter_renewed", extra=facts)


def work(record: SQSRecord, container: Container) -> None:
    attempt = int(record.attributes.approximate_receive_count or 1)
    seen: dict[str, object] = {"sqs_message_id": record.message_id, "attempt": attempt}
    found = mail_events.read(record.body)
    if isinstance(found, NotForUs):
        container.logger.info("not_for_us", extra=seen | {"reason": found.reason, "why": found.why})
        return
    seen |= {"order_id": found.order_id, "letter": found.letter, "message_id": found.message_id, "fact": found.fact}
    try:
        _noted_or_given_up(found, container, seen, last=retries.is_last(attempt, _age(record, container)))
    except TryAgain as error:
        seconds = _put_off(record, container, attempt, error.reason)
        facts = {"reason": error.reason, "what": str(error), "seconds": seconds}
        container.logger.warning("letter_put_off", extra=seen | facts)
        raise
    except Exception as error:
        seconds = _put_off(record, container, attempt, "bug")
        # A bug. Where, but not what: an unknown message might quote a person's address.
        facts = {"error": type(error).__name__, "at": where(error), "seconds": seconds}
        container.logger.error("letter_failed", extra=seen | facts)  # noqa: TRY400
        raise
    count("Letters", stage=container.stage, fact=found.fact)


def _noted_or_given_up(event: MailEvent, container: Container, seen: dict[str, object], *, last: bool) -> None:
    """
    At the *last* receive a person is given what cannot be noted. The dead letter that SQS would make instead is SES's
    own words, the buyer's address among them, and names no order to whoever looks.
    """
    try:
        _note(event, container, seen)
    except TryAgain as error:
        if not last:
            raise
        exhausted = PatienceExhausted(f"the letter “{event.letter}” {event.fact}, not noted: {error}")
        _give_to_a_person(event, exhausted, container, seen)


def _note(event: MailEvent, container: Container, seen: dict[str, object]) -> None:
    """
    The person is told before that is remembered: a crash in between tells twice, and never not at all.

    SNS and SQS may bring an event twice (docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html).
    """
    news = container.log.note(event)
    case = mail_events.case(event)
    if case is None or not news:
        container.logger.info("letter_noted", extra=seen | {"cause": event.cause})
        return
    _give_to_a_person(event, case, container, seen)
    container.log.told(event)


def _give_to_a_person(event: MailEvent, case: NeedsAPerson, container: Container, seen: dict[str, object]) -> None:
    body = notices.to_json(mail_events.notice(event))
    container.messages.give_to_a_person(body, case, about=event.order_id)
    count("DeadLetters", stage=container.stage)
    container.logger.error("letter_needs_a_person", extra=seen | {"reason": case.reason, "what": str(case)})


def _age(record: SQSRecord, container: Container) -> float:
    return age(record.attributes.sent_timestamp, now=container.clock())


def _put_off(record: SQSRecord, container: Container, attempt: int, reason: str) -> int:
    seconds = container.messages.come_again(record.receipt_handle, attempt=attempt)
    if retries.is_late(_age(record, container), seconds):
        count("LateMailEvents", stage=container.stage, also_by=[()], reason=reason)
    return seconds
