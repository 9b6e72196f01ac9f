import ipaddress
from typing import ClassVar

import pytest

from paidshare.errors import SettingsIncomplete
from paidshare.settings import DeliverSettings, FeedbackSettings, ReceiveSettings, SweepSettings

RECEIVE = {
    "STAGE": "test",
    "STRIPE_MODE": "test",
    "SECRET_NAME": "paidshare/test",
    "QUEUE_URL": "https://sqs/queue",
    "EVENTS_TABLE": "events",
    "STRIPE_ALLOWED_CIDRS": "",
    "FASTIO_ALLOWED_CIDRS": "",
}
DELIVER = {
    "STAGE": "test",
    "STRIPE_MODE": "test",
    "SECRET_NAME": "paidshare/test",
    "QUEUE_URL": "https://sqs/queue",
    "DEAD_LETTER_QUEUE_URL": "https://sqs/dead",
    "ORDERS_TABLE": "orders",
    "SENDER_ADDRESS": "shop@example.com",
    "MAIL_CONFIGURATION_SET": "letters",
    "EVENTS_TABLE": "events",
    "LINK_DAYS": "7",
    "ACCESS": "life",
    "DELIVERY": "link",
    "SHARE_LIMIT": "0",
    "PAGE_URL": "https://api.example/order",
    "GRACE_DAYS": "3",
    "PARTIAL_REFUNDS": "keep",
    "CANCELED_SUBSCRIPTIONS": "end",
    "LATE_PAYMENTS": "deliver",
    "FRAUD_WARNINGS": "ignore",
    "CONNECTED_ACCOUNTS": "park",
    "STRIPE_API_BASE": "https://api.stripe.com",
    "FASTIO_API_BASE": "https://api.fast.io/current/",
    "FASTIO_WEB_BASE": "https://go.fast.io",
}
BASES = ["STRIPE_API_BASE", "FASTIO_API_BASE", "FASTIO_WEB_BASE"]


def receive(**changes: str) -> ReceiveSettings:
    return ReceiveSettings.from_environ(RECEIVE | changes)


def deliver(**changes: str) -> DeliverSettings:
    return DeliverSettings.from_environ(DELIVER | changes)


def gaps_of_deliver(**changes: str) -> list[str]:
    with pytest.raises(SettingsIncomplete) as caught:
        deliver(**changes)
    return caught.value.gaps


class TestReceiveSettings:
    def test_every_variable_is_read(self) -> None:
        assert receive(STRIPE_MODE="live", STRIPE_ALLOWED_CIDRS="192.0.2.0/24, 2001:db8::/32,") == ReceiveSettings(
            stage="test",
            livemode=True,
            secret_name="paidshare/test",
            queue_url="https://sqs/queue",
            events_table="events",
            stripe_allowed=(ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_network("2001:db8::/32")),
            fastio_allowed=(),
        )

    def test_an_empty_environment_names_every_gap_in_one_error(self) -> None:
        with pytest.raises(SettingsIncomplete) as caught:
            ReceiveSettings.from_environ({})
        needed = {name for name in RECEIVE if not name.endswith("_CIDRS")}
        assert {gap.split()[0] for gap in caught.value.gaps} == needed
        assert all(name in str(caught.value) for name in needed)

    @pytest.mark.parametrize("name", ["STRIPE_ALLOWED_CIDRS", "FASTIO_ALLOWED_CIDRS"])
    @pytest.mark.parametrize("bad", ["everybody", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/24;198.51.100.0/24"])
    def test_a_bad_block_is_a_gap_and_never_an_open_door(self, name: str, bad: str) -> None:
        with pytest.raises(SettingsIncomplete, match=name):
            receive(**{name: bad})

    def test_a_single_address_is_a_block_of_one(self) -> None:
        assert receive(STRIPE_ALLOWED_CIDRS="192.0.2.1").stripe_allowed == (ipaddress.ip_network("192.0.2.1/32"),)


class TestDeliverSettings:
    def test_every_variable_is_read(self) -> None:
        assert deliver() == DeliverSettings(
            stage="test",
            livemode=False,
            secret_name="paidshare/test",
            queue_url="https://sqs/queue",
            dead_letter_url="https://sqs/dead",
            orders_table="orders",
            sender="shop@example.com",
            configuration_set="letters",
            events_table="events",
            link_days=7,
            access_days=None,
            by_page=False,
            grace_days=3,
            end_on_partial_refund=False,
            keep_canceled=False,
            ask_when_paid_late=False,
            hold_on_fraud_warning=False,
            connected_accounts=False,
            page_url="https://api.example/order",
            share_limit=0,
            stripe_api_base="https://api.stripe.com",
            # Without the slash at the end: paths bring their own.
            fastio_api_base="https://api.fast.io/current",
            fastio_web_base="https://go.fast.io",
        )

    def test_an_empty_environment_names_every_gap_in_one_error(self) -> None:
        with pytest.raises(SettingsIncomplete) as caught:
            DeliverSettings.from_environ({})
        assert {gap.split()[0] for gap in caught.value.gaps} == set(DELIVER)

    def test_missing_and_wrong_ones_are_named_together(self) -> None:
        gaps = gaps_of_deliver(STAGE=" ", LINK_DAYS="soon", SENDER_ADDRESS="shop", STRIPE_MODE="both")
        assert [gap.split()[0] for gap in gaps] == ["STAGE", "STRIPE_MODE", "SENDER_ADDRESS", "LINK_DAYS"]

    @pytest.mark.parametrize("mode", ["Live", "prod", "true", "live,test"])
    def test_a_mode_that_stripe_does_not_have_is_a_gap(self, mode: str) -> None:
        assert gaps_of_deliver(STRIPE_MODE=mode) == ["STRIPE_MODE must be test or live"]

    @pytest.mark.parametrize("days", ["0", "-1", "3651", "7.5", "seven", "٧", "9" * 5000])
    def test_link_days_is_a_whole_number_in_its_bounds(self, days: str) -> None:
        assert gaps_of_deliver(LINK_DAYS=days) == ["LINK_DAYS must be a whole number from 1 to 3650"]

    @pytest.mark.parametrize(
        ("name", "word", "setting"),
        [
            ("PARTIAL_REFUNDS", "end", "end_on_partial_refund"),
            ("CANCELED_SUBSCRIPTIONS", "keep", "keep_canceled"),
            ("LATE_PAYMENTS", "ask", "ask_when_paid_late"),
            ("FRAUD_WARNINGS", "hold", "hold_on_fraud_warning"),
            ("CONNECTED_ACCOUNTS", "allow", "connected_accounts"),
        ],
    )
    def test_the_seller_s_choices_are_read(self, name: str, word: str, setting: str) -> None:
        assert getattr(deliver(**{name: word}), setting) is True

    @pytest.mark.parametrize(
        "name", ["PARTIAL_REFUNDS", "CANCELED_SUBSCRIPTIONS", "LATE_PAYMENTS", "FRAUD_WARNINGS", "CONNECTED_ACCOUNTS"]
    )
    @pytest.mark.parametrize("word", ["true", "End", "yes"])
    def test_a_choice_that_there_is_not_is_a_gap(self, name: str, word: str) -> None:
        [gap] = gaps_of_deliver(**{name: word})
        assert gap.startswith(f"{name} must be ")

    @pytest.mark.parametrize("days", ["-1", "61", "three"])
    def test_grace_days_is_a_whole_number_in_its_bounds(self, days: str) -> None:
        assert gaps_of_deliver(GRACE_DAYS=days) == ["GRACE_DAYS must be a whole number from 0 to 60"]

    @pytest.mark.parametrize("address", ["shop", "@example.com", "a@b@example.com"])
    def test_the_sender_is_an_address(self, address: str) -> None:
        assert gaps_of_deliver(SENDER_ADDRESS=address) == ["SENDER_ADDRESS must be an e-mail address"]

    @pytest.mark.parametrize("name", BASES)
    @pytest.mark.parametrize("stage", ["prod", "test", "Local", "local-2"])
    def test_plain_http_is_refused_on_every_deployed_stage(self, name: str, stage: str) -> None:
        [gap] = gaps_of_deliver(STAGE=stage, **{name: "http://127.0.0.1:8000"})
        assert gap.startswith(name)

    @pytest.mark.parametrize("name", BASES)
    def test_plain_http_is_for_the_laptop_s_stand_ins(self, name: str) -> None:
        settings = deliver(STAGE="local", **{name: "http://127.0.0.1:8000/"})
        assert getattr(settings, name.lower()) == "http://127.0.0.1:8000"

    @pytest.mark.parametrize("name", BASES)
    @pytest.mark.parametrize("base", ["ftp://x", "api.stripe.com", "file:///etc/passwd"])
    def test_another_scheme_is_refused_even_on_the_laptop(self, name: str, base: str) -> None:
        [gap] = gaps_of_deliver(STAGE="local", **{name: base})
        assert gap.startswith(name)

    def test_a_gap_does_not_quote_the_value(self) -> None:
        # Somebody may have put a key into the wrong variable.
        assert "sk_live" not in " ".join(gaps_of_deliver(STRIPE_API_BASE="sk_live_1", LINK_DAYS="sk_live_1"))


class TestFeedbackSettings:
    FEEDBACK: ClassVar = {
        "STAGE": "test",
        "MAIL_QUEUE_URL": "https://sqs/mail",
        "DEAD_LETTER_QUEUE_URL": "https://sqs/dead",
        "ORDERS_TABLE": "orders",
    }

    def test_every_variable_is_read(self) -> None:
        assert FeedbackSettings.from_environ(self.FEEDBACK) == FeedbackSettings(
            stage="test", queue_url="https://sqs/mail", dead_letter_url="https://sqs/dead", orders_table="orders"
        )

    def test_an_empty_environment_names_every_gap_in_one_error(self) -> None:
        with pytest.raises(SettingsIncomplete) as caught:
            FeedbackSettings.from_environ({})
        assert {gap.split()[0] for gap in caught.value.gaps} == self.FEEDBACK.keys()


SWEEP = RECEIVE | {name: DELIVER[name] for name in ("ORDERS_TABLE", "FRAUD_WARNINGS", *BASES[:2])}


class TestSweepSettings:
    def test_every_variable_is_read(self) -> None:
        assert SweepSettings.from_environ(SWEEP | {"STRIPE_MODE": "live"}) == SweepSettings(
            stage="test",
            livemode=True,
            secret_name="paidshare/test",
            queue_url="https://sqs/queue",
            events_table="events",
            orders_table="orders",
            hold_on_fraud_warning=False,
            stripe_api_base="https://api.stripe.com",
            fastio_api_base="https://api.fast.io/current",
        )

    def test_an_empty_environment_names_every_gap_in_one_error(self) -> None:
        with pytest.raises(SettingsIncomplete) as caught:
            SweepSettings.from_environ({})
        needed = {name for name in SWEEP if not name.endswith("_CIDRS")}
        assert {gap.split()[0] for gap in caught.value.gaps} == needed

    def test_plain_http_is_for_the_laptop_only(self) -> None:
        with pytest.raises(SettingsIncomplete, match="FASTIO_API_BASE"):
            SweepSettings.from_environ(SWEEP | {"FASTIO_API_BASE": "http://fastio.example"})
