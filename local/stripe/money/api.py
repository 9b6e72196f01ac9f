"""The calls of Stripe's API about money that moved: charges, refunds, disputes, early fraud warnings."""

from local.stripe.form import Call, StripeProblem
from local.stripe.money import movements
from local.stripe.objects import Json
from local.stripe.state import PAGE, StripeState, in_range, page


def update_charge(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only("fraud_details", "metadata")
    found = state.find("charge", call.id, account=call.account)
    metadata, details = p.metadata(found["metadata"]), p.object("fraud_details")
    if details:
        details.only("user_report")
        report = details.choice("user_report", "safe", "fraudulent")
        found["fraud_details"] = {"user_report": report} if report else {}
    found["metadata"] = metadata
    state.tell("charge.updated", found)
    return found


def create_refund(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only("payment_intent", "charge", "amount", "reason", "metadata")
    named = state.filters(p, call.account, payment_intent="payment_intent", charge="charge")
    if not named:
        raise StripeProblem("One of the following params should be provided: payment_intent or charge.")
    intent = state.objects[named["payment_intent"]] if "payment_intent" in named else None
    charge_id = named.get("charge") or (intent["latest_charge"] if intent else "")
    charge = state.find("charge", charge_id, param="charge", account=call.account)
    if intent and charge["payment_intent"] != intent["id"]:
        raise StripeProblem("The charge does not belong to the payment intent.", param="charge")
    return movements.refunded(
        state,
        charge,
        amount=p.integer("amount", 0, low=1) if p.text("amount") else None,
        reason=p.choice("reason", *movements.REFUND_REASONS),
        metadata=p.metadata(),
    )


def list_refunds(state: StripeState, call: Call) -> Json:
    return _listed(state, call, "refund", "/v1/refunds")


def list_refunds_of_charge(state: StripeState, call: Call) -> Json:
    call.params.only(*PAGE)
    charge = state.find("charge", call.id, account=call.account)
    found = state.related("refund", charge=charge["id"])
    return page(found, call.params, url=f"/v1/charges/{charge['id']}/refunds")


def list_disputes(state: StripeState, call: Call) -> Json:
    return _listed(state, call, "dispute", "/v1/disputes")


def list_warnings(state: StripeState, call: Call) -> Json:
    return _listed(state, call, "radar.early_fraud_warning", "/v1/radar/early_fraud_warnings")


def _listed(state: StripeState, call: Call, kind: str, url: str) -> Json:
    p = call.params
    p.only(*PAGE, "charge", "payment_intent", "created")
    wanted = state.filters(p, call.account, charge="charge", payment_intent="payment_intent")
    found = [
        one
        for one in state.every(kind, account=call.account)
        if all(one[key] == value for key, value in wanted.items()) and in_range(one["created"], p)
    ]
    return page(found, p, url=url)
