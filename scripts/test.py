"""
`make test`: every test, in parts beside each other.

Most of the time of a deployed system, and of one whose workers are killed, is waiting: one after the other the parts
take about twice as long on two cores. All at once they are slower again, and wait for each other until something gives
up; so one more than there are cores. Ends with 0 only when every part did, and says what each cost.
"""

import os
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_ROOT))

from scripts import pages  # noqa: E402

_SOAK = "tests/stack/test_soak.py"
_DEPLOYS = "tests/stack/test_deploys.py"
# A new folder of tests falls to `code`.
_PORTS = ("tests/contract", "tests/functions", "tests/local")
_SHOP = ("tests/operate", "tests/simulation")


@dataclass(frozen=True, slots=True)
class Part:
    """What pytest is told, beyond the configuration."""

    name: str
    arguments: tuple[str, ...]

    def begin(self, log: Path) -> int:
        """Its pytest, on a cache of its own, which writes into *log* → its process's id."""
        cache = ("-o", f"cache_dir=.pytest_cache/{self.name}")
        command = [sys.executable, "-m", "pytest", *cache, *self.arguments]
        write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        actions = [(os.POSIX_SPAWN_OPEN, 1, str(log), write, 0o644), (os.POSIX_SPAWN_DUP2, 1, 2)]
        return os.posix_spawn(sys.executable, command, os.environ, file_actions=actions)


@dataclass(frozen=True, slots=True)
class Ended:
    """A part that ran: its exit code, and what it took with all that it started and waited for."""

    part: Part
    code: int
    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        result = "failed" if self.code else "passed"
        return f"{self.part.name} {result}, {self.seconds:.0f} s, of CPU {self.cpu_seconds:.0f} s"


# Those that wait the most come first, and the rest fills what they leave.
PARTS = (
    Part("trouble", ("tests/crash", _SOAK)),
    Part("deploys", (_DEPLOYS,)),
    Part("deployed", ("tests/stack", f"--ignore={_SOAK}", f"--ignore={_DEPLOYS}")),
    Part("shop", _SHOP),
    Part("ports", _PORTS),
    Part("code", ("tests", *(f"--ignore={folder}" for folder in ("tests/stack", "tests/crash", *_PORTS, *_SHOP)))),
)


def main() -> int:
    """Each part's own words are shown when it has ended."""
    os.chdir(_ROOT)
    waiting, running, ended = deque(PARTS), dict[int, tuple[Part, float]](), list[Ended]()
    with tempfile.TemporaryDirectory() as folder:
        try:
            while waiting or running:
                while waiting and len(running) <= (os.cpu_count() or 1):
                    part = waiting.popleft()
                    print(f"{part.name} …", flush=True)
                    running[part.begin(Path(folder) / part.name)] = part, time.monotonic()
                pid, status, used = os.wait4(-1, 0)
                part, began = running.pop(pid)
                code = os.waitstatus_to_exitcode(status)
                ended.append(Ended(part, code, time.monotonic() - began, used.ru_utime + used.ru_stime))
                told = (Path(folder) / part.name).read_text(encoding="utf-8", errors="replace")
                print(f"\n== {part.name}: pytest {' '.join(part.arguments)}\n{told}", flush=True)
        except KeyboardInterrupt:
            # Ctrl-C reaches all of them; each ends what it started.
            for pid in running:
                os.waitpid(pid, 0)
            return 130
    print("\n".join(str(one) for one in ended))
    print(f"Left out, as it needs a browser and npm (`make pages`): {pages.all_of_it()}")
    failed = [one.part.name for one in ended if one.code]
    print(f"Failed: {', '.join(failed)}" if failed else "All of it passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
