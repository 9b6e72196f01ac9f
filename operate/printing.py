"""How things are shown to a person: never a link, and nothing that moves a terminal's cursor."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from paidshare.aws import DeadLetter

out = Console(highlight=False, markup=False)
errors = Console(stderr=True, highlight=False, markup=False)


def case(copies: list[DeadLetter]) -> Iterator[RenderableType]:
    """
    The newest of *copies*, which comes first, and since when there are any.

    Not a table: an order's id alone fills a line, and must stay whole to be copied.
    """
    letter = copies[0]
    reason = letter.reason or ("given up by SQS" if letter.notice else "no notice of ours")
    times = f"  (told {len(copies)} times)" if len(copies) > 1 else ""
    since = min(each.since for each in copies)
    yield Text.assemble((f"{since:%Y-%m-%d %H:%M} UTC", "dim"), "  ", (printable(reason), "red"), (times, "dim"))
    yield styled(f"  {letter.order or f'message {letter.message_id}'}", "bold")
    for words, style in ((letter.what, ""), (letter.advice, "dim")):
        if words:
            yield indented(words, style)
    yield ""


def indented(words: str, style: str = "") -> Padding:
    """A paragraph, wrapped."""
    return Padding(Text(printable(words), style), (0, 0, 0, 2), expand=False)


def styled(words: str, style: str) -> Text:
    return Text(printable(words), style)


def at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "–"


def ago(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "not yet"
    minutes = int((now - moment).total_seconds() // 60)
    for unit, size in (("days", 1_440), ("hours", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit} ago"
    return f"{minutes} min ago"


def letters_of(number: int) -> str:
    return f"{number} dead letter" + ("" if number == 1 else "s")


def aside(words: str, style: str = "dim") -> None:
    errors.print(Text(printable(words), "red" if words.startswith("✗") else style), soft_wrap=True)


def printable(words: str) -> str:
    """Whoever may write into the queue shall not write escapes onto a terminal. Lines stay lines."""
    return "".join(each if each.isprintable() or each == "\n" else " " for each in words)
