"""Stripe's endpoint for the stack: made, enabled, told what to send, and its signing secret kept."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import stripe

from operate.answers import NotKnown
from operate.orders import at_stripe
from operate.orders.correction import unwarned
from operate.setup import secret_text, vault
from operate.setup.secret_text import Name
from operate.stacks import Stack
from paidshare.errors import OrderUnknown, StripeUnavailable
from paidshare.notices import NEEDED, OF_WARNINGS
from paidshare.payments_stripe import StripeAccess

EVERY_EVENT = "*"
_NAME = Name.STRIPE_WEBHOOK_SECRETS
PURPOSE = "Stripe's endpoint is made or changed"


def wanted_events(to: Stack) -> frozenset[str]:
    """What the stack has to be told of (README, “The Stripe endpoint”)."""
    return NEEDED | OF_WARNINGS if to.parameters.get("FraudWarnings") == "hold" else NEEDED


def mended(to: Stack, access: StripeAccess | None = None) -> list[str]:
    """
    What was done, so that there is an enabled endpoint, all that is wanted is sent to it, and its secret is known.

    Nothing where all of that is so. *access* may write Webhook endpoints; else the key in STRIPE_API_KEY has to. A
    signing secret is told once, when its endpoint is made: where none is kept a new endpoint takes the old one's place.

    Raises NotKnown, Refused, and AWS's own errors.
    """
    access = access or at_stripe.writing(to, PURPOSE)
    found = _asked(access, lambda v1: v1.webhook_endpoints.list({"limit": 100}))
    url = to.outputs["StripeWebhookUrl"]
    mine = [one.to_dict() for one in found.auto_paging_iter() if one.url.rstrip("/") == url]
    if not mine or not secret_text.values(vault.raw(to), _NAME):
        return _made(to, access, url, [one["id"] for one in mine])
    chosen = next((one for one in mine if one["status"] == "enabled"), mine[0])
    return _changed(to, access, chosen)


def _made(to: Stack, access: StripeAccess, url: str, old: Sequence[str]) -> list[str]:
    form: Any = {
        "url": url,
        "enabled_events": sorted(wanted_events(to)),
        "api_version": stripe.api_version,
        "description": f"Paidshare ({to.name})",
    }
    made = _asked(access, lambda v1: v1.webhook_endpoints.create(form)).to_dict()
    # Kept before anything else is done: it is told this once.
    raw = secret_text.mended(vault.raw(to))
    vault.write(to, secret_text.put(raw, _NAME, made["secret"], *secret_text.values(raw, _NAME)[:1]))
    for one in old:
        _asked(access, partial(_deleted, one))
    instead = ", in place of one whose secret nobody has" if old else ""
    return [f"made the endpoint {url}{instead}; its signing secret is kept"]


def _deleted(endpoint: str, v1: stripe.V1Services) -> None:
    v1.webhook_endpoints.delete(endpoint)


def _changed(to: Stack, access: StripeAccess, endpoint: dict[str, Any]) -> list[str]:
    form: dict[str, Any] = {}
    done = []
    if endpoint["status"] != "enabled":
        form["disabled"] = False
        done.append("enabled the endpoint")
    sent = {*endpoint["enabled_events"]}
    if EVERY_EVENT not in sent and (missing := wanted_events(to) - sent):
        form["enabled_events"] = sorted(sent | missing)
        done.append(f"added {len(missing)} kinds of events to what it is sent")
    if form:
        _asked(access, lambda v1: v1.webhook_endpoints.update(endpoint["id"], form))  # type: ignore[arg-type]
    return done


def _asked[T](access: StripeAccess, ask: Callable[[stripe.V1Services], T]) -> T:
    def asked(client: stripe.StripeClient) -> T:
        with unwarned():
            return ask(client.v1)

    try:
        return access.answer("the webhook endpoints", asked)
    except (OrderUnknown, StripeUnavailable) as exc:
        raise NotKnown(f"{exc}. The key has to be let write Webhook endpoints") from exc
