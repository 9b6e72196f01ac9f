"""A message that can never be worked off does not hold up the nine that share its batch."""

from dataclasses import replace

import pytest

from tests.crash.bed import Ending, Order
from tests.crash.proxy import Blow, Strike
from tests.crash.rows import Row
from tests.crash.scenarios import CLAIM
from tests.crash.station import Case, Station
from tests.crash.worker_pool import WorkerPool

pytestmark = pytest.mark.stack

_CHAPTER = "One message of ten kills every worker: the other nine, and what is left"
_DELIVERED = Ending(state="delivered")


def _orders(place: WorkerPool, name: str, number: int) -> list[Order]:
    return [place.bed.pay(f"{name}-{n}") for n in range(number)]


def test_an_unreadable_message_goes_to_a_person_and_the_others_are_delivered_at_once(
    place: WorkerPool, station: Station
) -> None:
    orders = _orders(place, "beside-unreadable", 9)
    bodies = [order.body for order in orders]
    case = Case(station, *bodies[:4], "no notice at all", *bodies[4:])
    case.look()
    books = place.bed.books()
    assert [place.bed.ending(order, books) for order in orders] == [_DELIVERED] * 9
    assert case.left() == (0, 1)
    (dead,) = station.bed.stack.aws.sqs.receive_message(
        QueueUrl=station.queue.dead_url, MessageAttributeNames=["All"], MaxNumberOfMessages=10
    )["Messages"]
    assert dead["MessageAttributes"]["reason"]["StringValue"] == "notice_unreadable"


@pytest.mark.parametrize("call", ["Stripe: get the session", CLAIM])
def test_a_message_that_crashes_every_worker_lets_the_others_be_delivered(
    call: str, place: WorkerPool, station: Station, table: list[Row]
) -> None:
    poison, *orders = _orders(place, f"beside-poison-{call[:6]}".replace(" ", ""), 10)
    case = Case(station, *[order.body for order in orders[:4]], poison.body, *[order.body for order in orders[4:]])
    case.arm(Strike(call, Blow.KILL_BEFORE, about=poison.id, times=10_000))
    for _worker in range(60):
        case.look()
        if station.bed.waiting(station.queue.url) == 1:
            break
    books = place.bed.books()
    endings = [place.bed.ending(order, books) for order in orders]
    table.append(Row(_CHAPTER, call, "killed before, every time", replace(case.way), endings[-1], case.left()))
    assert (endings, case.left()) == ([_DELIVERED] * 9, (1, 0))

    case.arm()
    case.play()
    assert (place.bed.ending(poison), case.left()) == (_DELIVERED, (0, 0))
