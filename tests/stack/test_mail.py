"""What became of a letter is on its order, and a letter that failed goes to a person."""

from typing import Any

import pytest

from local.aws.ministack import Aws
from local.aws.ses_events import SIMULATOR
from local.settings import SENDER
from tests.stack.laptop import Laptop


def sold_to(email: str, laptop: Laptop) -> str:
    """A delivered order's id."""
    node = laptop.file(f"mail/{email}.pdf")["node_id"]
    session = str(laptop.pay(email, laptop.ours(node))["session"])
    laptop.order_in("delivered", session)
    return session


class TestLetterThatArrives:
    def test_the_order_says_when_it_was_sent_and_when_it_was_delivered(self, laptop: Laptop) -> None:
        session = sold_to("arrives@example.com", laptop)

        order = laptop.order_that_was("delivered", session)

        [letter] = laptop.letters_to("arrives@example.com")
        assert (order["letter_message_id"], order["letter_kind"]) == (letter.id, "delivery")
        assert order["message_id"] == letter.id
        # Within the minute that Deliver has.
        assert int(order["mailed_at"]) - 60 <= int(order["letter_sent_at"]) <= int(order["letter_delivered_at"])
        assert (order["state"], "letter_bounced_at" in order) == ("delivered", False)

    def test_the_news_of_a_letter_is_taken_off_its_queue(self, laptop: Laptop) -> None:
        session = sold_to("taken-off@example.com", laptop)
        facts = [
            laptop.log_line("feedback", message="letter_noted", order_id=session, fact=fact)
            for fact in ("sent", "delivered")
        ]
        assert [line["attempt"] for line in facts] == [1, 1]


class TestLetterThatFails:
    def test_a_bounce_ends_as_a_dead_letter_with_the_reason_and_the_order(self, laptop: Laptop) -> None:
        session = sold_to(f"bounce+1@{SIMULATOR}", laptop)

        dead = laptop.dead_letter(session)

        assert dead["reason"] == "letter_bounced"
        assert dead["what"] == "the letter “delivery” bounced: General"
        assert "Stripe" in dead["advice"]
        order = laptop.order_that_was("bounced", session)
        assert order["state"] == "delivered"
        assert "letter_delivered_at" not in order

    def test_a_complaint_is_a_case_for_a_person_although_the_letter_was_delivered(self, laptop: Laptop) -> None:
        session = sold_to(f"complaint+1@{SIMULATOR}", laptop)
        assert laptop.dead_letter(session)["reason"] == "letter_complained"
        assert "letter_complained_at" in laptop.order_that_was("delivered", session)

    def test_its_dead_letter_put_back_to_work_is_a_look_that_changes_nothing(self, laptop: Laptop) -> None:
        email = f"bounce+2@{SIMULATOR}"
        session = sold_to(email, laptop)
        body = laptop.dead_letter(session)["body"]
        laptop.log_line("feedback", message="letter_needs_a_person", order_id=session)
        before = laptop.order_that_was("bounced", session)

        laptop.stack.aws.sqs.send_message(QueueUrl=laptop.to.outputs["QueueUrl"], MessageBody=body)

        laptop.log_line("deliver", message="order_looked_at", order_id=session, why="mail.bounced", step="nothing")
        after = laptop.order_in("delivered", session)
        looked_at = {"updated_at": "", "claims": "", "seen_until": ""}
        assert after | looked_at == before | looked_at
        assert len(laptop.letters_to(email)) == 1


class TestLaptopsSes:
    def test_a_letter_with_a_configuration_set_that_does_not_exist_is_refused_as_ses_does(self, laptop: Laptop) -> None:
        ses = ses_of_deliver(laptop)
        with pytest.raises(ses.exceptions.NotFoundException):
            send(ses, to="nobody@example.com", ConfigurationSetName="another")
        assert laptop.letters_to("nobody@example.com") == []

    def test_a_letter_without_one_is_sent_and_nobody_is_told(self, laptop: Laptop) -> None:
        sent = send(ses_of_deliver(laptop), to="plain@example.com")
        assert [letter.id for letter in laptop.letters_to("plain@example.com")] == [sent]

    def test_what_it_does_not_stand_in_for_is_passed_on(self, laptop: Laptop) -> None:
        ses = ses_of_deliver(laptop)
        assert ses.get_email_identity(EmailIdentity=SENDER)["VerifiedForSendingStatus"] is True
        with pytest.raises(ses.exceptions.MessageRejected):
            send(ses, to="plain@example.com", FromEmailAddress="somebody@else.example")


def ses_of_deliver(laptop: Laptop) -> Any:
    """The SES that Deliver talks to."""
    return Aws(laptop.to.ses_url).ses


def send(ses: Any, *, to: str, **more: Any) -> str:
    """The letter's id."""
    text = {"Data": "text"}
    letter = {
        "FromEmailAddress": SENDER,
        "Destination": {"ToAddresses": [to]},
        "Content": {"Simple": {"Subject": text, "Body": {"Text": text}}},
    }
    return str(ses.send_email(**letter | more)["MessageId"])
