"""
All the numbers of docs/numbers.md, measured now and written there, with a plot for each question: `make bench`.

Each `bench_*.py` prints tables, each under its title. In docs/numbers.md `<!-- make bench: TITLE -->` stands before a
table: the one whose title begins so.
"""

import contextlib
import io
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts import bench_deliver, bench_letters, bench_memory, bench_receive, bench_signatures  # noqa: E402

NUMBERS = ROOT / "docs" / "numbers.md"
_PRINTED = re.compile(r"^(?P<title>[^|\n]+)\n\n(?P<table>(?:\|[^\n]*\n)+)", re.MULTILINE)
_WRITTEN = re.compile(r"(?P<marker><!-- make bench: (?P<title>.+?) -->\n)(?P<table>(?:[^\n]+\n)*)")


class Both(io.StringIO):
    """What is printed, kept and shown."""

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)  # type: ignore[union-attr]
        return super().write(text)


def main() -> None:
    printed = Both()
    with contextlib.redirect_stdout(printed):
        for bench in (bench_receive, bench_memory, bench_deliver, bench_letters, bench_signatures):
            print(f"== {bench.__name__}")
            bench.main()
    NUMBERS.write_text(filled(NUMBERS.read_text(), printed.getvalue(), today=datetime.now(UTC)))
    plot = [ROOT / ".tools" / "plots" / "bin" / "python", ROOT / "scripts" / "plots.py", NUMBERS]
    sys.exit(subprocess.run(plot, check=False).returncode)


def filled(page: str, printed: str, *, today: datetime) -> str:
    """*page* with its tables as they were *printed*. Raises KeyError for a table that nobody printed."""
    machine = next(line for line in printed.splitlines() if line.startswith("Python "))
    tables = {found["title"]: found["table"] for found in _PRINTED.finditer(printed)}
    tables["machine"] = f"Measured on {today:%-d %B %Y} with {machine}.\n"

    def written(found: re.Match[str]) -> str:
        [title] = [title for title in tables if title.startswith(found["title"])] or [None]
        if title is None:
            raise KeyError(found["title"])
        return found["marker"] + tables[title]

    return _WRITTEN.sub(written, page)


if __name__ == "__main__":
    main()
