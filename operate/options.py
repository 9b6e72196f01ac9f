"""The arguments and options that commands share, and how each is checked."""

import re
from typing import Annotated

import typer

from operate import correction, stacks
from operate.ledger import Ledger
from operate.printing import aside, printable
from operate.stacks import Name, Stack
from paidshare.aws import DeadLetters

# What `StripePayments.orders_of` and `StripePayments.order` take.
ABOUT = re.compile(r"(cs|in|pi|ch|py|re|pyr|du|dp|issfr|sub)_[A-Za-z0-9_]{1,250}")
ORDER = re.compile(r"(cs|in)_[A-Za-z0-9_]{1,250}")
ACCOUNT = re.compile(r"acct_[A-Za-z0-9_]{1,250}")


class Refused(Exception):
    """What was asked for cannot be done; the message says why."""


def _of_form(form: re.Pattern[str], wanted: str, given: str) -> str:
    if not form.fullmatch(given):
        raise typer.BadParameter(f"{printable(given)[:80]!r} is not {wanted}")
    return given


def about(given: str) -> str:
    return _of_form(ABOUT, "an id of Stripe's that leads to an order (cs_…, in_…, pi_…, ch_…, sub_…)", given)


def order_id(given: str) -> str:
    return _of_form(ORDER, "an order's id: the ledger has orders by cs_… and in_…", given)


def address(given: str | None) -> str | None:
    if given is None or correction.is_address(given.strip()):
        return given and given.strip()
    raise typer.BadParameter(f"{printable(given)[:80]!r} is no e-mail address that a letter could go to")


def account(given: str | None) -> str | None:
    return given and _of_form(ACCOUNT, "a connected account's id (acct_…)", given)


AboutArgument = Annotated[
    str, typer.Argument(metavar="order", parser=about, help="cs_… or in_…; or pi_…, ch_…, sub_… and the like of it.")
]
EnvOption = Annotated[str, typer.Option("--env", help="Which environment of samconfig.toml.")]
StackOption = Annotated[str | None, typer.Option("--stack", help="The stack's name, instead.")]
EndpointOption = Annotated[
    str | None, typer.Option("--endpoint-url", help="Another AWS than Amazon's, such as the laptop's.")
]
AccountOption = Annotated[
    str | None, typer.Option(callback=account, help="The connected account (acct_…) that the order belongs to.")
]


def stack_of(env: str, stack: str | None, endpoint_url: str | None) -> Stack:
    found = stacks.found(Name(stack) if stack else stacks.named(env), endpoint_url=endpoint_url)
    # Two regions, or two accounts, with a stack of this name are one wrong variable apart.
    if found.where:
        aside(found.where)
    return found


def dead_letters(of: Stack) -> DeadLetters:
    return DeadLetters(of.sqs, dead_letter_url=of.dead_letter_url, queue_url=of.queue_url)


def ledger(of: Stack) -> Ledger:
    return Ledger(of.dynamodb, of.orders_table)
