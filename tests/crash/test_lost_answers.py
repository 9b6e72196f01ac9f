"""Fast.io does what it is asked to, and the answer never arrives."""

from typing import Any

import pytest

from tests.crash import crashing
from tests.crash.rows import Row
from tests.crash.scenarios import ADD, ARCHIVE, CREATE, DELIVERY, REFUND, REOPENING, UNARCHIVE, Scenario
from tests.crash.station import Case, Station
from tests.crash.worker_pool import WorkerPool

pytestmark = pytest.mark.stack

_CHAPTER = "Fast.io’s answer is lost after the work is done"
_ADDED = "POST /share/*/storage/root/addfile/"
_LOST = [
    pytest.param(DELIVERY, CREATE, "POST /workspace/*/create/share/", 1, id="create"),
    pytest.param(DELIVERY, ADD, _ADDED, 1, id="add-the-first"),
    pytest.param(DELIVERY, ADD, _ADDED, 2, id="add-the-second"),
    pytest.param(REFUND, ARCHIVE, "POST /share/*/archive/", 1, id="archive"),
    pytest.param(REOPENING, UNARCHIVE, "POST /share/*/unarchive/", 1, id="unarchive"),
]


@pytest.mark.parametrize("status", [0, 503])
@pytest.mark.parametrize(
    ("scenario", "call", "match", "nth"), _LOST, ids=lambda value: str(getattr(value, "name", value))
)
def test_what_was_done_is_not_done_twice(
    scenario: Scenario,
    call: str,
    match: str,
    nth: int,
    status: int,
    place: WorkerPool,
    station: Station,
    table: list[Row],
) -> None:
    (order,) = crashing.orders(place, scenario, f"lost-{scenario.name}-{scenario.calls.index(call)}-{nth}-{status}", 1)
    case = Case(station, order.body)
    untroubled: list[dict[str, Any]] = [{"match": match, "status": None, "times": nth - 1}] if nth > 1 else []
    place.bed.faults([*untroubled, {"match": match, "status": status, "times": 1, "after": True}])
    case.play()
    place.bed.faults([])
    ending = place.bed.ending(order)
    what = "connection dropped" if status == 0 else f"{status} in its place"
    table.append(Row(_CHAPTER, scenario.step(call, nth), what, case.way, ending, case.left()))
    assert (ending, case.left()) == (scenario.due, (0, 0))
