"""The port Checkpoint: the same rules for the fake and for DynamoDB with the table of template.yaml."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from paidshare.aws import DynamoCheckpoint
from paidshare.aws.checkpoint import KEY
from paidshare.errors import LedgerUnavailable
from paidshare.sweeping.errors import RoundBusy
from paidshare.sweeping.ports import Checkpoint
from paidshare.sweeping.rounds import Pass, Track
from tests.builders import NOW
from tests.cloud import EVENTS_TABLE, Cloud, cloud
from tests.fakes_sweep import MemoryCheckpoint
from tests.simulated import a_dynamodb

UNTIL = NOW + timedelta(minutes=5)
AFTER = UNTIL + timedelta(seconds=1)
PLACE = {
    "sessions": Track(Pass(NOW, NOW - timedelta(days=4), "cs_77"), NOW - timedelta(hours=1)),
    "invoices": Track(Pass(NOW, NOW - timedelta(days=4))),
    "shares": Track(reached=NOW),
    "events_1": Track(),
}


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture(params=["memory", "simulated", "dynamodb"])
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    if request.param == "memory":
        return MemoryCheckpoint()
    if request.param == "simulated":
        return DynamoCheckpoint(a_dynamodb(), EVENTS_TABLE)
    return DynamoCheckpoint(request.getfixturevalue("aws").dynamodb, EVENTS_TABLE)


class TestEveryCheckpoint:
    def test_the_first_round_has_no_place(self, checkpoint: Checkpoint) -> None:
        assert checkpoint.take_up(holder="a", now=NOW, until=UNTIL) == {}

    def test_two_rounds_are_never_under_way_at_once(self, checkpoint: Checkpoint) -> None:
        checkpoint.take_up(holder="a", now=NOW, until=UNTIL)
        with pytest.raises(RoundBusy):
            checkpoint.take_up(holder="b", now=UNTIL, until=AFTER)

    def test_what_was_kept_is_found_by_the_next_round(self, checkpoint: Checkpoint) -> None:
        checkpoint.take_up(holder="a", now=NOW, until=UNTIL)
        checkpoint.keep(PLACE, holder="a")
        checkpoint.put_down(holder="a")
        assert checkpoint.take_up(holder="b", now=NOW, until=UNTIL) == PLACE

    def test_what_was_kept_before_a_crash_is_found_when_the_dead_round_s_time_is_up(
        self, checkpoint: Checkpoint
    ) -> None:
        checkpoint.take_up(holder="dead", now=NOW, until=UNTIL)
        checkpoint.keep(PLACE, holder="dead")
        assert checkpoint.take_up(holder="b", now=AFTER, until=AFTER) == PLACE

    def test_whoever_lost_its_turn_keeps_nothing_and_puts_nothing_down(self, checkpoint: Checkpoint) -> None:
        checkpoint.take_up(holder="slow", now=NOW, until=UNTIL)
        checkpoint.take_up(holder="b", now=AFTER, until=AFTER + timedelta(minutes=5))
        with pytest.raises(RoundBusy):
            checkpoint.keep(PLACE, holder="slow")
        checkpoint.put_down(holder="slow")
        with pytest.raises(RoundBusy):
            checkpoint.take_up(holder="c", now=AFTER, until=AFTER)


class TestDynamoCheckpoint:
    def test_the_events_table_never_forgets_it(self, aws: Cloud) -> None:
        checkpoint = DynamoCheckpoint(aws.dynamodb, EVENTS_TABLE)
        checkpoint.take_up(holder="a", now=NOW, until=UNTIL)
        checkpoint.keep(PLACE, holder="a")
        [item] = aws.dynamodb.scan(TableName=EVENTS_TABLE)["Items"]
        assert item["id"] == {"S": KEY}
        assert "expiration" not in item

    @pytest.mark.parametrize(
        "text",
        ["", "no json", "[]", '{"sessions": 7}', '{"sessions": {"began": 5}}', '{"sessions": {"after": "cs_1"}}'],
    )
    def test_a_place_that_makes_no_sense_is_the_beginning(self, aws: Cloud, text: str) -> None:
        aws.dynamodb.put_item(TableName=EVENTS_TABLE, Item={"id": {"S": KEY}, "place": {"S": text}})
        place = DynamoCheckpoint(aws.dynamodb, EVENTS_TABLE).take_up(holder="a", now=NOW, until=UNTIL)
        assert set(place.values()) <= {Track()}

    def test_a_table_that_is_not_there_is_unavailable(self, aws: Cloud) -> None:
        with pytest.raises(LedgerUnavailable, match="DynamoDB UpdateItem: ResourceNotFoundException"):
            DynamoCheckpoint(aws.dynamodb, "elsewhere").take_up(holder="a", now=NOW, until=UNTIL)
