"""The one secret as its text: what may be put in, what stays beside it, and what is missing. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from operate.answers import Refused
from paidshare.loose_json import object_in
from paidshare.receiving.signing_keys import SHORTEST_SECRET

SHORTEST_LINK_KEY = 32
"""Bytes: as many as the key of HMAC-SHA256 should have (RFC 2104, 3)."""


class Name(StrEnum):
    """What the secret holds (README, “The secret”)."""

    STRIPE_API_KEY = "stripe_api_key"
    STRIPE_WEBHOOK_SECRETS = "stripe_webhook_secrets"
    FASTIO_API_KEY = "fastio_api_key"
    FASTIO_WEBHOOK_SECRETS = "fastio_webhook_secrets"
    LINK_KEY = "link_key"


LISTS = frozenset({Name.STRIPE_WEBHOOK_SECRETS, Name.FASTIO_WEBHOOK_SECRETS})
NEEDED = tuple(name for name in Name if name is not Name.FASTIO_WEBHOOK_SECRETS)
"""Without which nothing is delivered. No order waits for a webhook of Fast.io's."""


def read(text: str) -> dict[str, Any]:
    """Whatever JSON object *text* is. Raises Refused for anything else: nobody can tell what it was meant to be."""
    found = object_in(text)
    if not found:
        raise Refused(
            "the secret is no JSON object: put one in with the console of Secrets Manager; its version before is kept"
            " there as AWSPREVIOUS"
        )
    return found


def values(raw: Mapping[str, Any], name: Name) -> tuple[str, ...]:
    """The values of that *name*, the newest first; empty ones are none."""
    found = raw.get(name)
    listed = found if isinstance(found, list) else [found]
    # Of the names of shares every character counts (paidshare/secret.py).
    return tuple(
        one if name is Name.LINK_KEY else one.strip() for one in listed if isinstance(one, str) and one.strip()
    )


def put(raw: Mapping[str, Any], name: Name, *wanted: str) -> dict[str, Any]:
    """With *wanted*, each once, and nothing else under *name*."""
    kept = [*dict.fromkeys(wanted)]
    return {**raw, name.value: kept if name in LISTS else kept[0]}


def mended(raw: Mapping[str, Any]) -> dict[str, Any]:
    """
    Every name there, and each of its kind: a list that was put in as one text is a list of one, a text that was put in
    as a list of one is that text. What nobody reads stays.
    """
    found: dict[str, Any] = {**raw}
    for name in Name:
        there = values(raw, name)
        if name in LISTS:
            found[name] = [*there]
        elif not isinstance(raw.get(name), str):
            found[name] = there[0] if len(there) == 1 else ""
    return found


def fault(name: Name, value: str, *, livemode: bool) -> str | None:
    """What keeps *value* from being one of that *name*, in words without it; None when nothing does."""
    mode = "live" if livemode else "test"
    match name:
        case _ if not value.isascii() or not value.isprintable() or " " in value:
            return f"a {name} has no blanks, and only letters, digits and signs of ASCII"
        case Name.STRIPE_API_KEY if not re.fullmatch(rf"[rs]k_{mode}_[A-Za-z0-9_]+", value):
            return f"{name} is no key of the {mode} mode (rk_{mode}_…), which the stack takes events of"
        case Name.STRIPE_WEBHOOK_SECRETS if not value.startswith("whsec_") or len(value) < SHORTEST_SECRET:
            return f"{name} takes signing secrets of Stripe's (whsec_…)"
        case Name.FASTIO_WEBHOOK_SECRETS if len(value) < SHORTEST_SECRET:
            return f"a secret of {name} has {SHORTEST_SECRET} characters at least"
        case Name.LINK_KEY if len(value) < SHORTEST_LINK_KEY:
            return f"{name} has {SHORTEST_LINK_KEY} characters at least: who guesses it finds every link"
    return None


def fingerprint(value: str) -> str:
    """What tells two values apart, and tells nobody what they are."""
    return hashlib.sha256(value.encode()).hexdigest()[:8]


def text(raw: Mapping[str, Any]) -> str:
    return json.dumps(raw, indent=2)
