"""Subscriptions and invoices at the Stripe stand-in, as Stripe's own SDK sees them."""

from typing import Any

import pytest
import stripe

from tests.local.stripe_stand import AT, Stand, types

DAY_S = 86_400


@pytest.fixture
def club(stand: Stand) -> str:
    return str(stand.control("/_product", {"name": "Club", "metadata": {"fastio_files": "1"}})["product"])


def subscribe(stand: Stand, product: str, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = stand.control("/_pay", {"mode": "subscription", "products": [product], **more})
    return told


def shown(stand: Stand, invoice: str) -> dict[str, Any]:
    paths = ["payments.data.payment.payment_intent", "parent.subscription_details.subscription"]
    return stand.v1.invoices.retrieve(invoice, {"expand": paths}).to_dict()


def periods(invoice: dict[str, Any]) -> list[tuple[int, int]]:
    return [(line["period"]["start"], line["period"]["end"]) for line in invoice["lines"]["data"]]


class TestBeginning:
    def test_a_subscription_begins_with_a_paid_invoice(self, stand: Stand, club: str) -> None:
        told = subscribe(stand, club, email="ada@example.com")
        assert types(told) == [
            "payment_intent.succeeded",
            "charge.succeeded",
            "checkout.session.completed",
            "invoice.paid",
            "customer.subscription.created",
        ]
        assert told["event"] == told["events"][2]["event"]

        invoice = shown(stand, told["invoice"])
        assert (invoice["status"], invoice["billing_reason"]) == ("paid", "subscription_create")
        assert (invoice["total"], invoice["amount_paid"], invoice["customer_email"]) == (
            1_900,
            1_900,
            "ada@example.com",
        )
        payment = invoice["payments"]["data"][0]
        assert (payment["status"], payment["payment"]["payment_intent"]["id"]) == ("paid", told["payment_intent"])
        assert invoice["parent"]["subscription_details"]["subscription"]["status"] == "active"

        session = stand.v1.checkout.sessions.retrieve(told["session"])
        assert (session.invoice, session.subscription, session.payment_intent) == (
            told["invoice"],
            told["subscription"],
            None,
        )

    def test_a_month_is_a_calendar_month(self, stand: Stand, club: str) -> None:
        # AT is 21 November.
        assert periods(shown(stand, subscribe(stand, club)["invoice"])) == [(AT, AT + 30 * DAY_S)]

    def test_a_line_names_its_product_and_what_it_repeats(self, stand: Stand, club: str) -> None:
        told = subscribe(stand, club, quantity=3)
        line = stand.v1.invoices.line_items.list(told["invoice"]).data[0].to_dict()
        item = stand.v1.subscriptions.retrieve(told["subscription"]).to_dict()["items"]["data"][0]
        assert (line["amount"], line["quantity"]) == (5_700, 3)
        assert line["pricing"]["price_details"] == {"price": item["price"]["id"], "product": club}
        assert line["parent"]["type"] == "subscription_item_details"
        assert line["parent"]["subscription_item_details"]["subscription_item"] == item["id"]

    def test_a_trial_is_paid_for_with_nothing(self, stand: Stand, club: str) -> None:
        told = subscribe(stand, club, trial_days=14)
        assert types(told) == ["checkout.session.completed", "invoice.paid", "customer.subscription.created"]
        session = stand.v1.checkout.sessions.retrieve(told["session"])
        subscription = stand.v1.subscriptions.retrieve(told["subscription"])
        invoice = shown(stand, told["invoice"])
        assert (session.payment_status, session.amount_total) == ("no_payment_required", 0)
        assert (subscription.status, subscription.trial_end) == ("trialing", AT + 14 * DAY_S)
        assert (invoice["status"], invoice["total"], invoice["payments"]["data"]) == ("paid", 0, [])
        assert periods(invoice) == [(AT, AT + 14 * DAY_S)]

    def test_what_is_bought_once_is_on_the_first_invoice_only(self, stand: Stand, club: str) -> None:
        mug = stand.control("/_product", {"name": "Mug"})["product"]
        told = subscribe(stand, club, once_products=[mug])
        first = shown(stand, told["invoice"])
        assert [line["parent"]["type"] for line in first["lines"]["data"]] == [
            "subscription_item_details",
            "invoice_item_details",
        ]
        next_one = shown(stand, stand.control("/_renew", {"session": told["session"]})["invoice"])
        assert [line["pricing"]["price_details"]["product"] for line in next_one["lines"]["data"]] == [club]

    @pytest.mark.parametrize(
        ("end", "invoice", "subscription", "kind"),
        [
            ("/_settle", "paid", "active", "checkout.session.async_payment_succeeded"),
            ("/_fail", "open", "incomplete", "checkout.session.async_payment_failed"),
        ],
    )
    def test_a_late_first_payment_decides_over_the_subscription(
        self, stand: Stand, club: str, end: str, invoice: str, subscription: str, kind: str
    ) -> None:
        told = subscribe(stand, club, late=True)
        assert "invoice.paid" not in types(told)
        begun = shown(stand, told["invoice"])
        assert (begun["status"], begun["payments"]["data"][0]["status"]) == ("open", "open")

        ended = stand.control(end, {"session": told["session"]})

        assert types(ended)[-1] == kind
        assert stand.v1.invoices.retrieve(told["invoice"]).status == invoice
        assert stand.v1.subscriptions.retrieve(told["subscription"]).status == subscription

    @pytest.mark.parametrize("sale", [{"trial_days": 3}, {"once_products": []}, {"invoice_creation": True}])
    def test_what_does_not_fit_the_mode_is_refused(self, stand: Stand, sale: dict[str, Any]) -> None:
        mode = "subscription" if "invoice_creation" in sale else "payment"
        if sale == {"once_products": []}:
            sale = {"once_products": [stand.control("/_product")["product"]]}
        assert "belong" in stand.refused("/_pay", mode=mode, **sale)


class TestGoingOn:
    def test_a_renewal_begins_where_the_last_period_ended(self, stand: Stand, club: str) -> None:
        told = subscribe(stand, club)
        next_one = stand.control("/_renew", {"subscription": told["subscription"]})
        assert types(next_one)[-2:] == ["invoice.paid", "customer.subscription.updated"]
        invoice = shown(stand, next_one["invoice"])
        assert (invoice["status"], invoice["billing_reason"]) == ("paid", "subscription_cycle")
        # 21 December to 21 January.
        assert periods(invoice) == [(AT + 30 * DAY_S, AT + 61 * DAY_S)]
        listed = stand.v1.invoices.list({"subscription": told["subscription"], "status": "paid"}).data
        assert [one.id for one in listed] == [next_one["invoice"], told["invoice"]]

    def test_an_unpaid_renewal_can_be_paid_after_all(self, stand: Stand, club: str) -> None:
        told = subscribe(stand, club)
        unpaid = stand.control("/_renew", {"session": told["session"], "paid": False})
        assert types(unpaid) == [
            "payment_intent.payment_failed",
            "charge.failed",
            "invoice.payment_failed",
            "customer.subscription.updated",
        ]
        assert shown(stand, unpaid["invoice"])["status"] == "open"
        assert stand.v1.subscriptions.retrieve(told["subscription"]).status == "past_due"

        paid = stand.control("/_pay_invoice", {"invoice": unpaid["invoice"]})

        assert types(paid)[-2:] == ["invoice.paid", "customer.subscription.updated"]
        assert (paid["payment_intent"], paid["charge"] == unpaid["charge"]) == (unpaid["payment_intent"], False)
        assert shown(stand, unpaid["invoice"])["status"] == "paid"
        assert stand.v1.subscriptions.retrieve(told["subscription"]).status == "active"
        assert "no failed payment" in stand.refused("/_pay_invoice", invoice=unpaid["invoice"])

    @pytest.mark.parametrize(
        ("status", "kinds"),
        [
            ("paused", ["customer.subscription.paused", "customer.subscription.updated"]),
            ("unpaid", ["customer.subscription.updated"]),
        ],
    )
    def test_a_change_of_status_is_told(self, stand: Stand, club: str, status: str, kinds: list[str]) -> None:
        told = subscribe(stand, club)
        changed = stand.control("/_subscription", {"session": told["session"], "status": status})
        assert (types(changed), changed["event"]) == (kinds, changed["events"][0]["event"])
        assert stand.v1.subscriptions.retrieve(told["subscription"]).status == status

    def test_resuming_is_told(self, stand: Stand, club: str) -> None:
        told = subscribe(stand, club)
        stand.control("/_subscription", {"session": told["session"], "status": "paused"})
        back = stand.control("/_subscription", {"session": told["session"], "status": "active"})
        assert types(back) == ["customer.subscription.resumed", "customer.subscription.updated"]

    def test_a_pause_of_collection_leaves_the_status(self, stand: Stand, club: str) -> None:
        told = subscribe(stand, club)
        stand.control("/_subscription", {"session": told["session"], "pause_collection": "void"})
        subscription = stand.v1.subscriptions.retrieve(told["subscription"])
        assert subscription.pause_collection is not None
        assert (subscription.status, subscription.pause_collection.behavior) == ("active", "void")
        stand.control("/_subscription", {"session": told["session"], "pause_collection": None})
        assert stand.v1.subscriptions.retrieve(told["subscription"]).pause_collection is None


class TestEnding:
    def test_a_cancelled_subscription_is_over(self, stand: Stand, club: str) -> None:
        told = subscribe(stand, club)
        assert types(stand.control("/_cancel", {"session": told["session"]})) == ["customer.subscription.deleted"]
        subscription = stand.v1.subscriptions.retrieve(told["subscription"])
        assert (subscription.status, subscription.ended_at, subscription.canceled_at) == ("canceled", AT, AT)
        assert "does not renew" in stand.refused("/_renew", session=told["session"])
        assert "canceled" in stand.refused("/_cancel", session=told["session"])

    def test_a_subscription_marked_to_end_goes_on_until_its_period_ends(self, stand: Stand, club: str) -> None:
        told = subscribe(stand, club)
        marked = stand.control("/_cancel", {"subscription": told["subscription"], "at_period_end": True})
        assert types(marked) == ["customer.subscription.updated"]
        subscription = stand.v1.subscriptions.retrieve(told["subscription"])
        assert (subscription.status, subscription.cancel_at_period_end) == ("active", True)
        assert (subscription.cancel_at, subscription.ended_at) == (AT + 30 * DAY_S, None)

    def test_a_session_without_a_subscription_has_none_to_cancel(self, stand: Stand) -> None:
        assert "no subscription's" in stand.refused("/_cancel", session=stand.control("/_pay")["session"])


class TestInvoices:
    def test_a_plain_invoice_has_no_parent(self, stand: Stand, club: str) -> None:
        told = stand.control("/_invoice", {"email": "ada@example.com", "products": [club]})
        assert types(told)[-1] == "invoice.paid"
        invoice = shown(stand, told["invoice"])
        assert (invoice["parent"], invoice["billing_reason"], invoice["status"]) == (None, "manual", "paid")

    def test_money_out_of_band_leaves_no_payment(self, stand: Stand, club: str) -> None:
        told = stand.control("/_invoice", {"email": "a@example.com", "products": [club], "paid_out_of_band": True})
        assert types(told) == ["invoice.paid"]
        invoice = shown(stand, told["invoice"])
        assert (invoice["status"], invoice["payments"]["data"]) == ("paid", [])
        assert "not paid with money" in stand.refused("/_refund", invoice=told["invoice"])

    @pytest.mark.parametrize("late", [False, True])
    def test_checkout_can_write_an_invoice_for_a_single_payment(self, stand: Stand, *, late: bool) -> None:
        told = stand.control("/_pay", {"invoice_creation": True, "late": late})
        if late:
            assert "invoice" not in told
            told = stand.control("/_settle", {"session": told["session"]})
        wanted: Any = {"payment": {"type": "payment_intent", "payment_intent": told["payment_intent"]}}
        paid = stand.v1.invoice_payments.list(wanted).data
        assert [(one.invoice, one.status) for one in paid] == [(told["invoice"], "paid")]
        assert stand.v1.checkout.sessions.retrieve(told["session"]).invoice == told["invoice"]
        assert "invoice.paid" in types(told)

    def test_an_invoices_payment_can_be_refunded(self, stand: Stand, club: str) -> None:
        told = subscribe(stand, club)
        refund = stand.control("/_refund", {"invoice": told["invoice"]})
        assert (refund["payment_intent"], refund["charge"]) == (told["payment_intent"], told["charge"])
        by_session = stand.refused("/_refund", session=told["session"])
        assert "already been refunded" in by_session

    def test_a_discount_is_beside_the_amount_of_an_invoice_line(self, stand: Stand, club: str) -> None:
        invoice = shown(stand, subscribe(stand, club, discount=400)["invoice"])
        line = invoice["lines"]["data"][0]
        assert (line["amount"], [one["amount"] for one in line["discount_amounts"]]) == (1_900, [400])
        assert (invoice["subtotal"], invoice["total"]) == (1_900, 1_500)

    def test_an_invoice_shows_ten_lines_and_lists_them_all(self, stand: Stand) -> None:
        products = [stand.control("/_product", {"name": f"Part {i}"})["product"] for i in range(12)]
        told = stand.control("/_invoice", {"email": "a@example.com", "products": products})
        invoice = stand.v1.invoices.retrieve(told["invoice"])
        assert (len(invoice.lines.data), invoice.lines.has_more) == (10, True)
        pages = stand.v1.invoices.line_items.list(told["invoice"], {"limit": 5})
        listed = [line.to_dict()["pricing"]["price_details"]["product"] for line in pages.auto_paging_iter()]
        assert listed == products

    def test_a_lines_price_can_be_expanded_and_its_product_cannot(self, stand: Stand, club: str) -> None:
        invoice = subscribe(stand, club)["invoice"]
        lines = stand.v1.invoices.line_items
        line = lines.list(invoice, {"expand": ["data.pricing.price_details.price"]}).data[0].to_dict()
        assert line["pricing"]["price_details"]["price"]["product"] == club
        with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
            lines.list(invoice, {"expand": ["data.pricing.price_details.product"]})
        with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
            lines.list(invoice, {"expand": ["data.pricing.price_details.price.product"]})
        listed = stand.v1.products.list({"ids": [club]}).data
        assert [one.metadata.to_dict() for one in listed] == [{"fastio_files": "1"}]

    def test_an_invoice_belongs_to_its_account(self, stand: Stand, club: str) -> None:
        told = subscribe(stand, club, account="acct_1")
        theirs: stripe.RequestOptions = {"stripe_account": "acct_1"}
        assert stand.v1.invoices.retrieve(told["invoice"], {}, theirs).id == told["invoice"]
        assert stand.v1.invoice_payments.list({"invoice": told["invoice"]}, theirs).data[0].status == "paid"
        with pytest.raises(stripe.InvalidRequestError):
            stand.v1.invoices.retrieve(told["invoice"])

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/v1/invoices/in_1", 404),
            ("/v1/invoices/in_1/lines", 404),
            ("/v1/subscriptions/sub_1", 404),
            ("/v1/invoices?subscription=sub_1", 400),
            ("/v1/invoice_payments?invoice=in_1", 400),
            ("/v1/invoice_payments?payment[type]=payment_intent&payment[payment_intent]=pi_1", 400),
        ],
    )
    def test_what_nobody_made_is_missing(self, stand: Stand, path: str, status: int) -> None:
        answer = stand.raw("GET", path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, "resource_missing")

    def test_a_payment_is_looked_for_by_its_type(self, stand: Stand) -> None:
        intent = stand.control("/_pay")["payment_intent"]
        error = stand.raw("GET", f"/v1/invoice_payments?payment[payment_intent]={intent}").json()["error"]
        assert (error["code"], error["param"]) == ("parameter_missing", "payment[type]")


class TestAnInvoiceWrittenThroughTheApi:
    def draft(self, stand: Stand, card: str | None = "pm_card_visa") -> tuple[str, str]:
        """The customer's id, and the invoice's."""
        form: Any = {"email": "ada@example.com"}
        if card:
            form |= {"payment_method": card, "invoice_settings": {"default_payment_method": card}}
        customer = stand.v1.customers.create(form)
        invoice = stand.v1.invoices.create({"customer": customer.id, "currency": "usd", "auto_advance": False})
        assert (invoice.status, invoice.total) == ("draft", 0)
        return customer.id, str(invoice.id)

    def item(self, stand: Stand, customer: str, invoice: str, product: str, currency: str = "usd") -> None:
        price: Any = {"currency": currency, "product": product, "unit_amount": 100}
        stand.v1.invoice_items.create({"customer": customer, "invoice": invoice, "price_data": price})

    def test_it_is_paid_with_the_customer_s_card_and_told(self, stand: Stand, club: str) -> None:
        customer, invoice = self.draft(stand)
        self.item(stand, customer, invoice, club)
        stand.v1.invoices.finalize_invoice(invoice)
        paid = stand.v1.invoices.pay(invoice)
        assert (paid.status, paid.total, paid.customer_email) == ("paid", 100, "ada@example.com")
        found = shown(stand, invoice)
        assert found["lines"]["data"][0]["pricing"]["price_details"]["product"] == club
        assert found["payments"]["data"][0]["status"] == "paid"
        assert [one.type for one in stand.v1.events.list({"type": "invoice.paid"}).data] == ["invoice.paid"]
        assert [one.id for one in stand.v1.customers.list({"email": "ada@example.com"}).data] == [customer]

    def test_what_is_out_of_turn_is_refused(self, stand: Stand, club: str) -> None:
        customer, invoice = self.draft(stand)
        other, _ = self.draft(stand)
        for wrong in (
            lambda: stand.v1.invoices.pay(invoice),
            lambda: self.item(stand, other, invoice, club),
            lambda: self.item(stand, customer, invoice, club, "eur"),
            lambda: self.item(stand, customer, invoice, "prod_1"),
            lambda: stand.v1.customers.create({"payment_method": "pm_of_nobody"}),
        ):
            with pytest.raises(stripe.InvalidRequestError):
                wrong()
        stand.v1.invoices.finalize_invoice(invoice)
        with pytest.raises(stripe.InvalidRequestError, match="has to be draft"):
            self.item(stand, customer, invoice, club)

    def test_without_a_card_nothing_is_paid(self, stand: Stand, club: str) -> None:
        customer, invoice = self.draft(stand, card=None)
        self.item(stand, customer, invoice, club)
        stand.v1.invoices.finalize_invoice(invoice)
        with pytest.raises(stripe.InvalidRequestError, match="default_payment_method"):
            stand.v1.invoices.pay(invoice)
