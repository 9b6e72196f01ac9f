"""What became of the money and the goods: told by the stand-in over real HTTP, read by the real adapter."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.hosting.serving import serving
from local.stripe.server import stripe_app
from paidshare.errors import OrderUnknown, StripeUnavailable
from paidshare.orders import Payment
from paidshare.payments_stripe import StripePayments
from tests.stripe_world import BUYER, GUIDE, KEY, SESSION, SESSIONS, StripeWorld

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
CHARGE = "charges/*"
DISPUTES = "disputes"
INTENT = "payment_intents/*"
INVOICE = "invoices/*"
INVOICES = "invoices"
INVOICE_PAYMENTS = "invoice_payments"
LINES = "invoices/*/lines"
PRODUCTS = "products"
SUBSCRIPTION = "subscriptions/*"
REFUNDS = "refunds"
WARNINGS = "radar/early_fraud_warnings"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stripe(clock: Clock) -> Iterator[StripeWorld]:
    """As everywhere, in January 2026."""
    with serving(stripe_app(keys=[KEY], clock=clock)) as url:
        world = StripeWorld(url)
        yield world
        world.close()


@pytest.fixture
def watchful(stripe: StripeWorld) -> Iterator[StripePayments]:
    """The adapter that asks for early fraud warnings too."""
    adapter = StripePayments(api_key=lambda: KEY, api_base=stripe.url, timeout_s=30.0, fraud_warnings=True)
    yield adapter
    adapter.close()


def paid(stripe: StripeWorld, order_id: str) -> Payment:
    (payment,) = stripe.order(order_id).payments
    return payment


class TestRefunds:
    def test_a_sale_that_nobody_took_back_costs_one_call(self, stripe: StripeWorld) -> None:
        sale = stripe.pay()
        assert paid(stripe, sale["session"]) == Payment(sale["payment_intent"], "succeeded", 900)
        assert stripe.asked() == [SESSION]

    def test_partial_refunds_are_told_one_by_one_in_their_order(self, stripe: StripeWorld) -> None:
        sale = stripe.pay()
        for amount in (100, 50, 200):
            stripe.control("/_refund", {"session": sale["session"], "amount": amount})

        payment = paid(stripe, sale["session"])

        assert (payment.amount, payment.refunded, payment.refunds) == (900, 350, (100, 50, 200))
        assert stripe.asked() == [SESSION]

    def test_a_full_refund_is_all_of_it(self, stripe: StripeWorld) -> None:
        sale = stripe.pay()
        stripe.control("/_refund", {"session": sale["session"]})
        payment = paid(stripe, sale["session"])
        assert (payment.refunded, payment.refunds) == (900, (900,))

    def test_a_refund_counts_from_the_day_it_is_asked_for(self, stripe: StripeWorld) -> None:
        sale = stripe.pay()
        stripe.control("/_refund", {"session": sale["session"], "status": "pending"})
        assert paid(stripe, sale["session"]).refunded == 900

    @pytest.mark.parametrize("status", ["failed", "canceled"])
    def test_a_refund_that_fails_later_gives_the_money_back(self, stripe: StripeWorld, status: str) -> None:
        sale = stripe.pay()
        stripe.control("/_refund", {"session": sale["session"], "amount": 100})
        refund = stripe.control("/_refund", {"session": sale["session"]})["refund"]
        assert paid(stripe, sale["session"]).refunded == 900

        stripe.control("/_refund_update", {"refund": refund, "status": status})

        payment = paid(stripe, sale["session"])
        assert (payment.refunded, payment.refunds) == (100, (100,))

    def test_more_refunds_than_a_page_cost_one_call_more(self, stripe: StripeWorld) -> None:
        sale = stripe.pay()
        for amount in range(1, 13):
            stripe.control("/_refund", {"session": sale["session"], "amount": amount})
        assert paid(stripe, sale["session"]).refunds == tuple(range(1, 13))
        assert stripe.asked() == [SESSION, REFUNDS]


class TestDisputes:
    def test_a_dispute_is_asked_for_once_there_is_one(self, stripe: StripeWorld) -> None:
        sale = stripe.pay()
        dispute = stripe.control("/_dispute", {"session": sale["session"]})["dispute"]
        assert paid(stripe, sale["session"]).disputes == ("needs_response",)
        assert stripe.asked() == [SESSION, DISPUTES]

        stripe.control("/_dispute_update", {"dispute": dispute, "status": "won"})

        assert paid(stripe, sale["session"]).disputes == ("won",)

    def test_an_inquiry_is_told_as_one(self, stripe: StripeWorld) -> None:
        sale = stripe.pay()
        stripe.control("/_dispute", {"session": sale["session"], "status": "warning_needs_response"})
        assert paid(stripe, sale["session"]).disputes == ("warning_needs_response",)

    def test_every_dispute_of_a_payment_is_told(self, stripe: StripeWorld) -> None:
        sale = stripe.pay()
        first = stripe.control("/_dispute", {"session": sale["session"]})["dispute"]
        stripe.control("/_dispute_update", {"dispute": first, "status": "won"})
        stripe.control("/_dispute", {"session": sale["session"]})
        assert sorted(paid(stripe, sale["session"]).disputes) == ["needs_response", "won"]

    @pytest.mark.parametrize(
        "answer",
        [
            {"object": "list", "data": [], "has_more": False, "url": "/v1/disputes"},
            {"object": "list", "has_more": False, "url": "/v1/disputes"},
            {"object": "list", "data": [], "has_more": True, "url": "/v1/disputes"},
            {"hello": "world"},
        ],
    )
    def test_a_dispute_that_cannot_be_seen_is_asked_for_again(self, stripe: StripeWorld, answer: object) -> None:
        sale = stripe.pay()
        stripe.control("/_dispute", {"session": sale["session"]})
        stripe.fault(200, match="GET /v1/disputes", body=answer)
        with pytest.raises(StripeUnavailable, match="not readable"):
            stripe.payments.order(sale["session"])


class TestWarnings:
    def warned(self, stripe: StripeWorld) -> dict[str, Any]:
        sale = stripe.pay()
        stripe.control("/_warn", {"session": sale["session"]})
        return sale

    def test_a_warning_is_asked_for_only_where_it_matters(self, stripe: StripeWorld, watchful: StripePayments) -> None:
        sale = self.warned(stripe)

        assert not paid(stripe, sale["session"]).fraud_warning
        assert stripe.asked() == [SESSION]
        assert watchful.order(sale["session"]).payments[0].fraud_warning
        assert stripe.asked() == [SESSION, WARNINGS]

    def test_a_sale_without_a_warning_has_none(self, stripe: StripeWorld, watchful: StripePayments) -> None:
        assert not watchful.order(stripe.pay()["session"]).payments[0].fraud_warning

    @pytest.mark.parametrize("settled_by", ["/_refund", "/_dispute"])
    def test_a_warning_that_something_came_of_is_none(
        self, stripe: StripeWorld, watchful: StripePayments, settled_by: str
    ) -> None:
        sale = self.warned(stripe)
        stripe.control(settled_by, {"session": sale["session"]})
        assert not watchful.order(sale["session"]).payments[0].fraud_warning

    def test_the_sellers_word_ends_a_warning(self, stripe: StripeWorld, watchful: StripePayments) -> None:
        sale = self.warned(stripe)
        stripe.sdk().v1.charges.update(sale["charge"], {"fraud_details": {"user_report": "safe"}})
        stripe.asked()
        assert not watchful.order(sale["session"]).payments[0].fraud_warning
        assert stripe.asked() == [SESSION]


class TestSessions:
    def test_a_line_has_its_id_and_what_it_cost_after_its_discount(self, stripe: StripeWorld) -> None:
        sale = stripe.pay(quantity=2, discount=300)
        (line,) = stripe.order(sale["session"]).lines
        assert (line.quantity, line.amount) == (2, 1500)
        assert line.id.startswith("li_")

    def test_a_payment_on_its_way_is_no_money_yet(self, stripe: StripeWorld) -> None:
        sale = stripe.pay(late=True)
        order = stripe.order(sale["session"])
        assert order.payment_status == "unpaid"
        assert [payment.status for payment in order.payments] == ["processing"]

        stripe.control("/_fail", {"session": sale["session"]})

        order = stripe.order(sale["session"])
        assert order.payment_status == "unpaid"
        assert [payment.status for payment in order.payments] == ["requires_payment_method"]

    def test_what_is_given_away_has_no_payment(self, stripe: StripeWorld) -> None:
        order = stripe.order(stripe.pay(payment_status="no_payment_required", discount=900)["session"])
        assert (order.payment_status, order.total, order.payments) == ("no_payment_required", 0, ())
        assert [line.amount for line in order.lines] == [0]

    def test_a_set_up_sells_nothing(self, stripe: StripeWorld) -> None:
        order = stripe.order(stripe.pay(mode="setup")["session"])
        assert (order.mode, order.lines, order.payments) == ("setup", (), ())


class TestSubscriptions:
    def subscribe(self, stripe: StripeWorld, **more: Any) -> dict[str, Any]:
        monthly = stripe.product("Letters", unit_amount=900)
        return stripe.pay(mode="subscription", products=[monthly], **more)

    def test_the_session_and_its_first_invoice_are_one_order(self, stripe: StripeWorld) -> None:
        sale = self.subscribe(stripe)

        assert stripe.order(sale["session"]).same_as == sale["invoice"]
        assert stripe.asked() == [SESSION]
        assert stripe.order(sale["invoice"]).same_as is None

    def test_a_session_that_is_kept_under_its_invoice_costs_one_call_however_long_it_is(
        self, stripe: StripeWorld
    ) -> None:
        sale = stripe.pay(mode="subscription", products=[stripe.product("Letters")] * 11)
        assert stripe.order(sale["session"]).same_as == sale["invoice"]
        assert stripe.asked() == [SESSION]

    def test_the_first_invoice_is_paid_to_the_end_of_its_period(self, stripe: StripeWorld) -> None:
        sale = self.subscribe(stripe)

        order = stripe.order(sale["invoice"])

        assert stripe.asked() == [INVOICE, SUBSCRIPTION, PRODUCTS, INTENT]
        assert (order.mode, order.status, order.payment_status, order.total) == ("invoice", "paid", "paid", 900)
        assert order.email == BUYER
        assert order.payments == (Payment(sale["payment_intent"], "succeeded", 900),)
        assert order.subscription is not None
        assert (order.subscription.id, order.subscription.status) == (sale["subscription"], "active")
        (line,) = order.lines
        assert (line.product_name, line.metadata, line.amount) == ("Letters", GUIDE, 900)
        assert line.id.startswith("il_")
        assert line.period_end == datetime(2026, 2, 28, 12, 0, tzinfo=UTC)

    def test_a_renewal_is_an_order_of_its_own_with_its_own_end(self, stripe: StripeWorld) -> None:
        sale = self.subscribe(stripe)
        renewal = stripe.control("/_renew", {"subscription": sale["subscription"]})["invoice"]

        order = stripe.order(renewal)

        assert order.id != sale["invoice"]
        assert order.payment_status == "paid"
        assert [line.period_end for line in order.lines] == [datetime(2026, 3, 28, 12, 0, tzinfo=UTC)]

    def test_a_renewal_that_was_not_paid_says_so(self, stripe: StripeWorld) -> None:
        sale = self.subscribe(stripe)
        renewal = stripe.control("/_renew", {"subscription": sale["subscription"], "paid": False})["invoice"]

        order = stripe.order(renewal)

        assert (order.status, order.payment_status) == ("open", "open")
        assert order.subscription is not None
        assert order.subscription.status == "past_due"
        assert [payment.status for payment in order.payments] == ["requires_payment_method"]

    def test_an_ended_subscription_says_so_on_every_invoice(self, stripe: StripeWorld) -> None:
        sale = self.subscribe(stripe)
        stripe.control("/_cancel", {"subscription": sale["subscription"]})
        subscription = stripe.order(sale["invoice"]).subscription
        assert subscription is not None
        assert subscription.status == "canceled"

    def test_a_trial_is_paid_with_nothing_until_its_end(self, stripe: StripeWorld) -> None:
        sale = self.subscribe(stripe, trial_days=14)

        order = stripe.order(sale["invoice"])

        assert stripe.asked() == [INVOICE, SUBSCRIPTION, PRODUCTS]
        assert (order.payment_status, order.total, order.payments) == ("paid", 0, ())
        assert order.subscription is not None
        assert order.subscription.status == "trialing"
        assert [line.period_end for line in order.lines] == [NOW + timedelta(days=14)]

    def test_what_is_bought_once_with_a_subscription_has_no_end(self, stripe: StripeWorld) -> None:
        sale = self.subscribe(stripe, once_products=[stripe.product("Field guide")])
        ends = {line.product_name: line.period_end for line in stripe.order(sale["invoice"]).lines}
        assert ends == {"Letters": datetime(2026, 2, 28, 12, 0, tzinfo=UTC), "Field guide": None}

    def test_a_subscription_that_is_not_paid_yet_is_kept_under_its_open_invoice(self, stripe: StripeWorld) -> None:
        sale = self.subscribe(stripe, late=True)
        assert stripe.order(sale["session"]).same_as == sale["invoice"]
        assert stripe.order(sale["invoice"]).payment_status == "open"

    def test_a_subscriptions_session_that_nobody_finished_is_kept_under_nothing_else(self, stripe: StripeWorld) -> None:
        letters = stripe.product("Letters")
        made = stripe.sdk().v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "success_url": "https://example.com",
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": "eur",
                            "product": letters,
                            "unit_amount": 900,
                            "recurring": {"interval": "month"},
                        },
                    }
                ],
            }
        )
        assert stripe.order(made.id).same_as is None

    def test_a_refund_of_a_renewal_is_the_renewals(self, stripe: StripeWorld) -> None:
        sale = self.subscribe(stripe)
        renewal = stripe.control("/_renew", {"subscription": sale["subscription"]})["invoice"]
        stripe.control("/_refund", {"invoice": renewal})
        assert paid(stripe, renewal).refunded == 900
        assert paid(stripe, sale["invoice"]).refunded == 0


class TestInvoices:
    def test_an_invoice_of_its_own_costs_a_call_more_to_look_for_a_session(self, stripe: StripeWorld) -> None:
        order = stripe.order(stripe.bill(("Field guide", GUIDE), ("Mug", {})))
        assert stripe.asked() == [INVOICE, SESSIONS, PRODUCTS, INTENT]
        assert [(line.product_name, line.metadata) for line in order.lines] == [("Field guide", GUIDE), ("Mug", {})]
        assert order.subscription is None

    def test_an_invoice_that_checkout_wrote_is_its_session(self, stripe: StripeWorld) -> None:
        sale = stripe.pay(invoice_creation=True)
        assert stripe.order(sale["invoice"]).same_as == sale["session"]
        assert stripe.asked() == [INVOICE, SESSIONS]
        assert stripe.order(sale["session"]).same_as is None

    def test_an_invoice_that_checkout_wrote_for_nothing_is_its_session_too(self, stripe: StripeWorld) -> None:
        sale = stripe.pay(invoice_creation=True, payment_status="no_payment_required", discount=900)
        assert stripe.order(sale["invoice"]).same_as == sale["session"]
        assert stripe.asked() == [INVOICE, SESSIONS]

    def test_an_invoice_paid_elsewhere_is_paid_without_a_payment(self, stripe: StripeWorld) -> None:
        bill = {"email": BUYER, "products": [stripe.product()], "paid_out_of_band": True}
        order = stripe.order(stripe.control("/_invoice", bill)["invoice"])
        assert (order.payment_status, order.payments) == ("paid", ())
        assert stripe.asked() == [INVOICE, PRODUCTS]

    def test_a_product_is_asked_for_once_however_often_it_was_bought(self, stripe: StripeWorld) -> None:
        guide = stripe.product()
        order = stripe.order(stripe.control("/_invoice", {"email": BUYER, "products": [guide] * 3})["invoice"])
        assert [line.metadata for line in order.lines] == [GUIDE] * 3
        assert stripe.asked() == [INVOICE, SESSIONS, PRODUCTS, INTENT]

    def test_more_lines_than_a_page_all_come(self, stripe: StripeWorld) -> None:
        products = [stripe.product(f"Part {i}", {"fastio_files": f"node-{i}"}) for i in range(12)]
        order = stripe.order(stripe.control("/_invoice", {"email": BUYER, "products": products})["invoice"])
        assert [line.metadata["fastio_files"] for line in order.lines] == [f"node-{i}" for i in range(12)]
        assert stripe.asked() == [INVOICE, SESSIONS, LINES, PRODUCTS, INTENT]

    def test_250_lines_cost_three_pages_of_lines_and_three_of_products(self, stripe: StripeWorld) -> None:
        products = [stripe.product(f"Part {i}", {"fastio_files": f"node-{i}"}) for i in range(250)]
        order = stripe.order(stripe.control("/_invoice", {"email": BUYER, "products": products})["invoice"])
        assert [line.metadata["fastio_files"] for line in order.lines] == [f"node-{i}" for i in range(250)]
        assert stripe.asked() == [INVOICE, SESSIONS, *[LINES] * 3, *[PRODUCTS] * 3, INTENT]

    def test_an_invoice_is_its_own_when_a_subscriptions_session_has_its_payment(self, stripe: StripeWorld) -> None:
        sale = stripe.pay(invoice_creation=True)
        theirs = stripe.sdk().v1.checkout.sessions.retrieve(sale["session"]).to_dict()
        found = a_list("/v1/x", theirs | {"mode": "subscription"})
        stripe.fault(200, match="GET /v1/checkout/sessions", body=found)
        assert stripe.order(sale["invoice"]).same_as is None

    def test_an_invoice_for_nothing_is_its_own_when_no_session_wrote_it(self, stripe: StripeWorld) -> None:
        sale = stripe.pay(invoice_creation=True, payment_status="no_payment_required", discount=900)
        theirs = stripe.sdk().v1.checkout.sessions.retrieve(sale["session"]).to_dict()
        stripe.fault(200, match="GET /v1/checkout/sessions", body=a_list("/v1/x", theirs | {"invoice": "in_other"}))
        assert stripe.order(sale["invoice"]).same_as is None

    def test_a_product_that_is_no_longer_sold_is_delivered_all_the_same(self, stripe: StripeWorld) -> None:
        product = stripe.product()
        order_id = stripe.control("/_invoice", {"email": BUYER, "products": [product]})["invoice"]
        stripe.sdk().v1.products.update(product, {"active": False})
        assert [(line.deleted, line.metadata) for line in stripe.order(order_id).lines] == [(False, GUIDE)]

    def test_a_product_that_stripe_does_not_list_was_deleted(self, stripe: StripeWorld) -> None:
        order_id = stripe.bill(("Field guide", GUIDE))
        stripe.fault(200, match="GET /v1/products", body=a_list("/v1/products"))
        assert [line.deleted for line in stripe.order(order_id).lines] == [True]

    def test_a_discount_comes_off_the_lines(self, stripe: StripeWorld) -> None:
        monthly = stripe.product(unit_amount=900)
        sale = stripe.pay(mode="subscription", products=[monthly], discount=300)
        order = stripe.order(sale["invoice"])
        assert (order.total, [line.amount for line in order.lines]) == (600, [600])


def a_list(url: str, *items: dict[str, Any], more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": list(items), "has_more": more, "url": url}


class TestOddPayments:
    """Invoices paid in ways that the stand-in cannot: it answers as told."""

    def read(
        self, stripe: StripeWorld, *payments: dict[str, Any], more: bool = False, **odd: Any
    ) -> tuple[Payment, ...]:
        invoice = {"id": "in_odd", "object": "invoice", "parent": None, "status": "paid", "total": 900}
        lists = {"lines": a_list("/v1/invoices/in_odd/lines"), "payments": a_list("/v1/x", *payments, more=more)}
        stripe.fault(200, match="GET /v1/invoices/*", body=invoice | lists | odd)
        return stripe.order("in_odd").payments

    def by_intent(self, intent: str, status: str = "paid") -> dict[str, Any]:
        named = {"type": "payment_intent", "payment_intent": intent}
        return {"id": f"inpay_{intent}", "object": "invoice_payment", "status": status, "payment": named}

    def test_every_payment_of_an_invoice_counts_but_those_given_up(self, stripe: StripeWorld) -> None:
        some = [stripe.control("/_invoice", {"email": BUYER, "products": [stripe.product()]}) for _ in range(3)]
        first, second, third = (one["payment_intent"] for one in some)
        payments = self.read(
            stripe, self.by_intent(first), self.by_intent(second, "open"), self.by_intent(third, "canceled")
        )
        assert [payment.id for payment in payments] == [first, second]
        assert stripe.asked() == [INVOICE, SESSIONS, SESSIONS, INTENT, INTENT]

    def test_more_payments_than_are_shown_are_all_asked_for(self, stripe: StripeWorld) -> None:
        bill = stripe.control("/_invoice", {"email": BUYER, "products": [stripe.product()]})
        whole = a_list("/v1/invoice_payments", self.by_intent(bill["payment_intent"]))
        stripe.fault(200, match="GET /v1/invoice_payments", body=whole)
        assert [payment.id for payment in self.read(stripe, more=True)] == [bill["payment_intent"]]

    def test_a_charge_without_a_payment_intent_is_read_itself(self, stripe: StripeWorld) -> None:
        sale = stripe.pay()
        stripe.control("/_refund", {"session": sale["session"], "amount": 100})
        named = {"type": "charge", "charge": sale["charge"]}
        one = {"id": "inpay_1", "object": "invoice_payment", "status": "paid", "payment": named}
        assert self.read(stripe, one) == (Payment(sale["charge"], "succeeded", 900, 100, (100,)),)
        assert stripe.asked() == [INVOICE, CHARGE]

    def test_money_that_stripe_only_has_a_record_of_is_no_payment(self, stripe: StripeWorld) -> None:
        named = {"type": "payment_record", "payment_record": "pr_1"}
        one = {"id": "inpay_1", "object": "invoice_payment", "status": "paid", "payment": named}
        assert self.read(stripe, one) == ()

    @pytest.mark.parametrize(
        "odd",
        [
            {"payments": None},
            {"lines": None},
            {"id": "in_other"},
            {"parent": {"type": "subscription_details", "subscription_details": {"subscription": None}}},
        ],
    )
    def test_an_invoice_that_came_without_what_was_asked_for_is_asked_for_again(
        self, stripe: StripeWorld, odd: dict[str, Any]
    ) -> None:
        with pytest.raises(StripeUnavailable, match="not readable"):
            self.read(stripe, **odd)

    @pytest.mark.parametrize("named", [{"type": "credit"}, {"type": "payment_intent", "payment_intent": None}, {}])
    def test_a_payment_that_cannot_be_looked_up_is_asked_for_again(
        self, stripe: StripeWorld, named: dict[str, Any]
    ) -> None:
        one = {"id": "inpay_1", "object": "invoice_payment", "status": "paid", "payment": named}
        with pytest.raises(StripeUnavailable, match="not readable"):
            self.read(stripe, one)


class TestOrdersOf:
    @pytest.fixture
    def orders_of(self, stripe: StripeWorld) -> Callable[..., tuple[str, ...]]:
        def ask(about: str, *, now: datetime = NOW, account: str | None = None) -> tuple[str, ...]:
            stripe.asked()
            return stripe.payments.orders_of(about, now=now, account=account)

        return ask

    def test_all_that_comes_of_a_sale_leads_back_to_it(
        self, stripe: StripeWorld, orders_of: Callable[..., tuple[str, ...]]
    ) -> None:
        sale = stripe.pay()
        warning = stripe.control("/_warn", {"session": sale["session"]})["warning"]
        refund = stripe.control("/_refund", {"session": sale["session"], "amount": 100})["refund"]
        dispute = stripe.control("/_dispute", {"session": sale["session"]})["dispute"]

        calls = {}
        for about in (sale["payment_intent"], sale["charge"], refund, dispute, warning):
            assert orders_of(about) == (sale["session"],)
            calls[about.split("_")[0]] = stripe.asked()

        assert calls == {
            "pi": [SESSIONS],
            "ch": [CHARGE, SESSIONS],
            "re": ["refunds/*", SESSIONS],
            "du": ["disputes/*", SESSIONS],
            "issfr": ["radar/early_fraud_warnings/*", SESSIONS],
        }

    def test_all_that_comes_of_an_invoice_leads_back_to_it(
        self, stripe: StripeWorld, orders_of: Callable[..., tuple[str, ...]]
    ) -> None:
        sale = stripe.pay(mode="subscription")
        made = stripe.control("/_renew", {"subscription": sale["subscription"]})
        refund = stripe.control("/_refund", {"invoice": made["invoice"]})["refund"]

        for about in (made["payment_intent"], made["charge"], refund):
            assert orders_of(about) == (made["invoice"],)
        assert orders_of(made["payment_intent"]) == (made["invoice"],)
        assert stripe.asked() == [SESSIONS, INVOICE_PAYMENTS]

    def test_a_payment_in_a_subscriptions_session_leads_to_its_invoice(
        self, stripe: StripeWorld, orders_of: Callable[..., tuple[str, ...]]
    ) -> None:
        session = {"id": "cs_test_1", "object": "checkout.session", "mode": "subscription", "invoice": "in_1"}
        stripe.fault(200, match="GET /v1/checkout/sessions", body=a_list("/v1/x", session))
        assert orders_of("pi_1") == ("in_1",)

    def test_money_that_paid_for_no_order_leads_nowhere(
        self, stripe: StripeWorld, orders_of: Callable[..., tuple[str, ...]]
    ) -> None:
        charge = {"id": "ch_1", "object": "charge", "payment_intent": None}
        stripe.fault(200, match="GET /v1/charges/*", body=charge, times=2)
        assert orders_of("ch_1") == ()
        stripe.fault(200, match="GET /v1/refunds/*", body={"id": "re_1", "object": "refund", "charge": "ch_1"})
        assert orders_of("re_1") == ()
        assert stripe.asked() == ["refunds/*", CHARGE]
        stripe.fault(200, match="GET /v1/refunds/*", body={"id": "re_1", "object": "refund", "charge": None})
        assert orders_of("re_1") == ()

    def test_an_answer_about_something_else_leads_nowhere_wrong(
        self, stripe: StripeWorld, orders_of: Callable[..., tuple[str, ...]]
    ) -> None:
        stripe.fault(200, match="GET /v1/refunds/*", body={"id": "re_2", "object": "refund", "charge": None})
        with pytest.raises(StripeUnavailable, match="not readable"):
            orders_of("re_1")

    def test_a_subscription_leads_to_the_paid_invoices_whose_period_is_not_over_and_to_the_live_ones(
        self, stripe: StripeWorld, clock: Clock, orders_of: Callable[..., tuple[str, ...]]
    ) -> None:
        sale = stripe.pay(mode="subscription")  # Until 28 February.
        subscription = sale["subscription"]
        made = [sale["invoice"]]
        for days in (28, 28, 31):
            clock.now += timedelta(days=days)
            made.insert(0, stripe.control("/_renew", {"subscription": subscription})["invoice"])
        stripe.control("/_renew", {"subscription": subscription, "paid": False})

        first_ends = datetime(2026, 2, 28, 12, 0, tzinfo=UTC)
        assert orders_of(subscription, now=NOW) == tuple(made)
        assert stripe.asked() == [INVOICES]
        assert orders_of(subscription, now=first_ends) == tuple(made)
        assert orders_of(subscription, now=first_ends + timedelta(seconds=1)) == tuple(made[:-1])
        assert orders_of(subscription, now=first_ends + timedelta(days=999)) == ()
        # However old: what was bought once with the first one may last for years.
        asked: list[str] = []

        def live(order_ids: Sequence[str]) -> tuple[str, ...]:
            asked.extend(order_ids)
            return (made[-1],)

        late = first_ends + timedelta(seconds=1)
        assert stripe.payments.orders_of(subscription, now=late, live=live) == tuple(made)
        assert asked == [made[-1]]

    def test_the_search_goes_through_every_page(
        self, stripe: StripeWorld, orders_of: Callable[..., tuple[str, ...]]
    ) -> None:
        def invoice(name: str, end: datetime) -> dict[str, Any]:
            line = {"id": "il_1", "object": "line_item", "period": {"start": 0, "end": int(end.timestamp())}}
            return {"id": name, "object": "invoice", "lines": a_list("/v1/x", line)}

        old = NOW - timedelta(days=1)
        pages = [
            a_list("/v1/invoices", invoice("in_4", NOW), invoice("in_3", old), more=True),
            a_list("/v1/invoices", invoice("in_2", old), invoice("in_1", NOW), more=True),
            a_list("/v1/invoices", invoice("in_0", old)),
        ]
        stripe.control("/_faults", [{"match": "GET /v1/invoices", "status": 200, "body": page} for page in pages])

        assert orders_of("sub_1") == ("in_4", "in_1")
        assert stripe.asked() == [INVOICES] * 3

    def test_a_connected_accounts_money_leads_to_its_orders_only(
        self, stripe: StripeWorld, orders_of: Callable[..., tuple[str, ...]]
    ) -> None:
        theirs = "acct_1Other"
        sale = stripe.pay(mode="subscription", account=theirs)
        made = stripe.control("/_renew", {"subscription": sale["subscription"]})

        for about in (made["payment_intent"], made["charge"]):
            assert orders_of(about, account=theirs) == (made["invoice"],)
            with pytest.raises(OrderUnknown):
                orders_of(about)
        assert orders_of(sale["subscription"], account=theirs) == (made["invoice"], sale["invoice"])

    def test_a_connected_accounts_invoice_is_read_as_its_own(self, stripe: StripeWorld) -> None:
        sale = stripe.pay(mode="subscription", account="acct_1Other")
        stripe.control("/_dispute", {"invoice": sale["invoice"]})

        order = stripe.order(sale["invoice"], account="acct_1Other")

        assert order.payments[0].disputes == ("needs_response",)
        assert stripe.asked() == [INVOICE, SUBSCRIPTION, PRODUCTS, INTENT, DISPUTES]
        assert {call["headers"].get("stripe-account") for call in stripe.calls()} == {"acct_1Other"}
        with pytest.raises(OrderUnknown):
            stripe.order(sale["invoice"])

    def test_every_call_is_made_in_the_name_of_the_account(self, stripe: StripeWorld, watchful: StripePayments) -> None:
        theirs, seen = "acct_1Other", set()
        sale = stripe.pay(products=None, lines=11, account=theirs, metadata=GUIDE)
        warning = stripe.control("/_warn", {"session": sale["session"]})["warning"]
        refunds = [stripe.control("/_refund", {"session": sale["session"], "amount": 1})["refund"] for _ in range(11)]
        dispute = stripe.control("/_dispute", {"session": sale["session"]})["dispute"]
        free = stripe.pay(invoice_creation=True, payment_status="no_payment_required", discount=900, account=theirs)
        guides = [stripe.product() for _ in range(11)]
        bill = stripe.control("/_invoice", {"email": BUYER, "products": guides, "account": theirs})
        renewed = stripe.pay(mode="subscription", account=theirs)
        named = {"type": "charge", "charge": sale["charge"]}
        by_charge = {"id": "inpay_1", "object": "invoice_payment", "status": "paid", "payment": named}

        def look(*orders: str) -> None:
            for order_id in orders:
                watchful.order(order_id, account=theirs)
            seen.update(stripe.asked())

        stripe.asked()
        look(sale["session"], free["invoice"], bill["invoice"], renewed["invoice"])
        for about in (*refunds[:1], dispute, warning, sale["charge"], bill["charge"], renewed["subscription"]):
            watchful.orders_of(about, now=NOW, account=theirs)
        # Paid as the stand-in has it not: with a charge of its own, behind a first page that is empty.
        invoice = {"id": "in_odd", "object": "invoice", "parent": None, "status": "paid", "total": 900}
        lists = {"lines": a_list("/v1/x"), "payments": a_list("/v1/x", more=True)}
        stripe.fault(200, match="GET /v1/invoices/*", body=invoice | lists)
        stripe.fault(200, match="GET /v1/invoice_payments", body=a_list("/v1/x", by_charge))
        look("in_odd")

        assert seen == {
            SESSION, SESSIONS, f"{SESSION}/line_items", INVOICE, INVOICES, LINES, INVOICE_PAYMENTS, PRODUCTS, INTENT,
            CHARGE, REFUNDS, f"{REFUNDS}/*", DISPUTES, f"{DISPUTES}/*", WARNINGS, f"{WARNINGS}/*", SUBSCRIPTION,
        }  # fmt: skip
        assert {call["headers"].get("stripe-account") for call in stripe.calls()} == {theirs}
