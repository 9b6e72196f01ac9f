"""
The calls of Stripe's API that the stand-in answers, one function each: parameters in, object out.

What the stand-in does not model it refuses as an unknown parameter, so that nothing is silently ignored.
"""

import re
from collections.abc import Callable

from local.stripe import catalog, objects
from local.stripe.billing import api as billing
from local.stripe.billing import drafting
from local.stripe.form import Call, Params, StripeProblem
from local.stripe.money import api as money
from local.stripe.objects import Json
from local.stripe.state import PAGE, StripeState, in_range, page

_MOST_ENDPOINTS = 16  # docs.stripe.com/webhooks


type Answer = Callable[[StripeState, Call], Json]


def create_session(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only(
        "mode", "line_items", "success_url", "cancel_url", "customer_email", "client_reference_id",
        "metadata", "payment_method_types",
    )  # fmt: skip
    mode = p.choice("mode", "payment", "setup", "subscription") or "payment"
    lines = catalog.lines(state, p, mode)
    email = p.text("customer_email")
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise StripeProblem(f"Invalid email address: {email}", code="email_invalid", param="customer_email")
    made = objects.session(
        mode=mode,
        lines=lines,
        livemode=state.livemode,
        now=state.now,
        success_url=p.needed("success_url"),
        cancel_url=p.text("cancel_url"),
        client_reference_id=p.text("client_reference_id"),
        customer_email=email,
        metadata=p.metadata(),
        payment_method_types=p.texts("payment_method_types") or ["card"],
    )
    state.lines[made["id"]] = lines
    return state.keep(made, account=call.account)


def list_sessions(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only(
        *PAGE, "payment_intent", "payment_link", "subscription", "customer", "customer_account", "customer_details",
        "status", "created",
    )  # fmt: skip
    email = _email(p)
    status = p.choice("status", "open", "complete", "expired")
    wanted = state.filters(
        p,
        call.account,
        payment_intent="payment_intent",
        payment_link="payment_link",
        subscription="subscription",
        customer="customer",
    )
    found = [
        one
        for one in state.every("checkout.session", account=call.account)
        if all(one[key] == value for key, value in wanted.items())
        and email in (None, (one["customer_details"] or {}).get("email"))
        and status in (None, one["status"])
        and in_range(one["created"], p)
    ]
    return page(found, p, url="/v1/checkout/sessions")


def _email(p: Params) -> str | None:
    """Of `customer_details`. Stripe tells great letters from small."""
    details = p.object("customer_details")
    if details is None:
        return None
    details.only("email")
    return details.needed("email")


def update_session(state: StripeState, call: Call) -> Json:
    """Only the metadata (docs.stripe.com/api/checkout/sessions/update has a little more). No event tells."""
    call.params.only("metadata")
    found = state.find("checkout.session", call.id, account=call.account)
    found["metadata"] = call.params.metadata(found["metadata"])
    return found


def list_lines(state: StripeState, call: Call) -> Json:
    call.params.only(*PAGE)
    found = state.find("checkout.session", call.id, account=call.account)
    return state.lines_of(found["id"], call.params)


def list_events(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only(*PAGE, "type", "types", "delivery_success", "created")
    types, kind, delivered = p.texts("types"), p.text("type"), p.boolean("delivery_success")
    if types and kind:
        raise StripeProblem("You may only specify one of these parameters: type, types.")
    if len(types) > 20:
        raise StripeProblem("You may specify up to 20 types.", param="types")
    wanted = types or ([kind] if kind else [])
    found = [
        one
        for one in state.every("event", account=call.account)
        if (not wanted or one["type"] in wanted)
        and delivered in (None, one["id"] in state.delivered)
        and in_range(one["created"], p)
    ]
    return page(found, p, url="/v1/events")


def create_endpoint(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only("url", "enabled_events", "metadata", "description", "api_version")
    url, events = p.needed("url"), p.texts("enabled_events")
    if not re.match(r"https?://[^/]", url):
        raise StripeProblem(f"Invalid URL: {url}", code="url_invalid", param="url")
    if not events:
        raise StripeProblem("Missing required param: enabled_events.", code="parameter_missing")
    if len(state.every("webhook_endpoint")) >= _MOST_ENDPOINTS:
        raise StripeProblem(f"You have reached the maximum of {_MOST_ENDPOINTS} test webhook endpoints.")
    made = objects.webhook_endpoint(url, events, livemode=state.livemode, now=state.now)
    made |= {"metadata": p.metadata(), "description": p.text("description"), "api_version": p.text("api_version")}
    return dict(state.keep(made))


def update_endpoint(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only("url", "enabled_events", "metadata", "description", "disabled")
    found = state.find("webhook_endpoint", call.id)
    found["enabled_events"] = p.texts("enabled_events") or found["enabled_events"]
    found["metadata"] = p.metadata(found["metadata"])
    found |= {key: said for key in ("url", "description") if (said := p.text(key))}
    if (disabled := p.boolean("disabled")) is not None:
        found["status"] = "disabled" if disabled else "enabled"
    return _without_secret(found)


def show_endpoint(state: StripeState, call: Call) -> Json:
    call.params.only()
    return _without_secret(state.find("webhook_endpoint", call.id))


def list_endpoints(state: StripeState, call: Call) -> Json:
    call.params.only(*PAGE)
    found = [_without_secret(one) for one in state.every("webhook_endpoint")]
    return page(found, call.params, url="/v1/webhook_endpoints")


def delete_endpoint(state: StripeState, call: Call) -> Json:
    call.params.only()
    found = state.find("webhook_endpoint", call.id)
    del state.objects[found["id"]]
    return {"id": found["id"], "object": "webhook_endpoint", "deleted": True}


def show_account(_state: StripeState, call: Call) -> Json:
    call.params.only()
    return objects.account()


def shows(kind: str) -> Answer:
    """The answer to a GET of one object. What is for sale belongs to every account here."""

    def show(state: StripeState, call: Call) -> Json:
        call.params.only()
        account = None if kind in ("product", "price", "payment_link") else call.account
        return state.find(kind, call.id, account=account)

    return show


ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/v1/account", show_account),
    ("POST", "/v1/products", catalog.create_product),
    ("GET", "/v1/products", catalog.list_products),
    ("GET", "/v1/products/{id}", shows("product")),
    ("POST", "/v1/products/{id}", catalog.update_product),
    ("DELETE", "/v1/products/{id}", catalog.delete_product),
    ("POST", "/v1/prices", catalog.create_price),
    ("GET", "/v1/prices", catalog.list_prices),
    ("GET", "/v1/prices/{id}", shows("price")),
    ("POST", "/v1/checkout/sessions", create_session),
    ("GET", "/v1/checkout/sessions", list_sessions),
    ("GET", "/v1/checkout/sessions/{id}", shows("checkout.session")),
    ("POST", "/v1/checkout/sessions/{id}", update_session),
    ("GET", "/v1/checkout/sessions/{id}/line_items", list_lines),
    ("GET", "/v1/customers", drafting.list_customers),
    ("POST", "/v1/payment_links", catalog.create_payment_link),
    ("GET", "/v1/payment_links", catalog.list_payment_links),
    ("GET", "/v1/payment_links/{id}", shows("payment_link")),
    ("GET", "/v1/events", list_events),
    ("GET", "/v1/events/{id}", shows("event")),
    ("POST", "/v1/webhook_endpoints", create_endpoint),
    ("GET", "/v1/webhook_endpoints", list_endpoints),
    ("GET", "/v1/webhook_endpoints/{id}", show_endpoint),
    ("POST", "/v1/webhook_endpoints/{id}", update_endpoint),
    ("DELETE", "/v1/webhook_endpoints/{id}", delete_endpoint),
    ("GET", "/v1/payment_intents/{id}", shows("payment_intent")),
    ("GET", "/v1/charges/{id}", shows("charge")),
    ("POST", "/v1/charges/{id}", money.update_charge),
    ("GET", "/v1/charges/{id}/refunds", money.list_refunds_of_charge),
    ("POST", "/v1/refunds", money.create_refund),
    ("GET", "/v1/refunds", money.list_refunds),
    ("GET", "/v1/refunds/{id}", shows("refund")),
    ("GET", "/v1/disputes", money.list_disputes),
    ("GET", "/v1/disputes/{id}", shows("dispute")),
    ("GET", "/v1/radar/early_fraud_warnings", money.list_warnings),
    ("GET", "/v1/radar/early_fraud_warnings/{id}", shows("radar.early_fraud_warning")),
    ("GET", "/v1/subscriptions/{id}", shows("subscription")),
    ("POST", "/v1/customers", drafting.create_customer),
    ("POST", "/v1/invoices", drafting.create_invoice),
    ("POST", "/v1/invoiceitems", drafting.create_item),
    ("POST", "/v1/invoices/{id}/finalize", drafting.finalize),
    ("POST", "/v1/invoices/{id}/pay", drafting.pay),
    ("GET", "/v1/invoices", billing.list_invoices),
    ("GET", "/v1/invoices/{id}", shows("invoice")),
    ("POST", "/v1/invoices/{id}", billing.update_invoice),
    ("GET", "/v1/invoices/{id}/lines", billing.list_lines),
    ("GET", "/v1/credit_notes", billing.list_credit_notes),
    ("GET", "/v1/credit_notes/{id}", shows("credit_note")),
    ("GET", "/v1/invoice_payments", billing.list_payments),
)
"""Method, path and answer; `{id}` is what the path names."""


def _without_secret(endpoint: Json) -> Json:
    return {key: value for key, value in endpoint.items() if key != "secret"}
