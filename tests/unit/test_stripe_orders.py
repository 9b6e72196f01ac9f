"""Stripe's JSON in, an order out; what lacks the answer to "refunded? disputed?" is no order."""

import contextlib
import copy
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from paidshare.orders import Line, Payment, Subscription
from paidshare.payments_stripe.fields import Json, id_in, page_of
from paidshare.payments_stripe.money import Credits, charge_of, credits_in, is_disputed, payment, refunds_on
from paidshare.payments_stripe.orders import (
    invoice_order,
    may_be_paid_until,
    products_on,
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


def a_subscription(*items: Json, **more: Any) -> Json:
    listed = {"data": list(items), "has_more": False}
    return {"id": "sub_1", "status": "active", "ended_at": None, "latest_invoice": "in_1", "items": listed} | more


def an_item(item_id: str, product: object, *, price: str = "price_9") -> Json:
    return {"id": item_id, "quantity": 1, "current_period_end": APRIL, "price": {"id": price, "product": product}}


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

    @pytest.mark.parametrize("subscription", ["sub_1", {"id": "sub_1", "status": "past_due"}])
    def test_an_invoice_names_its_subscription(self, subscription: object) -> None:
        parent = {"type": "subscription_details", "subscription_details": {"subscription": subscription}}
        assert subscription_of(an_invoice(parent=parent)) == "sub_1"

    @pytest.mark.parametrize(("ended_at", "read"), [(None, None), (0, datetime(1970, 1, 1, tzinfo=UTC))])
    def test_a_subscription_comes_with_its_status_and_when_it_was_over(
        self, ended_at: int | None, read: datetime | None
    ) -> None:
        found = invoice_order(
            an_invoice(), (), {}, (), subscription=a_subscription(status="canceled", ended_at=ended_at)
        )
        assert found.subscription == Subscription("sub_1", "canceled", read)

    @pytest.mark.parametrize(
        ("locale", "customer", "locales"),
        [
            ("de", None, ("de",)),
            (None, {"id": "cus_1", "preferred_locales": ["fr-CA", "en"]}, ("fr-CA", "en")),
            ("auto", {"id": "cus_1", "preferred_locales": ["fr"]}, ("auto", "fr")),
            # Not expanded, deleted, or none of either.
            (None, "cus_1", ()),
            (None, {"id": "cus_1", "deleted": True}, ()),
            (None, {"id": "cus_1", "preferred_locales": None}, ()),
            (7, {"id": "cus_1", "preferred_locales": [None, ""]}, ()),
        ],
    )
    def test_what_the_buyer_reads_is_the_session_s_or_the_customer_s_word(
        self, locale: object, customer: object, locales: tuple[str, ...]
    ) -> None:
        session = a_session(locale=locale, customer=customer)
        assert session_order(session, (), ()).sale.locales == locales

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("https://invoice.stripe.com/i/in_1", "https://invoice.stripe.com/i/in_1"),
            ("http://invoice.stripe.com/i/in_1", ""),
            ("javascript:alert(1)", ""),
            ("https://invoice.stripe.com/\nBcc:", ""),
            (7, ""),
            (None, ""),
        ],
    )
    def test_a_receipt_is_a_page_on_the_web_or_none(self, url: object, shown: str) -> None:
        assert invoice_order(an_invoice(hosted_invoice_url=url), (), {}, ()).sale.receipt_url == shown

    def test_a_session_s_receipt_is_its_payment_s(self) -> None:
        paid = payment(an_intent(), a_charge(receipt_url="https://pay.stripe.com/receipts/1"))
        assert session_order(a_session(), (), [paid]).sale.receipt_url == "https://pay.stripe.com/receipts/1"

    @pytest.mark.parametrize(
        ("reason", "renewal"),
        [("subscription_cycle", True), ("subscription_create", False), ("manual", False), (None, False)],
    )
    def test_a_further_period_is_a_renewal(self, reason: object, renewal: bool) -> None:  # noqa: FBT001
        assert invoice_order(an_invoice(billing_reason=reason), (), {}, ()).sale.renewal is renewal

    @pytest.mark.parametrize("parent", [None, {"type": "quote_details", "subscription_details": None}])
    def test_an_invoice_of_its_own_has_no_subscription(self, parent: object) -> None:
        assert subscription_of(an_invoice(parent=parent)) is None

    @pytest.mark.parametrize("subscription", [None, {"status": "active"}])
    def test_an_invoice_that_does_not_name_its_subscription_is_not_readable(self, subscription: object) -> None:
        with pytest.raises(UNREADABLE):
            subscription_of(an_invoice(parent={"subscription_details": {"subscription": subscription}}))

    @pytest.mark.parametrize("odd", [{"status": None}, {"id": None}, {"items": None}])
    def test_a_subscription_that_does_not_say_what_it_is_is_not_readable(self, odd: dict[str, Any]) -> None:
        with pytest.raises(UNREADABLE):
            invoice_order(an_invoice(), (), {}, (), subscription=a_subscription(**odd))


class TestChangedPlans:
    """docs.stripe.com/billing/subscriptions/prorations: by default a change is billed with the next period."""

    BASIC: ClassVar[Json] = {"id": "prod_1", "name": "Basic", "metadata": GUIDE}
    PRO: ClassVar[Json] = {"id": "prod_2", "name": "Pro", "metadata": GUIDE}

    def read(self, *products: str, invoice: str = "in_1", **more: Any) -> tuple[Line, ...]:
        items = [an_item(f"si_{number}", product) for number, product in enumerate(products)]
        subscription = a_subscription(*items, latest_invoice=invoice, **more)
        known = {"prod_1": self.BASIC, "prod_2": self.PRO}
        line = an_invoice_line("subscription_item_details")
        return invoice_order(an_invoice(), [line], known, (), subscription=subscription).lines

    def test_what_the_subscription_has_by_now_is_on_its_newest_invoice_too(self) -> None:
        basic, pro = self.read("prod_2")
        assert (basic.product_name, basic.added) == ("Basic", False)
        assert (pro.product_name, pro.added, pro.metadata, pro.amount) == ("Pro", True, GUIDE, None)
        assert (pro.id, pro.period_end) == ("si_0.prod_2", datetime.fromtimestamp(APRIL, UTC))

    def test_what_is_billed_is_there_once(self) -> None:
        assert [line.product_name for line in self.read("prod_1")] == ["Basic"]

    def test_an_older_invoice_has_what_it_billed(self) -> None:
        assert [line.product_name for line in self.read("prod_2", invoice="in_2")] == ["Basic"]

    @pytest.mark.parametrize("status", ["past_due", "unpaid", "canceled", "paused", "incomplete"])
    def test_a_subscription_that_is_behind_has_what_it_paid_for(self, status: str) -> None:
        assert [line.product_name for line in self.read("prod_2", status=status)] == ["Basic"]

    def test_the_products_of_both_are_asked_for(self) -> None:
        subscription = a_subscription(an_item("si_1", "prod_2"), an_item("si_2", {"id": "prod_1"}))
        assert products_on([an_invoice_line()], subscription) == ["prod_1", "prod_2"]

    def test_a_credit_names_the_lines_that_it_gives_back(self) -> None:
        credit = an_invoice_line("subscription_item_details", amount=-450)
        credited = {"invoice": "in_0", "invoice_line_items": ["il_0", None]}
        details = {"proration": True, "proration_details": {"credited_items": credited}}
        credit["parent"]["subscription_item_details"] = details
        [line] = invoice_order(an_invoice(), [credit], {"prod_1": PRODUCT}, ()).lines
        assert (line.credit, line.credits, line.prorated) == (True, ("il_0",), True)

    def test_only_invoices_that_give_something_back_matter_to_an_older_one(self) -> None:
        credit, charge = an_invoice_line(amount=-450), an_invoice_line()
        found = invoice_order(an_invoice(), (), {}, (), later=[[charge], [credit, charge]])
        assert [[line.credit for line in lines] for lines in found.later] == [[True, False]]


class TestCreditNotes:
    """docs.stripe.com/invoicing/integration/programmatic-credit-notes."""

    def note(self, *lines: tuple[str, int], status: str = "issued", refunds: tuple[int, ...] = ()) -> Json:
        shown = [{"id": "cnli_1", "invoice_line_item": line, "amount": amount} for line, amount in lines]
        back = [{"amount_refunded": amount, "refund": "re_1"} for amount in refunds]
        return {"id": "cn_1", "status": status, "refunds": back, "lines": {"data": shown, "has_more": False}}

    def read(self, back: int, *notes: Json) -> Credits:
        return credits_in(an_invoice(post_payment_credit_notes_amount=back), [an_invoice_line()], notes)

    def test_money_that_went_to_a_balance_is_money_back(self) -> None:
        assert self.read(900, self.note()) == Credits(900)

    def test_what_a_note_refunded_counts_as_a_refund_only(self) -> None:
        assert self.read(900, self.note(refunds=(600,))) == Credits(300)
        assert self.read(900, self.note(refunds=(600, 300))) == Credits(0)

    def test_a_line_is_covered_by_notes_for_all_of_it(self) -> None:
        assert self.read(900, self.note(("il_1", 899))).lines == ()
        assert self.read(900, self.note(("il_1", 500)), self.note(("il_1", 400))).lines == ("il_1",)

    def test_a_void_note_gives_nothing(self) -> None:
        assert self.read(0, self.note(("il_1", 900), status="void")) == Credits(0)

    @pytest.mark.parametrize(("lowered", "total"), [(None, 900), (0, 900), (400, 500)])
    def test_a_note_before_the_payment_lowers_what_had_to_be_paid(self, lowered: int | None, total: int) -> None:
        assert invoice_order(an_invoice(pre_payment_credit_notes_amount=lowered), (), {}, ()).total == total


class TestAddresses:
    @pytest.mark.parametrize(
        ("metadata", "email"),
        [
            ({"paidshare_email": " right@example.com "}, "right@example.com"),
            ({"paidshare_email": ""}, "ada@example.com"),
            ({"other": "x"}, "ada@example.com"),
            (None, "ada@example.com"),
        ],
    )
    def test_an_address_that_the_seller_corrected_is_the_order_s(self, metadata: object, email: str) -> None:
        details = {"email": "ada@example.com"}
        assert invoice_order(an_invoice(metadata=metadata), (), {}, ()).email == email
        assert session_order(a_session(metadata=metadata, customer_details=details), (), ()).email == email


class TestSubscribedWithoutAnInvoice:
    """docs.stripe.com/payments/checkout/billing-cycle: no invoice is written where nothing is due yet."""

    def test_what_repeats_lasts_until_the_subscription_s_first_period_ends(self) -> None:
        session = a_session(mode="subscription", invoice=None, payment_status="no_payment_required")
        subscription = a_subscription(an_item("si_1", "prod_1", price="price_1"))
        once = a_session_line(id="li_2", price={"id": "price_2", "product": PRODUCT})
        found = session_order(session, [a_session_line(), once], (), subscription=subscription)
        assert [line.period_end for line in found.lines] == [datetime.fromtimestamp(APRIL, UTC), None]
        assert found.subscription == Subscription("sub_1", "active")


class TestPartialCaptures:
    """What was reserved and not captured is no refund: docs.stripe.com/payments/place-a-hold-on-a-payment-method."""

    def read(self, *refunds: int, back: int, captured: int = 600) -> Payment:
        charge = a_charge(amount=1_000, amount_captured=captured, captured=True, amount_refunded=back)
        return payment(an_intent(), charge, refunds=[a_refund(one) for one in refunds][::-1])

    @pytest.mark.parametrize("released", [(), (400,)])
    def test_a_release_is_no_refund_whether_stripe_lists_it_as_one_or_not(self, released: tuple[int, ...]) -> None:
        found = self.read(*released, back=400)
        assert (found.amount, found.refunded, found.refunds) == (600, 0, ())

    def test_what_is_refunded_of_the_capture_is_a_refund(self) -> None:
        found = self.read(400, 100, back=500)
        assert (found.amount, found.refunded, found.refunds) == (600, 100, (100,))

    def test_all_of_the_capture_refunded_is_all_of_the_payment(self) -> None:
        found = self.read(400, 600, back=1_000)
        assert (found.amount, found.refunded, found.refunds) == (600, 600, (600,))

    def test_a_full_capture_is_as_ever(self) -> None:
        found = self.read(400, back=400, captured=1_000)
        assert (found.amount, found.refunded, found.refunds) == (1_000, 400, (400,))


class TestPayments:
    def test_before_the_first_attempt_there_is_no_money(self) -> None:
        intent = an_intent(status="requires_payment_method", latest_charge=None)
        assert charge_of(intent) is None
        assert payment(intent, None) == Payment("pi_1", "requires_payment_method")

    def test_it_was_made_when_its_charge_was(self) -> None:
        assert payment(an_intent(), a_charge(created=1_790_000_000)).at == datetime.fromtimestamp(1_790_000_000, UTC)
        assert payment(an_intent(), None).at is None

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
