"""A shop with everything round it in memory, and the truths that its one order goes through."""

from dataclasses import replace
from typing import Any

from paidshare.delivering.deliver import Shop, deliver
from paidshare.delivering.work import Outcome
from paidshare.notices import Notice
from paidshare.orders import Order
from paidshare.progress import Progress
from paidshare.states import Kind
from paidshare.sweeping.room import Room
from tests.builders import LINK_KEY, a_line, a_notice, a_payment, a_policy, an_order, page_of
from tests.fakes import Clock, MemoryLedger, MemoryMailer
from tests.fakes_payments import MemoryPayments
from tests.fakes_shares import MemoryShares
from tests.fakes_sweep import MemoryQueue, MemoryShareListing

ORDER_ID = "cs_test_1"
BROKEN = a_line(metadata={"fastio_files": "file-forest"})
FILES = ("forest", "notes")
REFUNDED = an_order(payments=(a_payment(refunds=(1_900,)),))
DISPUTED = an_order(payments=(a_payment(disputes=("needs_response",)),))
LOST = an_order(payments=(a_payment(disputes=("lost",)),))
WON = an_order(payments=(a_payment(disputes=("won",)),))


class World:
    """A shop with everything round it in memory: what is bought is `payments`, what came of it the rest."""

    def __init__(self, *orders: Order) -> None:
        self.clock = Clock()
        self.ledger = MemoryLedger()
        self.payments = MemoryPayments(*(orders or (an_order(),)))
        self.shares = MemoryShares()
        for name in ("forest", "notes"):
            self.shares.put("shop", name)
        self.mailer = MemoryMailer()
        self.reconcile = MemoryQueue()
        self.shop = Shop(
            ledger=self.ledger,
            payments=self.payments,
            shares=self.shares,
            mailer=self.mailer,
            reconcile=self.reconcile,
            link_key=lambda: LINK_KEY,
            clock=self.clock,
            policy=a_policy(),
            room=Room(MemoryShareListing(self.shares), self.ledger),
            page_of=page_of,
        )

    def look(self, notice: Notice | None = None, *, holder: str = "worker") -> Outcome:
        """At a notice with one order."""
        [outcome] = self.look_at_all(notice, holder=holder)
        return outcome

    def look_at_all(self, notice: Notice | None = None, *, holder: str = "worker") -> tuple[Outcome, ...]:
        return deliver(notice or a_notice(), self.shop, holder=holder)

    def becomes(self, order: Order) -> Outcome:
        """*order* is the truth from now on, and is looked at."""
        self.payments.put(order)
        return self.look(a_notice(about=order.id))

    def letters(self) -> list[Kind]:
        """What was mailed, in order."""
        return [next(k for k in Kind if letter.subject.startswith(k.headline)) for letter in self.mailer.sent]

    def open_files(self, order_id: str = ORDER_ID) -> tuple[str, ...] | None:
        """What the buyer can open now."""
        return self.shares.open_files(order_id, self.clock.now)

    def progress(self, order_id: str = ORDER_ID) -> Progress:
        return self.ledger.orders[order_id]

    def forget(self) -> None:
        """The ledger's rows are lost."""
        self.ledger.orders.clear()
        self.ledger.claims.clear()
        self.ledger.first_seen_at.clear()

    def decide(self, **choices: Any) -> None:
        self.shop = replace(self.shop, policy=a_policy(**choices))

    def with_port(self, **ports: Any) -> None:
        self.shop = replace(self.shop, **ports)
