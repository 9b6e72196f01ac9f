"""The port `Payments` in memory. tests/contract/test_payments_port.py holds it to what the real one does."""

import re
from dataclasses import replace
from datetime import datetime

from paidshare.delivering.ports import Live, none_live
from paidshare.errors import OrderUnknown, PaidshareError
from paidshare.orders import Order


class MemoryPayments:
    """
    Knows the orders that it was given, and from `belongs` which orders a payment, refund and so on belong to.

    `asked` are the ids asked for; `failures` are raised first, in order.
    """

    def __init__(self, *orders: Order) -> None:
        self._orders: dict[tuple[str, str | None], Order] = {}
        self.belongs: dict[str, tuple[str, ...]] = {}
        self.asked: list[str] = []
        self.failures: list[PaidshareError] = []
        for order in orders:
            self.put(order)

    def put(self, order: Order, *, account: str | None = None) -> None:
        """From now on this is the truth about the order."""
        self._orders[order.id, account] = order

    def order(self, order_id: str, *, account: str | None = None) -> Order:
        _check(order_id, "cs|in", account)
        self._ask(order_id)
        if (order_id, account) not in self._orders:
            raise OrderUnknown(f"there is no {order_id}")
        order = self._orders[order_id, account]
        others = [one for (_, its), one in self._orders.items() if its == account and one.id != order_id]
        return replace(order, later=order.later or tuple(one.lines for one in others if _gives_back(one, order)))

    def orders_of(
        self, about: str, *, now: datetime, account: str | None = None, live: Live = none_live
    ) -> tuple[str, ...]:
        assert now.tzinfo is not None
        del live
        _check(about, "cs|in|pi|ch|py|re|pyr|du|dp|issfr|sub|cn", account)
        if about.startswith(("cs_", "in_")):
            return (about,)
        self._ask(about)
        if about not in self.belongs:
            raise OrderUnknown(f"there is no {about}")
        return self.belongs[about]

    def _ask(self, wanted: str) -> None:
        self.asked.append(wanted)
        if self.failures:
            raise self.failures.pop(0)


def _gives_back(other: Order, order: Order) -> bool:
    """Whether *other* is a later invoice of the order's subscription that gives something back."""
    ours, theirs = order.subscription, other.subscription
    same = ours is not None and theirs is not None and ours.id == theirs.id
    return same and other.status == "paid" and any(line.credit for line in other.lines)


def _check(wanted: str, kinds: str, account: str | None) -> None:
    if not re.fullmatch(rf"({kinds})_[A-Za-z0-9_]{{1,250}}", wanted):
        raise OrderUnknown("no id at Stripe")
    if account is not None and not re.fullmatch(r"acct_[A-Za-z0-9_]{1,250}", account):
        raise OrderUnknown("no account at Stripe")
