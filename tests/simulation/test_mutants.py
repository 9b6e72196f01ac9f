"""Each mutant still is what it says; that all are killed takes minutes, and is `make mutants`."""

import importlib.util
from pathlib import Path

import pytest

from simulation.kill import changed
from simulation.mutants import MUTANTS, Mutant


def source_of(module: str) -> str:
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).read_text()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_its_lines_are_there_once_and_can_be_changed(mutant: Mutant) -> None:
    for module in {change.module for change in mutant.changes}:
        source = source_of(module)
        other = changed(mutant, module, source)
        compile(other, module, "exec")
        assert other != source


def test_there_are_more_than_forty_and_no_two_of_one_name() -> None:
    assert len(MUTANTS) > 40
    assert len({one.name for one in MUTANTS}) == len(MUTANTS)
