"""The Stripe stand-in, asked by Stripe's own SDK over a real socket: as strict and as forgetful as Stripe."""

import json
import threading
import time
from typing import Any

import httpx
import pytest
import stripe
from websockets.sync.client import connect

from local.hosting.serving import serving
from local.stripe.server import stripe_app
from tests.local.stripe_stand import AT, KEY, SECRET, SESSION_EVENTS, Shop, Stand, eventually, verify


def sell(stand: Stand, lines: int = 1) -> stripe.checkout.Session:
    """An open session of a seller's making."""
    return stand.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://shop.example/thanks",
            "line_items": [
                {
                    "price_data": {
                        "currency": "usd",
                        "unit_amount": 500,
                        "product_data": {"name": f"Part {i}", "metadata": {"fastio_files": str(i)}},
                    },
                    "quantity": 2,
                }
                for i in range(lines)
            ],
        }
    )


class TestStrictness:
    @pytest.mark.parametrize("key", ["sk_test_other", "sk_live_51Stand", "pk_test_51Stand"])
    def test_a_key_that_is_not_accepted_is_refused(self, stand: Stand, key: str) -> None:
        with pytest.raises(stripe.AuthenticationError):
            stand.client(key).v1.accounts.retrieve_current()

    def test_the_key_may_come_as_the_user_of_basic_authentication(self, stand: Stand) -> None:
        assert httpx.get(stand.url + "/v1/account", auth=(KEY, "")).status_code == 200
        assert httpx.get(stand.url + "/v1/account", auth=("sk_test_other", "")).status_code == 401

    @pytest.mark.parametrize("given", ["Basic", "Basic !", "Basic /w==", "Digest x", "Bearer"])
    def test_what_holds_no_key_is_no_key(self, stand: Stand, given: str) -> None:
        answer = httpx.get(stand.url + "/v1/account", headers={"authorization": given})
        assert (answer.status_code, answer.json()["error"]["message"]) == (401, "You did not provide an API key.")

    def test_a_call_without_a_key_is_refused(self, stand: Stand) -> None:
        answer = httpx.get(stand.url + "/v1/account")
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error")

    def test_every_answer_has_a_request_id_of_its_own(self, stand: Stand) -> None:
        answers = [stand.raw("GET", "/v1/account"), stand.raw("GET", "/v1/nothing")]
        ids = {answer.headers["request-id"] for answer in answers}
        assert len(ids) == 2
        assert all(one.startswith("req_") for one in ids)

    @pytest.mark.parametrize(
        ("method", "path", "form", "param"),
        [
            ("GET", "/v1/products?colour=red", None, "colour"),
            ("POST", "/v1/products", {"name": "x", "colour": "red"}, "colour"),
            ("GET", "/v1/checkout/sessions/cs_test_1?line_items=1", None, "line_items"),
            (
                "POST",
                "/v1/checkout/sessions",
                {"line_items[0][prize]": "x", "success_url": "x"},
                "line_items[0][prize]",
            ),
            ("GET", "/v1/events?created[since]=1", None, "created[since]"),
        ],
    )
    def test_an_unknown_parameter_is_refused_by_name(
        self, stand: Stand, method: str, path: str, form: dict[str, str] | None, param: str
    ) -> None:
        stand.control("/_pay")
        error = stand.raw(method, path, data=form).json()["error"]
        assert error == {
            "type": "invalid_request_error",
            "code": "parameter_unknown",
            "param": param,
            "message": f"Received unknown parameter: {param}",
        }

    def test_json_is_not_form(self, stand: Stand) -> None:
        answer = stand.raw("POST", "/v1/products", json={"name": "x"})
        assert answer.status_code == 400
        assert "x-www-form-urlencoded" in answer.json()["error"]["message"]

    @pytest.mark.parametrize(
        "path",
        [
            "/v1/products/prod_1",
            "/v1/prices/price_1",
            "/v1/checkout/sessions/cs_test_1",
            "/v1/checkout/sessions/cs_test_1/line_items",
            "/v1/payment_intents/pi_1",
            "/v1/payment_links/plink_1",
            "/v1/events/evt_1",
            "/v1/webhook_endpoints/we_1",
        ],
    )
    def test_an_unknown_id_is_404(self, stand: Stand, path: str) -> None:
        answer = stand.raw("GET", path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")

    def test_an_unknown_price_in_a_form_is_400(self, stand: Stand) -> None:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            stand.v1.checkout.sessions.create(
                {"line_items": [{"price": "price_1", "quantity": 1}], "success_url": "https://shop.example"}
            )
        assert (caught.value.http_status, caught.value.param) == (400, "line_items[0][price]")

    @pytest.mark.parametrize(
        "form",
        [
            {},
            {"name": ""},
            {"name": "x", "metadata[" + "k" * 41 + "]": "v"},
            {"name": "x", "metadata[k]": "v" * 501},
            {"name": "x", "active": "yes"},
            {"name[first]": "x"},
            {"name": "x", "[": "y"},
        ],
    )
    def test_a_product_that_stripe_would_not_take_is_refused(self, stand: Stand, form: dict[str, str]) -> None:
        assert stand.raw("POST", "/v1/products", data=form).status_code == 400

    @pytest.mark.parametrize("limit", ["0", "101", "ten"])
    def test_a_page_has_1_to_100(self, stand: Stand, limit: str) -> None:
        assert stand.raw("GET", f"/v1/products?limit={limit}").status_code == 400

    def test_a_version_that_is_none_is_refused(self, stand: Stand) -> None:
        assert stand.raw("GET", "/v1/account", headers={"Stripe-Version": "latest"}).status_code == 400

    def test_calls_are_remembered_without_the_key(self, stand: Stand) -> None:
        stand.v1.accounts.retrieve_current()
        calls = httpx.get(stand.url + "/_calls").json()
        assert [(call["path"], call["status"]) for call in calls] == [("/v1/account", 200)]
        assert calls[0]["headers"]["stripe-version"] == stripe.api_version
        assert KEY not in json.dumps(calls)


class TestWhatAnOperatorMayWrite:
    """Of a sale that is over only its metadata changes, and nothing else is taken."""

    def test_a_session_s_metadata_is_merged_and_no_event_tells(self, stand: Stand) -> None:
        session = stand.control("/_pay")["session"]
        events = stand.v1.events.list().data
        for metadata in ({"paidshare_email": "ada@example.org", "a": "1"}, {"a": ""}):
            changed = stand.v1.checkout.sessions.update(session, {"metadata": metadata})
        assert changed.metadata is not None
        assert changed.metadata.to_dict() == {"paidshare_email": "ada@example.org"}
        assert stand.v1.checkout.sessions.retrieve(session) == changed
        assert stand.v1.events.list().data == events

    def test_an_invoice_s_metadata_is_merged_and_an_event_tells(self, stand: Stand) -> None:
        product = stand.control("/_product", {"name": "Guide"})["product"]
        invoice = stand.control("/_invoice", {"products": [product]})["invoice"]
        changed = stand.v1.invoices.update(invoice, {"metadata": {"paidshare_email": "ada@example.org"}})
        assert changed.metadata is not None
        assert changed.metadata.to_dict() == {"paidshare_email": "ada@example.org"}
        assert stand.v1.events.list().data[0].type == "invoice.updated"

    @pytest.mark.parametrize("path", ["/v1/checkout/sessions/cs_test_nobody", "/v1/invoices/in_nobody"])
    def test_what_is_not_there_is_404(self, stand: Stand, path: str) -> None:
        answer = stand.raw("POST", path, data={"metadata[a]": "1"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")

    @pytest.mark.parametrize("param", ["customer_email", "description", "status", "expand_all", "metadata_"])
    def test_nothing_else_is_taken(self, stand: Stand, param: str) -> None:
        product = stand.control("/_product", {"name": "Guide"})["product"]
        paid = stand.control("/_pay", {"products": [product]})["session"]
        billed = stand.control("/_invoice", {"products": [product]})["invoice"]
        for path in (f"/v1/checkout/sessions/{paid}", f"/v1/invoices/{billed}"):
            error = stand.raw("POST", path, data={param: "x"}).json()["error"]
            assert (error["code"], error["param"]) == ("parameter_unknown", param)

    def test_another_account_s_sale_is_not_there(self, stand: Stand) -> None:
        session = stand.control("/_pay", {"account": "acct_1Other"})["session"]
        metadata: Any = {"metadata": {"a": "1"}}
        with pytest.raises(stripe.InvalidRequestError):
            stand.v1.checkout.sessions.update(session, metadata)
        assert stand.v1.checkout.sessions.update(session, metadata, {"stripe_account": "acct_1Other"}).id == session


class TestIdempotencyKeys:
    def test_the_same_call_is_done_once(self, stand: Stand) -> None:
        made = [stand.v1.products.create({"name": "Guide"}, {"idempotency_key": "once"}) for _ in range(2)]
        assert made[0].id == made[1].id
        assert len(stand.v1.products.list().data) == 1

    def test_another_call_under_the_same_key_is_refused(self, stand: Stand) -> None:
        stand.v1.products.create({"name": "Guide"}, {"idempotency_key": "once"})
        with pytest.raises(stripe.IdempotencyError):
            stand.v1.products.create({"name": "Mug"}, {"idempotency_key": "once"})

    def test_an_answer_that_was_lost_is_found_again(self, stand: Stand) -> None:
        stand.control("/_faults", {"match": "POST /v1/products", "status": 500, "after": True})
        sdk = stripe.StripeClient(KEY, http_client=stand.http, base_addresses={"api": stand.url}, max_network_retries=1)
        sdk.v1.products.create({"name": "Guide"})
        assert len(stand.v1.products.list().data) == 1


class TestObjects:
    def test_metadata_is_merged_and_an_empty_value_takes_a_key_away(self, stand: Stand) -> None:
        made = stand.v1.products.create({"name": "Guide", "metadata": {"a": "1", "b": "2"}})
        changed = stand.v1.products.update(made.id, {"metadata": {"b": "", "0": "3"}})
        assert changed.metadata.to_dict() == {"a": "1", "0": "3"}

    def test_metadata_may_be_named_by_numbers(self, stand: Stand) -> None:
        made = stand.v1.products.create({"name": "Guide", "metadata": {"0": "zero"}})
        assert made.metadata.to_dict() == {"0": "zero"}

    def test_a_product_may_bring_its_price(self, stand: Stand) -> None:
        made = stand.v1.products.create(
            {
                "name": "Guide",
                "default_price_data": {"currency": "usd", "unit_amount": 900},
                "expand": ["default_price"],
            }
        )
        assert isinstance(made.default_price, stripe.Price)
        assert [price.unit_amount for price in stand.v1.prices.list({"product": made.id}).data] == [900]

    def test_a_session_has_no_lines_until_they_are_asked_for(self, stand: Stand) -> None:
        made = sell(stand)
        assert "line_items" not in stand.v1.checkout.sessions.retrieve(made.id).to_dict()
        shown = stand.v1.checkout.sessions.retrieve(made.id, {"expand": ["line_items"]}).to_dict()
        assert shown["line_items"]["data"][0]["price"]["product"].startswith("prod_")
        assert shown["line_items"]["data"][0]["amount_total"] == shown["amount_total"] == 1_000

    def test_an_expanded_product_has_its_metadata(self, stand: Stand) -> None:
        made = sell(stand)
        shown = stand.v1.checkout.sessions.retrieve(made.id, {"expand": ["line_items.data.price.product"]}).to_dict()
        assert shown["line_items"]["data"][0]["price"]["product"]["metadata"] == {"fastio_files": "0"}

    def test_a_product_without_prices_can_be_deleted(self, stand: Stand) -> None:
        made = stand.v1.products.create({"name": "Guide"})
        assert stand.v1.products.delete(made.id).deleted
        with pytest.raises(stripe.InvalidRequestError):
            stand.v1.products.retrieve(made.id)
        sold = stand.control("/_product")["product"]
        with pytest.raises(stripe.InvalidRequestError, match="prices"):
            stand.v1.products.delete(sold)

    @pytest.mark.parametrize("path", ["colour", "line_items.data.colour", "mode", "line_items.data.price.product.x"])
    def test_what_cannot_be_expanded_is_refused(self, stand: Stand, path: str) -> None:
        with pytest.raises(stripe.InvalidRequestError):
            stand.v1.checkout.sessions.retrieve(sell(stand).id, {"expand": [path]})

    def test_expanded_lines_end_after_ten(self, stand: Stand) -> None:
        shown = stand.v1.checkout.sessions.retrieve(sell(stand, 27).id, {"expand": ["line_items"]})
        assert shown.line_items is not None
        assert (len(shown.line_items.data), shown.line_items.has_more) == (10, True)

    def test_pages_follow_each_other_without_a_gap(self, stand: Stand) -> None:
        made = sell(stand, 27)
        pages = stand.v1.checkout.sessions.line_items.list(made.id, {"limit": 10, "expand": ["data.price.product"]})
        names = [line.to_dict()["price"]["product"]["name"] for line in pages.auto_paging_iter()]
        assert names == [f"Part {i}" for i in range(27)]

    def test_a_session_is_found_by_its_payment(self, stand: Stand) -> None:
        paid = [stand.control("/_pay")["session"] for _ in range(3)]
        intent = stand.v1.checkout.sessions.retrieve(paid[1]).payment_intent
        assert isinstance(intent, str)
        assert stand.v1.payment_intents.retrieve(intent).status == "succeeded"
        found = stand.v1.checkout.sessions.list({"payment_intent": intent}).data
        assert [one.id for one in found] == [paid[1]]

    def test_sessions_are_listed_newest_first_by_state_and_time(self, stand: Stand) -> None:
        paid = [stand.control("/_pay")["session"] for _ in range(3)]
        sell(stand)
        pages = stand.v1.checkout.sessions.list({"status": "complete", "created": {"gte": AT}, "limit": 2})
        assert [one.id for one in pages.auto_paging_iter()] == paid[::-1]
        assert stand.v1.checkout.sessions.list({"created": {"gt": AT}}).data == []

    def test_an_object_of_the_other_mode_is_unknown_and_stripe_says_why(self, stand: Stand) -> None:
        session = stand.control("/_pay", {"livemode": True})["session"]
        assert session.startswith("cs_live_")
        with pytest.raises(stripe.InvalidRequestError, match="exists in live mode"):
            stand.v1.checkout.sessions.retrieve(session)

    def test_a_payment_link_is_where_its_sessions_come_from(self, stand: Stand) -> None:
        session = stand.v1.checkout.sessions.retrieve(stand.control("/_pay", {"payment_link": True})["session"])
        assert isinstance(session.payment_link, str)
        assert stand.v1.payment_links.retrieve(session.payment_link).active

    def test_reset_forgets_everything_but_the_webhook(self, stand: Stand, shop: Shop) -> None:
        session = stand.control("/_pay")["session"]
        stand.control("/_reset")
        with pytest.raises(stripe.InvalidRequestError):
            stand.v1.checkout.sessions.retrieve(session)
        assert stand.deliveries() == []
        assert stand.control("/_pay")["delivery"]["url"] == shop.url


class TestPaying:
    @pytest.mark.parametrize(
        ("sale", "mode", "payment_status", "intents"),
        [
            ({}, "payment", "paid", 1),
            ({"late": True}, "payment", "unpaid", 1),
            ({"payment_status": "no_payment_required"}, "payment", "no_payment_required", 0),
            ({"mode": "setup"}, "setup", "no_payment_required", 0),
            ({"mode": "subscription"}, "subscription", "paid", 0),
        ],
    )
    def test_a_session_ends_as_it_is_told_to(
        self, stand: Stand, sale: dict[str, Any], mode: str, payment_status: str, intents: int
    ) -> None:
        session = stand.v1.checkout.sessions.retrieve(stand.control("/_pay", sale)["session"])
        assert (session.status, session.mode, session.payment_status) == ("complete", mode, payment_status)
        assert (session.payment_intent is not None) == bool(intents)
        assert (session.subscription is not None) is (mode == "subscription")
        assert (session.setup_intent is not None) is (mode == "setup")

    def test_a_sellers_own_session_can_be_paid_once(self, stand: Stand) -> None:
        made = sell(stand)
        stand.control("/_pay", {"session": made.id, "email": "ada@example.com"})
        session = stand.v1.checkout.sessions.retrieve(made.id)
        assert session.customer_details is not None
        assert session.customer_details.email == "ada@example.com"
        assert httpx.post(stand.url + "/_pay", json={"session": made.id}).status_code == 400

    def test_products_are_gone_round_until_there_are_enough_lines(self, stand: Stand) -> None:
        products = [stand.control("/_product", {"name": name})["product"] for name in ("A", "B")]
        session = stand.control("/_pay", {"products": products, "lines": 5})["session"]
        lines = stand.v1.checkout.sessions.line_items.list(session).data
        assert [line.description for line in lines] == ["A", "B", "A", "B", "A"]

    @pytest.mark.parametrize("sale", [{"e-mail": "x"}, {"mode": "gift"}, {"lines": 0}, {"products": ["prod_1"]}, []])
    def test_a_misspelt_sale_is_refused(self, stand: Stand, sale: Any) -> None:
        assert httpx.post(stand.url + "/_pay", json=sale).status_code == 400


class TestEvents:
    def test_an_event_verifies_and_has_the_session_as_it_was(self, stand: Stand, shop: Shop) -> None:
        told = stand.control("/_pay", {"email": "ada@example.com"})

        headers, body = shop.got[0]
        verify(shop.got[0])
        event = stripe.Webhook.construct_event(body, headers["stripe-signature"], SECRET, tolerance=10**9)
        assert (event.id, event.type) == (told["event"], "checkout.session.completed")
        assert event.data.object["id"] == told["session"]
        assert "line_items" not in event.data.object
        assert headers["content-type"] == "application/json; charset=utf-8"
        assert headers["stripe-signature"].startswith(f"t={AT},v1=")
        assert (told["delivery"]["status"], told["delivery"]["body"]) == (200, "thanks")

    def test_a_late_payment_has_its_two_events(self, stand: Stand, shop: Shop) -> None:
        session = stand.control("/_pay", {"late": True})["session"]
        stand.control("/_settle", {"session": session})

        events = [json.loads(body) for _, body in shop.got]
        assert [(one["type"], one["data"]["object"]["payment_status"]) for one in events] == [
            ("checkout.session.completed", "unpaid"),
            ("checkout.session.async_payment_succeeded", "paid"),
        ]
        assert stand.v1.checkout.sessions.retrieve(session).payment_status == "paid"
        assert httpx.post(stand.url + "/_settle", json={"session": session}).status_code == 400

    def test_a_late_payment_can_fail(self, stand: Stand, shop: Shop) -> None:
        session = stand.control("/_pay", {"late": True})["session"]
        stand.control("/_fail", {"session": session})
        assert json.loads(shop.got[1][1])["type"] == "checkout.session.async_payment_failed"
        assert stand.v1.checkout.sessions.retrieve(session).payment_status == "unpaid"

    def test_a_repeat_is_the_same_event(self, stand: Stand, shop: Shop) -> None:
        event = stand.control("/_pay")["event"]
        stand.control("/_send", {"event": event})
        assert [json.loads(body)["id"] for _, body in shop.got] == [event, event]
        verify(shop.got[1])

    def test_one_fact_can_have_two_events(self, stand: Stand, shop: Shop) -> None:
        told = stand.control("/_pay")
        again = stand.control("/_send", {"session": told["session"], "new_event": True})
        assert again["event"] != told["event"]
        assert again["session"] == told["session"]
        assert len(shop.got) == 2

    def test_a_forged_event_does_not_verify(self, stand: Stand, shop: Shop) -> None:
        stand.control("/_send", {"event": stand.control("/_pay")["event"], "forged": True})
        with pytest.raises(stripe.SignatureVerificationError):
            verify(shop.got[1])

    def test_a_stale_event_is_signed_long_ago(self, stand: Stand, shop: Shop) -> None:
        stand.control("/_send", {"event": stand.control("/_pay")["event"], "stale_s": 400})
        assert shop.got[1][0]["stripe-signature"].startswith(f"t={AT - 400},")
        verify(shop.got[1])
        with pytest.raises(stripe.SignatureVerificationError, match="tolerance"):
            verify(shop.got[1], tolerance=300)

    def test_an_unsigned_event_has_no_signature(self, stand: Stand, shop: Shop) -> None:
        stand.control("/_send", {"event": stand.control("/_pay")["event"], "unsigned": True})
        assert "stripe-signature" not in shop.got[1][0]

    def test_a_quiet_sale_sends_nothing_and_is_found_among_the_undelivered(self, stand: Stand, shop: Shop) -> None:
        stand.control("/_pay")
        quiet = stand.control("/_pay", {"quiet": True})["event"]
        assert len(shop.got) == 1
        undelivered = stand.v1.events.list({"delivery_success": False, "types": ["checkout.session.completed"]})
        assert [one.id for one in undelivered.data] == [quiet]

    def test_events_are_read_forward_from_a_known_one(self, stand: Stand) -> None:
        events = [stand.control("/_pay")["event"] for _ in range(5)]
        pages = stand.v1.events.list({"ending_before": events[0], "limit": 2, "type": "checkout.session.completed"})
        assert [one.id for one in pages.auto_paging_iter()] == events[1:]

    def test_an_endpoint_made_through_the_api_gets_what_it_asked_for(self, stand: Stand, shop: Shop) -> None:
        stand.control("/_webhook", {"url": None})
        made = stand.v1.webhook_endpoints.create(
            {"url": shop.url, "enabled_events": ["checkout.session.async_payment_succeeded"]}
        )
        assert made.secret is not None
        session = stand.control("/_pay", {"late": True})["session"]
        assert shop.got == []
        stand.control("/_settle", {"session": session})
        verify(shop.got[0], made.secret)
        assert "secret" not in stand.v1.webhook_endpoints.retrieve(made.id)
        stand.v1.webhook_endpoints.update(made.id, {"disabled": True})
        assert stand.control("/_pay")["deliveries"] == []
        changed = stand.v1.webhook_endpoints.update(
            made.id, {"disabled": False, "enabled_events": ["checkout.session.completed"]}
        )
        assert (changed.status, "secret" in changed) == ("enabled", False)
        assert len(stand.control("/_pay")["deliveries"]) == 1
        stand.v1.webhook_endpoints.delete(made.id)
        assert stand.control("/_pay")["deliveries"] == []


class TestRetries:
    def test_an_event_that_is_not_taken_comes_again(self, stand: Stand, shop: Shop) -> None:
        shop.statuses = [500, 302]
        told = stand.control("/_pay")

        tries = stand.deliveries_when(3)

        assert [(one["attempt"], one["status"]) for one in tries] == [(1, 500), (2, 302), (3, 200)]
        assert {one["event"] for one in tries} == {told["event"]}
        for got in shop.got:
            verify(got)
        eventually(lambda: stand.v1.events.list({"delivery_success": True}).data or None)

    def test_an_event_that_is_never_taken_is_given_up(self, stand: Stand, shop: Shop) -> None:
        shop.statuses = [503] * 9
        stand.control("/_pay")
        assert [one["attempt"] for one in stand.deliveries_when(4)] == [1, 2, 3, 4]
        assert stand.v1.events.list({"delivery_success": True, "types": SESSION_EVENTS}).data == []

    def test_nobody_there_is_a_failure_too(self, stand: Stand) -> None:
        stand.control("/_webhook", {"url": "http://127.0.0.1:9/hook", "retries": [], "events": SESSION_EVENTS})
        delivery = stand.control("/_pay")["delivery"]
        assert (delivery["status"], delivery["error"]) == (0, "ConnectError")
        assert len(stand.deliveries()) == 1

    def test_a_sender_that_waits_ends_with_the_server(self) -> None:
        before = set(threading.enumerate())  # Another test's system may be up.
        with serving(stripe_app(retries=(3600,), webhook_url="http://127.0.0.1:9/hook")) as url:
            httpx.post(url + "/_pay", json={})
            started = time.monotonic()
        assert time.monotonic() - started < 3
        assert set(threading.enumerate()) <= before


class TestFaults:
    def test_a_fault_is_what_the_sdk_sees(self, stand: Stand) -> None:
        body = {"error": {"type": "api_error", "message": "injected"}}
        stand.control("/_faults", {"match": "GET /v1/account", "status": 503, "body": body})
        with pytest.raises(stripe.APIError):
            stand.v1.accounts.retrieve_current()
        assert stand.v1.accounts.retrieve_current().id.startswith("acct_")

    def test_a_dropped_connection_is_one(self, stand: Stand) -> None:
        stand.control("/_faults", {"match": "GET /v1/account", "status": 0})
        with pytest.raises(stripe.APIConnectionError):
            stand.v1.accounts.retrieve_current()


class TestStripeListen:
    """The CLI's side of the protocol, as version 1.52.0 speaks it."""

    def test_every_event_comes_signed_with_the_secret_that_the_cli_prints(self, stand: Stand) -> None:
        session = stand.raw("POST", "/v1/stripecli/sessions", data={"device_name": "laptop"}).json()
        address = f"{session['websocket_url']}?websocket_feature={session['websocket_authorized_feature']}"
        assert session["secret"] == SECRET

        with connect(address, subprotocols=["stripecli-devproxy-v1"]) as socket:  # type: ignore[list-item]  # A NewType of str.
            told = eventually(lambda: self.heard(stand, socket))
            verify(
                (
                    {k.lower(): v for k, v in told["http_headers"].items()},
                    told["event_payload"].encode(),
                )
            )
            socket.send(json.dumps({"type": "webhook_response", "status": 202, "webhook_id": told["webhook_id"]}))
            delivery = stand.deliveries_when(1)[0]

        assert (delivery["status"], delivery["via"]) == (202, "stripe listen")
        assert delivery["event"] == json.loads(told["event_payload"])["id"]

    def heard(self, stand: Stand, socket: Any) -> dict[str, Any] | None:
        """A sale is made until the socket is known to the server and has one."""
        stand.control("/_pay")
        try:
            message: dict[str, Any] = json.loads(socket.recv(timeout=0.05))
        except TimeoutError:
            return None
        return message

    def test_a_cli_with_a_wrong_key_is_refused(self, stand: Stand) -> None:
        headers = {"Authorization": "Bearer sk_test_wrong"}
        answer = stand.raw("POST", "/v1/stripecli/sessions", headers=headers)
        assert answer.status_code == 401
