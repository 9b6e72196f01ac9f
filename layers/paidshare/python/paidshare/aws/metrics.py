"""CloudWatch metrics, printed in its embedded format: one line each, whichever thread it comes from."""

from aws_lambda_powertools import single_metric
from aws_lambda_powertools.metrics import MetricUnit


def count(name: str, value: int = 1, /, *, stage: str, **dimensions: str) -> None:
    """*value* things more of the metric *name*, for this stage and the other *dimensions*."""
    with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace="Paidshare") as metric:
        for dimension, said in {"stage": stage, **dimensions}.items():
            metric.add_dimension(name=dimension, value=said)
