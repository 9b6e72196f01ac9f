"""What a deploy does to orders: an upgrade and its roll-back, a stage deleted and made again, a table restored."""

import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.aws.deploying import BUILD
from local.hosting.processes import PartFailed
from local.settings import STACK_NAME
from local.stack import Stack, running
from scripts import way_back
from tests.stack.laptop import Laptop, until
from tests.stack.test_sweep import all_shares_next_time, long_ago, sweep

# Three deploys and a hundred orders each, on a machine that has other tests to run.
pytestmark = pytest.mark.timeout(1000)

ORDERS = 100
_AT_ONCE = 4
# Where Lambda lets an invocation end, the laptop's AWS kills it: what it had in hand comes back after so many seconds
# (template.yaml says 360), and by then its lease of 75 is over.
_IN_HAND_S = 80


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A system of these tests' own: they take it down."""
    with running(tmp_path_factory.mktemp("deploys")) as stack:
        for url in stack.aws.sqs.list_queues()["QueueUrls"]:
            stack.aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(_IN_HAND_S)})
        yield stack


@contextmanager
def at(stack: Stack) -> Iterator[Laptop]:
    with closing(Laptop(stack)) as laptop:
        yield laptop


def product(laptop: Laptop) -> str:
    return laptop.ours(laptop.file("deploys/guide.pdf", "the guide")["node_id"])


def sold(laptop: Laptop, name: str, number: int = ORDERS) -> dict[str, str]:
    """So many orders, paid an hour ago, of which no event told: buyer → session."""
    goods = product(laptop)
    buyers = [f"{name}-{n}@example.com" for n in range(number)]
    return {buyer: long_ago(laptop, "_pay", email=buyer, products=[goods])["session"] for buyer in buyers}


def delivered(laptop: Laptop, orders: dict[str, str]) -> dict[str, dict[str, str]]:
    """Their rows, once all are: session → row."""
    return {session: laptop.order_in("delivered", session) for session in orders.values()}


def letters_each(laptop: Laptop, orders: dict[str, str]) -> list[int]:
    """How many letters each buyer has, in order of number."""
    to = [address for letter in laptop.stack.letters() for address in letter.to]
    return sorted(to.count(buyer) for buyer in orders)


def shares_each(laptop: Laptop, orders: dict[str, str]) -> list[int]:
    named = [str(share["owner_defined"]) for share in laptop.shares()]
    return sorted(sum(session in name for name in named) for session in orders.values())


def rests(laptop: Laptop) -> None:
    until(laptop.is_idle, "an empty queue")


def drift(laptop: Laptop, since: float) -> int:
    """What the sweep's rounds have counted after *since*, in Unix seconds."""
    told = [line for line in laptop.log("sweep") if "Drift" in line and line["_aws"]["Timestamp"] >= since * 1000]
    return int(sum(sum(line["Drift"]) for line in told))


def version(folder: Path, appendix: str) -> Path:
    """The template of a copy of our build in *folder*, with *appendix* to each function's code."""
    shutil.copytree(BUILD, folder, ignore=shutil.ignore_patterns(".built-from"))
    for name in ("Receive", "Deliver", "Feedback", "Sweep"):
        with (folder / name / "handler.py").open("a") as handler:
            handler.write(appendix)
    return folder / "template.yaml"


def code(stack: Stack) -> str:
    """Which code Deliver runs."""
    deliver = stack.endpoints.outputs["DeliverFunction"]
    configured = stack.aws.client("lambda").get_function_configuration(FunctionName=deliver)
    return str(configured["CodeSha256"])


def deleted(stack: Stack) -> None:
    """The stack is gone, as `sam delete` leaves it."""
    stack.aws.cloudformation.delete_stack(StackName=STACK_NAME)

    def gone() -> bool:
        listed = stack.aws.cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
        return any(one["StackName"] == STACK_NAME for one in listed)

    until(gone, "the stack's end")


class TestUpgrade:
    def test_orders_in_flight_while_a_version_comes_and_goes_are_delivered_once(
        self, own: Stack, tmp_path: Path
    ) -> None:
        with at(own) as laptop, ExitStack() as at_work:
            goods = product(laptop)
            following = version(tmp_path / "next", "\nVERSION = 2\n")
            this = way_back.saved(own.aws.cloudformation, STACK_NAME, tmp_path / "this.yaml")
            before = code(own)
            over = threading.Event()
            orders: dict[str, str] = {}

            def sell(worker: int) -> None:
                n = 0
                # A busy shop, and not as fast as the laptop can.
                while not over.wait(0.8) or n < ORDERS // _AT_ONCE:
                    buyer = f"in-flight-{worker}-{n}@example.com"
                    orders[buyer] = laptop.pay(buyer, goods)["session"]
                    n += 1

            pool = at_work.enter_context(ThreadPoolExecutor(_AT_ONCE))
            selling: list[Future[Any]] = [pool.submit(sell, worker) for worker in range(_AT_ONCE)]
            try:
                between = code(own.deployed_anew(following))
                after = code(own.deployed_anew(this))
            finally:
                over.set()
            for done in selling:
                done.result()

            assert before == after != between
            assert len(orders) >= ORDERS
            delivered(laptop, orders)
            rests(laptop)
            assert letters_each(laptop, orders) == [1] * len(orders)
            assert shares_each(laptop, orders) == [1] * len(orders)


class TestParameters:
    def test_a_stage_for_trying_things_out_cannot_be_made_to_take_live_money(self, own: Stack) -> None:
        with pytest.raises(PartFailed) as refused:
            own.deployed_anew(StripeMode="live")
        assert "StripeMode=test" in "".join(refused.value.last_lines())

    def test_with_a_host_of_one_s_own_the_webhooks_are_there(self, own: Stack) -> None:
        certificate = "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000"
        outputs = own.deployed_anew(DomainName="pay.example.com", CertificateArn=certificate).endpoints.outputs
        assert outputs["StripeWebhookUrl"] == "https://pay.example.com/webhook/stripe"
        assert outputs["DomainTarget"]


class TestRestore:
    def test_a_stage_that_was_deleted_and_made_again_goes_on_with_its_orders_and_mails_nobody_twice(
        self, own: Stack
    ) -> None:
        with at(own) as laptop:
            orders = sold(laptop, "kept")
            sweep(laptop)
            rows = delivered(laptop, orders)
            rests(laptop)
            kept = {
                "ExistingOrdersTable": laptop.to.outputs["OrdersTable"],
                "ExistingSecret": laptop.to.outputs["SecretArn"],
            }

        deleted(own)
        since = time.time()
        own = own.deployed_anew(**kept)

        with at(own) as laptop:
            assert laptop.to.outputs["OrdersTable"] == kept["ExistingOrdersTable"]
            # The new stage's sweep has no memory of its own: it goes through all that was paid in four days, and counts
            # as drift each event that this front door never heard of. On a busy machine the schedule's own round may be
            # the one that does.
            sweep(laptop)
            until(lambda: drift(laptop, since) >= ORDERS, "the drift of all orders")
            rests(laptop)
            assert letters_each(laptop, orders) == [1] * ORDERS
            assert shares_each(laptop, orders) == [1] * ORDERS
            buyer, session = next(iter(orders.items()))
            laptop.stripe("_refund", session=session)
            assert laptop.order_in("access_ended", session)["share_id"] == rows[session]["share_id"]
            assert letters_each(laptop, {buyer: session}) == [2]
            new = laptop.pay("after-it-was-made-again@example.com", product(laptop))["session"]
            laptop.order_in("delivered", new)

    def test_a_table_put_back_to_an_earlier_moment_is_filled_up_again_and_mails_nobody_twice(self, own: Stack) -> None:
        with at(own) as laptop:
            earlier = sold(laptop, "earlier", ORDERS // 2)
            sweep(laptop)
            delivered(laptop, earlier)
            rests(laptop)
            own.aws.dynamodb.restore_table_to_point_in_time(
                SourceTableName=laptop.to.outputs["OrdersTable"],
                TargetTableName="orders-restored",
                UseLatestRestorableTime=True,
            )
            later = sold(laptop, "later", ORDERS // 2)
            sweep(laptop)
            rows = delivered(laptop, later)
            refunded, money_back = next(iter(earlier.items()))
            laptop.stripe("_refund", session=money_back)
            laptop.order_in("access_ended", money_back)
            rests(laptop)

        own = own.deployed_anew(ExistingOrdersTable="orders-restored", ExistingSecret=laptop.to.outputs["SecretArn"])

        with at(own) as laptop:
            all_shares_next_time(laptop)  # The sweep forgets its place, as the runbook has it.
            # On a busy machine the schedule's own round may have found what is missing.
            sweep(laptop)
            laptop.order_in("access_ended", money_back)
            # Nothing but the table knew that the buyer had been told of the refund.
            assert letters_each(laptop, {refunded: money_back}) == [3]
            after = delivered(laptop, later)
            rests(laptop)
            assert {key: row["share_id"] for key, row in after.items()} == {
                key: row["share_id"] for key, row in rows.items()
            }
            del earlier[refunded]
            assert letters_each(laptop, earlier | later) == [1] * len(earlier | later)
            assert shares_each(laptop, earlier | later) == [1] * len(earlier | later)
