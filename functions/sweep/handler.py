"""Sweep: one round through what no event may have told of. Its answer says how far it came; its log says of what."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from time import monotonic
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from paidshare.aws import (
    DynamoCheckpoint,
    DynamoLedger,
    DynamoOrderIndex,
    DynamoReceived,
    SecretsManagerVault,
    SqsReconcileQueue,
    count,
)
from paidshare.errors import SettingsIncomplete
from paidshare.payments_stripe import StripeListing
from paidshare.settings import SweepSettings
from paidshare.shares_fastio import FastioApi, FastioShareListing, FastioShares
from paidshare.sweeping import report, sweep
from paidshare.sweeping.errors import RoundBusy
from paidshare.sweeping.ports import SweepPorts
from paidshare.sweeping.report import Part

# Kept for what is begun at the last moment: a page of Stripe's with one more attempt, the batch of notices about it,
# the place; or a share with two calls to Fast.io and the order's lease.
_TO_FINISH = timedelta(seconds=75)
_CLIENT = Config(connect_timeout=1, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


@dataclass(frozen=True, slots=True)
class Container:
    """Everything a round needs, made once per container."""

    ports: SweepPorts
    logger: Logger
    stage: str


@cache
def _container() -> Container:
    settings = SweepSettings.from_environ(os.environ)
    session = boto3.session.Session()
    dynamodb = session.client("dynamodb", config=_CLIENT)
    vault = SecretsManagerVault(
        session.client("secretsmanager", config=_CLIENT),
        settings.secret_name,
        monotonic=monotonic,
    )
    fastio = FastioApi.over_https(
        api_key=lambda: vault.secret().fastio_api_key, clock=_now, api_base=settings.fastio_api_base
    )
    ports = SweepPorts(
        checkpoint=DynamoCheckpoint(dynamodb, settings.events_table),
        index=DynamoOrderIndex(dynamodb, settings.orders_table),
        ledger=DynamoLedger(dynamodb, settings.orders_table),
        lists=StripeListing(
            api_key=lambda: vault.secret().stripe_api_key,
            api_base=settings.stripe_api_base,
            livemode=settings.livemode,
        ),
        share_listing=FastioShareListing(fastio),
        shares=FastioShares(fastio),
        queue=SqsReconcileQueue(session.client("sqs", config=_CLIENT), queue_url=settings.queue_url),
        link_key=lambda: vault.secret().link_key,
        clock=_now,
        received=DynamoReceived(dynamodb, settings.events_table),
        warnings=settings.hold_on_fraud_warning,
    )
    return Container(ports, Logger(service="sweep", use_rfc3339=True), settings.stage)


def _now() -> datetime:
    return datetime.now(UTC)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """
    The schedule's event → `{"busy": …, "drift": …, "finished": …}`: whether another round is under way, how many
    orders were missing (null when that is not known), and whether every part came to its end.

    Raises the first part's trouble when all is done, so that SweepErrorsAlarm counts the round.
    """
    del event
    try:
        container = _container()
    except SettingsIncomplete as error:
        Logger(service="sweep").error("settings_incomplete", extra={"gaps": error.gaps})
        raise
    return swept(context, container)


def swept(context: LambdaContext, container: Container) -> dict[str, Any]:
    """One round, and what is told of it. Returns and raises as `handler` does."""
    now = container.ports.clock()
    until = now + timedelta(milliseconds=context.get_remaining_time_in_millis())
    try:
        parts = sweep.sweep(container.ports, holder=context.aws_request_id, until=until, deadline=until - _TO_FINISH)
    except RoundBusy:
        container.logger.info("round_busy")
        return {"busy": True, "drift": None, "finished": False}
    for part in parts:
        _tell(container.logger, part)
    drift = report.drift(parts)
    # A round that does not know says nothing: DriftAlarm takes silence for trouble.
    _publish(container, "Drift", drift)
    _publish(container, "OrdersOnHold", report.on_hold(parts))
    for part in parts:
        if part.trouble is not None:
            raise part.trouble
    return {"busy": False, "drift": drift, "finished": all(part.finished for part in parts)}


def _tell(logger: Logger, part: Part) -> None:
    facts: dict[str, object] = {
        "part": part.name,
        "saw": part.saw,
        "asked": part.asked,
        "closed": part.closed,
        "deleted": part.deleted,
        "on_hold": part.on_hold,
        "finished": part.finished,
    }
    if part.refused:
        logger.warning("shares_refused", extra={"part": part.name, "what": part.refused})
    if part.trouble is None:
        logger.info("swept", extra=facts)
    else:
        logger.warning("part_failed", extra=facts | {"reason": part.trouble.reason, "what": str(part.trouble)})


def _publish(container: Container, name: str, value: int | None) -> None:
    if value is not None:
        count(name, value, stage=container.stage)
