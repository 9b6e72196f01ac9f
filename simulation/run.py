"""One run of one seed: the season's acts, everything that goes wrong in it, the peace after it, and the verdict."""

import gc
import hashlib
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from simulation import deploys, walk
from simulation.chance import Chance
from simulation.clock import START
from simulation.deploys import Deploys
from simulation.faults import Faults, Struck, drawn
from simulation.functions import simulated_time
from simulation.keys import renewals
from simulation.promises import STATED_S, Broken
from simulation.shop import Simulated, with_policy
from simulation.stripe.account import DAY_S, Event, Purchase
from simulation.stripe.acts import ACTS, Act, buys, changes_plan
from simulation.wiring import Wiring


@dataclass(slots=True)
class Result:
    """What came of a run. `digest` is the SHA-256 of its trace; `struck` are the faults."""

    seed: int
    broken: list[Broken]
    digest: str
    orders: int
    days: float
    calls: int
    letters: int
    struck: list[Struck]
    acts: list[Act]
    seconds: float
    earlier: type[Wiring] | None = None
    trace: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Told:
    """What of a run is told again: these acts, and only these faults. None: all of it."""

    acts: Sequence[Act] | None = None
    faults: frozenset[Struck] | None = None
    earlier: type[Wiring] | None = None
    """An earlier version of the functions, that is upgraded in the run."""


def run(seed: int, told: Told | None = None, *, keep_trace: bool = False, stop_at_first: bool = True) -> Result:
    """The run of *seed*, or as much of it as is *told*. The same every time."""
    began, wanted = time.perf_counter(), told or Told()
    chance = Chance(seed)
    season = walk.season(chance)
    acts = list(wanted.acts) if wanted.acts is not None else walk.acts(chance, season)
    lines = list[str]()
    faults = Faults(chance, drawn(chance), only=wanted.faults)

    def trace(line: str) -> None:
        lines.append(f"{shop.clock.now:.3f} {line}")

    shop = Simulated(
        chance,
        faults,
        with_policy(chance),
        share_limit=1_000,
        most_at_once=chance.one_of("at once", 2, 3, 5),
        trace=trace,
        earlier=wanted.earlier,
        deploys=deploys.drawn(chance, days=season.days) if wanted.earlier else Deploys(),
    )
    handlers = Wiring.handlers + (wanted.earlier.handlers if wanted.earlier else ())
    random.seed(seed)  # The handlers' jitter.
    with simulated_time(shop.clock, *handlers), without_gc():
        _season(shop, acts, season, stop=lambda: stop_at_first and bool(shop.judge.broken))
        shop.clock.end()
    orders = sum(1 for purchase in shop.account.purchases.values() for _ in purchase.orders)
    days = (shop.clock.now - START) / DAY_S
    return Result(
        seed,
        shop.judge.broken,
        hashlib.sha256("".join(lines).encode()).hexdigest(),
        orders,
        days,
        shop.way.calls,
        len(shop.office.sent),
        faults.struck,
        acts,
        time.perf_counter() - began,
        wanted.earlier,
        lines if keep_trace else [],
    )


@contextmanager
def without_gc() -> Iterator[None]:
    """
    What runs in here makes few cycles: Python's search for them, a tenth of the time, comes when it is over, and leaves
    out what was there before.
    """
    searched = gc.isenabled()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()
            gc.collect()


def _season(shop: Simulated, acts: Sequence[Act], season: walk.Season, *, stop: Callable[[], bool]) -> None:
    clock = shop.clock
    for act in acts:
        clock.at(act.at, partial(_act, shop, act))
    for moment, what, do in renewals(shop.chance, days=season.days):
        clock.at(moment, partial(shop.renew, what, do))
    ends = season.trouble_ends
    _until(shop, ends, season.round_s, stop)
    shop.faults.peace = True
    shop.is_mended = True
    shop.redrive()
    _until(shop, ends + season.peace_s / 2, season.round_s, stop)
    shop.redrive()
    _until(shop, ends + season.peace_s, season.round_s, stop)
    if not stop():
        shop.judge.all_is_settled(shop.waiting)
        shop.judge.audited(shop.audit.end())


def _until(shop: Simulated, end: float, round_s: float, stop: Callable[[], bool]) -> None:
    """Round after round of the sweep."""
    day = int(shop.clock.now // DAY_S)
    while shop.clock.now < end and not stop():
        shop.round()
        shop.judge.not_more_shares_than_the_plan_has()
        if int(shop.clock.now // DAY_S) > day:
            day = int(shop.clock.now // DAY_S)
            shop.remind()
            shop.judge.look_at_all()
        shop.clock.run(until=min(end, shop.clock.now + round_s))


def _act(shop: Simulated, act: Act) -> None:
    account, now = shop.account, shop.clock.now
    if act.what == "buys":
        how, _, names = act.detail.partition(" ")
        buyer = Purchase(act.number, f"buyer-{act.number}@buyers.simulated", now)
        told = buys(account, buyer, [shop.products[name] for name in names.split(",")], how, now)
    elif act.number not in account.purchases:
        return
    elif act.what == "wishes":
        shop.trace(f"act {act.number} {act}")
        shop.wish(account.purchases[act.number], act.detail)
        if act.detail != "resend":
            shop.judge.acted(act.number, found_within=STATED_S)
        return
    elif act.what == "visits":
        shop.trace(f"act {act.number} {act}")
        shop.visit(account.purchases[act.number])
        return
    elif act.what == "changes_plan":
        name, _, how = act.detail.partition(" ")
        told = changes_plan(account, account.purchases[act.number], shop.products[name], at_once=bool(how), now=now)
    else:
        told = ACTS[act.what](account, account.purchases[act.number], act.detail, now)
    shop.trace(f"act {act.number} {act}")
    events = [
        Event(f"evt_{act.number}x{int(now)}x{place}", kind, about, now, thing)
        for place, (kind, about, thing) in enumerate(list(told))
    ]
    # Now and then Stripe makes none of an act's events (docs.stripe.com/webhooks/handle-irrecoverable-events).
    heard = not shop.chance.happens(f"act {act.number} {int(now)} never", shop.faults.rates.event_never / 2)
    made = [heard and _tell(shop, act, event) for event in events]
    shop.judge.acted(act.number, found_within=_found_within(act.what, heard=any(made) or not made))


_LISTED = ("buys", "settles", "fails", "refunds", "disputes", "is_warned_of", "renews", "pays_late", "credits")
_UNHEARD_S = 26 * 3600.0


def _found_within(what: str, *, heard: bool) -> float:
    """
    How long it may take until Paidshare knows: what made no event and is in no list is found by the daily look at an
    open link (`rounds.LOOKED_AT_EVERY`); a refund that fails in silence, after access has ended, is not.
    """
    if heard or what in _LISTED:
        return STATED_S
    return math.inf if what == "refund_fails" else _UNHEARD_S


def _tell(shop: Simulated, act: Act, event: Event) -> bool:
    """Stripe makes the event, or not, and sends it: soon, late, twice, or not at all. Whether it made it."""
    rates, chance, name = shop.faults.rates, shop.chance, f"event {event.id}"
    if chance.happens(f"{name} never", rates.event_never):
        return False
    shop.account.events.append(event)
    if chance.happens(f"{name} unsent", rates.event_unsent):
        return True
    times = 2 if chance.happens(f"{name} twice", rates.event_twice) else 1
    for _ in range(times):
        pace = 3_600.0 if chance.happens(f"{name} late", rates.event_late) else 1.0
        wait = chance.spread(f"{name} wait", pace)
        shop.clock.at(shop.clock.now + wait, partial(shop.told, act.number, event))
    return True


def fixed_hashes() -> None:
    """Start again with the same hashes every time: sets of texts have an order then."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        import sys  # noqa: PLC0415

        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606
