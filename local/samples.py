"""
The sample events in `events/`, for `sam local invoke`: one file per input a function should know how to answer.

Signatures age (five minutes), so `make events` signs them anew, into `.local/events/`. Those in `events/` are as of
`SIGNED_AT`.
"""

import json
from pathlib import Path
from typing import Any

from local.settings import FASTIO_WEBHOOK_SECRET, STRIPE_WEBHOOK_SECRET
from local.signing import sign_fastio_pair, sign_stripe
from paidshare import notices
from paidshare.loose_json import as_instant
from paidshare.notices import Notice

SESSION = "cs_test_paidshareSampleOrder"
"""The paid order that the samples are about; `make events` makes it known to a running Stripe stand-in."""

SIGNED_AT = 1_795_300_000
"""Unix seconds: when those in `events/` were signed, long ago."""

_EVENT = "evt_paidshareSampleEvent"


def samples(now: int) -> dict[str, dict[str, Any]]:
    """File name → event. *now* is in Unix seconds: when they are signed."""
    paid, upload = _paid(now), _upload(now)
    good = {"stripe-signature": sign_stripe(paid, STRIPE_WEBHOOK_SECRET, now)}
    return {
        "receive-paid.json": _http("/webhook/stripe", paid, good, now),
        "receive-duplicate.json": _http(
            "/webhook/stripe", paid, {"stripe-signature": sign_stripe(paid, STRIPE_WEBHOOK_SECRET, now + 1)}, now
        ),
        "receive-forged.json": _http(
            "/webhook/stripe",
            paid,
            {"stripe-signature": sign_stripe(paid, "whsec_of_somebody_else_altogether", now)},
            now,
        ),
        "receive-fastio.json": _http(
            "/webhook/fastio", upload, sign_fastio_pair(upload, FASTIO_WEBHOOK_SECRET, now), now
        ),
        "deliver-paid.json": _batch(_notice(SESSION, now), now=now),
        "deliver-unknown-order.json": _batch(_notice("cs_test_paidshareNobodyKnows", now), now=now),
        "deliver-two.json": _batch(_notice(SESSION, now), "this is no notice", now=now),
    }


def write(folder: Path, now: int) -> list[str]:
    """Write them all into *folder*; their names."""
    folder.mkdir(parents=True, exist_ok=True)
    written = samples(now)
    for name, event in written.items():
        (folder / name).write_text(json.dumps(event, indent=2) + "\n")
    return list(written)


def _paid(now: int) -> bytes:
    session = {
        "id": SESSION,
        "object": "checkout.session",
        "livemode": False,
        "mode": "payment",
        "payment_status": "paid",
        "status": "complete",
    }
    event = {
        "id": _EVENT,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": now,
        "data": {"object": session},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "checkout.session.completed",
    }
    return json.dumps(event, indent=2).encode()


def _upload(now: int) -> bytes:
    data = {"file_id": "sampl-efile-00000-00000-00000", "timestamp": now}
    return json.dumps({"event_type": "file.uploaded", "data": data, "id": "evt_sample_upload"}).encode()


def _http(path: str, body: bytes, headers: dict[str, str], now: int) -> dict[str, Any]:
    """An API Gateway HTTP API event, payload format 2.0: header names in lower case, as API Gateway sends them."""
    domain = "0123456789.execute-api.us-east-1.amazonaws.com"
    sent = {"content-type": "application/json", "host": domain, "user-agent": "sample"}
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": sent | {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "0123456789",
            "domainName": domain,
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "sample",
            },
            "requestId": "sample-request",
            "routeKey": f"POST {path}",
            "stage": "$default",
            "timeEpoch": now * 1000,
        },
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def _notice(order: str, now: int) -> str:
    return notices.to_json(
        Notice(source="stripe", event_id=_EVENT, why="checkout.session.completed", about=order, at=as_instant(now))
    )


def _batch(*bodies: str, now: int) -> dict[str, Any]:
    """An SQS event of these messages, sent *now*."""
    return {
        "Records": [
            {
                "messageId": f"00000000-0000-0000-0000-{number:012}",
                "receiptHandle": "sample-handle",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": str(now * 1000),
                    "SenderId": "000000000000",
                    "ApproximateFirstReceiveTimestamp": str(now * 1000 + 1),
                },
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:sample",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies, start=1)
        ]
    }
