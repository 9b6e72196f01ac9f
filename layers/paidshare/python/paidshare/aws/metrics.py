"""CloudWatch metrics, printed in its embedded format: one line each, by one thread at a time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

if TYPE_CHECKING:
    from paidshare.delivering.work import Outcome

type Sets = Sequence[tuple[str, ...]]
"""Sets of dimensions, each by their names; the stage is in every one of them."""


def count(name: str, value: int = 1, /, *, stage: str, also_by: Sets = (), **dimensions: str) -> None:
    """
    *value* things more of the metric *name*, for this stage and the other *dimensions*; and once more for each set of
    *also_by*, which has fewer of them: an alarm sees the one set that it names, and no sum over others.
    """
    _print({name: value}, MetricUnit.Count, {"stage": stage, **dimensions}, also_by)


def count_each(values: Mapping[str, int], /, *, stage: str, **dimensions: str) -> None:
    """
    So many things more of each metric, in one line. What an alarm compares is counted together, noughts too: whether
    CloudWatch's `FILL` makes noughts of a metric without any value is not documented.
    """
    _print(values, MetricUnit.Count, {"stage": stage, **dimensions})


class Tally:
    """
    What one batch counts, from whichever of its threads. Printed when they are done, by one.
    """

    def __init__(self) -> None:
        self._counted: list[tuple[str, tuple[tuple[str, str], ...], Sets]] = []
        self._letters: list[tuple[float, bool]] = []

    def count(self, name: str, /, *, also_by: Sets = (), **dimensions: str) -> None:
        """One thing more, as `count` has it."""
        self._counted.append((name, tuple(dimensions.items()), tuple(also_by)))

    def came_of(self, outcome: "Outcome") -> None:
        """A look at an order came to its end: with a buyer's first letter, or for want of room by the order's page."""
        if outcome.plan_full:
            self.count("PlanFull")
        if outcome.twice_of is not None:
            self.count("BoughtTwice")
        if outcome.waited_s is not None:
            self._letters.append((outcome.waited_s, outcome.in_time))

    def publish(self, stage: str) -> None:
        for (name, dimensions, also_by), times in Counter(self._counted).items():
            count(name, times, stage=stage, also_by=also_by, **dict(dimensions))
        for waited_s, in_time in self._letters:
            _print({"LetterSeconds": waited_s}, MetricUnit.Seconds, {"stage": stage})
            count_each({"LettersInTime": int(in_time), "LettersLate": int(not in_time)}, stage=stage)


def _print(values: Mapping[str, float], unit: MetricUnit, dimensions: dict[str, str], also_by: Sets = ()) -> None:
    metric = _printer()
    for name, value in values.items():
        metric.add_metric(name=name, unit=unit, value=value)
    for dimension, said in dimensions.items():
        metric.add_dimension(name=dimension, value=said)
    for others in also_by:
        metric.add_dimensions(**{dimension: dimensions[dimension] for dimension in ("stage", *others)})
    try:
        metric.flush_metrics()
    finally:
        metric.clear_metrics()


@cache
def _printer() -> AmazonCloudWatchEMFProvider:
    """One for all, because making one takes as long as printing; so one thread alone may print."""
    made = AmazonCloudWatchEMFProvider(namespace="Paidshare")
    # With POWERTOOLS_SERVICE_NAME set, as Powertools' guides have it, every set would have one dimension more, and the
    # alarms would see none of them.
    made.service = ""
    return made
