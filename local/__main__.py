"""
The laptop's system, from the command line.

`make local`, `make demo` and `make soak` call `up`, `demo` and `soak`; `pay` makes a sale in a system that is up, and
the commands after it have what can happen to a sale happen to the last one.
"""

import contextlib
import os
import secrets
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import httpx
import typer
from rich.console import Console
from rich.text import Text

from local import changing, paying, sale, samples
from local.aws import sam_local
from local.changing import Verdict
from local.demo import Demo
from local.hosting.endpoints import Endpoints, NotRunning
from local.hosting.processes import PartFailed
from local.paying import Outcome
from local.progress import Progress
from local.sale import Order, Sale, SaleFailed
from local.settings import HOME, ROOT, Keys, SettingsWrong
from local.soak import run as soaking
from local.soak.run import Plan
from local.stack import running

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help=__doc__, rich_markup_mode=None, pretty_exceptions_enable=False
)
_out = Console()
_errors = Console(stderr=True)

HomeOption = Annotated[Path, typer.Option(help="The folder of this system: logs, endpoints.json, scratch files.")]
BindOption = Annotated[
    Literal["127.0.0.1", "0.0.0.0"],
    typer.Option(help="0.0.0.0 lets containers in (`sam local invoke`), and everybody else on the network."),
]
SessionOption = Annotated[str | None, typer.Option(help="Which order (cs_…); the last sale unless given.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def up(home: HomeOption = HOME, bind: BindOption = "127.0.0.1") -> None:
    """Start everything and keep it running until Ctrl-C."""
    keys = _keys()
    with (
        contextlib.suppress(KeyboardInterrupt),
        running(home.absolute(), keys=keys, progress=Progress(_out), usual_ports=True, bind=bind) as stack,
    ):
        _show(_addresses(stack.endpoints))
        _out.print("Ctrl-C ends it.", style="bold")
        if not keys.real_stripe:
            _out.print("A sale, from another terminal: .venv/bin/python -m local pay", highlight=False)
        while True:
            time.sleep(3600)
    _out.print("Stopped.")


@app.command()
def demo(home: HomeOption = HOME / "demo") -> None:
    """Start a system of its own, make one sale in it, show and check what happens, stop it."""
    began = time.monotonic()
    with running(home.absolute(), progress=Progress(_out)) as stack:
        Demo(stack, _out).play()
    _out.print(f"\n[green]✓[/green] All of it happened. {time.monotonic() - began:.0f} s.", highlight=False)


@app.command()
def soak(
    *,
    home: HomeOption = HOME / "soak",
    orders: Annotated[int, typer.Option(min=1, max=1000, help="How many; a Fast.io plan holds 1,000 shares.")] = 1000,
    minutes: Annotated[float, typer.Option(help="It ends by then, done or not.")] = 60,
    seed: Annotated[int | None, typer.Option(help="Sets all dice, so that a soak can be repeated.")] = None,
) -> None:
    """Start a system of its own and sell in it while everything fails and workers are killed; count what came of it."""
    plan = Plan(orders=orders, seed=secrets.randbelow(10_000) if seed is None else seed, limit_s=minutes * 60)
    with running(home.absolute(), progress=Progress(_out)) as stack:
        soaked = soaking.soak(stack, plan, Progress(_out))
    for line in soaked.table():
        _out.print(line, highlight=False, markup=False, soft_wrap=True)
    if soaked.troubles:
        raise typer.Exit(1)


@app.command()
def pay(  # noqa: PLR0913  # Each is an option of the command.
    *,
    home: HomeOption = HOME,
    email: Annotated[str, typer.Option(help="The buyer.")] = "ada@example.com",
    product: Annotated[str | None, typer.Option(help="Id or name; the first product unless given.")] = None,
    subscription: Annotated[bool, typer.Option(help="Buy it by the month.")] = False,
    trial_days: Annotated[int, typer.Option(min=0, help="A subscription that costs nothing for so long.")] = 0,
    repeat: Annotated[bool, typer.Option("--again", help="Send the last sale's event again.")] = False,
    forged: Annotated[bool, typer.Option(help="Send the last sale's event with a wrong signature.")] = False,
    late: Annotated[bool, typer.Option(help="Order now, pay later, as with a bank debit.")] = False,
    unsettled: Annotated[bool, typer.Option(help="Order now; whether it is paid, `settle` or `fail` says.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a sale in the running system, and wait for what should come of it."""
    home = home.absolute()
    to = Endpoints.read(home)
    if repeat or forged:
        outcome = paying.again(to, sale.last(home), forged=forged)
    else:
        how = {"subscription": subscription, "trial_days": trial_days}
        if unsettled:
            made, outcome = paying.pay_late(to, email=email, product=product, **how)
        else:
            made, outcome = paying.pay(to, email=email, product=product, late=late, **how)
        sale.remember(home, made)
    _report(outcome, as_json=as_json)


@app.command()
def settle(*, home: HomeOption = HOME, session: SessionOption = None, as_json: JsonOption = False) -> None:
    """The late payment of an order comes in: the buyer gets the goods."""
    to, order = _order(home, session)
    outcome = changing.settle(to, order)
    sale.remember(home.absolute(), Sale(order.session, order.email, outcome.attempt))
    _report(outcome, as_json=as_json)


@app.command()
def fail(*, home: HomeOption = HOME, session: SessionOption = None, as_json: JsonOption = False) -> None:
    """The late payment of an order does not come: the buyer is told."""
    _report(changing.fail(*_order(home, session)), as_json=as_json)


@app.command()
def refund(
    *,
    home: HomeOption = HOME,
    session: SessionOption = None,
    amount: Annotated[int | None, typer.Option(min=1, help="In cents; all that is left unless given.")] = None,
    undo: Annotated[bool, typer.Option(help="The last refund fails: the money stays with the seller.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Refund an order, whole or in part, or have its last refund fail."""
    if undo and amount is not None:
        raise typer.BadParameter("--undo is of the whole last refund: it goes without --amount")
    to, order = _order(home, session)
    outcome = changing.undo_refund(to, order) if undo else changing.refund(to, order, amount=amount)
    _report(outcome, as_json=as_json)


@app.command()
def dispute(
    *,
    home: HomeOption = HOME,
    session: SessionOption = None,
    inquiry: Annotated[bool, typer.Option(help="The bank only asks.")] = False,
    won: Annotated[bool, typer.Option(help="The open one ends well for the seller.")] = False,
    lost: Annotated[bool, typer.Option(help="The open one ends badly for the seller.")] = False,
    withdrawn: Annotated[bool, typer.Option(help="The buyer takes the open one back.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Dispute an order's payment, or end the dispute that is open."""
    if inquiry + won + lost + withdrawn > 1:
        raise typer.BadParameter("give one of --inquiry, --won, --lost, --withdrawn")
    to, order = _order(home, session)
    if won or lost or withdrawn:
        verdict: Verdict = "won" if won else "lost" if lost else "withdrawn"
        outcome = changing.close_dispute(to, order, verdict=verdict)
    else:
        outcome = changing.dispute(to, order, inquiry=inquiry)
    _report(outcome, as_json=as_json)


@app.command()
def renew(
    *,
    home: HomeOption = HOME,
    session: SessionOption = None,
    unpaid: Annotated[bool, typer.Option(help="The card is declined.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The next period of a subscription begins."""
    to, order = _order(home, session)
    _report(changing.renew(to, order, paid=not unpaid), as_json=as_json)


@app.command()
def cancel(
    *,
    home: HomeOption = HOME,
    session: SessionOption = None,
    at_period_end: Annotated[bool, typer.Option(help="It runs on until then.")] = False,
    as_json: JsonOption = False,
) -> None:
    """End a subscription."""
    to, order = _order(home, session)
    _report(changing.cancel(to, order, at_period_end=at_period_end), as_json=as_json)


@app.command()
def events(home: HomeOption = HOME) -> None:
    """Sign the sample events in events/ anew; with a running system, make ready for `sam local invoke`."""
    names = samples.write(ROOT / "events", int(time.time()))
    _out.print(f"Signed: {', '.join(names)}", highlight=False, soft_wrap=True)
    try:
        to = Endpoints.read(home.absolute())
    except NotRunning:
        _out.print("No system is running, so their order is known to nobody: `make local` first.")
        return
    if not to.stripe_is_real:
        sale.sell_sample(to)
    _out.print(f"For sam local invoke: -t {sam_local.write(home, to)}", highlight=False, soft_wrap=True)


def _order(home: Path, session: str | None) -> tuple[Endpoints, Order]:
    """The running system, and the order in it that is meant."""
    to = Endpoints.read(home.absolute())
    return to, sale.chosen(to, home.absolute(), session)


def _report(outcome: Outcome, *, as_json: bool) -> None:
    facts = outcome.facts()
    if as_json:
        _out.print_json(data=facts)
        return
    told = facts.pop("events")
    _show({name.replace("_", " "): str(value) for name, value in facts.items() if value is not None})
    for kind, answer in told.items():
        _show({"told": f"{answer}  {kind}"})
    if outcome.letter is None:
        _show({"letter": "none came, and none was due"})


def _addresses(of: Endpoints) -> dict[str, str]:
    return {
        "Stripe webhook": of.stripe_webhook_url,
        "Fast.io webhook": of.fastio_webhook_url,
        "inbox": of.inbox_url,
        "Stripe": of.stripe_url,
        "Fast.io": of.fastio_url,
        "AWS": of.aws_endpoint_url,
        "to sell": f"fastio_workspace={of.fastio_workspace} fastio_files={of.fastio_files}",
        "logs": of.logs,
    }


def _show(rows: dict[str, str]) -> None:
    for name, value in rows.items():
        # Whole, however narrow the terminal: these are to be copied.
        _out.print(Text.assemble((f"  {name:<16}", "dim"), value), soft_wrap=True)


def _keys() -> Keys:
    return Keys.from_environ(os.environ)


def _stop(_number: int, _frame: object) -> NoReturn:
    # Unwinds like Ctrl-C, so that every part is ended in order.
    raise KeyboardInterrupt


def main() -> int:
    """Exits with 0 only when everything asked for really happened."""
    # SIGINT too: a shell starts a script's background jobs with it ignored, and Python leaves it so.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # As `nohup` leaves it.
        signal.signal(signal.SIGHUP, _stop)
    try:
        app()
    except PartFailed as exc:
        _say_what_failed(exc)
    except httpx.TransportError as exc:
        _errors.print(f"✗ {exc.request.url} does not answer: {exc}", style="red", markup=False, soft_wrap=True)
    except (SaleFailed, NotRunning, SettingsWrong) as exc:
        _errors.print(f"✗ {exc}", style="red", markup=False, highlight=False, soft_wrap=True)
    return 1


def _say_what_failed(exc: PartFailed) -> None:
    _errors.print(f"✗ {exc.part}: {exc.why}", style="red", markup=False, highlight=False, soft_wrap=True)
    for line in exc.last_lines():
        _errors.print(f"    {line}", markup=False, highlight=False, soft_wrap=True)
    if exc.log:
        _errors.print(f"  The whole log: {exc.log}", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
