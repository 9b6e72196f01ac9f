"""The port OrderIndex: the same rules for the fake and for DynamoDB with the table of template.yaml."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count, islice
from typing import Any, Protocol

import boto3
import pytest
from botocore.stub import Stubber

from paidshare.aws import DynamoLedger, DynamoOrderIndex
from paidshare.aws.ledger import OF_A_PAYMENT, shard
from paidshare.aws.order_index import INDEX
from paidshare.errors import LedgerUnavailable
from paidshare.ports import Ledger
from paidshare.progress import Progress
from paidshare.states import State
from paidshare.sweeping.ports import OrderIndex
from paidshare.sweeping.rounds import Known, Unsettled
from tests.builders import NOW, a_progress
from tests.cloud import ORDERS_TABLE, Cloud, cloud
from tests.fakes_sweep import MemoryOrderIndex
from tests.simulated import a_dynamodb

SOON = NOW + timedelta(minutes=1)
LATER = NOW + timedelta(hours=1)
UNSETTLED = [State.NEW, State.WAITING, State.ACCESS_ON_HOLD, State.ON_HOLD]


class World(Protocol):
    @property
    def index(self) -> OrderIndex: ...
    @property
    def ledger(self) -> Ledger: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.ledger = self.index = MemoryOrderIndex()


class DynamoWorld:
    def __init__(self, dynamodb: Any) -> None:
        self.ledger = DynamoLedger(dynamodb, ORDERS_TABLE)
        self.index = DynamoOrderIndex(dynamodb, ORDERS_TABLE)


@pytest.fixture(scope="module")
def tables() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture
def aws(tables: Cloud) -> Cloud:
    for item in tables.dynamodb.scan(TableName=ORDERS_TABLE)["Items"]:
        tables.dynamodb.delete_item(TableName=ORDERS_TABLE, Key={"order_id": item["order_id"]})
    return tables


@pytest.fixture(params=["memory", "simulated", "dynamodb"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return MemoryWorld()
    return DynamoWorld(a_dynamodb() if request.param == "simulated" else request.getfixturevalue("aws").dynamodb)


def left(world: World, order_id: str, state: State, *, at: Any = NOW, **more: Any) -> None:
    """A worker looked at the order and left it so."""
    world.ledger.claim(order_id, holder="worker", now=at)
    world.ledger.release(order_id, a_progress(state=state, **more), holder="worker", now=at)


def found(world: World, *, before: Any = LATER) -> list[str]:
    return [order.order_id for order in world.index.unsettled(before=before)]


class TestUnsettled:
    @pytest.mark.parametrize("state", list(State))
    def test_what_is_not_settled_is_found(self, world: World, state: State) -> None:
        left(world, "cs_1", state)
        assert found(world) == (["cs_1"] if state in UNSETTLED else [])

    def test_what_a_crash_left_is_found_whatever_it_was(self, world: World) -> None:
        left(world, "cs_1", State.DELIVERED)
        world.ledger.claim("cs_1", holder="dead", now=SOON)
        assert found(world) == ["cs_1"]

    def test_an_order_comes_with_its_account_and_its_times(self, world: World) -> None:
        left(world, "cs_1", State.WAITING, at=NOW, account="acct_1")
        left(world, "cs_1", State.WAITING, at=SOON, account="acct_1")
        assert list(world.index.unsettled(before=LATER)) == [Unsettled("cs_1", "acct_1", NOW, SOON)]

    def test_what_was_touched_a_moment_ago_is_left_out(self, world: World) -> None:
        left(world, "cs_1", State.WAITING, at=NOW)
        assert found(world, before=NOW) == []

    def test_the_longest_untouched_comes_first(self, world: World) -> None:
        for minutes in (2, 0, 1):
            left(world, f"cs_{minutes}", State.WAITING, at=NOW + timedelta(minutes=minutes))
        assert found(world) == ["cs_0", "cs_1", "cs_2"]

    def test_more_orders_than_a_page_are_found_over_all_shards_and_still_in_order(self, world: World) -> None:
        moments = [NOW + timedelta(seconds=7 * n % 120) for n in range(120)]
        for n, at in enumerate(moments):
            left(world, f"cs_{n}", State.WAITING, at=at)
        orders = list(world.index.unsettled(before=LATER))
        assert len({order.order_id for order in orders}) == 120
        assert [order.touched_at for order in orders] == sorted(moments)

    @pytest.mark.parametrize("kind", ["simulated", "dynamodb"])
    def test_an_order_of_a_version_without_shards_is_found_until_a_look_at_it_moves_it(
        self, request: pytest.FixtureRequest, kind: str
    ) -> None:
        dynamodb = a_dynamodb() if kind == "simulated" else request.getfixturevalue("aws").dynamodb
        world = DynamoWorld(dynamodb)
        left(world, "cs_1", State.WAITING)
        dynamodb.update_item(
            TableName=ORDERS_TABLE,
            Key={"order_id": {"S": "cs_1"}},
            UpdateExpression="SET unsettled = :yes",
            ExpressionAttributeValues={":yes": {"S": "yes"}},
        )
        assert found(world) == ["cs_1"]
        [order] = world.index.unsettled(before=LATER)
        world.index.touch(order, now=SOON)
        assert found(world) == ["cs_1"]
        left(world, "cs_1", State.WAITING, at=SOON)
        assert found(world) == ["cs_1"]
        left(world, "cs_1", State.DELIVERED, at=SOON)
        assert found(world) == []


class TestTouch:
    def test_what_was_touched_is_not_found_until_later(self, world: World) -> None:
        left(world, "cs_1", State.WAITING)
        [order] = world.index.unsettled(before=LATER)
        world.index.touch(order, now=LATER)
        assert found(world) == []
        assert found(world, before=LATER + timedelta(hours=1)) == ["cs_1"]

    def test_it_changes_nothing_else(self, world: World) -> None:
        left(world, "cs_1", State.WAITING, reason="not_paid")
        [order] = world.index.unsettled(before=LATER)
        world.index.touch(order, now=LATER)
        progress = Progress(state=State.WAITING, reason="not_paid")
        assert world.ledger.claim("cs_1", holder="b", now=LATER) == progress

    def test_what_a_worker_touched_meanwhile_stays_as_it_left_it(self, world: World) -> None:
        left(world, "cs_1", State.WAITING)
        [order] = world.index.unsettled(before=LATER)
        left(world, "cs_1", State.WAITING, at=SOON)
        world.index.touch(order, now=LATER)
        assert found(world) == ["cs_1"]


class TestGiveUp:
    def test_what_is_given_up_is_not_found_until_somebody_works_on_it(self, world: World) -> None:
        left(world, "cs_1", State.WAITING)
        [order] = world.index.unsettled(before=LATER)
        world.index.give_up(order)
        assert found(world) == []
        left(world, "cs_1", State.WAITING, at=SOON)
        assert found(world) == ["cs_1"]

    def test_what_a_worker_touched_meanwhile_is_not_given_up(self, world: World) -> None:
        left(world, "cs_1", State.WAITING)
        [order] = world.index.unsettled(before=LATER)
        left(world, "cs_1", State.WAITING, at=SOON)
        world.index.give_up(order)
        assert found(world) == ["cs_1"]


class TestKnown:
    def test_only_orders_that_the_ledger_has_are_known(self, world: World) -> None:
        ends, next_end = NOW + timedelta(days=7), NOW + timedelta(days=3)
        left(
            world,
            "cs_1",
            State.ACCESS_ENDED,
            share_id="77",
            closed_at=NOW,
            reason="expired",
            share_expires_at=ends,
            next_end=next_end,
        )
        left(world, "cs_2", State.NOT_OURS)
        assert world.index.known(["cs_1", "cs_2", "cs_3"]) == {
            "cs_1": Known(State.ACCESS_ENDED, "77", NOW, "expired", ends, next_end, touched_at=NOW),
            "cs_2": Known(State.NOT_OURS, None, None, touched_at=NOW),
        }

    def test_more_than_a_batch_is_known_and_an_order_may_be_asked_for_twice(self, world: World) -> None:
        ids = [f"cs_{n}" for n in range(130)]
        for order_id in ids:
            world.ledger.claim(order_id, holder="a", now=NOW)
        assert set(world.index.known([*ids, *ids, "cs_x"])) == set(ids)

    def test_nothing_is_known_of_nothing(self, world: World) -> None:
        assert world.index.known([]) == {}


class TestDynamoOrders:
    def test_every_page_of_the_index_is_read(self, aws: Cloud) -> None:
        world = DynamoWorld(aws.dynamodb)
        # All in one shard.
        orders = list(islice((f"cs_{n}" for n in count() if shard(f"cs_{n}") == "7"), 5))
        for n, order_id in enumerate(orders):
            left(world, order_id, State.WAITING, at=NOW + timedelta(seconds=n))
        aws.dynamodb.meta.events.register(
            "provide-client-params.dynamodb.Query", lambda params, **_: params | {"Limit": 2}, unique_id="small"
        )
        try:
            assert found(world) == orders
        finally:
            aws.dynamodb.meta.events.unregister("provide-client-params.dynamodb.Query", unique_id="small")

    def test_what_dynamodb_leaves_out_of_a_batch_is_asked_for_again(self) -> None:
        dynamodb = boto3.client("dynamodb", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        item = {"order_id": {"S": "cs_1"}, "state": {"S": "new"}}
        with Stubber(dynamodb) as stubber:
            first: dict[str, Any] = {"Keys": [{"order_id": {"S": "cs_2"}}]}
            stubber.add_response(
                "batch_get_item", {"Responses": {"orders": [item]}, "UnprocessedKeys": {"orders": first}}
            )
            second = item | {"order_id": {"S": "cs_2"}}
            stubber.add_response("batch_get_item", {"Responses": {"orders": [second]}, "UnprocessedKeys": {}})
            assert set(DynamoOrderIndex(dynamodb, "orders").known(["cs_1", "cs_2"])) == {"cs_1", "cs_2"}

    def test_an_order_that_stays_out_of_every_batch_is_not_taken_for_unknown(self) -> None:
        dynamodb = boto3.client("dynamodb", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        left_out: dict[str, Any] = {"orders": {"Keys": [{"order_id": {"S": "cs_1"}}]}}
        with Stubber(dynamodb) as stubber:
            for _ in range(5):
                stubber.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": left_out})
            with pytest.raises(LedgerUnavailable, match="left out 1 of 1"):
                DynamoOrderIndex(dynamodb, "orders").known(["cs_1"])

    def test_a_table_that_is_not_there_is_unavailable(self, aws: Cloud) -> None:
        index = DynamoOrderIndex(aws.dynamodb, "elsewhere")
        order = Unsettled("cs_1", None, NOW, NOW)
        for ask in (
            lambda: list(index.unsettled(before=NOW)),
            lambda: index.known(["cs_1"]),
            lambda: index.touch(order, now=NOW),
            lambda: index.give_up(replace(order, touched_at=SOON)),
        ):
            with pytest.raises(LedgerUnavailable, match="ResourceNotFoundException"):
                ask()

    def test_it_and_the_ledger_ask_the_indexes_of_the_template(self, aws: Cloud) -> None:
        table = aws.dynamodb.describe_table(TableName=ORDERS_TABLE)["Table"]
        assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == [INDEX, OF_A_PAYMENT]
