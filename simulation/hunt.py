"""Runs and schedules until a promise breaks: some seconds of runs, then schedules with few differences, then runs."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from simulation.chance import Chance
from simulation.run import run
from simulation.schedules import STORIES, TwoWorkers, explore
from simulation.shrink import shrink
from simulation.walk import Season, season

_SECONDS_OF_RUNS = 4.0
_WEEKS = 30.0
_BOUNDS = ((0, 1), (1, 0), (1, 1), (2, 0), (0, 2))
"""Switches and faults, the few first."""


@dataclass(frozen=True, slots=True)
class Found:
    """The *promise* that broke, *where* (the seed, or the schedule's story), and what happened."""

    promise: str
    where: str
    story: str


def hunt(*, seconds: float, first: int, tell: bool, weeks: bool = False, known: str = "") -> Found | None:
    """
    The seeds count from *first*; with *weeks* only those of long runs. Where it was *known* to break is tried before
    all else. A run is made small only where *tell* says so.
    """
    now = time.perf_counter()
    until = now + seconds
    seeds = (seed for seed in count(first) if _is_of(season(Chance(seed)), weeks=weeks))
    if known.isdecimal() and (found := _in_runs(iter([int(known)]), until, tell=tell)):
        return found
    if known and (found := _in_schedules(until, [one for one in STORIES if f"“{one.name}”" == known])):
        return found
    return (
        _in_runs(seeds, until if weeks else now + _SECONDS_OF_RUNS, tell=tell)
        or _in_schedules(until, STORIES)
        or _in_runs(seeds, until, tell=tell)
    )


def _is_of(found: Season, *, weeks: bool) -> bool:
    """Whether much happens in it, and for so long."""
    return not found.quiet and (found.days > _WEEKS) is weeks


def _in_runs(seeds: Iterator[int], until: float, *, tell: bool) -> Found | None:
    for seed in seeds:
        if time.perf_counter() >= until:
            return None
        result = run(seed)
        if result.broken:
            broken = result.broken[0]
            return Found(broken.promise, str(result.seed), str(shrink(result) if tell else broken))
    return None


def _in_schedules(until: float, stories: Sequence[TwoWorkers]) -> Found | None:
    for switches, faults in _BOUNDS:
        for story in stories:
            if not _has_too_many(story, switches, faults):
                _, broken, _ = explore(story, switches=switches, faults=faults, until=until, stop_at_first=True)
                for one in broken:
                    told = "\n".join([*map(str, one.schedule), *one.told, *map(str, one.broken)])
                    return Found(one.broken[0].promise, f"“{story.name}”", told)
    return None


def _has_too_many(story: TwoWorkers, switches: int, faults: int) -> bool:
    """
    A round of the sweep has many calls: with a switch and a fault they make five thousand schedules. Two faults are for
    the story that takes them.
    """
    return (story.sweeps and bool(switches and faults)) or (faults > 1 and not story.apart)
