"""
The shapes of Stripe's objects, in API version 2026-10-28.endive, with made-up content.

Field names and types follow Stripe's own OpenAPI fixtures (github.com/stripe/openapi, MIT).
"""

import json
import secrets
import string
from functools import cache
from pathlib import Path
from typing import Any

API_VERSION = "2026-10-28.endive"

type Json = dict[str, Any]

_LETTERS = string.ascii_letters + string.digits
_DAY_S = 86_400
_SHAPES = Path(__file__).parent / "shapes"


@cache
def _text(name: str) -> str:
    return (_SHAPES / f"{name}.json").read_text()


def shape(name: str) -> Json:
    """
    The object as Stripe shows it when nothing is said of it, a copy of one's own. What each object has of its own is
    null there, and put in its place.
    """
    found: Json = json.loads(_text(name))
    return found


def new_id(prefix: str, length: int = 24) -> str:
    """An id of the form that Stripe's have: `prod_…`, `cs_test_…`."""
    return f"{prefix}_" + "".join(secrets.choice(_LETTERS) for _ in range(length))


def product(name: str, *, livemode: bool, now: int, **fields: Any) -> Json:
    return {
        "id": new_id("prod", 14),
        "object": "product",
        "active": True,
        "created": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": livemode,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": now,
        "url": None,
    } | fields


def price(product_id: str, *, amount: int, currency: str, livemode: bool, now: int, **fields: Any) -> Json:
    return {
        "id": new_id("price"),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": livemode,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product_id,
        "recurring": None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    } | fields


def recurring(interval: str = "month") -> Json:
    return {
        "interval": interval,
        "interval_count": 1,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def line(of_price: Json, description: str, *, quantity: int, free: bool = False) -> Json:
    """A line of a Checkout Session. *free*: nothing is due for it now, as in a trial."""
    total = 0 if free else of_price["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": of_price["currency"],
        "description": description,
        "metadata": None,
        "price": of_price,
        "quantity": quantity,
    }


def session(*, mode: str, lines: list[Json], livemode: bool, now: int, **fields: Any) -> Json:
    """An open Checkout Session. Its lines are not in it: Stripe shows them only when asked to."""
    total = sum(item["amount_total"] for item in lines) if lines else None
    name = new_id("cs_live" if livemode else "cs_test", 58)
    return (
        shape("session")
        | {
            "id": name,
            "amount_subtotal": total,
            "amount_total": total,
            "created": now,
            "currency": lines[0]["currency"] if lines else None,
            "expires_at": now + _DAY_S,
            "livemode": livemode,
            "mode": mode,
            "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
            "url": f"https://checkout.stripe.com/c/pay/{name}",
        }
        | fields
    )


def customer_details(email: str | None) -> Json:
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def payment_link(*, currency: str, livemode: bool, metadata: dict[str, str]) -> Json:
    name = new_id("plink")
    return {
        "id": name,
        "object": "payment_link",
        "active": True,
        "after_completion": {"hosted_confirmation": {"custom_message": None}, "type": "hosted_confirmation"},
        "allow_promotion_codes": False,
        "application": None,
        "application_fee_amount": None,
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_address_collection": "auto",
        "consent_collection": None,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None},
        "customer_creation": "if_required",
        "inactive_message": None,
        "invoice_creation": None,
        "livemode": livemode,
        "metadata": metadata,
        "on_behalf_of": None,
        "payment_intent_data": None,
        "payment_method_collection": "if_required",
        "payment_method_types": None,
        "phone_number_collection": {"enabled": False},
        "restrictions": None,
        "shipping_address_collection": None,
        "shipping_options": [],
        "submit_type": "auto",
        "subscription_data": None,
        "tax_id_collection": {"enabled": False, "required": "never"},
        "transfer_data": None,
        "url": f"https://buy.stripe.com/test_{name[-14:]}",
    }


def event(kind: str, of: Json, *, livemode: bool, now: int, account: str | None) -> Json:
    """`of` is the object as it is at this moment; give a copy."""
    made: Json = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": now,
        "data": {"object": of},
        "livemode": livemode,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    return made | {"account": account} if account else made


def webhook_endpoint(url: str, events: list[str], *, livemode: bool, now: int) -> Json:
    """As it is answered to its creation: only then with the secret."""
    return {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": now,
        "description": None,
        "enabled_events": events,
        "livemode": livemode,
        "metadata": {},
        "secret": new_id("whsec", 32),
        "status": "enabled",
        "url": url,
    }


def account() -> Json:
    return {
        "id": "acct_1PaidshareLocal",
        "object": "account",
        "business_profile": {"name": "Paidshare on a laptop"},
        "business_type": "company",
        "capabilities": {"card_payments": "active"},
        "charges_enabled": True,
        "country": "US",
        "created": 1_700_000_000,
        "default_currency": "usd",
        "details_submitted": True,
        "email": None,
        "metadata": {},
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": "Paidshare on a laptop"}},
        "type": "standard",
    }
