"""The port `Payments` in memory. tests/contract/test_payments_port.py holds it to what the real one does."""

import re

from paidshare.errors import OrderUnknown, PaidshareError
from paidshare.orders import Order


class MemoryPayments:
    """
    Knows the orders that it was given. `asked` are the ids asked for; `failures` are raised first, in order.
    """

    def __init__(self, *orders: Order) -> None:
        self._orders: dict[tuple[str, str | None], Order] = {}
        self.asked: list[str] = []
        self.failures: list[PaidshareError] = []
        for order in orders:
            self.put(order)

    def put(self, order: Order, *, account: str | None = None) -> None:
        """From now on this is the truth about the order."""
        self._orders[order.id, account] = order

    def order(self, order_id: str, *, account: str | None = None) -> Order:
        if not re.fullmatch(r"cs_[A-Za-z0-9_]{1,250}", order_id):
            raise OrderUnknown("no Checkout Session id")
        self.asked.append(order_id)
        if self.failures:
            raise self.failures.pop(0)
        if (order_id, account) not in self._orders:
            raise OrderUnknown(f"there is no {order_id}")
        return self._orders[order_id, account]
