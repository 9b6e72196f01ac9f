"""An AWS of its own for each test: moto, with the tables and queues that template.yaml describes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from tests.builders import SENDER
from tests.template_file import properties

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import MessageTypeDef

EVENTS_TABLE, ORDERS_TABLE, SECRET_NAME = "events", "orders", "paidshare/test"


@dataclass(frozen=True, slots=True)
class Cloud:
    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    sesv2: "SESV2Client"
    secretsmanager: "SecretsManagerClient"
    queue_url: str
    dead_letter_url: str

    def queued(self, url: str | None = None) -> list["MessageTypeDef"]:
        """What a worker would get from the queue, or from the one at *url*."""
        answer = self.sqs.receive_message(
            QueueUrl=url or self.queue_url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return answer.get("Messages", [])

    def dead_letters(self) -> list[dict[str, str]]:
        """The dead letters: their attributes, and the `body`."""
        return [
            {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
            | {"body": message["Body"]}
            for message in self.queued(self.dead_letter_url)
        ]

    def make_secret(self, text: str) -> None:
        self.secretsmanager.create_secret(Name=SECRET_NAME, SecretString=text)


@cache
def _session() -> boto3.session.Session:
    """One for all tests, with moto's keys: what it knows of AWS's services takes long to read."""
    return boto3.session.Session(region_name="us-east-1")


@contextmanager
def cloud() -> Iterator[Cloud]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        # Whatever the machine is logged in to, nothing of it is used.
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        session = _session()
        sqs = session.client("sqs")
        made = Cloud(
            dynamodb=session.client("dynamodb"),
            sqs=sqs,
            sesv2=session.client("sesv2"),
            secretsmanager=session.client("secretsmanager"),
            queue_url=_queue(sqs, "queue", properties("Queue")),
            dead_letter_url=_queue(sqs, "dead-letters", properties("DeadLetterQueue")),
        )
        _table(made.dynamodb, EVENTS_TABLE, properties("EventsTable"))
        _table(made.dynamodb, ORDERS_TABLE, properties("OrdersTable"))
        made.sesv2.create_email_identity(EmailIdentity=SENDER)
        yield made


def _table(dynamodb: "DynamoDBClient", name: str, wanted: dict[str, Any]) -> None:
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=wanted["AttributeDefinitions"],
        KeySchema=wanted["KeySchema"],
        **({"GlobalSecondaryIndexes": indexes} if (indexes := wanted.get("GlobalSecondaryIndexes")) else {}),
        BillingMode=wanted["BillingMode"],
    )


def _queue(sqs: "SQSClient", name: str, wanted: dict[str, Any]) -> str:
    attributes: dict[QueueAttributeNameType, str] = {
        "VisibilityTimeout": str(wanted.get("VisibilityTimeout", 30)),
        "MessageRetentionPeriod": str(wanted["MessageRetentionPeriod"]),
    }
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
