"""The crash table: a row for each case that was played, printed when all tests are done."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from tests.crash.bed import Ending
from tests.crash.station import Way


@dataclass(slots=True)
class Row:
    """
    A case, and how it ended: `trouble` is what kept it from ending. `left` are the messages on the queue and on the
    dead-letter queue.
    """

    chapter: str
    step: str
    blow: str
    way: Way = field(default_factory=Way)
    ending: Ending = field(default_factory=lambda: Ending(state=None))
    left: tuple[int, int] = (0, 0)
    trouble: str = ""

    @property
    def end(self) -> tuple[str, Ending, tuple[int, int]]:
        """All of it, to be compared with `as_due`."""
        return self.trouble, self.ending, self.left


def as_due(due: Ending) -> tuple[str, Ending, tuple[int, int]]:
    """No trouble, the ending that is due, and nothing left on the queue or the dead-letter queue."""
    return "", due, (0, 0)


def markdown(rows: Iterable[Row]) -> str:
    """A table for each chapter."""
    return "\n".join(
        "\n".join([f"### {chapter}", "", _HEAD, _RULE, *map(_line, each), ""])
        for chapter, each in groupby(rows, key=lambda row: row.chapter)
    )


_HEAD = "| call | what happened to it | workers | time passed | shares | letters | order | left in queues |"
_RULE = "|---|---|--:|--:|--:|--:|---|--:|"


def _line(row: Row) -> str:
    if row.trouble:
        return f"| {row.step} | {row.blow} | | | | | {row.trouble.splitlines()[-1]} | |"
    minutes, seconds = divmod(round(row.way.seconds), 60)
    waited = f"{minutes} min" if minutes and not seconds else f"{minutes * 60 + seconds} s"
    end = row.ending
    return (
        f"| {row.step} | {row.blow} | {row.way.workers} | {waited} | {end.shares} | {end.letters} "
        f"| {end.state} | {sum(row.left)} |"
    )
