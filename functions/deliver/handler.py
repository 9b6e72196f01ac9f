"""Deliver: a batch of notices in, the ids of those to try again out."""

import asyncio
import contextlib
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from time import monotonic
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from paidshare import aws, notices, retries, wishes
from paidshare.delivering.breaker import Breaker, SparedMailer, SparedPayments, SparedShares
from paidshare.delivering.deliver import Shop, deliver
from paidshare.delivering.errors import OrderNotThereYet
from paidshare.errors import NeedsAPerson, QueueUnavailable, SettingsIncomplete, TryAgain, where
from paidshare.feedback import mail_events
from paidshare.page import tokens
from paidshare.payments_stripe import StripePayments
from paidshare.settings import DeliverSettings
from paidshare.shares_fastio import FastioShares
from paidshare.storefront import seller
from paidshare.sweeping.room import Room

# SQS hands over at most ten messages at a time without a batching window, and each gets a thread.
_BATCH = 10
# Kept for what follows the share. At worst the ledger takes eight seconds (below), SES seven, the ledger eight again.
TO_FINISH = timedelta(seconds=25)
_CLIENT = Config(
    connect_timeout=1,
    read_timeout=3,
    max_pool_connections=2 * _BATCH,
    retries={"mode": "standard", "total_max_attempts": 2},
)
# A second attempt inside boto3 could send a letter twice; the queue's retry looks at the ledger first.
_ONCE = _CLIENT.merge(Config(read_timeout=6, retries={"mode": "standard", "total_max_attempts": 1}))


@dataclass(frozen=True, slots=True)
class Container:
    """Everything a batch needs, made once per container."""

    shop: Shop
    messages: aws.SqsMessages
    threads: ThreadPoolExecutor
    logger: Logger
    stage: str


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation: the last moment at which something long may be begun, and what it counted."""

    container: Container
    request_id: str
    deadline: datetime
    tally: aws.Tally = field(default_factory=aws.Tally)


@cache
def _container() -> Container:
    settings = DeliverSettings.from_environ(os.environ)
    client = partial(_client, boto3.session.Session())
    vault = aws.SecretsManagerVault(client("secretsmanager"), settings.secret_name, monotonic=monotonic)
    sqs = client("sqs")
    return Container(
        shop=_shop(settings, client, vault, sqs),
        messages=aws.SqsMessages(sqs, queue_url=settings.queue_url, dead_letter_url=settings.dead_letter_url),
        threads=ThreadPoolExecutor(max_workers=_BATCH, thread_name_prefix="order"),
        logger=Logger(service="deliver", use_rfc3339=True),
        stage=settings.stage,
    )


def _client(session: boto3.session.Session, service: str, config: Config = _CLIENT) -> Any:
    made = session.client(service, config=config)  # type: ignore[call-overload]
    return aws.sharing(made, aws.everybody_s(), environ=os.environ)


def _shop(settings: DeliverSettings, client: Callable[..., Any], vault: aws.SecretsManagerVault, sqs: Any) -> Shop:
    shop = seller.from_file(Path(__file__).with_name("shop.toml"))  # The build puts it there.
    dynamodb, ses, sender = client("dynamodb"), client("sesv2", _ONCE), settings.sender
    mailer = aws.SesMailer(ses, sender=sender, seller=shop, configuration_set=settings.configuration_set)
    ledger = aws.DynamoLedger(dynamodb, settings.orders_table)
    shares = FastioShares.over_https(
        api_key=lambda: vault.secret().fastio_api_key,
        clock=_now,
        tls=aws.everybody_s(),
        api_base=settings.fastio_api_base,
        web_base=settings.fastio_web_base,
        share_limit=settings.share_limit,
    )
    payments = StripePayments(
        api_key=lambda: vault.secret().stripe_api_key,
        api_base=settings.stripe_api_base,
        fraud_warnings=settings.hold_on_fraud_warning,
        tls=aws.everybody_s(),
    )
    return Shop(
        ledger=ledger,
        payments=SparedPayments(payments, Breaker(monotonic=monotonic)),
        shares=SparedShares(shares, Breaker(monotonic=monotonic)),
        mailer=SparedMailer(mailer, Breaker(monotonic=monotonic)),
        reconcile=aws.SqsReconcileQueue(sqs, queue_url=settings.queue_url),
        link_key=lambda: vault.secret().link_key,
        clock=_now,
        policy=settings.policy,
        room=Room(shares.listing, ledger),
        page_of=partial(tokens.address, settings.page_url, lambda: vault.secret().link_key),
        purchases=aws.DynamoPurchases(dynamodb, settings.events_table),
        seller=shop,
        connected_accounts=settings.connected_accounts,
    )


def _now() -> datetime:
    return datetime.now(UTC)


def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """An SQS event → `{"batchItemFailures": […]}`: these come again, the others are done."""
    try:
        container = _container()
    except SettingsIncomplete as error:
        Logger(service="deliver").error("settings_incomplete", extra={"gaps": error.gaps})
        raise  # The messages come again, and DeliverErrorsAlarm pages.
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    invocation = Invocation(container, context.aws_request_id, deadline=container.shop.clock() + left - TO_FINISH)
    scatter(event.get("Records", []), invocation)

    async def in_a_thread(record: SQSRecord) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(container.threads, work, record, invocation)

    try:
        return async_process_partial_response(
            event=event,
            record_handler=in_a_thread,
            # Raised, it would put the whole batch back with the queue's long visibility, and undo each one's own wait.
            processor=AsyncBatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False),
            context=context,
        )
    finally:
        invocation.tally.publish(container.stage)


def scatter(records: list[dict[str, Any]], invocation: Invocation) -> None:
    """What came back and is not alone may be in company that ends the process: should it happen, they part here."""
    again = [one["receiptHandle"] for one in records if int(one["attributes"]["ApproximateReceiveCount"]) > 1]
    if len(records) > 1 and again:
        seconds = {handle: retries.seconds_until_alone(jitter=random.random()) for handle in again}  # noqa: S311
        with contextlib.suppress(QueueUnavailable):
            invocation.container.messages.hide(seconds)


def work(record: SQSRecord, invocation: Invocation) -> None:
    attempt, logger = int(record.attributes.approximate_receive_count or 1), invocation.container.logger
    seen: dict[str, object] = {"message_id": record.message_id, "attempt": attempt}
    try:
        _attempt(record, invocation, seen, attempt)
    except TryAgain as error:
        wait = _put_off(record, invocation, attempt, error)
        _tell(invocation, logger.warning, "order_put_off", seen | _facts(error) | {"seconds": wait})
        raise
    except Exception as error:
        wait = _put_off(record, invocation, attempt, error)
        # A bug. Where, but not what: an unknown message might quote a person's address or a link.
        bug = {"error": type(error).__name__, "at": where(error)}
        _tell(invocation, logger.error, "order_failed", seen | bug | {"seconds": wait})
        raise


def _put_off(record: SQSRecord, invocation: Invocation, attempt: int, error: Exception) -> int:
    container, asked = invocation.container, error.wait if isinstance(error, TryAgain) else None
    seconds = container.messages.come_again(record.receipt_handle, attempt=attempt, asked=asked)
    late = retries.is_late(aws.age(record.attributes.sent_timestamp, now=container.shop.clock()), seconds)
    # A payment without an order is another program's, as far as anybody knows: no buyer of ours waits.
    if late and not isinstance(error, OrderNotThereYet):
        invocation.tally.count("LateOrders", also_by=((),), reason=getattr(error, "reason", "bug"))
    return seconds


def _attempt(record: SQSRecord, invocation: Invocation, seen: dict[str, object], attempt: int) -> None:
    container = invocation.container
    try:
        notice = notices.from_json(record.body)
    except NeedsAPerson as error:
        _give_to_a_person(record.body, error, invocation, seen)
        return
    try:
        # Until the order is found, what the event is about stands in for it.
        seen |= {"order_id": notice.about, "about": notice.about, "event_id": notice.event_id}
        seen["why"] = wishes.named(notice.why)
        outcomes = deliver(
            notice,
            container.shop,
            holder=f"{invocation.request_id}/{record.message_id}",
            deadline=invocation.deadline,
            # A person gets the message with the reason, instead of SQS giving it up without one.
            last=retries.is_last(attempt, aws.age(record.attributes.sent_timestamp, now=container.shop.clock())),
        )
    except NeedsAPerson as error:
        for case in (error, *error.others):
            # The sweep asks again and again whether a cause is mended; a dead letter a week tells of it, and does not
            # outlive SQS's 14 days. Whether the last one got there is not known at a second attempt. Whoever else asks
            # may be a person who took the dead letter out of its queue: there has to be one again.
            told = case.known and notice.why == notices.SWEEP and attempt == 1
            body = notices.to_json(look) if (look := mail_events.as_a_look(notice)) else record.body
            _give_to_a_person(body, case, invocation, seen, told=told)
    else:
        for outcome in outcomes:
            _tell(invocation, container.logger.info, "order_looked_at", seen | asdict(outcome))
            invocation.tally.came_of(outcome)
    if (unmended := mail_events.case_again(notice)) is not None:
        # AWS's own redrive takes every dead letter along, and a look at the order has not mailed another letter.
        _give_to_a_person(record.body, unmended, invocation, seen)


def _give_to_a_person(
    body: str, case: NeedsAPerson, invocation: Invocation, seen: dict[str, object], *, told: bool = False
) -> None:
    """Count and log *case*, and write its dead letter, unless a person was *told* already."""
    container = invocation.container
    if not told:
        container.messages.give_to_a_person(body, case, about=case.order_id or str(seen.get("order_id", "")))
        invocation.tally.count("DeadLetters")
    invocation.tally.count("PersonCases")
    _tell(invocation, container.logger.error, "order_on_hold", seen | _facts(case) | {"advice": case.advice})


def _facts(error: TryAgain | NeedsAPerson) -> dict[str, object]:
    facts: dict[str, object] = {"reason": error.reason, "what": str(error)}
    return facts | ({"order_id": error.order_id} if error.order_id else {})


def _tell(invocation: Invocation, log: Callable[..., None], fact: str, fields: dict[str, object]) -> None:
    log(fact, extra=fields)
    invocation.tally.count("Orders", fact=fact)
