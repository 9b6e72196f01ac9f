"""
CloudWatch: metrics as they come, and alarms that look at them once a minute.

How an alarm is evaluated: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html, and where data
are missing: …/alarms-and-missing-data.html. What AWS does not say is a choice of `Evaluation`: an alarm should not
depend on it.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.metric_math import MetricMath, Series, Value

type Key = tuple[str, str, frozenset[tuple[str, str]]]
"""A metric: its namespace, its name and exactly one set of dimensions."""

OK, ALARM = "OK", "ALARM"
_MINUTE, _DAY = 60, 24 * 3600
_COMPARED = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}


@dataclass(slots=True)
class Metrics:
    """Values by metric and minute. Times are Unix seconds."""

    kept: dict[Key, dict[int, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    _known: dict[tuple[Key, str, range], Value] = field(default_factory=dict)

    def put(self, namespace: str, name: str, dimensions: Mapping[str, str], value: float, at: float) -> None:
        self._known.clear()
        self.kept[namespace, name, frozenset(dimensions.items())][int(at // _MINUTE)].append(value)

    def take(self, line: Mapping[str, Any], at: float) -> None:
        """A printed line in CloudWatch's embedded format: a metric for each of its sets of dimensions."""
        for described in line["_aws"]["CloudWatchMetrics"]:
            for names in described["Dimensions"]:
                dimensions = {name: line[name] for name in names}
                for metric in described["Metrics"]:
                    for value in line[metric["Name"]]:
                        self.put(described["Namespace"], metric["Name"], dimensions, value, at)

    def statistic(self, key: Key, statistic: str, minutes: range) -> Value:
        """One data point, None where there is none."""
        asked = (key, statistic, minutes)
        if asked not in self._known:
            self._known[asked] = self._made(key, statistic, minutes)
        return self._known[asked]

    def _made(self, key: Key, statistic: str, minutes: range) -> Value:
        found = self.kept.get(key)
        values = [] if found is None else [value for minute in minutes if minute in found for value in found[minute]]
        if not values:
            return None
        match statistic:
            case "Sum":
                return sum(values)
            case "Maximum":
                return max(values)
            case "Minimum":
                return min(values)
            case "SampleCount":
                return float(len(values))
        raise ValueError(statistic)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """
    What AWS leaves open: by how many periods CloudWatch looks further back than an alarm asks for, how many minutes
    late it sees a value, and what metric math makes of nothing at all.
    """

    further_back: int = 2
    late_minutes: int = 2
    math: MetricMath = field(default_factory=MetricMath)


@dataclass(frozen=True, slots=True)
class Query:
    id: str
    key: Key | None
    statistic: str
    expression: str
    returned: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of the template, its references resolved by *parameters* and else by the name of what is meant."""

    name: str
    queries: tuple[Query, ...]
    period_s: int
    n: int
    m: int
    threshold: float
    comparison: str
    missing: str

    @classmethod
    def read(cls, name: str, properties: Mapping[str, Any], parameters: Mapping[str, Any]) -> "Alarm":
        queries = tuple(_query(one, parameters) for one in properties["Metrics"])
        [period] = {one["MetricStat"]["Period"] for one in properties["Metrics"] if "MetricStat" in one}
        n = int(resolved(properties["EvaluationPeriods"], parameters))
        return cls(
            name,
            queries,
            period,
            n,
            properties.get("DatapointsToAlarm", n),
            properties["Threshold"],
            properties["ComparisonOperator"],
            properties["TreatMissingData"],
        )

    def state(self, now: float, before: str, metrics: Metrics, evaluation: Evaluation) -> str:
        """What it is at *now*, when it was *before*."""
        return self.judged(self._points(now, metrics, evaluation), before)

    def judged(self, points: Sequence[Value], before: str) -> str:
        """The state that the data *points* of the evaluation range, oldest first, make."""
        real = [self._breaches(one) for one in points if one is not None][-self.n :]
        if not real and self.missing == "ignore":
            return before
        if len(real) < self.n and self.missing == "ignore":
            raise ValueError("what some missing points mean to `ignore` depends on the state before")
        # As few missing points as possible are counted, and none where there are enough real ones.
        filled = [self.missing == "breaching"] * (self.n - len(real))
        return ALARM if sum(real + filled) >= self.m else OK

    def watched(self, metrics: Metrics, minutes: range, evaluation: Evaluation) -> Iterator[tuple[int, str]]:
        """Its state at the end of each of *minutes* at which CloudWatch looks."""
        state, every = OK, 60 if self.n * self.period_s > _DAY else 1
        for minute in minutes:
            if minute % every == 0:
                state = self.state(minute * _MINUTE, state, metrics, evaluation)
            yield minute, state

    def _breaches(self, value: float) -> bool:
        return bool(_COMPARED[self.comparison](value, self.threshold))

    def _points(self, now: float, metrics: Metrics, evaluation: Evaluation) -> Series:
        end, length = int(now // _MINUTE), self.period_s // _MINUTE
        seen = end - evaluation.late_minutes
        starts = [end - length * back for back in range(self.n + evaluation.further_back, 0, -1)]
        series: dict[str, Series] = {}
        for query in self.queries:
            if query.key is None:
                series[query.id] = evaluation.math.value(query.expression, series)
            else:
                windows = [range(start, min(start + length, seen)) for start in starts]
                series[query.id] = tuple(metrics.statistic(query.key, query.statistic, one) for one in windows)
        [returned] = [query.id for query in self.queries if query.returned]
        return series[returned]


def resolved(value: Any, parameters: Mapping[str, Any]) -> Any:
    """`{"Ref": X}` → the parameter X, else its name; `{"Fn::GetAtt": [X, Y]}` → X.Y."""
    match value:
        case {"Ref": name}:
            return parameters.get(name, name)
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
    return value


def composite(rule: str) -> frozenset[str]:
    """The alarms of which any makes a composite alarm with this *rule* ring."""
    names = re.findall(r'ALARM\("\$\{(\w+)\}"\)', rule)
    if " OR ".join(f'ALARM("${{{name}}}")' for name in names) != " ".join(rule.split()):
        raise ValueError(f"not only alarms and OR: {rule}")
    return frozenset(names)


@cache
def _dimensions(pairs: tuple[tuple[str, str], ...]) -> frozenset[tuple[str, str]]:
    return frozenset(pairs)


def _query(one: Mapping[str, Any], parameters: Mapping[str, Any]) -> Query:
    stat = one.get("MetricStat")
    key: Key | None = None
    if stat is not None:
        metric = stat["Metric"]
        pairs = tuple((pair["Name"], resolved(pair["Value"], parameters)) for pair in metric.get("Dimensions", ()))
        key = (metric["Namespace"], metric["MetricName"], _dimensions(pairs))
    return Query(
        one["Id"], key, stat["Stat"] if stat else "", one.get("Expression", ""), one.get("ReturnData", True) is True
    )
