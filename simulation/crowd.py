"""
Many live orders on a small plan of Fast.io's: `python -m simulation.crowd --orders 10000 --plan 100`. The real
functions deliver by the page; every buyer comes to it, some again and again, and some are refunded. Prints what came of
it, and draws shares used against live orders.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from paidshare.settings import Policy
from simulation.chance import Chance
from simulation.clock import START
from simulation.faults import Faults, Rates
from simulation.functions import simulated_time
from simulation.run import fixed_hashes, without_gc
from simulation.shop import Simulated
from simulation.stripe.account import DAY_S, Event, Purchase
from simulation.stripe.acts import ACTS, Told, buys
from simulation.wiring import Paging, Wiring

_ROUND_S, _HOUR_S = 900.0, 3_600.0
_POLL_S, _MOST_POLLS = 3.0, 200
_LATER_S = 3 * _HOUR_S
"""What a refund's event and the look that it leads to may take, many times over."""


@dataclass(slots=True)
class Came:
    """
    `waited` are the seconds from a visit to the open files; `used`, live orders and shares by the round.
    """

    orders: int = 0
    opened: int = 0
    in_vain: int = 0
    refused: int = 0
    open_after_refund: int = 0
    most_shares: int = 0
    waited: list[float] = field(default_factory=list)
    used: list[tuple[int, int]] = field(default_factory=list)


class Crowd:
    """The shop of *plan* shares, and its buyers."""

    def __init__(self, plan: int, seed: int) -> None:
        self.chance, self.came = Chance(seed), Came()
        policy = Policy(livemode=False, link_days=7, by_page=True)
        faults = Faults(self.chance, Rates())
        self.shop = Simulated(self.chance, faults, policy, plan, 5, lambda _line: None)
        # What is promised of letters with the share's own link does not hold of these: here it is counted.
        self.shop.host.watched = lambda _share: None
        self.shop.office.watched = lambda _letter: None
        self.page: Paging = self.shop.wiring.page()
        self._refunded: set[int] = set()

    def live(self, orders: int, days: float) -> Came:
        """*orders* are sold, evenly over *days*, and all of them are live at the end but those that were refunded."""
        clock = self.shop.clock
        for number in range(1, orders + 1):
            at = START + days * DAY_S * number / orders
            clock.at(at, partial(self._sold, number))
            for visit in self._visits(number, at):
                clock.at(visit, partial(self._comes, number))
        self._until(START + (days + 2) * DAY_S)
        return self.came

    def _visits(self, number: int, at: float) -> Iterator[float]:
        yield at + self.chance.spread(f"first {number}", 600.0)
        for again in range(self.chance.one_of(f"again {number}", 0, 0, 1, 3)):
            yield at + self.chance.spread(f"again {number} {again}", 10 * DAY_S)

    def _sold(self, number: int) -> None:
        shop, now = self.shop, self.shop.clock.now
        buyer = Purchase(number, f"buyer-{number}@buyers.simulated", now)
        self._told(number, buys(shop.account, buyer, [shop.products["guide"]], "card", now))
        self.came.orders += 1
        if self.chance.happens(f"refund {number}", 0.02):
            shop.clock.at(now + self.chance.spread(f"refunded {number}", 2 * DAY_S), partial(self._refunds, number))

    def _refunds(self, number: int) -> None:
        shop, now = self.shop, self.shop.clock.now
        self._told(number, ACTS["refunds"](shop.account, shop.account.purchases[number], "all", now))
        self._refunded.add(number)
        shop.clock.at(now + _LATER_S, partial(self._comes, number))

    def _told(self, number: int, told: Told) -> None:
        now = self.shop.clock.now
        for place, (kind, about, thing) in enumerate(list(told)):
            event = Event(f"evt_{number}x{int(now)}x{place}", kind, about, now, thing)
            self.shop.account.events.append(event)
            self.shop.clock.at(now + 1, partial(self.shop.told, number, event))

    def _comes(self, number: int) -> None:
        self.shop.clock.spawn(partial(self._visit, number), scope=f"visit {number} {self.shop.clock.now:.0f}")

    def _visit(self, number: int) -> None:
        clock, [order] = self.shop.clock, self.shop.account.purchases[number].orders
        began, gone = clock.now, number in self._refunded
        token, asked = self.page.token(order.id), 0
        for _ in range(_MOST_POLLS):
            seen = self.page.look(token, asked)
            if "/shared/" in seen or (gone and "has ended" in seen):
                break
            if (form := re.search(r'name="form" value="([^"]+)"', seen)) is not None:
                self.page.ask(form[1])
                asked = 1
            clock.sleep(_POLL_S)
        is_open = bool(self.shop.host.open_files(order.id))
        if gone:
            self.came.refused += "/shared/" not in seen
            self.came.open_after_refund += is_open
        elif number not in self._refunded:
            self.came.opened += is_open
            self.came.in_vain += not is_open
            self.came.waited.append(clock.now - began)

    def _until(self, end: float) -> None:
        shop = self.shop
        while shop.clock.now < end:
            shop.round()
            next_round = min(end, shop.clock.now + _ROUND_S)
            shop.clock.run(until=next_round)
            shares = len(shop.host.state.shares)
            self.came.most_shares = max(self.came.most_shares, shares)
            self.came.used.append((self.came.orders - len(self._refunded), shares))


def main(
    orders: Annotated[int, typer.Option(min=1)] = 10_000,
    plan: Annotated[int, typer.Option(min=1, help="How many shares the plan has.")] = 100,
    days: Annotated[float, typer.Option(help="So long they take to be sold.")] = 30.0,
    seed: int = 1,
    plot: Annotated[Path | None, typer.Option(help="An SVG of shares used against live orders.")] = None,
) -> None:
    crowd = Crowd(plan, seed)
    with simulated_time(crowd.shop.clock, *Wiring.handlers), without_gc():
        came = crowd.live(orders, days)
        crowd.shop.clock.end()
    waited = sorted(came.waited)
    late = waited[int(len(waited) * 0.99) - 1] if waited else 0.0
    console = Console(highlight=False)
    console.print(f"{came.orders:,} orders, {came.used[-1][0]:,} of them live, on a plan of {plan} shares:")
    console.print(f"  {came.opened:,} visits opened the files ({late:.0f} s for 99 of 100), {came.in_vain} in vain")
    console.print(f"  {came.refused:,} visits after a refund were refused; files open then: {came.open_after_refund}")
    console.print(f"  the most shares at once: {came.most_shares}; letters: {len(crowd.shop.office.sent):,}")
    if plot is not None:
        plot.write_text(_plot(came.used, plan))
    raise typer.Exit(1 if came.in_vain or came.open_after_refund or came.most_shares > plan else 0)


def _plot(used: list[tuple[int, int]], plan: int) -> str:
    """The curve, 640 × 320, with its axes."""
    most = max(live for live, _ in used) or 1
    tall = plan * 1.2
    points = " ".join(f"{60 + 560 * live / most:.1f},{280 - 260 * shares / tall:.1f}" for live, shares in used)
    limit = 280 - 260 * plan / tall
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 320" font-family="sans-serif" font-size="12">'
        '<rect width="640" height="320" fill="#fff"/>'
        f'<path d="M60 20V280H620" fill="none" stroke="#333"/><path d="M60 {limit:.1f}H620" stroke="#b00" '
        f'stroke-dasharray="6 4"/><text x="64" y="{limit - 6:.1f}" fill="#b00">the plan: {plan} shares</text>'
        f'<polyline points="{points}" fill="none" stroke="#1a56b0" stroke-width="2"/>'
        f'<text x="340" y="306" text-anchor="middle">live orders, up to {most:,}</text>'
        '<text x="16" y="160" transform="rotate(-90 16 160)" text-anchor="middle">shares used</text></svg>\n'
    )


if __name__ == "__main__":
    fixed_hashes()
    typer.run(main)
