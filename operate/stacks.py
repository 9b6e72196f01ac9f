"""Which stack is meant, and the way to its queues, tables, secret and figures."""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from operate.answers import Misasked, NotKnown
from operate.once import Once, made_once
from paidshare.aws import SecretsManagerVault
from paidshare.loose_json import as_object, object_in
from paidshare.payments_stripe import StripeAccess
from paidshare.secret import Secret
from paidshare.settings import Policy

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

_ROOT = Path(__file__).resolve().parent.parent
SAMCONFIG = _ROOT / "samconfig.toml"
LAPTOP = _ROOT / ".local" / "endpoints.json"

STRIPE, FASTIO = "https://api.stripe.com", "https://api.fast.io/current"

_STRIPE_S = 8.0
_CLIENT = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})
# What the laptop's AWS takes for the account's root.
_LAPTOP_KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


class NoStack(NotKnown):
    """Nothing was deployed, or somewhere else."""


@dataclass(frozen=True, slots=True)
class Name:
    """
    A stack's name, its region where that is said, and the AWS at *endpoint_url* that has it, None for Amazon's. The
    laptop's takes anybody, and is called at a *webhook_url* that its stack does not know.
    """

    stack: str
    region: str | None = None
    endpoint_url: str | None = None
    webhook_url: str | None = None
    on_a_laptop: bool = False


@dataclass(frozen=True)
class Stack:
    """A deployed stack's parts, as far as the commands use them. `where` says which one it is, to a person."""

    name: str
    sqs: "SQSClient"
    dynamodb: "DynamoDBClient"
    secretsmanager: "SecretsManagerClient"
    cloudwatch: "CloudWatchClient"
    queue_url: str
    dead_letter_url: str
    orders_table: str
    events_table: str
    secret_id: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    client: Callable[[str], Any] = field(default=cast("Callable[[str], Any]", boto3.client), compare=False)
    """boto3's client of any other service (by its name there), where the stack is."""
    on_a_laptop: bool = False
    where: str = ""
    made_at: datetime | None = None
    closing: ExitStack = field(default_factory=ExitStack, compare=False)
    """Closes what was opened on the way, when the command is over."""
    once: Once = field(default_factory=Once, compare=False, init=False)
    """What several parts of a command ask for."""

    @property
    def stage(self) -> str:
        return self.parameters.get("Stage", "")

    @property
    def stripe_api_base(self) -> str:
        return self.parameters.get("StripeApiBase", STRIPE).rstrip("/")

    @property
    def fastio_api_base(self) -> str:
        return self.parameters.get("FastioApiBase", FASTIO).rstrip("/")

    @property
    def livemode(self) -> bool:
        return self.parameters.get("StripeMode") == "live"

    @property
    def policy(self) -> Policy:
        """The seller's choices, as template.yaml hands them to Deliver."""
        said = self.parameters
        return Policy(
            livemode=self.livemode,
            link_days=int(said.get("LinkDays", 7)),
            grace_days=int(said.get("GraceDays", 3)),
            end_on_partial_refund=said.get("PartialRefunds") == "end",
            hold_on_fraud_warning=said.get("FraudWarnings") == "hold",
            keep_canceled=said.get("CanceledSubscriptions") == "keep",
            ask_when_paid_late=said.get("LatePayments") == "ask",
        )

    @cached_property
    def stripe_access(self) -> StripeAccess:
        """Stripe, asked with the stack's own key, for whoever has made sure where that goes (`is_safe_base`)."""
        access = StripeAccess(
            api_key=lambda: self.secret.stripe_api_key, api_base=self.stripe_api_base, timeout_s=_STRIPE_S
        )
        self.closing.callback(access.close)
        return access

    @cached_property
    def secret(self) -> Secret:
        """The stack's keys, which the shell's credentials have to be let read. Raises SecretUnavailable."""
        return SecretsManagerVault(self.secretsmanager, self.secret_id, monotonic=monotonic).secret()


@contextmanager
def meant(env: str, *, stack: str | None = None, endpoint_url: str | None = None) -> Iterator[Stack]:
    """
    The stack of the environment *env*, or the one named *stack* at *endpoint_url*.

    Raises Misasked, NotKnown, and AWS's own errors (botocore's) when AWS cannot be asked.
    """
    name = Name(stack, endpoint_url=endpoint_url) if stack else named(env)
    to = found(name)
    with to.closing:
        yield to


def named(env: str, *, samconfig: Path = SAMCONFIG, endpoints: Path = LAPTOP) -> Name:
    """What `make deploy ENV=…` deploys, or runs on the laptop. Raises Misasked, NotKnown."""
    return _laptop(endpoints) if env == "laptop" else configured(env, samconfig)


def _laptop(endpoints: Path) -> Name:
    try:
        said = object_in(endpoints.read_text())
        return Name(
            said["stack_name"], said["region"], said["aws_endpoint_url"], said["stripe_webhook_url"], on_a_laptop=True
        )
    except FileNotFoundError:
        raise NotKnown("nothing runs on this laptop: start it with `make local`") from None
    except (OSError, KeyError) as exc:
        raise NotKnown(f"{endpoints.name} is not readable ({type(exc).__name__}): start `make local` again") from exc


def configured(env: str, samconfig: Path = SAMCONFIG) -> Name:
    """The environment *env* of samconfig.toml. Raises Misasked, NotKnown."""
    try:
        config = tomllib.loads(samconfig.read_text())
    except (OSError, ValueError) as exc:
        raise NotKnown(f"{samconfig.name} is not readable ({type(exc).__name__}): name the stack with --stack") from exc
    # As `sam` reads it: a command's own parameters go before those of all commands.
    said = _parameters(config, env, "global") | _parameters(config, env, "deploy")
    if stack := said.get("stack_name"):
        return Name(str(stack), said.get("region"))
    envs = ", ".join(name for name in config if _parameters(config, name, "global").get("stack_name"))
    raise Misasked(f"{samconfig.name} names no stack for --env {env}; it has {envs or 'none'}")


def overrides(env: str, samconfig: Path = SAMCONFIG) -> list[str]:
    """The template's parameters that samconfig.toml gives to `make deploy ENV=…`, as `Name=value`."""
    said = _parameters(tomllib.loads(samconfig.read_text()), env, "deploy").get("parameter_overrides", [])
    return said.split() if isinstance(said, str) else [str(one) for one in said]


def session(name: Name) -> boto3.session.Session:
    """
    The shell's credentials, in samconfig.toml's region, else AWS_REGION, AWS_DEFAULT_REGION, or the profile's.

    The AWS CLI reads AWS_REGION, and boto3 does not.
    """
    keys: dict[str, Any] = _LAPTOP_KEYS if name.on_a_laptop else {}
    return boto3.session.Session(region_name=name.region or os.environ.get("AWS_REGION") or None, **keys)


def _parameters(config: Mapping[str, Any], env: str, command: str) -> dict[str, Any]:
    return as_object(as_object(as_object(config.get(env)).get(command)).get("parameters"))


def found(name: Name) -> Stack:
    """
    The stack, reached with the shell's credentials.

    Raises NotKnown, Misasked, and AWS's own errors (botocore's) when AWS cannot be asked.
    """
    client = made_once(session(name), {"endpoint_url": name.endpoint_url, "config": _CLIENT})
    try:
        cloudformation = client("cloudformation")
        clients = {service: client(service) for service in ("sqs", "dynamodb", "secretsmanager", "cloudwatch")}
    except ValueError as exc:  # An endpoint that is no URL.
        raise Misasked(str(exc)) from exc
    described = _described(cloudformation, name.stack)
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
    outputs |= {"StripeWebhookUrl": name.webhook_url} if name.webhook_url else {}
    try:
        return Stack(
            name=name.stack,
            **clients,
            queue_url=outputs["QueueUrl"],
            dead_letter_url=outputs["DeadLetterQueueUrl"],
            orders_table=outputs["OrdersTable"],
            events_table=outputs["EventsTable"],
            secret_id=outputs["SecretArn"],
            parameters={each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])},
            outputs=outputs,
            client=client,
            on_a_laptop=name.on_a_laptop,
            made_at=described.get("CreationTime"),
            where=f"{name.stack} in {cloudformation.meta.region_name}, account {described['StackId'].split(':')[4]}",
        )
    except KeyError as exc:
        raise NotKnown(f"the stack {name.stack} has no output {exc.args[0]}: is it a Paidshare?") from exc


def _described(cloudformation: Any, stack: str) -> dict[str, Any]:
    try:
        [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as exc:
        if exc.response["Error"]["Code"] == "ValidationError":
            region = cloudformation.meta.region_name
            raise NoStack(f"no stack {stack} in {region} in the account of your credentials") from exc
        raise
    return dict(described)
