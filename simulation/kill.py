"""
Each mutant against the simulation, in a process of its own, until a promise breaks: `python -m simulation.kill`.

    python -m simulation.kill                  all of them, as a table
    python -m simulation.kill --only "a1"      those whose name begins so, each with its story
    python -m simulation.kill --anew           without looking first where each was killed before (killed.json)
"""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from types import ModuleType
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from simulation.mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[1]
KILLED = Path(__file__).parent / "killed.json"
"""Where each mutant was killed: a seed, or a story of the schedules."""
_ALIVE = ("lived", "crashed")


class _Loader(importlib.machinery.SourceFileLoader):
    """Reads the source with *mutant*'s lines changed, and keeps no bytecode of it."""

    mutant: Mutant

    def get_data(self, path: str) -> bytes:
        return changed(self.mutant, self.name, Path(path).read_text()).encode()

    def path_stats(self, path: str) -> NoReturn:
        raise OSError(path)


class Changed(importlib.abc.MetaPathFinder):
    """Loads *mutant*'s modules with their lines changed. Raises ValueError when one of them is loaded already."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        if loaded := [change.module for change in mutant.changes if change.module in sys.modules]:
            raise ValueError(f"too late to change {', '.join(loaded)}")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if all(change.module != fullname for change in self._mutant.changes):
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if found is None or found.origin is None:
            return None
        loader = _Loader(fullname, found.origin)
        loader.mutant = self._mutant
        return importlib.util.spec_from_file_location(fullname, found.origin, loader=loader)


def changed(mutant: Mutant, module: str, source: str) -> str:
    """*module*'s source as the mutant has it. Raises ValueError unless each of its lines is there exactly once."""
    for _, before, after in (one for one in mutant.changes if one.module == module):
        if source.count(before) != 1:
            raise ValueError(f"“{mutant.name}”: a line of it is {source.count(before)} times in {module}")
        source = source.replace(before, after)
    return source


def main(
    only: Annotated[str, typer.Option(help="Those whose name begins so, each with its story.")] = "",
    seconds: Annotated[float, typer.Option(help="So long each is given.")] = 120.0,
    jobs: Annotated[int, typer.Option(help="Mutants at once.")] = os.cpu_count() or 1,
    first: Annotated[int, typer.Option(help="The first seed.")] = 1,
    anew: Annotated[bool, typer.Option(help="Hunt all of them again, and write down where.")] = False,  # noqa: FBT002
) -> None:
    """Ends with 1 when one lived."""
    known: dict[str, str] = {} if anew else json.loads(KILLED.read_text())
    console, chosen = Console(soft_wrap=True), [one for one in MUTANTS if one.name.startswith(only)]
    began = time.perf_counter()
    found, killed = list[str](), dict[str, str]()
    with ThreadPoolExecutor(jobs) as pool:
        at_work = {
            pool.submit(_in_a_process, one, seconds, first, known.get(one.name, ""), story=bool(only)): one
            for one in chosen
        }
        for future in as_completed(at_work):
            promise, seed, took, story = future.result()
            found.append(promise)
            if promise not in _ALIVE:
                killed[at_work[future].name] = seed
            line = f"{at_work[future].name:<72} {promise:<32} {seed:>24} {took:>6} s"
            console.print(line, markup=False, highlight=False)
            if only or promise == "crashed":
                console.print(story, markup=False, highlight=False)
    console.print(f"{len(killed)} of {len(found)} killed in {time.perf_counter() - began:.0f} s")
    if anew:
        kept = json.loads(KILLED.read_text()) | killed
        KILLED.write_text(json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False) + "\n")
    raise typer.Exit(len(killed) < len(found))


def _in_a_process(mutant: Mutant, seconds: float, first: int, known: str, *, story: bool) -> tuple[str, str, str, str]:
    asked = [mutant.name, str(seconds), str(first), known, str(int(story))]
    command = [sys.executable, "-m", "simulation.kill_one", *asked]
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return "crashed", "", "", done.stderr[-2_000:]
    promise, seed, took, *told = done.stdout.split("\n", 3)
    return promise, seed, took, told[0] if told else ""


if __name__ == "__main__":
    typer.run(main)
