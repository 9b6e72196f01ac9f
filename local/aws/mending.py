"""
Where MiniStack 1.5.33 makes something else of the template than AWS does: mended after a deploy, from outside.

So template.yaml stays what AWS gets. Nothing here allows what the template does not allow on AWS.
"""

import json
from collections.abc import Iterator
from typing import Any

from local.aws.ministack import Aws
from local.settings import SENDER, STACK_NAME

_SEND = "ses:SendEmail"


def mend(aws: Aws) -> None:
    """All of it, for the deployed stack. Safe to call any number of times."""
    _numbers_of_concurrency(aws)
    _permissions(aws)


def _numbers_of_concurrency(aws: Aws) -> None:
    """
    CloudFormation makes a number of a parameter's text, MiniStack does not.

    Its poller compares MaximumConcurrency with a number, and with text never takes anything off the queue.
    """
    functions = aws.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if most := mapping.get("ScalingConfig", {}).get("MaximumConcurrency"):
            functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": int(most)})


def _permissions(aws: Aws) -> None:
    """What a role may do on AWS and not here; a role without the action still may not."""
    iam = aws.client("iam")
    resources = aws.cloudformation.list_stack_resources(StackName=STACK_NAME)["StackResourceSummaries"]
    for role in (one["PhysicalResourceId"] for one in resources if one["ResourceType"] == "AWS::IAM::Role"):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            if more := [more for statement in policy["Statement"] for more in _not_seen_here(statement)]:
                document = {"Version": "2012-10-17", "Statement": more}
                iam.put_role_policy(RoleName=role, PolicyName="laptop", PolicyDocument=json.dumps(document))


def _not_seen_here(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What *statement* allows on AWS beyond what MiniStack makes of it."""
    # AWS knows the sender of a letter as `ses:FromAddress`; MiniStack knows no such condition, and never lets it pass.
    if _lets_our_sender_send(statement):
        yield {"Effect": "Allow", "Action": _SEND, "Resource": "*"}
    # On AWS who may do it to a message may do it to ten in one call; MiniStack asks for a permission of another name.
    if statement["Action"] in ("sqs:SendMessage", "sqs:ChangeMessageVisibility"):
        yield {"Effect": "Allow", "Action": f"{statement['Action']}Batch", "Resource": statement["Resource"]}


def _lets_our_sender_send(statement: dict[str, Any]) -> bool:
    condition = {"StringEquals": {"ses:FromAddress": SENDER}}
    return (statement["Effect"], statement["Action"]) == ("Allow", _SEND) and statement.get("Condition") == condition
