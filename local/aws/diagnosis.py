"""Why no letter came: dead letters, what waits, and what the functions' logs complain about."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from local import seeds
from local.aws.ministack import Aws
from local.settings import STAGE

_MOST = 12
_NOT_ALLOWED = "is not allowed"
# As the functions log it: `SES SendEmail: AccessDeniedException`.
_DENIED = re.compile(r"(?P<service>SES|SQS|DynamoDB|Secrets Manager) (?P<operation>[A-Z]\w+): AccessDenied")
# What `waking` leaves in the log of every system that starts well.
_PROBE = "Receive: signature_refused, missing_signature"
_IAM_PREFIX = {"SES": "ses", "SQS": "sqs", "DynamoDB": "dynamodb", "Secrets Manager": "secretsmanager"}


def explain(outputs: Mapping[str, str], aws: Aws) -> list[str]:
    """What an operator would find out, in sentences; the plainest cause first. *outputs* are the stack's."""
    complaints = worth_telling(_complaints(aws))
    not_allowed = [line for line in complaints if _NOT_ALLOWED in line]
    others = [line for line in complaints if line not in not_allowed]
    waiting = _waiting(aws, outputs["QueueUrl"])
    found = not_allowed + _dead_letters(aws, outputs["DeadLetterQueueUrl"]) + others[-_MOST:] + waiting
    return found or ["neither the logs nor the queues say why; the functions may not have run at all"]


def denied(aws: Aws) -> bool:
    """Whether a function was refused something by IAM: then there is no point in waiting longer."""
    return any(_NOT_ALLOWED in line for line in _complaints(aws))


def _dead_letters(aws: Aws, queue_url: str) -> list[str]:
    found = []
    for message in _messages(aws, queue_url):
        words = {name: _text(value) for name, value in message["MessageAttributes"].items()}
        if words:
            what = f"{words.get('reason', '?')}: {words.get('what', '?')}"
            found.append(f"dead letter for {words.get('order', '?')}: {what}. {words.get('advice', '')}".strip())
        else:
            found.append(f"dead letter without a reason, given up after {message['ReceiveCount']} attempts")
    return found


def _waiting(aws: Aws, queue_url: str) -> list[str]:
    waiting = _messages(aws, queue_url)
    if not waiting:
        return []
    most = max(message["ReceiveCount"] for message in waiting)
    return [f"{len(waiting)} in the queue still; taken off it {most} times at most"]


def _messages(aws: Aws, queue_url: str) -> list[dict[str, Any]]:
    """Only looks: what lies in the queue stays as it is."""
    with seeds.client(aws.url) as ministack:
        answer = ministack.get("/_ministack/sqs/messages", params={"QueueUrl": queue_url})
    answer.raise_for_status()
    return [
        message
        for regions in answer.json()["messages"].values()
        for queues in regions.values()
        for messages in queues.values()
        for message in messages
    ]


def _text(attribute: Any) -> str:
    return str(attribute.get("StringValue", "")) if isinstance(attribute, dict) else str(attribute)


def _complaints(aws: Aws) -> Iterator[str]:
    for group in aws.logs.describe_log_groups(logGroupNamePrefix=f"/paidshare/{STAGE}/")["logGroups"]:
        name = group["logGroupName"].rsplit("/", 1)[-1].capitalize()
        for event in aws.logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
            if said := complaint(event["message"], name):
                yield said


def worth_telling(complaints: Iterable[str]) -> list[str]:
    """Each different one once, in order, without the one that our own start-up caused."""
    told = list(complaints)
    if _PROBE in told:
        told.remove(_PROBE)  # One only: a second request without a signature was somebody else's.
    return list(dict.fromkeys(told))


def complaint(message: str, function: str) -> str | None:
    """What a line of *function*'s log complains about, after the function's name; None when it does not."""
    try:
        line = json.loads(message)
    except ValueError:
        return f"{function}: {message.strip()}" if re.search(r"Error|Traceback|timed out", message) else None
    if not isinstance(line, dict) or line.get("level") not in ("WARNING", "ERROR", "CRITICAL"):
        return None
    if denied := _DENIED.search(str(line.get("what", ""))):
        action = f"{_IAM_PREFIX[denied['service']]}:{denied['operation']}"
        return (
            f"{function} {_NOT_ALLOWED} {action}: its role in template.yaml lacks the action, or names another resource"
        )
    words = [str(line[key]) for key in ("message", "reason", "what", "error", "at", "exception") if line.get(key)]
    return f"{function}: {', '.join(words)}"
