"""Starts programs under the keeper, with their output in a log, and says what happened when one fails."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from local.hosting import keeper

_KEEPER = Path(keeper.__file__)
_TAIL_LINES = 25


class PartFailed(Exception):
    """One part of the laptop's system did not start or did not do its work: which, why, and where to read on."""

    def __init__(self, part: str, why: str, *, log: Path | None = None) -> None:
        super().__init__(f"{part}: {why}")
        self.part = part
        self.why = why
        self.log = log

    def last_lines(self) -> list[str]:
        """The end of the part's log: mostly the reason."""
        if self.log is None or not self.log.exists():
            return []
        return self.log.read_text("utf-8", "replace").splitlines()[-_TAIL_LINES:]


@contextlib.contextmanager
def kept(command: Sequence[str], *, log: Path, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """
    *command* runs while the block does, and not a moment longer, whatever becomes of this process.

    Yields the keeper, whose end is the command's. The log is begun anew.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            # -S -E: the keeper needs no packages, and starts in a third of the time without them.
            [sys.executable, "-S", "-E", str(_KEEPER), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environ),
            # Out of the terminal's foreground group: Ctrl-C comes to us alone, and we end the rest in order.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(keeper.GRACE_SECONDS + 5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(part: str, command: Sequence[str], *, log: Path, environ: Mapping[str, str]) -> None:
    """Run *command* to its end. Raises PartFailed when that is not exit code 0."""
    if not Path(command[0]).exists():
        raise PartFailed(part, f"{command[0]} is not there: `make local` and `make demo` set it up")
    with kept(command, log=log, environ=environ) as process:
        code = process.wait()
    if code:
        raise PartFailed(part, f"exit code {code}", log=log)
