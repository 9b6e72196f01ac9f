"""The commands about cases that wait for a person."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer

from operate.answers import Answer, Code, Misasked
from operate.options import YesOption, confirm
from operate.orders import finding, handles
from operate.orders.handles import By
from operate.orders.ledger import Ledger
from operate.orders.mending import whose
from operate.printing import case, letters_of
from operate.stacks import Stack
from paidshare import wishes
from paidshare.aws import Case, DeadLetter, DeadLetters


def dead(to: Stack) -> Answer:
    """
    Which orders wait for a person, why, and what to mend.

    Changes nothing; exits with 1 when any waits.
    """
    box = box_of(to)
    with box.held() as letters:
        counted = box.count()
    cases: dict[Case, list[DeadLetter]] = {}
    for letter in letters:
        cases.setdefault(letter.case, []).append(letter)
    words = [part for copies in cases.values() for part in case(copies)]
    words.append("No dead letters." if not letters else f"{letters_of(len(letters))}, newest first.")
    notes = []
    if counted > len(letters):
        notes.append(
            f"SQS counts {counted}: its count lags by a minute, or somebody else is reading. Ask again in two minutes."
        )
    return Answer([_facts(one) for one in letters], words, Code.WRONG if letters else Code.GOOD, notes)


def _facts(letter: DeadLetter) -> dict[str, str | None]:
    return {
        "order": letter.order,
        "reason": letter.reason,
        "what": letter.what,
        "advice": letter.advice,
        "whose": whose(letter.reason),
        "since": letter.since.isoformat(),
        "why": wishes.named(letter.notice.why) if letter.notice else None,
        "about": letter.notice.about if letter.notice else None,
        "message_id": letter.message_id,
    }


def dismiss(
    to: Stack,
    *,
    named: Annotated[
        list[str],
        typer.Argument(metavar="WHO", help="Orders as any command takes them, or a message's id as `dead` shows it."),
    ],
    reason: Annotated[str | None, typer.Option(help="Only the cases for this reason.")] = None,
    yes: YesOption = False,
) -> Answer:
    """
    End cases that are seen to, or that nobody will mend.

    Their dead letters go, and none comes again.
    """
    box, book = box_of(to), Ledger(to.dynamodb, to.orders_table)
    # Looked at and let go again: nobody knows how long the answer below takes.
    with box.held() as letters:
        wanted = [name for found in meant(to, named, letters).values() for name in found]
        cases = {one.case for one in letters if one.is_meant(wanted) and reason in (None, one.reason)}
        chosen = [one for one in letters if one.case in cases]
    # Without a dead letter (somebody deleted it) an order may wait all the same.
    cases |= {(name, row.reason) for name in wanted if (row := book.waiting(name)) and reason in (None, row.reason)}
    if not cases:
        raise Misasked("nothing waits for a person of " + ", ".join(named) + (f" for {reason}" if reason else ""))
    shown = [f"{name}  {why or 'without a reason'}" for name, why in sorted(cases, key=str)]
    confirm("\n".join([*shown, f"End this in {to.name}? What is not delivered stays so."]), yes=yes)
    # The ledger first: what waits there comes back within a week, whatever was deleted.
    now = datetime.now(UTC)
    busy = {case for case in cases if not book.end_case(*case, now=now)}
    ended = sorted(cases - busy, key=str)
    said, notes, deleted = _deleted(box, [one for one in chosen if one.case not in busy])
    if busy:
        notes.append(f"✗ a worker has it in hand, try again: {', '.join(name for name, _ in busy)}")
    data = {
        "ended": [{"order": name, "reason": why} for name, why in ended],
        "busy": [name for name, _ in busy],
        "deleted": deleted,
    }
    return Answer(data, [*shown, f"{len(ended)} ended, {said}"], Code.WRONG if notes else Code.GOOD, notes)


def _deleted(box: DeadLetters, letters: list[DeadLetter]) -> tuple[str, list[str], int]:
    """What is said of it, what went wrong, and how many went."""
    ids = {one.message_id for one in letters}
    with box.held() as shown:
        gone = len(list(box.ended([one for one in shown if one.message_id in ids])))
    left = len(ids) - gone
    notes = [f"✗ SQS did not show, or delete, {letters_of(left)}. Try again in two minutes."] if left else []
    return f"{letters_of(gone)} deleted.", notes, gone


def meant(to: Stack, named: Iterable[str], letters: list[DeadLetter]) -> dict[str, list[str]]:
    """What each of *named* is called in the dead *letters*. Stripe is asked only where the letters do not say."""
    found = {}
    for name in dict.fromkeys(named):
        handle = handles.read(name)
        if handle is None or handle.by is By.ORDER or any(one.is_meant([name]) for one in letters):
            found[name] = [name]
        elif handle.by is By.REFERENCE:
            found[name] = [one.order for one in letters if one.order and one.order.endswith(handle.name)] or [name]
        else:
            found[name] = [one.order_id for one in finding.orders(to, name)]
    return found


def box_of(of: Stack) -> DeadLetters:
    return DeadLetters(of.sqs, dead_letter_url=of.dead_letter_url, queue_url=of.queue_url)
