"""Which stack is meant, and the way to its queues and ledger."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from paidshare.loose_json import as_object

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

SAMCONFIG = Path(__file__).resolve().parent.parent / "samconfig.toml"

STRIPE = "https://api.stripe.com"

_CLIENT = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})


class StackUnknown(Exception):
    """The stack that is asked for cannot be found; the message says what to give instead."""


@dataclass(frozen=True, slots=True)
class Name:
    """A stack's name, and its region where samconfig.toml says it."""

    stack: str
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack's parts, as far as the commands use them. `where` says which one it is, to a person."""

    name: str
    sqs: "SQSClient"
    dynamodb: "DynamoDBClient"
    queue_url: str
    dead_letter_url: str
    orders_table: str
    stripe_api_base: str = STRIPE
    where: str = ""


def named(env: str, samconfig: Path = SAMCONFIG) -> Name:
    """What `make deploy ENV=…` deploys. Raises StackUnknown."""
    try:
        config = tomllib.loads(samconfig.read_text())
    except (OSError, ValueError) as exc:
        raise StackUnknown(
            f"{samconfig.name} is not readable ({type(exc).__name__}): name the stack with --stack"
        ) from exc
    # As `sam` reads it: a command's own parameters go before those of all commands.
    said = _parameters(config, env, "global") | _parameters(config, env, "deploy")
    if not (stack := said.get("stack_name")):
        envs = ", ".join(name for name in config if _parameters(config, name, "global").get("stack_name"))
        raise StackUnknown(f"{samconfig.name} names no stack for --env {env}; it has {envs or 'none'}")
    return Name(str(stack), said.get("region"))


def overrides(env: str, samconfig: Path = SAMCONFIG) -> list[str]:
    """The template's parameters that samconfig.toml gives to `make deploy ENV=…`, as `Name=value`."""
    said = _parameters(tomllib.loads(samconfig.read_text()), env, "deploy").get("parameter_overrides", [])
    return said.split() if isinstance(said, str) else [str(one) for one in said]


def session(name: Name) -> boto3.session.Session:
    """
    The shell's credentials, in samconfig.toml's region, else AWS_REGION, AWS_DEFAULT_REGION, or the profile's.

    The AWS CLI reads AWS_REGION, and boto3 does not.
    """
    return boto3.session.Session(region_name=name.region or os.environ.get("AWS_REGION") or None)


def _parameters(config: Mapping[str, Any], env: str, command: str) -> dict[str, Any]:
    return as_object(as_object(as_object(config.get(env)).get(command)).get("parameters"))


def found(name: Name, *, endpoint_url: str | None = None) -> Stack:
    """
    The stack, reached with the shell's credentials.

    Raises StackUnknown, and AWS's own errors (botocore's) when AWS cannot be asked.
    """
    aws = session(name)
    try:
        cloudformation = aws.client("cloudformation", endpoint_url=endpoint_url, config=_CLIENT)
        sqs = aws.client("sqs", endpoint_url=endpoint_url, config=_CLIENT)
        dynamodb = aws.client("dynamodb", endpoint_url=endpoint_url, config=_CLIENT)
    except ValueError as exc:  # An endpoint that is no URL.
        raise StackUnknown(str(exc)) from exc
    try:
        [described] = cloudformation.describe_stacks(StackName=name.stack)["Stacks"]
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ValidationError":
            region = cloudformation.meta.region_name
            raise StackUnknown(f"no stack {name.stack} in {region} in the account of your credentials") from exc
        raise
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}
    try:
        return Stack(
            name=name.stack,
            sqs=sqs,
            dynamodb=dynamodb,
            queue_url=outputs["QueueUrl"],
            dead_letter_url=outputs["DeadLetterQueueUrl"],
            orders_table=outputs["OrdersTable"],
            stripe_api_base=parameters.get("StripeApiBase", STRIPE).rstrip("/"),
            where=f"{name.stack} in {cloudformation.meta.region_name}, account {described['StackId'].split(':')[4]}",
        )
    except KeyError as exc:
        raise StackUnknown(f"the stack {name.stack} has no output {exc.args[0]}: is it a Paidshare?") from exc
