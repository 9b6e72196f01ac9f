"""SES's word of a letter, in both of its formats; and that nothing personal and no exception comes out."""

import json
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paidshare import notices
from paidshare.feedback import mail_events
from paidshare.feedback.errors import LetterBounced, LetterComplained, LetterRejectedLater
from paidshare.feedback.mail_events import Fact, MailEvent
from paidshare.notices import NotForUs, Notice
from tests.builders import BUYER, NOW, a_notice
from tests.fakes_mail import DETAILS, MESSAGE_ID, ORDER_ID, TAGS, a_mail_event, mail, notified, published

FACTS = {
    "Send": Fact.SENT,
    "Delivery": Fact.DELIVERED,
    "DeliveryDelay": Fact.DELAYED,
    "Bounce": Fact.BOUNCED,
    "Complaint": Fact.COMPLAINED,
    "Reject": Fact.REJECTED,
}
FAILED = (Fact.BOUNCED, Fact.COMPLAINED, Fact.REJECTED)
# An identity's notifications are of these only.
NOTIFIED = ("Bounce", "Complaint", "Delivery")
OUR_TAGS = [{"name": "X-SES-MESSAGE-TAGS", "value": f"campaign=x, order={ORDER_ID} ,letter=delivery"}]


def read(event: dict[str, Any]) -> MailEvent | NotForUs:
    return mail_events.read(json.dumps(event))


def event_in(event: dict[str, Any]) -> MailEvent:
    found = read(event)
    assert isinstance(found, MailEvent)
    return found


def in_an_envelope(event: dict[str, Any]) -> dict[str, Any]:
    """What SNS makes of a message when raw delivery is off."""
    return {"Type": "Notification", "MessageId": "1", "TopicArn": "arn:…", "Message": json.dumps(event)}


class TestBothFormats:
    @pytest.mark.parametrize("kind", FACTS)
    def test_a_published_event_says_which_letter_of_which_order(self, kind: str) -> None:
        found = event_in(published(kind))
        assert (found.order_id, found.letter, found.message_id) == (ORDER_ID, "delivery", MESSAGE_ID)
        assert found.fact is FACTS[kind]

    @pytest.mark.parametrize("kind", NOTIFIED)
    def test_a_notification_with_our_tags_in_its_headers_says_the_same_as_an_event(self, kind: str) -> None:
        assert read(notified(kind, headers=OUR_TAGS)) == read(published(kind))

    @pytest.mark.parametrize("kind", NOTIFIED)
    @pytest.mark.parametrize("headers", [None, [], [{"name": "Subject", "value": f"order={ORDER_ID}"}]])
    def test_a_notification_that_names_no_order_is_looked_up_nowhere(self, kind: str, headers: Any) -> None:
        assert read(notified(kind, headers=headers)) == NotForUs("no_order", kind)

    @pytest.mark.parametrize("kind", FACTS)
    def test_sns_s_envelope_changes_nothing(self, kind: str) -> None:
        assert read(in_an_envelope(published(kind))) == read(published(kind))


class TestMoment:
    @pytest.mark.parametrize("kind", ["Delivery", "DeliveryDelay", "Bounce", "Complaint"])
    def test_it_is_the_fact_s_own(self, kind: str) -> None:
        assert event_in(published(kind)).at == NOW

    @pytest.mark.parametrize("kind", ["Send", "Reject"])
    def test_it_is_when_the_letter_was_sent_where_the_fact_has_none(self, kind: str) -> None:
        assert event_in(published(kind)).at == NOW - timedelta(seconds=5)

    @pytest.mark.parametrize("absurd", ["yesterday", "", 5, None, "0001-01-01T00:00:00+23:59", "2026-11-22T12:00"])
    def test_an_absurd_one_is_never_an_exception(self, absurd: object) -> None:
        assert event_in(published("Bounce", timestamp=absurd)).at.tzinfo is UTC

    def test_without_any_it_is_so_long_ago_that_it_overwrites_nothing(self) -> None:
        event = published("Send")
        del event["mail"]["timestamp"]
        assert event_in(event).at == datetime.fromtimestamp(0, UTC)


class TestNotForUs:
    @pytest.mark.parametrize(
        "body",
        [
            "",
            "[]",
            "null",
            "{}",
            "Successfully validated SNS topic for Amazon SES event publishing.",
            b"\xff",
            "[" * 9000,
        ],
    )
    def test_what_is_no_event_of_a_letter_is_no_error(self, body: str | bytes) -> None:
        assert mail_events.read(body) == NotForUs("no_mail_event")

    @pytest.mark.parametrize(
        "kind", ["Open", "Click", "Rendering Failure", "Subscription", "AmazonSnsSubscriptionSucceeded"]
    )
    def test_other_events_ask_nothing_of_us(self, kind: str) -> None:
        assert read({"eventType": kind, "mail": mail(tags=TAGS)}) == NotForUs("other_event_type", kind)

    def test_an_event_without_the_letter_s_id_says_nothing(self) -> None:
        event = published("Bounce")
        del event["mail"]["messageId"]
        assert read(event) == NotForUs("no_mail_event", "Bounce")

    @pytest.mark.parametrize("tag", [[], [""], [5], ["two words"], ["x" * 257], "cs_1", None, ["cs_1\n"], ["ü"]])
    def test_a_tag_that_ses_would_not_take_names_no_order(self, tag: object) -> None:
        event = published("Bounce")
        event["mail"]["tags"]["order"] = tag
        assert read(event) == NotForUs("no_order", "Bounce")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


class TestAnything:
    @given(st.binary(max_size=200))
    def test_no_bytes_raise(self, body: bytes) -> None:
        mail_events.read(body)

    @given(st.sampled_from(list(FACTS)), st.sampled_from(["mail", "tags", "headers", "detail", "timestamp"]), JSON)
    @example("Bounce", "headers", [{"name": "X-SES-MESSAGE-TAGS", "value": None}])
    def test_no_shape_of_any_part_raises(self, kind: str, part: str, value: object) -> None:
        event = published(kind)
        [name] = DETAILS[kind]
        match part:
            case "mail":
                event["mail"] = value
            case "detail":
                event[name] = value
            case "timestamp":
                event[name]["timestamp"] = event["mail"]["timestamp"] = value
            case _:
                event["mail"] |= {"tags": {}, part: value}
        found = read(event)
        if isinstance(found, MailEvent):
            mail_events.case(found)
            notice = mail_events.notice(found)
            assert notices.from_json(notices.to_json(notice)).about == found.order_id

    @pytest.mark.parametrize("kind", FACTS)
    def test_nothing_personal_comes_out(self, kind: str) -> None:
        found = event_in(published(kind))
        assert BUYER not in repr(astuple(found))
        assert BUYER not in repr(mail_events.case(found))
        assert BUYER not in notices.to_json(mail_events.notice(found))

    @pytest.mark.parametrize("words", [BUYER, f"mailbox of {BUYER}", "x" * 65, "König", 5, None])
    def test_a_cause_that_is_no_word_of_ses_s_is_left_out(self, words: object) -> None:
        assert event_in(published("Bounce", bounceSubType=words)).cause == ""


class TestCase:
    @pytest.mark.parametrize(
        ("kind", "expected", "what"),
        [
            ("Bounce", LetterBounced, "the letter “delivery” bounced: General"),
            ("Complaint", LetterComplained, "the letter “delivery” complained: abuse"),
            ("Reject", LetterRejectedLater, "the letter “delivery” rejected: Bad content"),
        ],
    )
    def test_a_letter_that_failed_for_good_is_a_case_for_a_person(
        self, kind: str, expected: type[Exception], what: str
    ) -> None:
        case = mail_events.case(event_in(published(kind)))
        assert type(case) is expected
        assert str(case) == what
        assert case.order_id == ORDER_ID

    @pytest.mark.parametrize("kind", ["Send", "Delivery", "DeliveryDelay"])
    def test_what_goes_its_way_is_none(self, kind: str) -> None:
        assert mail_events.case(event_in(published(kind))) is None

    def test_a_bounce_that_may_be_an_absent_person_s_answer_is_none(self) -> None:
        event = event_in(published("Bounce", bounceType="Transient", bounceSubType="General"))
        assert (event.fact, mail_events.case(event)) == (Fact.BOUNCED, None)

    @pytest.mark.parametrize(
        ("kind", "subtype"),
        [
            ("Transient", "MailboxFull"),
            ("Transient", "ContentRejected"),
            ("Undetermined", "Undetermined"),
            (None, None),
        ],
    )
    def test_any_other_bounce_left_the_buyer_without_the_letter(self, kind: object, subtype: object) -> None:
        assert mail_events.case(event_in(published("Bounce", bounceType=kind, bounceSubType=subtype))) is not None

    def test_a_complaint_that_is_taken_back_is_none(self) -> None:
        assert mail_events.case(event_in(published("Complaint", complaintFeedbackType="not-spam"))) is None


class TestNotice:
    def test_it_asks_for_a_look_at_the_order_and_names_the_letter(self) -> None:
        notice = mail_events.notice(a_mail_event(fact=Fact.BOUNCED))
        assert notice == Notice("stripe", f"mail:{MESSAGE_ID}", "mail.bounced", ORDER_ID, NOW)
        assert notices.from_json(notices.to_json(notice)) == notice

    @pytest.mark.parametrize("fact", Fact)
    def test_redriven_it_is_the_same_case_again_where_the_letter_failed(self, fact: Fact) -> None:
        told = mail_events.case(a_mail_event(fact=fact, permanent=True)) if fact in FAILED else None
        again = mail_events.case_again(mail_events.notice(a_mail_event(fact=fact)))
        assert type(again) is type(told)
        if again is not None:
            assert again.order_id == ORDER_ID
            assert MESSAGE_ID in str(again)

    @pytest.mark.parametrize(
        "why", ["mail", "mail.", "mail.opened", "sweep", "operator.resend", "bounced", "invoice.paid"]
    )
    def test_any_other_notice_is_no_letter_s_case(self, why: str) -> None:
        assert mail_events.case_again(a_notice(why=why)) is None

    def test_a_letter_s_id_that_is_too_long_for_a_notice_does_not_break_it(self) -> None:
        notice = mail_events.notice(a_mail_event(message_id="x" * 255))
        assert notices.from_json(notices.to_json(notice)) == notice
