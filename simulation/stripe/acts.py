"""
What can happen to a purchase: each act changes the account and says which events Stripe has for it.

An act that is not possible as things stand does nothing: so a story stays one when an act is left out of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from paidshare.orders import Line
from simulation.clock import aware
from simulation.stripe.account import (
    PERIOD_S,
    Account,
    AnOrder,
    Dispute,
    Intent,
    Invoice,
    Product,
    Purchase,
    Refund,
    Session,
    Subscription,
)

type Told = Iterator[tuple[str, str, str]]
"""The events' types, what their notices are about, and the objects' own ids."""


@dataclass(frozen=True, slots=True)
class Act:
    """*what* (a name in `ACTS`, with *detail*) happens to the purchase of that *number* at *at*."""

    at: float
    number: int
    what: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.detail}".strip()


def buys(account: Account, buyer: Purchase, products: Sequence[Product], how: str, now: float) -> Told:
    """*how*: card, bank (the money comes later, or not), free (a coupon took all of it), subscription or invoice."""
    account.add(buyer)
    n = buyer.number
    if how in ("subscription", "mixed"):
        yield from _subscribes(account, buyer, products, now)
        return
    lines = tuple(_bought(f"li_{n}x{place}", one, free=how == "free") for place, one in enumerate(products))
    total = sum(line.amount or 0 for line in lines)
    intent = Intent(f"pi_{n}", total, "processing" if how == "bank" else "succeeded", now) if total else None
    if how == "invoice":
        lines = tuple(replace(line, id=f"il_{n}x{place}") for place, line in enumerate(lines))
        buyer.plain = Invoice(f"in_{n}", now, lines, "paid", intent, paid_at=now)
        account.keep(buyer, buyer.plain, intent)
        yield "invoice.paid", buyer.plain.id, buyer.plain.id
        return
    paid = how != "bank"
    buyer.session = Session(f"cs_test_{n}", "payment", now, lines, paid, intent, paid_at=now if paid else None)
    account.keep(buyer, buyer.session, intent)
    if intent is not None and paid:
        yield from _charged(intent)
    yield "checkout.session.completed", buyer.session.id, buyer.session.id


def _subscribes(account: Account, buyer: Purchase, products: Sequence[Product], now: float) -> Told:
    """The first of *products* repeats, the others are bought once with it."""
    n, (plan, *once) = buyer.number, products
    subscription = Subscription(f"sub_{n}", plan, now + PERIOD_S)
    lines = (
        replace(_bought(f"il_{n}x0x0", plan), period_end=aware(int(subscription.period_end))),
        *(_bought(f"il_{n}x0x{place}", one) for place, one in enumerate(once, start=1)),
    )
    intent = Intent(f"pi_{n}x0", sum(line.amount or 0 for line in lines), "succeeded", now)
    invoice = Invoice(f"in_{n}x0", now, lines, "paid", intent, subscription, paid_at=now)
    subscription.invoices.append(invoice)
    buyer.session = Session(f"cs_test_{n}", "subscription", now, lines, True, None, invoice, subscription)
    buyer.subscription = subscription
    account.keep(buyer, buyer.session, invoice, intent, subscription)
    yield from _charged(intent)
    yield "invoice.paid", invoice.id, invoice.id
    yield "checkout.session.completed", buyer.session.id, buyer.session.id


def _bought(line_id: str, product: Product, *, free: bool = False) -> Line:
    price = 0 if free else product.price
    return Line(product.id, product.name, 1, dict(product.metadata), line_id, price)


def _charged(intent: Intent) -> Told:
    yield "payment_intent.succeeded", intent.id, intent.id
    yield "charge.succeeded", intent.id, f"ch_{intent.id}"


# --- What becomes of the money ------------------------------------------------------------------------------


def _settles(account: Account, buyer: Purchase, _detail: str, now: float) -> Told:
    session = buyer.session
    if session is None or session.intent is None or session.paid or session.intent.status != "processing":
        return
    session.paid, session.paid_at, session.intent.status = True, now, "succeeded"
    yield from _charged(session.intent)
    yield "checkout.session.async_payment_succeeded", session.id, session.id


def _fails(account: Account, buyer: Purchase, _detail: str, now: float) -> Told:
    session = buyer.session
    if session is None or session.intent is None or session.intent.status != "processing":
        return
    session.intent.status = "requires_payment_method"
    yield "payment_intent.payment_failed", session.intent.id, session.intent.id
    yield "checkout.session.async_payment_failed", session.id, session.id


def _refunds(account: Account, buyer: Purchase, detail: str, now: float) -> Told:
    """*detail*: `all`, or `part`, of the newest payment that has something left."""
    intent = next((one for one in _newest(buyer) if one.status == "succeeded" and one.refunded < one.amount), None)
    # What was charged back is not refunded as well.
    if intent is None or any(one.status == "lost" for one in intent.disputes):
        return
    left = intent.amount - intent.refunded
    refund = Refund(f"re_{intent.id}x{len(intent.refunds)}", left if detail == "all" else max(1, left // 3), now)
    intent.refunds.append(refund)
    account.keep(buyer, refund)
    account.returned.append((now, "refunds", refund.id, intent.id))
    yield "refund.created", intent.id, refund.id
    yield "charge.refunded", intent.id, f"ch_{intent.id}"
    if intent.refunded == intent.amount:
        yield from _answered(intent)


def _refund_fails(account: Account, buyer: Purchase, _detail: str, now: float) -> Told:
    for intent in _newest(buyer):
        refund = next((one for one in reversed(intent.refunds) if not one.failed), None)
        if refund is not None:
            refund.failed = True
            yield "refund.failed", intent.id, refund.id
            yield "charge.refund.updated", intent.id, refund.id
            return


def _disputes(account: Account, buyer: Purchase, detail: str, now: float) -> Told:
    intent = next((one for one in _newest(buyer) if one.status == "succeeded" and not one.disputes), None)
    if intent is None:
        return
    dispute = Dispute(f"du_{intent.id}", "warning_needs_response" if detail == "inquiry" else "needs_response", now)
    intent.disputes.append(dispute)
    account.keep(buyer, dispute)
    account.returned.append((now, "disputes", dispute.id, intent.id))
    yield "charge.dispute.created", intent.id, dispute.id
    yield from _answered(intent)


def _dispute_ends(account: Account, buyer: Purchase, detail: str, now: float) -> Told:
    """*detail*: won or lost."""
    for intent in _newest(buyer):
        for dispute in intent.disputes:
            if dispute.status == "needs_response":
                dispute.status = detail
                yield "charge.dispute.closed", intent.id, dispute.id
                return


def _is_warned_of(account: Account, buyer: Purchase, _detail: str, now: float) -> Told:
    """The card's issuer has an early warning of fraud (docs.stripe.com/disputes/prevention/early-fraud-warnings)."""
    intent = next((one for one in _newest(buyer) if one.status == "succeeded" and one.warned_at is None), None)
    if intent is None:
        return
    intent.warned_at, warning = now, _warning(intent)
    intent.is_actionable = intent.refunded < intent.amount and not intent.disputes
    account.by_id[warning] = buyer
    account.returned.append((now, "warnings", warning, intent.id))
    yield "radar.early_fraud_warning.created", intent.id, warning


def _is_called_safe(account: Account, buyer: Purchase, _detail: str, now: float) -> Told:
    del account, now
    for intent in _newest(buyer):
        if intent.is_warned:
            intent.is_called_safe = True
            yield "charge.updated", intent.id, f"ch_{intent.id}"
            return


def _answered(intent: Intent) -> Told:
    """Money on its way back is what a warning calls for."""
    if intent.is_actionable:
        intent.is_actionable = False
        yield "radar.early_fraud_warning.updated", intent.id, _warning(intent)


def _warning(intent: Intent) -> str:
    return f"issfr_{intent.id}"


def _newest(buyer: Purchase) -> list[Intent]:
    return list(buyer.intents)[::-1]


# --- Subscriptions ------------------------------------------------------------------------------------------


def _renews(account: Account, buyer: Purchase, detail: str, now: float) -> Told:
    """The next period's invoice: *detail* `paid`, or `open` when the card was refused."""
    subscription = buyer.subscription
    if subscription is None or subscription.status not in ("active", "past_due"):
        return
    if any(one.status == "open" for one in subscription.invoices):
        return
    start, subscription.period_end = subscription.period_end, subscription.period_end + PERIOD_S
    place = len(subscription.invoices)
    prefix = f"il_{buyer.number}x{place}"
    plan = replace(_bought(f"{prefix}x0", subscription.product), period_end=aware(int(subscription.period_end)))
    lines = (*_prorations(subscription, prefix, start), plan)
    yield from _bills(account, buyer, lines, paid=detail == "paid", now=now)
    subscription.status = "active" if detail == "paid" else "past_due"
    yield "customer.subscription.updated", subscription.id, subscription.id


def _bills(account: Account, buyer: Purchase, lines: tuple[Line, ...], *, paid: bool, now: float) -> Told:
    subscription = buyer.subscription
    if subscription is None:
        return
    name, total = f"{buyer.number}x{len(subscription.invoices)}", sum(line.amount or 0 for line in lines)
    intent = None
    if total > 0:
        intent = Intent(f"pi_{name}", total, "succeeded" if paid else "requires_payment_method", now)
    invoice = Invoice(f"in_{name}", now, lines, "paid" if paid else "open", intent, subscription)
    subscription.invoices.append(invoice)
    account.keep(buyer, invoice, intent)
    if paid:
        invoice.paid_at = now
        if intent is not None:
            yield from _charged(intent)
        yield "invoice.paid", invoice.id, invoice.id


def _prorations(subscription: Subscription, prefix: str, end: float) -> tuple[Line, ...]:
    """What an earlier change of the plan left to be billed: the rest of the old one back, that of the new one."""
    old, changed_at = subscription.unbilled, subscription.changed_at
    if old is None or changed_at is None:
        return ()
    subscription.unbilled = subscription.changed_at = None
    part = max(0.0, min(1.0, (end - changed_at) / PERIOD_S))
    back = replace(old, id=f"{prefix}x8", amount=-round((old.amount or 0) * part), credit=True, credits=(old.id,))
    new = replace(
        _bought(f"{prefix}x9", subscription.product),
        amount=round(subscription.product.price * part),
        period_end=old.period_end,
    )
    return tuple(replace(line, prorated=True) for line in (back, new))


def _pays_late(account: Account, buyer: Purchase, _detail: str, now: float) -> Told:
    subscription = buyer.subscription
    invoice = subscription and next((one for one in subscription.invoices if one.status == "open"), None)
    if not subscription or not invoice:
        return
    invoice.status, invoice.paid_at = "paid", now
    if invoice.intent is not None:
        invoice.intent.status = "succeeded"
        yield from _charged(invoice.intent)
    yield "invoice.paid", invoice.id, invoice.id
    if subscription.status in ("past_due", "unpaid"):
        subscription.status = "active"
        yield "customer.subscription.updated", subscription.id, subscription.id


def _switches(account: Account, buyer: Purchase, detail: str, now: float) -> Told:
    """The subscription's status becomes *detail*: canceled, paused, unpaid or active."""
    subscription = buyer.subscription
    allowed = {"active": ("paused", "canceled"), "past_due": ("unpaid", "canceled"), "unpaid": ("canceled",)}
    allowed |= {"paused": ("active", "canceled")}
    if subscription is None or detail not in allowed.get(subscription.status, ()):
        return
    before, subscription.status = subscription.status, detail
    if detail == "canceled":
        subscription.ended_at = now
        subscription.ended_on_hold = before in ("paused", "unpaid")
        yield "customer.subscription.deleted", subscription.id, subscription.id
        return
    if "paused" in (before, detail):
        word = "paused" if detail == "paused" else "resumed"
        subscription.resumed_at = now if word == "resumed" else None
        yield f"customer.subscription.{word}", subscription.id, subscription.id
    yield "customer.subscription.updated", subscription.id, subscription.id


def changes_plan(account: Account, buyer: Purchase, product: Product, *, at_once: bool, now: float) -> Told:
    """To *product*: billed with the next period (Stripe's default), or at once."""
    subscription = buyer.subscription
    if subscription is None or subscription.status != "active" or subscription.unbilled is not None:
        return
    paid = next((one for one in reversed(subscription.invoices) if one.status == "paid"), None)
    lines = () if paid is None else paid.lines
    old = next((line for line in lines if line.period_end and not line.credit and not line.prorated), None)
    if old is None or old.product_id == product.id or old.period_end != aware(int(subscription.period_end)):
        return
    subscription.product, subscription.unbilled, subscription.changed_at = product, old, now
    if at_once:
        prefix = f"il_{buyer.number}x{len(subscription.invoices)}"
        lines = _prorations(subscription, prefix, subscription.period_end)
        yield from _bills(account, buyer, lines, paid=True, now=now)
    yield "customer.subscription.updated", subscription.id, subscription.id


def _credits(account: Account, buyer: Purchase, _detail: str, now: float) -> Told:
    """A credit note for the first line of the newest paid invoice, to the customer's balance."""
    invoice = next((one for one in _invoices(buyer) if one.status == "paid" and not one.notes), None)
    if invoice is None or invoice.intent is None or invoice.intent.refunds or invoice.intent.disputes:
        return
    line = next((one for one in invoice.lines if (one.amount or 0) > 0), None)
    if line is None or len([one for one in invoice.lines if (one.amount or 0) > 0]) < 2:
        return
    note = f"cn_{invoice.id}"
    invoice.notes.append((note, now))
    invoice.credited += line.amount or 0
    invoice.credited_lines = (*invoice.credited_lines, line.id)
    account.by_id[note] = buyer
    account.returned.append((now, "credit_notes", note, invoice.id))
    yield "credit_note.created", invoice.id, note


def _invoices(buyer: Purchase) -> list[Invoice]:
    found: list[AnOrder] = list(buyer.orders)
    return [one for one in reversed(found) if isinstance(one, Invoice)]


ACTS: dict[str, Callable[[Account, Purchase, str, float], Told]] = {
    "settles": _settles,
    "fails": _fails,
    "refunds": _refunds,
    "refund_fails": _refund_fails,
    "disputes": _disputes,
    "dispute_ends": _dispute_ends,
    "is_warned_of": _is_warned_of,
    "is_called_safe": _is_called_safe,
    "renews": _renews,
    "pays_late": _pays_late,
    "switches": _switches,
    "credits": _credits,
}
"""Those that need no product."""
