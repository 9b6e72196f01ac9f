"""
The facts of an order and the clock → what the buyer should have of each line now, and why. Pure.

The rules are Stripe's: docs.stripe.com/checkout/fulfillment, /billing/subscriptions/webhooks, /refunds and /disputes;
where Stripe leaves a choice, it is the seller's `Policy`. docs/stories.md shows them at work.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from paidshare.delivering import catalog
from paidshare.delivering.errors import ModeMismatch, PaidLate
from paidshare.delivering.refunds import (
    HARMLESS_DISPUTES,
    ended_lines,
    is_given_already,
    is_refunded,
    missing,
    money_kept,
)
from paidshare.grants import Promise
from paidshare.orders import Line, Order, Subscription
from paidshare.settings import Policy
from paidshare.states import Standing, Why
from paidshare.wishes import Renewal, Ruling


@dataclass(frozen=True, slots=True)
class Due:
    """
    What the buyer should have of *line*. `until` (aware UTC) comes with access, and only then. `ran_out`: its share has
    run out by itself, and the buyer may ask for another.
    """

    line: Line
    standing: Standing
    why: Why
    until: datetime | None = None
    ran_out: bool = False


_ENDED_SUBSCRIPTIONS = ("canceled", "incomplete_expired")  # docs.stripe.com/billing/subscriptions/overview
_SOON_PAID = timedelta(days=1)
"""An invoice that is charged by itself is paid within hours of its making, or not before somebody sees to it."""


def entitlement(
    order: Order,
    policy: Policy,
    *,
    now: datetime,
    promise: Promise | None = None,
    seen_at: datetime | None = None,
    ruling: Ruling | None = None,
    renewal: Renewal | None = None,
) -> tuple[Due, ...]:
    """
    What the buyer of *order* should have at *now* of each line that is ours; nothing for an order without one.

    With a *promise*, which lines are ours and how long they last was settled when the link was mailed: what became of
    the products since changes nothing. Without one, what was first seen (*seen_at*, None for now) soon after it was
    paid is due however late it is by now. A *ruling* of the seller's outweighs whatever would give access. Status words
    that we do not know are never “paid”. Raises ModeMismatch, PaidLate where the seller wants to be asked, and
    MetadataBroken for a paid line that does not say what to deliver.
    """
    if order.livemode is not policy.livemode:
        raise ModeMismatch(f"order is {_mode(order.livemode)}, the stage is {_mode(policy.livemode)}")
    # Its lines, if it ever had any, are nobody's purchase. Stripe's own sample (`!= "unpaid"`) would deliver them.
    if order.mode == "setup":
        return ()
    lines = _ours(order, promise)
    if renewal is not None and promise is not None:
        promise = promise.without_what_ran_out(lines, now, lasting=renewal.by_buyer)
    elif promise is not None and promise.over(now) and not any(_is_new(line, promise) for line in lines):
        # The link has run out by itself: whatever happens now is no news for the buyer.
        return tuple(Due(line, Standing.ENDED, Why.EXPIRED, ran_out=promise.lasts(line, now)) for line in lines)
    refunded = is_refunded(order, policy)
    if not refunded and (gap := missing(order)) is not None:
        # That it failed is Stripe's last word; what else it may call an order that was paid once, nobody knows.
        undone = promise is not None and gap is Why.PAYMENT_FAILED
        return tuple(Due(line, Standing.ENDED if undone else Standing.NOTHING_YET, gap) for line in lines)
    ended = _given_already(lines, order, promise) | ended_lines(order, policy, refunded=refunded)
    ends = _Ends(order, policy, now, promise, min(seen_at or now, now), ruling or Ruling(Standing.ACCESS, now), renewal)
    return tuple(_due(line, ends, ended.get(line.id)) for line in lines)


def _ours(order: Order, promise: Promise | None) -> list[Line]:
    # Of a credit, and of nothing at all, there is nothing to deliver.
    found = [line for line in order.lines if catalog.is_ours(line) and not line.credit and line.quantity > 0]
    if promise is not None:
        return [line for line in order.lines if line.id in promise.lines or (line.added and line in found)]
    # The rest of a period that was over when its invoice was written is what the buyer had, and not what comes. Alone
    # it is what was paid for.
    return [line for line in found if not _is_past(line, order)] or found


def _given_already(lines: list[Line], order: Order, promise: Promise | None) -> dict[str, Why]:
    already = (line.id for line in lines if promise is None and is_given_already(line, order))
    return dict.fromkeys(already, Why.GIVEN_ALREADY)


def _is_past(line: Line, order: Order) -> bool:
    made = order.created_at
    return line.prorated and made is not None and line.period_end is not None and line.period_end <= made


def _is_new(line: Line, promise: Promise) -> bool:
    return line.added and promise.of(line.id) is None


class _Ends(NamedTuple):
    order: Order
    policy: Policy
    now: datetime
    promise: Promise | None
    seen_at: datetime
    ruling: Ruling
    renewal: Renewal | None


class _Verdict(NamedTuple):
    standing: Standing
    why: Why


def _due(line: Line, ends: _Ends, ended: Why | None) -> Due:
    order, policy, now = ends.order, ends.policy, ends.now
    if ends.ruling.standing is Standing.ENDED and ended is None:
        return Due(line, Standing.ENDED, Why.ENDED_BY_SELLER)
    verdicts = [*_verdicts_on_payments(order, policy)]
    if ends.ruling.standing is Standing.ON_HOLD:
        verdicts.append(_Verdict(Standing.ON_HOLD, Why.HELD_BY_SELLER))
    if ended is not None:
        verdicts.append(_Verdict(Standing.ENDED, ended))
    if line.period_end is not None and order.subscription is not None:
        verdicts += _verdicts_on_subscription(order.subscription, line, line.period_end, ends)
    # What ends access outweighs what only holds it, and what nobody knows to mean anything.
    for standing in (Standing.ENDED, Standing.NOTHING_YET, Standing.ON_HOLD):
        if found := next((v for v in verdicts if v.standing is standing), None):
            return Due(line, *found)
    until = _until(line, ends)
    if until <= now:
        over = order.subscription is not None and order.subscription.status in _ENDED_SUBSCRIPTIONS
        # A line whose period is over is taken out of a share that other lines keep open. Where the next period brought
        # a link of its own, that is no news.
        news = over and line.period_end is not None
        return Due(line, Standing.ENDED, Why.SUBSCRIPTION_CANCELED if news else Why.EXPIRED)
    return Due(line, Standing.ACCESS, Why.PAID, until)


def _verdicts_on_payments(order: Order, policy: Policy) -> Iterable[_Verdict]:
    payments = order.payments
    for status in (status for payment in payments for status in payment.disputes):
        if status == "lost":
            yield _Verdict(Standing.ENDED, Why.DISPUTE_LOST)
        elif status not in HARMLESS_DISPUTES:
            yield _Verdict(Standing.ON_HOLD, Why.DISPUTED)
    if policy.hold_on_fraud_warning and any(payment.fraud_warning for payment in payments):
        yield _Verdict(Standing.ON_HOLD, Why.FRAUD_WARNING)


def _verdicts_on_subscription(
    subscription: Subscription, line: Line, period_end: datetime, ends: _Ends
) -> Iterable[_Verdict]:
    """docs.stripe.com/billing/subscriptions/overview. A pause of the *collection* leaves the status, and access."""
    status = subscription.status
    if status in (*_ENDED_SUBSCRIPTIONS, "unpaid") and _is_paid_late(subscription, ends):
        # Who holds the order has seen to it.
        if ends.promise is None and ends.policy.ask_when_paid_late and ends.ruling.standing is Standing.ACCESS:
            raise PaidLate(f"the order is paid, and its subscription is {status}")
        return
    match status:
        # While Stripe tries again (`past_due`), the period at hand is still a paid one.
        case "active" | "trialing" | "past_due":
            pass
        case "canceled" | "incomplete_expired":
            if not _is_kept(subscription, line, period_end, ends):
                yield _Verdict(Standing.ENDED, Why.SUBSCRIPTION_CANCELED)
        case "paused":
            yield _Verdict(Standing.ON_HOLD, Why.SUBSCRIPTION_PAUSED)
        case "unpaid":
            yield _Verdict(Standing.ON_HOLD, Why.SUBSCRIPTION_UNPAID)
        case _:
            yield _Verdict(Standing.NOTHING_YET, Why.SUBSCRIPTION_NOT_ACTIVE)


def _is_paid_late(subscription: Subscription, ends: _Ends) -> bool:
    """
    Whether the money came when the subscription was over already, or unpaid: after the last try of dunning, say, or for
    an older invoice while a newer one is open. Paid is paid, and the subscription's end was no news then.
    """
    order = ends.order
    if not money_kept(order):
        return False
    since, least = subscription.ended_at, timedelta()
    if subscription.status == "unpaid":
        # Since when it is, Stripe does not say.
        since, least = order.created_at, _SOON_PAID
    if since is None or order.paid_at is None:
        return ends.promise is None
    return order.paid_at - since >= least


def _is_kept(subscription: Subscription, line: Line, period_end: datetime, ends: _Ends) -> bool:
    """
    Whether a canceled subscription leaves the line its time: where it ended with the period, or so shortly before that
    the grace outlasts it, nothing was cut off. What was on hold when it ended does not come back.
    """
    ended_at, grace = subscription.ended_at, timedelta(days=ends.policy.grace_days)
    grant = None if ends.promise is None else ends.promise.of(line.id)
    if grant is not None and grant.closed_at is not None and (ended_at is None or grant.closed_at <= ended_at):
        return False
    cut_off = ended_at is None or ended_at < period_end - max(grace, timedelta(minutes=1))
    return ends.policy.keep_canceled or not cut_off


_IN_TIME = timedelta(days=4)
"""Stripe sends an event for three days (docs.stripe.com/webhooks), and a day later the sweep has found its order."""


def _until(line: Line, ends: _Ends) -> datetime:
    until, promise = _until_unless_wished(line, ends), ends.promise
    wished = ends.renewal.until if ends.renewal else None
    if wished is None or until <= ends.now:
        return until
    ran_out = promise is not None and line.id in promise.lines and promise.of(line.id) is None
    return wished if ran_out else max(until, wished)


def _until_unless_wished(line: Line, ends: _Ends) -> datetime:
    order, policy, now, promise, seen_at = ends.order, ends.policy, ends.now, ends.promise, ends.seen_at
    grant = None if promise is None else promise.of(line.id)
    if grant is not None:
        return grant.resumed_until(now)
    # What it once was is settled; for how long, only the product could say.
    days = catalog.share_days(line, policy, settled=promise is not None and line.id in promise.lines)
    if line.period_end is None:
        return now + timedelta(days=days)
    grace, paid_at = timedelta(days=policy.grace_days), order.paid_at or seen_at
    if promise is not None or seen_at - paid_at > _IN_TIME:
        return max(line.period_end, paid_at) + grace
    # Paid late, in arrears, or delivered late: an outage is not the buyer's, and the grace counts from the letter.
    until = max(line.period_end, now) + grace
    return until if until > now else now + timedelta(days=days)


def _mode(livemode: bool) -> str:  # noqa: FBT001
    return "live" if livemode else "test"
