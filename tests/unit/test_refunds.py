"""Whether the seller keeps money, and whether all of it went back: at the last cent, and of each kind of order."""

from dataclasses import replace

import pytest

from paidshare.delivering.refunds import is_refunded, money_kept
from paidshare.orders import Order, Payment
from tests.builders import a_line, a_payment, a_policy, an_order


def invoice(*payments: Payment, total: int = 1_000, credited: int = 0, status: str = "paid") -> Order:
    order = an_order(order_id="in_1", mode="invoice", status=status, payments=payments, total=total)
    return replace(order, payment_status=status, credited=credited)


@pytest.mark.parametrize(
    ("order", "refunded"),
    [
        (an_order(payments=(a_payment(amount=1_000, refunds=(999,)),)), False),
        (an_order(payments=(a_payment(amount=1_000, refunds=(1_000,)),)), True),
        (an_order(payments=(a_payment(amount=1, refunds=(1,)),)), True),
        (an_order(payments=(a_payment(amount=0),), total=0), False),
        (an_order(payments=(), total=0), False),
        # What never came cannot go back.
        (an_order(payments=(a_payment(amount=1_000, status="canceled", refunds=(1_000,)),)), False),
        # A balance paid for the rest of the invoice.
        (invoice(a_payment(amount=400, refunds=(400,))), False),
        (invoice(a_payment(amount=400, refunds=(400,)), credited=600), True),
        (invoice(total=1, credited=1), True),
        (invoice(total=0), False),
        # Tax or a tip: more was paid than the invoice asked for.
        (invoice(a_payment(amount=1_200, refunds=(1_000,))), False),
        (invoice(a_payment(amount=1_200, refunds=(1_200,))), True),
    ],
)
def test_all_that_was_paid_went_back(order: Order, *, refunded: bool) -> None:
    assert is_refunded(order, a_policy()) is refunded


@pytest.mark.parametrize(
    ("order", "kept"),
    [
        (an_order(payments=(a_payment(amount=1, refunds=()),)), True),
        (an_order(payments=(a_payment(amount=1, refunds=(1,)),)), False),
        (an_order(payments=(a_payment(status="processing"),)), False),
        # Nothing was tried that could fail or succeed: the order's own word counts.
        (an_order(payments=(), payment_status="paid"), True),
        (an_order(payments=(), payment_status="unpaid"), False),
        (an_order(payments=(a_payment(amount=0),), payment_status="paid"), True),
        (an_order(payments=(a_payment(status="canceled"),), payment_status="unpaid"), False),
        (an_order(payments=(), lines=(a_line(amount=0),)), False),
        (an_order(payments=(), lines=(a_line(amount=None),)), False),
        (an_order(payments=(), lines=(a_line(amount=1),)), True),
        # An invoice that was paid out of band has no payment; its status says it.
        (replace(invoice(), payment_status="unpaid"), True),
        (replace(invoice(status="open"), payment_status="paid"), False),
        (invoice(a_payment(amount=1_900), credited=1_899), True),
        (invoice(a_payment(amount=1_900), credited=1_900), False),
    ],
)
def test_money_is_kept(order: Order, *, kept: bool) -> None:
    assert money_kept(order) is kept
