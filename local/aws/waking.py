"""Wakes Receive up, so that Stripe's first event need not wait for its code to load, and sees that it works."""

from collections.abc import Mapping

import httpx

from local.aws import diagnosis
from local.aws.ministack import Aws
from local.hosting.processes import PartFailed

_SECONDS = 60


def wake(outputs: Mapping[str, str], aws: Aws, *, webhook_url: str) -> None:
    """
    The deployed front door refuses something unsigned, which it can only do with its code and the secret.

    Raises PartFailed with what the logs say when it cannot even do that.
    """
    try:
        status = httpx.post(webhook_url, json={}, timeout=_SECONDS, trust_env=False).status_code
    except httpx.TransportError as exc:
        raise PartFailed("Receive", f"does not answer: {type(exc).__name__}") from exc
    if status != 400:
        reasons = diagnosis.explain(outputs, aws)
        what = f"answers {status} to an unsigned webhook, which it should refuse with 400"
        raise PartFailed("Receive", "\n".join([what, *(f"  - {reason}" for reason in reasons)]))
