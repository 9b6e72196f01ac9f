"""Thousands of looks that a replay or the sweep asked for hold up no purchase: SQS's law of groups, and our groups."""

from collections import Counter
from dataclasses import dataclass, field
from statistics import quantiles

import pytest

from paidshare import notices
from simulation.aws.sqs import Message, Queue
from simulation.chance import Chance
from simulation.clock import START, Clock
from simulation.functions import Poller
from tests.builders import NOW, a_notice

LOOKS, PURCHASES, EVERY_S = 10_000, 200, 2.0
LOOK_S, PURCHASE_S = 0.45, 1.33
"""What a look without work and a delivery take, each with its calls (docs/scale.md)."""
SOLD = notices.group(a_notice(created=NOW))


@dataclass
class Shop:
    """A queue and as many workers as a new stack has; each message takes its group's time."""

    workers: int = 2
    clock: Clock = field(default_factory=Clock)
    done: dict[str, list[float]] = field(default_factory=dict)
    """By group: how long after it was sent each message was seen to."""

    def __post_init__(self) -> None:
        self.queue = Queue("work", self.clock, Chance(7))
        self.queue.arrived = Poller(self.queue, self.clock, self.workers, self._begin).wake

    def _begin(self, batch: list[Message], over: object) -> None:
        """An invocation: its messages side by side, and it lasts as long as the longest of them."""
        takes = [PURCHASE_S if one.group == SOLD else LOOK_S for one in batch]

        def end() -> None:
            for one in batch:
                self.queue.delete(one.handle)
            assert callable(over)
            over()

        for one, seconds in zip(batch, takes, strict=True):
            self.done.setdefault(one.group, []).append(self.clock.now + seconds - one.sent_at)
        self.clock.at(self.clock.now + max(takes), end)

    def sells(self) -> list[float]:
        """Sells at even distances, and says how long each buyer waited."""
        for number in range(PURCHASES):
            self.clock.at(START + 60 + number * EVERY_S, lambda: self.queue.send("purchase", group=SOLD))
        self.clock.run(until=START + 3_600)
        return self.done[SOLD]


def p99(waits: list[float]) -> float:
    return quantiles(waits, n=100)[98]


@pytest.fixture(scope="module")
def alone() -> float:
    return p99(Shop().sells())


@pytest.mark.parametrize("why", [notices.LOOK, notices.SWEEP], ids=["replay", "sweep"])
def test_ten_thousand_looks_make_a_purchase_wait_half_as_long_again_at_most(why: str, alone: float) -> None:
    shop, group = Shop(), notices.group(a_notice(why=why))
    shop.clock.at(START + 59, lambda: [shop.queue.send("look", group=group) for _ in range(LOOKS)])
    waits = shop.sells()
    assert len(waits) == PURCHASES
    assert p99(waits) <= 1.5 * alone
    assert len(shop.done[group]) == LOOKS


def test_without_groups_they_would() -> None:
    """Or the test above says nothing."""
    shop = Shop()
    shop.clock.at(START + 59, lambda: [shop.queue.send("look", group=SOLD) for _ in range(LOOKS)])
    assert p99(shop.sells()) > 100


def test_a_group_that_is_alone_has_all_workers() -> None:
    shop = Shop()
    shop.clock.at(START, lambda: [shop.queue.send("look", group="replay") for _ in range(100)])
    shop.clock.run(until=START + 100 / 10 / shop.workers * LOOK_S + 1)
    assert len(shop.done["replay"]) == 100


def test_no_group_is_starved() -> None:
    shop = Shop()
    for group in ("replay", "sweep", SOLD, "acct_1"):
        shop.clock.at(START, lambda group=group: [shop.queue.send("look", group=group) for _ in range(500)])  # type: ignore[misc]
    shop.clock.run(until=START + 20)
    seen = Counter({group: len(waits) for group, waits in shop.done.items()})
    assert min(seen.values()) * 2 > max(seen.values())
    assert len(seen) == 4
