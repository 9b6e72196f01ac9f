"""Faults on AWS's side, between the functions and AWS: each kind at each call that the functions make to AWS."""

import random

import pytest

from tests.crash import crashing
from tests.crash.bed import Ending
from tests.crash.crashing import RECEIVE_CALLS
from tests.crash.proxy import Blow, Strike
from tests.crash.rows import Row, as_due
from tests.crash.scenarios import ABOUT_TO_MAIL, BOUGHT, CLAIM, DELIVERY, DONE, SECRET, SES
from tests.crash.station import Case, Station
from tests.crash.worker_pool import WorkerPool

pytestmark = pytest.mark.stack

DELIVER, RECEIVE = "A fault on AWS’s side while Deliver works", "A fault on AWS’s side while Receive works"
DELIVER_CALLS = (CLAIM, SECRET, BOUGHT, ABOUT_TO_MAIL, SES, DONE)
FAULTS = (Blow.THROTTLED, Blow.FAILED, Blow.RESET, Blow.LOST, Blow.LATE)

by_fault = pytest.mark.parametrize("fault", FAULTS)


def _strike(call: str, fault: Blow) -> list[Strike]:
    # Twice, because boto3 tries most calls a second time by itself.
    return [Strike(call, fault, times=1 if fault is Blow.LATE else 2)]


@pytest.fixture(scope="module")
def played(place: WorkerPool, table: list[Row]) -> dict[tuple[str, str, str], Row]:
    found = crashing.faults(
        place, DELIVERY, [_strike(call, fault) for call in DELIVER_CALLS for fault in FAULTS], DELIVER
    )
    found += crashing.received(place, [_strike(call, fault) for call in RECEIVE_CALLS for fault in FAULTS], RECEIVE)
    table += found
    return {(row.chapter, row.step, row.blow): row for row in found}


@by_fault
@pytest.mark.parametrize("call", DELIVER_CALLS)
def test_a_delivery_outlives_a_fault_of_aws(call: str, fault: Blow, played: dict[tuple[str, str, str], Row]) -> None:
    assert played[DELIVER, call, fault].end == as_due(Ending(state="delivered"))


@by_fault
@pytest.mark.parametrize("call", RECEIVE_CALLS)
def test_an_event_outlives_a_fault_of_aws(call: str, fault: Blow, played: dict[tuple[str, str, str], Row]) -> None:
    assert played[RECEIVE, call, fault].end == as_due(Ending(state="delivered"))


def test_a_message_that_cannot_be_put_off_comes_again_by_itself(place: WorkerPool, station: Station) -> None:
    order = place.bed.pay("not-put-off")
    case = Case(station, order.body)
    case.arm(*_strike(CLAIM, Blow.THROTTLED), *_strike("SQS: put the message off", Blow.FAILED))
    way = case.play()
    assert (place.bed.ending(order), case.left()) == (Ending(state="delivered"), (0, 0))
    assert way.seconds == place.bed.visibility_s


def test_an_event_whose_key_cannot_be_forgotten_is_taken_when_the_key_expires(place: WorkerPool) -> None:
    strikes = [*_strike("SQS: send", Blow.FAILED), *_strike("events table: forget", Blow.RESET)]
    (row,) = crashing.received(place, [strikes], RECEIVE)
    assert row.end == as_due(Ending(state="delivered"))


def test_ten_orders_outlive_an_aws_that_fails_every_fourth_call(place: WorkerPool, station: Station) -> None:
    dice = random.Random(1)  # noqa: S311
    orders = [place.bed.pay(f"weather-{n}") for n in range(10)]
    case = Case(station, *[order.body for order in orders])
    case.arm(
        *[
            Strike(call, fault, times=10_000, luck=lambda: dice.random() < 0.07)
            for call in (*DELIVER_CALLS, "SQS: put the message off")
            for fault in (Blow.THROTTLED, Blow.FAILED, Blow.RESET, Blow.LOST)
        ]
    )
    case.play()
    books = place.bed.books()
    assert [place.bed.ending(order, books) for order in orders] == [Ending(state="delivered")] * 10
    assert case.left() == (0, 0)
