"""A failing run made small: the fewest acts and faults that still break the same promise, told as a story."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulation.clock import aware
from simulation.faults import Struck
from simulation.promises import Broken
from simulation.run import Result, Told, run
from simulation.stripe.acts import Act


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
        lines += [f"  {aware(act.at):%d %b %H:%M:%S}  Stripe: {act}" for act in self.acts]
        lines += [f"  fault           {one.call}: {one.fault}" for one in self.faults]
        return "\n".join([*lines, f"  {self.broken}"])


def shrink(result: Result, *, most_runs: int = 400) -> Story:
    """The story of a run that broke a promise. At most *most_runs* runs are tried."""
    first = result.broken[0]
    left = [most_runs]

    def fails(acts: Sequence[Act], faults: Sequence[Struck] | None) -> Result | None:
        if left[0] <= 0:
            return None
        left[0] -= 1
        told = Told(tuple(acts), None if faults is None else frozenset(faults))
        found = run(result.seed, told)
        return found if any(one.promise == first.promise for one in found.broken) else None

    acts = [act for act in result.acts if act.number == first.number] or result.acts
    small = fails(acts, None)
    if small is None:
        acts, small = list(result.acts), result
    faults: list[Struck] | None = list(small.struck)
    if fails(acts, faults) is None:
        # It took a provider that was down for hours, or more faults than those that struck.
        faults = None
    if faults is not None:
        faults = _fewest(faults, lambda some: fails(acts, some) is not None)
    acts = _fewest(acts, lambda some: fails(some, faults) is not None)
    if faults is not None:
        faults = _fewest(faults, lambda some: fails(acts, some) is not None)
    told = Told(tuple(acts), None if faults is None else frozenset(faults))
    return Story(result.seed, tuple(acts), tuple(faults or ()), run(result.seed, told, keep_trace=True))


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
