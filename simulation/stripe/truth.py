"""
What a buyer should have by Stripe's word alone: the judge's own reading, which knows nothing of how Paidshare decides.

The rules are the seller's promise in README and docs/stories.md, each in a line or two. Where a moment is a matter of
when the letter left (a period's grace, a link's days), it says that both are right.
"""

from enum import StrEnum

from paidshare.orders import Line
from paidshare.settings import Policy
from simulation.stripe.account import DAY_S, AnOrder, Intent, Invoice, Session


class Standing(StrEnum):
    """Of an order, or one of its lines."""

    NOTHING = "nothing"
    """Not paid (yet), or nothing of it is ours."""
    FAILED = "failed"
    ACCESS = "access"
    EITHER = "either"
    """Access may be there or be over by itself: the days count from the letter."""
    HOLD = "hold"
    ENDED = "ended"
    ASKS = "asks"
    """The seller wants to be asked."""


_OPEN_DISPUTES = ("needs_response", "under_review")


def of_order(order: AnOrder, policy: Policy, now: float, *, ruled: str | None = None) -> Standing:
    """The best that any of its lines has; with what the seller *ruled* another than that is so."""
    found = {of_line(order, line, policy, now, ruled=ruled) for line in order.lines if is_ours(line)}
    best = (
        Standing.ACCESS,
        Standing.EITHER,
        Standing.ASKS,
        Standing.HOLD,
        Standing.ENDED,
        Standing.FAILED,
        Standing.NOTHING,
    )
    return next((one for one in best if one in found), Standing.NOTHING)


def is_ours(line: Line) -> bool:
    """Whether the line is delivered: its product says what, and it is not a credit."""
    return any(key.startswith("fastio_") for key in line.metadata) and not line.credit


def of_line(  # One rule, one line.
    order: AnOrder, line: Line, policy: Policy, now: float, *, ruled: str | None = None
) -> Standing:
    intent, ruled = order.intent, order.ruled if ruled is None else ruled
    if isinstance(order, Session):
        if intent is not None and intent.status == "requires_payment_method":
            return Standing.FAILED
        if not order.paid:
            return Standing.NOTHING
    elif order.status != "paid":
        return Standing.NOTHING
    if money_is_back(order) or (intent is not None and any(one.status == "lost" for one in intent.disputes)):
        return Standing.ENDED
    if ruled == "end":
        return Standing.ENDED
    if isinstance(order, Invoice) and line.period_end is not None:
        found = _of_period(order, line, policy, now)
    else:
        found = Standing.HOLD if _held(intent, policy) else Standing.ACCESS
    # What the seller holds is not given; what is over by itself is no news.
    return Standing.HOLD if ruled == "hold" and found in (Standing.ACCESS, Standing.ASKS) else found


def money_is_back(order: AnOrder) -> bool:
    """Whether all that was paid went back."""
    credited = order.credited if isinstance(order, Invoice) else 0
    back = (0 if order.intent is None else order.intent.refunded) + credited
    return 0 < order.total <= back


def money_kept(order: AnOrder) -> bool:
    """Whether the seller has money for the order now."""
    intent = order.intent
    if intent is None:
        return False
    disputed = any(one.status in (*_OPEN_DISPUTES, "lost") for one in intent.disputes)
    credited = order.credited if isinstance(order, Invoice) else 0
    return intent.status == "succeeded" and not disputed and intent.amount > intent.refunded + credited


def _of_period(  # noqa: PLR0911  # One rule, one line.
    order: Invoice, line: Line, policy: Policy, now: float
) -> Standing:
    """A line that pays for a period of a subscription."""
    subscription, end = order.subscription, 0.0 if line.period_end is None else line.period_end.timestamp()
    if subscription is None:
        return Standing.ACCESS
    if any(line.id in one.credits for other in subscription.invoices for one in other.lines if other.status == "paid"):
        return Standing.ENDED
    status, held = subscription.status, _held(order.intent, policy)
    if status in ("canceled", "unpaid") and _paid_late(order):
        if policy.ask_when_paid_late or now > max(end, order.paid_at or 0.0):
            return Standing.ASKS if policy.ask_when_paid_late else Standing.EITHER
        return Standing.HOLD if held else Standing.ACCESS
    grace = policy.grace_days * DAY_S
    if status == "canceled" and not policy.keep_canceled:
        ended = subscription.ended_at or 0.0
        return Standing.ENDED if ended < end - max(grace, 60.0) else Standing.EITHER
    if status == "canceled" and _was_on_hold(order):
        # It need not come back; where the hold came to us after the end, it may.
        return Standing.EITHER
    if status in ("paused", "unpaid"):
        return Standing.HOLD if now <= end else Standing.EITHER
    if now > end:
        return Standing.EITHER
    return Standing.HOLD if held else Standing.ACCESS


_HEARD_WITHIN_S = 26 * 3600.0


def _was_on_hold(order: Invoice) -> bool:
    """
    When its subscription ended, or so shortly before that nobody need have heard that the hold was over: Stripe does
    not say so of a subscription that has ended.
    """
    subscription, intent = order.subscription, order.intent
    if subscription is None or subscription.ended_at is None:
        return False
    held = [] if intent is None else [one.at for one in intent.disputes]
    if intent is not None and intent.warned_at is not None:
        held.append(intent.warned_at)
    if order.taken_back_at is not None:
        held.append(order.taken_back_at)
    resumed_at = subscription.resumed_at
    unheard = resumed_at is not None and subscription.ended_at - resumed_at < _HEARD_WITHIN_S
    return subscription.ended_on_hold or unheard or any(at < subscription.ended_at for at in held)


def _held(intent: Intent | None, policy: Policy) -> bool:
    """Whether the payment is disputed, or was warned of and the seller wants it so."""
    if intent is None:
        return False
    disputed = any(one.status in _OPEN_DISPUTES for one in intent.disputes)
    return disputed or (policy.hold_on_fraud_warning and intent.is_warned)


def _paid_late(order: Invoice) -> bool:
    """The money came when the subscription was over, or unpaid, already."""
    subscription, paid_at = order.subscription, order.paid_at
    if subscription is None or paid_at is None:
        return False
    if subscription.status == "unpaid":
        return paid_at - order.at >= DAY_S
    # Stripe tells whole seconds.
    return subscription.ended_at is not None and int(paid_at) >= int(subscription.ended_at)
