"""What a command answers: for a person, for a program, and as an exit code."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from operate.printing import aside, out, printable


class Code(IntEnum):
    """How a command exits."""

    GOOD = 0
    WRONG = 1
    """Something is wrong with the shop, or what was asked for did not come about."""
    USAGE = 2
    """The question makes no sense here: nothing was done."""
    NOT_KNOWN = 3
    """It could not be found out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """
    *data* is what `--json` prints (docs/cli/), *words* what a person reads, one below the other. *note* goes to
    standard error either way.
    """

    data: Any
    words: Sequence[RenderableType]
    code: Code = Code.GOOD
    notes: Sequence[str] = field(default=())

    def say(self, *, as_json: bool) -> None:
        if as_json:
            out.print_json(data=self.data)
        else:
            for each in self.words:
                line = Text(printable(each)) if isinstance(each, str) else each
                # A line is the terminal's to wrap: what is in it may be copied.
                out.print(line, soft_wrap=isinstance(line, Text))
        for note in self.notes:
            aside(note)


class Refused(Exception):
    """What was asked for did not come about; the message says why, and `code` how the command exits."""

    code = Code.WRONG


class Misasked(Refused):
    """The question makes no sense here, and nothing was done."""

    code = Code.USAGE


class NotKnown(Refused):
    """Somebody who has to be asked cannot be."""

    code = Code.NOT_KNOWN
