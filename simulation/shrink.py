"""A failing run made small: the fewest acts and faults that still break the same promise, told as a story."""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from simulation.clock import aware
from simulation.faults import Struck
from simulation.promises import Broken
from simulation.run import Result, Told, run
from simulation.stripe.acts import Act

_MOST_TOLD = 20
_FEW = (1, 2, 3, 4)
"""So many acts next to each other are left out from wherever on; of so many faults each is looked for anew."""


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
    began = time.perf_counter()
    found = _Shrinking(result, began + seconds / 3)
    found.buyers()
    # Where it takes many runs to leave out others, or faults, some time is left for acts.
    found.until = began + 2 * seconds / 3
    found.fewer_faults()
    found.until = began + seconds
    while found.fewer_acts():
        found.fewer_faults()
    return found.story()


class _Shrinking:
    """
    The smallest run so far that breaks the promise that *result* broke: its acts, and its faults; None where those are
    not told, but drawn, because a provider was down for hours.
    """

    def __init__(self, result: Result, until: float) -> None:
        self._whole = result
        self.until = until
        self._promise = result.broken[0].promise
        self._acts: list[Act] = list(result.acts)
        self._faults: list[Struck] | None = None
        self._small = result
        self._mine = [act for act in result.acts if act.number == result.broken[0].number] or self._acts

    def buyers(self) -> None:
        """The buyer's acts alone, or those of as few others as it takes, who are in the way."""
        mine = self._mine
        if self._breaks(mine, None):
            return
        # Perhaps it takes not the others, but what went wrong while they were there.
        full = run(self._whole.seed, Told(earlier=self._whole.earlier), keep_trace=True)
        if self._breaks(mine, _moved(full.struck, full.trace, self._run(mine, []).trace)):
            return
        numbers = list(dict.fromkeys(act.number for act in self._whole.acts))
        _fewest(numbers, lambda some: self._breaks(self._of(set(some)), None))

    def fewer_faults(self) -> None:
        if self._faults is None and not self._breaks(self._acts, self._small.struck):
            return
        _fewest(self._faults or [], lambda some: self._breaks(self._acts, some))

    def fewer_acts(self) -> bool:
        """Whether any could be left out: all of the others', then half of them, and less and less, from wherever on."""
        before = len(self._acts)
        if len(self._mine) < before:
            self._is_enough(self._mine)
        for size in sorted({*_FEW, *(before >> halved for halved in range(1, before.bit_length()))}, reverse=True):
            at = 0
            while at + size <= len(self._acts):
                if not self._is_enough([*self._acts[:at], *self._acts[at + size :]]):
                    at += max(1, size // 2)
        return len(self._acts) < before

    def story(self) -> Story:
        acts, faults = tuple(self._acts), tuple(self._faults or ())
        told = Told(acts, None if self._faults is None else frozenset(faults), self._whole.earlier)
        return Story(self._whole.seed, acts, faults, run(self._whole.seed, told, keep_trace=True))

    def _is_enough(self, rest: list[Act]) -> bool:
        if self._breaks(rest, self._faults):
            return True
        if not self._faults or len(self._faults) > max(_FEW) or time.perf_counter() >= self.until:
            return False
        # With fewer acts there are fewer calls: the same one has another number then.
        moved: list[Struck] = []
        for fault in self._faults:
            moved += _moved([fault], self._small.trace, self._run(rest, moved).trace)
        return self._breaks(rest, moved)

    def _breaks(self, acts: list[Act], faults: list[Struck] | None) -> bool:
        """Whether a run of these breaks the promise, too; it is the smallest one then."""
        if time.perf_counter() >= self.until:
            return False
        found = self._run(acts, faults)
        if all(one.promise != self._promise for one in found.broken):
            return False
        self._acts, self._faults, self._small = acts, faults, found
        return True

    def _run(self, acts: list[Act], faults: list[Struck] | None) -> Result:
        told = Told(tuple(acts), None if faults is None else frozenset(faults), self._whole.earlier)
        return run(self._whole.seed, told, keep_trace=True)

    def _of(self, numbers: set[int]) -> list[Act]:
        return [act for act in self._whole.acts if act.number in numbers]


_CALL = re.compile(r"(?P<at>[0-9.]+) (?P<of>.+?\.(?:Fast\.io|[A-Z][A-Za-z ]*)\.)(?P<number>[0-9]+) (?P<what>[^:]*)")
_NEAR_S = 600.0


def _moved(faults: Iterable[Struck], before: Iterable[str], after: Iterable[str]) -> list[Struck]:
    """
    The *faults*, which struck in the run whose trace is *before*, at the calls of the run with the trace *after* that
    do the same in the same place at about the same time, to the same thing if there is one; without those of which
    there are none.
    """
    told = {f"{one['of']}{one['number']}": one for one in map(_CALL.match, before) if one}
    there: dict[tuple[str, str], list[re.Match[str]]] = {}
    for one in filter(None, map(_CALL.match, after)):
        there.setdefault((one["of"], _operation(one)), []).append(one)
    moved = list[Struck]()
    for fault in faults:
        was = told.get(fault.call)
        some = there.get((was["of"], _operation(was)), []) if was else []
        if was is None or not some:
            continue
        near = min(some, key=partial(_apart, was))
        if _apart(was, near)[1] <= _NEAR_S:
            moved.append(Struck(f"{near['of']}{near['number']}", fault.fault))
    return moved


def _operation(call: re.Match[str]) -> str:
    return call["what"].split(" ", 1)[0]


def _apart(one: re.Match[str], other: re.Match[str]) -> tuple[bool, float]:
    return one["what"] != other["what"], abs(float(one["at"]) - float(other["at"]))


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
