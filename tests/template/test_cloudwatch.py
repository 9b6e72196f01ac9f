"""The judge of alarms, held against what AWS documents of CloudWatch."""

import json
from typing import Any

import pytest

from tests.cloudwatch import ALARM, OK, Alarm, Evaluation, Metrics
from tests.metric_math import MetricMath, Series, Value

_STAT = {"Metric": {"Namespace": "Shop", "MetricName": "Late"}, "Stat": "Sum"}


def an_alarm(*, n: int, m: int, missing: str = "notBreaching", period: int = 300, filled: bool = False) -> Alarm:
    stat = {"Id": "late", "ReturnData": not filled, "MetricStat": _STAT | {"Period": period}}
    properties: dict[str, Any] = {
        "Metrics": [stat, {"Id": "all", "Expression": "FILL(late, 0)"}] if filled else [stat],
        "EvaluationPeriods": n,
        "DatapointsToAlarm": m,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": missing,
    }
    return Alarm.read("TheAlarm", properties, {})


def points(text: str) -> Series:
    known: dict[str, Value] = {"-": None, "0": 0.0, "X": 1.0}
    return tuple(known[one] for one in text)


class TestMissingData:
    """The two tables of docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html."""

    @pytest.mark.parametrize(
        ("m", "data", "breaching", "not_breaching"),
        [
            # 3 out of 3.
            (3, "0-X-X", OK, OK),
            (3, "0----", OK, OK),
            (3, "-----", ALARM, OK),
            (3, "0XX-X", ALARM, ALARM),
            (3, "----X", ALARM, OK),
            # 2 out of 3.
            (2, "0-X-X", ALARM, ALARM),
            (2, "00X0X", ALARM, ALARM),
            (2, "0-X--", ALARM, OK),
            (2, "----0", ALARM, OK),
            (2, "----X", ALARM, OK),
        ],
    )
    def test_a_state_is_the_documented_one(self, m: int, data: str, breaching: str, not_breaching: str) -> None:
        assert an_alarm(n=3, m=m, missing="breaching").judged(points(data), OK) == breaching
        assert an_alarm(n=3, m=m, missing="notBreaching").judged(points(data), OK) == not_breaching

    @pytest.mark.parametrize("before", [OK, ALARM])
    def test_with_ignore_nothing_at_all_changes_nothing(self, before: str) -> None:
        assert an_alarm(n=1, m=1, missing="ignore").judged(points("---"), before) == before


class TestWatched:
    def states(self, alarm: Alarm, metrics: Metrics, evaluation: Evaluation, minutes: range) -> str:
        return "".join("X" if state == ALARM else "." for _, state in alarm.watched(metrics, minutes, evaluation))

    def test_it_looks_every_minute_at_periods_that_end_then(self) -> None:
        metrics = Metrics()
        metrics.put("Shop", "Late", {}, 1, at=10 * 60)
        alarm, sees_at_once = an_alarm(n=1, m=1, filled=True), Evaluation(late_minutes=0)
        assert self.states(alarm, metrics, sees_at_once, range(8, 20)) == "...XXXXX...."

    def test_an_old_point_keeps_an_alarm_red_for_as_long_as_cloudwatch_looks_back(self) -> None:
        """What `FILL` is for: a sparse metric's alarm does not go quiet, and so does not ring again."""
        metrics = Metrics()
        metrics.put("Shop", "Late", {}, 1, at=10 * 60)
        evaluation = Evaluation(further_back=2, late_minutes=0)
        assert self.states(an_alarm(n=1, m=1), metrics, evaluation, range(8, 30)).count("X") == 15
        assert self.states(an_alarm(n=1, m=1, filled=True), metrics, evaluation, range(8, 30)).count("X") == 5

    def test_a_period_as_short_as_a_metric_is_late_never_sees_it_once_it_is_filled(self) -> None:
        """What periods of five minutes are for."""
        metrics = Metrics()
        metrics.put("Shop", "Late", {}, 1, at=10 * 60)
        minutes, evaluation = range(8, 30), Evaluation(late_minutes=2)
        assert "X" not in self.states(an_alarm(n=1, m=1, period=60, filled=True), metrics, evaluation, minutes)
        assert "X" in self.states(an_alarm(n=1, m=1, period=300, filled=True), metrics, evaluation, minutes)

    def test_an_alarm_over_more_than_a_day_is_looked_at_once_an_hour(self) -> None:
        metrics = Metrics()
        metrics.put("Shop", "Late", {}, 1, at=62 * 60)
        alarm = an_alarm(n=25, m=1, period=3600, filled=True)
        states = self.states(alarm, metrics, Evaluation(late_minutes=0), range(60, 181))
        assert states == "." * 60 + "X" * 61


class TestMetrics:
    def test_a_line_is_one_metric_for_each_of_its_sets_of_dimensions(self) -> None:
        line = {
            "_aws": {
                "CloudWatchMetrics": [
                    {"Namespace": "Paidshare", "Dimensions": [["stage", "fact"], ["stage"]], "Metrics": [{"Name": "N"}]}
                ]
            },
            "stage": "prod",
            "fact": "late",
            "N": [2.0],
        }
        metrics = Metrics()
        metrics.take(json.loads(json.dumps(line)), at=60)
        by_fact = ("Paidshare", "N", frozenset({("stage", "prod"), ("fact", "late")}))
        alone = ("Paidshare", "N", frozenset({("stage", "prod")}))
        assert [metrics.statistic(key, "Sum", range(1, 2)) for key in (by_fact, alone)] == [2.0, 2.0]
        assert metrics.statistic(("Paidshare", "N", frozenset()), "Sum", range(1, 2)) is None

    @pytest.mark.parametrize(("statistic", "value"), [("Sum", 6), ("Maximum", 3), ("Minimum", 1), ("SampleCount", 3)])
    def test_a_period_is_summed_up(self, statistic: str, value: float) -> None:
        metrics = Metrics()
        for minute in (1, 2, 3):
            metrics.put("Shop", "Late", {}, minute, at=minute * 60)
        assert metrics.statistic(("Shop", "Late", frozenset()), statistic, range(6)) == value


class TestMetricMath:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("a + b", (3.0, None, None)),
            ("FILL(a, 0) + FILL(b, 0)", (3.0, 0.0, 4.0)),
            ("100 * a / FILL(b, 1)", (50.0, None, None)),
            ("IF(FILL(a, 0) > 0 AND FILL(b, 0) >= 2, 1, 0)", (1.0, 0.0, 0.0)),
            ("IF(a < 1 OR b < 1, 1, 0)", (0.0, None, None)),
            ("a / SERVICE_QUOTA(a)", (0.01, None, None)),
            # Nothing comes of a condition that is missing.
            ("IF(a, 1, 0)", (1.0, None, None)),
        ],
    )
    def test_it_goes_value_by_value_and_what_is_missing_stays_so(self, expression: str, expected: Series) -> None:
        series: dict[str, Series] = {"a": (1.0, None, None), "b": (2.0, None, 4.0)}
        assert MetricMath(quota=100.0).value(expression, series) == expected

    def test_whether_nothing_at_all_is_filled_is_left_open(self) -> None:
        nothing: dict[str, Series] = {"a": (None, None)}
        assert MetricMath(fills_empty=True).value("FILL(a, 0)", nothing) == (0.0, 0.0)
        assert MetricMath(fills_empty=False).value("FILL(a, 0)", nothing) == (None, None)

    @pytest.mark.parametrize("expression", ["SEARCH(a)", "FILL(a)", "a % 2", "-a"])
    def test_what_is_not_known_here_is_said(self, expression: str) -> None:
        with pytest.raises((ValueError, KeyError)):
            MetricMath().value(expression, {"a": (1.0,)})
