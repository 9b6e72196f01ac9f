"""
The three AWS calls that a new event costs Receive, made bare with boto3 (or, with BARE=botocore, with botocore alone)
and with nothing round them.

They are Powertools' own, to the letter: put the key in progress, send the notice, mark the key done.
"""

import json
import os
import time
from typing import Any

if os.environ.get("BARE") == "botocore":
    from botocore.session import get_session

    client: Any = get_session().create_client
else:
    import boto3

    client = boto3.client

sqs, dynamodb = client("sqs"), client("dynamodb")
TABLE, QUEUE_URL = os.environ["EVENTS_TABLE"], os.environ["QUEUE_URL"]


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    now = int(time.time())
    key = {"id": {"S": event["key"]}}
    dynamodb.put_item(
        TableName=TABLE,
        Item={
            **key,
            "expiration": {"N": str(now + 345_600)},
            "status": {"S": "INPROGRESS"},
            "in_progress_expiration": {"N": str(now * 1000 + 60_000)},
        },
        ConditionExpression="attribute_not_exists(#id) OR #expiry < :now OR (#status = :inprogress"
        " AND attribute_exists(#in_progress_expiry) AND #in_progress_expiry < :now_in_millis)",
        ExpressionAttributeNames={
            "#id": "id",
            "#expiry": "expiration",
            "#in_progress_expiry": "in_progress_expiration",
            "#status": "status",
        },
        ExpressionAttributeValues={
            ":now": {"N": str(now)},
            ":now_in_millis": {"N": str(now * 1000)},
            ":inprogress": {"S": "INPROGRESS"},
        },
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    sqs.send_message(QueueUrl=QUEUE_URL, MessageBody=json.dumps(event["notice"]))
    dynamodb.update_item(
        TableName=TABLE,
        Key=key,
        UpdateExpression="SET #response_data = :response_data, #expiry = :expiry, #status = :status",
        ExpressionAttributeValues={
            ":expiry": {"N": str(now + 345_600)},
            ":response_data": {"S": "null"},
            ":status": {"S": "COMPLETED"},
        },
        ExpressionAttributeNames={"#expiry": "expiration", "#response_data": "data", "#status": "status"},
    )
    return {"statusCode": 200}
