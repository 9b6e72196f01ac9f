"""The port Intake: the same rules for the fake and for SQS with Powertools Idempotency."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from paidshare import notices
from paidshare.aws import Patience, SqsIntake, client
from paidshare.aws.intake import REMEMBERED_SECONDS
from paidshare.errors import QueueUnavailable
from paidshare.notices import Notice
from paidshare.receiving.ports import Intake
from tests.builders import a_notice
from tests.cloud import EVENTS_TABLE, Cloud, cloud
from tests.fakes import Crash, MemoryIntake


class World(Protocol):
    """What a test may do to the other side of the port."""

    @property
    def intake(self) -> Intake: ...
    def queued(self) -> list[Notice]: ...
    def break_queue(self) -> None: ...
    def mend_queue(self) -> None: ...
    def crash_in(self, take: Callable[[], bool], *, time_left: bool) -> None:
        """Run *take*, and kill it while it sends. With `time_left` its invocation might still be running."""


class MemoryWorld:
    def __init__(self) -> None:
        self.intake = MemoryIntake()

    def queued(self) -> list[Notice]:
        return self.intake.queue

    def break_queue(self) -> None:
        self.intake.broken = True

    def mend_queue(self) -> None:
        self.intake.broken = False

    def crash_in(self, take: Callable[[], bool], *, time_left: bool) -> None:
        self.intake.crashing = True
        with pytest.raises(Crash):
            take()
        self.intake.crashing = False
        if not time_left:
            self.intake.expire_what_is_in_progress()


@dataclass
class Context:
    """Lambda's context, as far as it tells how long the invocation may last."""

    milliseconds: int

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


class AwsWorld:
    """Over boto3's clients, or others."""

    def __init__(self, aws: Cloud, *, sqs: Any = None, dynamodb: Any = None) -> None:
        self.aws = aws
        self.sqs = BreakableSqs(sqs or aws.sqs, aws.queue_url)
        made: Any = self.sqs
        self.intake = SqsIntake(
            sqs=made, queue_url=aws.queue_url, dynamodb=dynamodb or aws.dynamodb, events_table=EVENTS_TABLE
        )
        self.intake.lasts(Context(15_000))

    def queued(self) -> list[Notice]:
        return [notices.from_json(message["Body"]) for message in self.aws.queued()]

    def break_queue(self) -> None:
        self.sqs.url = self.aws.queue_url + "-gone"

    def mend_queue(self) -> None:
        self.sqs.url = self.aws.queue_url

    def crash_in(self, take: Callable[[], bool], *, time_left: bool) -> None:
        # An invocation whose time is over is one that has less than none left: nobody has to sleep here.
        self.intake.lasts(Context(15_000 if time_left else -1_000))
        self.sqs.crashing = True
        with pytest.raises(Crash):
            take()
        self.sqs.crashing = False
        self.intake.lasts(Context(15_000))


class BreakableSqs:
    """moto's SQS, which a test may take away."""

    def __init__(self, sqs: Any, queue_url: str) -> None:
        self._sqs = sqs
        self.url = queue_url
        self.crashing = False

    def send_message(self, **words: Any) -> Any:
        if self.crashing:
            raise Crash
        return self._sqs.send_message(**words | {"QueueUrl": self.url})


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture(params=["memory", "boto3", "own client"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return MemoryWorld()
    aws: Cloud = request.getfixturevalue("aws")
    if request.param == "boto3":
        return AwsWorld(aws)
    environ = {**os.environ, "AWS_ENDPOINT_URL": request.getfixturevalue("aws_url")}
    sqs, dynamodb = (
        client(service, environ=environ, patience=Patience(1, 3), attempts=2) for service in ("sqs", "dynamodb")
    )
    return AwsWorld(aws, sqs=sqs, dynamodb=dynamodb)


class TestTake:
    def test_a_new_notice_is_queued_as_it_is(self, world: World) -> None:
        notice = a_notice(account="acct_1")
        assert world.intake.take(notice) is True
        assert world.queued() == [notice]

    def test_a_repeat_is_queued_once(self, world: World) -> None:
        assert [world.intake.take(a_notice()) for _ in range(3)] == [True, False, False]
        assert len(world.queued()) == 1

    def test_a_repeat_is_known_by_its_event_whatever_else_changed(self, world: World) -> None:
        world.intake.take(a_notice())
        assert world.intake.take(a_notice(why="checkout.session.async_payment_succeeded")) is False

    def test_two_events_about_one_order_are_both_queued(self, world: World) -> None:
        assert world.intake.take(a_notice(event_id="evt_1")) is True
        assert world.intake.take(a_notice(event_id="evt_2")) is True
        assert len(world.queued()) == 2

    def test_the_same_id_from_two_senders_is_two_events(self, world: World) -> None:
        assert world.intake.take(a_notice(source="stripe")) is True
        assert world.intake.take(a_notice(source="fastio")) is True

    def test_a_send_that_failed_forgets_the_event_so_that_the_next_try_is_new(self, world: World) -> None:
        world.break_queue()
        with pytest.raises(QueueUnavailable):
            world.intake.take(a_notice())
        world.mend_queue()
        assert world.intake.take(a_notice()) is True
        assert len(world.queued()) == 1

    def test_an_event_in_progress_is_for_the_sender_to_bring_again(self, world: World) -> None:
        world.crash_in(lambda: world.intake.take(a_notice()), time_left=True)
        with pytest.raises(QueueUnavailable):
            world.intake.take(a_notice())
        assert world.queued() == []

    def test_one_event_in_progress_does_not_hold_up_another(self, world: World) -> None:
        world.crash_in(lambda: world.intake.take(a_notice()), time_left=True)
        assert world.intake.take(a_notice(event_id="evt_2")) is True

    def test_an_event_whose_send_crashed_is_new_once_that_invocation_is_over(self, world: World) -> None:
        world.crash_in(lambda: world.intake.take(a_notice()), time_left=False)
        assert world.intake.take(a_notice()) is True
        assert len(world.queued()) == 1


class TestSqsIntake:
    def test_a_table_out_of_reach_is_unavailable_and_nothing_is_sent(self, aws: Cloud) -> None:
        intake = SqsIntake(sqs=aws.sqs, queue_url=aws.queue_url, dynamodb=aws.dynamodb, events_table="elsewhere")
        intake.lasts(Context(15_000))
        with pytest.raises(QueueUnavailable, match="events table: DynamoDB PutItem: ResourceNotFoundException"):
            intake.take(a_notice())
        assert aws.queued() == []

    def test_a_table_that_fails_after_the_send_is_no_acknowledgement(self, aws: Cloud) -> None:
        world = AwsWorld(aws)
        dynamodb: Any = FailsOn(aws.dynamodb, "update_item")
        intake = SqsIntake(sqs=aws.sqs, queue_url=aws.queue_url, dynamodb=dynamodb, events_table=EVENTS_TABLE)
        intake.lasts(Context(15_000))
        with pytest.raises(QueueUnavailable, match="events table"):
            intake.take(a_notice())
        # The notice is in the queue: one look too many, never one too few.
        assert world.queued() == [a_notice()]

    def test_a_failed_send_that_cannot_be_forgotten_is_no_acknowledgement(self, aws: Cloud) -> None:
        dynamodb: Any = FailsOn(aws.dynamodb, "delete_item")
        intake = SqsIntake(sqs=aws.sqs, queue_url=aws.queue_url + "-gone", dynamodb=dynamodb, events_table=EVENTS_TABLE)
        intake.lasts(Context(15_000))
        with pytest.raises(QueueUnavailable):
            intake.take(a_notice())

    def test_the_refusal_names_the_call_and_quotes_nothing(self, aws: Cloud) -> None:
        intake = SqsIntake(
            sqs=aws.sqs, queue_url=aws.queue_url + "-gone", dynamodb=aws.dynamodb, events_table=EVENTS_TABLE
        )
        intake.lasts(Context(15_000))
        with pytest.raises(QueueUnavailable) as caught:
            intake.take(a_notice())
        assert str(caught.value).startswith("SQS SendMessage: ")
        assert "cs_test_1" not in str(caught.value)

    def test_an_event_is_remembered_longer_than_stripe_repeats_it(self, aws: Cloud) -> None:
        AwsWorld(aws).intake.take(a_notice())
        [item] = aws.dynamodb.scan(TableName=EVENTS_TABLE)["Items"]
        assert item["status"] == {"S": "COMPLETED"}
        # Stripe: three days (docs.stripe.com/webhooks).
        assert REMEMBERED_SECONDS > 3 * 24 * 3600

    def test_the_key_does_not_change_with_the_code(self, aws: Cloud) -> None:
        # Powertools hashes the event's key behind our own prefix: another one would take repeats for new.
        AwsWorld(aws).intake.take(a_notice())
        [item] = aws.dynamodb.scan(TableName=EVENTS_TABLE)["Items"]
        digest = hashlib.md5(b'"stripe:evt_1"', usedforsecurity=False).hexdigest()
        assert item["id"] == {"S": f"intake#{digest}"}

    def test_a_new_event_costs_three_calls_to_aws(self, aws: Cloud) -> None:
        calls: list[str] = []
        for one in (aws.dynamodb, aws.sqs):
            one.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
        AwsWorld(aws).intake.take(a_notice())
        assert calls == ["PutItem", "SendMessage", "UpdateItem"]


class FailsOn:
    """A client whose *method* raises what boto3 raises when nothing answers."""

    def __init__(self, client: Any, method: str) -> None:
        self._client, self._method = client, method

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            return self._fail
        return getattr(self._client, name)

    def _fail(self, **_: Any) -> None:
        raise self._client.exceptions.InternalServerError(
            {"Error": {"Code": "InternalServerError", "Message": "no"}}, "UpdateItem"
        )
