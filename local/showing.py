"""What the laptop's commands print, on a terminal and into a log file alike."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from local.hosting.endpoints import Endpoints
from local.hosting.processes import PartFailed
from local.paying import Outcome
from local.settings import ROOT

out = Console()


errors = Console(stderr=True)


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


def short(path: Path) -> Path:
    """As it is written from the root of the repository, where it lies in there."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def report(outcome: Outcome, *, as_json: bool) -> None:
    facts = outcome.facts()
    if as_json:
        out.print_json(data=facts)
        return
    told = facts.pop("events")
    show({name.replace("_", " "): str(value) for name, value in facts.items() if value is not None})
    for kind, answer in told.items():
        show({"told": f"{answer}  {kind}"})
    if outcome.letter is None:
        show({"letter": "none came, and none was due"})


def addresses(of: Endpoints) -> dict[str, str]:
    return {
        "Stripe webhook": of.stripe_webhook_url,
        "Fast.io webhook": of.fastio_webhook_url,
        "inbox": of.inbox_url,
        "Stripe": of.stripe_url,
        "Fast.io": of.fastio_url,
        "AWS": of.aws_endpoint_url,
        "to sell": f"fastio_workspace={of.fastio_workspace} fastio_files={of.fastio_files}",
        "logs": of.logs,
    }


def show(rows: dict[str, str]) -> None:
    for name, value in rows.items():
        # Whole, however narrow the terminal: these are to be copied.
        out.print(Text.assemble((f"  {name:<16}", "dim"), value), soft_wrap=True)


def say_what_failed(exc: PartFailed) -> None:
    errors.print(f"✗ {exc.part}: {exc.why}", style="red", markup=False, highlight=False, soft_wrap=True)
    for line in exc.last_lines():
        errors.print(f"    {line}", markup=False, highlight=False, soft_wrap=True)
    if exc.log:
        errors.print(f"  The whole log: {exc.log}", markup=False, highlight=False, soft_wrap=True)
