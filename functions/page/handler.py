"""Page: an order's page for its buyer. Looking changes nothing, and a posted form asks for a share alone."""

import base64
import binascii
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from paidshare.aws import DynamoLedger, DynamoMailLog, SecretsManagerVault, SqsReconcileQueue, count
from paidshare.errors import SettingsIncomplete
from paidshare.page import page, rendering
from paidshare.page.page import Answer, Request
from paidshare.page.ports import Ports
from paidshare.payments_stripe import StripePayments
from paidshare.settings import PageSettings
from paidshare.shares_fastio import FastioApi, FastioShareFiles
from paidshare.storefront import seller

# A buyer waits, and looks again by itself.
_CLIENT = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
_COOKIE, _PLAIN_COOKIE = "__Host-order", "order"
_KEPT_S = 24 * 3600
_LONGEST_FORM = 2_000
_LONGEST_LANGUAGES = 200


@dataclass(frozen=True, slots=True)
class Container:
    """Everything a page needs, made once per container."""

    ports: Ports
    logger: Logger
    stage: str


@cache
def _container() -> Container:
    settings = PageSettings.from_environ(os.environ)
    session = boto3.session.Session()
    dynamodb = session.client("dynamodb", config=_CLIENT)
    vault = SecretsManagerVault(
        session.client("secretsmanager", config=_CLIENT),
        settings.secret_name,
        monotonic=monotonic,
    )
    # A buyer waits for it.
    fastio = FastioApi.over_https(
        api_key=lambda: vault.secret().fastio_api_key, clock=_now, api_base=settings.fastio_api_base, read_s=5.0
    )
    ports = Ports(
        ledger=DynamoLedger(dynamodb, settings.orders_table),
        mail_log=DynamoMailLog(dynamodb, settings.orders_table),
        payments=StripePayments(
            api_key=lambda: vault.secret().stripe_api_key, api_base=settings.stripe_api_base, fraud_warnings=False
        ),
        share_files=FastioShareFiles(fastio, clock=_now, web_base=settings.fastio_web_base),
        queue=SqsReconcileQueue(session.client("sqs", config=_CLIENT), queue_url=settings.queue_url),
        link_key=lambda: vault.secret().link_key,
        clock=_now,
        path=urlsplit(settings.page_url).path,
        secure=settings.page_url.startswith("https://"),
        language=seller.from_file(Path(__file__).with_name("shop.toml")).language,  # The build puts it there.
    )
    return Container(ports, Logger(service="page", use_rfc3339=True), settings.stage)


def _now() -> datetime:
    return datetime.now(UTC)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An HTTP API event (payload format 2.0) → its answer."""
    del context
    try:
        container = _container()
    except SettingsIncomplete as error:
        Logger(service="page").error("settings_incomplete", extra={"gaps": error.gaps})
        return _told(Answer(503, rendering.out_of_reach(), "settings_incomplete"), secure=True)
    return respond(event, container)


def respond(event: dict[str, Any], container: Container) -> dict[str, Any]:
    """The answer, and the log line that goes with it: no token, no link, no address."""
    answer = page.respond(_request(event, secure=container.ports.secure), container.ports)
    log = container.logger.warning if answer.status == 503 else container.logger.info
    ids = {"order_id": answer.order_id} if answer.order_id else {}
    log(answer.fact, extra={"status": answer.status, **ids, **answer.fields})
    count("Pages", stage=container.stage, fact=answer.fact)
    return _told(answer, secure=container.ports.secure)


def _request(event: dict[str, Any], *, secure: bool) -> Request:
    query = event.get("queryStringParameters") or {}
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    asked = query.get("asked", "")
    posted = _posted(event) if event["requestContext"]["http"]["method"] == "POST" else None
    return Request(
        token=(event.get("pathParameters") or {}).get("token"),
        session_id=query.get("session_id"),
        cookie=_cookie(event, headers, _COOKIE if secure else _PLAIN_COOKIE),
        form=None if posted is None else posted.get("form", ""),
        address=None if posted is None else posted.get("email"),
        asked=int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 4 else 0,
        correcting=query.get("for") == "address",
        plain=headers.get("accept") == "text/plain",
        languages=_languages(headers.get("accept-language", "")),
    )


def _languages(accepted: str) -> tuple[str, ...]:
    """The tags of an Accept-Language header in its own order, which browsers have the best first in."""
    return tuple(one.partition(";")[0].strip() for one in accepted[:_LONGEST_LANGUAGES].split(","))


def _cookie(event: dict[str, Any], headers: dict[str, str], name: str) -> str:
    given = event.get("cookies") or headers.get("cookie", "").split(";")
    return next((one.strip().removeprefix(f"{name}=") for one in given if one.strip().startswith(f"{name}=")), "")


def _posted(event: dict[str, Any]) -> dict[str, str]:
    """The fields that a form posts; none of whatever else is posted."""
    body = str(event.get("body") or "")
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(body, validate=True).decode("ascii")
        except (binascii.Error, ValueError):
            return {}
    if len(body) > _LONGEST_FORM:
        return {}
    try:
        fields: dict[str, list[str]] = parse_qs(body, keep_blank_values=True, max_num_fields=5)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def _told(answer: Answer, *, secure: bool) -> dict[str, Any]:
    headers = dict(answer.page.headers) | ({"location": answer.to} if answer.to else {})
    told: dict[str, Any] = {"statusCode": answer.status, "headers": headers, "body": answer.page.body}
    if answer.cookie:
        name, also = (_COOKIE, "; Secure") if secure else (_PLAIN_COOKIE, "")
        told["cookies"] = [f"{name}={answer.cookie}; Path=/; Max-Age={_KEPT_S}; HttpOnly; SameSite=Lax{also}"]
    return told
