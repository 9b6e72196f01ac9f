"""
Subscriptions at the Stripe stand-in: they begin, renew, pause, end.

Every function changes the state and tells the events that Stripe would send, unless it says otherwise. Each
raises ValueError for what cannot happen in the state that is.
"""

import calendar
from datetime import UTC, datetime, timedelta

from local.stripe import objects
from local.stripe.billing import invoices, shapes
from local.stripe.money.movements import Outcome
from local.stripe.objects import Json
from local.stripe.state import StripeState

STATUSES = ("incomplete", "incomplete_expired", "trialing", "active", "past_due", "unpaid", "paused")
"""What `switched` can make of a subscription; `cancelled` ends it."""
PAUSES = ("keep_as_draft", "mark_uncollectible", "void")

_DAY_S = 86_400


def begun(state: StripeState, session: Json, *, outcome: Outcome, trial_days: int) -> Json:
    """
    The subscription of a Checkout Session that has a customer, with its first invoice, both named in the session.

    Tells of the payment only: the session's own event comes first.
    """
    items, account = state.lines[session["id"]], state.owners.get(session["id"])
    made = shapes.subscription(
        customer=session["customer"],
        currency=session["currency"],
        status=_first_status(outcome, trial_days=trial_days),
        livemode=session["livemode"],
        now=state.now,
        trial_end=state.now + trial_days * _DAY_S if trial_days else None,
    )
    state.keep(made, account=account)
    made["items"]["data"] = [
        shapes.subscription_item(
            made["id"],
            item["price"],
            quantity=item["quantity"],
            start=state.now,
            end=made["trial_end"] or _after(state.now, item["price"]["recurring"]),
            now=state.now,
        )
        for item in items
        if item["price"]["type"] == "recurring"
    ]
    invoice = invoices.written(
        state, items, of=session, reason="subscription_create", subscription=made, account=account
    )
    session |= {"subscription": made["id"], "invoice": invoice["id"]}
    invoices.charged(state, invoice, outcome)
    return made


def renewed(state: StripeState, subscription: Json, *, paid: bool) -> Json:
    """The invoice of the next period, which begins where the last one ends."""
    if subscription["status"] in ("canceled", "incomplete", "incomplete_expired"):
        raise ValueError(f"{subscription['id']} is {subscription['status']}: it does not renew")
    items = []
    for one in subscription["items"]["data"]:
        start = one["current_period_end"]
        one |= {"current_period_start": start, "current_period_end": _after(start, one["price"]["recurring"])}
        name = state.objects[one["price"]["product"]]["name"]
        items.append(objects.line(one["price"], name, quantity=one["quantity"]))
    last = state.objects[subscription["latest_invoice"]]
    invoice = invoices.written(
        state,
        items,
        of={**subscription, "customer_details": {"email": last["customer_email"]}},
        reason="subscription_cycle",
        subscription=subscription,
        account=state.owners.get(subscription["id"]),
    )
    subscription["status"] = "active" if paid else "past_due"
    invoices.charged(state, invoice, "succeeded" if paid else "failed")
    state.tell("invoice.paid" if paid else "invoice.payment_failed", invoice)
    state.tell("customer.subscription.updated", subscription)
    return invoice


def cancelled(state: StripeState, subscription: Json, *, at_period_end: bool) -> Json:
    """The subscription, ended now, or marked to end with its period."""
    if subscription["status"] == "canceled":
        raise ValueError(f"{subscription['id']} is canceled already")
    subscription["canceled_at"] = state.now
    subscription["cancellation_details"]["reason"] = "cancellation_requested"
    if at_period_end:
        end = max(one["current_period_end"] for one in subscription["items"]["data"])
        subscription |= {"cancel_at_period_end": True, "cancel_at": end}
        state.tell("customer.subscription.updated", subscription)
    else:
        subscription |= {"status": "canceled", "ended_at": state.now}
        state.tell("customer.subscription.deleted", subscription)
    return subscription


def switched(state: StripeState, subscription: Json, status: str) -> Json:
    """The subscription with another status."""
    before = subscription["status"]
    if before in ("canceled", "incomplete_expired"):
        raise ValueError(f"{subscription['id']} is {before}, for good")
    subscription["status"] = status
    if status == "paused":
        state.tell("customer.subscription.paused", subscription)
    elif before == "paused":
        state.tell("customer.subscription.resumed", subscription)
    state.tell("customer.subscription.updated", subscription)
    return subscription


def replanned(state: StripeState, subscription: Json, product: Json) -> Json:
    """The subscription on another plan, by Stripe's default (`create_prorations`): billed with the next period."""
    [item] = subscription["items"]["data"]
    # Among the prices of the product the one that repeats, made for it as Checkout makes one.
    price = {**item["price"], "id": objects.new_id("price"), "product": product["id"]}
    state.keep(price)
    item |= {"price": price, "plan": {**item["plan"], "id": price["id"], "product": product["id"]}}
    state.tell("customer.subscription.updated", subscription)
    return subscription


def collection_paused(state: StripeState, subscription: Json, behavior: str | None) -> Json:
    """The subscription whose invoices are not collected for now; None ends that. Its status stays."""
    subscription["pause_collection"] = {"behavior": behavior, "resumes_at": None} if behavior else None
    state.tell("customer.subscription.updated", subscription)
    return subscription


def _first_status(outcome: Outcome, *, trial_days: int) -> str:
    if outcome != "succeeded":
        return "incomplete"
    return "trialing" if trial_days else "active"


def _after(start: int, recurring: Json) -> int:
    """Where a period ends that begins at *start*: a month after 31 January is the end of February."""
    at, count = datetime.fromtimestamp(start, UTC), recurring["interval_count"]
    match recurring["interval"]:
        case "day":
            end = at + timedelta(days=count)
        case "week":
            end = at + timedelta(weeks=count)
        case unit:
            year, month = divmod(at.year * 12 + at.month - 1 + count * (12 if unit == "year" else 1), 12)
            last_day = calendar.monthrange(year, month + 1)[1]
            end = at.replace(year=year, month=month + 1, day=min(at.day, last_day))
    return int(end.timestamp())
