"""`status`: one screen of how the shop is, and the one thing to do next."""

import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operate import printing
from operate.orders.mending import Whose
from operate.stacks import Stack
from operate.status import Dead, Shop
from paidshare.aws import DynamoCheckpoint, DynamoLedger
from paidshare.delivering.errors import MetadataBroken
from paidshare.errors import PatienceExhausted
from paidshare.progress import Progress
from paidshare.states import State
from paidshare.sweeping.rounds import Track
from tests.builders import NOW
from tests.cloud import EVENTS_TABLE, ORDERS_TABLE, Cloud
from tests.operate.world import ORDER, Run, bury, bury_a_letter_case, bury_plain, hold


def swept(aws: Cloud, at: datetime, **later: datetime) -> None:
    checkpoint, now = DynamoCheckpoint(aws.dynamodb, EVENTS_TABLE), datetime.now(UTC)
    checkpoint.take_up(holder="round", now=now, until=now + timedelta(minutes=1))
    lists = {"sessions": at, "invoices": at, "refunds": at} | later
    checkpoint.keep({name: Track(reached=reached) for name, reached in lists.items()}, holder="round")
    checkpoint.put_down(holder="round")


def counts(stack: Stack, metric: str, *values: tuple[int, datetime]) -> None:
    stack.cloudwatch.put_metric_data(
        Namespace="Paidshare",
        MetricData=[
            {"MetricName": metric, "Dimensions": [{"Name": "stage", "Value": "prod"}], "Value": value, "Timestamp": at}
            for value, at in values
        ],
    )


def shown(run: Run, *, code: int) -> dict[str, Any]:
    ran = run("status", "--json")
    assert ran.code == code, ran.out + ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


class TestTheScreen:
    def test_a_shop_where_all_is_well_says_so(self, aws: Cloud, run: Run) -> None:
        swept(aws, datetime.now(UTC) - timedelta(minutes=4))
        ran = run("status")
        assert ran.code == 0, ran.out + ran.err
        lines = [" ".join(line.split()) for line in ran.out.splitlines()]
        assert lines[1:] == [
            "waiting in the queue 0",
            "do not come on 0",
            "wait for a person 0",
            "dead letters none",
            "oldest dead letter –",
            "last full sweep 4 min ago",
            "missing at the last round not known",
            "late looks this month 0",
            "→ All is well.",
        ]

    def test_no_line_is_wider_than_a_terminal(self, aws: Cloud, run: Run) -> None:
        hold(aws)
        bury(aws, MetadataBroken("x"))
        assert max(len(line.rstrip()) for line in run("status").out.splitlines()) <= 80

    def test_dead_letters_are_counted_by_who_can_mend_them_and_copies_once(self, aws: Cloud, run: Run) -> None:
        swept(aws, datetime.now(UTC))
        for _ in range(2):
            bury(aws, MetadataBroken("x"))
        bury_a_letter_case(aws)
        bury(aws, PatienceExhausted("x"), "cs_test_2")
        bury_plain(aws, "hello")
        found = shown(run, code=1)
        assert found["dead"] == {"seller": 2, "provider": 1, "paidshare": 1}
        assert found["next"] == {"words": "4 dead letters to see to.", "command": "paidshare dead"}
        assert "2 for you" in run("status").out

    def test_the_oldest_dead_letter_is_said(self, aws: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("moto.sqs.models.unix_time_millis", lambda: (time.time() - 3 * 86_400) * 1000)
            bury(aws, MetadataBroken("x"))
        bury(aws, MetadataBroken("x"), "cs_test_2")
        assert "3 days ago" in run("status").out

    def test_orders_that_wait_without_a_dead_letter_are_seen(self, aws: Cloud, run: Run) -> None:
        swept(aws, datetime.now(UTC))
        hold(aws)
        found = shown(run, code=1)
        assert (found["on_hold"], found["next"]["command"]) == (1, "paidshare redrive --all")

    def test_an_order_that_nobody_came_to_the_end_of_is_named_after_ten_minutes(self, aws: Cloud, run: Run) -> None:
        swept(aws, datetime.now(UTC))
        ledger, now = DynamoLedger(aws.dynamodb, ORDERS_TABLE), datetime.now(UTC)
        for order, minutes in ((ORDER, 11), ("cs_test_young", 9)):
            began = now - timedelta(minutes=minutes)
            ledger.claim(order, holder="worker", now=began)
            ledger.release(order, Progress(state=State.NEW), holder="worker", now=began, done=False)
        found = shown(run, code=1)
        assert (found["stuck"], found["next"]["command"]) == ([ORDER], f"paidshare why {ORDER}")

    def test_the_sweep_is_as_old_as_its_oldest_list_but_for_fastio_s(self, aws: Cloud, run: Run) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        old = now - timedelta(minutes=31)
        swept(aws, now, refunds=old, shares=now - timedelta(hours=1))
        assert shown(run, code=1)["swept_at"] == old.isoformat()

    def test_a_sweep_that_never_came_to_an_end_is_wrong(self, run: Run) -> None:
        assert "half an hour" in shown(run, code=1)["next"]["words"]

    def test_its_figures_are_cloudwatch_s(self, aws: Cloud, run: Run, stack: Stack) -> None:
        now = datetime.now(UTC)
        swept(aws, now)
        counts(stack, "Drift", (3, now - timedelta(minutes=50)), (0, now - timedelta(minutes=2)))
        counts(stack, "LateOrders", (2, now - timedelta(minutes=1)), (1, now - timedelta(days=40)))
        found = shown(run, code=0)
        assert found["drift"] == 0
        assert found["late_this_month"] == 2

    def test_figures_that_cannot_be_had_are_not_known_and_the_rest_is_shown(
        self, aws: Cloud, run: Run, stack: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(**_: object) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetMetricStatistics")

        swept(aws, datetime.now(UTC))
        monkeypatch.setattr(stack.cloudwatch, "get_metric_statistics", refused)
        ran = run("status")
        assert (ran.code, "not known" in ran.out, "AccessDenied" in ran.err) == (3, True, True)

    def test_looking_changes_nothing(self, aws: Cloud, run: Run) -> None:
        body = bury(aws, MetadataBroken("x"))
        run("status")
        assert [message["Body"] for message in aws.queued(aws.dead_letter_url)] == [body]


def a_shop(**changes: Any) -> Shop:
    well: dict[str, Any] = {"now": NOW, "queued": 0, "on_hold": 0, "stuck": (), "dead": Dead(Counter(), None)}
    well |= {"swept_at": NOW, "drift": 0, "late": 0}
    return Shop(**well | changes)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, False),
        ({"queued": 99}, False),
        ({"late": 5}, False),
        ({"drift": None}, False),
        ({"drift": 1}, True),
        ({"on_hold": 1}, True),
        ({"stuck": ("cs_1",)}, True),
        ({"dead": Dead(Counter({Whose.SELLER: 1}), NOW)}, True),
        ({"swept_at": NOW - timedelta(minutes=30)}, True),
        ({"swept_at": None}, True),
        ({"swept_at": None, "made_at": NOW - timedelta(minutes=29)}, False),
        ({"swept_at": None, "made_at": NOW - timedelta(minutes=31)}, True),
        ({"swept_at": NOW - timedelta(hours=1), "made_at": NOW}, True),
    ],
)
def test_what_is_wrong_with_a_shop(changes: dict[str, Any], wrong: bool) -> None:  # noqa: FBT001
    shop = a_shop(**changes)
    assert shop.wrong is wrong
    assert (shop.next_command == ("All is well.", None)) is not wrong


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=59), "0 min ago"),
        (timedelta(minutes=119), "119 min ago"),
        (timedelta(hours=2), "2 hours ago"),
        (timedelta(hours=47), "47 hours ago"),
        (timedelta(days=2), "2 days ago"),
    ],
)
def test_how_long_ago(ago: timedelta, words: str) -> None:
    assert printing.ago(NOW - ago, NOW) == words
