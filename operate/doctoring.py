"""The command that looks for what is wrong with a shop before a buyer finds it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from operate.answers import Answer, Code, Refused
from operate.doctor import aws, fastio, goods, secret, ses, stripe
from operate.doctor.checks import Checked, Found, Mark, all_of
from operate.options import YesOption, confirm
from operate.printing import aside, printable
from operate.stacks import Stack
from paidshare.errors import PaidshareError

CHECKS = (*aws.CHECKS, *secret.CHECKS, *stripe.CHECKS, *fastio.CHECKS, *ses.CHECKS, *goods.CHECKS)

_SHOWN = {
    Mark.GOOD: ("✓", "green"),
    Mark.CARE: ("!", "yellow"),
    Mark.WRONG: ("✗", "red"),
    Mark.UNKNOWN: ("?", "yellow"),
}


def doctor(
    to: Stack,
    *,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended without a person; asks first.")] = False,
    yes: YesOption = False,
) -> Answer:
    """
    What is wrong, or soon will be: AWS, secret, Stripe, Fast.io, SES and goods.

    Changes nothing, unless told to --fix. A key that may write Webhook endpoints is then taken from STRIPE_API_KEY.
    """
    checked = all_of(CHECKS, to)
    mended = [*_mended(to, checked, yes=yes)] if fix else []
    if mended:
        # Anew: what was asked before is not true any more.
        checked = all_of(CHECKS, replace(to))
    words = [*(Text(printable(f"✓ {one}"), "green") for one in mended), *_words(to, checked)]
    return Answer(_data(to, checked) | {"mended": mended}, words, _code(checked))


def _mended(to: Stack, checked: Sequence[Checked], *, yes: bool) -> Iterator[str]:
    """What was done. What could not be done is told, and is found wrong once more."""
    mends = dict.fromkeys(one.found.mend for one in checked if one.found.mark is Mark.WRONG and one.found.mend)
    if mends:
        confirm("This can be mended:\n" + "\n".join(f"  {one.what}" for one in mends) + "\nMend it?", yes=yes)
    for mend in mends:
        try:
            yield from mend.do(to)
        except (ClientError, BotoCoreError, PaidshareError, Refused) as exc:
            aside(f"✗ {mend.what}: {exc}")


def _code(checked: Sequence[Checked]) -> Code:
    marks = {one.found.mark for one in checked}
    if Mark.WRONG in marks:
        return Code.WRONG
    return Code.NOT_KNOWN if Mark.UNKNOWN in marks else Code.GOOD


def _words(to: Stack, checked: Sequence[Checked]) -> Iterator[RenderableType]:
    """A group whose checks are all good is one line."""
    yield Text(to.name, "bold")
    for group, ones in groupby(checked, key=lambda one: one.check.group):
        some = [*ones]
        bad = [one for one in some if one.found.mark is not Mark.GOOD]
        if not bad:
            yield _line(Mark.GOOD, f"{group}: {_checks(len(some))}")
            continue
        worst = max((one.found.mark for one in bad), key=[Mark.CARE, Mark.UNKNOWN, Mark.WRONG].index)
        yield _line(worst, f"{group}: {len(bad)} of {_checks(len(some))}")
        for one in bad:
            yield from _told(one.found)
    wrong = sum(one.found.mark is Mark.WRONG for one in checked)
    yield Text.assemble(("→ ", "bold"), f"{wrong} to mend." if wrong else "Nothing is wrong.")


def _told(found: Found) -> Iterator[RenderableType]:
    sign, style = _SHOWN[found.mark]
    yield Padding(Text.assemble((f"{sign} ", style), printable(found.words)), (0, 0, 0, 2), expand=False)
    if found.way_out:
        yield Padding(Text(printable(found.way_out), "dim"), (0, 0, 0, 4), expand=False)


def _checks(number: int) -> str:
    return f"{number} check" + ("" if number == 1 else "s")


def _line(mark: Mark, words: str) -> Text:
    sign, style = _SHOWN[mark]
    return Text.assemble((f"{sign} ", style), words)


def _data(to: Stack, checked: Sequence[Checked]) -> dict[str, object]:
    return {
        "stack": to.name,
        "checks": [
            {
                "group": one.check.group,
                "name": one.check.name,
                "mark": one.found.mark.value,
                "words": one.found.words,
                "way_out": one.found.way_out,
            }
            for one in checked
        ],
    }
