"""A failing run becomes a story of a few acts and faults, and a story becomes a test."""

from pathlib import Path
from typing import Any

import pytest

from paidshare.delivering import entitlement
from simulation import kept
from simulation.faults import Fault, Struck
from simulation.run import run
from simulation.shrink import Story, _moved, shrink

PROMISE = "true_when_it_leaves"


@pytest.fixture(scope="module")
def story() -> Story:
    """Of a shop in which a refund ends nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entitlement, "is_refunded", lambda *_: False)
        result = run(1)
        assert result.broken
        return shrink(result)


def test_a_story_has_at_most_three_acts_and_three_faults_and_breaks_the_same_promise(story: Story) -> None:
    assert len(story.acts) <= 3
    assert len(story.faults) <= 3
    assert {act.what for act in story.acts} >= {"buys", "refunds"}
    assert story.broken.promise == PROMISE


def test_a_fault_is_found_again_where_fewer_acts_left_fewer_calls() -> None:
    """The third look is the first one then; and its call may have another number, but does the same."""
    before = [
        "10.000 deliver 3.Fast.io.0 GET /a",
        "900.000 deliver 3.Fast.io.1 GET /a",
        "901.000 sweep 2.SQS.7 SendBatch 3",
    ]
    after = [
        "900.500 deliver 3.Fast.io.0 GET /a: refused",
        "901.000 sweep 2.SQS.4 SendBatch 1",
        "905.000 sweep 2.SQS.5 Get",
    ]
    faults = [Struck("deliver 3.Fast.io.1", Fault.LOST), Struck("sweep 2.SQS.7", Fault.REFUSED)]
    assert _moved(faults, before, after) == [
        Struck("deliver 3.Fast.io.0", Fault.LOST),
        Struck("sweep 2.SQS.4", Fault.REFUSED),
    ]
    assert _moved(faults[:1], before, after[1:]) == []


def test_a_person_can_read_it(story: Story) -> None:
    first, *_, last = str(story).splitlines()
    assert first == f"seed 1: {PROMISE}"
    assert "Stripe: refunds all" in str(story)
    assert "and it was ended" in last


def test_it_is_kept_once_and_told_again(story: Story, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    for _ in range(2):
        kept.keep(story, file)
    [one] = kept.read(file)
    # With the refund as it should be, the same story breaks nothing.
    assert run(one["seed"], kept.told(one)).broken == []


@pytest.mark.parametrize("one", kept.read(), ids=lambda one: f"{one['seed']} {one['promise']}")
def test_a_kept_story_breaks_no_promise_any_more(one: dict[str, Any]) -> None:
    assert [str(each) for each in run(one["seed"], kept.told(one)).broken] == []
