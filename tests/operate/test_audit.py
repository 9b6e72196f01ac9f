"""What an export of the logs shows of the promises, and that nothing else is found in it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from operate.__main__ import app
from operate.audit import SETTLED_WITHIN_S, Audit, Finding, read

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = SETTLED_WITHIN_S + 60


def said(fact: str, *, at: float = 0, **fields: Any) -> str:
    """A line as Powertools writes it."""
    when = (NOON + timedelta(seconds=at)).isoformat()
    return json.dumps({"level": "INFO", "location": "x:1", "message": fact, "timestamp": when, "service": "s"} | fields)


def queued(event: str = "evt_1", *, at: float = 0) -> str:
    return said("notice_queued", at=at, event_id=event, about="cs_1", why="checkout.session.completed")


def looked(event: str = "evt_1", *, at: float = 1, step: str = "deliver", attempt: int = 1, **more: Any) -> str:
    found = {"order_id": "cs_1", "event_id": event, "step": step, "attempt": attempt, "why": "x"} | more
    return said("order_looked_at", at=at, **found)


def put_off(*, at: float = 1, attempt: int = 1) -> str:
    return said("order_put_off", at=at, order_id="cs_1", event_id="evt_1", reason="stripe_unavailable", attempt=attempt)


def found(*lines: str) -> list[Finding]:
    audit = Audit()
    for line in read(lines):
        audit.see(line)
    return audit.end()


END = said("swept", at=LATER)


@pytest.mark.parametrize(
    "lines",
    [
        (queued(), looked(), END),
        # The queue was faster than the log.
        (looked(), queued(), END),
        (queued(), put_off(), looked(at=900, attempt=2), END),
        (queued(), said("order_on_hold", event_id="evt_1", order_id="cs_1", attempt=1), END),
        # Two had the message: one was done, the other found the order busy.
        (queued(), looked(attempt=2), put_off(at=2), END),
        # SES's own id of a letter.
        (said("letter_noted", message_id="0100@eu-west-1.amazonses.com"),),
        # It may come to its end yet.
        (queued(), said("swept", at=LATER - 120)),
        (put_off(), said("swept", at=LATER - 120)),
        # Another look is no other letter, and neither is a share that was found again when its row was lost.
        (looked(), looked("evt_2", step="nothing"), looked("evt_3", why="sweep"), END),
    ],
)
def test_what_is_as_promised_is_not_found(lines: Sequence[str]) -> None:
    assert found(*lines) == []


@pytest.mark.parametrize(
    ("lines", "promise"),
    [
        ((queued(), END), "all_is_settled"),
        ((queued(), put_off(), END), "all_is_settled"),
        ((queued(), looked(), put_off(at=2, attempt=2), END), "all_is_settled"),
        ((looked(), looked("evt_2"), END), "one_letter_of_each_change"),
        ((said("order_failed", what="ada@example.com"),), "nothing_personal"),
        ((said("order_looked_at", what={"link": "https://go.fast.io/shared/abc"}),), "nothing_personal"),
        ((said("secret_read", what="whsec_abc"),), "nothing_personal"),
    ],
)
def test_what_is_not_as_promised_is_found_once(lines: Sequence[str], promise: str) -> None:
    assert [one.promise for one in found(*lines)] == [promise]


def test_a_finding_does_not_repeat_what_must_not_be_in_a_log() -> None:
    [finding] = found(said("order_failed", what="ada@example.com"))
    assert "ada" not in str(finding)
    assert "what" in finding.how


def test_exports_of_several_forms_are_read_and_what_is_not_ours_is_left_out() -> None:
    line = looked()
    text = [
        line,
        f"2026-11-01T12:00:01.000Z {line}",
        f"EVENTS\t398\t1793\t{line}\tstream\t1793",
        "START RequestId: 1",
        '{"no": "time"}',
        "{",
        "",
    ]
    assert [one.fact for one in read(text)] == ["order_looked_at"] * 3
    first = next(read(text))
    assert first.at == (NOON + timedelta(seconds=1)).timestamp()
    assert first.fields["event_id"] == "evt_1"
    assert "message" not in first.fields


class TestCommand:
    def run(self, tmp_path: Path, *lines: str, options: Sequence[str] = ()) -> Any:
        path = tmp_path / "deliver.log"
        path.write_text("\n".join(lines))
        return CliRunner().invoke(app, ["audit", "--logs", str(path), *options])

    def test_all_is_well(self, tmp_path: Path) -> None:
        done = self.run(tmp_path, queued(), looked(), END)
        assert done.exit_code == 0
        assert "3 lines of 2026-11-01 12:00 to 2026-11-01 18:01 UTC; orders looked at: 1" in done.stdout
        assert "✓" in done.stdout

    def test_what_is_found_is_told_and_the_exit_code_says_so(self, tmp_path: Path) -> None:
        done = self.run(tmp_path, END, queued())
        assert done.exit_code == 1
        assert "cs_1: evt_1 was queued, and nobody looked within six hours (all_is_settled)" in done.stdout

    def test_for_programs(self, tmp_path: Path) -> None:
        done = self.run(tmp_path, queued(), END, options=["--json"])
        [finding] = json.loads(done.stdout)
        assert (finding["promise"], finding["about"]) == ("all_is_settled", "cs_1")

    def test_a_file_without_a_line_of_ours_is_not_all_well(self, tmp_path: Path) -> None:
        done = self.run(tmp_path, "START RequestId: 1")
        assert done.exit_code == 3
        assert "✓" not in done.stdout
