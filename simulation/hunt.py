"""Runs and schedules until a promise breaks: some seconds of runs, then schedules with few differences, then runs."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from simulation.chance import Chance
from simulation.run import run
from simulation.schedules import STORIES, TwoWorkers, explore
from simulation.shrink import shrink
from simulation.walk import season

_SECONDS_OF_RUNS = 4.0
_BOUNDS = ((0, 1), (1, 0), (1, 1), (2, 0))
"""Switches and faults, the few first."""


@dataclass(frozen=True, slots=True)
class Found:
    """The *promise* that broke, *where* (the seed, or the schedule's story), and what happened."""

    promise: str
    where: str
    story: str


def hunt(*, seconds: float, first: int, tell: bool) -> Found | None:
    """The seeds count from *first*; a run is made small only where *tell* says so."""
    eventful = (seed for seed in count(first) if not season(Chance(seed)).quiet)
    now = time.perf_counter()
    until = now + seconds
    return (
        _in_runs(eventful, now + _SECONDS_OF_RUNS, tell=tell)
        or _in_schedules(until)
        or _in_runs(eventful, until, tell=tell)
    )


def _in_runs(seeds: Iterator[int], until: float, *, tell: bool) -> Found | None:
    while time.perf_counter() < until:
        result = run(next(seeds))
        if result.broken:
            broken = result.broken[0]
            return Found(broken.promise, str(result.seed), str(shrink(result) if tell else broken))
    return None


def _in_schedules(until: float) -> Found | None:
    for switches, faults in _BOUNDS:
        for story in STORIES:
            if not _has_too_many(story, switches, faults):
                _, broken, _ = explore(story, switches=switches, faults=faults, until=until, stop_at_first=True)
                for one in broken:
                    promise = one.broken[0].split("  ", 1)[1].partition(":")[0]
                    told = "\n".join([*map(str, one.schedule), *one.told, *one.broken])
                    return Found(promise, f"“{story.name}”", told)
    return None


def _has_too_many(story: TwoWorkers, switches: int, faults: int) -> bool:
    """A round of the sweep has many calls: with a switch and a fault they make five thousand schedules."""
    return story.sweeps and bool(switches and faults)
