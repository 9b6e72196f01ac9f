"""The commands that look after the secret. A value comes from standard input or a prompt, and is never shown."""

import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.table import Table

from operate.answers import Answer, Code, Misasked
from operate.options import YesOption, confirm
from operate.printing import ago, at
from operate.setup import secret_text, vault
from operate.setup.secret_text import LISTS, NEEDED, Name
from operate.setup.vault import Value
from operate.stacks import Stack

NameArgument = Annotated[Name, typer.Argument(metavar="NAME", help=", ".join(Name))]

_REVOKE = {
    Name.STRIPE_API_KEY: "In a minute all use it: then revoke the old one at Stripe (Developers, API keys).",
    Name.FASTIO_API_KEY: "In a minute all use it: then revoke the old one at Fast.io (Settings, API keys).",
}
_BOTH = (
    "Both are taken now. When the sender signs with the new one alone, and no event with the old one has come again for"
    " {days}: paidshare secrets rotate {name} --end"
)
_TRIED_FOR = {Name.STRIPE_WEBHOOK_SECRETS: "three days", Name.FASTIO_WEBHOOK_SECRETS: "a day"}
_OF_LINKS = (
    "link_key names the shares. With a new one an order that is not finished may get a second share, and one that is"
    " is found by the ledger alone. Links that were mailed stay as they are. Rotate it only when it leaked."
)


def status(to: Stack) -> Answer:
    """
    What the secret holds: since when, and a fingerprint of each. Never a value.

    Changes nothing. Exits with 1 when something is missing without which nothing is delivered.
    """
    return _answer(to, [])


def set_(to: Stack, name: NameArgument, *, yes: YesOption = False) -> Answer:
    """
    Put a value in, in place of what is there.

    It is read from standard input, or asked for.
    """
    raw = secret_text.mended(vault.raw(to))
    if secret_text.values(raw, name):
        confirm(f"Put a new {name} into the secret of {to.name}, in place of what is there?", yes=yes)
    value = _value(to, name)
    vault.write(to, secret_text.put(raw, name, value))
    return _answer(to, [f"{name} is {secret_text.fingerprint(value)} now."])


def rotate(
    to: Stack,
    name: NameArgument,
    *,
    end: Annotated[bool, typer.Option("--end", help="Only the new one is taken from now on.")] = False,
    yes: YesOption = False,
) -> Answer:
    """
    Put a new value in, and go on taking the old one where both can be.

    The new value is read from standard input, or asked for; a link_key is made. For a list, both are taken until it is
    called with --end.
    """
    raw = secret_text.mended(vault.raw(to))
    there = secret_text.values(raw, name)
    if end:
        return _ended(to, raw, name, there, yes=yes)
    if name is Name.LINK_KEY:
        confirm(f"{_OF_LINKS} Make a new one for {to.name}?", yes=yes)
        value = secrets.token_urlsafe(secret_text.SHORTEST_LINK_KEY)
    else:
        confirm(f"Put a new {name} into the secret of {to.name}?", yes=yes)
        value = _value(to, name)
    if value in there[:1]:
        raise Misasked(f"that is the {name} that is there already")
    kept = there[:1] if name in LISTS else ()
    vault.write(to, secret_text.put(raw, name, value, *kept))
    then = _BOTH.format(days=_TRIED_FOR[name], name=name) if kept else _REVOKE.get(name, "")
    return _answer(to, [f"{name} is {secret_text.fingerprint(value)} now. {then}".rstrip()])


def _ended(to: Stack, raw: dict[str, Any], name: Name, there: Sequence[str], *, yes: bool) -> Answer:
    if name not in LISTS:
        raise Misasked(f"--end is for {' and '.join(sorted(LISTS))}: of {name} there is one")
    if len(there) < 2:
        return _answer(to, [f"{name} has one secret: there is nothing to end."])
    confirm(f"Have {to.name} take {secret_text.fingerprint(there[0])} of {name} alone?", yes=yes)
    vault.write(to, secret_text.put(raw, name, there[0]))
    return _answer(to, [f"{secret_text.fingerprint(there[0])} alone is taken of {name}."])


def _value(to: Stack, name: Name) -> str:
    """Raises Misasked for what cannot be a value of that *name*."""
    if sys.stdin.isatty():
        given = str(typer.prompt(f"{name} (it is not shown)", hide_input=True, err=True))
    else:
        given = sys.stdin.read()
    value = given.strip()
    if not value:
        raise Misasked(f"no {name} came on standard input: nothing was changed")
    if wrong := secret_text.fault(name, value, livemode=to.livemode):
        raise Misasked(f"{wrong}: nothing was changed")
    return value


def _answer(to: Stack, words: list[RenderableType]) -> Answer:
    held = vault.held(to)
    missing = [name for name in NEEDED if name not in {one.name for one in held}]
    data = {"values": [_data(one) for one in held], "missing": [name.value for name in missing]}
    shown = [_table(held)] if held else []
    notes = [f"✗ missing: {', '.join(missing)}; paidshare secrets set NAME"] if missing else []
    return Answer(data, [*words, *shown], Code.WRONG if missing else Code.GOOD, notes)


def _table(held: Sequence[Value]) -> Table:
    now = datetime.now(UTC)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for one in held:
        since = f"since {'before ' if one.at_least else ''}{at(one.since)} UTC" if one.since else "since –"
        used = f"last used {ago(one.last_used, now)}" if one.last_used else ""
        table.add_row(one.name if one.place == 1 else f"  the one before ({one.place})", one.fingerprint, since, used)
    return table


def _data(one: Value) -> dict[str, Any]:
    return {
        "name": one.name.value,
        "place": one.place,
        "fingerprint": one.fingerprint,
        "since": one.since.isoformat(timespec="seconds") if one.since else None,
        "at_least": one.at_least,
        "last_used": one.last_used.isoformat(timespec="seconds") if one.last_used else None,
    }
