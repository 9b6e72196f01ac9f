"""
A million orders in an hour: what lets how many through, which limit breaks next, and what it costs.

    python -m simulation.scale                     docs/scale.md's tables, and its pictures into docs/
    python -m simulation.scale --orders 1000       the same of fewer, evenly in as much time

A model of queues, and not the functions: an order passes one limit after the other, in the order in which it came. Real
orders that are put off come back in no order and with pauses, so what is printed of a limit that is passed is the best
that can be. The calls of an order are counted by `simulation.sale`, from the real functions.
"""

import heapq
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles
from typing import Annotated

import typer

from simulation.sale import counted

DOCS = Path(__file__).resolve().parents[1] / "docs"
HOUR_S, WEBHOOKS = 3_600.0, 4
BATCH, DELIVERY_S, LOOK_S, REFUSED_S = 10, 1.9, 0.45, 0.05
"""
Messages of a batch; the seconds of a delivery of two files with every provider answering in 200 ms (`make bench`), of a
look that has nothing to do, and of a claim that is refused.
"""
_PASSES_S = 0.6
"""From Stripe's event to the worker: Stripe, Receive and the queue."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`per_s` orders pass at most, or `at_once` are under way for `takes_s` each. `lifted` says by what."""

    name: str
    lifted: str
    per_s: float = 0.0
    at_once: int = 0
    takes_s: float = 0.0

    @property
    def rate(self) -> float:
        """Orders a second."""
        return self.per_s or self.at_once / self.takes_s

    def passed(self, arrivals: Iterable[float]) -> Iterator[float]:
        """When each of *arrivals* (seconds, in order) is through."""
        if self.per_s:
            free = 0.0
            for at in arrivals:
                begins = max(at, free)
                free = begins + 1 / self.per_s
                yield begins
            return
        workers = [0.0] * self.at_once
        for at in arrivals:
            ends = max(at, workers[0]) + self.takes_s
            heapq.heapreplace(workers, ends)
            yield ends


def limits(*, stripe_calls: int, throttle: float, workers: int, stripe: float, ses: float) -> list[Limit]:
    """In the order in which an order meets them."""
    in_work_s = DELIVERY_S + LOOK_S + (WEBHOOKS - 2) * REFUSED_S
    return [
        Limit(f"HTTP API throttle, {throttle:.0f} webhooks/s", "`ThrottleRate`, `ThrottleBurst`", throttle / WEBHOOKS),
        Limit(f"Stripe, {stripe:.0f} reads/s of one endpoint", "ask Stripe for more", stripe / stripe_calls),
        Limit(f"`DeliverConcurrency` {workers}", "`DeliverConcurrency`", 0.0, workers * BATCH, in_work_s),
        Limit(f"SES, {ses:.0f} letters/s", "ask AWS for more", ses),
    ]


@dataclass(frozen=True, slots=True)
class Waited:
    """How long the buyers waited for their letters (seconds), and every so often how many orders were on their way."""

    p50: float
    p95: float
    p99: float
    last_after: float
    every_s: int
    queue: list[int]


def played(orders: int, seconds: float, some: list[Limit]) -> Waited:
    """*orders* come evenly in so many *seconds*, and meet each of *some*."""
    bought = [number * seconds / orders for number in range(orders)]
    at: Iterable[float] = (moment + _PASSES_S for moment in bought)
    for limit in some:
        # Workers take turns by who is free, so what follows them is met in another order.
        at = sorted(limit.passed(at)) if limit.at_once else limit.passed(at)
    mailed = list(at)
    waits = sorted(left - came for came, left in zip(bought, mailed, strict=True))
    cuts = quantiles(waits, n=100)
    every_s = max(1, int(mailed[-1]) // 200)
    queue = list(_under_way(bought, mailed, every_s))
    return Waited(cuts[49], cuts[94], cuts[98], mailed[-1] - bought[-1], every_s, queue)


def _under_way(bought: list[float], mailed: list[float], every_s: int) -> Iterator[int]:
    for moment in range(0, int(mailed[-1]) + every_s, every_s):
        yield bisect_right(bought, moment) - bisect_right(mailed, moment)


@dataclass(frozen=True, slots=True)
class Stage:
    """The lowest limit, None where all let enough through, and how long the buyers wait with it."""

    lowest: Limit | None
    waited: Waited

    @property
    def name(self) -> str:
        return "all lifted" if self.lowest is None else self.lowest.name


def stages(orders: int, seconds: float, stripe_calls: int) -> Iterator[Stage]:
    """As it is deployed, and then with the lowest limit lifted, until none is in the way."""
    wanted, had = orders / seconds * 1.1, deployed(stripe_calls)
    while True:
        lowest = min(had, key=lambda limit: limit.rate)
        waited = played(orders, seconds, had)
        if lowest.rate >= wanted:
            yield Stage(None, waited)
            return
        yield Stage(lowest, waited)
        if lowest.per_s:
            more = replace(lowest, per_s=wanted)
        else:
            more = replace(lowest, at_once=BATCH * math.ceil(wanted * lowest.takes_s / BATCH))
        had[had.index(lowest)] = more


def deployed(stripe_calls: int) -> list[Limit]:
    """The limits of a new stack (template.yaml) and of new accounts at Stripe and AWS."""
    return limits(stripe_calls=stripe_calls, throttle=100, workers=2, stripe=25, ses=14)


# --- What it costs --------------------------------------------------------------------------------------------

_M = {"write": 0.625, "read": 0.125, "sqs": 0.40, "ses": 100.0, "http": 1.0, "invocation": 0.20, "gb_s": 13.33}
"""List prices of us-east-1 in dollars a million (November 2026, from memory as in the measurements; arm64)."""
_MEASURED = [("Logs, 18 KB an order", 8.20), ("Feedback, Lambda", 4.38), ("Receive, Lambda", 1.47)]
"""As they were measured on 25 November 2026; Receive has become lighter since."""
_INDEX_WRITES = 4 + 2 + 1
"""Of an order: `unsettled` comes, moves and goes with a delivery and a look, and the payment is written once."""


def costs(calls: dict[tuple[str, str, str], int]) -> list[tuple[str, float]]:
    """Dollars for a million sales that come one by one, by what is paid for."""

    def of(function: str, provider: str, *operations: str) -> int:
        return sum(calls.get((function, provider, operation), 0) for operation in operations)

    deliver_s = 1.3 + LOOK_S + (WEBHOOKS - 2) * REFUSED_S
    return [
        ("SES", of("deliver", "SES", "SendEmail") * _M["ses"]),
        ("Deliver, Lambda of 512 MB", WEBHOOKS * _M["invocation"] + deliver_s * 0.5 * _M["gb_s"]),
        (
            "DynamoDB, orders and indexes",
            (of("deliver", "DynamoDB", "UpdateItem") + of("feedback", "DynamoDB", "UpdateItem") + _INDEX_WRITES)
            * _M["write"]
            + of("deliver", "DynamoDB", "Query") * _M["read"] / 2,
        ),
        ("DynamoDB, events", of("receive", "DynamoDB", "PutItem", "UpdateItem") * _M["write"]),
        ("SQS: each message sent, received, deleted", 3 * of("receive", "SQS", "SendMessage") * _M["sqs"]),
        ("HTTP API", WEBHOOKS * _M["http"]),
        *_MEASURED,
    ]


# --- Printed --------------------------------------------------------------------------------------------------


def main(
    orders: Annotated[int, typer.Option(help="So many orders.")] = 1_000_000,
    seconds: Annotated[float, typer.Option(help="Evenly in so much time.")] = HOUR_S,
    pictures: Annotated[Path, typer.Option(help="The folder that the pictures go to.")] = DOCS,
) -> None:
    calls, _ = counted("atlas")
    stripe_calls = sum(count for (_, provider, _), count in calls.items() if provider == "Stripe")
    print(
        f"{orders:,} orders in {_time(seconds)}, {orders / seconds:.0f} a second, {stripe_calls} reads at Stripe each\n"
    )
    print("| breaks | lets through, orders/s | p50 | p95 | p99 | last letter after the last order | lifted by |")
    print("|---|--:|--:|--:|--:|--:|---|")
    found = list(stages(orders, seconds, stripe_calls))
    for one in found:
        rate, lifted = (f"{one.lowest.rate:.1f}", one.lowest.lifted) if one.lowest else ("", "")
        waited = one.waited
        times = " | ".join(map(_time, (waited.p50, waited.p95, waited.p99, waited.last_after)))
        print(f"| {one.name} | {rate} | {times} | {lifted} |")
    _print_costs(costs(dict(calls)))
    queues = {
        one.name: [(place * one.waited.every_s / HOUR_S, float(many)) for place, many in enumerate(one.waited.queue)]
        for one in found
    }
    pictures.joinpath("scale-queue.svg").write_text(
        pictured("orders on their way, by the hour, with what breaks", queues), encoding="utf-8"
    )
    waits = _waits_by_load(stripe_calls)
    pictures.joinpath("scale-waits.svg").write_text(
        pictured("paid to letter as it is deployed, log10 of seconds, by log10 of orders an hour", waits),
        encoding="utf-8",
    )


def _waits_by_load(stripe_calls: int) -> dict[str, list[tuple[float, float]]]:
    """Of an hour's orders, more and more, the percentiles of the wait."""
    lines: dict[str, list[tuple[float, float]]] = {"p50": [], "p95": [], "p99": []}
    for load in (1_000, 3_000, 10_000, 20_000, 30_000, 50_000, 100_000, 300_000):
        waited = played(load, HOUR_S, deployed(stripe_calls))
        for name, line in lines.items():
            line.append((math.log10(load), math.log10(getattr(waited, name))))
    return lines


def _print_costs(found: list[tuple[str, float]]) -> None:
    print("\n| for a million sales | $ |\n|---|--:|")
    for what, dollars in found:
        print(f"| {what} | {dollars:.2f} |")
    without = sum(dollars for what, dollars in found if what != "SES")
    print(f"| sum; without SES | {sum(dollars for _, dollars in found):.2f}; {without:.2f} |")


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * HOUR_S else f"{seconds / HOUR_S:.1f} h"


_WIDE, _HIGH, _EDGE = 720, 320, 48
_COLOURS = ("#8c1d40", "#c26a00", "#2f6f3e", "#1f5fa8", "#5b3f99", "#444444")


def pictured(title: str, lines: dict[str, list[tuple[float, float]]]) -> str:
    """*lines* of points, each of a colour and with its name below: SVG."""
    every = [point for line in lines.values() for point in line]
    left, right = min(x for x, _ in every), max(x for x, _ in every)
    low, high = min(0.0, *(y for _, y in every)), max(y for _, y in every) or 1.0

    def at(x: float, y: float) -> str:
        across = _EDGE + (x - left) / ((right - left) or 1.0) * (_WIDE - 2 * _EDGE)
        return f"{across:.1f},{_HIGH - _EDGE - (y - low) / (high - low) * (_HIGH - 2 * _EDGE):.1f}"

    size = f'viewBox="0 0 {_WIDE} {_HIGH + 22 * len(lines)}" font-family="sans-serif" font-size="13"'
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f'<text x="{_EDGE}" y="20">{title}</text>',
        f'<polyline fill="none" stroke="#999" points="{at(left, high)} {at(left, low)} {at(right, low)}"/>',
        f'<text x="{_EDGE}" y="{_HIGH - _EDGE + 18}">{left:.1f}</text>',
        f'<text x="{_WIDE - _EDGE}" y="{_HIGH - _EDGE + 18}" text-anchor="end">{right:.1f}</text>',
        f'<text x="{_EDGE - 4}" y="{_EDGE + 4}" text-anchor="end">{high:,.5g}</text>',
        f'<text x="{_EDGE - 4}" y="{_HIGH - _EDGE + 4}" text-anchor="end">{low:,.5g}</text>',
    ]
    for place, (name, line) in enumerate(lines.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        points = " ".join(at(x, y) for x, y in line)
        drawn += [
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>',
            f'<text x="{_EDGE}" y="{_HIGH + 22 * place}" fill="{colour}">{name.replace("`", "")}</text>',
        ]
    return "\n".join((*drawn, "</svg>", ""))


if __name__ == "__main__":
    typer.run(main)
