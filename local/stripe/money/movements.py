"""
What happens to money at the Stripe stand-in: it is charged, refunded, disputed, warned about.

Every function changes the state, checks what Stripe checks, and tells the events that Stripe would send. Each
raises StripeProblem for what Stripe would refuse.
"""

from collections.abc import Iterable
from typing import Literal

from local.stripe.form import StripeProblem
from local.stripe.money import shapes
from local.stripe.objects import Json, new_id
from local.stripe.state import StripeState

type Outcome = Literal["succeeded", "pending", "failed"]

REFUND_STATUSES = ("pending", "requires_action", "succeeded", "failed", "canceled")
DISPUTE_STATUSES = (
    "warning_needs_response", "warning_under_review", "warning_closed", "needs_response", "under_review",
    "won", "lost", "prevented", "appeal_needs_response", "appeal_under_review",
)  # fmt: skip
REFUND_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
_CLOSED = ("won", "lost", "warning_closed", "prevented")
_TAKING = ("needs_response", "under_review", "lost")
_TAKEN_BACK = ("failed", "canceled")

_INTENT_STATUS = {"succeeded": "succeeded", "pending": "processing", "failed": "requires_payment_method"}
_INTENT_EVENT = {
    "succeeded": "payment_intent.succeeded",
    "pending": "payment_intent.processing",
    "failed": "payment_intent.payment_failed",
}


def charged(
    state: StripeState,
    outcome: Outcome,
    *,
    amount: int,
    currency: str,
    livemode: bool,
    email: str | None,
    customer: str | None = None,
    account: str | None = None,
) -> Json:
    """A payment intent with its first charge."""
    intent = state.keep(
        shapes.payment_intent(amount=amount, currency=currency, livemode=livemode, now=state.now, customer=customer),
        account=account,
    )
    return tried(state, intent, outcome, email=email)


def tried(state: StripeState, intent: Json, outcome: Outcome, *, email: str | None) -> Json:
    """The payment intent with one more charge, its latest."""
    made = shapes.charge(intent, status=outcome, now=state.now, email=email)
    state.keep(made, account=state.owners.get(intent["id"]))
    intent["latest_charge"] = made["id"]
    return _ended(state, intent, made)


def settled(state: StripeState, intent: Json, outcome: Literal["succeeded", "failed"]) -> Json:
    """The payment intent, whose pending charge has come to its end."""
    charge = state.find("charge", intent["latest_charge"], account=state.owners.get(intent["id"]))
    after = shapes.charge(intent, status=outcome, now=charge["created"], email=charge["billing_details"]["email"])
    charge.update({key: value for key, value in after.items() if key not in ("id", "metadata", "fraud_details")})
    return _ended(state, intent, charge)


def _ended(state: StripeState, intent: Json, charge: Json) -> Json:
    outcome = charge["status"]
    intent["status"] = _INTENT_STATUS[outcome]
    intent["amount_received"] = intent["amount"] if outcome == "succeeded" else 0
    intent["last_payment_error"] = (
        {
            "charge": charge["id"],
            "code": charge["failure_code"],
            "message": charge["failure_message"],
            "type": "card_error",
        }
        if outcome == "failed"
        else None
    )
    state.tell(_INTENT_EVENT[outcome], intent)
    state.tell(f"charge.{outcome}", charge)
    return intent


def refunded(
    state: StripeState,
    charge: Json,
    *,
    amount: int | None = None,
    status: str = "succeeded",
    reason: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Json:
    """The refund of *amount*, or of all that is left. It counts at once, also while it is pending."""
    left = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded":
        raise StripeProblem("This charge has not succeeded, so it cannot be refunded.", param="charge")
    if left == 0:
        raise StripeProblem(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if any(not one["is_charge_refundable"] for one in _lasting(state.related("dispute", charge=charge["id"]))):
        raise StripeProblem(f"Charge {charge['id']} has been charged back.", code="charge_disputed")
    wanted = left if amount is None else amount
    if wanted > left:
        raise StripeProblem(
            f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})", param="amount"
        )
    made = shapes.refund(
        charge, amount=wanted, status=status, now=state.now, reason=reason, metadata=dict(metadata or {})
    )
    state.keep(made, account=state.owners.get(charge["id"]))
    _count_refunds(state, charge)
    state.tell("refund.created", made)
    if status in _TAKEN_BACK:
        _tell_taken_back(state, made)
    else:
        state.tell("charge.refunded", charge)
        if charge["refunded"]:
            _calm_warnings(state, charge)
    return made


def refund_changed(state: StripeState, refund: Json, status: str) -> Json:
    """The refund with its new status. A failed or canceled one gives the money back, and stays so."""
    if refund["status"] in (*_TAKEN_BACK, status):
        raise StripeProblem(f"Refund {refund['id']} is {refund['status']}.", param="status")
    refund["status"] = status
    charge = state.objects[refund["charge"]]
    _count_refunds(state, charge)
    if status in _TAKEN_BACK:
        _tell_taken_back(state, refund)
    else:
        state.tell("refund.updated", refund)
    return refund


def disputed(state: StripeState, charge: Json, *, status: str, reason: str) -> Json:
    """The dispute; a status that begins with `warning_` makes it an inquiry, which takes no money yet."""
    if charge["status"] != "succeeded":
        raise StripeProblem("Only a charge that succeeded can be disputed.", param="charge")
    made = shapes.dispute(charge, amount=charge["amount"], status=status, reason=reason, now=state.now)
    state.keep(made, account=state.owners.get(charge["id"]))
    charge["disputed"] = True
    state.tell("charge.dispute.created", made)
    if not made["is_charge_refundable"]:
        state.tell("charge.dispute.funds_withdrawn", made)
    _calm_warnings(state, charge)
    return made


def dispute_changed(state: StripeState, dispute: Json, status: str) -> Json:
    """The dispute with its new status. What is closed can only be appealed."""
    if dispute["status"] in _CLOSED and not status.startswith("appeal_"):
        raise StripeProblem(f"Dispute {dispute['id']} is closed: {dispute['status']}.", param="status")
    withdrawn = not dispute["is_charge_refundable"]
    takes = not withdrawn and status in _TAKING
    dispute["status"] = status
    if takes:
        # The inquiry became a chargeback.
        dispute["is_charge_refundable"] = False
        dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    state.tell("charge.dispute.closed" if status in _CLOSED else "charge.dispute.updated", dispute)
    if takes:
        state.tell("charge.dispute.funds_withdrawn", dispute)
    elif withdrawn and status == "won":
        state.tell("charge.dispute.funds_reinstated", dispute)
    return dispute


def warned(state: StripeState, charge: Json, *, fraud_type: str) -> Json:
    """The early fraud warning, which calls for action unless the money is on its way back already."""
    made = shapes.early_fraud_warning(charge, fraud_type=fraud_type, now=state.now)
    made["actionable"] = not (charge["refunded"] or charge["disputed"])
    state.keep(made, account=state.owners.get(charge["id"]))
    state.tell("radar.early_fraud_warning.created", made)
    return made


def _count_refunds(state: StripeState, charge: Json) -> None:
    counted = [one for one in state.related("refund", charge=charge["id"]) if one["status"] not in _TAKEN_BACK]
    charge["amount_refunded"] = sum(one["amount"] for one in counted)
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]


def _tell_taken_back(state: StripeState, refund: Json) -> None:
    if refund["status"] == "canceled":
        state.tell("refund.updated", refund)
        return
    refund |= {"failure_reason": "expired_or_canceled_card", "failure_balance_transaction": new_id("txn")}
    state.tell("refund.failed", refund)


def _lasting(disputes: Iterable[Json]) -> list[Json]:
    """Without those that ended well for the seller."""
    return [one for one in disputes if one["status"] not in ("won", "warning_closed")]


def _calm_warnings(state: StripeState, charge: Json) -> None:
    for one in state.related("radar.early_fraud_warning", charge=charge["id"]):
        if one["actionable"]:
            one["actionable"] = False
            state.tell("radar.early_fraud_warning.updated", one)
