"""
What an operator does to a deployed stack, with the AWS credentials and region of the shell.

`redrive` and `look` can do no harm: they ask for another look at an order, and a look only takes the steps that are
missing. `resend` mails again what was mailed before, and `dismiss` ends a case that nobody will mend; both ask first.
"""

import os
import re
import sys
import uuid
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from operate import correction, outcome, stacks
from operate.correction import CorrectedBefore
from operate.ledger import Ledger, Row
from operate.outcome import Came
from operate.stacks import Name, Stack, StackUnknown
from paidshare import notices
from paidshare.aws import Case, DeadLetter, DeadLetters, SqsReconcileQueue, summary
from paidshare.errors import OrderUnknown, QueueUnavailable, StripeUnavailable
from paidshare.notices import Notice
from paidshare.payments_stripe import CORRECTED_ADDRESS, StripeAccess

# What `StripePayments.orders_of` and `StripePayments.order` take.
ABOUT = re.compile(r"(cs|in|pi|ch|py|re|pyr|du|dp|issfr|sub)_[A-Za-z0-9_]{1,250}")
ORDER = re.compile(r"(cs|in)_[A-Za-z0-9_]{1,250}")
ACCOUNT = re.compile(r"acct_[A-Za-z0-9_]{1,250}")

_THEN = "In some seconds, `show` and `dead` tell what came of it."
_TO_END = "`dismiss MESSAGE` deletes what nobody needs."
_TO_MEND = (
    "A redrive would mail nothing in place of a letter that failed: `resend ORDER --to ADDRESS` does,"
    " and `dismiss ORDER` ends the case."
)
_STRIPE_S = 20.0

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help=__doc__, rich_markup_mode=None, pretty_exceptions_enable=False
)
_out = Console(highlight=False)
_errors = Console(stderr=True, highlight=False)


class Refused(Exception):
    """What was asked for cannot be done; the message says why."""


def _of_form(form: re.Pattern[str], wanted: str, given: str) -> str:
    if not form.fullmatch(given):
        raise typer.BadParameter(f"{_printable(given)[:80]!r} is not {wanted}")
    return given


def _about(given: str) -> str:
    return _of_form(ABOUT, "an id of Stripe's that leads to an order (cs_…, in_…, pi_…, ch_…, sub_…)", given)


def _order(given: str) -> str:
    return _of_form(ORDER, "an order's id: the ledger has orders by cs_… and in_…", given)


def _address(given: str | None) -> str | None:
    if given is None or correction.is_address(given.strip()):
        return given and given.strip()
    raise typer.BadParameter(f"{_printable(given)[:80]!r} is no e-mail address that a letter could go to")


def _account(given: str | None) -> str | None:
    return given and _of_form(ACCOUNT, "a connected account's id (acct_…)", given)


AboutArgument = Annotated[
    str, typer.Argument(metavar="order", parser=_about, help="cs_… or in_…; or pi_…, ch_…, sub_… and the like of it.")
]
EnvOption = Annotated[str, typer.Option("--env", help="Which environment of samconfig.toml.")]
StackOption = Annotated[str | None, typer.Option("--stack", help="The stack's name, instead.")]
EndpointOption = Annotated[
    str | None, typer.Option("--endpoint-url", help="Another AWS than Amazon's, such as the laptop's.")
]
AccountOption = Annotated[
    str | None, typer.Option(callback=_account, help="The connected account (acct_…) that the order belongs to.")
]


@app.command()
def dead(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
) -> None:
    """Which orders wait for a person, why, and what to mend. Changes nothing."""
    box = _dead_letters(_stack(env, stack, endpoint_url))
    with box.held() as letters:
        counted = box.count()
    if as_json:
        _out.print_json(data=[_facts(letter) for letter in letters])
    else:
        cases: dict[Case, list[DeadLetter]] = {}
        for letter in letters:
            cases.setdefault(letter.case, []).append(letter)
        for copies in cases.values():
            _show_case(copies)
        _line("No dead letters." if not letters else f"{_letters(len(letters))}, newest first.")
    if counted > len(letters):
        _aside(
            f"SQS counts {counted}: its count lags by a minute, or somebody else is reading. Ask again in two minutes."
        )


@app.command()
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
    box = _dead_letters(_stack(env, stack, endpoint_url))
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
            _line(f"back to work: {letter.order}  {letter.reason or ''}".rstrip())
    for letter in left:
        _line(f"left, {letter.stays}: {letter.order or f'message {letter.message_id}'}  {letter.reason or letter.what}")
    missing = [order for order in wanted if not any(letter.about(order) for letter in letters)]
    _line(f"{_letters(len(moved))} put back to work." + (" One whose cause is not mended comes back." if moved else ""))
    if missing:
        raise Refused("no dead letter of " + ", ".join(missing))
    if len(moved) < len(going):
        raise Refused(f"SQS did not take {_letters(len(going) - len(moved))}: they are where they were. Try again.")
    if left:
        _say_what_to_do(left, asked_for=bool(wanted))


def _say_what_to_do(left: list[DeadLetter], *, asked_for: bool) -> None:
    """About dead letters that a redrive leaves. Raises Refused when it was *asked_for* these."""
    advice = f"{_letters(len(left))} left. {_TO_MEND}" if any(letter.order for letter in left) else _TO_END
    if asked_for:
        raise Refused(advice)
    _line(advice)


@app.command()
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
    to = _stack(env, stack, endpoint_url)
    box, book = _dead_letters(to), _ledger(to)
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
        _line(f"{name}  {why or 'without a reason'}")
    if not yes:
        typer.confirm(f"End this in {to.name}? What is not delivered stays so.", abort=True)
    # The ledger first: what waits there comes back within a week, whatever was deleted.
    now = datetime.now(UTC)
    busy = {case for case in meant if not book.end_case(*case, now=now)}
    ids = {letter.message_id for letter in chosen if letter.case not in busy}
    with box.held() as letters:
        gone = list(box.ended([letter for letter in letters if letter.message_id in ids]))
    _line(f"{len(meant - busy)} ended, {_letters(len(gone))} deleted.")
    if busy:
        raise Refused(f"a worker has it in hand, try again: {', '.join(name for name, _ in busy)}")
    if len(gone) < len(ids):
        raise Refused(f"SQS did not show, or delete, {_letters(len(ids) - len(gone))}. Try again in two minutes.")


@app.command()
def look(
    order: AboutArgument,
    *,
    account: AccountOption = None,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
) -> None:
    """Have an order looked at again. What is due by Stripe's word of now, and missing, is done."""
    to = _stack(env, stack, endpoint_url)
    _ask(to, order, why=notices.LOOK, account=account)
    _line(f"Asked for another look at {order} in {to.name}. {_THEN}")


@app.command()
def resend(  # noqa: PLR0913  # Each is an option.
    order: AboutArgument,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            callback=_address,
            help="A corrected address, which is written at Stripe with the key in STRIPE_API_KEY.",
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="In place of an address corrected before.")] = False,
    wait: Annotated[int, typer.Option(min=0, max=900, help="For so many seconds, for what comes of it.")] = 60,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    account: AccountOption = None,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
) -> None:
    """
    Mail an order's link once more, if its buyer has access now; say what came of it.

    Exits with 1 when nothing was mailed, or nobody knows yet.
    """
    if to is None and replace:
        raise typer.BadParameter("--replace goes with --to")
    there = _stack(env, stack, endpoint_url)
    if not ORDER.fullmatch(order):
        if to is not None:
            raise typer.BadParameter("--to needs the order itself: cs_… or in_…")
        if not yes:
            typer.confirm(f"Mail the link of {order} in {there.name} to its buyer once more?", abort=True)
        _ask(there, order, why=notices.RESEND, account=account)
        _line(f"Asked for the link of {order} in {there.name} to be mailed once more. {_THEN}")
        return
    row = _row(there, order)
    access = None if to is None else _stripe(there)
    if not yes:
        buyer = f"to {to}, and write that address at Stripe," if to else "to its buyer"
        typer.confirm(f"Mail the link of {row.order_id} ({row.state}) in {there.name} {buyer} once more?", abort=True)
    account = account or row.account
    if to is not None and access is not None:
        _correct(access, row.order_id, to, account=account, replace=replace)
    wish = _ask(there, row.order_id, why=notices.RESEND, account=account)
    _line(f"Asked for the link of {row.order_id} in {there.name} to be mailed once more.")
    if not wait:
        _line(_THEN)
    else:
        _tell_what_came(_came(there, wish, before=row, seconds=wait), wait)


@app.command()
def show(
    order: Annotated[str, typer.Argument(metavar="order", parser=_order, help="cs_… or in_….")],
    *,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
) -> None:
    """What the ledger says of an order. Never its link."""
    to = _stack(env, stack, endpoint_url)
    words = _ledger(to).words(order)
    if not words:
        raise Refused(_unknown(to, order))
    _out.print(Text(order, "bold"), soft_wrap=True)
    for name, value in words.items():
        _out.print(Text.assemble((f"  {name:<20} ", "dim"), _printable(value)), soft_wrap=True)


def _stack(env: str, stack: str | None, endpoint_url: str | None) -> Stack:
    return stacks.found(Name(stack) if stack else stacks.named(env), endpoint_url=endpoint_url)


def _dead_letters(of: Stack) -> DeadLetters:
    return DeadLetters(of.sqs, dead_letter_url=of.dead_letter_url, queue_url=of.queue_url)


def _ledger(of: Stack) -> Ledger:
    return Ledger(of.dynamodb, of.orders_table)


def _row(to: Stack, order: str) -> Row:
    if row := _ledger(to).row(order):
        return row
    raise Refused(_unknown(to, order))


def _unknown(to: Stack, order: str) -> str:
    return f"the ledger of {to.name} has no order {order}; if Stripe has, `look` delivers it"


def _ask(to: Stack, about: str, *, why: str, account: str | None) -> str:
    """The event id that the notice has."""
    now = datetime.now(UTC)
    notice = Notice("stripe", f"operator:{uuid.uuid4().hex}", why, about, now, account)
    SqsReconcileQueue(to.sqs, queue_url=to.queue_url).ask([notice])
    return notice.event_id


def _stripe(of: Stack) -> StripeAccess:
    """The stack's Stripe, with the shell's key: the stack's own may not write."""
    key = os.environ.get("STRIPE_API_KEY", "").strip()
    if not key:
        raise Refused("--to writes the address at Stripe: put a key that may into STRIPE_API_KEY (docs/runbook.md)")
    if not correction.is_safe_base(of.stripe_api_base):
        raise Refused(f"the key in STRIPE_API_KEY is not shown to {of.stripe_api_base}, which is no https:// address")
    return StripeAccess(api_key=lambda: key, api_base=of.stripe_api_base, timeout_s=_STRIPE_S)


def _correct(access: StripeAccess, order: str, address: str, *, account: str | None, replace: bool) -> None:
    what = "Invoices" if order.startswith("in_") else "Checkout Sessions"
    try:
        written = correction.write(access, order, address, account=account, replace=replace)
    except CorrectedBefore as exc:
        raise Refused(
            f"{order} has another corrected address already ({CORRECTED_ADDRESS} in its metadata at Stripe);"
            " --replace puts this one in its place"
        ) from exc
    except (OrderUnknown, StripeUnavailable) as exc:
        raise Refused(
            f"the address is not written, and nothing was asked for: {exc}. The key in STRIPE_API_KEY has to be one of"
            f" the account and mode of {order}, and may write {what}"
        ) from exc
    finally:
        access.close()
    _line("The address is written at Stripe." if written else "The address was written at Stripe before.")


def _came(to: Stack, wish: str, *, before: Row, seconds: int) -> Came | None:
    book = _ledger(to)

    def look() -> Came | None:
        now = book.row(before.order_id)
        return outcome.came_of(wish, before=before, now=now) if now else None

    return outcome.waited(look, seconds=seconds, monotonic=monotonic, sleep=sleep)


def _tell_what_came(came: Came | None, seconds: int) -> None:
    if came is None:
        raise Refused(f"nothing came of it within {seconds} s: it waits its turn, or Deliver's log says why. {_THEN}")
    if not came.mailed:
        raise Refused(came.words)
    _line(came.words)


def _facts(letter: DeadLetter) -> dict[str, str | None]:
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


def _show_case(copies: list[DeadLetter]) -> None:
    """
    The newest of *copies*, which comes first, and since when there are any.

    Not a table: an order's id alone fills a line, and must stay whole to be copied.
    """
    letter = copies[0]
    when = f"{min(each.since for each in copies):%Y-%m-%d %H:%M} UTC"
    reason = letter.reason or ("given up by SQS" if letter.notice else "no notice of ours")
    times = f"  (told {len(copies)} times)" if len(copies) > 1 else ""
    _out.print(Text.assemble((when, "dim"), "  ", (_printable(reason), "red"), (times, "dim")))
    _out.print(Text(f"  {_printable(letter.order or f'message {letter.message_id}')}", "bold"), soft_wrap=True)
    for words in (letter.what, letter.advice):
        if words:
            _out.print(
                Padding(Text(_printable(words)), (0, 0, 0, 2), expand=False),
                style="" if words is letter.what else "dim",
            )
    _out.print()


def _letters(number: int) -> str:
    return f"{number} dead letter" + ("" if number == 1 else "s")


def _line(words: str) -> None:
    _out.print(Text(_printable(words)), soft_wrap=True)


def _aside(words: str, style: str = "dim") -> None:
    _errors.print(Text(_printable(words), style), soft_wrap=True)


def _printable(words: str) -> str:
    """Whoever may write into the queue shall not write escapes onto a terminal."""
    return "".join(each if each.isprintable() else " " for each in words)


def main(arguments: list[str] | None = None) -> int:
    """Exits with 0 when all that was asked for is done, 2 when the question is wrong, else 1."""
    try:
        app(arguments)
    except NoCredentialsError:
        _aside("✗ no AWS credentials in this shell: set AWS_PROFILE, or log in", "red")
    except NoRegionError:
        _aside("✗ no AWS region in this shell: set AWS_REGION", "red")
    except ClientError as exc:
        # To the operator alone, and of calls that carry nobody's data: AWS's own words may be shown.
        _aside(f"✗ {summary('AWS', exc)}: {exc.response.get('Error', {}).get('Message', '')}", "red")
    except (StackUnknown, Refused, QueueUnavailable, BotoCoreError) as exc:
        _aside(f"✗ {exc}", "red")
    return 1


if __name__ == "__main__":
    sys.exit(main())
