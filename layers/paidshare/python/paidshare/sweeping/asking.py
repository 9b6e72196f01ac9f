"""Asking for looks at orders: what the sweep finds is decided by whoever takes the message from the queue."""

from collections.abc import Sequence
from datetime import datetime

from paidshare.notices import SWEEP, Notice
from paidshare.sweeping.ports import SweepPorts
from paidshare.sweeping.report import Part


def look(order_id: str, now: datetime, *, account: str | None = None) -> Notice:
    return Notice(source="stripe", event_id=f"{SWEEP}:{order_id}", why=SWEEP, about=order_id, at=now, account=account)


def ask(ports: SweepPorts, part: Part, notices: Sequence[Notice]) -> None:
    """Queue all of *notices*, and count them."""
    if notices:
        ports.queue.ask(notices)
        part.asked += len(notices)


def ask_for_unknown(ports: SweepPorts, part: Part, order_ids: Sequence[str]) -> None:
    """A look at each of the orders that the ledger does not have. It has them when Deliver begins to look."""
    known, now = ports.index.known(order_ids), ports.clock()
    unknown = [order_id for order_id in dict.fromkeys(order_ids) if order_id not in known]
    ask(ports, part, [look(order_id, now) for order_id in unknown])
