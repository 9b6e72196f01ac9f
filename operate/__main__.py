"""
What an operator does to a deployed stack, with the AWS credentials and region of the shell.

Nothing here can do harm: `redrive` and `look` ask for another look at an order, and a look only takes the steps that
are missing. `resend` alone mails again what was mailed before.
"""

import re
import sys
import uuid
from datetime import UTC, datetime
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from operate import ledger, stacks
from operate.dead_letters import DeadLetter, DeadLetters
from operate.stacks import Name, Stack, StackUnknown
from paidshare import notices
from paidshare.aws_errors import summary
from paidshare.errors import QueueUnavailable
from paidshare.notices import Notice
from paidshare.sqs_looks import SqsLooks

# What `StripePayments.orders_of` and `StripePayments.order` take.
ABOUT = re.compile(r"(cs|in|pi|ch|py|re|pyr|du|dp|issfr|sub)_[A-Za-z0-9_]{1,250}")
ORDER = re.compile(r"(cs|in)_[A-Za-z0-9_]{1,250}")
ACCOUNT = re.compile(r"acct_[A-Za-z0-9_]{1,250}")

_THEN = "In some seconds, `show` and `dead` tell what came of it."

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
        for letter in letters:
            _show_letter(letter)
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
        left = [letter for letter in chosen if letter.notice is None]
        going = [letter for letter in chosen if letter.notice is not None]
        moved = set()
        for letter in box.moved(going):
            moved.add(letter.message_id)
            _line(f"back to work: {letter.order}  {letter.reason or ''}".rstrip())
    for letter in left:
        _line(f"left, no notice of ours: message {letter.message_id}  {letter.what}")
    missing = [order for order in wanted if not any(letter.about(order) for letter in letters)]
    _line(f"{_letters(len(moved))} put back to work." + (" One whose cause is not mended comes back." if moved else ""))
    if missing:
        raise Refused("no dead letter of " + ", ".join(missing))
    if len(moved) < len(going):
        raise Refused(f"SQS did not take {_letters(len(going) - len(moved))}: they are where they were. Try again.")
    if wanted and left:
        raise Refused("no notice of ours can be put back to work")


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
def resend(
    order: AboutArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    account: AccountOption = None,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
) -> None:
    """Mail an order's link once more, if its buyer has access now."""
    to = _stack(env, stack, endpoint_url)
    state = ""
    if ORDER.fullmatch(order):
        state = f" ({_row(to, order)['state']})"
    if not yes:
        typer.confirm(f"Mail the link of {order}{state} in {to.name} to its buyer once more?", abort=True)
    _ask(to, order, why=notices.RESEND, account=account)
    _line(f"Asked for the link of {order} in {to.name} to be mailed once more. {_THEN}")


@app.command()
def show(
    order: Annotated[str, typer.Argument(metavar="order", parser=_order, help="cs_… or in_….")],
    *,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
) -> None:
    """What the ledger says of an order. Never its link."""
    row = _row(_stack(env, stack, endpoint_url), order)
    _out.print(Text(order, "bold"), soft_wrap=True)
    for name, value in row.items():
        _out.print(Text.assemble((f"  {name:<20} ", "dim"), _printable(value)), soft_wrap=True)


def _stack(env: str, stack: str | None, endpoint_url: str | None) -> Stack:
    return stacks.found(Name(stack) if stack else stacks.named(env), endpoint_url=endpoint_url)


def _dead_letters(of: Stack) -> DeadLetters:
    return DeadLetters(of.sqs, dead_letter_url=of.dead_letter_url, queue_url=of.queue_url)


def _row(to: Stack, order: str) -> dict[str, str]:
    if row := ledger.row(to.dynamodb, to.orders_table, order):
        return row
    raise Refused(f"the ledger of {to.name} has no order {order}; if Stripe has, `look` delivers it")


def _ask(to: Stack, about: str, *, why: str, account: str | None) -> None:
    now = datetime.now(UTC)
    notice = Notice("stripe", f"operator:{uuid.uuid4().hex}", why, about, now, account)
    SqsLooks(to.sqs, queue_url=to.queue_url).ask([notice])


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


def _show_letter(letter: DeadLetter) -> None:
    """Not a table: an order's id alone fills a line, and must stay whole to be copied."""
    when = f"{letter.since:%Y-%m-%d %H:%M} UTC"
    reason = letter.reason or ("given up by SQS" if letter.notice else "no notice of ours")
    _out.print(Text.assemble((when, "dim"), "  ", (_printable(reason), "red")))
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
