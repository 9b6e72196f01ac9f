"""
The shapes of what moves money at Stripe: payment intents, charges, refunds, disputes, early fraud warnings.

Field names and types follow Stripe's own OpenAPI fixtures (github.com/stripe/openapi, MIT), in API version
2026-10-28.endive.
"""

import secrets

from local.stripe.objects import Json, new_id, shape

_DAY_S = 86_400


def payment_intent(*, amount: int, currency: str, livemode: bool, now: int, customer: str | None) -> Json:
    """One that nobody has tried to pay yet."""
    name = new_id("pi")
    return shape("payment_intent") | {
        "id": name,
        "amount": amount,
        "client_secret": f"{name}_secret_{secrets.token_hex(12)}",
        "created": now,
        "currency": currency,
        "customer": customer,
        "livemode": livemode,
        "payment_method": new_id("pm"),
    }


def charge(intent: Json, *, status: str, now: int, email: str | None) -> Json:
    """One try to pay *intent*: `succeeded`, `pending` or `failed`. `refunds` is left out: it has to be expanded."""
    name, succeeded = new_id("ch"), status == "succeeded"
    return shape("charge") | {
        "id": name,
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if succeeded else 0,
        "balance_transaction": new_id("txn") if succeeded else None,
        "billing_details": {
            "address": _address(),
            "email": email,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "captured": succeeded,
        "created": now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "failure_code": "card_declined" if status == "failed" else None,
        "failure_message": "Your card was declined." if status == "failed" else None,
        "livemode": intent["livemode"],
        "outcome": _outcome(status),
        "paid": succeeded,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": {"card": _card(), "type": "card"},
        "receipt_url": f"https://pay.stripe.com/receipts/payment/{name}" if succeeded else None,
        "status": status,
    }


def refund(of: Json, *, amount: int, status: str, now: int, reason: str | None, metadata: dict[str, str]) -> Json:
    """`of` is the charge. A refund has no `livemode`."""
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": of["id"],
        "created": now,
        "currency": of["currency"],
        "customer": of["customer"],
        "customer_account": None,
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": metadata,
        "payment_intent": of["payment_intent"],
        "payment_method": of["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def dispute(of: Json, *, amount: int, status: str, reason: str, now: int) -> Json:
    """`of` is the charge. A status that begins with `warning_` makes it an inquiry."""
    inquiry = status.startswith("warning_")
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": of["id"],
        "created": now,
        "currency": of["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(_EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + 7 * _DAY_S,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": of["livemode"],
        "metadata": {},
        "payment_intent": of["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": "visa",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": status,
    }


def early_fraud_warning(of: Json, *, fraud_type: str, now: int) -> Json:
    """`of` is the charge."""
    return {
        "id": new_id("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": of["id"],
        "created": now,
        "fraud_type": fraud_type,
        "livemode": of["livemode"],
        "payment_intent": of["payment_intent"],
    }


_EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation",
    "duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt", "refund_policy",
    "refund_policy_disclosure", "refund_refusal_explanation", "service_date", "service_documentation",
    "shipping_address", "shipping_carrier", "shipping_date", "shipping_documentation",
    "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip


def _address() -> Json:
    return dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def _outcome(status: str) -> Json | None:
    if status == "pending":
        return None
    declined = status == "failed"
    return {
        "advice_code": "try_again_later" if declined else None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if declined else "approved_by_network",
        "reason": "generic_decline" if declined else None,
        "risk_level": "normal",
        "seller_message": "The bank did not give a reason." if declined else "Payment complete.",
        "type": "issuer_declined" if declined else "authorized",
    }


def _card() -> Json:
    return {
        "amount_authorized": None,
        "authorization_code": None,
        "brand": "visa",
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": new_id("", 16)[1:],
        "funding": "credit",
        "installments": None,
        "last4": "4242",
        "mandate": None,
        "network": "visa",
        "network_token": {"used": False},
        "network_transaction_id": None,
        "regulated_status": "unregulated",
        "three_d_secure": None,
        "wallet": None,
    }
