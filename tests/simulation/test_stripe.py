"""
The simulated Stripe against the stand-in, asked by the real SDK and adapter: after each act of random walks both are
the same orders.
"""

from typing import Any

import pytest

from paidshare.orders import Order
from simulation import goods, walk
from simulation.chance import Chance
from simulation.clock import Clock
from simulation.fastio import FileHost
from simulation.stripe.account import Account, AnOrder, Invoice, Product, Purchase
from simulation.stripe.acts import ACTS, Act, buys
from simulation.stripe.reading import read
from tests.contract.conftest import stripe
from tests.stripe_world import BUYER, StripeWorld

__all__ = ["stripe"]  # The fixture.

PRODUCTS = goods.products(FileHost(Clock(), share_limit=1).state)


class Both:
    """
    One purchase, at the simulated Stripe and at the stand-in. `named` are the stand-in's ids of ours, `charges` its
    charges of the payments (by our ids) that were warned of.
    """

    def __init__(self, world: StripeWorld, number: int) -> None:
        self.world = world
        self.account = Account()
        self.buyer = Purchase(number, BUYER, 0.0)
        self.named: dict[str, str] = {}
        self.charges: dict[str, str] = {}

    def buy(self, how: str, products: list[Product], now: float) -> None:
        list(buys(self.account, self.buyer, products, how, now))
        every = [self.world.product(one.name, one.metadata, unit_amount=one.price) for one in products]
        sale: dict[str, Any] = {"products": every}
        match how:
            case "invoice":
                ids = self.world.control("/_invoice", {"products": every, "email": BUYER})
            case "subscription" | "mixed":
                sale = {"products": every[:1], "once_products": every[1:], "mode": "subscription"}
                ids = self.world.pay(**sale)
            case "bank":
                ids = self.world.pay(**sale, late=True)
            case "free":
                ids = self.world.pay(**sale, discount=sum(one.price for one in products))
            case _:
                ids = self.world.pay(**sale)
        for order in self.buyer.orders:
            self.named[order.id] = ids["session"] if order.id.startswith("cs_") else ids["invoice"]
        if self.buyer.session is not None:
            self.named[self.buyer.session.id] = ids["session"]
        if self.buyer.subscription is not None:
            self.named[self.buyer.subscription.id] = ids["subscription"]

    def act(self, act: Act, now: float) -> None:
        """At both, where the simulated one knows something to do."""
        before = {intent.id: len(intent.refunds) for intent in self.buyer.intents}
        told = list(ACTS[act.what](self.account, self.buyer, act.detail, now))
        if told:
            self._same_at_the_stand_in(act, told, before)

    def _same_at_the_stand_in(  # noqa: C901  # A table: what each act is called there.
        self, act: Act, told: list[tuple[str, str, str]], before: dict[str, int]
    ) -> None:
        control, session = self.world.control, self.named.get(self.buyer.session.id) if self.buyer.session else None
        subscription = self.named.get(self.buyer.subscription.id) if self.buyer.subscription else None
        about = self._paid(told[0][1])
        match act.what:
            case "settles" | "fails":
                control("/_settle" if act.what == "settles" else "/_fail", {"session": session})
            case "refunds":
                intent = next(one for one in self.buyer.intents if len(one.refunds) > before.get(one.id, 0))
                control("/_refund", about | {"amount": intent.refunds[-1].amount})
            case "refund_fails":
                control("/_refund_update", about | {"status": "failed"})
            case "disputes":
                word = "warning_needs_response" if act.detail == "inquiry" else "needs_response"
                control("/_dispute", about | {"status": word})
            case "is_warned_of":
                self.charges[told[0][1]] = control("/_warn", about)["charge"]
            case "is_called_safe":
                charge = self.charges[told[0][1]]
                self.world.sdk().v1.charges.update(charge, {"fraud_details": {"user_report": "safe"}})
            case "dispute_ends":
                control("/_dispute_update", about | {"status": act.detail})
            case "renews":
                made = control("/_renew", {"subscription": subscription, "paid": act.detail == "paid"})
                assert self.buyer.subscription is not None
                self.named[self.buyer.subscription.invoices[-1].id] = made["invoice"]
            case "pays_late":
                [invoice] = [one for one in self.buyer.orders if told[-1][1] == one.id or told[0][1] in _intents(one)]
                control("/_pay_invoice", {"invoice": self.named[invoice.id]})
            case "switches" if act.detail == "canceled":
                control("/_cancel", {"subscription": subscription})
            case "switches":
                control("/_subscription", {"subscription": subscription, "status": act.detail})
            case "credits":
                control("/_credit_note", {"invoice": self.named[told[0][1]], "line": 0})

    def _paid(self, intent: str) -> dict[str, str]:
        for order in self.buyer.orders:
            if intent in _intents(order) and order.id in self.named:
                return {"session" if order.id.startswith("cs_") else "invoice": self.named[order.id]}
        return {}

    def check(self, after: str) -> None:
        for order in self.buyer.orders:
            ours, theirs = read(order, BUYER), self.world.order(self.named[order.id])
            assert _shown(ours) == _shown(theirs), f"{order.id} after {after}"


def _intents(order: AnOrder) -> tuple[str, ...]:
    return () if order.intent is None else (order.intent.id,)


def _shown(order: Order) -> dict[str, Any]:
    """All of it but what differs by nature: ids, moments, and what a mug's or a deleted product's metadata is."""
    return {
        "mode": order.mode,
        "status": order.status,
        "payment_status": order.payment_status,
        "lines": [(line.product_name, line.amount, line.period_end is not None, line.credit) for line in order.lines],
        "total": order.total,
        "paid": order.paid_at is not None,
        "payments": [
            (one.status, one.amount, one.refunded, one.refunds, one.disputes, one.fraud_warning)
            for one in order.payments
        ],
        "subscription": order.subscription and (order.subscription.status, order.subscription.ended_at is not None),
        "credited": order.credited,
        "credited_lines": len(order.credited_lines),
        "same_as": order.same_as is not None,
    }


@pytest.mark.parametrize("seed", range(12))
def test_after_each_act_both_are_the_same_orders(stripe: StripeWorld, seed: int) -> None:
    stripe.payments = stripe.with_warnings
    chance = Chance(seed)
    season = walk.Season(days=22.0, buyers=6, round_s=300.0)
    found: dict[int, Both] = {}
    for act in (one for one in walk.acts(chance, season) if one.what not in ("wishes", "visits")):
        if act.what == "changes_plan":
            # The stand-in bills no change of a plan: tests/contract/test_stripe_payments.py has those by themselves.
            continue
        if act.what == "buys":
            how, _, names = act.detail.partition(" ")
            found[act.number] = Both(stripe, act.number)
            found[act.number].buy(how, [PRODUCTS[name] for name in names.split(",")], act.at)
        else:
            found[act.number].act(act, act.at)
        found[act.number].check(str(act))


def test_what_a_subscription_has_begun_with_is_the_same_order_as_its_first_invoice(stripe: StripeWorld) -> None:
    both = Both(stripe, 1)
    both.buy("subscription", [PRODUCTS["club"]], 0.0)
    assert both.buyer.session is not None
    ours, theirs = read(both.buyer.session, BUYER), stripe.order(both.named[both.buyer.session.id])
    assert isinstance(both.buyer.session.invoice, Invoice)
    assert ours.same_as == both.buyer.session.invoice.id
    assert theirs.same_as == both.named[both.buyer.session.invoice.id]
