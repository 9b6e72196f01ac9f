"""
`python -m local settle|fail|refund|dispute|renew|cancel`: what becomes of an order after the sale.

Each has it happen at Stripe, and waits for the letter that is due to the buyer, or makes sure that none comes where
none is. Each raises SaleFailed when it cannot happen, or when something else comes of it.
"""

from collections.abc import Callable
from typing import Any, Literal

from local import outcome, sale
from local.hosting.endpoints import Endpoints
from local.paying import Outcome, expect
from local.sale import Happened, Order

Verdict = Literal["won", "lost", "withdrawn"]


def settle(to: Endpoints, order: Order) -> Outcome:
    """The late payment comes in."""
    return _happens(to, order, "settle")


def fail(to: Endpoints, order: Order) -> Outcome:
    """The late payment does not come."""
    return _happens(to, order, "fail")


def refund(to: Endpoints, order: Order, *, amount: int | None) -> Outcome:
    """*amount* (in the currency's smallest unit) goes back, or all that is left. Only all of it ends access."""
    fields = {} if amount is None else {"amount": amount}
    return _happens(to, order, "refund", letter=lambda done: ends_access(_charge(to, done)), **fields)


def undo_refund(to: Endpoints, order: Order) -> Outcome:
    """The last refund fails: the buyer never got the money. Access comes back if that refund had ended it."""

    def letter(done: Happened) -> bool:
        taken_back = sale.seen(to, f"/v1/refunds/{done.ids['refund']}")
        return gives_access_back(_charge(to, done), taken_back)

    return _happens(to, order, "refund_update", letter=letter, status="failed")


def dispute(to: Endpoints, order: Order, *, inquiry: bool) -> Outcome:
    """The buyer disputes the payment, or (*inquiry*) their bank only asks about it, which changes nothing yet."""
    status = "warning_needs_response" if inquiry else "needs_response"
    return _happens(to, order, "dispute", letter=lambda _: not inquiry, status=status)


def close_dispute(to: Endpoints, order: Order, *, verdict: Verdict) -> Outcome:
    """The open dispute ends. That of an inquiry gives nothing back, because it took nothing."""
    return _happens(
        to,
        order,
        "dispute_update",
        letter=lambda done: changes_access(sale.seen(to, f"/v1/disputes/{done.ids['dispute']}")),
        status=verdict,
    )


def renew(to: Endpoints, order: Order, *, paid: bool) -> Outcome:
    """The next period begins. While it is unpaid, Stripe tries again, and the buyer keeps what there is."""
    return _happens(to, order, "renew", letter=lambda _: paid, paid=paid)


def cancel(to: Endpoints, order: Order, *, at_period_end: bool) -> Outcome:
    """The subscription ends, now or when its period does; until then the buyer keeps what there is."""
    return _happens(to, order, "cancel", letter=lambda _: not at_period_end, at_period_end=at_period_end)


def ends_access(charge: dict[str, Any]) -> bool:
    """Whether the refunds of *charge* (Stripe's object) are in full."""
    return bool(charge["refunded"])


def gives_access_back(charge: dict[str, Any], refund: dict[str, Any]) -> bool:
    """Whether *charge* was refunded in full while *refund*, which failed, still counted."""
    return bool(charge["amount_refunded"] + refund["amount"] == charge["amount"])


def changes_access(closed: dict[str, Any]) -> bool:
    """Whether the end of a dispute (Stripe's object) matters to the buyer."""
    return closed["status"] == "lost" or not closed["is_charge_refundable"]


def _charge(to: Endpoints, done: Happened) -> dict[str, Any]:
    return sale.seen(to, f"/v1/charges/{done.ids['charge']}")


def _happens(
    to: Endpoints,
    order: Order,
    act: str,
    *,
    letter: Callable[[Happened], bool] = lambda _: True,
    **fields: Any,
) -> Outcome:
    before = outcome.before(to, order)
    done = sale.happen(to, order, act, **fields)
    expect(done.attempt, 200)
    if not letter(done):
        sale.nothing_comes(to, besides=before.letters)
        return Outcome(order.session, done.attempt, None)
    return Outcome(order.session, done.attempt, outcome.letter(to, order, before))
