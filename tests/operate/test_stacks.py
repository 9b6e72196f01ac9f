"""How the operator's commands find the stack: samconfig.toml, and an AWS that answers over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.hosting.serving import serving
from operate import stacks
from operate.answers import Misasked, NotKnown
from operate.stacks import Name

_OUTPUTS = {
    "QueueUrl": "http://q/work",
    "DeadLetterQueueUrl": "http://q/dead",
    "OrdersTable": "orders",
    "EventsTable": "events",
    "SecretArn": "arn:secret",
}


async def _describe(request: Request) -> Response:
    """CloudFormation's DescribeStacks: `whole` has our outputs, `other` has none, and there are no others."""
    name = parse_qs((await request.body()).decode())["StackName"][0]
    if name not in ("whole", "other"):
        error = f"<Code>ValidationError</Code><Message>Stack with id {name} does not exist</Message>"
        return Response(f"<ErrorResponse><Error>{error}</Error></ErrorResponse>", 400)
    outputs = _OUTPUTS if name == "whole" else {}
    members = "".join(
        f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
        for key, value in outputs.items()
    )
    base = "<ParameterKey>StripeApiBase</ParameterKey><ParameterValue>https://stripe.example/</ParameterValue>"
    parameters = f"<Parameters><member>{base}</member></Parameters>"
    named = (
        f"<StackId>arn:aws:cloudformation:eu-west-1:123456789012:stack/{name}/1</StackId><StackName>{name}</StackName>"
    )
    stack = f"<member>{named}{parameters}<Outputs>{members}</Outputs></member>"
    found = f"<DescribeStacksResult><Stacks>{stack}</Stacks></DescribeStacksResult>"
    return Response(f"<DescribeStacksResponse>{found}</DescribeStacksResponse>")


@pytest.fixture(scope="module")
def cloudformation() -> Iterator[str]:
    with serving(Starlette(routes=[Route("/", _describe, methods=["POST"])])) as url:
        yield url


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell with a region and credentials, and nothing of this machine's."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    given = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1", "NO_PROXY": "127.0.0.1"}
    files = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    for name, value in (given | files).items():
        monkeypatch.setenv(name, value)


class TestNamed:
    @pytest.mark.parametrize(("env", "stack"), [("prod", "paidshare-prod"), ("test", "paidshare-test")])
    def test_it_is_the_stack_that_make_deploy_deploys(self, env: str, stack: str) -> None:
        assert stacks.named(env) == Name(stack)

    def test_deploy_s_own_parameters_go_before_those_of_all_commands(self, tmp_path: Path) -> None:
        samconfig = tmp_path / "samconfig.toml"
        samconfig.write_text(
            '[prod.global.parameters]\nstack_name = "a"\nregion = "eu-west-1"\n'
            '[prod.deploy.parameters]\nstack_name = "b"\n'
        )
        assert stacks.named("prod", samconfig=samconfig) == Name("b", "eu-west-1")

    @pytest.mark.parametrize("text", ["", "version = 0.1", 'prod = "x"', "[prod.global]\nparameters = 3"])
    def test_an_environment_without_a_stack_is_unknown(self, tmp_path: Path, text: str) -> None:
        samconfig = tmp_path / "samconfig.toml"
        samconfig.write_text(text)
        with pytest.raises(Misasked, match="names no stack for --env prod; it has none"):
            stacks.named("prod", samconfig=samconfig)

    @pytest.mark.parametrize("content", [None, b"[", b"\xff"])
    def test_a_samconfig_that_cannot_be_read_is_said_to_be_unreadable(
        self, tmp_path: Path, content: bytes | None
    ) -> None:
        samconfig = tmp_path / "samconfig.toml"
        if content is not None:
            samconfig.write_bytes(content)
        with pytest.raises(NotKnown, match=r"samconfig\.toml is not readable"):
            stacks.named("prod", samconfig=samconfig)


class TestTheLaptop:
    def test_it_is_what_runs_there(self, tmp_path: Path, cloudformation: str) -> None:
        endpoints = tmp_path / "endpoints.json"
        url = "http://127.0.0.1:1/webhook/stripe"
        said = {"stack_name": "whole", "region": "us-east-1", "aws_endpoint_url": cloudformation}
        said["stripe_webhook_url"] = url
        endpoints.write_text(json.dumps(said))
        name = stacks.named("laptop", endpoints=endpoints)
        assert name == Name("whole", "us-east-1", cloudformation, url, on_a_laptop=True)
        stack = stacks.found(name)
        assert (stack.on_a_laptop, stack.sqs.meta.endpoint_url) == (True, cloudformation)
        # Its webhooks answer where the stack itself does not know.
        assert stack.outputs["StripeWebhookUrl"] == url

    @pytest.mark.parametrize(("text", "said"), [(None, "start it with `make local`"), ("[]", "not readable")])
    def test_one_that_does_not_run_is_said_so(self, tmp_path: Path, text: str | None, said: str) -> None:
        endpoints = tmp_path / "endpoints.json"
        if text is not None:
            endpoints.write_text(text)
        with pytest.raises(NotKnown, match=said):
            stacks.named("laptop", endpoints=endpoints)


class TestFound:
    def test_its_queues_and_table_are_those_of_its_outputs(self, cloudformation: str) -> None:
        stack = stacks.found(Name("whole", endpoint_url=cloudformation))
        parts = (stack.queue_url, stack.dead_letter_url, stack.orders_table, stack.events_table, stack.secret_id)
        assert (stack.name, *parts) == ("whole", *_OUTPUTS.values())

    def test_it_says_to_a_person_which_one_it_is(self, cloudformation: str) -> None:
        found = stacks.found(Name("whole", endpoint_url=cloudformation))
        assert found.where == "whole in eu-west-1, account 123456789012"

    def test_its_stripe_is_that_of_its_parameter(self, cloudformation: str) -> None:
        assert stacks.found(Name("whole", endpoint_url=cloudformation)).stripe_api_base == "https://stripe.example"

    def test_the_region_is_the_shell_s_unless_samconfig_says_it(self, cloudformation: str) -> None:
        assert stacks.found(Name("whole", endpoint_url=cloudformation)).sqs.meta.region_name == "eu-west-1"
        there = stacks.found(Name("whole", "us-west-2", endpoint_url=cloudformation))
        assert there.sqs.meta.region_name == "us-west-2"

    def test_the_shell_s_endpoint_counts(self, cloudformation: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloudformation)
        assert stacks.found(Name("whole")).name == "whole"

    def test_a_stack_that_is_not_there_is_named_with_the_region_that_was_asked(self, cloudformation: str) -> None:
        with pytest.raises(NotKnown, match="no stack gone in eu-west-1 "):
            stacks.found(Name("gone", endpoint_url=cloudformation))

    def test_a_stack_of_something_else_is_not_taken_for_a_paidshare(self, cloudformation: str) -> None:
        with pytest.raises(NotKnown, match="the stack other has no output QueueUrl"):
            stacks.found(Name("other", endpoint_url=cloudformation))

    def test_an_endpoint_that_is_no_url_is_named(self) -> None:
        with pytest.raises(Misasked, match="nowhere"):
            stacks.found(Name("whole", endpoint_url="nowhere"))
