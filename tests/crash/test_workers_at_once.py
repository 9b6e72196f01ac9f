"""Two workers at one order: at the same time, one after the other's lease, and with clocks that are wrong."""

import pytest

from tests.crash.bed import Ending
from tests.crash.proxy import Blow, Strike
from tests.crash.scenarios import ABOUT_TO_MAIL, ADD, CLAIM, CREATE, DELIVERY, DONE, PUT_OFF, SES, TAKE
from tests.crash.station import Case, Station
from tests.crash.worker_pool import WorkerPool

pytestmark = pytest.mark.stack

_HOUR = 3600.0
_ONCE = (Ending(state="delivered"), (0, 0))

by_jump = pytest.mark.parametrize("wrong_by_s", [-_HOUR, _HOUR], ids=["an hour late", "an hour early"])


def _send(on: Station, body: str) -> None:
    on.bed.stack.aws.sqs.send_message(QueueUrl=on.queue.url, MessageBody=body)


@pytest.mark.parametrize("reached", [call for call in dict.fromkeys(DELIVERY.calls) if call not in (TAKE, CLAIM)])
def test_a_second_worker_leaves_the_order_to_the_first(reached: str, place: WorkerPool, station: Station) -> None:
    order = place.bed.pay(f"at-once-{DELIVERY.calls.index(reached)}")
    case = Case(station, order.body)
    first = Strike(reached, Blow.HELD)
    case.arm(first)
    station.deliver()
    assert first.reached.wait(10)

    _send(place.twin, order.body)
    place.twin.proxy.arm()
    place.twin.deliver()
    case.finish(place.twin)
    first.held.set()
    case.finish()
    case.play()

    assert (place.bed.ending(order), case.left()) == _ONCE


@pytest.mark.parametrize("race", range(3))
def test_two_workers_that_race_for_an_order_deliver_it_once(race: int, place: WorkerPool, station: Station) -> None:
    order = place.bed.pay(f"race-{race}")
    case = Case(station, order.body, order.body)
    place.twin.proxy.arm()
    station.deliver(most=1)
    place.twin.deliver(most=1)
    case.finish(place.twin)
    case.finish()
    case.play()
    assert (place.bed.ending(order), case.left()) == _ONCE


def test_an_order_that_is_twice_in_a_batch_is_delivered_once(place: WorkerPool, station: Station) -> None:
    order = place.bed.pay("twice-in-a-batch")
    case = Case(station, *[order.body] * 5)
    case.play()
    assert (place.bed.ending(order), case.left()) == _ONCE


@pytest.mark.parametrize(
    ("call", "blow"),
    [(CLAIM, Blow.KILL_AFTER), (CREATE, Blow.KILL_AFTER), (SES, Blow.KILL_BEFORE), (DONE, Blow.KILL_BEFORE)],
)
def test_a_dead_workers_lease_is_honoured_until_it_ends_and_then_taken_over(
    call: str, blow: Blow, place: WorkerPool, station: Station
) -> None:
    order = place.bed.pay(f"lease-{DELIVERY.calls.index(call)}")
    case = Case(station, order.body)
    case.arm(Strike(call, blow))
    assert case.look().killed

    case.come_again(60)  # As long as Deliver can live.
    case.names.clear()
    case.look()
    assert case.names == [TAKE, CLAIM, PUT_OFF]

    case.come_again(80)  # The lease lasts 75 s.
    case.play()
    assert (place.bed.ending(order), case.left()) == _ONCE


@by_jump
@pytest.mark.parametrize("call", [CLAIM, CREATE, ABOUT_TO_MAIL])
def test_a_worker_with_a_wrong_clock_that_dies_is_followed_up(
    call: str, wrong_by_s: float, place: WorkerPool, station: Station
) -> None:
    order = place.bed.pay(f"wrong-{DELIVERY.calls.index(call)}-{wrong_by_s:.0f}")
    case = Case(station, order.body)
    case.arm(Strike(call, Blow.KILL_AFTER))
    assert case.look(wrong_by_s=wrong_by_s).killed
    way = case.play()
    assert (place.bed.ending(order), case.left()) == _ONCE
    assert way.seconds < max(wrong_by_s, 0) + 2 * place.bed.visibility_s + 900


@by_jump
def test_what_a_worker_with_a_wrong_clock_delivered_is_delivered(
    wrong_by_s: float, place: WorkerPool, station: Station
) -> None:
    order = place.bed.pay(f"wrong-whole-{wrong_by_s:.0f}")
    case = Case(station, order.body)
    case.look(wrong_by_s=wrong_by_s)
    _send(station, order.body)
    case.play()
    assert (place.bed.ending(order), case.left()) == _ONCE


@pytest.mark.parametrize("reached", [CREATE, ADD, ABOUT_TO_MAIL])
def test_a_worker_that_lost_its_lease_to_a_wrong_clock_mails_nothing(
    reached: str, place: WorkerPool, station: Station
) -> None:
    order = place.bed.pay(f"stolen-{DELIVERY.calls.index(reached)}")
    case = Case(station, order.body)
    first = Strike(reached, Blow.HELD)
    case.arm(first)
    station.deliver()
    assert first.reached.wait(10)

    _send(place.twin, order.body)
    place.twin.proxy.arm()
    place.twin.deliver(wrong_by_s=_HOUR)
    case.finish(place.twin)
    first.held.set()
    case.finish()
    case.play()

    assert (place.bed.ending(order), case.left()) == _ONCE


def test_a_letter_is_not_sent_twice_because_the_workers_clock_is_a_little_ahead_of_sess(
    place: WorkerPool, station: Station
) -> None:
    order = place.bed.pay("seconds-early")
    case = Case(station, order.body)
    case.arm(Strike(SES, Blow.KILL_AFTER))
    assert case.look(wrong_by_s=3).killed
    case.play()
    assert (place.bed.ending(order), case.left()) == _ONCE
