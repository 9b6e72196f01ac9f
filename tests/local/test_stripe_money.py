"""Money at the Stripe stand-in: charges, refunds, disputes and warnings, as Stripe's own SDK sees them."""

from typing import Any

import pytest
import stripe

from tests.local.stripe_stand import Shop, Stand, types


def charge_of(stand: Stand, sale: dict[str, Any]) -> stripe.Charge:
    return stand.v1.charges.retrieve(sale["charge"])


class TestPayments:
    def test_a_sale_is_paid_with_one_charge(self, stand: Stand) -> None:
        sale = stand.control("/_pay", {"email": "ada@example.com"})
        charge = charge_of(stand, sale)
        assert (charge.amount, charge.status, charge.paid, charge.refunded) == (1_900, "succeeded", True, False)
        assert charge.payment_intent == sale["payment_intent"]
        assert charge.billing_details.email == "ada@example.com"

    def test_refunds_are_seen_three_levels_below_a_session(self, stand: Stand) -> None:
        sale = stand.control("/_pay")
        refund = stand.control("/_refund", {"session": sale["session"], "amount": 5})["refund"]
        paths = ["line_items.data.price.product", "payment_intent.latest_charge.refunds"]
        session = stand.v1.checkout.sessions.retrieve(sale["session"], {"expand": paths}).to_dict()
        refunds = session["payment_intent"]["latest_charge"]["refunds"]
        assert [one["id"] for one in refunds["data"]] == [refund]

    def test_a_charge_has_no_refunds_until_they_are_asked_for(self, stand: Stand) -> None:
        sale = stand.control("/_pay")
        assert "refunds" not in charge_of(stand, sale).to_dict()

    @pytest.mark.parametrize(
        ("late", "kinds"),
        [
            (False, ["payment_intent.succeeded", "charge.succeeded", "checkout.session.completed"]),
            (True, ["payment_intent.processing", "charge.pending", "checkout.session.completed"]),
        ],
    )
    def test_the_payment_is_told_before_the_session(self, stand: Stand, *, late: bool, kinds: list[str]) -> None:
        assert types(stand.control("/_pay", {"late": late})) == kinds

    def test_a_late_payment_settles_the_charge_it_began_with(self, stand: Stand) -> None:
        sale = stand.control("/_pay", {"late": True})
        assert charge_of(stand, sale).status == "pending"
        told = stand.control("/_settle", {"session": sale["session"]})
        assert types(told)[:2] == ["payment_intent.succeeded", "charge.succeeded"]
        assert (told["charge"], charge_of(stand, sale).status) == (sale["charge"], "succeeded")

    def test_a_late_payment_that_failed_is_over(self, stand: Stand) -> None:
        sale = stand.control("/_pay", {"late": True})
        told = stand.control("/_fail", {"session": sale["session"]})
        assert types(told) == [
            "payment_intent.payment_failed",
            "charge.failed",
            "checkout.session.async_payment_failed",
        ]
        assert stand.v1.payment_intents.retrieve(sale["payment_intent"]).status == "requires_payment_method"
        assert "no payment is on its way" in stand.refused("/_settle", session=sale["session"])
        assert "not succeeded" in stand.refused("/_refund", session=sale["session"])

    def test_a_discount_is_shared_by_the_lines(self, stand: Stand) -> None:
        sale = stand.control("/_pay", {"lines": 2, "quantity": 2, "discount": 101})
        session = stand.v1.checkout.sessions.retrieve(sale["session"], {"expand": ["line_items"]})
        assert session.line_items is not None
        assert [(line.quantity, line.amount_discount) for line in session.line_items.data] == [(2, 50), (2, 51)]
        assert session.amount_total == sum(line.amount_total for line in session.line_items.data) == 7_499
        assert charge_of(stand, sale).amount == 7_499

    def test_a_whole_discount_leaves_nothing_to_charge(self, stand: Stand) -> None:
        sale = stand.control("/_pay", {"discount": 1_900})
        session = stand.v1.checkout.sessions.retrieve(sale["session"], {"expand": ["line_items"]})
        assert (session.payment_status, session.payment_intent) == ("no_payment_required", None)
        assert session.line_items is not None
        assert [line.amount_total for line in session.line_items.data] == [0]
        assert "more than" in stand.refused("/_pay", discount=1_901)

    def test_a_sales_money_belongs_to_its_account(self, stand: Stand) -> None:
        sale = stand.control("/_pay", {"account": "acct_1"})
        refund = stand.control("/_refund", {"session": sale["session"]})["refund"]
        theirs: stripe.RequestOptions = {"stripe_account": "acct_1"}
        assert stand.v1.refunds.retrieve(refund, {}, theirs).charge == sale["charge"]
        with pytest.raises(stripe.InvalidRequestError) as caught:
            stand.v1.refunds.retrieve(refund)
        assert caught.value.http_status == 404

    def test_money_of_the_other_mode_is_unknown(self, stand: Stand) -> None:
        sale = stand.control("/_pay", {"livemode": True})
        refund = stand.control("/_refund", {"session": sale["session"]})["refund"]
        with pytest.raises(stripe.InvalidRequestError, match="exists in live mode"):
            stand.v1.refunds.retrieve(refund)


class TestRefunds:
    def test_without_an_amount_all_that_is_left_is_refunded(self, stand: Stand) -> None:
        sale = stand.control("/_pay")
        stand.control("/_refund", {"session": sale["session"], "amount": 400})
        assert (charge_of(stand, sale).amount_refunded, charge_of(stand, sale).refunded) == (400, False)

        told = stand.control("/_refund", {"payment_intent": sale["payment_intent"]})

        assert types(told) == ["refund.created", "charge.refunded"]
        assert (charge_of(stand, sale).amount_refunded, charge_of(stand, sale).refunded) == (1_900, True)
        amounts = [one.amount for one in stand.v1.refunds.list({"charge": sale["charge"]}).data]
        assert amounts == [1_500, 400]

    @pytest.mark.parametrize(("status", "kinds"), [("failed", ["refund.failed"]), ("canceled", ["refund.updated"])])
    def test_a_refund_that_ends_badly_gives_the_money_back(self, stand: Stand, status: str, kinds: list[str]) -> None:
        sale = stand.control("/_pay")
        refund = stand.control("/_refund", {"session": sale["session"]})["refund"]

        told = stand.control("/_refund_update", {"refund": refund, "status": status})

        assert types(told) == kinds
        assert (charge_of(stand, sale).amount_refunded, charge_of(stand, sale).refunded) == (0, False)
        assert status in stand.refused("/_refund_update", refund=refund, status="succeeded")

    def test_the_newest_refund_is_meant_when_none_is_named(self, stand: Stand) -> None:
        sale = stand.control("/_pay")
        assert "no refund" in stand.refused("/_refund_update", session=sale["session"], status="failed")
        made = [stand.control("/_refund", {"session": sale["session"], "amount": 1})["refund"] for _ in range(2)]
        told = stand.control("/_refund_update", {"session": sale["session"], "status": "failed"})
        assert told["refund"] == made[1]

    def test_a_pending_refund_counts_at_once(self, stand: Stand) -> None:
        sale = stand.control("/_pay")
        refund = stand.control("/_refund", {"session": sale["session"], "status": "pending"})["refund"]
        assert charge_of(stand, sale).refunded
        told = stand.control("/_refund_update", {"refund": refund, "status": "succeeded"})
        assert types(told) == ["refund.updated"]
        assert stand.v1.refunds.retrieve(refund).status == "succeeded"

    def test_more_than_is_left_is_refused(self, stand: Stand) -> None:
        sale = stand.control("/_pay")
        with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
            stand.v1.refunds.create({"charge": sale["charge"], "amount": 1_901})
        stand.v1.refunds.create({"charge": sale["charge"]})
        with pytest.raises(stripe.InvalidRequestError) as caught:
            stand.v1.refunds.create({"payment_intent": sale["payment_intent"]})
        assert caught.value.code == "charge_already_refunded"

    def test_a_refund_made_through_the_api_has_its_events_sent(self, stand: Stand, shop: Shop) -> None:
        stand.control("/_webhook", {"url": shop.url, "events": ["refund.created", "charge.refunded"]})
        sale = stand.control("/_pay")
        made = stand.v1.refunds.create(
            {
                "payment_intent": sale["payment_intent"],
                "amount": 5,
                "reason": "requested_by_customer",
                "metadata": {"by": "a person"},
            }
        )
        stand.deliveries_when(2)
        assert made.metadata is not None
        assert (made.status, made.reason, made.metadata["by"]) == ("succeeded", "requested_by_customer", "a person")
        assert [(one["type"], one["data"]["object"]["id"]) for one in shop.events()] == [
            ("refund.created", made.id),
            ("charge.refunded", sale["charge"]),
        ]

    def test_an_expanded_charge_shows_the_ten_newest_refunds_and_says_that_there_are_more(self, stand: Stand) -> None:
        sale = stand.control("/_pay")
        made = [stand.control("/_refund", {"session": sale["session"], "amount": 1})["refund"] for _ in range(12)]
        charge = stand.v1.charges.retrieve(sale["charge"], {"expand": ["refunds"]})
        assert charge.refunds is not None
        assert [one.id for one in charge.refunds.data] == made[:1:-1]
        assert [one.id for one in charge.refunds.auto_paging_iter()] == made[::-1]


class TestDisputes:
    def test_a_dispute_takes_the_money(self, stand: Stand) -> None:
        sale = stand.control("/_pay")
        told = stand.control("/_dispute", {"session": sale["session"]})
        assert types(told) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
        assert charge_of(stand, sale).disputed
        listed = stand.v1.disputes.list({"payment_intent": sale["payment_intent"]}).data
        assert [(one.id, one.status, one.amount) for one in listed] == [(told["dispute"], "needs_response", 1_900)]
        assert "charge_disputed" in str(refusal_of_refund(stand, sale).code)

    def test_an_inquiry_takes_nothing_until_it_becomes_a_dispute(self, stand: Stand) -> None:
        sale = stand.control("/_pay")
        opened = stand.control("/_dispute", {"session": sale["session"], "status": "warning_needs_response"})
        assert types(opened) == ["charge.dispute.created"]
        told = stand.control("/_dispute_update", {"dispute": opened["dispute"], "status": "needs_response"})
        assert types(told) == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]

    @pytest.mark.parametrize(
        ("status", "kinds"),
        [
            ("won", ["charge.dispute.closed", "charge.dispute.funds_reinstated"]),
            ("lost", ["charge.dispute.closed"]),
            ("prevented", ["charge.dispute.closed"]),
            ("under_review", ["charge.dispute.updated"]),
        ],
    )
    def test_a_dispute_is_closed_when_it_is_decided(self, stand: Stand, status: str, kinds: list[str]) -> None:
        dispute = stand.control("/_dispute", {"session": stand.control("/_pay")["session"]})["dispute"]
        told = stand.control("/_dispute_update", {"dispute": dispute, "status": status})
        assert (types(told), told["event"]) == (kinds, told["events"][0]["event"])
        assert stand.v1.disputes.retrieve(dispute).status == status

    @pytest.mark.parametrize(
        ("opened", "closed"), [("needs_response", "won"), ("warning_needs_response", "warning_closed")]
    )
    def test_a_buyer_can_withdraw_what_they_asked(self, stand: Stand, opened: str, closed: str) -> None:
        sale = stand.control("/_pay")
        dispute = stand.control("/_dispute", {"session": sale["session"], "status": opened})["dispute"]
        told = stand.control("/_dispute_update", {"session": sale["session"], "status": "withdrawn"})
        assert (told["dispute"], stand.v1.disputes.retrieve(dispute).status) == (dispute, closed)

    def test_an_inquiry_that_is_lost_has_taken_the_money(self, stand: Stand) -> None:
        sale = stand.control("/_pay")
        stand.control("/_dispute", {"session": sale["session"], "status": "warning_needs_response"})
        told = stand.control("/_dispute_update", {"session": sale["session"], "status": "lost"})
        assert types(told) == ["charge.dispute.closed", "charge.dispute.funds_withdrawn"]

    def test_what_is_closed_can_only_be_appealed(self, stand: Stand) -> None:
        dispute = stand.control("/_dispute", {"session": stand.control("/_pay")["session"]})["dispute"]
        stand.control("/_dispute_update", {"dispute": dispute, "status": "lost"})
        assert "closed" in stand.refused("/_dispute_update", dispute=dispute, status="won")
        stand.control("/_dispute_update", {"dispute": dispute, "status": "appeal_under_review"})
        stand.control("/_dispute_update", {"dispute": dispute, "status": "won"})


def refusal_of_refund(stand: Stand, sale: dict[str, Any]) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stand.v1.refunds.create({"charge": sale["charge"]})
    return caught.value


class TestWarnings:
    @pytest.mark.parametrize("settling", ["/_dispute", "/_refund"])
    def test_a_warning_calls_for_action_until_the_money_goes_back(self, stand: Stand, settling: str) -> None:
        sale = stand.control("/_pay")
        told = stand.control("/_warn", {"session": sale["session"]})
        assert types(told) == ["radar.early_fraud_warning.created"]
        listed = stand.v1.radar.early_fraud_warnings.list({"charge": sale["charge"]}).data
        assert [(one.id, one.actionable) for one in listed] == [(told["warning"], True)]

        settled = stand.control(settling, {"session": sale["session"]})

        assert types(settled)[-1] == "radar.early_fraud_warning.updated"
        assert not stand.v1.radar.early_fraud_warnings.retrieve(told["warning"]).actionable

    def test_a_refund_in_part_leaves_it_as_it_is(self, stand: Stand) -> None:
        sale = stand.control("/_pay")
        warning = stand.control("/_warn", {"session": sale["session"]})["warning"]
        stand.control("/_refund", {"session": sale["session"], "amount": 1})
        assert stand.v1.radar.early_fraud_warnings.retrieve(warning).actionable

    def test_the_seller_can_say_that_a_charge_is_safe(self, stand: Stand) -> None:
        sale = stand.control("/_pay")
        changed = stand.v1.charges.update(sale["charge"], {"fraud_details": {"user_report": "safe"}})
        assert changed.fraud_details is not None
        assert changed.fraud_details.user_report == "safe"


class TestStrictness:
    @pytest.mark.parametrize(
        "path",
        [
            "/v1/charges/ch_1",
            "/v1/charges/ch_1/refunds",
            "/v1/refunds/re_1",
            "/v1/disputes/du_1",
            "/v1/radar/early_fraud_warnings/issfr_1",
        ],
    )
    def test_an_unknown_id_is_404(self, stand: Stand, path: str) -> None:
        answer = stand.raw("GET", path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")

    @pytest.mark.parametrize(
        ("path", "param"),
        [
            ("/v1/refunds?charge=ch_1", "charge"),
            ("/v1/disputes?payment_intent=pi_1", "payment_intent"),
            ("/v1/radar/early_fraud_warnings?charge=ch_1", "charge"),
            ("/v1/checkout/sessions?payment_intent=pi_1", "payment_intent"),
            ("/v1/checkout/sessions?customer=cus_1", "customer"),
        ],
    )
    def test_a_filter_that_names_nobody_is_400(self, stand: Stand, path: str, param: str) -> None:
        answer = stand.raw("GET", path)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (400, "resource_missing", param)

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/_refund", {"session": "cs_1"}),
            ("/_refund", {}),
            ("/_refund", {"session": "SESSION", "sum": 5}),
            ("/_refund", {"session": "SESSION", "status": "done"}),
            ("/_dispute", {"session": "SESSION", "status": "angry"}),
            ("/_refund_update", {"refund": "re_1", "status": "failed"}),
            ("/_dispute_update", {"dispute": "du_1", "status": "won"}),
        ],
    )
    def test_a_misspelt_act_is_refused(self, stand: Stand, path: str, body: dict[str, str]) -> None:
        session = stand.control("/_pay")["session"]
        stand.refused(path, **{k: session if v == "SESSION" else v for k, v in body.items()})

    def test_a_quiet_act_makes_its_events_and_sends_none(self, stand: Stand, shop: Shop) -> None:
        sale = stand.control("/_pay", {"quiet": True})
        told = stand.control("/_refund", {"session": sale["session"], "quiet": True})
        assert (types(told), told["delivery"], shop.got) == (["refund.created", "charge.refunded"], None, [])
        assert stand.v1.events.retrieve(told["event"]).type == "refund.created"
