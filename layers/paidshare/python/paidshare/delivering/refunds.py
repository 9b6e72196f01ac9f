"""
What is still to be paid for an order, whether the seller keeps money for it, and which lines' money went back: by
refunds, credit notes or a changed plan. Pure.

Stripe does not say which line a refund is for: docs.stripe.com/refunds.
"""

from collections.abc import Iterable
from itertools import groupby

from paidshare.orders import Line, Order
from paidshare.settings import Policy
from paidshare.states import Why

# Stripe keeps its fee of a payment that is refunded, and many sellers take it off the refund: 2.9 % and 30 cents, and
# up to a tenth of a small amount (docs.stripe.com/refunds).
_A_FEE = 10


def missing(order: Order) -> Why | None:
    """What is still to come before anybody gets anything; None for an order that is paid, or free."""
    if order.mode == "invoice":
        return None if order.status == "paid" else Why.NOT_PAID
    if order.mode != "payment" and not (order.mode == "subscription" and order.subscription):
        return Why.NO_INVOICE
    if order.status != "complete":
        return Why.CHECKOUT_OPEN
    # While a bank still works on it, the payment is `processing` or, for vouchers, `requires_action`. One that fails
    # although the session says “paid” has failed: the order of the two is not guaranteed.
    if order.payments and all(payment.status in FAILED for payment in order.payments):
        return Why.PAYMENT_FAILED
    # A coupon can take all of it: Stripe then asks for no payment, and no later event says “paid”.
    paid = order.payment_status == "paid" or (order.payment_status == "no_payment_required" and order.total == 0)
    return None if paid else Why.NOT_PAID


def is_refunded(order: Order, policy: Policy) -> bool:
    """Whether all that was paid was given back. Of an invoice, a customer's balance may have paid a part as well."""
    paid = [payment for payment in order.payments if payment.status == "succeeded" and payment.amount > 0]
    back = sum(payment.refunded for payment in paid) + order.credited
    if order.mode == "invoice" and order.total is not None:
        asked = max(order.total, sum(payment.amount for payment in paid)) if paid else order.total
    else:
        asked = sum(payment.amount for payment in paid)
    if asked <= 0 or back <= 0:
        return False
    return back >= asked or (policy.end_on_partial_refund and _is_all_but_a_fee(order, asked))


def _is_all_but_a_fee(order: Order, asked: int) -> bool:
    """
    Whether what stays, or stayed once, is a fee, and the refunds were not simply what some of the lines cost. A further
    refund never gives anything back.
    """
    refunds = _refunds(order)
    for count in range(1, len(refunds) + 1):
        some = refunds[:count]
        covered = _covered(order.lines, some, sum(some))
        if (asked - sum(some)) * _A_FEE <= asked and sum(map(_price, covered)) < sum(some):
            return True
    return False


def ended_lines(order: Order, policy: Policy, *, refunded: bool) -> dict[str, Why]:
    """The lines (their ids) whose money was given back, and how."""
    if refunded:
        return {line.id: Why.REFUNDED for line in order.lines}
    ended: dict[str, Why] = {}
    if policy.end_on_partial_refund:
        ended |= dict.fromkeys((*_refunded_lines(order), *order.credited_lines), Why.PARTLY_REFUNDED)
    return ended | {line.id: Why.CREDITED for line in order.lines if _is_given_back(line, order)}


def _is_given_back(line: Line, order: Order) -> bool:
    """
    Whether an invoice since gave back the rest of the line, and does not ask for the same product again: another
    number of seats, or another price, is no other product.
    """
    for lines in (*order.later, order.lines):
        again = any(one.product_id == line.product_id and not one.credit and one.id != line.id for one in lines)
        of_another = lines is not order.lines
        if not again and any(_gives_back(one, line, of_another_invoice=of_another) for one in lines):
            return True
    return False


def _gives_back(credit: Line, line: Line, *, of_another_invoice: bool) -> bool:
    """Whether *credit* is for *line*: by its name, or else for the same product and period on another invoice."""
    if not credit.credit or credit.credits:
        return credit.credit and line.id in credit.credits
    return of_another_invoice and _is_same(credit, line)


def is_given_already(line: Line, order: Order) -> bool:
    """Whether the invoice gives back the same product for the same time: the order that sold it goes on giving it."""
    own = {one.id for one in order.lines}
    return any(
        one.credit and own.isdisjoint(one.credits) and _is_same(one, line) for one in order.lines if one is not line
    )


def _is_same(one: Line, other: Line) -> bool:
    alike = one.product_id == other.product_id
    return alike and one.period_end is not None and one.period_end == other.period_end


def _refunded_lines(order: Order) -> frozenset[str]:
    """
    The lines (their ids) that refunds of a part cover. Stripe does not say which line a refund is for.

    A refund of exactly what one line cost is for that line. The rest is spent on what is left, the cheapest first;
    lines of one price go together or not at all, because nobody can tell which of them was meant. So it never takes
    more than was refunded, and a further refund never gives anything back.
    """
    back = sum(payment.refunded for payment in order.payments)
    return frozenset(line.id for line in _covered(order.lines, _refunds(order), back))


def _refunds(order: Order) -> list[int]:
    return [amount for payment in order.payments for amount in payment.refunds]


def _covered(lines: Iterable[Line], refunds: Iterable[int], back: int) -> list[Line]:
    """The lines that *refunds* cover, which come to *back* in all."""
    left = [line for line in lines if line.amount is not None and line.amount > 0]
    covered: list[Line] = []
    rest = back
    for refund in refunds:
        exact = [line for line in left if line.amount == refund]
        if len(exact) == 1:
            left.remove(exact[0])
            covered += exact
            rest -= refund
    for price, alike in groupby(sorted(left, key=_price), key=_price):
        group = list(alike)
        if price * len(group) > rest:
            break
        covered += group
        rest -= price * len(group)
    return covered


def _price(line: Line) -> int:
    return line.amount or 0


def money_kept(order: Order) -> bool:
    """Whether the seller has money for the order now: paid, and neither given back, nor disputed, nor lost."""
    tried = [payment for payment in order.payments if payment.status not in FAILED and payment.amount > 0]
    if tried:
        # While a bank looks into a dispute, it has the money (docs.stripe.com/disputes/how-disputes-work).
        came = (one for one in tried if one.status == "succeeded" and HARMLESS_DISPUTES.issuperset(one.disputes))
        return sum(one.amount - one.refunded for one in came) > order.credited
    # Out of band, or from the customer's balance, which Stripe lists no payment for.
    paid = order.status == "paid" if order.mode == "invoice" else order.payment_status == "paid"
    amounts = [line.amount or 0 for line in order.lines if not line.credit]
    return paid and sum(amounts) > order.credited


FAILED = ("requires_payment_method", "canceled")  # docs.stripe.com/payments/paymentintents/lifecycle


# An inquiry (`warning_…`) asks a question and moves no money. `prevented` is settled by a refund, which speaks for
# itself. A status that we do not know holds access: docs.stripe.com/api/disputes/object.
HARMLESS_DISPUTES = frozenset({"won", "prevented", "warning_needs_response", "warning_under_review", "warning_closed"})
