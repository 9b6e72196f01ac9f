"""
What a test, or `python -m local`, has happen at the Stripe stand-in: the control routes that change the state.

Each act takes the route's JSON and says which event is the one that matters, and what it was about. It raises
ValueError or StripeProblem with what is wrong. The routes' fields are listed in `local.stripe_control`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from local.stripe import catalog, sales
from local.stripe.billing import invoices, subscriptions
from local.stripe.money import movements
from local.stripe.objects import Json
from local.stripe.state import StripeState

_PAID = ("session", "invoice", "payment_intent", "charge")


@dataclass(frozen=True, slots=True)
class Done:
    """The types that the main event may have, the first that was told counts; and ids by what they name."""

    main: tuple[str, ...]
    ids: dict[str, str | None]


type Act = Callable[[StripeState, Json], Done]


def only(given: Json, *known: str) -> None:
    """Raises ValueError for another field."""
    if unknown := set(given) - set(known):
        raise ValueError(f"there is no field {sorted(unknown)}; there are {known}")


def pay(state: StripeState, given: Json) -> Done:
    session = sales.completed(state, sales.Sale.read(given))
    return _of_session(state, session, "checkout.session.completed")


def settle(state: StripeState, given: Json) -> Done:
    only(given, "session")
    session = sales.settled(state, given["session"])
    return _of_session(state, session, "checkout.session.async_payment_succeeded")


def fail(state: StripeState, given: Json) -> Done:
    only(given, "session")
    session = sales.failed(state, given["session"])
    return _of_session(state, session, "checkout.session.async_payment_failed")


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
    return _of_invoice(state, made, "invoice.paid")


def refund(state: StripeState, given: Json) -> Done:
    only(given, *_PAID, "amount", "status", "reason")
    status = _one_of(movements.REFUND_STATUSES, given.get("status", "succeeded"))
    charge = _charge(state, given)
    made = movements.refunded(state, charge, amount=given.get("amount"), status=status, reason=given.get("reason"))
    return Done(("refund.created",), _ids_of_charge(charge) | {"refund": made["id"]})


def refund_update(state: StripeState, given: Json) -> Done:
    only(given, "refund", *_PAID, "status")
    status = _one_of(movements.REFUND_STATUSES, given["status"])
    made = movements.refund_changed(state, _of_charge(state, "refund", given), status)
    return Done(
        ("refund.failed", "refund.updated"), _ids_of_charge(state.objects[made["charge"]]) | {"refund": made["id"]}
    )


def dispute(state: StripeState, given: Json) -> Done:
    only(given, *_PAID, "status", "reason")
    status = _one_of(movements.DISPUTE_STATUSES, given.get("status", "needs_response"))
    charge = _charge(state, given)
    made = movements.disputed(state, charge, status=status, reason=given.get("reason", "fraudulent"))
    return Done(("charge.dispute.created",), _ids_of_charge(charge) | {"dispute": made["id"]})


def dispute_update(state: StripeState, given: Json) -> Done:
    only(given, "dispute", *_PAID, "status")
    found, status = _of_charge(state, "dispute", given), given["status"]
    if status == "withdrawn":
        # Stripe has no word of its own for a buyer who thinks better of it.
        status = "warning_closed" if found["status"].startswith("warning_") else "won"
    made = movements.dispute_changed(state, found, _one_of(movements.DISPUTE_STATUSES, status))
    return Done(
        ("charge.dispute.closed", "charge.dispute.updated"),
        _ids_of_charge(state.objects[made["charge"]]) | {"dispute": made["id"]},
    )


def warn(state: StripeState, given: Json) -> Done:
    only(given, *_PAID, "fraud_type")
    charge = _charge(state, given)
    made = movements.warned(state, charge, fraud_type=given.get("fraud_type", "made_with_stolen_card"))
    return Done(("radar.early_fraud_warning.created",), _ids_of_charge(charge) | {"warning": made["id"]})


def renew(state: StripeState, given: Json) -> Done:
    only(given, "subscription", "session", "paid")
    paid = given.get("paid", True)
    made = subscriptions.renewed(state, _subscription(state, given), paid=paid)
    return _of_invoice(state, made, "invoice.paid" if paid else "invoice.payment_failed")


def pay_invoice(state: StripeState, given: Json) -> Done:
    only(given, "invoice")
    made = invoices.paid_later(state, _known(state, "invoice", given["invoice"]))
    return _of_invoice(state, made, "invoice.paid")


def credit_note(state: StripeState, given: Json) -> Done:
    only(given, "invoice", "line", "amount", "to_card")
    found = _known(state, "invoice", given["invoice"])
    invoices.credited(
        state, found, line=given.get("line", 0), amount=given.get("amount"), to_card=bool(given.get("to_card"))
    )
    return _of_invoice(state, found, "credit_note.created")


def plan(state: StripeState, given: Json) -> Done:
    only(given, "subscription", "session", "product")
    product = state.find("product", given["product"], param="product")
    made = subscriptions.replanned(state, _subscription(state, given), product)
    return _of_subscription(made, "customer.subscription.updated")


def cancel(state: StripeState, given: Json) -> Done:
    only(given, "subscription", "session", "at_period_end")
    made = subscriptions.cancelled(state, _subscription(state, given), at_period_end=bool(given.get("at_period_end")))
    return _of_subscription(made, "customer.subscription.deleted", "customer.subscription.updated")


def subscription(state: StripeState, given: Json) -> Done:
    only(given, "subscription", "session", "status", "pause_collection")
    found = _subscription(state, given)
    if "pause_collection" in given:
        behavior = given["pause_collection"]
        made = subscriptions.collection_paused(
            state, found, _one_of(subscriptions.PAUSES, behavior) if behavior else None
        )
    else:
        made = subscriptions.switched(state, found, _one_of(subscriptions.STATUSES, given["status"]))
    return _of_subscription(
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


def _of_session(state: StripeState, session: Json, *main: str) -> Done:
    intent = sales.payment_of(state, session)
    return Done(
        main,
        {
            "session": session["id"],
            "subscription": session["subscription"],
            "invoice": session["invoice"],
            "payment_intent": intent["id"] if intent else None,
            "charge": intent["latest_charge"] if intent else None,
        },
    )


def _of_invoice(state: StripeState, made: Json, *main: str) -> Done:
    intent, of = invoices.payment_of(state, made), invoices.subscription_of(state, made)
    return Done(
        main,
        {
            "invoice": made["id"],
            "subscription": of["id"] if of else None,
            "payment_intent": intent["id"] if intent else None,
            "charge": intent["latest_charge"] if intent else None,
        },
    )


def _of_subscription(made: Json, *main: str) -> Done:
    return Done(main, {"subscription": made["id"], "invoice": made["latest_invoice"]})


def _ids_of_charge(charge: Json) -> dict[str, str | None]:
    return {"charge": charge["id"], "payment_intent": charge["payment_intent"]}


def _charge(state: StripeState, given: Json) -> Json:
    """The charge of the one that is named: a session's, an invoice's, a payment intent's last one."""
    named = [key for key in _PAID if given.get(key)]
    if len(named) != 1:
        raise ValueError(f"name one of {_PAID}")
    kind = "checkout.session" if named[0] == "session" else named[0]
    found = _known(state, kind, given[named[0]])
    if kind == "charge":
        return found
    intent: Json | None = found
    if kind == "checkout.session":
        intent = sales.payment_of(state, found)
    elif kind == "invoice":
        intent = invoices.payment_of(state, found)
    if intent is None:
        raise ValueError(f"{found['id']} was not paid with money that Stripe took")
    charge: Json = state.objects[intent["latest_charge"]]
    return charge


def _of_charge(state: StripeState, kind: str, given: Json) -> Json:
    """The refund or dispute that is named, or the newest one of the charge that is."""
    if given.get(kind):
        return _known(state, kind, given[kind])
    charge = _charge(state, given)
    found = state.related(kind, charge=charge["id"])
    if not found:
        raise ValueError(f"{charge['id']} has no {kind}")
    return found[0]


def _subscription(state: StripeState, given: Json) -> Json:
    if given.get("subscription"):
        return _known(state, "subscription", given["subscription"])
    session = _known(state, "checkout.session", given["session"])
    if session["subscription"] is None:
        raise ValueError(f"{session['id']} is no subscription's")
    return _known(state, "subscription", session["subscription"])


def _known(state: StripeState, kind: str, wanted: str) -> Json:
    """Whatever its mode or account."""
    found = state.objects.get(wanted)
    if found is None or found["object"] != kind:
        raise ValueError(f"there is no {kind} {wanted}")
    return found


def _one_of(words: tuple[str, ...], word: str) -> str:
    if word not in words:
        raise ValueError(f"{word} is none of {', '.join(words)}")
    return word
