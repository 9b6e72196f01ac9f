import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare import notices
from paidshare.errors import NoticeUnreadable
from paidshare.notices import NotForUs, Notice, from_json, from_stripe, to_json
from tests.builders import a_notice

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def an_event(**changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "livemode": False,
        "created": 1_790_000_000,
        "data": {"object": {"id": "cs_test_1", "object": "checkout.session"}},
    }
    return event | changes


def read(event: object, *, livemode: bool = False) -> Notice | NotForUs:
    return from_stripe(json.dumps(event).encode(), livemode=livemode)


def reason(event: object, *, livemode: bool = False) -> str:
    answer = read(event, livemode=livemode)
    assert isinstance(answer, NotForUs), answer
    return answer.reason


ids = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255)
some_notices = st.builds(
    Notice,
    source=ids,
    event_id=ids,
    why=ids,
    about=ids,
    at=st.integers(0, 253_402_300_799).map(lambda s: datetime.fromtimestamp(s, UTC)),
    account=st.none() | ids,
    created=st.none() | st.integers(1, 253_402_300_799).map(lambda s: datetime.fromtimestamp(s, UTC)),
)
anything_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class TestFromStripe:
    @pytest.mark.parametrize("how", ["completed", "async_payment_succeeded", "async_payment_failed"])
    def test_a_finished_checkout_asks_to_look_at_its_session(self, how: str) -> None:
        why = f"checkout.session.{how}"
        assert read(an_event(type=why)) == Notice(
            source="stripe",
            event_id="evt_1",
            why=why,
            about="cs_test_1",
            at=datetime.fromtimestamp(1_790_000_000, UTC),
            created=datetime.fromtimestamp(1_790_000_000, UTC),
        )

    @pytest.mark.parametrize(
        ("why", "thing", "about"),
        [
            ("invoice.paid", {"id": "in_1", "payment_intent": "pi_1"}, "in_1"),
            ("customer.subscription.deleted", {"id": "sub_1"}, "sub_1"),
            ("payment_intent.succeeded", {"id": "pi_1"}, "pi_1"),
            # Money names its payment, in every version of the API; expanded or not.
            ("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1"}, "pi_1"),
            ("refund.failed", {"id": "re_1", "charge": "ch_1", "payment_intent": {"id": "pi_1"}}, "pi_1"),
            ("charge.dispute.created", {"id": "du_1", "charge": "ch_1", "payment_intent": "pi_1"}, "pi_1"),
            ("radar.early_fraud_warning.created", {"id": "issfr_1", "payment_intent": "pi_1"}, "pi_1"),
            # What was paid without a PaymentIntent has to be asked for.
            ("charge.refunded", {"id": "ch_1", "payment_intent": None}, "ch_1"),
            ("charge.dispute.created", {"id": "du_1", "payment_intent": None}, "du_1"),
        ],
    )
    def test_whatever_concerns_an_order_names_something_that_leads_to_it(
        self, why: str, thing: dict[str, Any], about: str
    ) -> None:
        answer = read(an_event(type=why, data={"object": thing}))
        assert isinstance(answer, Notice)
        assert (answer.why, answer.about) == (why, about)

    @pytest.mark.parametrize(
        ("said", "account"),
        [
            ({"account": "acct_1"}, "acct_1"),
            # Of an organisation, whose accounts are not the seller's own either.
            ({"context": "acct_1"}, "acct_1"),
            ({"context": "org_1/acct_1"}, "acct_1"),
            ({"account": "acct_1", "context": "acct_2"}, "acct_1"),
            ({"context": None}, None),
            ({"context": "org_1"}, None),
            ({"context": {"account": "acct_1"}}, None),
        ],
    )
    def test_an_event_of_another_account_names_the_account(self, said: dict[str, Any], account: str | None) -> None:
        answer = read(an_event(**said))
        assert isinstance(answer, Notice)
        assert answer.account == account

    @pytest.mark.parametrize(
        ("why", "thing", "about"),
        [
            ("charge.dispute.closed", {"object": "dispute", "charge": "ch_1"}, "ch_1"),
            ("charge.dispute.closed", {"object": "dispute", "charge": {"id": "ch_1"}}, "ch_1"),
            ("charge.dispute.closed", {"charge": "ch_1", "payment_intent": "pi_1"}, "pi_1"),
            ("charge.dispute.closed", {"id": "du_1", "charge": "ch_1"}, "du_1"),
            ("credit_note.created", {"id": "cn_1", "invoice": "in_1", "payment_intent": "pi_1"}, "in_1"),
            ("credit_note.voided", {"id": "cn_1", "invoice": {"id": "in_1"}}, "in_1"),
            ("credit_note.created", {"id": "cn_1"}, "cn_1"),
        ],
    )
    def test_what_has_no_id_of_its_own_to_go_by_names_what_has(
        self, why: str, thing: dict[str, Any], about: str
    ) -> None:
        answer = read(an_event(type=why, data={"object": thing}))
        assert isinstance(answer, Notice)
        assert answer.about == about

    @pytest.mark.parametrize("why", sorted(notices.EVENTS))
    def test_a_thin_event_is_taken_like_its_snapshot(self, why: str) -> None:
        thin = {
            "id": "evt_test_1",
            "object": "v2.core.event",
            "type": f"v1.{why}",
            "livemode": False,
            "created": "2026-11-21T10:00:00.250Z",
            "context": None,
            "related_object": {
                "id": "cs_test_a1",
                "type": "checkout.session",
                "url": "/v1/checkout/sessions/cs_test_a1",
            },
        }
        at = datetime(2026, 11, 21, 10, 0, 0, 250_000, UTC)
        assert read(thin) == Notice("stripe", "evt_test_1", why, "cs_test_a1", at, created=at)
        assert reason(thin | {"livemode": True}) == "other_mode"
        assert reason(thin | {"type": "v1.customer.created"}) == "other_event_type"
        assert reason(thin | {"related_object": None}) == "no_object_id"

    @pytest.mark.parametrize(
        ("why", "thing"),
        [
            ("checkout.session.completed", "cs_00000000000000"),
            ("checkout.session.completed", "cs_test_00000000000000"),
            ("charge.refunded", "ch_00000000000000"),
            ("invoice.paid", "in_00000000000000"),
            ("customer.subscription.deleted", "sub_00000000000000"),
        ],
    )
    def test_what_stripe_makes_up_to_try_an_endpoint_is_nobody_s_order(self, why: str, thing: str) -> None:
        assert reason(an_event(type=why, data={"object": {"id": thing}})) == "made_up_object"
        assert reason(an_event(id="evt_00000000000000", type=why)) == "made_up_object"
        real = an_event(type=why, data={"object": {"id": thing + "1"}})
        assert isinstance(read(real), Notice)

    @pytest.mark.parametrize(
        ("event", "expected"),
        [
            # A thin event that names nothing.
            (an_event(object="v2.core.event"), "no_object_id"),
            (an_event(object="v3.core.event"), "no_event"),
            (an_event(id=None), "no_event"),
            (an_event(id=7), "no_event"),
            (an_event(type=""), "no_event"),
            ([an_event()], "no_event"),
            ("text", "no_event"),
            (an_event(type="customer.created"), "other_event_type"),
            # Not paid yet, and never will be: nothing to look at.
            (an_event(type="checkout.session.expired"), "other_event_type"),
            (an_event(livemode=True), "other_mode"),
            # Neither is a mode.
            (an_event(livemode=None), "other_mode"),
            (an_event(livemode=0), "other_mode"),
            (an_event(data=None), "no_object_id"),
            (an_event(data={"object": []}), "no_object_id"),
            (an_event(data={"object": {"id": "cs_" + "x" * 300}}), "no_object_id"),
        ],
    )
    def test_what_says_nothing_about_an_order_of_our_mode_is_not_for_us(self, event: object, expected: str) -> None:
        assert reason(event) == expected

    def test_a_test_event_is_not_for_a_live_stage(self) -> None:
        assert reason(an_event(livemode=False), livemode=True) == "other_mode"

    @pytest.mark.parametrize("created", [None, "soon", "2026-13-01T00:00:00Z", "T", True, 1.5, 10**30, -(10**30)])
    def test_an_absurd_time_is_shown_as_the_epoch_and_stops_nothing(self, created: object) -> None:
        answer = read(an_event(created=created))
        assert isinstance(answer, Notice)
        assert answer.at == EPOCH

    @given(st.binary())
    def test_no_bytes_make_it_raise(self, body: bytes) -> None:
        assert isinstance(from_stripe(body, livemode=False), NotForUs)

    @given(st.fixed_dictionaries({}, optional=dict.fromkeys(an_event(), anything_json)))
    def test_no_values_in_an_event_make_it_raise(self, changes: dict[str, Any]) -> None:
        assert isinstance(read(an_event(**changes)), Notice | NotForUs)

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * 200_000,
            b'{"a":' * 200_000,
            # Python refuses to turn more than 4300 digits into a number.
            b'{"created":' + b"9" * 10_000 + b"}",
            b'{"created":1e999999}',
            b'{"created":NaN}',
            b'{"id":"\\ud800"}',
            b"\xff\xfe{\x00}\x00",
            b"\xef\xbb\xbf{}",
            b"\xff",
            b"",
        ],
        ids=lambda body: repr(body[:12]),
    )
    def test_deep_huge_and_broken_json_is_not_for_us(self, body: bytes) -> None:
        assert from_stripe(body, livemode=False) == NotForUs("no_event")

    def test_a_lone_surrogate_never_gets_into_a_notice(self) -> None:
        assert reason(an_event(id="evt_\ud800")) == "no_event"
        assert reason(an_event(data={"object": {"id": "cs_\ud800"}})) == "no_object_id"

    def test_nothing_personal_crosses_the_queue(self) -> None:
        person = {
            "customer_details": {
                "email": "ada@example.com",
                "name": "Ada Lovelace",
                "phone": "+442071234567",
                "address": {"line1": "12 St James's Square", "city": "London", "postal_code": "SW1Y 4JH"},
            },
            "customer_email": "ada@example.com",
            "success_url": "https://shop.example.com/thanks",
        }
        session = {"id": "cs_test_1", "object": "checkout.session"} | person
        answer = read(an_event(data={"object": session, "previous_attributes": person}, request={"id": "req_1"}))
        assert isinstance(answer, Notice)
        message = to_json(answer)
        for word in ("ada", "example.com", "Lovelace", "4420", "James", "London", "SW1Y", "https"):
            assert word.lower() not in message.lower()


def test_what_sellers_are_told_to_have_sent_is_taken() -> None:
    assert notices.NEEDED | notices.OF_WARNINGS <= notices.EVENTS


class TestToJson:
    @given(some_notices)
    def test_what_is_written_is_read_back(self, notice: Notice) -> None:
        assert from_json(to_json(notice)) == notice

    @given(some_notices)
    def test_a_message_stays_far_below_the_queue_s_limit(self, notice: Notice) -> None:
        # SQS refuses more than 256 KiB.
        assert len(to_json(notice).encode()) < 16 * 1024

    def test_a_message_says_its_version(self) -> None:
        assert json.loads(to_json(a_notice()))["version"] == notices.VERSION


class TestFromJson:
    @given(st.text())
    def test_any_other_text_is_unreadable_and_nothing_worse(self, text: str) -> None:
        with pytest.raises(NoticeUnreadable):
            from_json(text)

    @given(st.fixed_dictionaries({}, optional=dict.fromkeys(json.loads(to_json(a_notice())), anything_json)))
    def test_any_other_values_are_unreadable_and_nothing_worse(self, changes: dict[str, Any]) -> None:
        message = json.dumps(json.loads(to_json(a_notice())) | changes)
        with suppress(NoticeUnreadable):
            assert isinstance(from_json(message), Notice)

    @pytest.mark.parametrize("text", ["[" * 200_000, '{"at":' + "9" * 10_000 + "}", "null", "[]", ""])
    def test_deep_huge_and_broken_json_is_unreadable(self, text: str) -> None:
        with pytest.raises(NoticeUnreadable):
            from_json(text)

    @pytest.mark.parametrize(
        "changes",
        [
            # Somebody else's, or a newer version's.
            {"version": 2},
            {"version": None},
            {"version": "1"},
            {"version": True},
            {"version": 1.0},
            {"source": ""},
            {"event_id": None},
            {"why": 5},
            {"about": ""},
            {"about": "cs_" + "x" * 300},
            {"about": "cs_é"},
            # SQS refuses control characters in an attribute, and a dead letter carries the id in one.
            {"about": "cs_\x00"},
            {"event_id": "evt_\n"},
            {"at": "2026-11-22"},
            {"at": 1.5},
            {"at": True},
            {"account": ""},
            {"account": 5},
        ],
        ids=str,
    )
    def test_a_message_with_one_wrong_field_is_refused_whole(self, changes: dict[str, Any]) -> None:
        with pytest.raises(NoticeUnreadable):
            from_json(json.dumps(json.loads(to_json(a_notice())) | changes))

    @pytest.mark.parametrize("field", ["version", "source", "event_id", "why", "about", "at"])
    def test_a_message_without_one_field_is_refused_whole(self, field: str) -> None:
        message = json.loads(to_json(a_notice()))
        del message[field]
        with pytest.raises(NoticeUnreadable):
            from_json(json.dumps(message))

    def test_the_refusal_does_not_quote_the_message(self) -> None:
        with pytest.raises(NoticeUnreadable) as caught:
            from_json('{"email": "ada@example.com"}')
        assert "ada" not in str(caught.value)


class TestKey:
    def test_equal_ids_of_two_senders_are_two_events(self) -> None:
        assert a_notice(source="stripe").key != a_notice(source="fastio").key

    def test_the_same_event_in_two_deliveries_is_one(self) -> None:
        assert a_notice(at=EPOCH).key == a_notice().key


class TestCreated:
    def test_only_an_event_that_stripe_itself_brought_says_when_it_was_created(self) -> None:
        brought, listed = read(an_event()), notices.from_event(an_event(), livemode=False)
        assert isinstance(brought, Notice)
        assert isinstance(listed, Notice)
        assert (brought.created, listed.created) == (datetime.fromtimestamp(1_790_000_000, UTC), None)
        assert brought.at == listed.at

    @pytest.mark.parametrize("created", [None, 0, -1, "soon", 10**20, True])
    def test_a_moment_that_is_none_is_not_known(self, created: object) -> None:
        notice = read(an_event(created=created))
        assert isinstance(notice, Notice)
        assert notice.created is None

    def test_a_notice_of_an_earlier_version_does_not_say_it(self) -> None:
        body = json.loads(to_json(a_notice(created=EPOCH)))
        del body["created"]
        assert from_json(json.dumps(body)).created is None

    @pytest.mark.parametrize("created", ["1790000000", 1.5, True, []])
    def test_a_malformed_one_is_no_notice(self, created: object) -> None:
        body = json.loads(to_json(a_notice())) | {"created": created}
        with pytest.raises(NoticeUnreadable):
            from_json(json.dumps(body))


class TestGroup:
    @pytest.mark.parametrize(
        ("notice", "group"),
        [
            (a_notice(created=EPOCH), "purchase"),
            (a_notice(why="charge.refunded", created=EPOCH), "purchase"),
            (a_notice(why="operator.resend"), "purchase"),
            (a_notice(why="order.gives_back"), "purchase"),
            (a_notice(why=notices.SWEEP), "sweep"),
            (a_notice(why="charge.refunded"), "sweep"),
            (a_notice(why=notices.LOOK), "replay"),
            (a_notice(account="acct_1", created=EPOCH), "acct_1"),
            (a_notice(account="acct_1", why=notices.LOOK), "acct_1"),
        ],
    )
    def test_who_asks_says_whose_turn_it_counts_as(self, notice: Notice, group: str) -> None:
        assert notices.group(notice) == group


class TestDelay:
    def test_what_comes_with_each_sale_besides_its_own_event_waits(self) -> None:
        assert all(notices.delay(a_notice(why=why, created=EPOCH)) > 0 for why in notices.ECHOES)

    def test_nothing_that_sellers_are_told_to_have_sent_does(self) -> None:
        assert not any(notices.delay(a_notice(why=why, created=EPOCH)) for why in notices.NEEDED)
