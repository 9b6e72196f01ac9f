"""The arguments and options that commands share, and how each is checked."""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from operate import stacks
from operate.answers import Answer, Code, Misasked
from operate.printing import aside, printable
from paidshare.storefront import addresses

ACCOUNT = re.compile(r"acct_[A-Za-z0-9_]{1,250}")


def address(given: str | None) -> str | None:
    if given is None or addresses.is_address(given.strip()):
        return given and given.strip()
    raise typer.BadParameter(f"{printable(given)[:80]!r} is no e-mail address that a letter could go to")


def account(given: str | None) -> str | None:
    if given and not ACCOUNT.fullmatch(given):
        raise typer.BadParameter(f"{printable(given)[:80]!r} is not a connected account's id (acct_…)")
    return given


WhoArgument = Annotated[
    str,
    typer.Argument(
        metavar="WHO",
        help="A buyer's e-mail address, an id of Stripe's (cs_ in_ pi_ ch_ sub_ …), the reference in a letter, or the"
        " address of a page of Stripe's dashboard.",
    ),
]
AccountOption = Annotated[
    str | None, typer.Option(callback=account, help="The connected account (acct_…) that the order belongs to.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask first.")]
WaitOption = Annotated[int, typer.Option(min=0, max=900, help="For so many seconds, for what comes of it.")]

EnvOption = Annotated[str, typer.Option("--env", help="prod, test, or laptop: the running `make local`.")]
StackOption = Annotated[str | None, typer.Option("--stack", help="The stack's name, instead.")]
EndpointOption = Annotated[
    str | None, typer.Option("--endpoint-url", help="Another AWS than Amazon's, for --stack.", show_default=False)
]
_JsonOption = Annotated[bool, typer.Option("--json", help="For programs (docs/cli/).")]

_OF_A_STACK = {
    "env": (EnvOption, "prod"),
    "stack": (StackOption, None),
    "endpoint_url": (EndpointOption, None),
}


class Commands(TyperGroup):
    """Commands below a name, which by itself stands for the first of them: `products` is `products list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in self.get_help_option_names(ctx)):
            args = [self.list_commands(ctx)[0], *args]
        return super().parse_args(ctx, args)


def of_a_stack(do: Callable[..., Answer | Iterable[Answer]]) -> Callable[..., None]:
    """
    The command that *do* is, as `answered` has it: its first argument is the stack that `--env` means.
    """

    @wraps(do)
    def of_it(*, env: str, stack: str | None, endpoint_url: str | None, **words: Any) -> Iterator[Answer]:
        with stacks.meant(env, stack=stack, endpoint_url=endpoint_url) as to:
            # Two regions, or two accounts, with a stack of this name are one wrong variable apart.
            if to.where:
                aside(to.where)
            yield from _each(do(to, **words))

    own = list(inspect.signature(do).parameters.values())[1:]
    return answered(_taking(of_it, [*own, *_options(_OF_A_STACK)]))


def answered(do: Callable[..., Answer | Iterable[Answer]]) -> Callable[..., None]:
    """
    The command that *do* is: each of its answers is printed when it comes, as JSON with `--json`; the last is the exit
    code.
    """

    @wraps(do)
    def asked(*, as_json: bool, **words: Any) -> None:
        code = Code.GOOD
        for answer in _each(do(**words)):
            answer.say(as_json=as_json)
            code = answer.code
        raise typer.Exit(code)

    own = inspect.signature(do).parameters.values()
    return _taking(asked, [*own, *_options({"as_json": (_JsonOption, False)})])


def _each(answers: Answer | Iterable[Answer]) -> Iterable[Answer]:
    return [answers] if isinstance(answers, Answer) else answers


def _taking[**P, T](do: Callable[P, T], parameters: list[inspect.Parameter]) -> Callable[P, T]:
    """*do* with the *parameters* that typer is to see."""
    do.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    do.__annotations__ = {each.name: each.annotation for each in parameters}
    return do


def _options(named: dict[str, tuple[Any, Any]]) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in named.items()
    ]


def confirm(question: str, *, yes: bool) -> None:
    """
    Asks, unless *yes*. Raises typer.Abort for a no, and Misasked where nobody could answer: a program waits for ever
    for a question that it does not see.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Misasked("this is no terminal, and it asks first: say --yes")
    typer.confirm(printable(question), abort=True, err=True)
