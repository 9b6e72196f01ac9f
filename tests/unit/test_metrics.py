"""What CloudWatch makes of a printed line: which metrics, under which sets of dimensions."""

import json
from typing import Any

import pytest

from paidshare.aws import Tally, count, count_each, metrics
from paidshare.delivering.plan import Step
from paidshare.delivering.work import Outcome
from paidshare.states import State


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def sets(line: dict[str, Any]) -> list[list[str]]:
    [described] = line["_aws"]["CloudWatchMetrics"]
    found: list[list[str]] = described["Dimensions"]
    return found


class TestCount:
    def test_a_count_has_its_stage_and_its_dimensions(self, capsys: pytest.CaptureFixture[str]) -> None:
        count("Webhooks", 3, stage="prod", source="stripe")
        [line] = printed(capsys)
        assert (line["Webhooks"], line["stage"], line["source"]) == ([3.0], "prod", "stripe")
        assert sets(line) == [["stage", "source"]]
        assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Paidshare"

    def test_it_is_counted_again_by_fewer_dimensions_for_those_who_ask_by_them(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        count("Webhooks", stage="prod", also_by=[("source",), ()], source="stripe", fact="taken")
        assert sets(printed(capsys)[0]) == [["stage", "source", "fact"], ["stage", "source"], ["stage"]]

    def test_a_service_in_the_environment_makes_no_alarm_deaf(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "receive")
        metrics._printer.cache_clear()
        count("Drift", 0, stage="prod", also_by=[()], source="stripe")
        assert sets(printed(capsys)[0]) == [["stage", "source"], ["stage"]]


class TestCountEach:
    def test_what_is_compared_is_one_line_noughts_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        count_each({"WebhooksVerified": 1, "WebhooksRefused": 0}, stage="prod", source="stripe")
        [line] = printed(capsys)
        assert (line["WebhooksVerified"], line["WebhooksRefused"]) == ([1.0], [0.0])
        assert sets(line) == [["stage", "source"]]


class TestTally:
    def test_the_same_things_are_one_line_and_nothing_is_printed_before(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tally = Tally()
        for fact in ("mailed", "mailed", "waits"):
            tally.count("Orders", fact=fact)
        assert printed(capsys) == []
        tally.publish("prod")
        assert [(line["fact"], line["Orders"]) for line in printed(capsys)] == [("mailed", [2.0]), ("waits", [1.0])]

    def test_a_letter_is_timed_in_seconds_and_is_in_time_or_late(self, capsys: pytest.CaptureFixture[str]) -> None:
        tally = Tally()
        tally.came_of(Outcome("cs_1", Step.DELIVER, State.DELIVERED, waited_s=2.5))
        tally.publish("prod")
        seconds, counted = printed(capsys)
        [described] = seconds["_aws"]["CloudWatchMetrics"]
        assert (seconds["LetterSeconds"], described["Metrics"]) == (
            [2.5],
            [{"Name": "LetterSeconds", "Unit": "Seconds"}],
        )
        assert (counted["LettersInTime"], counted["LettersLate"]) == ([1.0], [0.0])
