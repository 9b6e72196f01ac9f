"""
How bad it is: each run draws its own rates, so that most runs are extreme in two or three things and calm in the rest.

A fault strikes a call of a process to what is outside of it: the call fails before it is heard, its answer is lost
after it was, the process dies before or after. What struck is written down, so that it can strike again alone.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from simulation.chance import Chance


class Fault(StrEnum):
    """What becomes of a call."""

    REFUSED = "refused"
    """It fails, and nothing was done."""
    LOST = "lost"
    """It is done, and the answer is lost."""
    DIES_BEFORE = "dies_before"
    DIES_AFTER = "dies_after"
    """It is done, and the process that called is gone."""


class Struck(NamedTuple):
    """*fault* at the n-th call of its name in one scope (`deliver 3.SES.0`): the same call in every run of a seed."""

    call: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Rates:
    """How often each thing goes wrong: shares of all calls, events and letters, and seconds."""

    refused: float = 0.0
    lost: float = 0.0
    dies: float = 0.0
    down: float = 0.0
    """The share of the time in which a provider is down as a whole."""
    latency_s: float = 0.2
    slow: float = 0.0
    """The share of calls that take a hundred times as long."""
    event_twice: float = 0.0
    event_late: float = 0.0
    event_never: float = 0.0
    """The share of Stripe's events that are never made."""
    event_unsent: float = 0.0
    """The share that are made, and reach no endpoint."""
    told_by_fastio: float = 0.0
    """The share of what happens at Fast.io that it tells of."""
    word_late_s: float = 1.0
    word_twice: float = 0.0
    word_never: float = 0.0
    message_twice: float = 0.0
    clocks_apart_s: float = 0.0
    list_late_s: float = 0.0
    index_late_s: float = 0.0
    bounced: float = 0.0


_KINDS = {
    "refused": (0.02, 0.3),
    "lost": (0.02, 0.15),
    "dies": (0.004, 0.05),
    "down": (0.02, 0.2),
    "slow": (0.001, 0.03),
    "event_twice": (0.1, 0.9),
    "event_late": (0.05, 0.6),
    "event_never": (0.02, 0.4),
    "event_unsent": (0.02, 0.4),
    "told_by_fastio": (0.05, 0.5),
    "word_twice": (0.1, 0.6),
    "word_never": (0.02, 0.5),
    "message_twice": (0.02, 0.3),
    "bounced": (0.01, 0.05),
}
_SECONDS = {
    "latency_s": (0.05, 4.0),
    "word_late_s": (0.5, 120.0),
    "clocks_apart_s": (0.0, 3.0),
    "list_late_s": (0.0, 300.0),
    "index_late_s": (0.0, 30.0),
}
_CALM, _EXTREME = 0.45, 0.2


def drawn(chance: Chance) -> Rates:
    """The rates of one run: of each kind none, a little, or much."""
    rates: dict[str, float] = {}
    for name, (little, much) in _KINDS.items():
        how = chance.fixed(f"rate {name}")
        if how >= _CALM:
            rates[name] = much * chance.fixed(f"much {name}") if how > 1 - _EXTREME else little
    for name, (least, most) in _SECONDS.items():
        # Mostly near the least.
        rates[name] = least + (most - least) * chance.fixed(f"rate {name}") ** 4
    return Rates(**rates)


@dataclass(slots=True)
class Faults:
    """
    Which calls fail. With `only`, exactly those: a run told again with fewer faults. `struck` are those that did.

    `peace` ends all of it.
    """

    chance: Chance
    rates: Rates
    only: frozenset[Struck] | None = None
    peace: bool = False
    struck: list[Struck] = field(default_factory=list)

    def at(self, call: str) -> Fault | None:
        """What becomes of *call*, whose name is no other call's."""
        if self.peace:
            return None
        if self.only is not None:
            fault = next((each for each in Fault if Struck(call, each) in self.only), None)
        else:
            fault = self._drawn(call)
        if fault is not None:
            self.struck.append(Struck(call, fault))
        return fault

    def _drawn(self, call: str) -> Fault | None:
        rates = self.rates
        if not (rates.refused or rates.lost or rates.dies):
            return None
        drawn = self.chance.fixed(f"fault {call}")
        for fault, rate in (
            (Fault.REFUSED, rates.refused),
            (Fault.LOST, rates.lost),
            (Fault.DIES_BEFORE, rates.dies / 2),
            (Fault.DIES_AFTER, rates.dies / 2),
        ):
            if drawn < rate:
                return fault
            drawn -= rate
        return None

    def latency(self, call: str) -> float:
        """How long *call* takes, in seconds: half of it before it is heard."""
        rates = self.rates
        if self.peace:
            return 0.05
        drawn = self.chance.fixed(f"latency {call}")
        if drawn < rates.slow:
            return rates.latency_s * 100
        return rates.latency_s * (0.25 + 1.5 * drawn)
