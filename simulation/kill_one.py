"""One mutant, changed before anything of it is loaded; run after run until a promise breaks. Started by `kill`."""

import sys
import time

from simulation.kill import Changed
from simulation.mutants import MUTANTS

_RUNS_BEFORE_SCHEDULES = 2


def main(name: str, seconds: float, first: int, *, story: bool) -> None:
    """Prints the promise that broke (or `lived`), the seed, the seconds it took, and the story."""
    [mutant] = [one for one in MUTANTS if one.name == name]
    sys.meta_path.insert(0, Changed(mutant))
    from simulation.run import run  # noqa: PLC0415  # Only now: it loads what is changed.
    from simulation.schedules import STORIES, explore  # noqa: PLC0415
    from simulation.shrink import shrink  # noqa: PLC0415

    began, seed = time.perf_counter(), first
    while time.perf_counter() - began < seconds:
        if seed == first + _RUNS_BEFORE_SCHEDULES:
            for one in STORIES:
                _, broken, _ = explore(one, switches=1, faults=1, until=began + seconds)
                if broken:
                    promise = broken[0].broken[0].split("  ", 1)[1].partition(":")[0]
                    print(promise, f"“{one.name}”", f"{time.perf_counter() - began:.1f}", sep="\n")
                    print(*map(str, broken[0].schedule), *broken[0].told, *broken[0].broken, sep="\n")
                    return
        result = run(seed)
        if result.broken:
            took = time.perf_counter() - began
            print(result.broken[0].promise, seed, f"{took:.1f}", sep="\n")
            print(shrink(result) if story else result.broken[0])
            return
        seed += 1
    print("lived", "", f"{seconds:.0f}", "", sep="\n")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), story=sys.argv[4] == "1")
