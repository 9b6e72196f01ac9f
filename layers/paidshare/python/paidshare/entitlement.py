"""
The facts of an order and the clock → what the buyer should have of each line now, and why. Pure.

The rules are Stripe's: docs.stripe.com/checkout/fulfillment, /billing/subscriptions/webhooks, /refunds and /disputes;
where Stripe leaves a choice, it is the seller's `Policy`. docs/stories.md shows them at work.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from paidshare import catalog
from paidshare.errors import ModeMismatch
from paidshare.orders import Line, Order, Subscription


class Standing(StrEnum):
    """What the buyer should have of a line."""

    NOTHING_YET = "nothing_yet"
    ACCESS = "access"
    ON_HOLD = "on_hold"
    """Access that is closed for now, and opens again by itself when what is in the way is gone."""
    ENDED = "ended"


class Why(StrEnum):
    """The reason, for the log, the ledger and the letter."""

    NO_LINE_OF_OURS = "no_line_of_ours"

    CHECKOUT_OPEN = "checkout_open"
    NO_INVOICE = "no_invoice"
    NOT_PAID = "not_paid"
    PAYMENT_FAILED = "payment_failed"
    SUBSCRIPTION_NOT_ACTIVE = "subscription_not_active"

    PAID = "paid"

    DISPUTED = "disputed"
    FRAUD_WARNING = "fraud_warning"
    SUBSCRIPTION_PAUSED = "subscription_paused"
    SUBSCRIPTION_UNPAID = "subscription_unpaid"

    EXPIRED = "expired"
    REFUNDED = "refunded"
    PARTLY_REFUNDED = "partly_refunded"
    DISPUTE_LOST = "dispute_lost"
    SUBSCRIPTION_CANCELED = "subscription_canceled"


@dataclass(frozen=True, slots=True)
class Policy:
    """
    The seller's choices (parameters of template.yaml).

    `link_days` is for products that do not say their own; `grace_days` follow the end of a subscription's period.
    `end_on_partial_refund`: a refund of a part ends access to the lines that it covers; else only a full one does.
    """

    livemode: bool
    link_days: int
    grace_days: int = 3
    end_on_partial_refund: bool = False
    hold_on_fraud_warning: bool = False


@dataclass(frozen=True, slots=True)
class Promise:
    """
    What the buyer was given: the ids of the lines that are ours, and until when their link works.

    `closed_at` is when access was taken back; None while it is open.
    """

    lines: tuple[str, ...]
    until: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What the buyer should have of *line*. `until` (aware UTC) comes with access, and only then."""

    line: Line
    standing: Standing
    why: Why
    until: datetime | None = None


def entitlement(order: Order, policy: Policy, *, now: datetime, promise: Promise | None = None) -> tuple[Due, ...]:
    """
    What the buyer of *order* should have at *now* of each line that is ours; nothing for an order without one.

    With a *promise*, which lines are ours and how long they last was settled when the link was mailed: what became of
    the products since changes nothing. Status words that we do not know are never “paid”. Raises ModeMismatch, and
    MetadataBroken for a paid line that does not say what to deliver.
    """
    if order.livemode is not policy.livemode:
        raise ModeMismatch(f"order is {_mode(order.livemode)}, the stage is {_mode(policy.livemode)}")
    # Its lines, if it ever had any, are nobody's purchase. Stripe's own sample (`!= "unpaid"`) would deliver them.
    if order.mode == "setup":
        return ()
    lines = [line for line in order.lines if _is_ours(line, promise)]
    if promise is not None and promise.closed_at is None and promise.until <= now:
        # The link has run out by itself: whatever happens now changes nothing for the buyer.
        return tuple(Due(line, Standing.ENDED, Why.EXPIRED) for line in lines)
    if (missing := _missing(order)) is not None:
        return tuple(Due(line, Standing.NOTHING_YET, missing) for line in lines)
    refunded = _refunded_lines(order) if policy.end_on_partial_refund else frozenset[str]()
    return tuple(_due(line, order, policy, now=now, promise=promise, refunded=line.id in refunded) for line in lines)


def _is_ours(line: Line, promise: Promise | None) -> bool:
    if promise is not None:
        return line.id in promise.lines
    # Of a credit, and of nothing at all, there is nothing to deliver.
    return catalog.is_ours(line) and not line.credit and line.quantity > 0


_FAILED = ("requires_payment_method", "canceled")  # docs.stripe.com/payments/paymentintents/lifecycle


def _missing(order: Order) -> Why | None:
    """What is still to come before anybody gets anything; None for an order that is paid, or free."""
    if order.mode == "invoice":
        return None if order.status == "paid" else Why.NOT_PAID
    if order.mode != "payment":
        return Why.NO_INVOICE
    if order.status != "complete":
        return Why.CHECKOUT_OPEN
    # While a bank still works on it, the payment is `processing` or, for vouchers, `requires_action`. One that fails
    # although the session says “paid” has failed: the order of the two is not guaranteed.
    if order.payments and all(payment.status in _FAILED for payment in order.payments):
        return Why.PAYMENT_FAILED
    # A coupon can take all of it: Stripe then asks for no payment, and no later event says “paid”.
    paid = order.payment_status == "paid" or (order.payment_status == "no_payment_required" and order.total == 0)
    return None if paid else Why.NOT_PAID


class _Verdict(NamedTuple):
    standing: Standing
    why: Why


def _due(line: Line, order: Order, policy: Policy, *, now: datetime, promise: Promise | None, refunded: bool) -> Due:
    verdicts = [*_verdicts_on_payments(order, policy)]
    if refunded:
        verdicts.append(_Verdict(Standing.ENDED, Why.PARTLY_REFUNDED))
    if line.period_end is not None and order.subscription is not None:
        verdicts += _verdicts_on_subscription(order.subscription)
    # What ends access outweighs what only holds it.
    for standing in (Standing.NOTHING_YET, Standing.ENDED, Standing.ON_HOLD):
        if found := next((v for v in verdicts if v.standing is standing), None):
            return Due(line, *found)
    until = _until(line, order, policy, now=now, promise=promise)
    if until <= now:
        return Due(line, Standing.ENDED, Why.EXPIRED)
    return Due(line, Standing.ACCESS, Why.PAID, until)


def _verdicts_on_payments(order: Order, policy: Policy) -> Iterable[_Verdict]:
    payments = order.payments
    if _is_refunded(order):
        yield _Verdict(Standing.ENDED, Why.REFUNDED)
    for status in (status for payment in payments for status in payment.disputes):
        if status == "lost":
            yield _Verdict(Standing.ENDED, Why.DISPUTE_LOST)
        elif status not in _HARMLESS_DISPUTES:
            yield _Verdict(Standing.ON_HOLD, Why.DISPUTED)
    if policy.hold_on_fraud_warning and any(payment.fraud_warning for payment in payments):
        yield _Verdict(Standing.ON_HOLD, Why.FRAUD_WARNING)


def _is_refunded(order: Order) -> bool:
    """Whether all that was paid was given back. Of an invoice, a customer's balance may have paid a part as well."""
    paid = [payment for payment in order.payments if payment.status == "succeeded" and payment.amount > 0]
    if not paid or any(payment.refunded < payment.amount for payment in paid):
        return False
    return order.mode != "invoice" or order.total is None or sum(payment.refunded for payment in paid) >= order.total


# An inquiry (`warning_…`) asks a question and moves no money. `prevented` is settled by a refund, which speaks for
# itself. A status that we do not know holds access: docs.stripe.com/api/disputes/object.
_HARMLESS_DISPUTES = frozenset({"won", "prevented", "warning_needs_response", "warning_under_review", "warning_closed"})


def _verdicts_on_subscription(subscription: Subscription) -> Iterable[_Verdict]:
    """docs.stripe.com/billing/subscriptions/overview. A pause of the *collection* leaves the status, and access."""
    match subscription.status:
        # While Stripe tries again (`past_due`), the period at hand is still a paid one.
        case "active" | "trialing" | "past_due":
            pass
        case "canceled":
            yield _Verdict(Standing.ENDED, Why.SUBSCRIPTION_CANCELED)
        case "paused":
            yield _Verdict(Standing.ON_HOLD, Why.SUBSCRIPTION_PAUSED)
        case "unpaid":
            yield _Verdict(Standing.ON_HOLD, Why.SUBSCRIPTION_UNPAID)
        case _:
            yield _Verdict(Standing.NOTHING_YET, Why.SUBSCRIPTION_NOT_ACTIVE)


def _until(line: Line, order: Order, policy: Policy, *, now: datetime, promise: Promise | None) -> datetime:
    if promise is not None:
        # The time that was left when access was closed, counted from now.
        return promise.until + (now - promise.closed_at if promise.closed_at else timedelta())
    goods = catalog.goods(line, default_link_days=policy.link_days)
    if line.period_end is not None:
        # Paid late, or in arrears: the period may be over, and the grace counts from the payment.
        return max(line.period_end, order.paid_at or line.period_end) + timedelta(days=policy.grace_days)
    return now + timedelta(days=goods.link_days)


def _refunded_lines(order: Order) -> frozenset[str]:
    """
    The lines (their ids) that refunds of a part cover. Stripe does not say which line a refund is for.

    A refund of exactly what one line cost is for that line. The rest is spent on what is left, the cheapest first;
    lines of one price go together or not at all, because nobody can tell which of them was meant. So it never takes
    more than was refunded, and a further refund never gives anything back.
    """
    left = [line for line in order.lines if line.amount is not None and line.amount > 0]
    covered: list[Line] = []
    rest = sum(payment.refunded for payment in order.payments)
    for refund in (amount for payment in order.payments for amount in payment.refunds):
        exact = [line for line in left if line.amount == refund]
        if len(exact) == 1:
            left.remove(exact[0])
            covered += exact
            rest -= refund
    for price, alike in groupby(sorted(left, key=_price), key=_price):
        lines = list(alike)
        if price * len(lines) > rest:
            break
        covered += lines
        rest -= price * len(lines)
    return frozenset(line.id for line in covered)


def _price(line: Line) -> int:
    return line.amount or 0


def _mode(livemode: bool) -> str:  # noqa: FBT001
    return "live" if livemode else "test"
