"""The port MailLog: the same rules for the fake and for DynamoDB with the table of template.yaml."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

import boto3
import pytest
from botocore.config import Config

from paidshare.aws import DynamoLedger, DynamoMailLog
from paidshare.errors import LedgerUnavailable
from paidshare.feedback.mail_events import Fact
from paidshare.feedback.ports import MailLog
from paidshare.progress import Progress
from paidshare.states import State
from paidshare.wishes import Correction
from tests.builders import NOW, a_row
from tests.cloud import ORDERS_TABLE, Cloud, cloud
from tests.fakes_mail import MESSAGE_ID, ORDER_ID, MemoryMailLog, a_mail_event
from tests.simulated import a_dynamodb

STRANGER = "cs_test_unknown"
LATER, EARLIER = NOW + timedelta(minutes=1), NOW - timedelta(minutes=1)


class World(Protocol):
    """Knows the order ORDER_ID, and no other."""

    @property
    def log(self) -> MailLog: ...
    def correct(self, at: datetime) -> None:
        """The buyer corrects the address."""

    def moments(self, order_id: str = ORDER_ID) -> dict[str, datetime]:
        """When each fact was, as the order says."""


class MemoryWorld:
    def __init__(self) -> None:
        self.log = MemoryMailLog(ORDER_ID)

    def correct(self, at: datetime) -> None:
        self.log.corrected[ORDER_ID] = at

    def moments(self, order_id: str = ORDER_ID) -> dict[str, datetime]:
        return {str(fact): at for fact, at in self.log.orders.get(order_id, {}).items()}


class DynamoWorld:
    def __init__(self, dynamodb: Any) -> None:
        self.dynamodb = dynamodb
        self.log = DynamoMailLog(dynamodb, ORDERS_TABLE)
        self.ledger = DynamoLedger(dynamodb, ORDERS_TABLE)
        self.ledger.claim(ORDER_ID, holder="a", now=NOW)
        self.ledger.release(ORDER_ID, Progress(state=State.DELIVERED), holder="a", now=NOW)

    def correct(self, at: datetime) -> None:
        corrected = Progress(state=State.DELIVERED, correction=Correction(at, "sealed"))
        self.ledger.claim(ORDER_ID, holder="b", now=NOW)
        self.ledger.release(ORDER_ID, corrected, holder="b", now=NOW)

    def item(self, order_id: str = ORDER_ID) -> dict[str, Any]:
        found = self.dynamodb.get_item(TableName=ORDERS_TABLE, Key={"order_id": {"S": order_id}})
        return dict(found.get("Item", {}))

    def moments(self, order_id: str = ORDER_ID) -> dict[str, datetime]:
        return {
            name.removeprefix("letter_").removesuffix("_at"): datetime.fromtimestamp(int(value["N"]), NOW.tzinfo)
            for name, value in self.item(order_id).items()
            if name.startswith("letter_") and name.endswith("_at")
        }


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture(params=["memory", "simulated", "dynamodb"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return MemoryWorld()
    return DynamoWorld(a_dynamodb() if request.param == "simulated" else request.getfixturevalue("aws").dynamodb)


class TestNote:
    @pytest.mark.parametrize("fact", list(Fact))
    def test_every_fact_is_on_the_order_with_its_moment(self, world: World, fact: Fact) -> None:
        world.log.note(a_mail_event(fact=fact))
        assert world.moments() == {fact.value: NOW}

    def test_facts_stand_beside_each_other(self, world: World) -> None:
        world.log.note(a_mail_event(fact=Fact.SENT))
        world.log.note(a_mail_event(fact=Fact.DELIVERED, at=LATER))
        assert world.moments() == {"sent": NOW, "delivered": LATER}

    def test_the_same_again_changes_nothing(self, world: World) -> None:
        for _ in range(2):
            world.log.note(a_mail_event())
        assert world.moments() == {"sent": NOW}

    def test_a_later_letter_s_moment_takes_the_place_of_an_earlier_one_s(self, world: World) -> None:
        world.log.note(a_mail_event())
        world.log.note(a_mail_event(message_id="m-2", at=LATER))
        assert world.moments() == {"sent": LATER}

    def test_news_that_comes_late_never_puts_a_moment_back(self, world: World) -> None:
        world.log.note(a_mail_event())
        world.log.note(a_mail_event(message_id="m-0", at=EARLIER))
        assert world.moments() == {"sent": NOW}

    def test_moments_are_kept_to_the_second(self, world: World) -> None:
        world.log.note(a_mail_event(at=NOW + timedelta(microseconds=999_999)))
        assert world.moments() == {"sent": NOW}

    def test_an_order_that_the_ledger_does_not_know_stays_unknown(self, world: World) -> None:
        world.log.note(a_mail_event(order_id=STRANGER))
        world.log.told(a_mail_event(order_id=STRANGER))
        assert world.moments(STRANGER) == {}


class TestCorrected:
    """Of letters to an address that its buyer has corrected since."""

    @pytest.mark.parametrize("fact", list(Fact))
    def test_what_becomes_of_an_earlier_letter_is_no_news(self, world: World, fact: Fact) -> None:
        world.correct(NOW)
        earlier = str(int(EARLIER.timestamp()))
        assert world.log.note(a_mail_event(fact=fact, at=LATER, mark=earlier)) is False
        assert world.moments() == {}

    @pytest.mark.parametrize("mark", [str(int(NOW.timestamp())), str(int(LATER.timestamp())), ""])
    def test_what_becomes_of_a_later_one_is(self, world: World, mark: str) -> None:
        world.correct(NOW)
        assert world.log.note(a_mail_event(fact=Fact.BOUNCED, at=LATER, mark=mark)) is True
        assert world.moments() == {"bounced": LATER}


class TestTold:
    BOUNCE = a_mail_event(fact=Fact.BOUNCED, permanent=True)

    def test_it_is_news_until_a_person_was_told(self, world: World) -> None:
        assert world.log.note(self.BOUNCE) is True
        # A crash before anybody was told: the event comes again, and still is news.
        assert world.log.note(self.BOUNCE) is True

    def test_what_a_person_was_told_is_not_news_again(self, world: World) -> None:
        world.log.note(self.BOUNCE)
        world.log.told(self.BOUNCE)
        assert world.log.note(self.BOUNCE) is False

    def test_it_is_no_news_either_after_another_letter_s_later_bounce(self, world: World) -> None:
        world.log.note(self.BOUNCE)
        world.log.told(self.BOUNCE)
        world.log.note(a_mail_event(message_id="m-2", fact=Fact.BOUNCED, at=LATER))
        assert world.log.note(self.BOUNCE) is False

    @pytest.mark.parametrize(
        "other",
        [a_mail_event(message_id="m-2", fact=Fact.BOUNCED), a_mail_event(fact=Fact.COMPLAINED)],
        ids=["another letter", "another fact"],
    )
    def test_another_letter_or_another_fact_is_news_of_its_own(self, world: World, other: Any) -> None:
        world.log.told(self.BOUNCE)
        assert world.log.note(other) is True

    def test_a_bounce_of_an_order_that_was_lost_is_news(self, world: World) -> None:
        assert world.log.note(a_mail_event(order_id=STRANGER, fact=Fact.BOUNCED)) is True


class TestDynamoMailLog:
    def test_the_item_is_readable_by_a_person_and_the_ledger_s_part_of_it_stays(self, aws: Cloud) -> None:
        world = DynamoWorld(aws.dynamodb)
        before = world.item()
        bounce = a_mail_event(fact=Fact.BOUNCED)
        world.log.note(bounce)
        world.log.told(bounce)
        assert world.item() == before | {
            "letter_bounced_at": {"N": str(int(NOW.timestamp()))},
            "letter_message_id": {"S": MESSAGE_ID},
            "letter_kind": {"S": "delivery"},
            "letter_cases": {"SS": [f"bounced:{MESSAGE_ID}"]},
        }

    def test_an_order_in_work_takes_news_and_keeps_it(self, aws: Cloud) -> None:
        world = DynamoWorld(aws.dynamodb)
        world.ledger.claim(ORDER_ID, holder="b", now=NOW)
        world.log.note(a_mail_event())
        world.ledger.release(ORDER_ID, Progress(state=State.WAITING), holder="b", now=NOW)
        assert world.moments() == {"sent": NOW}

    def test_the_ledger_learns_from_it_that_a_letter_was_sent(self, aws: Cloud) -> None:
        world = DynamoWorld(aws.dynamodb)
        world.log.note(a_mail_event())
        assert a_row(world.ledger.claim(ORDER_ID, holder="b", now=NOW)).sent_at == NOW

    @pytest.mark.parametrize("first", [0, 1])
    def test_of_two_letters_in_one_second_the_later_one_s_word_stays(self, aws: Cloud, first: int) -> None:
        world = DynamoWorld(aws.dynamodb)
        marks = ("1793534399", "1793534400")
        for mark in (marks[first], marks[1 - first]):
            world.log.note(a_mail_event(mark=mark))
        sent = DynamoLedger(aws.dynamodb, ORDERS_TABLE).claim(ORDER_ID, holder="w", now=NOW).sent
        assert sent is not None
        assert sent.mark == marks[1]

    def test_a_table_that_is_not_there_is_tried_again(self, aws: Cloud) -> None:
        with pytest.raises(LedgerUnavailable, match="DynamoDB UpdateItem: ResourceNotFoundException"):
            DynamoMailLog(aws.dynamodb, "none").note(a_mail_event())

    def test_a_dynamodb_out_of_reach_is_tried_again(self) -> None:
        dynamodb = boto3.client(
            "dynamodb",
            "us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            endpoint_url="http://127.0.0.1:9",
            config=Config(retries={"total_max_attempts": 1}),
        )
        with pytest.raises(LedgerUnavailable, match="DynamoDB: EndpointConnectionError"):
            DynamoMailLog(dynamodb, ORDERS_TABLE).told(a_mail_event())
