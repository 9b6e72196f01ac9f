"""The simulation's services at rest: no time passes, nothing goes wrong, every call is done at once."""

from typing import TYPE_CHECKING, cast

from simulation.aws.dynamodb import DynamoDB, Table
from simulation.chance import Chance
from simulation.clock import Clock
from simulation.faults import Faults, Rates
from simulation.outside import Outside
from tests.cloud import EVENTS_TABLE, ORDERS_TABLE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def an_outside(clock: Clock | None = None, rates: Rates | None = None) -> Outside:
    """The way to all providers, at *clock*'s time."""
    return Outside(clock or Clock(), Faults(Chance(1), rates or Rates()), trace=lambda _line: None)


def a_dynamodb(outside: Outside | None = None) -> "DynamoDBClient":
    """The simulated DynamoDB with both tables, empty, as boto3's client."""
    found = outside or an_outside()
    tables = {
        ORDERS_TABLE: Table("order_id", lambda: found.clock.now),
        EVENTS_TABLE: Table("id", lambda: found.clock.now, expires="expiration"),
    }
    return cast("DynamoDBClient", DynamoDB(found, tables, attempts=2))
