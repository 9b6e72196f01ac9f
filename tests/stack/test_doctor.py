"""`doctor` on the deployed system: what is switched off there is named alone, and --fix switches it on."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from operate import __main__ as operate
from operate import stacks
from operate.stacks import Name
from tests.stack.laptop import Laptop

type Doctor = Callable[..., tuple[dict[str, str], list[str]]]


@pytest.fixture
def doctor(laptop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """What is not good, by the check's name, and what was mended."""
    to = laptop.to
    there = Name(to.stack_name, to.region, to.aws_endpoint_url, to.stripe_webhook_url, on_a_laptop=True)
    monkeypatch.setattr(stacks, "named", lambda _env: there)

    def said(*words: str) -> tuple[dict[str, str], list[str]]:
        capsys.readouterr()
        with pytest.raises(SystemExit):
            operate.main(["doctor", "--env", "laptop", "--json", *words])
        found = json.loads(capsys.readouterr().out)
        bad = {one["name"]: one["words"] for one in found["checks"] if one["mark"] != "good"}
        return bad, found["mended"]

    return said


@pytest.fixture
def rule(laptop: Laptop) -> Iterator[Callable[[], None]]:
    """Switches the sweep's rule off; it is on again afterwards."""
    aws = laptop.stack.aws
    arn = aws.client("lambda").get_function(FunctionName=laptop.to.outputs["SweepFunction"])["Configuration"]
    events: Any = aws.client("events")
    [name] = events.list_rule_names_by_target(TargetArn=arn["FunctionArn"])["RuleNames"]
    yield lambda: events.disable_rule(Name=name)
    events.enable_rule(Name=name)


@pytest.fixture
def trigger(laptop: Laptop) -> Iterator[Callable[[], None]]:
    """Switches Feedback's trigger off; it is on again afterwards."""
    functions: Any = laptop.stack.aws.client("lambda")
    [found] = functions.list_event_source_mappings(FunctionName=laptop.to.outputs["FeedbackFunction"])[
        "EventSourceMappings"
    ]
    yield lambda: functions.update_event_source_mapping(UUID=found["UUID"], Enabled=False)
    functions.update_event_source_mapping(UUID=found["UUID"], Enabled=True)


@pytest.mark.parametrize(("switch", "check"), [("rule", "schedule"), ("trigger", "feedback's queue")])
def test_what_is_switched_off_is_named_alone_and_fix_switches_it_on(
    request: pytest.FixtureRequest, doctor: Doctor, switch: str, check: str
) -> None:
    # Products of other tests are broken on purpose.
    before, _ = doctor()
    request.getfixturevalue(switch)()
    assert doctor()[0].keys() - before.keys() == {check}

    bad, mended = doctor("--fix", "--yes")

    assert bad.keys() == before.keys()
    assert len(mended) == 1


@pytest.mark.parametrize(
    ("match", "check"), [("GET /v1/disputes", "Disputes"), ("GET /v1/credit_notes", "Credit notes")]
)
def test_a_right_that_the_key_lacks_is_named_alone(laptop: Laptop, doctor: Doctor, match: str, check: str) -> None:
    before, _ = doctor()
    error = {"type": "invalid_request_error", "message": "The provided key does not have the required permissions."}
    rules = {"match": match, "status": 403, "body": {"error": error}, "times": 1}
    laptop.http.post(f"{laptop.to.stripe_url}/_faults", json=rules).raise_for_status()
    bad, _ = doctor()
    assert bad.keys() - before.keys() == {check}
