"""What any `Payments` promises, and what only the one that talks to Stripe can get wrong."""

import logging
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol, cast

import pytest

from paidshare.delivering.ports import Payments
from paidshare.errors import OrderUnknown, PaidshareError, StripeUnavailable
from paidshare.orders import Line, Order, Payment
from paidshare.payments_stripe import StripePayments
from tests.fakes_payments import MemoryPayments
from tests.stripe_world import BUYER, GUIDE, KEY, StripeWorld

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class World(Protocol):
    payments: Payments

    def sell(self, *products: tuple[str, dict[str, str]], email: str | None = BUYER, account: str | None = None) -> str:
        """A Checkout Session that was paid."""

    def bill(self, *products: tuple[str, dict[str, str]], email: str | None = BUYER, account: str | None = None) -> str:
        """An invoice that was paid, without session or subscription."""


class MemoryWorld:
    def __init__(self) -> None:
        self._memory = MemoryPayments()
        self.payments: Payments = self._memory

    def sell(self, *products: tuple[str, dict[str, str]], email: str | None = BUYER, account: str | None = None) -> str:
        return self._put("cs_test_a1", "payment", "complete", products, email, account)

    def bill(self, *products: tuple[str, dict[str, str]], email: str | None = BUYER, account: str | None = None) -> str:
        return self._put("in_1", "invoice", "paid", products, email, account)

    def _put(
        self,
        order_id: str,
        mode: str,
        status: str,
        products: tuple[tuple[str, dict[str, str]], ...],
        email: str | None,
        account: str | None,
    ) -> str:
        order = Order(
            id=order_id,
            livemode=False,
            mode=mode,
            status=status,
            payment_status="paid",
            email=email,
            lines=tuple(Line(f"prod_{i}", name, 1, meta) for i, (name, meta) in enumerate(products)),
            payments=(Payment("pi_1", "succeeded"),),
        )
        self._memory.put(order, account=account)
        self._memory.belongs["pi_1"] = (order_id,)
        return order_id


@pytest.fixture(params=["memory", "stripe"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return MemoryWorld()
    return cast("StripeWorld", request.getfixturevalue("stripe"))


class TestEveryPayments:
    def test_a_paid_order_comes_with_its_products_and_their_metadata(self, world: World) -> None:
        order_id = world.sell(("Field guide", GUIDE), ("Mug", {}))

        order = world.payments.order(order_id)

        assert order.id == order_id
        assert (order.livemode, order.mode, order.status) == (False, "payment", "complete")
        assert order.payment_status == "paid"
        assert order.email == BUYER
        assert [payment.status for payment in order.payments] == ["succeeded"]
        assert [(line.product_name, line.quantity, line.metadata) for line in order.lines] == [
            ("Field guide", 1, GUIDE),
            ("Mug", 1, {}),
        ]
        assert all(line.product_id.startswith("prod_") for line in order.lines)

    def test_an_order_that_nobody_made_is_unknown(self, world: World) -> None:
        with pytest.raises(OrderUnknown):
            world.payments.order("cs_test_nobody")

    def test_a_paid_invoice_is_an_order_like_any_other(self, world: World) -> None:
        order_id = world.bill(("Field guide", GUIDE))

        order = world.payments.order(order_id)

        assert (order.id, order.mode, order.status, order.payment_status) == (order_id, "invoice", "paid", "paid")
        assert order.email == BUYER
        assert [payment.status for payment in order.payments] == ["succeeded"]
        assert [(line.product_name, line.metadata) for line in order.lines] == [("Field guide", GUIDE)]
        assert order.same_as is None

    @pytest.mark.parametrize(
        "order_id",
        ["", "cs_", "in_", "pi_1", "sub_1", "cs_test_a/../b", "in_1/pay", "cs_test_ä", "cs_test a", "cs_" + "a" * 251],
    )
    def test_what_is_no_order_id_is_unknown(self, world: World, order_id: str) -> None:
        with pytest.raises(OrderUnknown):
            world.payments.order(order_id)

    def test_every_line_comes_when_there_are_more_than_a_page(self, world: World) -> None:
        order_id = world.sell(*[(f"Part {i}", {"fastio_files": f"node-{i}"}) for i in range(25)])

        lines = world.payments.order(order_id).lines

        assert [line.metadata["fastio_files"] for line in lines] == [f"node-{i}" for i in range(25)]

    def test_a_buyer_without_an_address_has_none(self, world: World) -> None:
        assert world.payments.order(world.sell(("Guide", GUIDE), email=None)).email is None

    def test_an_order_belongs_to_its_account(self, world: World) -> None:
        order_id = world.sell(("Guide", GUIDE), account="acct_1Other")

        assert world.payments.order(order_id, account="acct_1Other").id == order_id
        with pytest.raises(OrderUnknown):
            world.payments.order(order_id)

    @pytest.mark.parametrize("account", ["", "acct_", "1Other", "acct_1/../..", "acct_1\r\nx: y", "acct_ä"])
    def test_what_is_no_account_has_no_orders(self, world: World, account: str) -> None:
        order_id = world.sell(("Guide", GUIDE))
        payment = world.payments.order(order_id).payments[0].id

        with pytest.raises(OrderUnknown):
            world.payments.order(order_id, account=account)
        with pytest.raises(OrderUnknown):
            world.payments.orders_of(payment, now=NOW, account=account)

    @pytest.mark.parametrize("order_id", ["cs_test_nobody", "in_nobody"])
    def test_an_order_belongs_to_itself_whether_it_is_known_or_not(self, world: World, order_id: str) -> None:
        assert world.payments.orders_of(order_id, now=NOW) == (order_id,)

    def test_a_payment_belongs_to_the_session_it_was_made_in(self, world: World) -> None:
        order_id = world.sell(("Guide", GUIDE))
        payment = world.payments.order(order_id).payments[0].id

        assert world.payments.orders_of(payment, now=NOW) == (order_id,)

    def test_a_payment_belongs_to_the_invoice_it_paid(self, world: World) -> None:
        order_id = world.bill(("Guide", GUIDE))
        payment = world.payments.order(order_id).payments[0].id

        assert world.payments.orders_of(payment, now=NOW) == (order_id,)

    @pytest.mark.parametrize("kind", ["pi", "ch", "py", "re", "pyr", "du", "dp", "issfr", "sub", "cn"])
    def test_what_stripe_does_not_know_belongs_to_no_order(self, world: World, kind: str) -> None:
        with pytest.raises(OrderUnknown):
            world.payments.orders_of(f"{kind}_nobody", now=NOW)

    @pytest.mark.parametrize(
        "about", ["", "pi", "pi_", "cus_1", "evt_1", "pi_1/../../account", "cs_ä", "sub_" + "a" * 251]
    )
    def test_what_cannot_lead_to_an_order_is_unknown(self, world: World, about: str) -> None:
        with pytest.raises(OrderUnknown):
            world.payments.orders_of(about, now=NOW)


class TestCalls:
    def test_an_order_that_fits_a_page_costs_one_call(self, stripe: StripeWorld) -> None:
        stripe.payments.order(stripe.sell(*[(f"Part {i}", GUIDE) for i in range(10)]))
        assert len(stripe.calls()) == 1

    def test_250_lines_cost_four(self, stripe: StripeWorld) -> None:
        order_id = stripe.control("/_pay", {"lines": 250, "metadata": GUIDE})["session"]

        lines = stripe.payments.order(order_id).lines

        assert len(stripe.calls()) == 4
        assert [line.product_name for line in lines] == [f"Sample {i}" for i in range(1, 251)]
        assert all(line.metadata == GUIDE for line in lines)

    def test_nothing_is_asked_about_an_id_that_is_none(self, stripe: StripeWorld) -> None:
        with pytest.raises(OrderUnknown):
            stripe.payments.order("cs_test/../../account")
        with pytest.raises(OrderUnknown):
            stripe.payments.orders_of("pi_1/../../account", now=NOW)
        with pytest.raises(OrderUnknown):
            stripe.payments.order("cs_test_1", account="acct_1/..")
        assert stripe.calls() == []

    def test_an_order_needs_neither_call_nor_key_to_belong_to_itself(self, stripe: StripeWorld) -> None:
        stripe.key = ""
        assert stripe.payments.orders_of("cs_test_1", now=NOW) == ("cs_test_1",)
        assert stripe.calls() == []

    def test_ten_threads_may_ask_at_once(self, stripe: StripeWorld) -> None:
        orders = [stripe.sell((f"Guide {i}", {"fastio_files": str(i)})) for i in range(10)]

        with ThreadPoolExecutor(10) as pool:
            found = list(pool.map(stripe.payments.order, orders * 5))

        assert [order.id for order in found] == orders * 5
        assert [order.lines[0].metadata["fastio_files"] for order in found[:10]] == list("0123456789")

    def test_a_rotated_key_is_used_at_once(self, stripe: StripeWorld) -> None:
        order_id = stripe.sell(("Guide", GUIDE))
        stripe.payments.order(order_id)
        stripe.control("/_keys", {"keys": ["sk_test_new"]})
        with pytest.raises(StripeUnavailable, match="key refused"):
            stripe.payments.order(order_id)

        stripe.key = "sk_test_new"

        assert stripe.payments.order(order_id).id == order_id


class TestWhatIsMissing:
    """The stand-in answers as Stripe could, and as it should not; an order comes of it all the same."""

    def read(self, stripe: StripeWorld, **odd: Any) -> Order:
        session = {"id": "cs_test_odd", "object": "checkout.session", "mode": "payment", "payment_intent": None}
        lines = {"object": "list", "data": [], "has_more": False, "url": "/v1/x"}
        stripe.fault(200, body=session | {"line_items": lines} | odd)
        return stripe.payments.order("cs_test_odd")

    def lines(self, *lines: dict[str, Any]) -> dict[str, Any]:
        return {"object": "list", "data": list(lines), "has_more": False, "url": "/v1/x"}

    def test_a_session_with_next_to_nothing_is_not_paid(self, stripe: StripeWorld) -> None:
        assert self.read(stripe) == Order("cs_test_odd", False, "payment", None, "", None, ())

    @pytest.mark.parametrize(
        ("odd", "email"),
        [
            ({"customer_details": None, "customer_email": "early@example.com"}, "early@example.com"),
            ({"customer_details": {"email": None}, "customer_email": "early@example.com"}, "early@example.com"),
            # What the buyer typed wins over what the seller filled in.
            ({"customer_details": {"email": BUYER}, "customer_email": "early@example.com"}, BUYER),
            ({"customer_details": {}, "customer_email": None}, None),
        ],
    )
    def test_the_address_falls_back_to_the_one_the_seller_gave(
        self, stripe: StripeWorld, odd: dict[str, Any], email: str | None
    ) -> None:
        assert self.read(stripe, **odd).email == email

    def test_a_product_without_name_and_metadata_is_a_line_without_them(self, stripe: StripeWorld) -> None:
        product = {"id": "prod_bare", "object": "product", "name": None, "metadata": None}
        line = {"object": "item", "description": "Old guide", "quantity": None, "price": {"product": product}}
        assert self.read(stripe, line_items=self.lines(line)).lines == (Line("prod_bare", "Old guide", 1, {}),)

    def test_a_product_that_came_without_its_metadata_is_asked_for_again(self, stripe: StripeWorld) -> None:
        line = {"object": "item", "price": {"id": "price_1", "product": "prod_1"}}
        with pytest.raises(StripeUnavailable, match="not readable"):
            self.read(stripe, line_items=self.lines(line))

    def test_a_line_says_that_its_product_was_deleted(self, stripe: StripeWorld) -> None:
        product = {"id": "prod_gone", "object": "product", "deleted": True}
        line = {"object": "item", "price": {"id": "price_1", "product": product}}
        (read,) = self.read(stripe, line_items=self.lines(line)).lines
        assert (read.product_id, read.deleted) == ("prod_gone", True)

    @pytest.mark.parametrize(("amount", "total"), [(0, 0), (1900, 1900), (None, None), ("0", None)])
    def test_what_was_to_be_paid_is_a_number_or_unknown(
        self, stripe: StripeWorld, amount: object, total: int | None
    ) -> None:
        assert self.read(stripe, amount_total=amount).total == total

    def test_a_line_without_a_price_is_a_line(self, stripe: StripeWorld) -> None:
        line = {"object": "item", "description": None, "quantity": 2, "price": None}
        assert self.read(stripe, line_items=self.lines(line)).lines == (Line("", "", 2, {}),)

    @pytest.mark.parametrize(
        "intent",
        [
            "pi_1",
            {"object": "payment_intent"},
            {"id": "pi_1", "object": "payment_intent", "status": "succeeded"},
            {"id": "pi_1", "object": "payment_intent", "latest_charge": "ch_1"},
            {"id": "pi_1", "object": "payment_intent", "latest_charge": {"id": "ch_1", "object": "charge"}},
        ],
    )
    def test_a_payment_that_does_not_tell_of_refunds_and_disputes_is_asked_for_again(
        self, stripe: StripeWorld, intent: object
    ) -> None:
        with pytest.raises(StripeUnavailable, match="not readable"):
            self.read(stripe, payment_status="paid", payment_intent=intent)

    def test_a_payment_that_was_never_tried_is_one(self, stripe: StripeWorld) -> None:
        intent = {"id": "pi_1", "object": "payment_intent", "status": "requires_payment_method", "latest_charge": None}
        assert self.read(stripe, payment_intent=intent).payments == (Payment("pi_1", "requires_payment_method"),)

    @pytest.mark.parametrize(
        "odd", [{"id": "cs_test_other"}, {"id": None}, {"line_items": None}, {"line_items": {"object": "list"}}]
    )
    def test_an_answer_about_something_else_is_tried_again(self, stripe: StripeWorld, odd: dict[str, Any]) -> None:
        with pytest.raises(StripeUnavailable, match="not readable"):
            self.read(stripe, **odd)


def refusal(**error: Any) -> dict[str, Any]:
    return {"error": {"type": "invalid_request_error", "message": f"{BUYER} {KEY}"} | error}


class TestFailures:
    @pytest.fixture(autouse=True)
    def all_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)

    def failure(self, stripe: StripeWorld, caplog: pytest.LogCaptureFixture) -> PaidshareError:
        """What the adapter raises; neither it, nor its traceback, nor the log has key or address."""
        with pytest.raises(PaidshareError) as caught:
            stripe.payments.order("cs_test_a1")
        told = "".join(traceback.format_exception(caught.value)) + caplog.text
        assert BUYER not in told
        assert KEY[8:] not in told
        assert KEY[-4:] not in told
        return caught.value

    @pytest.mark.parametrize(
        ("status", "body", "expected", "wait"),
        [
            (401, refusal(), StripeUnavailable, 300),
            (403, refusal(code="more_permissions_required"), StripeUnavailable, 300),
            (404, refusal(code="resource_missing"), OrderUnknown, None),
            (404, refusal(), OrderUnknown, None),
            (400, refusal(code="resource_missing"), OrderUnknown, None),
            (400, refusal(code="parameter_unknown", param="expand"), OrderUnknown, None),
            (429, refusal(code="rate_limit"), StripeUnavailable, 5),
            (409, refusal(code="lock_timeout"), StripeUnavailable, None),
            (402, refusal(), StripeUnavailable, None),  # Never for a GET; then rather again than a person.
            (500, refusal(type="api_error"), StripeUnavailable, None),
            (503, refusal(type="api_error"), StripeUnavailable, None),
            # Not Stripe: a proxy on the way.
            (502, {"error": "bad gateway"}, StripeUnavailable, None),
            (502, {"error": None}, StripeUnavailable, None),
            (502, {"message": f"{BUYER} {KEY}"}, StripeUnavailable, None),
            (200, {"hello": BUYER}, StripeUnavailable, None),
        ],
    )
    def test_a_refusal_says_what_the_queue_should_do(
        self,
        stripe: StripeWorld,
        caplog: pytest.LogCaptureFixture,
        status: int,
        body: Any,
        expected: type[PaidshareError],
        wait: float | None,
    ) -> None:
        stripe.fault(status, body=body, times=2)

        failure = self.failure(stripe, caplog)

        assert type(failure) is expected
        assert "cs_test_a1" in str(failure)
        assert getattr(failure, "wait", None) == wait

    def test_a_key_that_may_not_read_customers_is_asked_for_the_rest(self, stripe: StripeWorld) -> None:
        order_id = stripe.pay(mode="subscription", locale="de")["invoice"]
        assert stripe.payments.order(order_id).sale.locales == ("de",)
        stripe.fault(403, body=refusal(code="more_permissions_required"), match="GET /v1/invoices/*")
        found = stripe.payments.order(order_id)
        assert found.lines
        assert found.sale.locales == ()

    def test_a_message_names_stripes_request(self, stripe: StripeWorld, caplog: pytest.LogCaptureFixture) -> None:
        stripe.fault(404, body=refusal(code="resource_missing"), headers={"Request-Id": "req_123"})
        assert "req_123" in str(self.failure(stripe, caplog))

    def test_stripes_own_wait_is_kept(self, stripe: StripeWorld, caplog: pytest.LogCaptureFixture) -> None:
        stripe.fault(429, body=refusal(), headers={"Retry-After": "17"})
        failure = self.failure(stripe, caplog)
        assert isinstance(failure, StripeUnavailable)
        assert failure.wait == 17

    def test_a_dropped_connection_is_tried_once_more(self, stripe: StripeWorld) -> None:
        order_id = stripe.sell(("Guide", GUIDE))
        stripe.fault(0)
        assert stripe.payments.order(order_id).id == order_id

    def test_a_server_that_drops_every_connection_is_unavailable(
        self, stripe: StripeWorld, caplog: pytest.LogCaptureFixture
    ) -> None:
        stripe.fault(0, times=2)
        assert isinstance(self.failure(stripe, caplog), StripeUnavailable)

    def test_a_slow_answer_is_given_up_on(self, stripe: StripeWorld, caplog: pytest.LogCaptureFixture) -> None:
        stripe.payments = hurried = StripePayments(api_key=lambda: KEY, api_base=stripe.url, timeout_s=0.5)
        stripe.fault(None, times=2, delay_s=2)
        failure = self.failure(stripe, caplog)
        hurried.close()
        assert isinstance(failure, StripeUnavailable)
        assert "ReadTimeout" in str(failure)

    def test_a_server_that_is_not_there_is_unavailable(self, stripe: StripeWorld) -> None:
        nobody = StripePayments(api_key=lambda: KEY, api_base="http://127.0.0.1:9", timeout_s=0.5)
        with pytest.raises(StripeUnavailable, match="ConnectError"):
            nobody.order("cs_test_a1")
        nobody.close()

    @pytest.mark.parametrize("key", ["", " ", KEY + "\n", "sk_test_ä"])
    def test_a_key_that_cannot_be_one_is_not_sent(
        self, stripe: StripeWorld, caplog: pytest.LogCaptureFixture, key: str
    ) -> None:
        stripe.key = key
        failure = self.failure(stripe, caplog)
        assert isinstance(failure, StripeUnavailable)
        assert failure.wait == 300
        assert stripe.calls() == []

    def test_a_real_refusal_of_the_key_does_not_show_it(
        self, stripe: StripeWorld, caplog: pytest.LogCaptureFixture
    ) -> None:
        stripe.control("/_keys", {"keys": []})
        assert "key refused" in str(self.failure(stripe, caplog))

    def test_an_order_in_the_other_mode_is_unknown(self, stripe: StripeWorld) -> None:
        order_id = stripe.control("/_pay", {"livemode": True})["session"]
        with pytest.raises(OrderUnknown):
            stripe.payments.order(order_id)
