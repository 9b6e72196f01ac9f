"""Shows what is going on and how long it took, on a terminal and in a log file alike."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console


class Progress:
    """A line per step. Quiet unless given a console."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(quiet=True)

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """While the block runs, *what* is under way; afterwards it is done or has failed."""
        began = time.monotonic()
        with contextlib.ExitStack() as shown:
            if self._console.is_terminal:
                shown.enter_context(self._console.status(f"{what} …"))
            try:
                yield
            except BaseException:
                shown.close()
                self._line("[red]✗[/red]", what, time.monotonic() - began)
                raise
        self._line("[green]✓[/green]", what, time.monotonic() - began)

    def say(self, what: str) -> None:
        self._console.print(what, highlight=False)

    def _line(self, mark: str, what: str, seconds: float) -> None:
        self._console.print(f"{mark} {what:<46} [dim]{seconds:6.1f} s[/dim]", highlight=False)
