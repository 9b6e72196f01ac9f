"""
The facts of an order and the clock → what the buyer should have now, and why. Pure.

The rules are Stripe's: docs.stripe.com/checkout/fulfillment and the API reference of the Checkout Session.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from paidshare import catalog
from paidshare.errors import ModeMismatch
from paidshare.orders import Goods, Order


@dataclass(frozen=True, slots=True)
class Access:
    """The buyer should have *goods* until *until*."""

    goods: tuple[Goods, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class NotYet:
    """Nothing yet. `reason` is for the log and the ledger."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotOurs:
    """Nothing, ever: no line of the order is delivered by us."""

    reason: str


type Entitlement = Access | NotYet | NotOurs


def entitlement(order: Order, *, livemode: bool, default_link_days: int, now: datetime) -> Entitlement:
    """
    What the buyer of *order* should have at *now*.

    Status words that we do not know are never “paid”. An order has one share, so it stays open as long as
    its longest line: nobody loses a file early because of what else was in the cart. Raises ModeMismatch,
    MetadataBroken.
    """
    if order.livemode is not livemode:
        raise ModeMismatch(f"order is {_mode(order.livemode)}, the stage is {_mode(livemode)}")
    # Not `!= "unpaid"`, as Stripe's sample has it: that also fulfils mode=setup, which is nobody's purchase.
    if order.mode != "payment":
        return NotOurs(f"mode_{order.mode}")
    if order.status != "complete" or not (order.payment_status == "paid" or _is_free(order)):
        return NotYet(f"payment_{order.payment_status}")
    found = tuple(g for line in order.lines if (g := catalog.goods(line, default_link_days=default_link_days)))
    if not found:
        return NotOurs("no_line_of_ours")
    return Access(goods=found, until=now + timedelta(days=max(g.link_days for g in found)))


def _is_free(order: Order) -> bool:
    """A coupon took all of it: Stripe then asks for no payment, and no later event says “paid”."""
    return order.payment_status == "no_payment_required" and order.total == 0


def _mode(livemode: bool) -> str:  # noqa: FBT001
    return "live" if livemode else "test"
