"""
Each role allows what its function does in the simulated shop, and nothing else: with any one action less an order would
wait; with any one more, somebody who takes the function over could do more.

What Lambda itself does with a role, to take messages and to write logs, is not simulated: tests/template has that.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

from simulation import run
from simulation.aws.dynamodb import DynamoDB
from simulation.aws.secrets import SecretsManager
from simulation.aws.ses import SESv2
from simulation.aws.sqs import SQS
from simulation.clock import running
from simulation.wiring import DEAD, EVENTS, ORDERS, WORDS, WORK
from tests.template_file import properties, resources

type Allowed = tuple[str, str]
"""An action, and the template's name of what it is done to."""

SEEDS = (1, 2, 31)
"""
Together they have every function do all that it can do: providers fail, subscriptions renew, cases are forgotten, and a
buyer asks for a share on the page.
"""

FUNCTIONS = ("Receive", "Deliver", "Feedback", "Sweep", "Page")
CLIENTS: dict[type, str] = {DynamoDB: "dynamodb", SQS: "sqs", SESv2: "ses", SecretsManager: "secretsmanager"}
NAMED = {ORDERS: "OrdersTable", EVENTS: "EventsTable", WORK: "Queue", WORDS: "MailQueue", DEAD: "DeadLetterQueue"}
POLLER = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
LAMBDAS: dict[str, set[Allowed]] = {
    "Receive": set(),
    "Deliver": {(action, "Queue") for action in POLLER},
    "Feedback": {(action, "MailQueue") for action in POLLER},
    "Sweep": set(),
    "Page": set(),
}


def about(arguments: dict[str, Any]) -> str:
    """The template's name of what a call of boto3's is about."""
    if index := arguments.get("IndexName"):
        return f"OrdersTable/index/{index}"
    if "SecretId" in arguments:
        return "Secret"
    tables = arguments.get("RequestItems", {})
    name = arguments.get("TableName") or arguments.get("QueueUrl") or next(iter(tables), None)
    return "*" if name is None else NAMED[name]


def action(service: str, method: str) -> str:
    """What IAM asks for when boto3's *method* is called: the batches of SQS are allowed with their single action."""
    camel = "".join(word.capitalize() for word in method.split("_"))
    return f"{service}:{camel.removesuffix('Batch') if service == 'sqs' else camel}"


def watched(service: str, method: str, call: Callable[..., Any], done: dict[str, set[Allowed]]) -> Callable[..., Any]:
    @wraps(call)
    def noted(client: object, **arguments: Any) -> Any:
        if (task := running()) and task.process:
            done[task.process.name.capitalize()].add((action(service, method), about(arguments)))
        return call(client, **arguments)

    return noted


@pytest.fixture(scope="module")
def done() -> dict[str, set[Allowed]]:
    """What each function did to AWS in the runs."""
    found: dict[str, set[Allowed]] = {name: set() for name in FUNCTIONS}
    with pytest.MonkeyPatch.context() as patch:
        for client, service in CLIENTS.items():
            for method, call in list(vars(client).items()):
                if not method.startswith("_"):
                    patch.setattr(client, method, watched(service, method, call, found))
        for seed in SEEDS:
            assert run.run(seed).broken == []
    return found


def resource(of: Any) -> str:
    """The template's name of a statement's resource."""
    match of:
        case "*":
            return "*"
        case {"Fn::GetAtt": [name, _]}:
            return str(name)
        case {"Fn::If": [_, made, _existing]}:
            return resource(made)
        case {"Fn::Sub": [text, {"Table": table}]}:
            return str(text).replace("${Table}", resource(table))
    raise AssertionError(of)


def allowed(function: str) -> list[Allowed]:
    [policy] = properties(f"{function}Role")["Policies"]
    return [(each["Action"], resource(each["Resource"])) for each in policy["PolicyDocument"]["Statement"]]


STATEMENTS = [
    pytest.param(function, statement, id=f"{function}-{statement[0]}-{statement[1]}")
    for function in FUNCTIONS
    for statement in allowed(function)
    if not re.match("logs:", statement[0])
]


def test_there_is_no_function_but_these() -> None:
    assert set(FUNCTIONS) == set(resources("AWS::Serverless::Function"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_function_does_its_role_allows(function: str, done: dict[str, set[Allowed]]) -> None:
    assert done[function] - set(allowed(function)) == set()


@pytest.mark.parametrize(("function", "statement"), STATEMENTS)
def test_what_a_role_allows_its_function_does_or_lambda_for_it(
    function: str, statement: Allowed, done: dict[str, set[Allowed]]
) -> None:
    assert statement in done[function] | LAMBDAS[function]
