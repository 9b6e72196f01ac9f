"""The stack on AWS: that it is whole, that its functions run and are called, and that somebody hears its alarms."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import boto3

from operate.doctor.checks import Check, Found, Mend, care, good, wrong
from operate.stacks import Stack

_GROUP = "AWS"
_FUNCTIONS = ("Receive", "Deliver", "Feedback", "Sweep")
_FED = ("Deliver", "Feedback")
_CLOCK_OFF_S = 60
"""A signature of Stripe's may be five minutes old, a request to AWS as well."""
_TO_SPARE = 2
"""Executions that Receive has at least, besides those of the queues and the sweep."""


def _region(to: Stack) -> Found:
    said, profile = os.environ.get("AWS_REGION"), boto3.session.Session().region_name
    used = to.client("cloudformation").meta.region_name
    if said and profile and said != profile:
        return care(
            f"AWS_REGION says {said}, the profile or AWS_DEFAULT_REGION {profile}; {used} is asked here",
            "set both to the same region: other programs may take the other one",
        )
    return good(f"the region is {used}")


def _stack(to: Stack) -> Found:
    [described] = to.client("cloudformation").describe_stacks(StackName=to.name)["Stacks"]
    status = described["StackStatus"]
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return good(f"the stack is whole ({status})")
    if status.endswith("IN_PROGRESS"):
        return care(f"the stack is being changed ({status})", "wait for the deploy to end, and ask again")
    return wrong(
        f"the last deploy did not come to its end ({status})", "see the stack's events, and `make deploy` again"
    )


def _function(name: str, to: Stack) -> Found:
    said = to.client("lambda").get_function_configuration(FunctionName=to.outputs[f"{name}Function"])
    state, update = said.get("State", "Active"), said.get("LastUpdateStatus", "Successful")
    if (state, update) == ("Active", "Successful"):
        return good(f"{name} can run")
    reason = said.get("StateReason") or said.get("LastUpdateStatusReason") or "no reason given"
    return wrong(f"{name} is {state}, its last update {update}: {reason}", "`make deploy` again")


def _fed(name: str, to: Stack) -> Found:
    function = to.outputs[f"{name}Function"]
    sources = to.client("lambda").list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    if any(one["State"] in ("Enabled", "Enabling", "Updating", "Creating") for one in sources):
        return good(f"{name} takes from its queue")
    state = sources[0]["State"] if sources else "gone"
    uuid = sources[0]["UUID"] if sources else ""
    words = f"nobody takes from {name}'s queue: its trigger is {state}"
    if not sources:
        return wrong(words, "`make deploy` again")
    mend = Mend(f"enable the trigger of {name}", partial(_enabled, uuid))
    return wrong(words, f"aws lambda update-event-source-mapping --uuid {uuid} --enabled", mend)


def _enabled(uuid: str, to: Stack) -> list[str]:
    to.client("lambda").update_event_source_mapping(UUID=uuid, Enabled=True)
    return [f"enabled the trigger {uuid}"]


def _swept(to: Stack) -> Found:
    events = to.client("events")
    arn = to.client("lambda").get_function_configuration(FunctionName=to.outputs["SweepFunction"])["FunctionArn"]
    rules = [events.describe_rule(Name=name) for name in events.list_rule_names_by_target(TargetArn=arn)["RuleNames"]]
    if any(one.get("State") == "ENABLED" for one in rules):
        return good("the sweep is begun every few minutes")
    if not rules:
        return wrong("nobody begins the sweep: its rule is gone", "`make deploy` again")
    rule = rules[0]["Name"]
    mend = Mend("enable the sweep's rule", partial(_begun, rule))
    return wrong("nobody begins the sweep: its rule is disabled", f"aws events enable-rule --name {rule}", mend)


def _begun(rule: str, to: Stack) -> list[str]:
    to.client("events").enable_rule(Name=rule)
    return [f"enabled the rule {rule}"]


def _concurrency(to: Stack) -> Found:
    limit = to.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    taken = sum(int(to.parameters.get(name, "2")) for name in ("DeliverConcurrency", "FeedbackConcurrency")) + 1
    if limit - taken >= _TO_SPARE:
        return good(f"of {limit} executions at once the queues take {taken} at most")
    return wrong(
        f"of {limit} executions at once the queues may take {taken}: Receive is throttled when they are busy",
        "ask for 1,000 (Service Quotas, AWS Lambda, Concurrent executions), or lower DeliverConcurrency",
    )


def _backups(to: Stack) -> Found:
    said = to.dynamodb.describe_continuous_backups(TableName=to.orders_table)["ContinuousBackupsDescription"]
    recovery = said.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    if recovery == "ENABLED":
        return good("the orders table can be restored to any second")
    return wrong(
        "the orders table cannot be restored",
        f"aws dynamodb update-continuous-backups --table-name {to.orders_table}"
        " --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
        Mend("have the orders table backed up", _backed_up),
    )


def _backed_up(to: Stack) -> list[str]:
    to.dynamodb.update_continuous_backups(
        TableName=to.orders_table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    return ["the orders table is backed up from now on"]


def _heard(topic: str, to: Stack) -> Found:
    arn = to.outputs[f"{topic}Topic"]
    pages = to.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    # One that nobody confirmed has no ARN yet.
    arns = [one["SubscriptionArn"] for page in pages for one in page["Subscriptions"]]
    waiting = sum(not one.startswith("arn:") for one in arns)
    if waiting < len(arns):
        return good(f"{topic} reaches {len(arns) - waiting} of {len(arns)}")
    what = "nobody has confirmed that alarms may be mailed there" if waiting else "nobody is told of alarms"
    return wrong(f"{topic}: {what}", "open the message of AWS Notifications and confirm, or set AlarmEmail and deploy")


def _ringing(to: Stack) -> Found:
    pages = to.cloudwatch.get_paginator("describe_alarms").paginate(StateValue="ALARM", AlarmNamePrefix=f"{to.name}-")
    names = [one["AlarmName"] for page in pages for one in page.get("MetricAlarms", [])]
    if not names:
        return good("no alarm rings")
    shown = ", ".join(sorted(_short(name, to) for name in names))
    return care(f"{len(names)} ring: {shown}", "each has its page in docs/runbook.md")


def _short(name: str, to: Stack) -> str:
    """As the template calls it: CloudFormation puts the stack's name before, and something of its own after."""
    return name.removeprefix(f"{to.name}-").rpartition("-")[0] or name


def _clock(to: Stack) -> Found:
    answer: Mapping[str, Any] = to.client("sts").get_caller_identity()
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if not date:
        return good("AWS tells no time here")
    off = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    if off <= _CLOCK_OFF_S:
        return good("this machine's clock is AWS's")
    return care(
        f"this machine's clock is {off:.0f} s off AWS's", "set the clock: what this command tells of ages is off"
    )


def _all() -> Iterator[Check]:
    yield Check(_GROUP, "region", _region, on_a_laptop=False)
    yield Check(_GROUP, "stack", _stack)
    for name in _FUNCTIONS:
        yield Check(_GROUP, name.lower(), partial(_function, name))
    for name in _FED:
        yield Check(_GROUP, f"{name.lower()}'s queue", partial(_fed, name))
    yield Check(_GROUP, "schedule", _swept)
    yield Check(_GROUP, "concurrency", _concurrency, on_a_laptop=False)
    yield Check(_GROUP, "backups", _backups, on_a_laptop=False)
    for topic in ("Alarms", "Pager"):
        yield Check(_GROUP, f"{topic.lower()} topic", partial(_heard, topic), on_a_laptop=False)
    yield Check(_GROUP, "alarms", _ringing, on_a_laptop=False)
    yield Check(_GROUP, "clock", _clock, on_a_laptop=False)


CHECKS = tuple(_all())
