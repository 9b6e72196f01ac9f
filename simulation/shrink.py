"""A failing run made small: the fewest acts and faults that still break the same promise, told as a story."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulation.clock import aware
from simulation.faults import Struck
from simulation.promises import Broken
from simulation.run import Result, Told, run
from simulation.stripe.acts import Act

_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Story:
    """What is left of a failing run: `result` is that of the run of only this."""

    seed: int
    acts: tuple[Act, ...]
    faults: tuple[Struck, ...]
    result: Result

    @property
    def broken(self) -> Broken:
        return self.result.broken[0]

    def __str__(self) -> str:
        """The acts and faults with their moments, and what came of them."""
        lines = [f"seed {self.seed}: {self.broken.promise}"]
        told = self.acts if len(self.acts) <= _MOST_TOLD else self._of_the_buyer()
        lines += [f"  {aware(act.at):%d %b %H:%M:%S}  Stripe: {act}" for act in told]
        if others := len(self.acts) - len(told):
            lines.append(f"  … and {others} acts of others, who are in the way")
        lines += [f"  fault           {one.call}: {one.fault}" for one in self.faults[:_MOST_TOLD]]
        if more := len(self.faults[_MOST_TOLD:]):
            lines.append(f"  … and {more} more faults")
        return "\n".join([*lines, f"  {self.broken}"])

    def _of_the_buyer(self) -> tuple[Act, ...]:
        return tuple(act for act in self.acts if act.number == self.broken.number)


def shrink(result: Result, *, seconds: float = 120.0) -> Story:
    """The story of a run that broke a promise: as small as it gets within so many seconds."""
    first, until = result.broken[0], time.perf_counter() + seconds

    def fails(acts: Sequence[Act], faults: Sequence[Struck] | None) -> Result | None:
        if time.perf_counter() >= until:
            return None
        told = Told(tuple(acts), None if faults is None else frozenset(faults), result.earlier)
        found = run(result.seed, told)
        return found if any(one.promise == first.promise for one in found.broken) else None

    acts = [act for act in result.acts if act.number == first.number] or result.acts
    small = fails(acts, None)
    if small is None:
        # It takes others, who are in the way.
        small, numbers = result, list(dict.fromkeys(act.number for act in result.acts))
        kept = set(_fewest(numbers, lambda some: fails(_of(result, set(some)), None) is not None))
        acts = _of(result, kept)
        small = fails(acts, None) or result
    faults: list[Struck] | None = list(small.struck)
    if fails(acts, faults) is None:
        # It took a provider that was down for hours, or more faults than those that struck.
        faults = None
    if faults is not None:
        faults = _fewest(faults, lambda some: fails(acts, some) is not None)
    acts = _fewest(acts, lambda some: fails(some, faults) is not None)
    if faults is not None:
        faults = _fewest(faults, lambda some: fails(acts, some) is not None)
    told = Told(tuple(acts), None if faults is None else frozenset(faults), result.earlier)
    return Story(result.seed, tuple(acts), tuple(faults or ()), run(result.seed, told, keep_trace=True))


def _of(result: Result, numbers: set[int]) -> list[Act]:
    return [act for act in result.acts if act.number in numbers]


def _fewest[T](things: list[T], still: Callable[[list[T]], bool]) -> list[T]:
    """Delta debugging (Zeller and Hildebrandt, 2002): as few of *things* as still do it."""
    if still([]):
        return []
    pieces = 2
    while len(things) >= 2:
        size = max(1, len(things) // pieces)
        some = [things[at : at + size] for at in range(0, len(things), size)]
        for place in range(len(some)):
            rest = [one for at, part in enumerate(some) if at != place for one in part]
            if still(rest):
                things, pieces = rest, max(2, pieces - 1)
                break
        else:
            if size == 1:
                break
            pieces = min(len(things), pieces * 2)
    return things
