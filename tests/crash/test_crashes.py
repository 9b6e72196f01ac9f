"""A worker is killed (a process, with SIGKILL) before or after any call: the next one brings it to the same end."""

import random
from dataclasses import replace

import pytest

from tests.crash import crashing
from tests.crash.bed import Ending
from tests.crash.crashing import KILLS, RECEIVE_CALLS, RECEIVED, SECOND_LETTER
from tests.crash.proxy import Blow, Strike
from tests.crash.rows import Row, as_due
from tests.crash.scenarios import DELIVERY, EVERY, SES, Scenario
from tests.crash.station import Case, Station
from tests.crash.worker_pool import WorkerPool

pytestmark = pytest.mark.stack

by_scenario = pytest.mark.parametrize("scenario", EVERY, ids=lambda scenario: scenario.name)


@pytest.fixture(scope="module")
def played(place: WorkerPool, table: list[Row]) -> dict[tuple[str, str, str], Row]:
    found = [row for scenario in EVERY for row in crashing.crashes(place, scenario)]
    found += crashing.received(place, [[Strike(name, blow)] for name in RECEIVE_CALLS for blow in KILLS], RECEIVED)
    table += found
    return {(row.chapter, row.step, row.blow): row for row in found}


@by_scenario
def test_the_table_has_every_call_of_a_worker(scenario: Scenario, place: WorkerPool, station: Station) -> None:
    (order,) = crashing.orders(place, scenario, f"{scenario.name}-untroubled", 1)
    case = Case(station, order.body)
    case.play()
    assert tuple(case.names) == scenario.calls
    assert place.bed.ending(order) == scenario.due


def _cases() -> list[object]:
    return [
        pytest.param(scenario, scenario.step(name, nth), blow, id=f"{scenario.name}-{blow}-{scenario.step(name, nth)}")
        for scenario in EVERY
        for name, nth in scenario.numbered
        for blow in KILLS
    ]


@pytest.mark.parametrize(("scenario", "step", "blow"), _cases())
def test_a_killed_worker_leaves_nothing_undone_and_nothing_done_twice(
    scenario: Scenario, step: str, blow: Blow, played: dict[tuple[str, str, str], Row]
) -> None:
    row = played[scenario.title, step, f"killed {blow}"]
    assert row.end == as_due(scenario.due)
    assert row.way.killed == 1


@by_scenario
def test_only_a_letter_whose_sending_nobody_heard_of_goes_out_a_second_time(
    scenario: Scenario, played: dict[tuple[str, str, str], Row]
) -> None:
    row = played[scenario.title, SES, SECOND_LETTER]
    assert row.end == as_due(replace(scenario.due, letters=scenario.due.letters + 1))


@pytest.mark.parametrize("blow", KILLS)
@pytest.mark.parametrize("call", RECEIVE_CALLS)
def test_an_event_that_is_sent_until_it_is_taken_is_one_delivery(
    call: str, blow: Blow, played: dict[tuple[str, str, str], Row]
) -> None:
    assert played[RECEIVED, call, f"killed {blow}"].end == as_due(Ending(state="delivered"))


@pytest.mark.parametrize("seed", range(1, 6))
def test_an_order_outlives_any_number_of_crashes(seed: int, place: WorkerPool, station: Station) -> None:
    dice = random.Random(seed)  # noqa: S311
    order = place.bed.pay(f"often-{seed}")
    case = Case(station, order.body)
    case.arm(
        *[
            Strike(call, blow, times=99, luck=lambda: dice.random() < 0.1)
            for call in sorted(set(DELIVERY.calls))
            for blow in KILLS
        ]
    )
    case.play()
    assert (place.bed.ending(order), case.left()) == (Ending(state="delivered"), (0, 0))
    assert case.way.killed
