"""The command line as a shell runs it, on an AWS and a shop in memory."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest

from local.fastio.server import API_KEY, fastio_app
from local.hosting.serving import serving
from local.stripe.server import stripe_app
from operate import __main__ as operate
from operate import stacks, wishing
from operate.stacks import Name, Stack
from tests.builders import LINK_KEY
from tests.cloud import EVENTS_TABLE, ORDERS_TABLE, SECRET_NAME, Cloud, cloud
from tests.fastio_world import FastioWorld
from tests.operate.world import Ran, Run, Seller
from tests.stripe_world import KEY, StripeWorld


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture
def stack(aws: Cloud) -> Stack:
    return Stack(
        name="paidshare-prod",
        sqs=aws.sqs,
        dynamodb=aws.dynamodb,
        secretsmanager=aws.secretsmanager,
        cloudwatch=boto3.client("cloudwatch"),
        queue_url=aws.queue_url,
        dead_letter_url=aws.dead_letter_url,
        orders_table=ORDERS_TABLE,
        events_table=EVENTS_TABLE,
        secret_id=SECRET_NAME,
        parameters={"Stage": "prod"},
    )


@pytest.fixture
def run(stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line on *stack*, whichever is asked for."""
    monkeypatch.setattr(stacks, "found", lambda name: replace(stack, name=name.stack))
    # moto really waits, and has one server only.
    monkeypatch.setattr("paidshare.aws.dead_letters._WAIT_S", 0)
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def ran(*arguments: str) -> Ran:
        try:
            code: Any = operate.main(list(arguments))
        except SystemExit as exc:
            code = exc.code
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return ran


@pytest.fixture(scope="session")
def stripe_url() -> Iterator[str]:
    with serving(stripe_app(keys=[KEY])) as url:
        yield url


@pytest.fixture(scope="session")
def fastio_url() -> Iterator[str]:
    with serving(fastio_app()) as url:
        yield url


@contextmanager
def _closed(*worlds: StripeWorld | FastioWorld) -> Iterator[None]:
    try:
        yield
    finally:
        for world in worlds:
            world.close()


@pytest.fixture
def seller(
    aws: Cloud, stack: Stack, stripe_url: str, fastio_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Seller]:
    """The shop that the commands are about, whichever is asked for; it works while a command waits."""
    secret = (
        f'{{"stripe_api_key": "{KEY}", "fastio_api_key": "{API_KEY}", "link_key": "{LINK_KEY}",'
        ' "stripe_webhook_secrets": [], "fastio_webhook_secrets": []}'
    )
    aws.make_secret(secret)
    stripe, fastio = StripeWorld(stripe_url), FastioWorld(fastio_url)
    stripe.control("/_reset", {})
    there = replace(
        stack, parameters={"Stage": "prod", "StripeApiBase": stripe_url, "FastioApiBase": f"{fastio_url}/current"}
    )
    made = Seller(aws, there, stripe, fastio)

    def found(name: Name) -> Stack:
        return replace(there, name=name.stack)

    with _closed(stripe, fastio):
        monkeypatch.setattr(stacks, "found", found)
        waits: list[float] = []

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            made.works()

        monkeypatch.setattr(wishing, "monotonic", lambda: sum(waits))
        monkeypatch.setattr(wishing, "sleep", sleep)
        yield made


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Somebody at a terminal who answers so; None for no terminal at all, though something may be piped in."""

    def answers(answer: str | None) -> None:
        typed = io.StringIO(f"{answer or 'y'}\n")
        monkeypatch.setattr(typed, "isatty", lambda: answer is not None, raising=False)
        monkeypatch.setattr("sys.stdin", typed)

    return answers
