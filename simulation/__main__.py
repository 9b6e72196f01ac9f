"""
The shop, simulated: run after run, each of a seed of its own, until the time is up or a promise is broken.

    python -m simulation --seconds 60          new seeds; `--hours 1` for the long run
    python -m simulation --seed 7 --explain    one run, told step by step
    python -m simulation --seed 7 --keep       the story of one that broke a promise becomes a test
    python -m simulation --beside v1           each run begins with that version, and is upgraded
"""

import gc
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from queue import SimpleQueue
from typing import Annotated

import typer
from rich.console import Console

from simulation import earlier
from simulation.kept import keep as keep_story
from simulation.run import Result, Told, cpu_s, fixed_hashes, run
from simulation.shrink import shrink

CONSOLE = Console(highlight=False, soft_wrap=True)


@dataclass(slots=True)
class Total:
    """What all runs together come to."""

    runs: int = 0
    orders: int = 0
    days: float = 0.0
    calls: int = 0
    letters: int = 0
    faults: int = 0

    def add(self, result: Result) -> None:
        self.runs += 1
        self.orders += result.orders
        self.days += result.days
        self.calls += result.calls
        self.letters += result.letters
        self.faults += len(result.struck)

    def shown(self, seconds: float) -> str:
        used = cpu_s()
        return (
            f"{self.runs:,} runs, {self.orders:,} orders, {self.letters:,} letters, {self.calls:,} calls, "
            f"{self.faults:,} faults in {seconds:,.0f} s: {self.orders / seconds:,.0f} orders/s, "
            f"{self.days / seconds:.2f} simulated days/s; {used:,.0f} s of CPU, "
            f"{self.orders / used:,.1f} orders in each of them"
        )


def main(
    seed: Annotated[int | None, typer.Option(help="The run of this seed alone.")] = None,
    seconds: Annotated[float, typer.Option(help="So long new seeds are begun.")] = 60.0,
    hours: Annotated[float, typer.Option(help="The same in hours.")] = 0.0,
    first: Annotated[int | None, typer.Option(help="The first seed; by default the time of day says which.")] = None,
    jobs: Annotated[int, typer.Option(help="Runs at once.")] = os.cpu_count() or 1,
    explain: Annotated[bool, typer.Option(help="With --seed: every step of the run.")] = False,  # noqa: FBT002
    keep: Annotated[bool, typer.Option(help="With --seed: its story becomes a test.")] = False,  # noqa: FBT002
    beside: Annotated[
        str, typer.Option(metavar="VERSION", help="Upgrade from that one: a git name, or a folder.")
    ] = "",
) -> None:
    """Ends with 1 when a promise was broken, and tells the story."""
    try:
        told = Told(earlier=earlier.of(beside) if beside else None)
    except earlier.RevisionUnknown as error:
        raise typer.BadParameter(str(error), param_hint="--beside") from error
    if seed is not None:
        raise typer.Exit(_one(seed, told, explain=explain, kept=keep))
    start = int(time.time()) if first is None else first
    raise typer.Exit(_many(start, told, seconds=hours * 3600 or seconds, jobs=jobs))


def _one(seed: int, told: Told, *, explain: bool, kept: bool) -> int:
    result = run(seed, told, keep_trace=explain)
    for line in result.trace:
        CONSOLE.print(line, markup=False)
    total = Total()
    total.add(result)
    CONSOLE.print(f"seed {seed}: {total.shown(result.seconds)}")
    CONSOLE.print(f"trace  sha256 {result.digest}")
    return _told(result, kept=kept) if result.broken else 0


def _many(first: int, told: Told, *, seconds: float, jobs: int) -> int:
    began, total = time.perf_counter(), Total()
    CONSOLE.print(f"seeds from {first} on, {jobs} at once, for {seconds:,.0f} s")
    for result in _results(first, told, began + seconds, jobs):
        total.add(result)
        if result.broken:
            CONSOLE.print(f"a promise was broken: python -m simulation --seed {result.seed}")
            return _told(result)
    CONSOLE.print(total.shown(time.perf_counter() - began))
    CONSOLE.print("promises broken: 0")
    return 0


_RUNS_OF_A_PROCESS = 6
"""Then it is a new one's turn: what runs leave behind goes with the process, and nobody has to search for it."""


def _results(first: int, told: Told, ends: float, jobs: int) -> Iterator[Result]:
    seeds, done = count(first), SimpleQueue[Result | BaseException]()
    with get_context("fork").Pool(jobs, initializer=gc.disable, maxtasksperchild=_RUNS_OF_A_PROCESS) as pool:

        def begin() -> None:
            pool.apply_async(run, (next(seeds), told), callback=done.put, error_callback=done.put)

        under_way = jobs
        for _ in range(jobs):
            begin()
        while under_way:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            if time.perf_counter() < ends and not result.broken:
                begin()
            else:
                under_way -= 1
            yield result


def _told(result: Result, *, kept: bool = False) -> int:
    story = shrink(result)
    CONSOLE.print(str(story), markup=False)
    if kept:
        keep_story(story)
    return 1


if __name__ == "__main__":
    fixed_hashes()
    typer.run(main)
