"""The way back from a deploy: the version that was there before it, and the alarms that say that it is wanted."""

import time
from collections.abc import Callable, Collection, Iterator
from itertools import batched
from pathlib import Path
from typing import Any

import yaml

_LOOK_EVERY_S = 15.0
_ALARMS_AT_A_TIME = 100  # DescribeAlarms takes no more names.


def saved(cloudformation: Any, stack: str, file: Path) -> Path:
    """
    Write the template that *stack* was last deployed with into *file*; its path.

    Its code is in SAM's bucket, so `sam deploy --template-file` of it makes the stack what it was.
    """
    body = cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    # boto3 reads a template in JSON; ours are in YAML, and come as they were written.
    file.write_text(body if isinstance(body, str) else yaml.safe_dump(dict(body), sort_keys=False))
    return file


def gone_off(
    session: Any, stack: str, *, besides: Collection[str], minutes: float, wait: Callable[[float], object]
) -> str | None:
    """
    The first of *stack*'s alarms to ring within so many minutes, *besides* those that did before; None when none does.

    *wait* is given the seconds between two looks.
    """
    end = time.monotonic() + minutes * 60
    while True:
        if new := sorted(ringing(session, stack) - set(besides)):
            return new[0]
        if time.monotonic() >= end:
            return None
        wait(_LOOK_EVERY_S)


def ringing(session: Any, stack: str) -> set[str]:
    """The names of *stack*'s alarms that ring."""
    cloudwatch, found = session.client("cloudwatch"), set[str]()
    for some in batched(_alarms(session.client("cloudformation"), stack), _ALARMS_AT_A_TIME, strict=False):
        listed = cloudwatch.describe_alarms(
            AlarmNames=list(some), AlarmTypes=["MetricAlarm", "CompositeAlarm"], StateValue="ALARM"
        )
        kinds = ("MetricAlarms", "CompositeAlarms")
        found |= {str(alarm["AlarmName"]) for kind in kinds for alarm in listed.get(kind, [])}
    return found


def _alarms(cloudformation: Any, stack: str) -> Iterator[str]:
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for one in page["StackResourceSummaries"]:
            if one["ResourceType"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
                yield str(one["PhysicalResourceId"])
