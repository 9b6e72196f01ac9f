"""
The shapes of what bills at Stripe: subscriptions, invoices, their lines and their payments.

Field names and types follow Stripe's own OpenAPI fixtures (github.com/stripe/openapi, MIT), in API version
2026-10-28.endive.
"""

from local.stripe.objects import Json, new_id, shape


def subscription(*, customer: str, currency: str, status: str, livemode: bool, now: int, trial_end: int | None) -> Json:
    """One without items yet; their period is set with them."""
    name = new_id("sub")
    return shape("subscription") | {
        "id": name,
        "billing_cycle_anchor": trial_end or now,
        "created": now,
        "currency": currency,
        "customer": customer,
        "default_payment_method": new_id("pm"),
        "items": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={name}",
        },
        "livemode": livemode,
        "start_date": now,
        "status": status,
        "trial_end": trial_end,
        "trial_start": now if trial_end else None,
    }


def subscription_item(of: str, price: Json, *, quantity: int, start: int, end: int, now: int) -> Json:
    """`of` is the subscription's id; the period is *start* to *end*, in Unix seconds."""
    return {
        "id": new_id("si", 14),
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "created": now,
        "current_period_end": end,
        "current_period_start": start,
        "discounts": [],
        "metadata": {},
        "plan": _plan(price),
        "price": price,
        "quantity": quantity,
        "subscription": of,
        "tax_rates": [],
    }


def invoice(*, customer: str, email: str | None, currency: str, reason: str, livemode: bool, now: int) -> Json:
    """An open one without lines yet. `payments` is left out: it has to be expanded."""
    name = new_id("in")
    return shape("invoice") | {
        "id": name,
        "billing_reason": reason,
        "created": now,
        "currency": currency,
        "customer": customer,
        "customer_email": email,
        "effective_at": now,
        "hosted_invoice_url": f"https://invoice.stripe.com/i/{name}",
        "invoice_pdf": f"https://pay.stripe.com/invoice/{name}/pdf",
        "lines": {"object": "list", "data": [], "has_more": False, "url": f"/v1/invoices/{name}/lines"},
        "livemode": livemode,
        "number": f"{new_id('', 8)[1:].upper()}-0001",
        "period_end": now,
        "period_start": now,
        "status_transitions": {
            "finalized_at": now,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "webhooks_delivered_at": now,
    }


def invoice_line(of: Json, item: Json, *, start: int, end: int, parent: Json) -> Json:
    """`of` is the invoice; *item* a Checkout line, whose price, amounts and discount become the invoice's."""
    discount = new_id("di") if item["amount_discount"] else None
    price = item["price"]
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": item["amount_subtotal"],
        "currency": item["currency"],
        "description": item["description"],
        "discount_amounts": [{"amount": item["amount_discount"], "discount": discount}] if discount else [],
        "discountable": True,
        "discounts": [discount] if discount else [],
        "invoice": of["id"],
        "livemode": of["livemode"],
        "metadata": {},
        "parent": parent,
        "period": {"end": end, "start": start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"] if item["amount_subtotal"] else "0",
        },
        "quantity": item["quantity"],
        "quantity_decimal": str(item["quantity"]),
        "subscription": _subscription_in(parent),
        "subtotal": item["amount_subtotal"],
        "taxes": [],
    }


def item_of_subscription(subscription_id: str, item_id: str) -> Json:
    """The `parent` of a line that repeats."""
    return {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": subscription_id,
            "subscription_item": item_id,
        },
        "type": "subscription_item_details",
    }


def item_of_invoice(subscription_id: str | None) -> Json:
    """The `parent` of a line that is billed once, on a subscription's invoice or on a plain one."""
    return {
        "invoice_item_details": {
            "invoice_item": new_id("ii"),
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": subscription_id,
        },
        "subscription_item_details": None,
        "type": "invoice_item_details",
    }


def credit_note(of: Json, line: Json, *, amount: int, refund: Json | None, now: int) -> Json:
    """One after the payment of the invoice `of`, for *amount* of its *line*; without a *refund* to the balance."""
    name, lines = new_id("cn"), [_credited(of, line, amount)]
    back = {"amount_refunded": amount, "payment_record_refund": None, "type": "refund"}
    return shape("credit_note") | {
        "id": name,
        "amount": amount,
        "created": now,
        "currency": of["currency"],
        "customer": of["customer"],
        "customer_balance_transaction": None if refund else new_id("cbtxn"),
        "effective_at": now,
        "invoice": of["id"],
        "lines": {
            "object": "list",
            "data": lines,
            "has_more": False,
            "url": f"/v1/credit_notes/{name}/lines",
        },
        "livemode": of["livemode"],
        "number": f"{of['number']}-CN-01",
        "pdf": f"https://pay.stripe.com/credit_notes/{name}/pdf",
        "post_payment_amount": amount,
        "refunds": [back | {"refund": refund["id"]}] if refund else [],
        "subtotal": amount,
        "subtotal_excluding_tax": amount,
        "total": amount,
        "total_excluding_tax": amount,
    }


def _credited(of: Json, line: Json, amount: int) -> Json:
    return {
        "id": new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": line["description"],
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": line["id"],
        "livemode": of["livemode"],
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": 1,
        "tax_rates": [],
        "taxes": [],
        "type": "invoice_line_item",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


def invoice_payment(of: Json, intent: Json, *, now: int) -> Json:
    """How *intent* pays the invoice `of`: `open` until it has."""
    return {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": intent["amount"],
        "created": now,
        "currency": intent["currency"],
        "invoice": of["id"],
        "is_default": True,
        "livemode": of["livemode"],
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }


def _subscription_in(parent: Json) -> str | None:
    details: Json = parent[parent["type"]]
    subscription_id: str | None = details["subscription"]
    return subscription_id


def _plan(price: Json) -> Json:
    """The older twin that every price of a subscription still comes with."""
    return {
        "id": price["id"],
        "object": "plan",
        "active": True,
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": price["livemode"],
        "metadata": {},
        "meter": None,
        "nickname": None,
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
