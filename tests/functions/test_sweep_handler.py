"""Sweep with moto's queue and tables and the providers in memory: what it answers, prints and raises."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any, cast

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.sweep import handler as sweep
from paidshare import notices
from paidshare.aws import DynamoCheckpoint, DynamoLedger, DynamoOrderIndex, SqsReconcileQueue
from paidshare.errors import SettingsIncomplete, ShareRefused, StripeUnavailable
from paidshare.progress import Progress
from paidshare.shares import share_request
from paidshare.states import State
from paidshare.sweeping.ports import SweepPorts
from paidshare.sweeping.rounds import Listed
from tests.builders import LINK_KEY, NOW, a_progress, some_goods
from tests.cloud import EVENTS_TABLE, ORDERS_TABLE, SECRET_NAME, Cloud, cloud
from tests.fakes import Clock
from tests.fakes_shares import MemoryShares
from tests.fakes_sweep import MemoryLists, MemoryShareListing
from tests.printed import Printed

HOUR = timedelta(hours=1)
PARTS = [
    *("unsettled", "sessions", "invoices", "refunds", "disputes", "credit_notes"),
    *("events_1", "shares"),
]


@dataclass
class Context:
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@dataclass
class Floor:
    """The function at work, and everything it printed."""

    aws: Cloud
    printed: Printed
    ports: SweepPorts
    lists: MemoryLists
    shares: MemoryShares
    clock: Clock

    def run(self) -> dict[str, Any]:
        return sweep.handler({}, cast("LambdaContext", Context()))

    def sells(self, order_id: str) -> None:
        at = self.clock.now - HOUR
        self.lists.paid_sessions.insert(0, (at, Listed(order_id, at)))

    def asked(self) -> list[str]:
        return [notices.from_json(message["Body"]).about for message in self.aws.queued()]


@pytest.fixture
def floor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Floor]:
    clock, lists, shares = Clock(), MemoryLists(), MemoryShares()
    with cloud() as aws:
        ports = SweepPorts(
            checkpoint=DynamoCheckpoint(aws.dynamodb, EVENTS_TABLE),
            index=DynamoOrderIndex(aws.dynamodb, ORDERS_TABLE),
            ledger=DynamoLedger(aws.dynamodb, ORDERS_TABLE),
            lists=lists,
            share_listing=MemoryShareListing(shares),
            shares=shares,
            queue=SqsReconcileQueue(aws.sqs, queue_url=aws.queue_url),
            link_key=lambda: LINK_KEY,
            clock=clock,
        )
        made = Floor(aws, Printed("sweep", capsys), ports, lists, shares, clock)

        @cache
        def container() -> sweep.Container:
            # Made at the first call: pytest gives a test another standard output than its fixtures.
            return sweep.Container(made.ports, Logger(service="sweep", use_rfc3339=True), "test")

        monkeypatch.setattr(sweep, "_container", container)
        yield made


class TestRound:
    def test_a_quiet_round_asks_for_nothing_and_knows_that_there_is_no_drift(self, floor: Floor) -> None:
        assert floor.run() == {"busy": False, "drift": 0, "finished": True}
        assert floor.asked() == []

    def test_what_no_event_told_of_is_asked_for(self, floor: Floor) -> None:
        floor.sells("cs_test_1")
        assert floor.run() == {"busy": False, "drift": 1, "finished": True}
        assert floor.asked() == ["cs_test_1"]

    def test_an_order_left_by_a_crash_is_asked_for(self, floor: Floor) -> None:
        floor.ports.ledger.claim("cs_test_1", holder="dead", now=NOW - 2 * HOUR)
        floor.run()
        assert floor.asked() == ["cs_test_1"]

    def test_a_settled_order_is_left_alone(self, floor: Floor) -> None:
        floor.ports.ledger.claim("cs_test_1", holder="a", now=NOW - 2 * HOUR)
        floor.ports.ledger.release("cs_test_1", Progress(state=State.DELIVERED), holder="a", now=NOW - 2 * HOUR)
        floor.sells("cs_test_1")
        assert floor.run()["drift"] == 0
        assert floor.asked() == []

    def test_a_second_round_at_the_same_time_does_nothing(self, floor: Floor) -> None:
        floor.sells("cs_test_1")
        floor.ports.checkpoint.take_up(holder="other", now=NOW, until=NOW + HOUR)
        assert floor.run() == {"busy": True, "drift": None, "finished": False}
        assert floor.asked() == []
        assert [line["message"] for line in floor.printed.log()] == ["round_busy"]

    def test_the_next_round_may_begin_as_soon_as_this_one_is_done(self, floor: Floor) -> None:
        floor.run()
        assert floor.run()["busy"] is False


class TestTelling:
    def test_the_log_says_what_came_of_each_part(self, floor: Floor) -> None:
        floor.sells("cs_test_1")
        floor.run()
        lines = {line["part"]: line for line in floor.printed.log()}
        assert list(lines) == PARTS
        counts = {name: lines["sessions"][name] for name in ("saw", "asked", "closed", "deleted", "finished")}
        assert counts == {"saw": 1, "asked": 1, "closed": 0, "deleted": 0, "finished": True}
        assert {line["level"] for line in lines.values()} == {"INFO"}

    def test_how_many_orders_wait_for_a_person_is_a_metric_of_the_stage_in_every_round(self, floor: Floor) -> None:
        for n in range(2):
            floor.ports.ledger.claim(f"cs_test_{n}", holder="a", now=NOW)
            floor.ports.ledger.release(f"cs_test_{n}", Progress(state=State.ON_HOLD), holder="a", now=NOW)
        floor.clock.advance(seconds=1)
        floor.run()
        [metric] = floor.printed.metrics("OrdersOnHold")
        assert (metric["OrdersOnHold"], metric["stage"]) == ([2], "test")

    @pytest.mark.parametrize("lost", [0, 2])
    def test_the_drift_is_a_metric_of_the_stage_in_every_round(self, floor: Floor, lost: int) -> None:
        for n in range(lost):
            floor.sells(f"cs_test_{n}")
        floor.run()
        [metric] = floor.printed.metrics("Drift")
        assert metric["Drift"] == [lost]
        assert metric["stage"] == "test"
        [directive] = metric["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == (
            "Paidshare",
            [["stage"]],
        )

    def test_a_part_s_trouble_is_told_and_raised_when_the_others_are_done(self, floor: Floor) -> None:
        floor.lists.failures = [StripeUnavailable("Stripe failed at completed sessions")]
        at = NOW - HOUR
        floor.lists.paid_invoices = [(at, Listed("in_1", at))]
        with pytest.raises(StripeUnavailable):
            floor.run()
        assert floor.asked() == ["in_1"]
        lines = floor.printed.log()
        [failed] = [line for line in lines if line["message"] == "part_failed"]
        assert (failed["part"], failed["reason"], failed["level"]) == ("sessions", "stripe_unavailable", "WARNING")
        assert [line["part"] for line in lines] == PARTS

    def test_a_drift_that_is_not_known_is_not_published(self, floor: Floor) -> None:
        floor.lists.failures = [StripeUnavailable("down")]
        with pytest.raises(StripeUnavailable):
            floor.run()
        assert floor.printed.metrics("Drift") == []

    def test_shares_that_fastio_would_not_let_it_tidy_are_named_by_their_ids(self, floor: Floor) -> None:
        goods = (some_goods(nodes=("file-forest",)),)
        floor.shares.put("shop", "forest")
        share = floor.shares.open(share_request("cs_test_1", goods, NOW - timedelta(days=3), LINK_KEY))
        delivered = a_progress(state=State.DELIVERED, share_id=share.id)
        floor.ports.ledger.claim("cs_test_1", holder="a", now=NOW)
        floor.ports.ledger.release("cs_test_1", delivered, holder="a", now=NOW)

        class Refusing(MemoryShareListing):
            def delete(self, share_id: str) -> None:
                raise ShareRefused(f"delete share {share_id}: HTTP 403")

        floor.ports = replace(floor.ports, share_listing=Refusing(floor.shares))
        floor.run()
        [refused] = [line for line in floor.printed.log() if line["message"] == "shares_refused"]
        assert refused["what"] == [f"delete share {share.id}: HTTP 403"]
        assert share.name not in floor.printed.everything


ENVIRON = {
    "STAGE": "local",
    "STRIPE_MODE": "test",
    "SECRET_NAME": SECRET_NAME,
    "EVENTS_TABLE": EVENTS_TABLE,
    "FRAUD_WARNINGS": "ignore",
    "ORDERS_TABLE": ORDERS_TABLE,
    # Nothing listens on the discard port: refused at once, nothing leaves the machine.
    "STRIPE_API_BASE": "http://127.0.0.1:9",
    "FASTIO_API_BASE": "http://127.0.0.1:9",
}


class TestMaking:
    @pytest.fixture
    def made(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> Iterator[tuple[Cloud, Printed]]:
        with cloud() as aws:
            for name, value in (ENVIRON | {"QUEUE_URL": aws.queue_url}).items():
                monkeypatch.setenv(name, value)
            sweep._container.cache_clear()
            yield aws, Printed("sweep", capsys)
            sweep._container.cache_clear()

    def test_it_is_made_from_its_environment_and_works_on_the_tables_of_the_template(
        self, made: tuple[Cloud, Printed]
    ) -> None:
        aws, printed = made
        aws.make_secret(f'{{"stripe_api_key": "sk_test_1", "fastio_api_key": "key", "link_key": "{LINK_KEY}"}}')
        with pytest.raises(StripeUnavailable):
            sweep.handler({}, cast("LambdaContext", Context()))
        reasons = {line["part"]: line.get("reason") for line in printed.log()}
        assert reasons == dict.fromkeys(PARTS, "stripe_unavailable") | {
            "unsettled": None,
            "shares": "fastio_unavailable",
        }
        assert "sk_test_1" not in printed.everything

    def test_a_variable_that_is_missing_is_named_in_the_log(
        self, made: tuple[Cloud, Printed], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, printed = made
        monkeypatch.delenv("ORDERS_TABLE")
        with pytest.raises(SettingsIncomplete):
            sweep.handler({}, cast("LambdaContext", Context()))
        [line] = printed.log()
        assert (line["message"], line["gaps"]) == ("settings_incomplete", ["ORDERS_TABLE is not set"])
