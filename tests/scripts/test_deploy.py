"""`make deploy`: what is said before anything is built, and what SAM is then told."""

import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import typer
from botocore.exceptions import ClientError

from operate.stacks import Name
from scripts import deploy, way_back
from scripts.deploy import NotDeployable, Target

_KNOWN = {"Stage": {}, "StripeMode": {}, "LinkDays": {"Default": 7}}
_FIRST = Target("paidshare-prod", "eu-west-1", "123456789012", None)
_THERE = Target("paidshare-prod", "eu-west-1", "123456789012", {"Stage": "prod", "StripeMode": "live", "LinkDays": "7"})
_NEEDED = ["SenderAddress=shop@example.com", "AlarmEmail=you@example.com"]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A shell with a region, in front of an AWS without stacks, and nothing of this machine's."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setattr(boto3.session.Session, "client", lambda self, _: Aws(region=self.region_name))
    return monkeypatch


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What SAM was told, instead of being run."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        commands.append(command[1:])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


class TestMain:
    def test_sam_deploys_where_aws_region_says_though_the_shell_has_another_default(
        self, shell: pytest.MonkeyPatch, told: list[list[str]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        shell.setenv("AWS_DEFAULT_REGION", "us-east-1")

        deploy.main(_NEEDED, env="prod")

        build, deployed = told
        assert build == ["build"]
        assert deployed[:5] == ["deploy", "--config-env", "prod", "--region", "eu-west-1"]
        assert "paidshare-prod in eu-west-1, account 123456789012: the first time" in capsys.readouterr().out

    def test_a_default_region_is_enough(self, shell: pytest.MonkeyPatch, told: list[list[str]]) -> None:
        shell.delenv("AWS_REGION")
        shell.setenv("AWS_DEFAULT_REGION", "us-west-2")
        deploy.main(_NEEDED, env="test")
        assert told[1][3:5] == ["--region", "us-west-2"]

    def test_what_is_given_goes_on_top_of_samconfig_and_takes_nothing_away(
        self, shell: pytest.MonkeyPatch, told: list[list[str]]
    ) -> None:
        deploy.main([*_NEEDED, "LinkDays=14"], env="prod")
        overrides = told[1][told[1].index("--parameter-overrides") + 1 :]
        assert overrides == ["Stage=prod", "StripeMode=live", *_NEEDED, "LinkDays=14"]

    @pytest.mark.parametrize(
        ("env", "parameters", "said"),
        [
            ("nonsense", _NEEDED, "names no stack for --env nonsense; it has test, prod"),
            ("prod", [], 'PARAMETERS="SenderAddress=… AlarmEmail=…"'),
            ("prod", [*_NEEDED, "LinkDay=3"], "no parameter LinkDay"),
            ("prod", ["shop@example.com"], "write Name=value"),
        ],
    )
    def test_what_cannot_work_is_refused_before_anything_is_built(
        self,
        shell: pytest.MonkeyPatch,
        told: list[list[str]],
        capsys: pytest.CaptureFixture[str],
        env: str,
        parameters: list[str],
        said: str,
    ) -> None:
        with pytest.raises(typer.Exit):
            deploy.main(parameters, env=env)
        words = capsys.readouterr().err
        assert said in words
        assert len(words.splitlines()) == 1
        assert told == []

    def test_without_a_region_it_says_how_to_give_one(
        self, shell: pytest.MonkeyPatch, told: list[list[str]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        shell.delenv("AWS_REGION")
        with pytest.raises(typer.Exit):
            deploy.main(_NEEDED, env="prod")
        assert "set AWS_REGION" in capsys.readouterr().err
        assert told == []

    def test_a_sam_that_fails_fails_the_deploy_with_its_code(
        self, shell: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 3))
        with pytest.raises(typer.Exit) as failed:
            deploy.main(_NEEDED, env="prod")
        assert failed.value.exit_code == 3


@dataclass
class Running:
    """An AWS with the stack, whose alarms ring as *rings* says look by look: the first is before the deploy."""

    rings: list[set[str]]

    def client(self, _service: str) -> "Running":
        return self

    def get_template(self, **_: object) -> dict[str, Any]:
        return {"TemplateBody": "Resources: {}  # as it was\n"}

    def get_paginator(self, _operation: str) -> "Running":
        return self

    def paginate(self, **_: object) -> list[dict[str, Any]]:
        alarm = "AWS::CloudWatch::Alarm"
        names = [("Queue", "AWS::SQS::Queue"), *((f"alarm-{n}", alarm) for n in range(120))]
        return [{"StackResourceSummaries": [{"PhysicalResourceId": n, "ResourceType": kind} for n, kind in names]}]

    def describe_alarms(self, *, AlarmNames: list[str], **_: object) -> dict[str, Any]:  # noqa: N803
        assert len(AlarmNames) <= 100
        ring = self.rings[0].intersection(AlarmNames)
        if "alarm-119" in AlarmNames and len(self.rings) > 1:  # The last ones that are asked for.
            self.rings.pop(0)
        return {"MetricAlarms": [{"AlarmName": name} for name in ring]}


class TestWatch:
    def watched(self, monkeypatch: pytest.MonkeyPatch, told: list[list[str]], *rings: set[str]) -> int:
        """The exit code of a deploy of the stack that is there; what SAM was told is in *told*."""
        monkeypatch.setattr("operate.stacks.session", lambda _: Running(list(rings)))
        monkeypatch.setattr(deploy, "target", lambda *_: replace(_THERE, has={**(_THERE.has or {}), "Empty": ""}))
        monkeypatch.setattr(deploy, "check", lambda *_: None)
        monkeypatch.setattr("time.sleep", lambda _: None)
        try:
            # A thousandth of a second for a look or two, and as many more as the test has.
            deploy.main([], env="prod", watch=0.001)
        except typer.Exit as ended:
            return ended.exit_code
        return 0

    def test_an_alarm_that_goes_off_takes_the_deploy_back_with_its_parameters(
        self, monkeypatch: pytest.MonkeyPatch, told: list[list[str]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.watched(monkeypatch, told, set(), {"alarm-110"}) == 1
        _, _, back = told
        assert back[:6] == ["deploy", "--config-env", "prod", "--region", "eu-west-1", "--no-confirm-changeset"]
        assert back[6] == "--template-file"
        parameters = back[back.index("--parameter-overrides") + 1 :]
        assert parameters == ["Stage=prod", "StripeMode=live", "LinkDays=7", 'Empty=""']
        assert "alarm-110 went off" in capsys.readouterr().err

    def test_one_that_rang_before_says_nothing_of_the_deploy(
        self, monkeypatch: pytest.MonkeyPatch, told: list[list[str]]
    ) -> None:
        assert self.watched(monkeypatch, told, {"alarm-1"}, {"alarm-1"}) == 0
        assert [command[0] for command in told] == ["build", "deploy"]

    def test_what_is_saved_is_what_the_stack_was_deployed_with(self, tmp_path: Path) -> None:
        file = way_back.saved(Running([]), "paidshare-prod", tmp_path / "template.yaml")
        assert file.read_text() == "Resources: {}  # as it was\n"


class TestTarget:
    def test_a_stack_that_is_there_is_known_with_its_parameters(self) -> None:
        has = {
            "StackStatus": "UPDATE_COMPLETE",
            "Parameters": [{"ParameterKey": "Stage", "ParameterValue": "prod"}],
        }
        found = deploy.target(Name("paidshare-prod"), Aws(has))
        assert found == Target("paidshare-prod", "eu-west-1", "123456789012", {"Stage": "prod"})

    def test_an_aws_that_refuses_is_not_taken_for_one_without_the_stack(self) -> None:
        with pytest.raises(ClientError, match="AccessDenied"):
            deploy.target(Name("paidshare-prod"), Aws(refuses="AccessDenied"))

    @pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"])
    def test_a_first_try_that_failed_has_to_be_deleted_first(self, status: str) -> None:
        with pytest.raises(NotDeployable, match="delete-stack --region eu-west-1 --stack-name paidshare-prod"):
            deploy.target(Name("paidshare-prod"), Aws({"StackStatus": status}))

    def test_a_stack_that_was_only_planned_counts_as_none(self) -> None:
        planned = {"StackStatus": "REVIEW_IN_PROGRESS", "Parameters": [{"ParameterKey": "a", "ParameterValue": "b"}]}
        assert deploy.target(Name("paidshare-prod"), Aws(planned)).has is None


class TestCheck:
    def test_a_stack_keeps_what_it_has(self) -> None:
        deploy.check({}, _KNOWN, _THERE)

    @pytest.mark.parametrize("changed", [{"Stage": "test"}, {"StripeMode": "test"}])
    def test_a_live_shop_is_not_made_another_by_a_parameter(self, changed: dict[str, str]) -> None:
        with pytest.raises(NotDeployable, match="would make another shop of it"):
            deploy.check(changed, _KNOWN, _THERE)

    def test_the_first_deploy_says_which_shop_it_is(self) -> None:
        with pytest.raises(NotDeployable, match=r'PARAMETERS="Stage=… StripeMode=…"'):
            deploy.check({}, _KNOWN, _FIRST)


class Aws:
    """A session, and its clients, of an AWS in whose *region* the one stack is *described*, or none is."""

    def __init__(
        self, described: dict[str, Any] | None = None, *, region: str = "eu-west-1", refuses: str = "ValidationError"
    ) -> None:
        self._described = described
        self._refuses = refuses
        self.meta = self
        self.region_name = region

    def client(self, _service: str) -> "Aws":
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "123456789012"}

    def describe_stacks(self, **_: object) -> dict[str, Any]:
        if self._described is None:
            raise ClientError({"Error": {"Code": self._refuses, "Message": "no"}}, "DescribeStacks")
        return {"Stacks": [self._described]}
