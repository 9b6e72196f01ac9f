"""The launcher for real: what it starts, what it leaves behind, and what it says when something is missing."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from local import outcome, paying
from local.aws import environs
from local.aws.ministack import Aws
from local.demo import Demo
from local.hosting.endpoints import Endpoints, NotRunning
from local.hosting.processes import PartFailed
from local.sale import Sale, SaleFailed
from local.settings import ROOT, SECRET_NAME, STACK_NAME
from local.stack import Stack, running
from tests.stack.laptop import Laptop

pytestmark = pytest.mark.stack


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "local", *arguments]


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments), cwd=ROOT, env=environs.bare(), capture_output=True, text=True, check=False, timeout=120
    )


def children(of: int) -> set[int]:
    """Every process below *of*."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in listed.stdout.splitlines())}
    found: set[int] = set()
    while more := {pid for pid, parent in parents.items() if parent in found | {of}} - found:
        found |= more
    return found


def alive(pids: set[int]) -> set[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True)
    states = dict(line.split() for line in listed.stdout.splitlines())
    return {pid for pid in pids if str(pid) in states and not states[str(pid)].startswith("Z")}


def up(home: Path) -> "subprocess.Popen[bytes]":
    with (home.with_suffix(".out")).open("wb") as output:
        return subprocess.Popen(
            command("up", "--home", str(home)), cwd=ROOT, env=environs.bare(), stdout=output, stderr=output
        )


def ready(home: Path, process: "subprocess.Popen[bytes]") -> Endpoints:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return Endpoints.read(home)
        except NotRunning:
            time.sleep(0.1)
    raise AssertionError(home.with_suffix(".out").read_text())


class TestSale:
    def test_the_demo_tells_the_whole_story(self, stack: Stack) -> None:
        console = Console(width=200, record=True, file=io.StringIO())
        Demo(stack, console).play()
        told = console.export_text()

        assert "0.000 s  paid" in told
        assert "200 to Stripe" in told
        assert "letter to ada@example.com" in told
        assert "a duplicate: nothing sent" in told
        assert "a forged signature: nothing sent" in told

    def test_pay_makes_a_sale_from_another_process(self, stack: Stack) -> None:
        paid = run("pay", "--home", str(stack.home), "--email", "ben@example.com", "--json")

        assert paid.returncode == 0, paid.stderr
        facts = json.loads(paid.stdout)
        assert facts["webhook_answer"] == 200
        assert facts["letter_to"] == "ben@example.com"

    def test_pay_again_and_forged_send_nothing(self, stack: Stack) -> None:
        run("pay", "--home", str(stack.home), "--email", "cleo@example.com")
        before = len(stack.letters())

        again = run("pay", "--home", str(stack.home), "--again", "--json")
        forged = run("pay", "--home", str(stack.home), "--forged", "--json")

        assert json.loads(again.stdout)["webhook_answer"] == 200
        assert json.loads(forged.stdout)["webhook_answer"] == 400
        assert (again.returncode, forged.returncode) == (0, 0)
        assert len(stack.letters()) == before

    def test_a_late_payment_is_delivered_when_it_comes(self, stack: Stack) -> None:
        paid = run("pay", "--home", str(stack.home), "--email", "dora@example.com", "--late", "--json")

        assert paid.returncode == 0, paid.stderr
        assert json.loads(paid.stdout)["letter_to"] == "dora@example.com"

    def test_a_refund_of_what_has_ended_already_mails_nobody_and_says_so(self, stack: Stack) -> None:
        home = ("--home", str(stack.home), "--json")
        for command in (("pay", "--subscription", "--email", "emma@example.com"), ("cancel",)):
            assert json.loads(run(*command, *home).stdout)["letter_to"] == "emma@example.com"

        refunded = run("refund", *home)

        assert refunded.returncode == 0, refunded.stderr
        assert json.loads(refunded.stdout)["letter_to"] is None

    def test_a_sale_that_fails_is_named_with_its_reason_and_is_the_last_one(
        self, stack: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with contextlib.closing(Laptop(stack)) as laptop:
            broken = laptop.product(fastio_workspace="test-shop")
        monkeypatch.setattr(outcome, "letter", partial(outcome.letter, seconds=10))
        made: list[Sale] = []
        with pytest.raises(SaleFailed) as failed:
            paying.pay(stack.endpoints, made.append, email="finn@example.com", product=broken, late=False)
        assert made[0].session in str(failed.value)
        assert f"dead letter for {made[0].session}: metadata_broken" in str(failed.value)

    def test_an_unknown_product_is_named_and_nothing_is_sold(self, stack: Stack) -> None:
        paid = run("pay", "--home", str(stack.home), "--product", "No such thing")

        assert paid.returncode == 1
        assert "there is no product No such thing" in paid.stderr


class TestRunning:
    def test_what_the_template_made_of_link_key_is_kept(self, stack: Stack) -> None:
        secret = json.loads(stack.aws.secrets.get_secret_value(SecretId=SECRET_NAME)["SecretString"])

        assert len(secret["link_key"]) == 64
        assert secret["stripe_webhook_secrets"] == [stack.endpoints.stripe_webhook_secret]

    def test_iam_is_enforced(self, stack: Stack) -> None:
        health = httpx.get(f"{stack.aws.url}/_ministack/health", trust_env=False).json()

        assert health["auth"] == "enabled"

    def test_the_same_home_is_refused_to_a_second_system(self, stack: Stack) -> None:
        who = f"runs from {stack.home} already \\(process {os.getpid()}\\).*--home {stack.home}-2"
        with pytest.raises(PartFailed, match=who), running(stack.home):
            pass

        assert Endpoints.read(stack.home) == stack.endpoints

    def test_a_role_without_an_action_fails_the_demo_and_is_named(self, tmp_path: Path) -> None:
        with running(tmp_path / "home") as stack:
            forbid(stack.aws, "ses:SendEmail")

            with pytest.raises(SaleFailed, match=r"Deliver is not allowed ses:SendEmail"):
                Demo(stack, Console(quiet=True)).play()


class TestUp:
    def test_two_run_beside_each_other_and_neither_end_leaves_a_process(self, tmp_path: Path) -> None:
        homes = [tmp_path / "one", tmp_path / "two"]
        crashing, stopping = (up(home) for home in homes)
        try:
            one, two = ready(homes[0], crashing), ready(homes[1], stopping)
            of_one, of_two = children(crashing.pid), children(stopping.pid)
            assert len(of_one) >= 3  # The keeper, MiniStack, and at least one function.

            crashing.send_signal(signal.SIGKILL)
            crashing.wait()
            assert ended(of_one)
            with pytest.raises(NotRunning, match="crashed"):
                Endpoints.read(homes[0])

            assert one.aws_endpoint_url != two.aws_endpoint_url
            assert run("pay", "--home", str(homes[1])).returncode == 0
            of_two |= children(stopping.pid)

            stopping.send_signal(signal.SIGINT)
            assert stopping.wait(30) == 0
            assert ended(of_two)
            assert not (homes[1] / "endpoints.json").exists()
        finally:
            for process in (crashing, stopping):
                process.kill()
                process.wait()

    def test_a_live_key_is_refused(self, tmp_path: Path) -> None:
        environ = environs.bare(STRIPE_API_KEY="sk_live_x", STRIPE_WEBHOOK_SECRET="whsec_x")

        refused = subprocess.run(
            command("up", "--home", str(tmp_path)), cwd=ROOT, env=environ, capture_output=True, text=True, check=False
        )

        assert refused.returncode == 1
        assert "STRIPE_API_KEY is a live key" in refused.stderr
        assert "sk_live_x" not in refused.stderr + refused.stdout

    def test_pay_without_a_system_says_how_to_start_one(self, tmp_path: Path) -> None:
        paid = run("pay", "--home", str(tmp_path))

        assert paid.returncode == 1
        assert "make local" in paid.stderr


def ended(pids: set[int]) -> bool:
    deadline = time.monotonic() + 10
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pids)


def forbid(aws: Aws, action: str) -> None:
    """Take *action* out of every role of the stack, as a careless edit of the template would."""
    iam = aws.client("iam")
    resources = aws.cloudformation.list_stack_resources(StackName=STACK_NAME)["StackResourceSummaries"]
    for role in (one["PhysicalResourceId"] for one in resources if one["ResourceType"] == "AWS::IAM::Role"):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            policy["Statement"] = [one for one in policy["Statement"] if one["Action"] != action]
            if policy["Statement"]:
                iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
            else:
                iam.delete_role_policy(RoleName=role, PolicyName=name)
