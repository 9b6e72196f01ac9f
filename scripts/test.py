"""
`make test`: every test, in six parts side by side.

Most of the time of a deployed system, and of one whose workers are killed, is waiting: one after the other the parts
take about twice as long on two cores. Ends with 0 only when every part did.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).resolve().parent.parent
_SOAK = "tests/stack/test_soak.py"
_DEPLOYS = "tests/stack/test_deploys.py"


@dataclass(frozen=True, slots=True)
class Part:
    """What pytest is told, beyond the configuration."""

    name: str
    arguments: tuple[str, ...]

    def begin(self, output: IO[bytes] | None) -> subprocess.Popen[bytes]:
        """Its pytest, on a cache of its own. *output* None: to the terminal."""
        cache = ("-o", f"cache_dir=.pytest_cache/{self.name}")
        command = [sys.executable, "-m", "pytest", *cache, *self.arguments]
        return subprocess.Popen(command, cwd=_ROOT, stdout=output, stderr=output and subprocess.STDOUT)


# A new folder of tests falls to the first.
_PORTS = ("tests/contract", "tests/functions", "tests/local")
_SHOP = ("tests/operate", "tests/simulation")
CODE = Part("code", ("tests", *(f"--ignore={folder}" for folder in ("tests/stack", "tests/crash", *_PORTS, *_SHOP))))
BESIDE = (
    Part("ports", _PORTS),
    Part("shop", _SHOP),
    Part("deployed", ("tests/stack", f"--ignore={_SOAK}", f"--ignore={_DEPLOYS}")),
    Part("deploys", (_DEPLOYS,)),
    Part("trouble", ("tests/crash", _SOAK)),
)


def main() -> int:
    """The first part is seen at work, the others when they are done."""
    with tempfile.TemporaryDirectory() as folder:
        logs = [Path(folder) / part.name for part in BESIDE]
        beside = [_begun(part, log) for part, log in zip(BESIDE, logs, strict=True)]
        try:
            failed = [CODE.name] if CODE.begin(None).wait() else []
            for part, process, log in zip(BESIDE, beside, logs, strict=True):
                code = process.wait()
                print(f"\n== {part.name}: pytest {' '.join(part.arguments)}\n{log.read_text()}", flush=True)
                failed += [part.name] if code else []
        except KeyboardInterrupt:
            # Ctrl-C reaches all of them; each ends what it started.
            for process in beside:
                process.wait()
            return 130
    print(f"Failed: {', '.join(failed)}" if failed else f"All of it passed: {CODE.name}, {_names()}")
    return 1 if failed else 0


def _begun(part: Part, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return part.begin(output)


def _names() -> str:
    return ", ".join(part.name for part in BESIDE)


if __name__ == "__main__":
    sys.exit(main())
