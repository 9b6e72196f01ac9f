"""CloudWatch metrics, printed in its embedded format: one line each."""

from collections import Counter
from collections.abc import Sequence

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

type Sets = Sequence[tuple[str, ...]]
"""Sets of dimensions, each by their names; the stage is in every one of them."""


def count(name: str, value: int = 1, /, *, stage: str, also_by: Sets = (), **dimensions: str) -> None:
    """
    *value* things more of the metric *name*, for this stage and the other *dimensions*; and once more for each set of
    *also_by*, which has fewer of them: an alarm sees the one set that it names, and no sum over others.
    """
    _print(name, MetricUnit.Count, value, {"stage": stage, **dimensions}, also_by)


class Tally:
    """
    What one batch counts, from whichever of its threads. Printed when they are done: Powertools prints a metric in two
    pieces, and two threads' would mix.
    """

    def __init__(self) -> None:
        self._counted: list[tuple[str, tuple[tuple[str, str], ...], Sets]] = []
        self._took: list[tuple[str, float]] = []

    def count(self, name: str, /, *, also_by: Sets = (), **dimensions: str) -> None:
        """One thing more, as `count` has it."""
        self._counted.append((name, tuple(dimensions.items()), tuple(also_by)))

    def took(self, name: str, seconds: float) -> None:
        """One more value of the metric *name*, in *seconds*."""
        self._took.append((name, seconds))

    def publish(self, stage: str) -> None:
        for (name, dimensions, also_by), times in Counter(self._counted).items():
            count(name, times, stage=stage, also_by=also_by, **dict(dimensions))
        for name, seconds in self._took:
            _print(name, MetricUnit.Seconds, seconds, {"stage": stage}, ())


def _print(name: str, unit: MetricUnit, value: float, dimensions: dict[str, str], also_by: Sets) -> None:
    # One of its own each: what `Metrics` shares, two threads would mix.
    metric = AmazonCloudWatchEMFProvider(namespace="Paidshare")
    # With POWERTOOLS_SERVICE_NAME set, as Powertools' guides have it, every set would have one dimension more, and the
    # alarms would see none of them.
    metric.service = ""
    metric.add_metric(name=name, unit=unit, value=value)
    for dimension, said in dimensions.items():
        metric.add_dimension(name=dimension, value=said)
    for others in also_by:
        metric.add_dimensions(**{dimension: dimensions[dimension] for dimension in ("stage", *others)})
    metric.flush_metrics()
