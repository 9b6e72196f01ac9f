"""The same bought twice: once more what a buyer has just bought, by a double click, a reload, or a doubt."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from paidshare import sealing
from paidshare.delivering.lease import Lease
from paidshare.delivering.plan import Plan, Step
from paidshare.delivering.ports import Purchases
from paidshare.errors import LedgerUnavailable
from paidshare.orders import Order
from paidshare.ports import LinkKey

WITHIN = timedelta(minutes=10)
"""Of two purchases that are further apart the second is taken to be meant."""


@dataclass(frozen=True, slots=True)
class Twice:
    """
    For one order at *now*. Nothing waits for what comes of it, and nobody is refused anything: who means it buys two.
    """

    _lease: Lease
    _purchases: Purchases
    _link_key: LinkKey
    _now: datetime

    def note(self, order: Order, todo: Plan) -> None:
        """
        Know which order of the same buyer (by the address that was paid with) has one of the same products, bought
        within `WITHIN` of this one. Of two the one that is delivered later is the second. Raises SecretUnavailable.
        """
        if todo.step is not Step.DELIVER or not order.email or order.sale.renewal or order.corrected:
            return
        at = max((one.at for one in order.payments if one.at is not None), default=order.paid_at or self._now)
        for product in sorted({due.line.product_id for due in todo.access}):
            # What cannot be known now is not worth a buyer's wait.
            with suppress(LedgerUnavailable):
                mark = sealing.mark(self._link_key(), "bought", f"{order.email.strip().lower()}\0{product}")
                if (other := self._purchases(mark, self._lease.order_id, at, WITHIN)) is not None:
                    self._lease.note(twice_of=other)
