"""
When which version of the functions is at work: an upgrade, all at once or by and by, and now and then the way back and
a second try (template.yaml deploys all at once, and a canary where the seller asks for one).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from simulation.chance import Chance
from simulation.clock import START
from simulation.stripe.account import DAY_S

_CANARY = 0.5
_ROLLED_BACK = 0.4


@dataclass(frozen=True, slots=True)
class Deploys:
    """`changes`: from when on (Unix seconds) which share of the invocations is the earlier version's, oldest first."""

    changes: tuple[tuple[float, float], ...] = ()

    def earlier(self, now: float) -> float:
        """The share of the earlier version at *now*; 0 where it never was."""
        return next((share for since, share in reversed(self.changes) if since <= now), 0.0)


def drawn(chance: Chance, *, days: float) -> Deploys:
    """The deploys of a run with so many *days* of trouble, at whose end everything is of this version."""
    return Deploys(tuple(_drawn(chance, days * DAY_S)))


def _drawn(chance: Chance, seconds: float) -> Iterator[tuple[float, float]]:
    rolled_back = chance.fixed("rolled back") < _ROLLED_BACK
    targets = (0.0, 1.0, 0.0) if rolled_back else (0.0,)
    # Some of every run is upgraded in the midst of it, and some long before its end.
    moments = sorted(chance.between("deploy", 0.0, seconds * 0.9) for _ in targets)
    yield START, 1.0
    for place, (moment, target) in enumerate(zip(moments, targets, strict=True)):
        following = moments[place + 1] if place + 1 < len(moments) else seconds
        takes = chance.one_of("deploy takes", 0.0, 300.0, 1_800.0)
        if takes and moment + takes < following:
            yield START + moment, _CANARY
            yield START + moment + takes, target
        else:
            yield START + moment, target
