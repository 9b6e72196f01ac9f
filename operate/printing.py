"""What the operator is shown: words for a person, JSON for programs, and never a link."""

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from paidshare.aws import DeadLetter

out = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def facts(letter: DeadLetter) -> dict[str, str | None]:
    return {
        "order": letter.order,
        "reason": letter.reason,
        "what": letter.what,
        "advice": letter.advice,
        "since": letter.since.isoformat(),
        "why": letter.notice.why if letter.notice else None,
        "about": letter.notice.about if letter.notice else None,
        "message_id": letter.message_id,
    }


def show_case(copies: list[DeadLetter]) -> None:
    """
    The newest of *copies*, which comes first, and since when there are any.

    Not a table: an order's id alone fills a line, and must stay whole to be copied.
    """
    letter = copies[0]
    when = f"{min(each.since for each in copies):%Y-%m-%d %H:%M} UTC"
    reason = letter.reason or ("given up by SQS" if letter.notice else "no notice of ours")
    times = f"  (told {len(copies)} times)" if len(copies) > 1 else ""
    out.print(Text.assemble((when, "dim"), "  ", (printable(reason), "red"), (times, "dim")))
    out.print(Text(f"  {printable(letter.order or f'message {letter.message_id}')}", "bold"), soft_wrap=True)
    for words in (letter.what, letter.advice):
        if words:
            out.print(
                Padding(Text(printable(words)), (0, 0, 0, 2), expand=False),
                style="" if words is letter.what else "dim",
            )
    out.print()


def letters_of(number: int) -> str:
    return f"{number} dead letter" + ("" if number == 1 else "s")


def line(words: str) -> None:
    out.print(Text(printable(words)), soft_wrap=True)


def aside(words: str, style: str = "dim") -> None:
    errors.print(Text(printable(words), style), soft_wrap=True)


def printable(words: str) -> str:
    """Whoever may write into the queue shall not write escapes onto a terminal."""
    return "".join(each if each.isprintable() else " " for each in words)
