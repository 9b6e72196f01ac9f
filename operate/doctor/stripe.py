"""Stripe: that the key may read what Deliver and the sweep read, and that events come."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import httpx
import stripe

from operate.doctor.checks import Check, Found, Mend, Moot, care, good, unknown, wrong
from operate.orders.correction import is_safe_base
from operate.setup import endpoint, secret_text
from operate.setup.secret_text import Name
from operate.stacks import Stack
from paidshare.errors import OrderUnknown

_GROUP = "Stripe"
_PATIENCE_S = 8.0
_ONE: Any = {"limit": 1}
MEND = Mend("make Stripe's endpoint, or put it in order", endpoint.mended)

_READ: Mapping[str, Callable[[stripe.V1Services], Any]] = {
    "Checkout Sessions": lambda v1: v1.checkout.sessions.list(_ONE),
    "PaymentIntents": lambda v1: v1.payment_intents.retrieve("pi_of_nobody"),
    "Charges": lambda v1: v1.charges.retrieve("ch_of_nobody"),
    "Refunds": lambda v1: v1.refunds.list(_ONE),
    "Disputes": lambda v1: v1.disputes.list(_ONE),
    "Products": lambda v1: v1.products.list(_ONE),
    "Invoices": lambda v1: v1.invoices.list(_ONE),
    "Credit notes": lambda v1: v1.credit_notes.list(_ONE),
    "Subscriptions": lambda v1: v1.subscriptions.retrieve("sub_of_nobody"),
    "Events": lambda v1: v1.events.list(_ONE),
}
"""
What README has the restricted key read, as Stripe's dashboard calls it, and a question that needs it: as Deliver asks,
where that is for one object, of which there is none of that id.
"""
_WARNINGS = "Early fraud warnings"


def answer[T](to: Stack, about: str, ask: Callable[[stripe.V1Services], T]) -> T | Found:
    """
    Raises StripeUnavailable, OrderUnknown, and Moot where Stripe takes the key for nothing at all; a key that may not
    ask this is what was found.
    """
    if not is_safe_base(to.stripe_api_base):
        return unknown(f"the Stripe key is not shown to {to.stripe_api_base}, which is no https:// address")

    def asked(client: stripe.StripeClient) -> T | Found:
        try:
            return ask(client.v1)
        except stripe.AuthenticationError as exc:
            raise Moot from exc
        except stripe.PermissionError:
            return wrong(
                f"the key may not read {about}",
                f"Stripe's dashboard, Developers, API keys, the key's permissions: {about}, Read",
            )

    if secret_text.fault(Name.STRIPE_API_KEY, to.secret.stripe_api_key, livemode=to.livemode):
        raise Moot
    return to.stripe_access.answer(about, asked)


def _may_read(what: str, ask: Callable[[stripe.V1Services], Any], to: Stack) -> Found:
    try:
        found = answer(to, what, ask)
    except OrderUnknown:
        # Who may not read is told so before.
        found = None
    return found if isinstance(found, Found) else good(f"the key reads {what}")


def _key(to: Stack) -> Found:
    if secret_text.fault(Name.STRIPE_API_KEY, to.secret.stripe_api_key, livemode=to.livemode):
        raise Moot
    try:
        answer(to, "Products", _READ["Products"])
    except Moot:
        return wrong("Stripe refuses the key", "make a new one at Stripe: paidshare secrets rotate stripe_api_key")
    return good("Stripe takes the key")


def _warnings(to: Stack) -> Found:
    if to.parameters.get("FraudWarnings") != "hold":
        return good("early fraud warnings are not asked for")
    return _may_read(_WARNINGS, lambda v1: v1.radar.early_fraud_warnings.list(_ONE), to)


def _endpoints(to: Stack) -> list[Mapping[str, Any]] | Found:
    """Those of the stack's URL."""
    return to.once.answer("Stripe's endpoints", lambda: _listed_endpoints(to))


def _listed_endpoints(to: Stack) -> list[Mapping[str, Any]] | Found:
    found = answer(to, "Webhook endpoints", lambda v1: v1.webhook_endpoints.list({"limit": 100}))
    if isinstance(found, Found):
        return unknown("whether Stripe knows the endpoint: the key may not read Webhook endpoints (a wish, not a need)")
    url = to.outputs["StripeWebhookUrl"]
    return [one.to_dict() for one in found.auto_paging_iter() if one.url.rstrip("/") == url]


def _endpoint(to: Stack) -> Found:
    url, found = to.outputs["StripeWebhookUrl"], _endpoints(to)
    if isinstance(found, Found):
        return found
    if not found:
        return wrong(f"Stripe knows no endpoint {url}", "make it: Developers, Webhooks, Add destination", MEND)
    if all(one["status"] != "enabled" for one in found):
        return wrong(f"Stripe's endpoint {url} is disabled", "enable it: Developers, Webhooks, the endpoint", MEND)
    if len(found) > 1:
        return care(f"{len(found)} endpoints of Stripe's lead here: each event comes as often", "delete all but one")
    return good("Stripe has the endpoint, and it is enabled")


def _events(to: Stack) -> Found:
    found = _endpoints(to)
    if isinstance(found, Found):
        return found
    enabled = [one for one in found if one["status"] == "enabled"]
    if not enabled:
        raise Moot
    sent = {event for one in enabled for event in one["enabled_events"]}
    missing = sorted(endpoint.wanted_events(to) - sent)
    if endpoint.EVERY_EVENT in sent or not missing:
        return good("all that is needed is sent")
    return wrong(
        f"{len(missing)} kinds of events are not sent: {', '.join(missing)}",
        "add them: Developers, Webhooks, the endpoint, Update details",
        MEND,
    )


def _reachable(to: Stack) -> Found:
    """Who sends nothing signed is refused with 400: that answer is Paidshare's own (docs/signatures.md)."""
    url = to.outputs["StripeWebhookUrl"]
    try:
        status = httpx.post(url, content=b"{}", timeout=_PATIENCE_S).status_code
    except httpx.HTTPError as exc:
        return wrong(
            f"{url} cannot be reached ({type(exc).__name__})", "is the host's DNS in order, and the stage there?"
        )
    if status == httpx.codes.BAD_REQUEST:
        return good("the endpoint answers")
    if status == httpx.codes.FORBIDDEN and to.parameters.get("StripeAllowedCidrs"):
        return good("the endpoint answers, and lets in Stripe's addresses alone")
    if 300 <= status < 400:
        return wrong(f"{url} answers {status}: Stripe follows no redirect", "give Stripe the address that it leads to")
    return wrong(f"{url} answers {status} instead of 400", "see the logs of the API and of Receive (docs/runbook.md)")


def _all() -> Iterator[Check]:
    yield Check(_GROUP, "key", _key)
    for what, ask in _READ.items():
        yield Check(_GROUP, what, partial(_may_read, what, ask))
    yield Check(_GROUP, _WARNINGS, _warnings)
    yield Check(_GROUP, "endpoint", _endpoint, on_a_laptop=False)
    yield Check(_GROUP, "events", _events, on_a_laptop=False)
    yield Check(_GROUP, "reachable", _reachable, on_a_laptop=False)


CHECKS = tuple(_all())
