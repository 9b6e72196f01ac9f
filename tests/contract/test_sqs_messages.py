"""What Deliver does to its messages, on moto's SQS."""

from collections.abc import Iterator

import pytest

from paidshare import notices
from paidshare.aws import SqsMessages
from paidshare.delivering.errors import MetadataBroken
from paidshare.errors import NeedsAPerson, OrderUnknown, QueueUnavailable
from tests.builders import a_notice
from tests.cloud import Cloud, cloud

BODY = notices.to_json(a_notice())


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture
def messages(aws: Cloud) -> SqsMessages:
    return SqsMessages(aws.sqs, queue_url=aws.queue_url, dead_letter_url=aws.dead_letter_url)


def handle(aws: Cloud) -> str:
    """The receipt handle of a message in work."""
    aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody=BODY)
    [message] = aws.queued()
    return message["ReceiptHandle"]


def attributes(aws: Cloud) -> dict[str, str]:
    [letter] = aws.queued(aws.dead_letter_url)
    assert letter["Body"] == BODY
    return {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}


class TestPutOff:
    def test_a_message_put_off_stays_out_of_sight(self, aws: Cloud, messages: SqsMessages) -> None:
        messages.put_off(handle(aws), seconds=30)
        assert aws.queued() == []

    def test_a_message_put_off_by_nothing_comes_again_at_once(self, aws: Cloud, messages: SqsMessages) -> None:
        # Shows that the wait is the one that was asked for, and not the queue's own six minutes.
        messages.put_off(handle(aws), seconds=0)
        assert [message["Body"] for message in aws.queued()] == [BODY]

    def test_a_message_that_is_gone_is_unavailable(self, messages: SqsMessages) -> None:
        with pytest.raises(QueueUnavailable, match="SQS ChangeMessageVisibility: ReceiptHandleIsInvalid"):
            messages.put_off("gone", seconds=30)


class TestHide:
    def test_each_message_is_hidden_for_its_own_time(self, aws: Cloud, messages: SqsMessages) -> None:
        soon, later = handle(aws), handle(aws)
        messages.hide({soon: 0, later: 90})
        assert len(aws.queued()) == 1

    def test_a_message_that_is_gone_keeps_no_other_from_being_hidden(self, aws: Cloud, messages: SqsMessages) -> None:
        messages.hide({"gone": 0, handle(aws): 0})
        assert len(aws.queued()) == 1

    def test_a_queue_out_of_reach_is_unavailable(self, aws: Cloud) -> None:
        messages = SqsMessages(aws.sqs, queue_url=aws.queue_url + "-gone", dead_letter_url=aws.dead_letter_url)
        with pytest.raises(QueueUnavailable, match="SQS ChangeMessageVisibilityBatch: "):
            messages.hide({"any": 90})


class TestGiveToAPerson:
    def test_a_dead_letter_says_which_order_why_and_what_to_do(self, aws: Cloud, messages: SqsMessages) -> None:
        messages.give_to_a_person(BODY, MetadataBroken("product prod_1: no file"), about="cs_test_1")
        assert attributes(aws) == {
            "reason": "metadata_broken",
            "order": "cs_test_1",
            "advice": MetadataBroken.advice,
            "what": "product prod_1: no file",
        }

    def test_a_message_that_names_no_order_is_given_all_the_same(self, aws: Cloud, messages: SqsMessages) -> None:
        # SQS refuses an attribute without text.
        messages.give_to_a_person(BODY, OrderUnknown(""), about="")
        assert set(attributes(aws)) == {"reason", "advice"}

    def test_a_long_message_is_cut_rather_than_refused(self, aws: Cloud, messages: SqsMessages) -> None:
        messages.give_to_a_person(BODY, NeedsAPerson("x" * 300_000), about="cs_test_1")
        assert len(attributes(aws)["what"]) == 1024

    def test_no_character_that_sqs_refuses_keeps_a_case_from_a_person(self, aws: Cloud, messages: SqsMessages) -> None:
        refused = "\x00\x08\x0b\x1f\ud800\udfff\ufffe\uffff"
        messages.give_to_a_person(BODY, NeedsAPerson(f"a{refused}b\t\n\r é\ud7ff\ue000\ufffd😀"), about="cs_test_1")
        assert attributes(aws)["what"] == "a" + "\ufffd" * len(refused) + "b\t\n\r é\ud7ff\ue000\ufffd😀"

    def test_the_message_is_not_taken_off_the_work_queue(self, aws: Cloud, messages: SqsMessages) -> None:
        # Lambda does that once the batch says it is done.
        receipt = handle(aws)
        messages.give_to_a_person(BODY, OrderUnknown("x"), about="cs_test_1")
        messages.put_off(receipt, seconds=0)
        assert len(aws.queued()) == 1

    def test_a_dead_letter_queue_out_of_reach_is_tried_again(self, aws: Cloud) -> None:
        messages = SqsMessages(aws.sqs, queue_url=aws.queue_url, dead_letter_url=aws.dead_letter_url + "-gone")
        with pytest.raises(QueueUnavailable, match="SQS SendMessage: "):
            messages.give_to_a_person(BODY, OrderUnknown("x"), about="cs_test_1")
