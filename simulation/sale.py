"""One sale with Stripe's four events and nothing that goes wrong, through the real functions: the calls it takes."""

from collections import Counter
from collections.abc import Callable
from functools import partial

from paidshare.settings import Policy
from simulation.chance import Chance
from simulation.clock import START, Clock, running
from simulation.faults import Faults, Rates
from simulation.functions import simulated_time
from simulation.outside import Outside
from simulation.run import without_gc
from simulation.shop import Simulated
from simulation.stripe.account import Event, Purchase
from simulation.stripe.acts import buys
from simulation.wiring import Wiring

_SENT_S = 0.4
"""How long after it was made Stripe's event is there."""


class Counting(Outside):
    """`counted` are the calls by function, provider and operation."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        super().__init__(clock, faults, trace=lambda _line: None)
        self.counted: Counter[tuple[str, str, str]] = Counter()

    def call[T](self, provider: str, what: str, do: Callable[[], T], **more: object) -> T:
        def done() -> T:
            self.counted[_scope().split(" ")[0], provider, what.split(" ", maxsplit=1)[0]] += 1
            return do()

        return super().call(provider, what, done, **more)  # type: ignore[arg-type]


def _scope() -> str:
    task = running()
    return "" if task is None else task.scope


def counted(goods: str = "atlas", *, latency_s: float = 0.2) -> tuple[Counter[tuple[str, str, str]], float]:
    """The calls of a sale of *goods*, and the seconds from the payment to the letter."""
    chance, clock = Chance(1), Clock()
    faults = Faults(chance, Rates(latency_s=latency_s))
    way = Counting(clock, faults)
    shop = Simulated(
        chance, faults, Policy(livemode=False, link_days=7), 100, 2, lambda _line: None, clock=clock, outside=way
    )

    def sells() -> None:
        buyer = Purchase(1, "buyer-1@buyers.simulated", clock.now)
        told = list(buys(shop.account, buyer, [shop.products[goods]], "card", clock.now))
        # Stripe settles the charge a moment later, and says so.
        told.append(("charge.updated", "pi_1", "ch_pi_1"))
        for place, (kind, about, thing) in enumerate(told):
            made_at = clock.now + (2.0 if kind == "charge.updated" else 0.0)
            event = Event(f"evt_1x{place}", kind, about, made_at, thing)
            clock.at(made_at + _SENT_S, partial(shop.told, 1, event))
        shop.judge.acted(1, found_within=60)

    with simulated_time(clock, *Wiring.handlers), without_gc():
        clock.at(START + 1, sells)
        clock.run(until=START + 120)
        clock.end()
    if shop.judge.broken or len(shop.office.sent) != 1:
        raise AssertionError(f"no sale as it should be: {shop.judge.broken}")
    return way.counted, shop.office.sent[0].at - START - 1
