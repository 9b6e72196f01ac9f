"""
Receive as it is usually written, to compare with: Stripe's SDK, boto3 and Powertools idempotency.

Does what ours does for Stripe's route, and leaves out what ours also has: the size limit, the allow-list, several
secrets, the answers to what goes wrong, logs and metrics.
"""

import json
import os
from typing import Any

import boto3
import stripe
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

sqs = boto3.client("sqs")
config = IdempotencyConfig(event_key_jmespath="id")
table = DynamoDBPersistenceLayer(table_name=os.environ["EVENTS_TABLE"])


@idempotent_function(  # type: ignore[untyped-decorator]
    data_keyword_argument="event", persistence_store=table, config=config
)
def send(*, event: dict[str, Any]) -> None:
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(event))


def handler(request: dict[str, Any], context: Any) -> dict[str, Any]:
    config.register_lambda_context(context)
    secret: dict[str, Any] = parameters.get_secret(os.environ["SECRET_NAME"], transform="json", max_age=60)
    event = stripe.Webhook.construct_event(
        request["body"], request["headers"]["stripe-signature"], secret["stripe_webhook_secrets"][0]
    )
    send(event={"id": event["id"], "type": event["type"], "about": event["data"]["object"]["id"]})
    return {"statusCode": 200, "body": json.dumps({"received": True})}
