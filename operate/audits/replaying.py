"""The command that goes through a time once more: first as a plan, then as what the plan says, or not at all."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from operate.answers import Answer, Misasked, Refused
from operate.audits.comparing import LEFT_OUT, Comparison
from operate.options import YesOption, confirm
from operate.stacks import Stack
from operate.wishing import ask_for_a_look
from paidshare.delivering.plan import Step
from paidshare.loose_json import as_object, object_in

_IDLE = (Step.NOTHING, Step.WAIT)


def replay(
    to: Stack,
    *,
    since: Annotated[
        datetime | None, typer.Option("--since", help="From then on, in UTC: 2026-11-24 or 2026-11-24T10:00:00.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="FILE", dir_okay=False, help="Write down what would happen.")
    ] = None,
    apply: Annotated[
        Path | None,
        typer.Option("--apply", metavar="FILE", exists=True, dir_okay=False, help="Have happen what was written down."),
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Refuse to have more orders than these looked at.")] = 500,
    yes: YesOption = False,
) -> Answer:
    """
    Go through a time once more, by a plan.

    All that was paid, given back or disputed since then.
    First `--since TIME --plan FILE`, which only looks, and says what a look at each order would do. Then `--apply
    FILE`: it looks again, and asks for these looks if each would still do the same; else it refuses, and asks for none.
    """
    if apply is not None:
        if since is not None or plan is not None:
            raise Misasked("--apply goes without --since and --plan: the file says both")
        return _applied(to, apply, most=most, yes=yes)
    if since is None or plan is None:
        raise Misasked("say --since TIME --plan FILE, or --apply FILE")
    comparison = Comparison(to, now=datetime.now(UTC))
    steps = comparison.steps(comparison.orders_since(since.replace(tzinfo=UTC)))
    written = {"stack": to.name, "since": since.isoformat(), "orders": dict(sorted(steps.items()))}
    plan.write_text(json.dumps(written, indent=2) + "\n")
    return _answer(to, steps, asked=[], words=[LEFT_OUT, f"Written to {plan}; nothing was asked for."])


def _applied(to: Stack, file: Path, *, most: int, yes: bool) -> Answer:
    planned = _read(file, to)
    steps = Comparison(to, now=datetime.now(UTC)).steps(planned)
    moved = [f"{one} (planned: {step}; now: {steps[one]})" for one, step in planned.items() if steps[one] != step]
    if moved:
        raise Refused("the world has moved, and nothing was asked for; make a new plan: " + ", ".join(moved[:5]))
    looks = [one for one, step in steps.items() if step not in _IDLE]
    if len(looks) > most:
        raise Refused(f"the plan has {len(looks)} looks, and --most is {most}: nothing was asked for")
    if looks:
        confirm(f"Have {len(looks)} orders in {to.name} looked at?", yes=yes)
    for order_id in looks:
        ask_for_a_look(to, order_id)
    return _answer(to, steps, asked=looks, words=[f"Asked for {len(looks)} looks in {to.name}."])


def _read(file: Path, to: Stack) -> dict[str, str]:
    try:
        said = object_in(file.read_text())
    except (OSError, UnicodeDecodeError) as exc:
        raise Misasked(f"{file.name} is not readable ({type(exc).__name__})") from exc
    orders = as_object(said.get("orders"))
    if said.get("stack") != to.name or not all(isinstance(step, str) for step in orders.values()):
        raise Misasked(f"{file.name} is no plan for {to.name}")
    return orders


def _answer(to: Stack, steps: dict[str, str], *, asked: list[str], words: list[str]) -> Answer:
    counts = Counter(steps.values())
    shown = [f"  {count:>5}  {step.replace('_', ' ')}" for step, count in sorted(counts.items())]
    data: dict[str, Any] = {"stack": to.name, "orders": steps, "asked": asked}
    what = ", and what a look at them does:" if shown else ""
    return Answer(data, [f"{len(steps)} orders{what}", *shown, *words])
