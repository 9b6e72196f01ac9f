"""The port ReconcileQueue: the same rules for the fake and for SQS."""

from collections.abc import Iterator
from typing import Any, Protocol

import boto3
import pytest
from botocore.stub import ANY, Stubber

from paidshare import notices
from paidshare.aws import SqsReconcileQueue
from paidshare.errors import QueueUnavailable
from paidshare.notices import Notice
from paidshare.ports import ReconcileQueue
from tests.builders import a_notice
from tests.cloud import Cloud, cloud
from tests.fakes_sweep import MemoryQueue


class World(Protocol):
    queue: ReconcileQueue

    def queued(self) -> list[Notice]: ...
    def waiting(self, messages: int) -> None: ...
    def break_it(self) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self._memory = MemoryQueue()
        self.queue: ReconcileQueue = self._memory

    def queued(self) -> list[Notice]:
        return self._memory.asked

    def waiting(self, messages: int) -> None:
        self._memory.waiting = messages

    def break_it(self) -> None:
        self._memory.broken = True


class SqsWorld:
    def __init__(self, aws: Cloud) -> None:
        self._aws = aws
        self.queue: ReconcileQueue = SqsReconcileQueue(aws.sqs, queue_url=aws.queue_url)

    def queued(self) -> list[Notice]:
        found: list[Notice] = []
        while messages := self._aws.queued():
            found += [notices.from_json(message["Body"]) for message in messages]
        return found

    def waiting(self, messages: int) -> None:
        for number in range(messages):
            self._aws.sqs.send_message(QueueUrl=self._aws.queue_url, MessageBody=str(number))

    def break_it(self) -> None:
        self.queue = SqsReconcileQueue(self._aws.sqs, queue_url=self._aws.queue_url + "-gone")


@pytest.fixture(params=["memory", "sqs"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    with cloud() as aws:
        yield SqsWorld(aws)


def some(count: int) -> list[Notice]:
    return [a_notice(event_id=f"sweep:cs_{n}", about=f"cs_{n}") for n in range(count)]


class TestEveryReconcileQueue:
    @pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
    def test_every_notice_is_queued_once(self, world: World, count: int) -> None:
        world.queue.ask(some(count))
        assert sorted(world.queued(), key=str) == sorted(some(count), key=str)

    def test_the_backlog_is_what_waits(self, world: World) -> None:
        world.waiting(3)
        assert world.queue.backlog() == 3

    def test_a_queue_out_of_reach_is_unavailable(self, world: World) -> None:
        world.break_it()
        with pytest.raises(QueueUnavailable):
            world.queue.ask(some(1))


class TestSqsReconcileQueue:
    def stubbed(self) -> tuple[Any, Stubber]:
        sqs = boto3.client("sqs", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        return SqsReconcileQueue(sqs, queue_url="https://sqs/queue"), Stubber(sqs)

    def answer(self, *, taken: tuple[str, ...], failed: tuple[str, ...]) -> dict[str, Any]:
        return {
            "Successful": [{"Id": i, "MessageId": "m", "MD5OfMessageBody": "0"} for i in taken],
            "Failed": [{"Id": i, "SenderFault": False, "Code": "InternalError"} for i in failed],
        }

    def test_only_what_sqs_left_out_is_sent_again(self) -> None:
        queue, stubber = self.stubbed()
        stubber.add_response("send_message_batch", self.answer(taken=("0", "2"), failed=("1",)))
        left_out = [{"Id": "1", "MessageBody": notices.to_json(some(2)[1]), "MessageGroupId": "sweep"}]
        stubber.add_response(
            "send_message_batch", self.answer(taken=("1",), failed=()), {"QueueUrl": ANY, "Entries": left_out}
        )
        with stubber:
            queue.ask(some(3))
        stubber.assert_no_pending_responses()

    def test_what_sqs_leaves_out_for_good_is_not_called_queued(self) -> None:
        queue, stubber = self.stubbed()
        for _ in range(3):
            stubber.add_response("send_message_batch", self.answer(taken=(), failed=("0",)))
        with stubber, pytest.raises(QueueUnavailable, match="left out 1 of 1"):
            queue.ask(some(1))

    def test_a_backlog_that_cannot_be_seen_is_unavailable(self) -> None:
        queue, stubber = self.stubbed()
        stubber.add_client_error("get_queue_attributes", "AccessDenied")
        with stubber, pytest.raises(QueueUnavailable, match="SQS GetQueueAttributes: AccessDenied"):
            queue.backlog()
