"""The dashboard shows what there is: each of its metrics is one that somebody publishes, and every alarm is on it."""

import json
import re
from typing import Any

import pytest

from tests.template_file import properties, resources

BODY: dict[str, Any] = json.loads(properties("Dashboard")["DashboardBody"]["Fn::Sub"])
WIDGETS: list[dict[str, Any]] = BODY["widgets"]
TEXT = json.dumps(BODY)


class TestDashboard:
    def test_customers_come_first(self) -> None:
        first = min(WIDGETS, key=lambda widget: (widget["y"], widget["x"]))
        assert {metric[1] for metric in first["properties"]["metrics"] if len(metric) > 1} == {
            "LettersInTime",
            "LettersLate",
        }

    def test_every_alarm_is_on_it(self) -> None:
        [widget] = [one for one in WIDGETS if one["type"] == "alarm"]
        alarms = resources("AWS::CloudWatch::Alarm") | resources("AWS::CloudWatch::CompositeAlarm")
        assert set(widget["properties"]["alarms"]) == {f"${{{name}.Arn}}" for name in alarms}

    def test_everything_that_it_names_is_in_the_template(self) -> None:
        named = {name.partition(".")[0] for name in re.findall(r"\$\{([\w.]+)\}", TEXT)} - {"Stage"}
        assert named <= set(resources())

    def test_no_widget_lies_over_another_one_and_all_lie_within_the_grid(self) -> None:
        taken: set[tuple[int, int]] = set()
        for widget in WIDGETS:
            place = {
                (x, y)
                for x in range(widget["x"], widget["x"] + widget["width"])
                for y in range(widget["y"], widget["y"] + widget["height"])
            }
            assert not place & taken
            assert max(x for x, _ in place) < 24
            taken |= place

    def test_its_name_is_left_to_aws_because_two_regions_may_have_the_same_stage(self) -> None:
        assert "DashboardName" not in properties("Dashboard")


class TestQueries:
    @pytest.mark.parametrize("name", resources("AWS::Logs::QueryDefinition"))
    def test_a_saved_query_is_the_stage_s_own_and_looks_into_its_logs(self, name: str) -> None:
        query = properties(name)
        assert query["Name"]["Fn::Sub"].startswith("paidshare-${Stage}/")
        assert {group["Ref"] for group in query["LogGroupNames"]} <= set(resources("AWS::Logs::LogGroup"))
