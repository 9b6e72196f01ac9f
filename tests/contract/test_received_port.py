"""The port Received: what the front door took, by what its idempotency remembers."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from paidshare.aws import DynamoReceived, SqsIntake
from paidshare.errors import LedgerUnavailable, QueueUnavailable
from tests.builders import a_notice
from tests.cloud import EVENTS_TABLE, Cloud, cloud


class Context:
    """An invocation with time left."""

    def get_remaining_time_in_millis(self) -> int:
        return 15_000


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


def intake(aws: Cloud, *, queue_url: str | None = None) -> SqsIntake:
    url = queue_url or aws.queue_url
    made = SqsIntake(sqs=aws.sqs, queue_url=url, dynamodb=aws.dynamodb, events_table=EVENTS_TABLE)
    made.lasts(Context())
    return made


def test_an_event_that_was_queued_was_received_and_no_other(aws: Cloud) -> None:
    received = DynamoReceived(aws.dynamodb, EVENTS_TABLE)
    assert not received(a_notice())
    intake(aws).take(a_notice())
    assert received(a_notice())
    # By the event alone: what else it says depends on who read it.
    assert received(a_notice(about="pi_1", why="charge.refunded"))
    assert not received(a_notice(event_id="evt_2"))
    assert not received(a_notice(source="fastio"))


def test_an_event_that_could_not_be_queued_was_not_received(aws: Cloud) -> None:
    with pytest.raises(QueueUnavailable):
        intake(aws, queue_url=aws.queue_url + "-gone").take(a_notice())
    assert not DynamoReceived(aws.dynamodb, EVENTS_TABLE)(a_notice())


def test_whatever_dynamodb_says_is_tried_again_and_not_quoted() -> None:
    dynamodb = boto3.client("dynamodb", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(dynamodb) as stubber:
        stubber.add_client_error("get_item", "AccessDeniedException", "User arn:aws:iam::1:user/ada may not")
        with pytest.raises(LedgerUnavailable, match="DynamoDB GetItem: AccessDeniedException"):
            DynamoReceived(dynamodb, EVENTS_TABLE)(a_notice())
