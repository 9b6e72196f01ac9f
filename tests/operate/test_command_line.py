"""What every command has: which stack it means, how it exits, where its words go."""

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError

from operate import __main__ as operate
from operate import stacks
from operate.answers import Code
from operate.stacks import Name, Stack
from tests.operate.world import ORDER, Ran, Run, Seller, record

OF_A_STACK = [
    "status", "doctor", "why", "evidence", "resend", "extend", "end", "hold", "restore", "look", "dead", "redrive",
    "dismiss", "replay", "audit", "init", "try", "watch",
]  # fmt: skip

BELOW = [
    ("products", "list"), ("products", "link"),
    ("secrets", "status"), ("secrets", "set"), ("secrets", "rotate"),
]  # fmt: skip


def test_these_are_the_commands() -> None:
    commands = operate.app.registered_commands
    assert [one.name or one.callback.__name__ for one in commands if one.callback] == [*OF_A_STACK, "mcp"]


def test_these_have_commands_below_them_of_which_the_first_is_meant(run: Run) -> None:
    groups = [one.name for one in operate.app.registered_groups]
    assert [name for name, _ in BELOW] == [name for name in groups for each in BELOW if each[0] == name]
    for group in dict.fromkeys(name for name, _ in BELOW):
        first = next(below for name, below in BELOW if name == group)
        assert f" {group} {first} " in run(group, "--json", "--help").out


@pytest.mark.parametrize("command", [*((name,) for name in OF_A_STACK), *BELOW])
def test_each_has_its_options_in_its_help(run: Run, command: tuple[str, ...]) -> None:
    ran = run(*command, "--help")
    assert (ran.code, "--json" in ran.out) == (0, True)
    assert all(option in ran.out for option in ("--env", "--stack", "--endpoint-url"))


def test_the_help_says_how_commands_exit(run: Run) -> None:
    words = " ".join(run("--help").out.split())
    assert (
        "Exit codes: 0 good, 1 something is wrong with the shop, 2 the question makes no sense here, 3 it could not be"
        " found out." in words
    )
    assert [*Code] == [0, 1, 2, 3]


def test_it_is_samconfig_s_stack_or_the_named_one(run: Run, seller: Seller) -> None:
    record(seller.aws, order_id=ORDER, state="delivered")
    for words, stack in (
        ((), "paidshare-prod"),
        (("--env", "test"), "paidshare-test"),
        (("--stack", "paidshare-mine"), "paidshare-mine"),
    ):
        assert f" in {stack}." in run("look", ORDER, *words).out


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoCredentialsError(), "no AWS credentials in this shell: set AWS_PROFILE, or log in"),
        (NoRegionError(), "no AWS region in this shell: set AWS_REGION"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStacks"), "AccessDenied"),
    ],
)
def test_what_aws_does_not_let_us_find_out_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def found(_name: Name) -> Stack:
        raise error

    monkeypatch.setattr(stacks, "found", found)
    ran = run("dead", "--json")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (Code.NOT_KNOWN, "", 1)
    assert said in ran.err


def test_an_environment_that_there_is_not_is_one_line(run: Run) -> None:
    assert run("dead", "--env", "production") == Ran(
        Code.USAGE,
        "",
        "✗ samconfig.toml names no stack for --env production; it has test, prod\n",
    )
