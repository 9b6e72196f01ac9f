"""Feedback with moto's queues and table: SES's events in, notes on the orders and dead letters out."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.feedback import handler as feedback
from paidshare import notices
from paidshare.aws import DeadLetters, DynamoMailLog, SqsMessages
from paidshare.errors import LedgerUnavailable, QueueUnavailable, SettingsIncomplete
from paidshare.feedback.mail_events import MailEvent
from paidshare.feedback.ports import MailLog
from paidshare.retries import MOST_RECEIVES
from tests.builders import BUYER, NOW
from tests.cloud import ORDERS_TABLE, Cloud, cloud
from tests.fakes_mail import DETAILS, MESSAGE_ID, ORDER_ID, MemoryMailLog, iso, notified, published
from tests.printed import Printed


class FailingLog(MemoryMailLog):
    """Knows ORDER_ID, and raises *trouble* over the letter *message_id*."""

    def __init__(self, trouble: Exception, *, message_id: str = MESSAGE_ID) -> None:
        super().__init__(ORDER_ID)
        self.trouble, self.message_id = trouble, message_id

    def note(self, event: MailEvent) -> bool:
        if event.message_id == self.message_id:
            raise self.trouble
        return super().note(event)


@dataclass
class Post:
    """The function at work: its queues, its table, and everything it printed."""

    aws: Cloud
    printed: Printed
    monkeypatch: pytest.MonkeyPatch
    waits: list[int] = field(default_factory=list)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def use(self, log: MailLog | None = None) -> None:
        """Work with *log* from now on, else with DynamoDB."""

        @cache
        def container() -> feedback.Container:
            queues = {"queue_url": self.aws.queue_url, "dead_letter_url": self.aws.dead_letter_url}
            return feedback.Container(
                log=log or DynamoMailLog(self.aws.dynamodb, ORDERS_TABLE),
                messages=SqsMessages(self.aws.sqs, **queues),
                dead_letters=DeadLetters(self.aws.sqs, **queues),
                # Made at the first call: pytest gives a test another standard output than its fixtures.
                logger=Logger(service="feedback", use_rfc3339=True),
                stage="test",
                clock=lambda: self.now,
            )

        self.monkeypatch.setattr(feedback, "_container", container)

    def run(self, *events: dict[str, Any] | str, attempt: int = 1, age_s: float = 0) -> int:
        """How many of *events*, *age_s* old, come again."""
        sent_at = int((self.now.timestamp() - age_s) * 1000)
        for event in events:
            body = event if isinstance(event, str) else json.dumps(event)
            self.aws.sqs.send_message(QueueUrl=self.aws.queue_url, MessageBody=body)
        records = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": str(attempt), "SentTimestamp": str(sent_at)},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:mail",
                "awsRegion": "us-east-1",
            }
            for message in self.aws.queued()
        ]
        assert len(records) == len(events)
        answer = feedback.handler({"Records": records}, cast("LambdaContext", None))
        assert answer is not None
        return len(answer["batchItemFailures"])

    def remind(self) -> None:
        event = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
        assert feedback.handler(event, cast("LambdaContext", None)) is None

    def order(self) -> dict[str, Any]:
        key = {"order_id": {"S": ORDER_ID}}
        return self.aws.dynamodb.get_item(TableName=ORDERS_TABLE, Key=key).get("Item", {})


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Post]:
    with cloud() as aws:
        aws.dynamodb.put_item(TableName=ORDERS_TABLE, Item={"order_id": {"S": ORDER_ID}, "state": {"S": "delivered"}})
        made = Post(aws, Printed("feedback", capsys), monkeypatch)
        aws.sqs.meta.events.register(
            "provide-client-params.sqs.ChangeMessageVisibility",
            lambda params, **_: made.waits.append(params["VisibilityTimeout"]),
        )
        made.use()
        yield made


class TestNoted:
    def test_what_became_of_a_letter_is_on_its_order(self, post: Post) -> None:
        assert post.run(published("Send"), published("Delivery"), published("DeliveryDelay")) == 0
        assert post.order().keys() == {
            "order_id",
            "state",
            "letter_sent_at",
            "letter_delivered_at",
            "letter_delayed_at",
            "letter_message_id",
            "letter_kind",
            "letter_sent_kind",
            "letter_sent_mark",
        }
        assert post.aws.dead_letters() == []

    def test_the_log_says_which_letter_of_which_order(self, post: Post) -> None:
        post.run(published("Delivery"))
        (line,) = post.printed.log()
        assert (line["message"], line["level"]) == ("letter_noted", "INFO")
        assert (line["order_id"], line["letter"]) == (ORDER_ID, "delivery")
        assert (line["message_id"], line["fact"]) == (MESSAGE_ID, "delivered")

    def test_an_absent_person_s_answer_is_noted_and_rings_nobody(self, post: Post) -> None:
        post.run(published("Bounce", bounceType="Transient", bounceSubType="General"))
        assert "letter_bounced_at" in post.order()
        assert post.aws.dead_letters() == []
        (line,) = post.printed.log()
        assert (line["message"], line["cause"]) == ("letter_noted", "General")

    @pytest.mark.parametrize("event", ["hello", "{}", notified("Bounce"), {"eventType": "Open", "mail": {}}])
    def test_what_names_no_order_is_logged_and_dropped(self, post: Post, event: dict[str, Any] | str) -> None:
        before = post.order()
        assert post.run(event) == 0
        (line,) = post.printed.log()
        assert line["message"] == "not_for_us"
        assert post.order() == before
        assert post.aws.dead_letters() == []

    def test_every_letter_is_counted_by_what_became_of_it(self, post: Post) -> None:
        post.run(published("Send"), published("Bounce"))
        counted = [(line["fact"], line["Letters"], line["stage"]) for line in post.printed.metrics("Letters")]
        assert counted == [("sent", [1.0], "test"), ("bounced", [1.0], "test")]


class TestForAPerson:
    @pytest.mark.parametrize(
        ("kind", "reason"),
        [("Bounce", "letter_bounced"), ("Complaint", "letter_complained"), ("Reject", "letter_rejected_later")],
    )
    def test_a_letter_that_failed_for_good_is_a_dead_letter_with_reason_order_and_advice(
        self, post: Post, kind: str, reason: str
    ) -> None:
        assert post.run(published(kind)) == 0
        (dead,) = post.aws.dead_letters()
        assert (dead["reason"], dead["order"]) == (reason, ORDER_ID)
        assert dead["advice"]
        assert "“delivery”" in dead["what"]
        notice = notices.from_json(dead["body"])
        assert (notice.source, notice.about, notice.event_id) == ("stripe", ORDER_ID, f"mail:{MESSAGE_ID}")

    def test_the_same_bounce_again_is_told_once(self, post: Post) -> None:
        for _ in range(2):
            post.run(published("Bounce"))
        assert len(post.aws.dead_letters()) == 1

    def test_twice_in_one_batch_is_told_once(self, post: Post) -> None:
        post.run(published("Bounce"), published("Bounce"))
        assert len(post.aws.dead_letters()) == 1

    def test_an_older_bounce_after_a_newer_one_is_told_as_well(self, post: Post) -> None:
        older = published("Bounce", timestamp=iso(NOW - timedelta(days=1)))
        older["mail"]["messageId"] = "another-letter"
        post.run(published("Bounce"))
        post.run(older)
        assert [notices.from_json(dead["body"]).event_id for dead in post.aws.dead_letters()] == [
            f"mail:{MESSAGE_ID}",
            "mail:another-letter",
        ]

    def test_while_the_dead_letter_queue_is_out_of_reach_the_event_waits_and_is_told_later(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise QueueUnavailable("SQS SendMessage: AccessDenied")

        with monkeypatch.context() as patch:
            patch.setattr(SqsMessages, "give_to_a_person", refuse)
            assert post.run(published("Bounce")) == 1
        assert post.aws.dead_letters() == []
        assert post.run(published("Bounce")) == 0
        assert len(post.aws.dead_letters()) == 1

    def test_a_crash_before_it_was_remembered_tells_twice_and_never_not_at_all(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(*_: object) -> None:
            raise SystemExit

        with monkeypatch.context() as patch:
            patch.setattr(DynamoMailLog, "told", crash)
            with pytest.raises(SystemExit):
                post.run(published("Bounce"))
        post.run(published("Bounce"))
        assert len(post.aws.dead_letters()) == 2


class TestReminder:
    """Once a day: what SQS would drop, and a person has not seen to, is written anew."""

    @pytest.fixture
    def days(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
        """SQS's clock is so many days ago."""
        # moto forgets by the machine's clock.
        post.aws.sqs.set_queue_attributes(
            QueueUrl=post.aws.queue_url, Attributes={"MessageRetentionPeriod": str(14 * 86_400)}
        )
        monkeypatch.setattr("paidshare.aws.dead_letters._WAIT_S", 0)  # moto really waits.

        def ago(days: int) -> None:
            monkeypatch.setattr("moto.sqs.models.unix_time_millis", lambda: (time.time() - days * 86_400) * 1000)

        return ago

    def test_a_letter_that_failed_has_a_dead_letter_as_long_as_nobody_saw_to_it(
        self, post: Post, days: Callable[[int], None]
    ) -> None:
        days(11)
        post.run(published("Bounce"))
        days(0)
        post.remind()
        (dead,) = post.aws.queued(post.aws.dead_letter_url)
        assert int(dead["Attributes"]["SentTimestamp"]) / 1000 > time.time() - 86_400
        words = {name: value["StringValue"] for name, value in dead["MessageAttributes"].items()}
        assert (words["reason"], words["order"]) == ("letter_bounced", ORDER_ID)
        assert time.time() - 12 * 86_400 < int(words["since"]) < time.time() - 10 * 86_400

    def test_it_is_told_and_counted_as_a_new_one(self, post: Post, days: Callable[[int], None]) -> None:
        days(11)
        post.run(published("Bounce"))
        post.printed.lines()
        days(0)
        post.remind()
        lines = post.printed.lines()
        (line,) = (line for line in lines if "_aws" not in line)
        assert (line["message"], line["order_id"], line["reason"]) == (
            "dead_letter_renewed",
            ORDER_ID,
            "letter_bounced",
        )
        assert [line["DeadLetters"] for line in lines if "DeadLetters" in line] == [[1.0]]

    def test_a_young_one_stays_as_it_is_and_is_there_at_once(self, post: Post, days: Callable[[int], None]) -> None:
        days(0)  # moto hides nothing for 12 hours after it was sent, where SQS counts from when it was received.
        post.run(published("Bounce"))
        post.remind()
        (dead,) = post.aws.dead_letters()
        assert "since" not in dead


class TestTrouble:
    def test_a_ledger_out_of_reach_puts_the_event_off_for_seconds(self, post: Post) -> None:
        post.use(FailingLog(LedgerUnavailable("DynamoDB UpdateItem: Throttled")))
        assert post.run(published("Send")) == 1
        (wait,) = post.waits
        assert 1 <= wait <= 2
        (line,) = post.printed.log()
        assert (line["message"], line["reason"], line["level"]) == ("letter_put_off", "ledger_unavailable", "WARNING")

    def test_one_event_s_trouble_keeps_no_other_of_the_batch(self, post: Post) -> None:
        post.use(log := FailingLog(LedgerUnavailable("down"), message_id="in trouble"))
        event = published("Delivery")
        event["mail"]["messageId"] = "in trouble"
        assert post.run(event, published("Send")) == 1
        assert [str(fact) for fact in log.orders[ORDER_ID]] == ["sent"]

    def test_a_bug_is_logged_with_its_place_and_without_its_words(self, post: Post) -> None:
        post.use(FailingLog(RuntimeError(f"what a bug may quote: {BUYER}")))
        assert post.run(published("Send")) == 1
        (line,) = post.printed.log()
        assert (line["message"], line["error"], line["level"]) == ("letter_failed", "RuntimeError", "ERROR")
        assert line["at"][-1].startswith("test_feedback_handler.py:")
        assert BUYER not in post.printed.everything

    def test_what_cannot_be_noted_for_a_day_goes_to_a_person_without_anything_personal(self, post: Post) -> None:
        post.use(FailingLog(LedgerUnavailable("DynamoDB UpdateItem: AccessDeniedException")))
        assert post.run(published("Bounce"), attempt=MOST_RECEIVES - 1) == 1
        assert post.aws.dead_letters() == []
        assert post.run(published("Bounce"), attempt=MOST_RECEIVES) == 0
        (dead,) = post.aws.dead_letters()
        assert (dead["reason"], dead["order"]) == ("patience_exhausted", ORDER_ID)
        assert dead["what"] == "the letter “delivery” bounced, not noted: DynamoDB UpdateItem: AccessDeniedException"
        assert notices.from_json(dead["body"]).about == ORDER_ID

    def test_after_four_days_a_person_is_told_however_seldom_it_was_tried(self, post: Post) -> None:
        post.use(FailingLog(LedgerUnavailable("down")))
        assert post.run(published("Bounce"), age_s=4 * 86_400) == 0
        (dead,) = post.aws.dead_letters()
        assert dead["reason"] == "patience_exhausted"

    @pytest.mark.parametrize(("age_s", "late"), [(0, 0), (170, 0), (179, 1), (86_400, 1)])
    def test_news_that_will_be_three_minutes_old_at_the_next_look_is_late(
        self, post: Post, age_s: float, late: int
    ) -> None:
        post.use(FailingLog(LedgerUnavailable("down")))
        post.run(published("Send"), age_s=age_s)
        assert len(post.printed.metrics("LateMailEvents")) == late


@pytest.mark.parametrize("kind", DETAILS)
def test_no_log_and_no_dead_letter_holds_anything_personal(post: Post, kind: str) -> None:
    post.run(published(kind), notified("Bounce"))
    post.printed.lines()
    assert BUYER not in post.printed.everything
    assert BUYER not in json.dumps(post.aws.dead_letters())
    assert BUYER not in json.dumps(post.order(), default=list)


class TestContainer:
    def test_it_is_built_from_the_environment_without_asking_anybody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        variables = {
            "STAGE": "test",
            "MAIL_QUEUE_URL": "https://sqs/mail",
            "DEAD_LETTER_QUEUE_URL": "https://sqs/dead",
            "ORDERS_TABLE": ORDERS_TABLE,
        }
        with cloud():
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
            feedback._container.cache_clear()
            try:
                assert feedback._container().stage == "test"
                assert feedback._container() is feedback._container()
            finally:
                feedback._container.cache_clear()

    def test_missing_settings_are_all_named_in_one_line_and_the_batch_comes_again(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("STAGE", "MAIL_QUEUE_URL"):
            monkeypatch.delenv(name, raising=False)
        printed = Printed("feedback", capsys)
        feedback._container.cache_clear()
        with pytest.raises(SettingsIncomplete):
            feedback.handler({"Records": []}, cast("LambdaContext", None))
        (line,) = printed.log()
        assert line["message"] == "settings_incomplete"
        for name in ("STAGE", "MAIL_QUEUE_URL"):
            assert any(gap.startswith(name) for gap in line["gaps"])
