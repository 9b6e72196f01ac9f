"""The command that shows how the shop is, again and again, and what changed meanwhile."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from operate.answers import Answer
from operate.printing import aside, out, styled
from operate.stacks import Stack
from operate.status import status
from paidshare.errors import PaidshareError

_CHANGES_SHOWN = 8
_NO_NEWS = frozenset({"stack", "at", "next", "gaps", "oldest_dead"})


def watch(
    to: Stack,
    *,
    every: Annotated[float, typer.Option(min=1, max=3_600, help="Look again after so many seconds.")] = 5,
    once: Annotated[bool, typer.Option("--once", help="One look.")] = False,
    for_: Annotated[float | None, typer.Option("--for", min=0, help="End after so many seconds.")] = None,
) -> Iterator[Answer]:
    """
    How the shop is, looked at again and again, and what changed; ends with Ctrl-C.

    Changes nothing. Exits as `status` does, by the last look. With --json each look is printed.
    """
    until = None if for_ is None else monotonic() + for_
    changes, before = deque[str](maxlen=_CHANGES_SHOWN), dict[str, Any]()
    try:
        while True:
            answer = _look(to, first=not before)
            if answer is not None:
                changes += _changed(before, answer.data) if before else ()
                before = answer.data
                if out.is_terminal:
                    out.clear()
                yield replace(answer, words=[*answer.words, *(styled(one, "dim") for one in changes)])
            if once or (until is not None and monotonic() + every > until):
                return
            sleep(every)
    except KeyboardInterrupt:
        # That is how it is ended.
        return


def _look(to: Stack, *, first: bool) -> Answer | None:
    """None where nobody can be asked just now: later perhaps. Raises what `status` raises at the *first* look."""
    try:
        return status(to)
    except (ClientError, BotoCoreError, PaidshareError) as exc:
        if first:
            raise
        aside(f"? not known at {datetime.now(UTC):%H:%M:%S}: {exc}")
        return None


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name, value in now.items():
        if name not in _NO_NEWS and value != before[name]:
            yield f"{datetime.now(UTC):%H:%M:%S}  {name.replace('_', ' ')}: {_short(before[name])} → {_short(value)}"


def _short(value: Any) -> str:
    match value:
        case None:
            return "not known"
        case list():
            return str(len(value))
        case dict():
            return str(sum(value.values()))
        case _:
            return str(value)
