"""The command that puts dead letters back to work."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from operate.answers import Answer, Code, Misasked
from operate.cases import box_of, meant
from operate.printing import letters_of
from operate.stacks import Stack
from paidshare.aws import DeadLetter

_TO_END = "`paidshare dismiss MESSAGE` deletes what nobody needs."
_TO_MEND = (
    "A redrive would mail nothing in place of a letter that failed: `paidshare resend ORDER --to ADDRESS` does,"
    " and `paidshare dismiss ORDER` ends the case."
)


@dataclass(frozen=True, slots=True)
class _Redriven:
    """
    The dead letters that were, or would be, `moved`; those `left` because a redrive brings them no further; those named
    that are `missing`; and how many SQS `refused`.
    """

    moved: list[DeadLetter]
    left: list[DeadLetter]
    missing: list[str]
    refused: int
    dry_run: bool

    def words(self) -> list[str]:
        going, put = ("would go back to work", "would be put") if self.dry_run else ("back to work", "put")
        words = [f"{going}: {one.order}  {one.reason or ''}".rstrip() for one in self.moved]
        words += [
            f"left, {one.stays}: {one.order or f'message {one.message_id}'}  {one.reason or one.what}"
            for one in self.left
        ]
        then = " One whose cause is not mended comes back." if self.moved and not self.dry_run else ""
        return [*words, f"{letters_of(len(self.moved))} {put} back to work.{then}"]

    def notes(self) -> list[str]:
        notes = []
        if self.missing:
            notes.append("✗ no dead letter of " + ", ".join(self.missing))
        if self.refused:
            notes.append(f"✗ SQS did not take {letters_of(self.refused)}: they are where they were. Try again.")
        if self.left:
            advice = _TO_MEND if any(one.order for one in self.left) else _TO_END
            notes.append(f"{letters_of(len(self.left))} left. {advice}")
        return notes

    def data(self) -> dict[str, Any]:
        return {
            "dry_run": self.dry_run,
            "redriven": [_facts(one) for one in self.moved],
            "left": [_facts(one) | {"because": one.stays} for one in self.left],
            "missing": self.missing,
            "refused": self.refused,
        }


def redrive(
    to: Stack,
    *,
    orders: Annotated[
        list[str] | None, typer.Argument(metavar="WHO", help="As `dead` shows them, or as any command takes them.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All dead letters.")] = False,
    reason: Annotated[str | None, typer.Option(help="With --all: only those for this reason.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go back.")] = False,
) -> Answer:
    """
    Put dead letters back to work, once their cause is mended.

    Safe at any time. Letters that failed stay, because a redrive mails no other one: see `resend` and `dismiss`.
    """
    if bool(orders) is everything:
        raise Misasked("name the orders, or say --all")
    if reason is not None and not everything:
        raise Misasked("--reason goes with --all")
    box = box_of(to)
    with box.held() as letters:
        wanted = meant(to, orders or (), letters)
        names = [name for found in wanted.values() for name in found]
        chosen = [one for one in letters if (reason in (None, one.reason) if everything else one.is_meant(names))]
        going = [one for one in chosen if not one.stays]
        moved = going if dry_run else list(box.moved(going))
    missing = [given for given, found in wanted.items() if not any(one.is_meant(found) for one in letters)]
    if missing and not chosen:
        raise Misasked("no dead letter of " + ", ".join(missing))
    left = [one for one in chosen if one.stays]
    done = _Redriven(moved, left, missing, len(going) - len(moved), dry_run)
    wrong = done.missing or done.refused or (orders and done.left)
    return Answer(done.data(), done.words(), Code.WRONG if wrong else Code.GOOD, done.notes())


def _facts(letter: DeadLetter) -> dict[str, str | None]:
    return {"order": letter.order, "reason": letter.reason, "message_id": letter.message_id}
