"""The command that holds what is against what should be: live, or in an export of the logs."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from operate import stacks
from operate.answers import Answer, Code, Misasked
from operate.audit import Line, audited, read
from operate.audits.comparing import LEFT_OUT, Compared, Comparison, Difference
from operate.options import EndpointOption, EnvOption, StackOption, YesOption, confirm
from operate.printing import aside
from operate.stacks import Stack
from operate.wishing import ask_for_a_look

LogsOption = Annotated[
    list[Path] | None,
    typer.Option("--logs", metavar="FILE", exists=True, dir_okay=False, help="An export; once for each file."),
]


def audit(
    *,
    logs: LogsOption = None,
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="How far back in Stripe's lists.")] = 30,
    fix: Annotated[bool, typer.Option("--fix", help="Ask for a look at each order that differs.")] = False,
    yes: YesOption = False,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
) -> Answer:
    """
    Hold Stripe, the ledger and Fast.io against each other.

    Order by order: six numbers, each to be 0. Looks at what was paid, given back or disputed in these days, and at each
    open link, with a call to Stripe for each order, or some. Exits with 1 when something differs.

    With --logs it holds exports of the functions' logs against what Paidshare promises, and asks nobody:
    `aws logs tail /paidshare/prod/deliver --since 7d > deliver.log`, and so for receive, feedback and sweep.
    """
    if logs and fix:
        raise Misasked("--fix goes without --logs")
    if logs:
        return _of_logs(logs)
    with stacks.meant(env, stack=stack, endpoint_url=endpoint_url) as to:
        if to.where:
            aside(to.where)
        return compared(to, days=days, fix=fix, yes=yes)


def compared(to: Stack, *, days: int, fix: bool = False, yes: bool = False) -> Answer:
    """Live, of the last *days*; with *fix* another look at what differs is asked for. Raises what `audit` raises."""
    now = datetime.now(UTC)
    found = Comparison(to, now=now).since(now - timedelta(days=days))
    return _answer(found, _fixed(to, found, yes=yes) if fix else [])


def _fixed(to: Stack, compared: Compared, *, yes: bool) -> list[str]:
    orders = list(compared.found)
    if orders:
        confirm(f"Ask for a look at {len(orders)} orders in {to.name}?", yes=yes)
    for order_id in orders:
        ask_for_a_look(to, order_id)
    return orders


def _answer(compared: Compared, asked: list[str]) -> Answer:
    by = {each: [order for order, found in compared.found.items() if found is each] for each in Difference}
    words = [f"{compared.orders} orders compared"]
    for each, orders in by.items():
        words += [f"  {len(orders):>5}  {each}", *(f"           {order}" for order in orders)]
    words += [f"✗ {one}" for one in compared.misspelt]
    words.append(LEFT_OUT)
    if asked:
        words.append(
            f"Asked for a look at {len(asked)} orders. What differs at Fast.io alone, the sweep closes within an hour."
        )
    data: dict[str, Any] = {
        "orders": compared.orders,
        "differences": {each.name.lower(): orders for each, orders in by.items()},
        "misspelt": [*compared.misspelt],
        "asked": asked,
        "gaps": [*compared.gaps],
    }
    notes = [f"? not known: {gap}" for gap in compared.gaps]
    code = Code.WRONG if compared.found or compared.misspelt else Code.NOT_KNOWN if compared.gaps else Code.GOOD
    return Answer(data, words, code, notes)


def _of_logs(logs: list[Path]) -> Answer:
    lines = list[Line]()
    for path in logs:
        with path.open(encoding="utf-8", errors="replace") as text:
            lines += read(text)
    judge = audited(lines)
    findings = judge.end()
    if judge.first_at is None:
        return Answer([], [], Code.NOT_KNOWN, ["✗ no line of Paidshare's functions is in there"])
    since, until = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}" for at in (judge.first_at, judge.last_at))
    words = [f"{judge.lines:,} lines of {since} to {until} UTC; orders looked at: {judge.orders:,}"]
    for one in findings:
        when = f"{datetime.fromtimestamp(one.at, UTC):%Y-%m-%d %H:%M:%S}"
        words.append(f"✗ {when}  {one.about}: {one.how} ({one.promise})")
    if not findings:
        words.append("✓ Nothing in them is not as promised.")
    return Answer([asdict(one) for one in findings], words, Code.WRONG if findings else Code.GOOD)
