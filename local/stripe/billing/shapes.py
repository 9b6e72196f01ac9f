"""
The shapes of what bills at Stripe: subscriptions, invoices, their lines and their payments.

Field names and types follow Stripe's own OpenAPI fixtures (github.com/stripe/openapi, MIT), in API version
2026-10-28.endive.
"""

from local.stripe.objects import Json, new_id


def subscription(*, customer: str, currency: str, status: str, livemode: bool, now: int, trial_end: int | None) -> Json:
    """One without items yet; their period is set with them."""
    name = new_id("sub")
    return {
        "id": name,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": trial_end or now,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": customer,
        "customer_account": None,
        "days_until_due": None,
        "default_payment_method": new_id("pm"),
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "items": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={name}",
        },
        "latest_invoice": None,
        "livemode": livemode,
        "managed_payments": {"enabled": False},
        "metadata": {},
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": now,
        "status": status,
        "test_clock": None,
        "transfer_data": None,
        "trial_end": trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
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
    return {
        "id": name,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Paidshare on a laptop",
        "account_tax_ids": None,
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "custom_fields": None,
        "customer": customer,
        "customer_account": None,
        "customer_address": None,
        "customer_email": email,
        "customer_name": None,
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": now,
        "ending_balance": 0,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": f"https://invoice.stripe.com/i/{name}",
        "invoice_pdf": f"https://pay.stripe.com/invoice/{name}/pdf",
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": {"object": "list", "data": [], "has_more": False, "url": f"/v1/invoices/{name}/lines"},
        "livemode": livemode,
        "metadata": {},
        "next_payment_attempt": None,
        "number": f"{new_id('', 8)[1:].upper()}-0001",
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": now,
        "period_start": now,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "open",
        "status_transitions": {
            "finalized_at": now,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": 0,
        "subtotal_excluding_tax": 0,
        "test_clock": None,
        "total": 0,
        "total_discount_amounts": [],
        "total_excluding_tax": 0,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
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
    name = new_id("cn")
    item = {
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
    back = {"amount_refunded": amount, "payment_record_refund": None, "type": "refund"}
    return {
        "id": name,
        "object": "credit_note",
        "amount": amount,
        "amount_shipping": 0,
        "created": now,
        "currency": of["currency"],
        "customer": of["customer"],
        "customer_account": None,
        "customer_balance_transaction": None if refund else new_id("cbtxn"),
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": now,
        "invoice": of["id"],
        "lines": {"object": "list", "data": [item], "has_more": False, "url": f"/v1/credit_notes/{name}/lines"},
        "livemode": of["livemode"],
        "memo": None,
        "metadata": {},
        "number": f"{of['number']}-CN-01",
        "out_of_band_amount": None,
        "pdf": f"https://pay.stripe.com/credit_notes/{name}/pdf",
        "post_payment_amount": amount,
        "pre_payment_amount": 0,
        "pretax_credit_amounts": [],
        "reason": None,
        "refunds": [back | {"refund": refund["id"]}] if refund else [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": amount,
        "subtotal_excluding_tax": amount,
        "total": amount,
        "total_excluding_tax": amount,
        "total_taxes": [],
        "type": "post_payment",
        "voided_at": None,
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
