"""Everything that Stripe can say of an order, times the clock, times the seller's choices, times what was mailed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import islice, product
from typing import NamedTuple

from paidshare.orders import Line, Order, Payment, Subscription
from paidshare.progress import Progress
from paidshare.settings import Policy
from tests.builders import NOW, a_line, a_notice, a_payment, a_policy, an_invoice, an_order
from tests.world import World

PERIOD_END = NOW + timedelta(days=30)

GUIDE = a_line(product_id="guide", amount=1_000, metadata={"fastio_workspace": "shop", "fastio_files": "file-forest"})
ATLAS = a_line(product_id="atlas", amount=900, metadata={"fastio_workspace": "shop", "fastio_files": "file-notes"})
MUG = a_line(product_id="mug", amount=900, metadata={})
MONTHLY = replace(GUIDE, id="il_monthly", period_end=PERIOD_END)
USED_UP = replace(ATLAS, id="il_used_up", period_end=NOW, prorated=True)
BACK = replace(MONTHLY, id="il_back", amount=-900, credit=True, credits=("il_monthly",), prorated=True)
OTHER_PLAN = replace(ATLAS, id="il_other", period_end=PERIOD_END, prorated=True)

STATUSES = ("won", "lost", "needs_response", "under_review", "warning_needs_response", "prevented", "a_new_word")
PAYMENTS: tuple[tuple[Payment, ...], ...] = (
    (),
    *((a_payment(status=status, amount=0),) for status in ("processing", "requires_action", "canceled")),
    (a_payment(status="requires_payment_method"),),
    (a_payment(status="a_new_word"),),
    (a_payment(),),
    *((a_payment(refunds=refunds),) for refunds in ((900,), (1_000,), (1_815,), (1_900,), (1_000, 900))),
    *((a_payment(disputes=(status,)),) for status in STATUSES),
    (a_payment(disputes=("lost", "won")),),
    (a_payment(fraud_warning=True),),
    (a_payment(refunds=(1_900,), disputes=("needs_response",)),),
    (a_payment(status="canceled"), a_payment()),
    (a_payment(amount=1_000), a_payment(amount=900, refunds=(900,))),
    (a_payment(amount=1_000), a_payment(amount=900, disputes=("lost",))),
)

SUBSCRIPTIONS = (
    *(Subscription("sub_1", status) for status in ("active", "trialing", "past_due", "paused", "unpaid")),
    *(Subscription("sub_1", status) for status in ("incomplete", "a_new_word", "canceled")),
    *(Subscription("sub_1", "canceled", NOW + timedelta(days=days)) for days in (-1, 0, 10, 29, 30, 70)),
    Subscription("sub_1", "incomplete_expired", NOW - timedelta(days=1)),
)

POLICIES = (
    a_policy(),
    a_policy(end_on_partial_refund=True, hold_on_fraud_warning=True),
    a_policy(keep_canceled=True, grace_days=0),
    a_policy(ask_when_paid_late=True),
)

_OF_RENEWALS = 19  # One in so many; prime, so that no choice is skipped for good.

CLOCK = tuple(NOW + timedelta(days=days) for days in (0, 2, 5, 31, 40, 100))


class Combination(NamedTuple):
    """What Stripe says, what the seller chose, what was done before, and when it is looked at."""

    order: Order
    policy: Policy
    progress: Progress
    now: datetime


def every_combination() -> Iterator[Combination]:
    """Some two hundred thousand, always the same ones."""
    for number, order in enumerate(every_order()):
        histories = _histories(order.mode, tuple(line.id for line in order.lines))
        # Of a session and a plain invoice all; of a renewal's a part, in turn, so that all meet all in the end.
        every = _OF_RENEWALS if order.subscription else 1
        for history, now, policy in islice(product(histories, CLOCK, POLICIES), number % every, None, every):
            # What was paid once is never called open again.
            if history.delivered_at is None or order.status in ("complete", "paid", "a_new_word"):
                yield Combination(order, policy, history, now)


def every_order() -> Iterator[Order]:
    """Sessions, invoices of their own, invoices of subscriptions."""
    yield from _sessions()
    yield from _invoices()
    yield from _renewals()


def _sessions() -> Iterator[Order]:
    carts = ((GUIDE,), (GUIDE, ATLAS), (GUIDE, MUG), (MUG,))
    for lines, status, paid, payments in product(
        carts, ("complete", "open"), ("paid", "unpaid", "no_payment_required", "a_new_word"), PAYMENTS
    ):
        total = 0 if paid == "no_payment_required" else 1_900
        yield an_order(status=status, payment_status=paid, payments=payments, total=total, lines=lines)


def _invoices() -> Iterator[Order]:
    statuses = ("paid", "open", "void", "uncollectible", "a_new_word")
    for status, payments, credited in product(statuses, PAYMENTS, (0, 900, 1_900)):
        bill = an_invoice(status=status, subscription=None, lines=(GUIDE, ATLAS), payments=payments)
        lines = () if not credited else (ATLAS.id,) if credited == 900 else (GUIDE.id, ATLAS.id)
        yield replace(bill, credited=credited, credited_lines=lines, created_at=NOW, paid_at=NOW)


def _renewals() -> Iterator[Order]:
    carts = ((MONTHLY,), (MONTHLY, ATLAS), (MONTHLY, USED_UP), (USED_UP,))
    laters: tuple[tuple[tuple[Line, ...], ...], ...] = ((), ((BACK, OTHER_PLAN),))
    waits = (timedelta(), timedelta(days=12))
    for status, payments, subscription, lines, later, wait in product(
        ("paid", "open", "void"), PAYMENTS, SUBSCRIPTIONS, carts, laters, waits
    ):
        bill = an_invoice(status=status, lines=lines, payments=payments)
        yield replace(bill, subscription=subscription, created_at=NOW - wait, paid_at=NOW, later=later)


@cache
def _histories(mode: str, ids: tuple[str, ...]) -> tuple[Progress, ...]:
    """What may have been done before for an order of these lines: made by the use case itself."""
    lines = tuple(line for line in (GUIDE, ATLAS, MUG, MONTHLY, USED_UP) if line.id in ids)
    if mode == "invoice":
        subscription = Subscription("sub_1", "active")
        paid = replace(an_invoice(lines=lines), subscription=subscription, created_at=NOW, paid_at=NOW)
    else:
        paid = an_order(lines=lines)
    past = (
        (),
        (replace(paid, status="open", payment_status="unpaid", payments=()),),
        (replace(paid, status="complete", payment_status="unpaid", payments=(a_payment(status="canceled"),)),),
        (paid,),
        (paid, replace(paid, payments=(a_payment(disputes=("needs_response",)),))),
        (paid, replace(paid, payments=(a_payment(refunds=(1_900,)),))),
        (paid, replace(paid, payments=(a_payment(refunds=(900,)),))),
        (paid, replace(paid, payments=(a_payment(disputes=("needs_response",)),)), paid),
    )
    return tuple(_after(*truths) for truths in past)


def _after(*truths: Order) -> Progress:
    """The order's progress once each of *truths* was looked at, an hour apart."""
    if not truths:
        return Progress()
    world = World(truths[0])
    world.decide(end_on_partial_refund=True)
    for truth in truths:
        world.payments.put(truth)
        world.look(a_notice(about=truth.id))
        world.clock.advance(seconds=3_600)
    return replace(world.progress(truths[0].id), first_seen_at=NOW)
