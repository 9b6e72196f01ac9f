"""What an endpoint of the Stripe stand-in gets: the types it wants, in the API version it was made for."""

import types as python
from typing import Any, get_args

import pytest
import stripe

from tests.local.stripe_stand import Shop, Stand

OLD = "2024-06-20"


@pytest.fixture
def sold(stand: Stand, shop: Shop) -> dict[str, Any]:
    told: dict[str, Any] = stand.control("/_pay", {"mode": "subscription", "quiet": True})
    return told


def sent(stand: Stand, shop: Shop, told: dict[str, Any], kind: str, **how: Any) -> dict[str, Any]:
    event = next(one["event"] for one in told["events"] if one["type"] == kind)
    stand.control("/_send", {"event": event, **how})
    found: dict[str, Any] = shop.events()[-1]
    assert found["id"] == event
    return found


class TestOldShapes:
    def test_an_old_invoice_names_its_payment_and_its_subscription(
        self, stand: Stand, shop: Shop, sold: dict[str, Any]
    ) -> None:
        event = sent(stand, shop, sold, "invoice.paid", api_version=OLD)
        invoice = event["data"]["object"]
        assert event["api_version"] == OLD
        assert {key: invoice[key] for key in ("subscription", "payment_intent", "charge", "paid")} == {
            "subscription": sold["subscription"],
            "payment_intent": sold["payment_intent"],
            "charge": sold["charge"],
            "paid": True,
        }
        line = invoice["lines"]["data"][0]
        assert (line["price"]["type"], line["type"]) == ("recurring", "subscription")
        assert not {"parent", "pricing"} & {*invoice, *line}

    def test_an_old_subscription_has_its_period_at_the_top(
        self, stand: Stand, shop: Shop, sold: dict[str, Any]
    ) -> None:
        new = sent(stand, shop, sold, "customer.subscription.created")["data"]["object"]
        old = sent(stand, shop, sold, "customer.subscription.created", api_version=OLD)["data"]["object"]
        assert "current_period_end" not in new
        assert old["current_period_end"] == new["items"]["data"][0]["current_period_end"]
        assert "current_period_end" not in old["items"]["data"][0]

    def test_an_old_charge_names_its_invoice(self, stand: Stand, shop: Shop, sold: dict[str, Any]) -> None:
        for kind in ("charge.succeeded", "payment_intent.succeeded"):
            event = sent(stand, shop, sold, kind, api_version=OLD)
            assert event["data"]["object"]["invoice"] == sold["invoice"]

    @pytest.mark.parametrize(("version", "there"), [("2022-08-01", True), (OLD, False)])
    def test_refunds_left_charges_in_2022(self, stand: Stand, shop: Shop, *, version: str, there: bool) -> None:
        sale = stand.control("/_pay", {"quiet": True})
        told = stand.control("/_refund", {"session": sale["session"], "quiet": True})
        charge = sent(stand, shop, told, "charge.refunded", api_version=version)["data"]["object"]
        assert ("refunds" in charge) is there

    def test_the_event_itself_stays_as_it_was_made(self, stand: Stand, shop: Shop, sold: dict[str, Any]) -> None:
        event = sent(stand, shop, sold, "invoice.paid", api_version=OLD)
        assert stand.v1.events.retrieve(event["id"]).api_version == stripe.api_version


class TestEndpoints:
    def test_a_webhook_gets_the_types_it_wants_in_its_version(self, stand: Stand, shop: Shop) -> None:
        stand.control("/_webhook", {"url": shop.url, "events": ["invoice.paid"], "api_version": OLD})
        told = stand.control("/_pay", {"mode": "subscription"})
        assert [(one["type"], one["api_version"]) for one in shop.events()] == [("invoice.paid", OLD)]
        assert [one["type"] for one in told["events"] if one["delivery"]] == ["invoice.paid"]

    def test_a_webhook_that_wants_everything_gets_it_in_order(self, stand: Stand, shop: Shop) -> None:
        stand.control("/_webhook", {"url": shop.url, "events": None})
        told = stand.control("/_pay")
        assert [one["id"] for one in shop.events()] == [one["event"] for one in told["events"]]

    def test_the_events_about_an_object_are_found_again(self, stand: Stand) -> None:
        sale = stand.control("/_pay")
        stand.control("/_pay")
        answer = stand.raw("GET", f"/_events?about={sale['payment_intent']}").json()
        assert [one["event"] for one in answer["events"]] == [one["event"] for one in sale["events"]]


class TestShapes:
    """Held against the classes of Stripe's SDK, whose version of the API is pinned."""

    def objects(self, stand: Stand) -> list[dict[str, Any]]:
        sale = stand.control("/_pay", {"mode": "subscription"})
        refund = stand.control("/_refund", {"session": sale["session"], "amount": 1})["refund"]
        warning = stand.control("/_warn", {"session": sale["session"]})["warning"]
        dispute = stand.control("/_dispute", {"session": sale["session"]})["dispute"]
        paths = [
            f"checkout/sessions/{sale['session']}",
            f"payment_intents/{sale['payment_intent']}",
            f"charges/{sale['charge']}",
            f"refunds/{refund}",
            f"radar/early_fraud_warnings/{warning}",
            f"disputes/{dispute}",
            f"subscriptions/{sale['subscription']}",
            f"invoices/{sale['invoice']}",
        ]
        found = [stand.raw("GET", f"/v1/{path}").json() for path in paths]
        found += stand.raw("GET", f"/v1/invoice_payments?invoice={sale['invoice']}").json()["data"]
        found += stand.raw("GET", f"/v1/invoices/{sale['invoice']}/lines").json()["data"]
        return [*found, *found[6]["items"]["data"]]

    def test_an_object_has_the_fields_of_its_class_and_no_others(self, stand: Stand) -> None:
        classes = {
            "checkout.session": stripe.checkout.Session,
            "payment_intent": stripe.PaymentIntent,
            "charge": stripe.Charge,
            "refund": stripe.Refund,
            "radar.early_fraud_warning": stripe.radar.EarlyFraudWarning,
            "dispute": stripe.Dispute,
            "subscription": stripe.Subscription,
            "subscription_item": stripe.SubscriptionItem,
            "invoice": stripe.Invoice,
            "invoice_payment": stripe.InvoicePayment,
            "line_item": stripe.InvoiceLineItem,
        }
        made = self.objects(stand)
        assert {one["object"] for one in made} == set(classes)
        for one in made:
            fields = classes[one["object"]].__annotations__
            needed = {name for name, kind in fields.items() if not optional(kind)} - {"OBJECT_NAME"}
            assert (set(one) - set(fields), needed - set(one)) == (set(), set()), one["object"]


def optional(kind: Any) -> bool:
    return python.NoneType in get_args(kind)
