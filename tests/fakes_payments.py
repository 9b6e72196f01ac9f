"""The port `Payments` in memory. tests/contract/test_payments_port.py holds it to what the real one does."""

import re
from datetime import datetime

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
        return self._orders[order_id, account]

    def orders_of(self, about: str, *, now: datetime, account: str | None = None) -> tuple[str, ...]:
        assert now.tzinfo is not None
        _check(about, "cs|in|pi|ch|py|re|pyr|du|dp|issfr|sub", account)
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


def _check(wanted: str, kinds: str, account: str | None) -> None:
    if not re.fullmatch(rf"({kinds})_[A-Za-z0-9_]{{1,250}}", wanted):
        raise OrderUnknown("no id at Stripe")
    if account is not None and not re.fullmatch(r"acct_[A-Za-z0-9_]{1,250}", account):
        raise OrderUnknown("no account at Stripe")
