"""
Invoices at the Stripe stand-in: written, paid, left open.

What tells events says so. Each function raises ValueError for what cannot happen in the state that is.
"""

from local.stripe import objects
from local.stripe.billing import shapes
from local.stripe.form import Params
from local.stripe.money import movements
from local.stripe.money.movements import Outcome
from local.stripe.objects import Json
from local.stripe.state import StripeState

_NEXT_ATTEMPT_S = 3 * 86_400


def written(
    state: StripeState,
    items: list[Json],
    *,
    of: Json,
    reason: str,
    subscription: Json | None = None,
    account: str | None = None,
) -> Json:
    """
    An open invoice of *items* (Checkout lines) for the buyer of `of`: an object with `customer`,
    `customer_details`, `currency` and `livemode`. Items that repeat are those of the *subscription*, in order.
    """
    made = shapes.invoice(
        customer=of["customer"],
        email=of["customer_details"]["email"],
        currency=of["currency"],
        reason=reason,
        livemode=of["livemode"],
        now=state.now,
    )
    state.keep(made, account=account)
    if subscription:
        subscription["latest_invoice"] = made["id"]
        made["parent"] = {
            "quote_details": None,
            "subscription_details": {"metadata": {}, "subscription": subscription["id"]},
            "type": "subscription_details",
        }
    lines = state.lines[made["id"]] = _lines(made, items, subscription, now=state.now)
    made |= _totals(lines) | {"lines": state.lines_of(made["id"], Params({}))}
    return made


def _totals(lines: list[Json]) -> Json:
    discounts = [discount for line in lines for discount in line["discount_amounts"]]
    subtotal = sum(line["amount"] for line in lines)
    total = subtotal - sum(discount["amount"] for discount in discounts)
    return {
        "amount_due": total,
        "amount_remaining": total,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_discount_amounts": discounts,
        "total_excluding_tax": total,
    }


def added(state: StripeState, invoice: Json, item: Json) -> None:
    """One Checkout line more on a draft."""
    lines = state.lines[invoice["id"]]
    lines += _lines(invoice, [item], None, now=state.now)
    invoice |= _totals(lines) | {"lines": state.lines_of(invoice["id"], Params({}))}


def charged(state: StripeState, invoice: Json, outcome: Outcome) -> None:
    """Pays the invoice, or tries to, and tells of the payment only. Nothing is charged for nothing."""
    if invoice["total"]:
        intent = movements.charged(
            state,
            outcome,
            amount=invoice["total"],
            currency=invoice["currency"],
            livemode=invoice["livemode"],
            email=invoice["customer_email"],
            customer=invoice["customer"],
            account=state.owners.get(invoice["id"]),
        )
        _pays(state, invoice, intent)
    if outcome == "succeeded":
        _paid(state, invoice)
    elif outcome == "failed":
        _failed(state, invoice)


def receipt(state: StripeState, session: Json) -> Json:
    """The paid invoice that Checkout writes for a single payment (`invoice_creation`), named in the session; told."""
    account = state.owners.get(session["id"])
    invoice = written(state, state.lines[session["id"]], of=session, reason="manual", account=account)
    session["invoice"] = invoice["id"]
    if intent := state.objects.get(session["payment_intent"] or ""):
        _pays(state, invoice, intent)
    _paid(state, invoice)
    state.tell("invoice.paid", invoice)
    return invoice


def plain(state: StripeState, items: list[Json], *, email: str | None, account: str | None, out_of_band: bool) -> Json:
    """A paid invoice without session or subscription; *out_of_band*: with money that Stripe never saw. Told."""
    buyer = {
        "customer": objects.new_id("cus", 14),
        "customer_details": {"email": email},
        "currency": items[0]["currency"],
        "livemode": state.livemode,
    }
    invoice = written(state, items, of=buyer, reason="manual", account=account)
    if out_of_band:
        _paid(state, invoice)
    else:
        charged(state, invoice, "succeeded")
    state.tell("invoice.paid", invoice)
    return invoice


def settled(state: StripeState, invoice: Json, outcome: Outcome) -> Json:
    """The open invoice after its payment came or failed; its subscription follows. Told."""
    if outcome != "succeeded":
        _failed(state, invoice)
        state.tell("invoice.payment_failed", invoice)
        return invoice
    _paid(state, invoice)
    state.tell("invoice.paid", invoice)
    subscription = subscription_of(state, invoice)
    if subscription and subscription["status"] in ("incomplete", "past_due", "unpaid"):
        subscription["status"] = "active"
        state.tell("customer.subscription.updated", subscription)
    return invoice


def paid_later(state: StripeState, invoice: Json) -> Json:
    """The open invoice, paid by another try. Told."""
    intent = payment_of(state, invoice)
    if invoice["status"] != "open" or intent is None or intent["status"] != "requires_payment_method":
        raise ValueError(f"{invoice['id']} is {invoice['status']}, with no failed payment to try again")
    movements.tried(state, intent, "succeeded", email=invoice["customer_email"])
    return settled(state, invoice, "succeeded")


def credited(state: StripeState, invoice: Json, *, line: int, amount: int | None, to_card: bool) -> Json:
    """
    A credit note after the payment for a *line* (its place), all of it without an *amount*: to the card it was paid
    with, or to the customer's balance. Told.
    """
    of = state.lines[invoice["id"]][line]
    amount = of["amount"] if amount is None else amount
    if invoice["status"] != "paid" or not 0 < amount <= of["amount"]:
        raise ValueError(f"{invoice['id']} is {invoice['status']}, and {amount} is not of its line's {of['amount']}")
    refund = None
    if to_card:
        intent = payment_of(state, invoice)
        if intent is None:
            raise ValueError(f"{invoice['id']} was not paid with money that Stripe took")
        refund = movements.refunded(state, state.objects[intent["latest_charge"]], amount=amount)
    made = shapes.credit_note(invoice, of, amount=amount, refund=refund, now=state.now)
    state.keep(made, account=state.owners.get(invoice["id"]))
    invoice["post_payment_credit_notes_amount"] += amount
    state.tell("credit_note.created", made)
    return made


def payment_of(state: StripeState, invoice: Json) -> Json | None:
    """The invoice's payment intent."""
    payments = state.related("invoice_payment", invoice=invoice["id"])
    found: Json | None = state.objects[payments[0]["payment"]["payment_intent"]] if payments else None
    return found


def subscription_of(state: StripeState, invoice: Json) -> Json | None:
    parent = invoice["parent"]
    found: Json | None = state.objects[parent["subscription_details"]["subscription"]] if parent else None
    return found


def _lines(made: Json, items: list[Json], subscription: Json | None, *, now: int) -> list[Json]:
    repeating = iter(subscription["items"]["data"] if subscription else ())
    lines = []
    for item in items:
        if subscription and item["price"]["type"] == "recurring":
            of = next(repeating)
            parent = shapes.item_of_subscription(subscription["id"], of["id"])
            start, end = of["current_period_start"], of["current_period_end"]
        else:
            parent = shapes.item_of_invoice(subscription["id"] if subscription else None)
            start = end = now
        lines.append(shapes.invoice_line(made, item, start=start, end=end, parent=parent))
    return lines


def _pays(state: StripeState, invoice: Json, intent: Json) -> None:
    state.keep(shapes.invoice_payment(invoice, intent, now=state.now), account=state.owners.get(invoice["id"]))


def _paid(state: StripeState, invoice: Json) -> None:
    invoice |= {
        "amount_paid": invoice["total"],
        "amount_remaining": 0,
        "attempted": True,
        "next_payment_attempt": None,
        "status": "paid",
    }
    invoice["status_transitions"]["paid_at"] = state.now
    for one in state.related("invoice_payment", invoice=invoice["id"]):
        one |= {"status": "paid", "amount_paid": one["amount_requested"]}
        one["status_transitions"]["paid_at"] = state.now


def _failed(state: StripeState, invoice: Json) -> None:
    attempts = invoice["attempt_count"] + 1
    invoice |= {"attempted": True, "attempt_count": attempts, "next_payment_attempt": state.now + _NEXT_ATTEMPT_S}
