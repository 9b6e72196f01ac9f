"""
The shop, simulated: run after run, each of a seed of its own, until the time is up or a promise is broken.

    python -m simulation --seconds 60          new seeds; `--hours 1` for the long run
    python -m simulation --seed 7 --explain    one run, told step by step
    python -m simulation --seed 7 --keep       the story of one that broke a promise becomes a test
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import count
from typing import Annotated

import typer
from rich.console import Console

from simulation.kept import keep as keep_story
from simulation.run import Result, fixed_hashes, run
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
        return (
            f"{self.runs:,} runs, {self.orders:,} orders, {self.letters:,} letters, {self.calls:,} calls, "
            f"{self.faults:,} faults in {seconds:,.0f} s: {self.orders / seconds:,.0f} orders/s, "
            f"{self.days / seconds:.2f} simulated days/s"
        )


def main(
    seed: Annotated[int | None, typer.Option(help="The run of this seed alone.")] = None,
    seconds: Annotated[float, typer.Option(help="So long new seeds are begun.")] = 60.0,
    hours: Annotated[float, typer.Option(help="The same in hours.")] = 0.0,
    first: Annotated[int | None, typer.Option(help="The first seed; by default the time of day says which.")] = None,
    jobs: Annotated[int, typer.Option(help="Runs at once.")] = os.cpu_count() or 1,
    explain: Annotated[bool, typer.Option(help="With --seed: every step of the run.")] = False,  # noqa: FBT002
    keep: Annotated[bool, typer.Option(help="With --seed: its story becomes a test.")] = False,  # noqa: FBT002
) -> None:
    """Ends with 1 when a promise was broken, and tells the story."""
    if seed is not None:
        raise typer.Exit(_one(seed, explain=explain, kept=keep))
    start = int(time.time()) if first is None else first
    raise typer.Exit(_many(start, seconds=hours * 3600 or seconds, jobs=jobs))


def _one(seed: int, *, explain: bool, kept: bool) -> int:
    result = run(seed, keep_trace=explain)
    for line in result.trace:
        CONSOLE.print(line, markup=False)
    total = Total()
    total.add(result)
    CONSOLE.print(f"seed {seed}: {total.shown(result.seconds)}")
    CONSOLE.print(f"trace  sha256 {result.digest}")
    return _told(result, kept=kept) if result.broken else 0


def _many(first: int, *, seconds: float, jobs: int) -> int:
    began, total = time.perf_counter(), Total()
    CONSOLE.print(f"seeds from {first} on, {jobs} at once, for {seconds:,.0f} s")
    for result in _results(first, began + seconds, jobs):
        total.add(result)
        if result.broken:
            CONSOLE.print(f"a promise was broken: python -m simulation --seed {result.seed}")
            return _told(result)
    CONSOLE.print(total.shown(time.perf_counter() - began))
    CONSOLE.print("promises broken: 0")
    return 0


def _results(first: int, ends: float, jobs: int) -> Iterator[Result]:
    seeds = count(first)
    with ProcessPoolExecutor(jobs) as pool:
        waiting: set[Future[Result]] = {pool.submit(run, next(seeds)) for _ in range(jobs)}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                if time.perf_counter() < ends and not result.broken:
                    waiting.add(pool.submit(run, next(seeds)))
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
