"""The commands about cases that wait for a person."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from operate.options import EndpointOption, EnvOption, Refused, StackOption, dead_letters, ledger, stack_of
from operate.printing import aside, facts, letters_of, line, out, show_case
from paidshare.aws import Case, DeadLetter

_TO_END = "`dismiss MESSAGE` deletes what nobody needs."
_TO_MEND = (
    "A redrive would mail nothing in place of a letter that failed: `resend ORDER --to ADDRESS` does,"
    " and `dismiss ORDER` ends the case."
)


def dead(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
) -> None:
    """Which orders wait for a person, why, and what to mend. Changes nothing."""
    box = dead_letters(stack_of(env, stack, endpoint_url))
    with box.held() as letters:
        counted = box.count()
    if as_json:
        out.print_json(data=[facts(letter) for letter in letters])
    else:
        cases: dict[Case, list[DeadLetter]] = {}
        for letter in letters:
            cases.setdefault(letter.case, []).append(letter)
        for copies in cases.values():
            show_case(copies)
        line("No dead letters." if not letters else f"{letters_of(len(letters))}, newest first.")
    if counted > len(letters):
        aside(
            f"SQS counts {counted}: its count lags by a minute, or somebody else is reading. Ask again in two minutes."
        )


def redrive(
    *,
    orders: Annotated[list[str] | None, typer.Argument(metavar="order", help="As `dead` shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All dead letters.")] = False,
    reason: Annotated[str | None, typer.Option(help="With --all: only those for this reason.")] = None,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
) -> None:
    """Put dead letters back to work, once their cause is mended. Safe at any time."""
    if bool(orders) is everything:
        raise typer.BadParameter("name the orders, or say --all")
    if reason is not None and not everything:
        raise typer.BadParameter("--reason goes with --all")
    wanted = list(dict.fromkeys(orders or ()))
    box = dead_letters(stack_of(env, stack, endpoint_url))
    with box.held() as letters:
        if everything:
            chosen = [letter for letter in letters if reason in (None, letter.reason)]
        else:
            chosen = [letter for letter in letters if any(letter.about(order) for order in wanted)]
        left = [letter for letter in chosen if letter.stays]
        going = [letter for letter in chosen if not letter.stays]
        moved = set()
        for letter in box.moved(going):
            moved.add(letter.message_id)
            line(f"back to work: {letter.order}  {letter.reason or ''}".rstrip())
    for letter in left:
        line(f"left, {letter.stays}: {letter.order or f'message {letter.message_id}'}  {letter.reason or letter.what}")
    missing = [order for order in wanted if not any(letter.about(order) for letter in letters)]
    line(
        f"{letters_of(len(moved))} put back to work." + (" One whose cause is not mended comes back." if moved else "")
    )
    if missing:
        raise Refused("no dead letter of " + ", ".join(missing))
    if len(moved) < len(going):
        raise Refused(f"SQS did not take {letters_of(len(going) - len(moved))}: they are where they were. Try again.")
    if left:
        _say_what_to_do(left, asked_for=bool(wanted))


def _say_what_to_do(left: list[DeadLetter], *, asked_for: bool) -> None:
    """About dead letters that a redrive leaves. Raises Refused when it was *asked_for* these."""
    advice = f"{letters_of(len(left))} left. {_TO_MEND}" if any(letter.order for letter in left) else _TO_END
    if asked_for:
        raise Refused(advice)
    line(advice)


def dismiss(
    *,
    named: Annotated[
        list[str], typer.Argument(metavar="order", help="Orders, or a message's id, as `dead` shows them.")
    ],
    reason: Annotated[str | None, typer.Option(help="Only the cases for this reason.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
) -> None:
    """End cases that are seen to, or that nobody will mend: their dead letters go, and none comes again."""
    to = stack_of(env, stack, endpoint_url)
    box, book = dead_letters(to), ledger(to)
    wanted = list(dict.fromkeys(named))
    # Looked at and let go again: nobody knows how long the answer below takes.
    with box.held() as letters:
        meant = {letter.case for letter in letters if letter.is_meant(wanted) and reason in (None, letter.reason)}
        chosen = [letter for letter in letters if letter.case in meant]
    # Without a dead letter (somebody deleted it) an order may wait all the same.
    meant |= {(name, row.reason) for name in wanted if (row := book.waiting(name)) and reason in (None, row.reason)}
    if not meant:
        raise Refused("nothing waits for a person of " + ", ".join(wanted) + (f" for {reason}" if reason else ""))
    for name, why in sorted(meant, key=str):
        line(f"{name}  {why or 'without a reason'}")
    if not yes:
        typer.confirm(f"End this in {to.name}? What is not delivered stays so.", abort=True)
    # The ledger first: what waits there comes back within a week, whatever was deleted.
    now = datetime.now(UTC)
    busy = {case for case in meant if not book.end_case(*case, now=now)}
    ids = {letter.message_id for letter in chosen if letter.case not in busy}
    with box.held() as letters:
        gone = list(box.ended([letter for letter in letters if letter.message_id in ids]))
    line(f"{len(meant - busy)} ended, {letters_of(len(gone))} deleted.")
    if busy:
        raise Refused(f"a worker has it in hand, try again: {', '.join(name for name, _ in busy)}")
    if len(gone) < len(ids):
        raise Refused(f"SQS did not show, or delete, {letters_of(len(ids) - len(gone))}. Try again in two minutes.")
