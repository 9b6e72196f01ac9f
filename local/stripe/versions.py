"""
Events in the shapes of older API versions, as an endpoint that was made long ago still gets them.

Only what a receiver of payments can trip over is turned back (docs.stripe.com/changelog): in 2025-03-31.basil
invoices lost `subscription`, `charge`, `payment_intent` and `paid`, their lines `price`, charges and payment
intents `invoice`, and subscriptions their period; in 2022-11-15 charges lost `refunds`.
"""

import copy

from local.stripe.billing import invoices
from local.stripe.objects import Json
from local.stripe.state import StripeState

_BASIL = "2025-03-31"
_REFUNDS_LEFT_CHARGES = "2022-11-15"


def rendered(state: StripeState, event: Json, version: str | None) -> Json:
    """*event* as an endpoint of *version* gets it; None is the version that it was made in."""
    if version is None:
        return event
    made = copy.deepcopy(event) | {"api_version": version}
    of = made["data"]["object"]
    if version < _REFUNDS_LEFT_CHARGES and of["object"] == "charge":
        of |= state.expanded({"object": "charge", "id": of["id"]}, ["refunds"])
    if version < _BASIL:
        match of["object"]:
            case "invoice":
                _old_invoice(state, of)
            case "subscription":
                _old_subscription(of)
            case "charge":
                of["invoice"] = _invoice_paid_by(state, of["payment_intent"])
            case "payment_intent":
                of["invoice"] = _invoice_paid_by(state, of["id"])
    return made


def _old_invoice(state: StripeState, of: Json) -> None:
    payment = invoices.payment_of(state, of)
    parent = of.pop("parent")
    of |= {
        "subscription": parent["subscription_details"]["subscription"] if parent else None,
        "charge": payment["latest_charge"] if payment else None,
        "payment_intent": payment["id"] if payment else None,
        "paid": of["status"] == "paid",
    }
    for line in of["lines"]["data"]:
        details = line.pop("parent")
        pricing = line.pop("pricing")
        once = details["invoice_item_details"]
        repeated = details["subscription_item_details"]
        line |= {
            "price": copy.deepcopy(state.objects[pricing["price_details"]["price"]]),
            "type": "invoiceitem" if once else "subscription",
            "proration": False,
            "invoice_item": once["invoice_item"] if once else None,
            "subscription_item": repeated["subscription_item"] if repeated else None,
            "tax_amounts": line.pop("taxes"),
        }


def _old_subscription(of: Json) -> None:
    items = of["items"]["data"]
    of["current_period_start"] = min(item.pop("current_period_start") for item in items)
    of["current_period_end"] = max(item.pop("current_period_end") for item in items)


def _invoice_paid_by(state: StripeState, intent_id: str) -> str | None:
    for one in state.related("invoice_payment"):
        if one["payment"]["payment_intent"] == intent_id:
            return str(one["invoice"])
    return None
