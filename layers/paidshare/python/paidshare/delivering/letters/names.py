"""The seller's own names, as many and as long as a letter has room for. Pure."""

from collections.abc import Iterable, Sequence

from markupsafe import escape

from paidshare.text import cut, one_line

_LONGEST_NAME = 120


def each_once(names: Iterable[str]) -> list[str]:
    """Each name once, in its order, safe to print."""
    return list(dict.fromkeys(map(one_line, names)))


def short(text: str) -> str:
    return cut(one_line(text), _LONGEST_NAME)


def fitting(rows: Sequence[str], most: int) -> int:
    """How many of the *rows* take *most* bytes of HTML, or fewer."""
    taken = 0
    for count, row in enumerate(rows):
        taken += len(escape(row).encode()) + 2
        if taken > most:
            return count
    return len(rows)
