"""The laptop's SES says of a letter what SES would, so that Feedback reads it. tests/stack has it at work."""

import json
from typing import Any

import pytest

from local.aws.ses_events import SIMULATOR, events
from paidshare.feedback import mail_events
from paidshare.feedback.errors import LetterBounced, LetterComplained
from paidshare.feedback.mail_events import Fact, MailEvent
from tests.builders import NOW, SENDER


def a_letter(to: str) -> dict[str, Any]:
    """SendEmail's request."""
    return {
        "FromEmailAddress": SENDER,
        "Destination": {"ToAddresses": [to]},
        "Content": {"Simple": {"Subject": {"Data": "Your download: Birds"}}},
        "ConfigurationSetName": "letters",
        "EmailTags": [{"Name": "order", "Value": "cs_test_1"}, {"Name": "letter", "Value": "delivery"}],
    }


def read(to: str) -> list[MailEvent]:
    """What Feedback understands of a letter's events, in their order."""
    found = [mail_events.read(json.dumps(event)) for event in events(a_letter(to), "m-1", at=NOW)]
    return [event for event in found if isinstance(event, MailEvent)]


@pytest.mark.parametrize(
    ("to", "facts"),
    [
        ("ada@example.com", [Fact.SENT, Fact.DELIVERED]),
        (f"success@{SIMULATOR}", [Fact.SENT, Fact.DELIVERED]),
        (f"bounce@{SIMULATOR}", [Fact.SENT, Fact.BOUNCED]),
        (f"bounce+label@{SIMULATOR}", [Fact.SENT, Fact.BOUNCED]),
        (f"suppressionlist@{SIMULATOR}", [Fact.SENT, Fact.BOUNCED]),
        (f"complaint@{SIMULATOR}", [Fact.SENT, Fact.DELIVERED, Fact.COMPLAINED]),
        # Somebody may be called that.
        ("bounce@example.com", [Fact.SENT, Fact.DELIVERED]),
    ],
)
def test_an_address_decides_what_becomes_of_its_letter(to: str, facts: list[Fact]) -> None:
    assert [event.fact for event in read(to)] == facts


def test_every_event_names_the_order_the_letter_and_its_moment() -> None:
    for event in read(f"complaint@{SIMULATOR}"):
        assert (event.order_id, event.letter, event.message_id) == ("cs_test_1", "delivery", "m-1")
        assert event.at == NOW


@pytest.mark.parametrize(("name", "expected"), [("bounce", LetterBounced), ("complaint", LetterComplained)])
def test_the_last_event_of_a_letter_that_fails_is_a_case_for_a_person(name: str, expected: type[Exception]) -> None:
    *_, last = read(f"{name}@{SIMULATOR}")
    assert isinstance(mail_events.case(last), expected)
