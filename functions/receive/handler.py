"""Receive: a webhook in, an answer out; in between the notice is in the queue, or it is not a 2xx."""

import base64
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from paidshare.aws import Patience, SecretsManagerVault, SqsIntake, client, count, count_each
from paidshare.errors import SettingsIncomplete
from paidshare.receiving import receive
from paidshare.receiving.receive import Answer, Request, Sender
from paidshare.receiving.signatures import Reason
from paidshare.settings import ReceiveSettings

# Checkout waits up to ten seconds for the answer before it sends the buyer on
# (docs.stripe.com/checkout/fulfillment), so AWS gets far less than boto3's sixty seconds and five attempts.
_PATIENCE, _ATTEMPTS = Patience(connect=1, read=3), 2


@dataclass(frozen=True, slots=True)
class Container:
    """Everything a request needs, made once per container."""

    senders: dict[str, Sender]
    vault: SecretsManagerVault
    intake: SqsIntake
    logger: Logger
    stage: str
    clock: Callable[[], float] = time.time


@cache
def _container() -> Container:
    settings = ReceiveSettings.from_environ(os.environ)
    aws = partial(client, environ=os.environ, patience=_PATIENCE, attempts=_ATTEMPTS)
    return Container(
        senders={
            "POST /webhook/stripe": receive.stripe(livemode=settings.livemode, allowed=settings.stripe_allowed),
            "POST /webhook/fastio": receive.fastio(allowed=settings.fastio_allowed),
        },
        vault=SecretsManagerVault(aws("secretsmanager"), settings.secret_name, monotonic=time.monotonic),
        intake=SqsIntake(
            sqs=aws("sqs"),
            queue_url=settings.queue_url,
            dynamodb=aws("dynamodb"),
            events_table=settings.events_table,
            clock=time.time,
        ),
        logger=Logger(service="receive", use_rfc3339=True),
        stage=settings.stage,
    )


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An HTTP API event (payload format 2.0) → its answer."""
    try:
        container = _container()
    except SettingsIncomplete as error:
        Logger(service="receive").error("settings_incomplete", extra={"gaps": error.gaps})
        return _told(503)
    return respond(event, context, container)


def respond(event: dict[str, Any], context: LambdaContext, container: Container) -> dict[str, Any]:
    """The answer, and the log line and the counts that go with it."""
    container.intake.lasts(context)
    sender = container.senders[event["routeKey"]]
    answer = _answer(event, sender, container)
    _tell(container, sender, answer)
    return _told(answer.status)


def _told(status: int) -> dict[str, Any]:
    """What the sender learns: nothing that would help a forger."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"received": status == 200}),
    }


def _answer(event: dict[str, Any], sender: Sender, container: Container) -> Answer:
    try:
        request = Request(
            body=_body(event),
            headers=tuple(event.get("headers", {}).items()),
            address=event["requestContext"]["http"]["sourceIp"],
        )
    except ValueError:  # No base64, or half a surrogate pair.
        return Answer(400, "body_unreadable")
    return receive.receive(request, sender, vault=container.vault, intake=container.intake, now=container.clock())


def _body(event: dict[str, Any]) -> bytes:
    body = event.get("body") or ""
    return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()


def _tell(container: Container, sender: Sender, answer: Answer) -> None:
    logger = container.logger
    log = logger.info if answer.status == 200 else logger.error if answer.status == 503 else logger.warning
    log(answer.fact, extra={"source": sender.name, "status": answer.status, **answer.fields})
    count(
        "Webhooks",
        stage=container.stage,
        source=sender.name,
        fact=answer.fact,
        reason=str(answer.fields.get("reason", "none")),
    )
    unsigned = answer.fields.get("reason") == Reason.MISSING_SIGNATURE
    verified = {
        "WebhooksVerified": int("scheme" in answer.fields),
        # A scanner's requests have no signature, and tell nothing of our secrets or of who may call.
        "WebhooksRefused": int(answer.fact in ("signature_refused", "address_refused") and not unsigned),
    }
    count_each(verified, stage=container.stage, source=sender.name)
    if "scheme" in answer.fields:
        # Evidence for a rotation: once the old secret (say, 2) no longer matches anything, it may go.
        scheme, secret = (str(answer.fields[name]) for name in ("scheme", "secret"))
        count("Signatures", stage=container.stage, source=sender.name, scheme=scheme, secret=secret)
