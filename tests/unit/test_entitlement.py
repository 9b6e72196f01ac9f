from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.delivering.entitlement import Due, entitlement
from paidshare.delivering.errors import MetadataBroken, ModeMismatch, PaidLate
from paidshare.delivering.refunds import money_kept
from paidshare.grants import Grant, Promise
from paidshare.orders import Line, Order, Payment, Subscription
from paidshare.states import Standing, Why
from tests.builders import NOW, a_line, a_payment, a_policy, an_invoice, an_order

NOTHING_YET, ACCESS, ON_HOLD, ENDED = Standing.NOTHING_YET, Standing.ACCESS, Standing.ON_HOLD, Standing.ENDED
MUG = a_line(product_id="mug", metadata={})
PERIOD_END = NOW + timedelta(days=30)


def due(
    order: Order,
    *,
    now: datetime = NOW,
    promise: Promise | None = None,
    seen_at: datetime | None = None,
    **policy: Any,
) -> tuple[Due, ...]:
    return entitlement(order, a_policy(**policy), now=now, promise=promise, seen_at=seen_at)


def verdict(order: Order, **more: Any) -> tuple[Standing, Why]:
    """Of an order with one line of ours."""
    [only] = due(order, **more)
    return only.standing, only.why


class Case(NamedTuple):
    name: str
    order: Order
    standing: Standing
    why: Why
    policy: Mapping[str, Any] = MappingProxyType({})


def paid_with(**payment: Any) -> Order:
    return an_order(payments=(a_payment(**payment),))


def unpaid(payment: str) -> Order:
    return an_order(payment_status="unpaid", payments=(a_payment(status=payment, amount=0),))


def free(total: int | None) -> Order:
    return an_order(payment_status="no_payment_required", total=total, payments=())


HOLDING = {"hold_on_fraud_warning": True}


def subscribed(
    status: str,
    *,
    over_for: timedelta | None = None,
    open_for: timedelta = timedelta(),
    ended_at: datetime | None = None,
    **more: Any,
) -> Order:
    """
    A paid invoice of a subscription that is *status*: it ended *over_for* before the payment (at the very moment before
    it where that is nothing), and the invoice was open for *open_for*.
    """
    ended = ended_at or (None if over_for is None else NOW - over_for if over_for else NOW + timedelta(seconds=1))
    order = replace(an_invoice(**more), created_at=NOW - open_for, paid_at=NOW)
    return replace(order, subscription=Subscription("sub_1", status, ended))


def nothing_paid(status: str) -> Order:
    """An invoice over nothing, of a free trial say, of a subscription that is *status*."""
    free = subscribed(status, over_for=timedelta(days=2), open_for=timedelta(days=9), payments=())
    return replace(free, total=0, lines=tuple(replace(line, amount=0) for line in free.lines))


def long_over(*, days: int) -> Order:
    """An invoice whose period ended some days ago, and which nobody heard of since it was paid a month before."""
    over = NOW - timedelta(days=days)
    return replace(an_invoice(period_end=over), paid_at=over - timedelta(days=30))


def with_refund(order: Order) -> Order:
    return replace(order, payments=(a_payment(refunds=(1_900,)),))


CASES = [
    # A card: Checkout is complete and the money is there.
    Case("paid", an_order(), ACCESS, Why.PAID),
    # Several of one product are still its files once.
    Case("quantity of five", an_order(lines=(a_line(quantity=5),)), ACCESS, Why.PAID),
    # The buyer is still in Checkout, left it, or never came.
    Case("still open", an_order(status="open", payment_status="unpaid"), NOTHING_YET, Why.CHECKOUT_OPEN),
    Case("expired checkout", an_order(status="expired", payment_status="unpaid"), NOTHING_YET, Why.CHECKOUT_OPEN),
    Case("no status at all", an_order(status=None), NOTHING_YET, Why.CHECKOUT_OPEN),
    # A bank debit: `completed` comes days before the money does.
    Case("bank debit on its way", unpaid("processing"), NOTHING_YET, Why.NOT_PAID),
    # A voucher or a bank transfer: the buyer still has to do something.
    Case("voucher not paid yet", unpaid("requires_action"), NOTHING_YET, Why.NOT_PAID),
    # The debit bounced, the voucher ran out: async_payment_failed.
    Case("bank debit failed", unpaid("requires_payment_method"), NOTHING_YET, Why.PAYMENT_FAILED),
    Case("payment canceled", unpaid("canceled"), NOTHING_YET, Why.PAYMENT_FAILED),
    # The failure came after the success, and the session still says “paid”.
    Case("failed after all", paid_with(status="requires_payment_method"), NOTHING_YET, Why.PAYMENT_FAILED),
    # A coupon took all of it: there is no payment, and none is awaited.
    Case("free", free(0), ACCESS, Why.PAID),
    # Something is still to be paid at a later date.
    Case("payment in the future", free(1_900), NOTHING_YET, Why.NOT_PAID),
    Case("free, or so it seems", free(None), NOTHING_YET, Why.NOT_PAID),
    # Words that Stripe may add one day.
    Case("unknown payment status", an_order(payment_status="partially_paid"), NOTHING_YET, Why.NOT_PAID),
    Case("unknown mode", an_order(mode="barter"), NOTHING_YET, Why.NO_INVOICE),
    # A subscription's purchase is its invoice; there is none yet.
    Case("subscription without invoice", an_order(mode="subscription"), NOTHING_YET, Why.NO_INVOICE),
    # The first period, and every renewal, is an invoice of its own.
    Case("subscription's invoice paid", an_invoice(), ACCESS, Why.PAID),
    # Stripe's advice: a trial may be provisioned like a paid period. Its invoice is paid, over nothing.
    Case("trial", an_invoice(subscription="trialing", payments=()), ACCESS, Why.PAID),
    # The *next* invoice could not be collected: this one is paid.
    Case("past due", an_invoice(subscription="past_due"), ACCESS, Why.PAID),
    Case("invoice open", an_invoice(status="open"), NOTHING_YET, Why.NOT_PAID),
    Case("invoice draft", an_invoice(status="draft"), NOTHING_YET, Why.NOT_PAID),
    Case("invoice void", an_invoice(status="void"), NOTHING_YET, Why.NOT_PAID),
    Case("invoice uncollectible", an_invoice(status="uncollectible"), NOTHING_YET, Why.NOT_PAID),
    # An invoice that the seller wrote, without any subscription.
    Case("plain invoice", an_invoice(subscription=None), ACCESS, Why.PAID),
    Case("paid outside of Stripe", an_invoice(subscription=None, payments=()), ACCESS, Why.PAID),
    Case("not active yet", an_invoice(subscription="incomplete"), NOTHING_YET, Why.SUBSCRIPTION_NOT_ACTIVE),
    Case("unknown subscription", an_invoice(subscription="dreaming"), NOTHING_YET, Why.SUBSCRIPTION_NOT_ACTIVE),
    # customer.subscription.deleted.
    Case("canceled", subscribed("canceled", over_for=timedelta()), ENDED, Why.SUBSCRIPTION_CANCELED),
    # customer.subscription.paused; it resumes.
    Case("paused", an_invoice(subscription="paused"), ON_HOLD, Why.SUBSCRIPTION_PAUSED),
    # Stripe gave up collecting, the seller has not: it may still be paid.
    Case("subscription unpaid", subscribed("unpaid"), ON_HOLD, Why.SUBSCRIPTION_UNPAID),
    # Paid is paid: for a subscription that was over already, or unpaid while a newer invoice waits.
    Case("paid after it was canceled", subscribed("canceled", over_for=timedelta(days=2)), ACCESS, Why.PAID),
    Case("paid after it ran out", subscribed("incomplete_expired", over_for=timedelta(days=2)), ACCESS, Why.PAID),
    Case("paid while it is unpaid", subscribed("unpaid", open_for=timedelta(days=9)), ACCESS, Why.PAID),
    Case("nothing paid after all", nothing_paid("canceled"), ENDED, Why.SUBSCRIPTION_CANCELED),
    Case("nothing paid while unpaid", nothing_paid("unpaid"), ON_HOLD, Why.SUBSCRIPTION_UNPAID),
    # It ended with its period, or a little before, and nobody had the link yet: an outage is not the buyer's.
    Case("ended with its period", subscribed("canceled", ended_at=PERIOD_END), ACCESS, Why.PAID),
    Case("canceled, and kept", subscribed("canceled", over_for=timedelta()), ACCESS, Why.PAID, {"keep_canceled": True}),
    # The first look is late, and the period is over.
    Case("period over", long_over(days=4), ENDED, Why.EXPIRED),
    # What is known to be given back is not outweighed by a word that nobody knows.
    Case("refunded, whatever else", with_refund(an_invoice(subscription="dreaming")), ENDED, Why.REFUNDED),
    Case("refunded and void", with_refund(an_invoice(status="void")), ENDED, Why.REFUNDED),
    Case("refunded and odd", with_refund(an_order(payment_status="odd")), ENDED, Why.REFUNDED),
    # Refunds.
    Case("refunded", paid_with(refunds=(1_900,)), ENDED, Why.REFUNDED),
    Case("refunded in pieces", paid_with(refunds=(900, 1_000)), ENDED, Why.REFUNDED),
    Case("partly refunded", paid_with(refunds=(1_899,)), ACCESS, Why.PAID),
    Case("refunded invoice", an_invoice(payments=(a_payment(refunds=(1_900,)),)), ENDED, Why.REFUNDED),
    # The customer's balance paid the rest of this invoice.
    Case(
        "card part of an invoice refunded",
        replace(an_invoice(payments=(a_payment(amount=100, refunds=(100,)),)), total=10_000),
        ACCESS,
        Why.PAID,
    ),
    # An invoice can be paid in pieces; all of them have to be given back.
    Case(
        "one of two payments refunded", an_order(payments=(a_payment(refunds=(1_900,)), a_payment())), ACCESS, Why.PAID
    ),
    # A first attempt that failed took no money, so it cannot be refunded either.
    Case(
        "refunded after a failed attempt",
        an_order(payments=(a_payment(status="canceled"), a_payment(refunds=(1_900,)))),
        ENDED,
        Why.REFUNDED,
    ),
    # The seller's choice: a refund of what the line cost ends it. Shipping, say, was not refunded.
    Case(
        "line refunded",
        an_order(payments=(a_payment(amount=2_400, refunds=(1_900,)),)),
        ENDED,
        Why.PARTLY_REFUNDED,
        {"end_on_partial_refund": True},
    ),
    # Disputes.
    Case("inquiry", paid_with(disputes=("warning_needs_response",)), ACCESS, Why.PAID),
    Case("inquiry under review", paid_with(disputes=("warning_under_review",)), ACCESS, Why.PAID),
    Case("inquiry closed", paid_with(disputes=("warning_closed",)), ACCESS, Why.PAID),
    Case("disputed", paid_with(disputes=("needs_response",)), ON_HOLD, Why.DISPUTED),
    Case("dispute under review", paid_with(disputes=("under_review",)), ON_HOLD, Why.DISPUTED),
    Case("appeal", paid_with(disputes=("appeal_under_review",)), ON_HOLD, Why.DISPUTED),
    Case("unknown dispute", paid_with(disputes=("mediated",)), ON_HOLD, Why.DISPUTED),
    Case("won, or withdrawn", paid_with(disputes=("won",)), ACCESS, Why.PAID),
    Case("lost", paid_with(disputes=("lost",)), ENDED, Why.DISPUTE_LOST),
    # The network settled it with a refund; that refund decides.
    Case("prevented", paid_with(disputes=("prevented",)), ACCESS, Why.PAID),
    # A card can be disputed twice.
    Case("won once, disputed again", paid_with(disputes=("won", "needs_response")), ON_HOLD, Why.DISPUTED),
    Case("lost once, won once", paid_with(disputes=("lost", "won")), ENDED, Why.DISPUTE_LOST),
    # What is over for good outweighs what may still turn.
    Case("refunded and disputed", paid_with(refunds=(1_900,), disputes=("needs_response",)), ENDED, Why.REFUNDED),
    Case(
        "canceled and disputed",
        an_invoice(subscription="canceled", payments=(a_payment(disputes=("needs_response",)),)),
        ENDED,
        Why.SUBSCRIPTION_CANCELED,
    ),
    # One warned of is enough, and an invoice that does not say what it came to is given back with its payments.
    Case(
        "fraud warning of one of two payments",
        an_order(payments=(a_payment(), a_payment(fraud_warning=True))),
        ON_HOLD,
        Why.FRAUD_WARNING,
        HOLDING,
    ),
    Case("refunded, of an unknown total", replace(with_refund(an_invoice()), total=None), ENDED, Why.REFUNDED),
    # Early fraud warnings: the seller's choice.
    Case("fraud warning", paid_with(fraud_warning=True), ACCESS, Why.PAID),
    Case("fraud warning that holds", paid_with(fraud_warning=True), ON_HOLD, Why.FRAUD_WARNING, HOLDING),
    Case("no fraud warning", an_order(), ACCESS, Why.PAID, HOLDING),
]


class TestEntitlement:
    @pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
    def test_every_case_of_the_table(self, case: Case) -> None:
        assert verdict(case.order, **case.policy) == (case.standing, case.why)

    def test_a_setup_is_nobody_s_purchase(self) -> None:
        assert due(an_order(mode="setup", payment_status="no_payment_required", total=0)) == ()

    def test_lines_that_are_not_ours_are_left_out(self) -> None:
        assert [d.line.product_id for d in due(an_order(lines=(MUG, a_line())))] == ["prod_1"]
        assert due(an_order(lines=(MUG,))) == ()

    def test_a_credit_for_an_old_plan_and_a_line_of_nothing_deliver_nothing(self) -> None:
        old = replace(a_line(product_id="old", amount=0), credit=True)
        none = a_line(product_id="none", quantity=0, amount=0)
        new = a_line(product_id="new", period_end=PERIOD_END)
        assert [d.line.product_id for d in due(an_invoice(lines=(old, none, new)))] == ["new"]

    @pytest.mark.parametrize(("livemode", "stage"), [(True, False), (False, True)])
    def test_an_order_of_the_other_mode_is_a_case_for_a_person(self, livemode: bool, stage: bool) -> None:  # noqa: FBT001
        with pytest.raises(ModeMismatch):
            due(an_order(livemode=livemode), livemode=stage)

    def test_one_broken_line_stops_the_order_rather_than_delivering_half(self) -> None:
        broken = a_line(product_id="prod_2", metadata={"fastio_files": "f"})
        for lines in ((broken, a_line()), (a_line(), broken)):
            with pytest.raises(MetadataBroken, match="prod_2"):
                due(an_order(lines=lines))

    def test_a_deleted_product_may_have_been_ours_and_is_a_case_for_a_person(self) -> None:
        with pytest.raises(MetadataBroken, match="prod_1 was deleted"):
            due(an_order(lines=(a_line(metadata={}, deleted=True),)))

    @pytest.mark.parametrize("order", [unpaid("processing"), paid_with(refunds=(1_900,))])
    def test_broken_metadata_is_nobody_s_case_unless_something_is_to_be_delivered(self, order: Order) -> None:
        due(
            Order(
                order.id,
                order.livemode,
                order.mode,
                order.status,
                order.payment_status,
                None,
                (a_line(metadata={"fastio_files": "f"}),),
                payments=order.payments,
            )
        )

    @given(
        status=st.none() | st.text() | st.sampled_from(["complete", "Complete", "open", "expired", "paid"]),
        payment_status=st.text() | st.sampled_from(["paid", "PAID", "paid ", "unpaid", "no_payment_required"]),
        mode=st.text() | st.sampled_from(["payment", "setup", "subscription", "invoice"]),
        total=st.none() | st.integers() | st.just(0),
    )
    def test_only_what_stripe_calls_paid_or_free_ever_gives_access(
        self, status: str | None, payment_status: str, mode: str, total: int | None
    ) -> None:
        answer = due(an_order(status=status, payment_status=payment_status, mode=mode, total=total))
        paid = payment_status == "paid" or (payment_status == "no_payment_required" and total == 0)
        bought = (mode == "payment" and status == "complete" and paid) or (mode == "invoice" and status == "paid")
        assert any(d.standing is ACCESS for d in answer) is bought


class TestHowLong:
    def until(self, order: Order, **more: Any) -> datetime | None:
        [only] = due(order, **more)
        return only.until

    def test_a_link_lasts_as_long_as_the_product_says_else_as_the_shop_does(self) -> None:
        days = {"fastio_workspace": "shop", "fastio_files": "f", "fastio_link_days": "30"}
        assert self.until(an_order()) == NOW + timedelta(days=7)
        assert self.until(an_order(), link_days=9) == NOW + timedelta(days=9)
        assert self.until(an_order(lines=(a_line(metadata=days),))) == NOW + timedelta(days=30)

    def test_a_subscription_lasts_to_the_period_s_end_and_a_grace(self) -> None:
        assert self.until(an_invoice()) == PERIOD_END + timedelta(days=3)
        assert self.until(an_invoice(), grace_days=0) == PERIOD_END

    def test_a_period_that_is_over_when_it_is_delivered_has_its_grace_from_the_letter(self) -> None:
        late = replace(an_invoice(period_end=NOW - timedelta(days=9)), paid_at=NOW - timedelta(days=1))
        assert self.until(late) == NOW + timedelta(days=3)
        # Without a grace, the days of a thing bought once.
        assert self.until(late, grace_days=0) == NOW + timedelta(days=7)
        # However long it then takes: it was known in time.
        month = NOW + timedelta(days=30)
        assert self.until(late, now=month, seen_at=NOW) == month + timedelta(days=3)
        early = replace(an_invoice(), paid_at=NOW - timedelta(days=1))
        assert self.until(early) == PERIOD_END + timedelta(days=3)

    def test_the_grace_is_access_too(self) -> None:
        over = long_over(days=2)
        assert verdict(over) == (ACCESS, Why.PAID)
        assert verdict(over, grace_days=2) == (ENDED, Why.EXPIRED)

    def test_a_thing_bought_once_outlives_the_subscription_it_was_bought_with(self) -> None:
        once, monthly = a_line(product_id="once"), a_line(product_id="monthly", period_end=PERIOD_END)
        answer = due(subscribed("canceled", over_for=timedelta(), lines=(once, monthly)))
        assert [(d.line.product_id, d.standing) for d in answer] == [("once", ACCESS), ("monthly", ENDED)]


class TestPromise:
    """What was mailed once stands, whatever became of the products."""

    PROMISE = Promise(("li_prod_1",), until=NOW + timedelta(days=5))

    def test_the_link_lasts_as_long_as_the_letter_said(self) -> None:
        days = {"fastio_workspace": "shop", "fastio_files": "f", "fastio_link_days": "30"}
        [only] = due(an_order(lines=(a_line(metadata=days),)), promise=self.PROMISE)
        assert (only.standing, only.until) == (ACCESS, self.PROMISE.until)

    @pytest.mark.parametrize(
        "line", [a_line(metadata={}), a_line(metadata={"fastio_files": "f"}), a_line(metadata={}, deleted=True)]
    )
    def test_what_became_of_the_product_since_changes_nothing(self, line: Line) -> None:
        assert verdict(an_order(lines=(line,)), promise=self.PROMISE) == (ACCESS, Why.PAID)
        refunded = an_order(lines=(line,), payments=(a_payment(refunds=(1_900,)),))
        assert verdict(refunded, promise=self.PROMISE) == (ENDED, Why.REFUNDED)

    def test_a_line_that_became_ours_since_is_not_added(self) -> None:
        order = an_order(lines=(a_line(), a_line(product_id="since")))
        assert [d.line.product_id for d in due(order, promise=self.PROMISE)] == ["prod_1"]

    @pytest.mark.parametrize("order", [an_order(), paid_with(refunds=(1_900,)), paid_with(disputes=("lost",))])
    def test_a_link_that_ran_out_has_run_out_whatever_happens_then(self, order: Order) -> None:
        later = self.PROMISE.until + timedelta(days=1)
        assert verdict(order, now=later, promise=self.PROMISE) == (ENDED, Why.EXPIRED)

    def test_access_comes_back_with_the_time_that_was_left(self) -> None:
        closed = Promise(("li_prod_1",), until=NOW + timedelta(days=5), closed_at=NOW)
        much_later = NOW + timedelta(days=60)
        [only] = due(paid_with(disputes=("won",)), now=much_later, promise=closed)
        assert (only.standing, only.until) == (ACCESS, much_later + timedelta(days=5))


def a_grant(line: str = "li_prod_1", *, days: float = 5, closed_at: datetime | None = None) -> Grant:
    return Grant(line, NOW + timedelta(days=days), "shop", ("file-1",), closed_at)


class TestEachLineLivesForItself:
    """A share as long as its longest line lets no other line live on."""

    SHORT, LONG = a_line(product_id="short"), a_line(product_id="long")
    LINES = ("li_short", "li_long")
    BOTH = Promise(LINES, NOW + timedelta(days=365), grants=(a_grant("li_short"), a_grant("li_long", days=365)))

    def look(self, *, days: float, promise: Promise = BOTH, **more: Any) -> list[tuple[Standing, Why]]:
        order = an_order(lines=(self.SHORT, self.LONG), payments=(a_payment(amount=3_800),))
        dues = due(replace(order, **more), now=NOW + timedelta(days=days), promise=promise)
        return [(one.standing, one.why) for one in dues]

    def test_each_ends_at_its_own_end(self) -> None:
        assert self.look(days=4) == [(ACCESS, Why.PAID), (ACCESS, Why.PAID)]
        assert self.look(days=6) == [(ENDED, Why.EXPIRED), (ACCESS, Why.PAID)]
        assert self.look(days=366) == [(ENDED, Why.EXPIRED), (ENDED, Why.EXPIRED)]

    def test_each_is_taken_back_and_comes_back_for_itself(self) -> None:
        taken = replace(self.BOTH, grants=(a_grant("li_short", closed_at=NOW), a_grant("li_long", days=365)))
        [short, long] = due(an_order(lines=(self.SHORT, self.LONG)), now=NOW + timedelta(days=60), promise=taken)
        assert short.until == NOW + timedelta(days=65)
        assert long.until == NOW + timedelta(days=365)

    def test_one_that_is_first_due_later_has_its_own_days_from_then(self) -> None:
        one_given = replace(self.BOTH, grants=(a_grant("li_long", days=365),))
        [short, _] = due(an_order(lines=(self.SHORT, self.LONG)), now=NOW + timedelta(days=60), promise=one_given)
        assert short.until == NOW + timedelta(days=67)

    def test_a_row_of_an_earlier_version_has_one_end_for_all(self) -> None:
        old = Promise(self.LINES, NOW + timedelta(days=365))
        assert self.look(days=6, promise=old) == [(ACCESS, Why.PAID), (ACCESS, Why.PAID)]


class TestCanceledSubscriptions:
    ENDS = PERIOD_END + timedelta(days=3)

    def look(self, *, ended: timedelta, now: timedelta, closed: bool = False, **policy: Any) -> tuple[Standing, Why]:
        """*ended* and *now* count from the period's end."""
        at = NOW if closed else None
        promise = Promise(("li_prod_1",), self.ENDS, grants=(replace(a_grant(), until=self.ENDS, closed_at=at),))
        order = subscribed("canceled", ended_at=PERIOD_END + ended)
        return verdict(order, now=PERIOD_END + now, promise=promise, **policy)

    @pytest.mark.parametrize("days", [0, -2.9, 1, 30])
    def test_one_that_ends_with_its_period_keeps_what_was_mailed_and_the_grace(self, days: float) -> None:
        assert self.look(ended=timedelta(days=days), now=timedelta(days=1)) == (ACCESS, Why.PAID)

    def test_one_that_is_cut_short_ends_at_once(self) -> None:
        assert self.look(ended=-timedelta(days=4), now=-timedelta(days=4)) == (ENDED, Why.SUBSCRIPTION_CANCELED)

    def test_the_seller_may_let_it_keep_the_time_that_was_paid_for(self) -> None:
        short = -timedelta(days=20)
        assert self.look(ended=short, now=short, keep_canceled=True) == (ACCESS, Why.PAID)
        over = timedelta(days=4)
        assert self.look(ended=short, now=over, keep_canceled=True) == (ENDED, Why.EXPIRED)

    @pytest.mark.parametrize("keep", [True, False])
    def test_what_was_on_hold_when_it_ended_does_not_come_back(self, keep: bool) -> None:  # noqa: FBT001
        after = timedelta(days=70)
        held = self.look(ended=after, now=after, closed=True, keep_canceled=keep)
        assert held == (ENDED, Why.SUBSCRIPTION_CANCELED)

    def test_what_went_on_hold_only_after_it_had_ended_comes_back(self) -> None:
        """Canceled and kept, then disputed: the simulation saw it end at the second look, and for good (seed 1)."""
        hour = timedelta(hours=1)
        grant = replace(a_grant(), until=self.ENDS, closed_at=NOW + 2 * hour)
        promise = Promise(("li_prod_1",), self.ENDS, grants=(grant,))
        order = subscribed("canceled", ended_at=NOW + hour)
        won = verdict(order, now=NOW + 3 * hour, promise=promise, keep_canceled=True)
        assert won == (ACCESS, Why.PAID)

    def test_the_seller_may_want_to_be_asked_about_what_is_paid_late(self) -> None:
        late = subscribed("canceled", over_for=timedelta(days=2))
        with pytest.raises(PaidLate):
            due(late, ask_when_paid_late=True)
        # Delivered before the seller chose so, it stays.
        promise = Promise(("li_prod_1",), PERIOD_END)
        assert verdict(late, promise=promise, ask_when_paid_late=True) == (ACCESS, Why.PAID)


class TestChangedPlans:
    """docs.stripe.com/billing/subscriptions/prorations."""

    PRO = a_line(product_id="pro", line_id="il_pro", period_end=PERIOD_END, amount=10_000)
    BASIC = a_line(product_id="basic", line_id="il_basic", period_end=PERIOD_END, amount=1_000)
    BACK = replace(PRO, id="il_back", amount=-9_000, credit=True, credits=("il_pro",), prorated=True)
    PROMISE = Promise(("il_pro",), PERIOD_END, grants=(replace(a_grant("il_pro"), until=PERIOD_END),))

    def bought(self, *later: Line) -> Order:
        order = an_invoice(lines=(self.PRO,), payments=(a_payment(amount=10_000),))
        return replace(order, total=10_000, later=(later,))

    def test_what_was_not_used_and_is_given_back_is_over(self) -> None:
        given_back = self.bought(self.BACK, self.BASIC)
        assert verdict(given_back, promise=self.PROMISE) == (ENDED, Why.CREDITED)
        assert verdict(given_back) == (ENDED, Why.CREDITED)

    def test_a_credit_without_names_is_for_the_same_product_and_period(self) -> None:
        nameless = replace(self.BACK, credits=())
        assert verdict(self.bought(nameless, self.BASIC), promise=self.PROMISE) == (ENDED, Why.CREDITED)
        other = replace(nameless, period_end=PERIOD_END + timedelta(days=30))
        assert verdict(self.bought(other, self.BASIC), promise=self.PROMISE) == (ACCESS, Why.PAID)

    def test_a_credit_for_another_line_ends_nothing(self) -> None:
        other = replace(self.BACK, credits=("il_other",))
        assert verdict(self.bought(other, self.BASIC), promise=self.PROMISE) == (ACCESS, Why.PAID)

    def test_one_seat_more_is_the_same_product_and_mails_no_second_link(self) -> None:
        two = replace(self.PRO, id="il_two", quantity=2, amount=20_000, prorated=True)
        assert verdict(self.bought(self.BACK, two), promise=self.PROMISE) == (ACCESS, Why.PAID)
        seats = an_invoice(order_id="in_2", lines=(self.BACK, two))
        assert verdict(seats) == (ENDED, Why.GIVEN_ALREADY)

    def test_the_same_product_for_longer_is_a_link_of_its_own(self) -> None:
        year = replace(self.PRO, id="il_year", period_end=PERIOD_END + timedelta(days=335), prorated=True)
        assert verdict(an_invoice(order_id="in_2", lines=(self.BACK, year))) == (ACCESS, Why.PAID)

    def test_what_was_used_up_before_the_invoice_was_written_comes_to_nobody_again(self) -> None:
        day = replace(self.PRO, id="il_day", period_end=NOW, prorated=True, amount=83)
        following = replace(an_invoice(lines=(day, self.BASIC)), created_at=NOW)
        assert [one.line.product_id for one in due(following)] == ["basic"]

    def test_alone_it_is_what_was_paid_for(self) -> None:
        day = replace(self.PRO, id="il_day", period_end=NOW, prorated=True, amount=83)
        assert verdict(replace(an_invoice(lines=(day,)), created_at=NOW)) == (ACCESS, Why.PAID)

    def test_what_the_subscription_has_and_nobody_billed_yet_is_there_already(self) -> None:
        new = replace(self.PRO, id="si_1.pro", added=True, amount=None)
        order = an_invoice(lines=(self.BASIC, new))
        promise = Promise(("il_basic",), PERIOD_END, grants=(replace(a_grant("il_basic"), until=PERIOD_END),))
        assert [(one.line.product_id, one.standing) for one in due(order, promise=promise)] == [
            ("basic", ACCESS),
            ("pro", ACCESS),
        ]


class TestMoneyKept:
    @pytest.mark.parametrize(
        ("order", "kept"),
        [
            (an_order(), True),
            (paid_with(refunds=(1_899,)), True),
            (paid_with(refunds=(1_900,)), False),
            (paid_with(disputes=("won",)), True),
            (paid_with(disputes=("warning_needs_response",)), True),
            (paid_with(disputes=("lost",)), False),
            # The bank has it until it has decided.
            (paid_with(disputes=("needs_response",)), False),
            (paid_with(status="processing"), False),
            (an_order(payments=(a_payment(disputes=("lost",)), a_payment())), True),
            (replace(an_order(), credited=1_900), False),
            (replace(an_order(), credited=1_899), True),
            # From a balance, or outside of Stripe.
            (an_invoice(payments=()), True),
            (an_invoice(payments=(), status="open"), False),
            (replace(an_invoice(payments=()), credited=1_900), False),
            (nothing_paid("canceled"), False),
            (free(0), False),
        ],
    )
    def test_money_is_kept_that_came_and_is_neither_given_back_nor_lost(
        self,
        order: Order,
        kept: bool,  # noqa: FBT001
    ) -> None:
        assert money_kept(order) is kept


def ended(order: Order) -> set[str]:
    return {d.line.product_id for d in due(order, end_on_partial_refund=True) if d.standing is ENDED}


def cart(*amounts: int, refunds: tuple[int, ...] = ()) -> Order:
    """Lines named after their place and price: `0:500`."""
    lines = tuple(a_line(product_id=f"{place}:{amount}", amount=amount) for place, amount in enumerate(amounts))
    return an_order(lines=lines, payments=(a_payment(amount=sum(amounts), refunds=refunds),))


class TestPartialRefunds:
    @pytest.mark.parametrize(
        ("order", "gone"),
        [
            # Exactly what one line cost is that line, cheap or dear.
            (cart(500, 900, refunds=(900,)), {"1:900"}),
            (cart(500, 900, refunds=(500,)), {"0:500"}),
            (cart(500, 900, 2_000, refunds=(500, 2_000)), {"0:500", "2:2000"}),
            # Nothing is covered.
            (cart(500, 900, refunds=(499,)), set()),
            # The cheapest first, never more than was refunded.
            (cart(500, 900, 2_000, refunds=(700,)), {"0:500"}),
            (cart(500, 900, 2_000, refunds=(1_400,)), {"0:500", "1:900"}),
            (cart(500, 900, 2_000, refunds=(250, 250)), {"0:500"}),
            # Two of one price: nobody can tell which, so neither; both when both are covered.
            (cart(500, 500, 900, refunds=(500,)), set()),
            (cart(500, 500, 900, refunds=(500, 500)), {"0:500", "1:500"}),
            # What cost nothing is not covered by a refund of something else.
            (cart(0, 900, 500, refunds=(500,)), {"2:500"}),
        ],
    )
    def test_a_refund_ends_the_lines_that_it_covers(self, order: Order, gone: set[str]) -> None:
        assert ended(order) == gone

    def test_unless_the_seller_chose_to_keep_them(self) -> None:
        assert all(d.standing is ACCESS for d in due(cart(500, 900, refunds=(900,))))

    def test_a_refund_of_a_mug_takes_no_file_away(self) -> None:
        lines = (a_line(product_id="mug", metadata={}, amount=900), a_line(amount=500))
        assert ended(an_order(lines=lines, payments=(a_payment(amount=1_400, refunds=(900,)),))) == set()

    carts = st.lists(st.integers(0, 6).map(lambda n: n * 100), min_size=1, max_size=6)

    def test_all_but_a_fee_is_all(self) -> None:
        assert ended(cart(1_900, refunds=(1_815,))) == {"0:1900"}
        assert ended(cart(1_900, refunds=(1_709,))) == set()
        assert ended(cart(1_000, 900, refunds=(1_815,))) == {"0:1000", "1:900"}
        # What a line cost is for that line, however little stays.
        assert ended(cart(4_900, 490, refunds=(4_900,))) == {"0:4900"}
        assert verdict(cart(1_900, refunds=(1_815,))) == (ACCESS, Why.PAID)

    @pytest.mark.parametrize(
        ("more", "gone"),
        [({"credited": 1_500}, {"0:1000", "1:500"}), ({"credited": 500, "credited_lines": ("li_1:500",)}, {"1:500"})],
    )
    def test_what_a_credit_note_gives_back_ends_what_it_is_for(self, more: dict[str, Any], gone: set[str]) -> None:
        assert ended(replace(cart(1_000, 500), **more)) == gone

    def test_a_credit_note_for_a_part_ends_nothing_unless_the_seller_wants_so(self) -> None:
        part = replace(cart(1_000, 500), credited=500, credited_lines=("li_1:500",))
        assert [one.standing for one in due(part)] == [ACCESS, ACCESS]
        assert {one.standing for one in due(replace(part, credited=1_500))} == {ENDED}

    # Of mutants that survived: three lines, and refunds of which one is for a single line's price.
    def test_a_refund_of_one_line_s_price_is_spent_on_that_line_only(self) -> None:
        assert ended(cart(10, 20, 30, refunds=(10, 25))) == {"0:10", "1:20"}

    @given(amounts=carts, data=st.data())
    def test_never_more_is_taken_than_was_refunded_and_a_further_refund_gives_nothing_back(
        self, amounts: list[int], data: st.DataObject
    ) -> None:
        before: set[str] = set()
        refunds: tuple[int, ...] = ()
        while left := sum(amounts) - sum(refunds):
            # After a few of any size all that is left, or one example is thousands of refunds of a cent.
            refunds += (left if len(refunds) == 6 else data.draw(st.integers(1, left)),)
            gone = ended(cart(*amounts, refunds=refunds))
            if (sum(amounts) - sum(refunds)) * 10 > sum(amounts):  # What stays is more than a fee.
                assert sum(int(name.partition(":")[2]) for name in gone) <= sum(refunds)
            assert before <= gone
            before = gone
        assert sum(amounts) == 0 or len(before) == len(amounts)


@given(
    payments=st.lists(
        st.builds(
            Payment,
            id=st.just("pi_1"),
            status=st.sampled_from(["succeeded", "canceled", "processing", "new word"]),
            amount=st.integers(0, 3),
            refunded=st.integers(0, 3),
            disputes=st.lists(st.sampled_from(["won", "lost", "needs_response", "new word"]), max_size=2).map(tuple),
            fraud_warning=st.booleans(),
        ),
        max_size=3,
    ).map(tuple)
)
def test_a_lost_dispute_or_an_open_one_never_leaves_access(payments: tuple[Payment, ...]) -> None:
    standing, _ = verdict(an_order(payments=payments))
    disputes = {status for payment in payments for status in payment.disputes}
    if disputes - {"won"}:
        assert standing is not ACCESS
    if "lost" in disputes:
        assert standing in (ENDED, NOTHING_YET)
