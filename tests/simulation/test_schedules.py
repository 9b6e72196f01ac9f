"""Two workers at one order: every schedule within bounds keeps the promises; where one does not, it is seen."""

import math

import pytest

from paidshare.delivering.lease import Lease
from simulation.schedules import STORIES, SWITCH, TwoWorkers, explore


def story(name: str) -> TwoWorkers:
    [found] = [one for one in STORIES if one.name == name]
    return found


@pytest.mark.parametrize(("name", "least"), [("paid", 400), ("refund failed", 200), ("dispute lost", 80)])
def test_no_schedule_of_one_interruption_and_one_fault_breaks_a_promise(name: str, least: int) -> None:
    played, broken, whole = explore(story(name), switches=1, faults=1, until=math.inf)
    assert whole
    assert played >= least
    assert [one.broken for one in broken] == []


def test_the_parts_of_a_story_are_the_whole_of_it() -> None:
    found = story("payment failed")
    whole, _, _ = explore(found, switches=1, faults=1, until=math.inf)
    parts = [explore(found, switches=1, faults=1, until=math.inf, part=(part, 3))[0] for part in range(3)]
    assert sum(parts) == whole


def test_a_letter_that_leaves_twice_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written down before it leaves."""
    monkeypatch.setattr(Lease, "record", lambda *_: None)
    _, broken, _ = explore(story("paid"), switches=0, faults=1, until=math.inf)
    assert any(each.promise == "one_letter_of_each_change" for one in broken for each in one.broken)
    assert SWITCH not in {each.what for one in broken for each in one.schedule}
