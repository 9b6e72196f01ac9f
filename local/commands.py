"""
The laptop's system, from the command line.

`make local`, `make demo` and `make soak` call `up`, `demo` and `soak`; `pay` makes a sale in a system that is up, and
the commands after it have what can happen to a sale happen to the last one.
"""

import contextlib
import os
import secrets
import signal
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import httpx
import typer

from local import changing, paying, sale, samples
from local.aws import sam_local
from local.changing import Verdict
from local.demo import Demo
from local.hosting.endpoints import Endpoints, NotRunning
from local.hosting.processes import PartFailed
from local.sale import Order, Sale, SaleFailed
from local.settings import HOME, Keys, SettingsWrong
from local.showing import Progress, addresses, errors, out, report, say_what_failed, short, show
from local.soak import run as soaking
from local.soak.run import Plan
from local.stack import running

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help=__doc__, rich_markup_mode=None, pretty_exceptions_enable=False
)

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
        running(home.absolute(), keys=keys, progress=Progress(out), usual_ports=True, bind=bind) as stack,
    ):
        show(addresses(stack.endpoints))
        out.print("Ctrl-C ends it.", style="bold")
        if not keys.real_stripe:
            out.print("A sale, from another terminal: .venv/bin/python -m local pay", highlight=False)
        while True:
            time.sleep(3600)
    out.print("Stopped.")


@app.command()
def demo(home: HomeOption = HOME / "demo") -> None:
    """Start a system of its own, make one sale in it, show and check what happens, stop it."""
    began = time.monotonic()
    with running(home.absolute(), progress=Progress(out)) as stack:
        Demo(stack, out).play()
    out.print(f"\n[green]✓[/green] All of it happened. {time.monotonic() - began:.0f} s.", highlight=False)


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
    with running(home.absolute(), progress=Progress(out)) as stack:
        soaked = soaking.soak(stack, plan, Progress(out))
    for line in soaked.table():
        out.print(line, highlight=False, markup=False, soft_wrap=True)
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
    locale: Annotated[str | None, typer.Option(help="What the buyer reads: de, ja, ar …")] = None,
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
        how = {"subscription": subscription, "trial_days": trial_days, "locale": locale}
        note = partial(sale.remember, home)
        if unsettled:
            outcome = paying.pay_late(to, note, email=email, product=product, **how)
        else:
            outcome = paying.pay(to, note, email=email, product=product, late=late, **how)
    report(outcome, as_json=as_json)


@app.command()
def settle(*, home: HomeOption = HOME, session: SessionOption = None, as_json: JsonOption = False) -> None:
    """The late payment of an order comes in: the buyer gets the goods."""
    to, order = _order(home, session)
    outcome = changing.settle(to, order)
    sale.remember(home.absolute(), Sale(order.session, order.email, outcome.attempt))
    report(outcome, as_json=as_json)


@app.command()
def fail(*, home: HomeOption = HOME, session: SessionOption = None, as_json: JsonOption = False) -> None:
    """The late payment of an order does not come: the buyer is told."""
    report(changing.fail(*_order(home, session)), as_json=as_json)


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
    report(outcome, as_json=as_json)


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
    report(outcome, as_json=as_json)


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
    report(changing.renew(to, order, paid=not unpaid), as_json=as_json)


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
    report(changing.cancel(to, order, at_period_end=at_period_end), as_json=as_json)


@app.command()
def events(home: HomeOption = HOME) -> None:
    """Sign the sample events of events/ anew, into .local; with a running system, make ready for `sam local invoke`."""
    folder = home / "events"
    names = samples.write(folder, int(time.time()))
    out.print(f"Signed, in {short(folder)}: {', '.join(names)}", highlight=False, soft_wrap=True)
    try:
        to = Endpoints.read(home.absolute())
    except NotRunning:
        out.print("No system is running, so their order is known to nobody: `make local` first.")
        return
    if not to.stripe_is_real:
        sale.sell_sample(to)
    out.print(f"For sam local invoke: -t {short(sam_local.write(home, to))}", highlight=False, soft_wrap=True)


def _order(home: Path, session: str | None) -> tuple[Endpoints, Order]:
    """The running system, and the order in it that is meant."""
    to = Endpoints.read(home.absolute())
    return to, sale.chosen(to, home.absolute(), session)


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
        say_what_failed(exc)
    except httpx.TransportError as exc:
        errors.print(f"✗ {exc.request.url} does not answer: {exc}", style="red", markup=False, soft_wrap=True)
    except (SaleFailed, NotRunning, SettingsWrong) as exc:
        errors.print(f"✗ {exc}", style="red", markup=False, highlight=False, soft_wrap=True)
    return 1
