"""
What a test, or `python -m local`, has happen at the Stripe stand-in: the control routes that change the state.

Each act takes the route's JSON and says which event is the one that matters, and what it was about. It raises
ValueError or StripeProblem with what is wrong. The routes' fields are listed in `local.stripe.control`.
"""

from collections.abc import Callable

from local.stripe import catalog, sales
from local.stripe.acting import (
    _PAID,
    Done,
    ids_of_charge,
    known,
    meant_charge,
    meant_subscription,
    of_charge,
    of_invoice,
    of_session,
    of_subscription,
    one_of,
    only,
)
from local.stripe.billing import invoices, subscriptions
from local.stripe.money import movements
from local.stripe.objects import Json
from local.stripe.sale import Sale
from local.stripe.state import StripeState

type Act = Callable[[StripeState, Json], Done]


def pay(state: StripeState, given: Json) -> Done:
    session = sales.completed(state, Sale.read(given))
    return of_session(state, session, "checkout.session.completed")


def settle(state: StripeState, given: Json) -> Done:
    only(given, "session")
    session = sales.settled(state, given["session"])
    return of_session(state, session, "checkout.session.async_payment_succeeded")


def fail(state: StripeState, given: Json) -> Done:
    only(given, "session")
    session = sales.failed(state, given["session"])
    return of_session(state, session, "checkout.session.async_payment_failed")


def invoice(state: StripeState, given: Json) -> Done:
    only(given, "email", "products", "quantity", "account", "paid_out_of_band")
    products = [state.find("product", wanted, param="products") for wanted in given["products"]]
    if not products:
        raise ValueError("an invoice has products")
    made = invoices.plain(
        state,
        [catalog.sold(state, product, given.get("quantity", 1)) for product in products],
        email=given.get("email"),
        account=given.get("account"),
        out_of_band=bool(given.get("paid_out_of_band")),
    )
    return of_invoice(state, made, "invoice.paid")


def refund(state: StripeState, given: Json) -> Done:
    only(given, *_PAID, "amount", "status", "reason")
    status = one_of(movements.REFUND_STATUSES, given.get("status", "succeeded"))
    charge = meant_charge(state, given)
    made = movements.refunded(state, charge, amount=given.get("amount"), status=status, reason=given.get("reason"))
    return Done(("refund.created",), ids_of_charge(charge) | {"refund": made["id"]})


def refund_update(state: StripeState, given: Json) -> Done:
    only(given, "refund", *_PAID, "status")
    status = one_of(movements.REFUND_STATUSES, given["status"])
    made = movements.refund_changed(state, of_charge(state, "refund", given), status)
    return Done(
        ("refund.failed", "refund.updated"), ids_of_charge(state.objects[made["charge"]]) | {"refund": made["id"]}
    )


def dispute(state: StripeState, given: Json) -> Done:
    only(given, *_PAID, "status", "reason")
    status = one_of(movements.DISPUTE_STATUSES, given.get("status", "needs_response"))
    charge = meant_charge(state, given)
    made = movements.disputed(state, charge, status=status, reason=given.get("reason", "fraudulent"))
    return Done(("charge.dispute.created",), ids_of_charge(charge) | {"dispute": made["id"]})


def dispute_update(state: StripeState, given: Json) -> Done:
    only(given, "dispute", *_PAID, "status")
    found, status = of_charge(state, "dispute", given), given["status"]
    if status == "withdrawn":
        # Stripe has no word of its own for a buyer who thinks better of it.
        status = "warning_closed" if found["status"].startswith("warning_") else "won"
    made = movements.dispute_changed(state, found, one_of(movements.DISPUTE_STATUSES, status))
    return Done(
        ("charge.dispute.closed", "charge.dispute.updated"),
        ids_of_charge(state.objects[made["charge"]]) | {"dispute": made["id"]},
    )


def warn(state: StripeState, given: Json) -> Done:
    only(given, *_PAID, "fraud_type")
    charge = meant_charge(state, given)
    made = movements.warned(state, charge, fraud_type=given.get("fraud_type", "made_with_stolen_card"))
    return Done(("radar.early_fraud_warning.created",), ids_of_charge(charge) | {"warning": made["id"]})


def renew(state: StripeState, given: Json) -> Done:
    only(given, "subscription", "session", "paid")
    paid = given.get("paid", True)
    made = subscriptions.renewed(state, meant_subscription(state, given), paid=paid)
    return of_invoice(state, made, "invoice.paid" if paid else "invoice.payment_failed")


def pay_invoice(state: StripeState, given: Json) -> Done:
    only(given, "invoice")
    made = invoices.paid_later(state, known(state, "invoice", given["invoice"]))
    return of_invoice(state, made, "invoice.paid")


def credit_note(state: StripeState, given: Json) -> Done:
    only(given, "invoice", "line", "amount", "to_card")
    found = known(state, "invoice", given["invoice"])
    invoices.credited(
        state, found, line=given.get("line", 0), amount=given.get("amount"), to_card=bool(given.get("to_card"))
    )
    return of_invoice(state, found, "credit_note.created")


def plan(state: StripeState, given: Json) -> Done:
    only(given, "subscription", "session", "product")
    product = state.find("product", given["product"], param="product")
    made = subscriptions.replanned(state, meant_subscription(state, given), product)
    return of_subscription(made, "customer.subscription.updated")


def cancel(state: StripeState, given: Json) -> Done:
    only(given, "subscription", "session", "at_period_end")
    made = subscriptions.cancelled(
        state, meant_subscription(state, given), at_period_end=bool(given.get("at_period_end"))
    )
    return of_subscription(made, "customer.subscription.deleted", "customer.subscription.updated")


def subscription(state: StripeState, given: Json) -> Done:
    only(given, "subscription", "session", "status", "pause_collection")
    found = meant_subscription(state, given)
    if "pause_collection" in given:
        behavior = given["pause_collection"]
        made = subscriptions.collection_paused(
            state, found, one_of(subscriptions.PAUSES, behavior) if behavior else None
        )
    else:
        made = subscriptions.switched(state, found, one_of(subscriptions.STATUSES, given["status"]))
    return of_subscription(
        made, "customer.subscription.paused", "customer.subscription.resumed", "customer.subscription.updated"
    )


ACTS: dict[str, Act] = {
    "/_pay": pay,
    "/_settle": settle,
    "/_fail": fail,
    "/_invoice": invoice,
    "/_refund": refund,
    "/_refund_update": refund_update,
    "/_dispute": dispute,
    "/_dispute_update": dispute_update,
    "/_warn": warn,
    "/_renew": renew,
    "/_pay_invoice": pay_invoice,
    "/_credit_note": credit_note,
    "/_plan": plan,
    "/_cancel": cancel,
    "/_subscription": subscription,
}
