"""Stripe's JSON in, an order out; what lacks the answer to "refunded? disputed?" is no order."""

import contextlib
import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from paidshare.orders import Line, Payment, Subscription
from paidshare.stripe_orders import (
    Json,
    charge_of,
    id_in,
    invoice_order,
    is_disputed,
    may_be_paid_until,
    page_of,
    payment,
    products_on,
    refunds_on,
    session_order,
    subscription_of,
)

GUIDE = {"fastio_workspace": "Shop", "fastio_files": "node-1"}
PRODUCT = {"id": "prod_1", "object": "product", "name": "Field guide", "metadata": GUIDE}
MARCH = 1_772_323_200
APRIL = 1_775_001_600

UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What the adapter takes for "ask again": anything else would be a bug that nobody catches."""


def a_session(**more: Any) -> Json:
    return {"id": "cs_test_1", "mode": "payment", "status": "complete", "payment_status": "paid"} | more


def a_session_line(**more: Any) -> Json:
    return {"id": "li_1", "quantity": 1, "amount_total": 900, "price": {"id": "price_1", "product": PRODUCT}} | more


def an_invoice(**more: Any) -> Json:
    return {"id": "in_1", "livemode": False, "status": "paid", "customer_email": "ada@example.com", "total": 900} | more


def an_invoice_line(parent: str | None = "invoice_item_details", **more: Any) -> Json:
    line = {"id": "il_1", "quantity": 1, "amount": 900, "parent": {"type": parent} if parent else None}
    priced = {"type": "price_details", "price_details": {"price": "price_1", "product": "prod_1"}}
    return line | {"pricing": priced, "period": {"start": MARCH, "end": APRIL}} | more


def an_intent(**more: Any) -> Json:
    return {"id": "pi_1", "status": "succeeded", "latest_charge": a_charge()} | more


def a_charge(**more: Any) -> Json:
    return {"id": "ch_1", "amount": 900, "amount_refunded": 0, "refunded": False, "disputed": False} | more


def a_refund(amount: int, status: str = "succeeded") -> Json:
    return {"id": f"re_{amount}", "amount": amount, "status": status}


class TestSessions:
    def read(self, session: Json, *lines: Json) -> tuple[Line, ...]:
        return session_order(session, lines, ()).lines

    def test_a_line_costs_what_its_total_says(self) -> None:
        line = a_session_line(amount_subtotal=1200, amount_discount=300, amount_total=900)
        assert self.read(a_session(), line) == (Line("prod_1", "Field guide", 1, GUIDE, "li_1", 900),)

    def test_a_line_that_is_given_away_costs_nothing(self) -> None:
        assert self.read(a_session(), a_session_line(amount_total=0))[0].amount == 0

    def test_a_product_that_was_deleted_is_a_line_that_says_so(self) -> None:
        gone = {"id": "prod_gone", "object": "product", "deleted": True}
        line = a_session_line(price={"id": "price_1", "product": gone}, description="Field guide")
        assert self.read(a_session(), line) == (Line("prod_gone", "Field guide", 1, {}, "li_1", 900, deleted=True),)

    @pytest.mark.parametrize("price", ["price_1", {"id": "price_1"}, {"id": "price_1", "product": "prod_1"}])
    def test_a_price_without_its_product_is_not_readable(self, price: object) -> None:
        with pytest.raises(UNREADABLE):
            self.read(a_session(), a_session_line(price=price))

    def test_only_a_subscriptions_session_is_kept_under_its_invoice(self) -> None:
        assert session_order(a_session(invoice="in_1"), (), ()).same_as is None
        assert session_order(a_session(mode="subscription", invoice="in_1"), (), ()).same_as == "in_1"
        assert session_order(a_session(mode="subscription", invoice={"id": "in_1"}), (), ()).same_as == "in_1"
        assert session_order(a_session(mode="subscription", invoice=None), (), ()).same_as is None

    def test_a_session_without_an_id_is_not_readable(self) -> None:
        with pytest.raises(UNREADABLE):
            session_order({"mode": "payment"}, (), ())


class TestInvoices:
    def line(self, line: Json, **products: Json) -> Line:
        return invoice_order(an_invoice(), [line], products or {"prod_1": PRODUCT}, ()).lines[0]

    def test_an_invoices_status_says_both_how_it_is_and_whether_it_is_paid(self) -> None:
        order = invoice_order(an_invoice(status="open"), (), {}, ())
        assert (order.mode, order.status, order.payment_status) == ("invoice", "open", "open")
        assert (order.email, order.total) == ("ada@example.com", 900)

    @pytest.mark.parametrize(
        ("more", "amount"),
        [
            ({}, 900),
            ({"discount_amounts": None, "taxes": None}, 900),
            ({"discount_amounts": [{"amount": 100}, {"amount": 50}]}, 750),
            ({"taxes": [{"amount": 171, "tax_behavior": "exclusive"}]}, 1071),
            ({"taxes": [{"amount": 144, "tax_behavior": "inclusive"}]}, 900),
            (
                {"discount_amounts": [{"amount": 900}], "taxes": [{"amount": 0, "tax_behavior": "exclusive"}]},
                0,
            ),
            ({"amount": -450}, -450),  # A credit for what was not used.
            ({"amount": None}, None),
        ],
    )
    def test_a_line_costs_its_amount_without_discounts_and_with_the_taxes_on_top(
        self, more: dict[str, Any], amount: int | None
    ) -> None:
        assert self.line(an_invoice_line(**more)).amount == amount

    def test_only_what_a_subscription_pays_for_has_an_end(self) -> None:
        assert self.line(an_invoice_line("subscription_item_details")).period_end == datetime(2026, 4, 1, tzinfo=UTC)
        assert self.line(an_invoice_line("invoice_item_details")).period_end is None
        assert self.line(an_invoice_line(parent=None)).period_end is None

    @pytest.mark.parametrize("period", [None, {}, {"end": None}, {"end": "1775001600"}, {"end": 10**30}])
    def test_a_subscriptions_line_without_its_end_would_never_end(self, period: object) -> None:
        with pytest.raises(UNREADABLE):
            self.line(an_invoice_line("subscription_item_details", period=period))

    @pytest.mark.parametrize("parent", ["invoice_item_details", "subscription_item_details"])
    def test_the_rest_of_a_period_after_a_change_of_plan_ends_with_the_period(self, parent: str) -> None:
        line = an_invoice_line(parent)
        line["parent"][parent] = {"proration": True, "proration_details": {"credited_items": None}}
        read = self.line(line)
        assert read.period_end == datetime.fromtimestamp(APRIL, UTC)
        assert not read.credit

    @pytest.mark.parametrize("amount", [-900, 0])
    def test_what_gives_back_an_unused_rest_is_a_credit_even_when_it_was_worth_nothing(self, amount: int) -> None:
        line = an_invoice_line("subscription_item_details", amount=amount)
        credited = {"invoice": "in_0", "invoice_line_items": ["il_0"]}
        line["parent"]["subscription_item_details"] = {"proration_details": {"credited_items": credited}}
        assert self.line(line).credit

    def test_money_back_under_a_discount_is_a_credit_too(self) -> None:
        line = an_invoice_line(amount=-900, discount_amounts=[{"amount": -900}])
        assert self.line(line).credit

    def test_an_invoice_says_when_it_was_paid(self) -> None:
        paid = an_invoice(status_transitions={"paid_at": MARCH})
        assert invoice_order(paid, [], {}, []).paid_at == datetime.fromtimestamp(MARCH, UTC)
        assert invoice_order(an_invoice(), [], {}, []).paid_at is None

    def test_a_product_that_stripe_does_not_list_was_deleted(self) -> None:
        line = self.line(an_invoice_line(description="Field guide"), prod_other=PRODUCT)
        assert line == Line("prod_1", "Field guide", 1, {}, "il_1", 900, deleted=True)

    def test_a_line_without_a_price_has_no_product(self) -> None:
        line = self.line(an_invoice_line(pricing=None, description="Thanks"))
        assert line == Line("", "Thanks", 1, {}, "il_1", 900)

    def test_a_price_without_a_product_is_not_readable(self) -> None:
        with pytest.raises(UNREADABLE):
            self.line(an_invoice_line(pricing={"price_details": {"price": "price_1"}}))

    def test_every_product_is_wanted_once(self) -> None:
        lines = [an_invoice_line(), an_invoice_line(), an_invoice_line(pricing=None)]
        assert products_on(lines) == ["prod_1"]

    def test_a_subscription_comes_with_its_status(self) -> None:
        details = {"subscription": {"id": "sub_1", "status": "past_due"}}
        parent = {"type": "subscription_details", "subscription_details": details}
        assert subscription_of(an_invoice(parent=parent)) == Subscription("sub_1", "past_due")

    @pytest.mark.parametrize("parent", [None, {"type": "quote_details", "subscription_details": None}])
    def test_an_invoice_of_its_own_has_no_subscription(self, parent: object) -> None:
        assert subscription_of(an_invoice(parent=parent)) is None

    @pytest.mark.parametrize("subscription", ["sub_1", None, {"id": "sub_1"}, {"status": "active"}])
    def test_a_subscription_without_its_status_is_not_readable(self, subscription: object) -> None:
        with pytest.raises(UNREADABLE):
            subscription_of(an_invoice(parent={"subscription_details": {"subscription": subscription}}))


class TestPayments:
    def test_before_the_first_attempt_there_is_no_money(self) -> None:
        intent = an_intent(status="requires_payment_method", latest_charge=None)
        assert charge_of(intent) is None
        assert payment(intent, None) == Payment("pi_1", "requires_payment_method")

    def test_refunds_come_in_the_order_in_which_they_were_made(self) -> None:
        newest_first = [a_refund(300), a_refund(200), a_refund(100)]
        paid = payment(an_intent(), a_charge(amount_refunded=600), refunds=newest_first)
        assert (paid.amount, paid.refunded, paid.refunds) == (900, 600, (100, 200, 300))

    def test_a_refund_that_failed_or_was_canceled_is_none(self) -> None:
        made = [a_refund(1, "failed"), a_refund(2, "canceled"), a_refund(3, "pending"), a_refund(4, "requires_action")]
        assert payment(an_intent(), a_charge(amount_refunded=7), refunds=made).refunds == (4, 3)

    def test_a_refund_that_failed_counts_no_more_even_where_the_charge_still_says_refunded(self) -> None:
        charge = a_charge(refunded=True, amount_refunded=900)
        assert payment(an_intent(), charge, refunds=[a_refund(900, "failed")]).refunded == 0
        both = [a_refund(400), a_refund(500, "canceled")]
        assert payment(an_intent(), charge, refunds=both).refunded == 400

    def test_a_payment_that_is_refunded_is_refunded_whole(self) -> None:
        assert payment(an_intent(), a_charge(refunded=True, amount_refunded=0)).refunded == 900

    def test_every_dispute_counts(self) -> None:
        disputes = [{"status": "lost"}, {"status": "warning_closed"}]
        assert payment(an_intent(), a_charge(disputed=True), disputes=disputes).disputes == ("lost", "warning_closed")

    @pytest.mark.parametrize(
        ("actionable", "report", "warned"),
        [
            ([True], None, True),
            ([False, True], None, True),
            ([True], "fraudulent", True),
            ([True], "safe", False),
            ([False], None, False),
            ([], None, False),
        ],
    )
    def test_a_warning_counts_while_something_can_be_done_and_the_seller_does_not_call_it_safe(
        self, *, actionable: list[bool], report: str | None, warned: bool
    ) -> None:
        charge = a_charge(fraud_details={"user_report": report} if report else {})
        warnings = [{"actionable": one} for one in actionable]
        assert payment(an_intent(), charge, warnings=warnings).fraud_warning is warned

    @pytest.mark.parametrize("charge", ["ch_1", {}, {"object": "charge"}])
    def test_a_charge_that_is_only_named_is_not_readable(self, charge: object) -> None:
        with pytest.raises(UNREADABLE):
            charge_of(an_intent(latest_charge=charge))

    def test_a_payment_that_does_not_say_whether_it_was_charged_is_not_readable(self) -> None:
        with pytest.raises(UNREADABLE):
            charge_of({"id": "pi_1", "status": "succeeded"})

    @pytest.mark.parametrize("key", ["amount", "amount_refunded", "refunded", "disputed"])
    @pytest.mark.parametrize("value", [None, "0", "false", [], 1.5])
    def test_a_charge_that_does_not_say_what_became_of_it_is_not_readable(self, key: str, value: object) -> None:
        with pytest.raises(UNREADABLE):
            payment(an_intent(), a_charge(**{key: value}))

    def test_a_dispute_that_is_not_shown_is_not_readable(self) -> None:
        with pytest.raises(UNREADABLE):
            payment(an_intent(), a_charge(disputed=True))

    def test_a_dispute_without_a_status_is_not_readable(self) -> None:
        with pytest.raises(UNREADABLE):
            payment(an_intent(), a_charge(disputed=True), disputes=[{"status": None}])

    def test_refunds_may_be_left_out_only_when_there_are_none(self) -> None:
        assert refunds_on(a_charge()).items == []
        with pytest.raises(UNREADABLE):
            refunds_on(a_charge(amount_refunded=100))
        with pytest.raises(UNREADABLE):
            refunds_on(a_charge(amount_refunded=None))


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    keys: list[Any] = list(value) if isinstance(value, dict) else []
    keys += range(len(value)) if isinstance(value, list) else ()
    inside = [one for key in keys for one in _paths(value[key], (*path, key))]  # type: ignore[index]  # It has keys.
    return [path, *inside] if path else inside


LOST = an_intent(
    latest_charge=a_charge(
        refunded=True,
        amount_refunded=900,
        disputed=True,
        refunds={"data": [a_refund(900)], "has_more": False},
    )
)


JUNK: list[object] = ["gone", None, "x", [], {}]
DAMAGE = [
    (path, junk)
    for path in _paths(LOST)
    for junk in JUNK
    if (path, junk) != (("latest_charge",), None)  # That is how Stripe says that nothing was tried.
]


class TestDamage:
    """A payment that was refunded and lost in a dispute, with one part of it missing or wrong."""

    @pytest.mark.parametrize(("path", "junk"), DAMAGE, ids=lambda value: repr(value)[:60])
    def test_a_damaged_answer_never_reads_as_money_that_stayed(self, path: tuple[str | int, ...], junk: object) -> None:
        damaged = copy.deepcopy(LOST)
        parent: Any = damaged
        for key in path[:-1]:
            parent = parent[key]
        if junk == "gone":
            del parent[path[-1]]
        else:
            parent[path[-1]] = junk
        with contextlib.suppress(*UNREADABLE):
            charge = charge_of(damaged)
            assert charge is not None
            disputes = [{"status": "lost"}] if is_disputed(charge) else []
            read = payment(damaged, charge, refunds=refunds_on(charge).items, disputes=disputes)
            assert (read.refunded, read.disputes) == (900, ("lost",))


class TestLists:
    @pytest.mark.parametrize(
        "value", [None, "li_1", [], {}, {"data": []}, {"data": None, "has_more": False}, {"has_more": False}]
    )
    def test_what_does_not_say_whether_it_goes_on_is_no_list(self, value: object) -> None:
        with pytest.raises(UNREADABLE):
            page_of(value)

    @pytest.mark.parametrize(
        ("ends", "more", "recent"),
        [
            ([MARCH], False, False),
            ([MARCH, APRIL], False, True),
            ([APRIL - 1], False, False),
            ([APRIL], False, True),
            # Not shown is not too old.
            ([MARCH], True, True),
            ([], False, True),
        ],
    )
    def test_an_invoice_is_too_old_when_its_last_period_is(self, *, ends: list[int], more: bool, recent: bool) -> None:
        lines = {"data": [{"period": {"start": 0, "end": end}} for end in ends], "has_more": more}
        assert may_be_paid_until({"id": "in_1", "lines": lines}, datetime.fromtimestamp(APRIL, UTC)) is recent

    @pytest.mark.parametrize(
        ("field", "expected"), [("pi_1", "pi_1"), ({"id": "pi_1"}, "pi_1"), (None, None), ("", None)]
    )
    def test_an_id_is_found_in_a_field_that_holds_it_or_the_object_itself(
        self, field: object, expected: str | None
    ) -> None:
        assert id_in(field) == expected
