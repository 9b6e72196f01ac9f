"""One mutant, changed before anything of it is loaded, until a promise breaks. Started by `kill`."""

import sys
import time

from simulation.kill import Changed
from simulation.mutants import MUTANTS


def main(name: str, seconds: float, first: int, known: str, *, story: bool) -> None:
    """Prints the promise that broke (or `lived`), the seed or the schedule's story, the seconds, and what happened."""
    [mutant] = [one for one in MUTANTS if one.name == name]
    sys.meta_path.insert(0, Changed(mutant))
    from simulation.hunt import hunt  # noqa: PLC0415  # Only now: it loads what is changed.

    began = time.perf_counter()
    found = hunt(seconds=seconds, first=first, tell=story, weeks=mutant.weeks, known=known)
    took = f"{time.perf_counter() - began:.1f}"
    print(*(("lived", "", took, "") if found is None else (found.promise, found.where, took, found.story)), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4], story=sys.argv[5] == "1")
