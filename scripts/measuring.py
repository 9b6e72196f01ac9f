"""What the measuring commands share: the built functions, each run alone in a process, and the tables."""

import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.aws import deploying, environs
from local.hosting.processes import PartFailed
from local.settings import (
    FASTIO_API_KEY,
    FASTIO_WEBHOOK_SECRET,
    REGION,
    SECRET_NAME,
    SENDER,
    STRIPE_API_KEY,
    STRIPE_WEBHOOK_SECRET,
)

_ALONE = Path(__file__).with_name("measured") / "alone.py"
_LONGEST_LIFE_S = 90.0  # Nothing here takes half as long; what hangs ends all the same.

SECRET: dict[str, Any] = {
    "stripe_api_key": STRIPE_API_KEY,
    "stripe_webhook_secrets": [STRIPE_WEBHOOK_SECRET],
    "fastio_api_key": FASTIO_API_KEY,
    "fastio_webhook_secrets": [FASTIO_WEBHOOK_SECRET],
    "link_key": "k" * 64,
}


@dataclass(frozen=True, slots=True)
class Handled:
    """What a process made of some events, and what each cost it. Times are in seconds."""

    answers: list[dict[str, Any]]
    seconds: list[float]
    cpu_seconds: list[float]
    cpu_seconds_since_start: float


@dataclass(frozen=True, slots=True)
class Built:
    """A copy of what `sam build` made, and room beside it for variants. Folders, to be run with `alone`."""

    home: Path

    def function(self, name: str) -> Path:
        return self.home / "build" / name

    @property
    def packages(self) -> Path:
        """The dependency layer, with bytecode."""
        return self.home / "build" / "DependenciesLayer" / "python"

    def packages_without_bytecode(self) -> Path:
        """The dependency layer as a plain `sam build` would leave it."""
        bare = self.home / "without-bytecode"
        if not bare.exists():
            shutil.copytree(self.packages, bare, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        return bare

    def measured(self, name: str) -> Path:
        """A handler of scripts/measured as a function's folder."""
        folder = self.home / name
        folder.mkdir(exist_ok=True)
        shutil.copyfile(_ALONE.with_name(f"{name}.py"), folder / "handler.py")
        return folder


@contextlib.contextmanager
def built() -> Iterator[Built]:
    """What `sam build` makes of the sources as they are now, in a folder of its own while the block runs."""
    with tempfile.TemporaryDirectory(prefix="paidshare-bench-") as scratch:
        home = Path(scratch)
        (home / "logs").mkdir()
        try:
            with deploying.built(home / "logs"):
                shutil.copytree(deploying.BUILD, home / "build")
        except PartFailed as error:
            sys.exit("\n".join([*error.last_lines(), str(error)]))
        yield Built(home)


class Alone:
    """A process of one function that handles what it is given."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def handle(self, *events: dict[str, Any]) -> Handled:
        """One after the other. Ends the measuring when the function fails."""
        sent, told = self._process.stdin, self._process.stdout
        line = ""
        with contextlib.suppress(BrokenPipeError):
            if sent and told:
                sent.write(json.dumps(events) + "\n")
                sent.flush()
                line = told.readline()
        if not line:
            sys.exit("the function failed or took too long; what it said is above")
        return Handled(**json.loads(line))


@contextlib.contextmanager
def alone(*folders: Path, **variables: str) -> Iterator[Alone]:
    """
    A fresh process of the function in the first of *folders*, with the others as its layers and nothing else.

    -I and -S: no site-packages. -B: no bytecode is written, as on Lambda, whose file system is read-only.
    """
    environ = environs.bare(AWS_DEFAULT_REGION=REGION, **environs.ROOT_KEYS, **_VARIABLES, **variables)
    command = [sys.executable, "-I", "-S", "-B", str(_ALONE), *map(str, folders)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ, cwd=os.sep
    ) as process:
        overdue = threading.Timer(_LONGEST_LIFE_S, process.kill)
        overdue.daemon = True
        overdue.start()
        try:
            yield Alone(process)
        finally:
            overdue.cancel()
            process.kill()


_VARIABLES = {
    "STAGE": "local",
    "STRIPE_MODE": "test",
    "SECRET_NAME": SECRET_NAME,
    "QUEUE_URL": "http://127.0.0.1/000000000000/notices",
    "DEAD_LETTER_QUEUE_URL": "http://127.0.0.1/000000000000/dead-letters",
    "EVENTS_TABLE": "events",
    "ORDERS_TABLE": "orders",
    "SENDER_ADDRESS": SENDER,
    "MAIL_CONFIGURATION_SET": "letters",
    "LINK_DAYS": "7",
    "ACCESS": "life",
    "DELIVERY": "link",
    "SHARE_LIMIT": "0",
    "PAGE_URL": "https://api.example/order",
    "GRACE_DAYS": "3",
    "CANCELED_SUBSCRIPTIONS": "end",
    "LATE_PAYMENTS": "deliver",
    "PARTIAL_REFUNDS": "keep",
    "FRAUD_WARNINGS": "ignore",
    "CONNECTED_ACCOUNTS": "park",
}


# --- Tables -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One number: ours, what it is held against, and what is to be reached. None: nothing is."""

    what: str
    ours: str
    against: str = "–"
    ratio: float | None = None
    reach: str = "–"
    reached: bool | None = None


def times(
    what: str, ours: Sequence[float], against: Sequence[float], *, unit: str, name: str, most: float | None = None
) -> Row:
    """
    *ours* must be at most *most* times *against*, both in *unit*, one value for each round.

    The ratio is the median of the rounds' own: a machine that is slower for a while slows a whole round down.
    """
    ratio = statistics.median(mine / other for mine, other in zip(ours, against, strict=True))
    return Row(
        what,
        _measure(statistics.median(ours), unit),
        f"{_measure(statistics.median(against), unit)} ({name})",
        ratio,
        f"≤ {most:g} ×" if most is not None else "–",
        ratio <= most if most is not None else None,
    )


def count(what: str, ours: float, *, most: float | None = None) -> Row:
    """*ours* calls, of which *most* are allowed."""
    return Row(
        what,
        f"{ours:g}",
        reach=f"≤ {most:g}" if most is not None else "–",
        reached=ours <= most if most is not None else None,
    )


def show(title: str, rows: list[Row]) -> None:
    """Print *rows* as a table in Markdown."""
    print(f"\n{title}\n\n| what | ours | against | ratio | reach | reached |\n|---|---|---|---|---|---|")
    for row in rows:
        ratio = f"{row.ratio:.2f} ×" if row.ratio is not None else "–"
        reached = {True: "yes", False: "**no**", None: "–"}[row.reached]
        print(f"| {row.what} | {row.ours} | {row.against} | {ratio} | {row.reach} | {reached} |")


def machine() -> None:
    """Say what was measured on."""
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")


def interleaved[T](variants: Mapping[str, Callable[[], T]], *, rounds: int) -> dict[str, list[T]]:
    """What each variant gives in each round, all of them in turn. A round before the first is not counted."""
    found: dict[str, list[T]] = {name: [] for name in variants}
    for counted in range(rounds + 1):
        for name, measure in variants.items():
            value = measure()
            found[name] += [value] if counted else []
    return found


def _measure(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.2f} {unit}"
