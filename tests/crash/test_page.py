"""docs/reliability.md shows every case that the tests play."""

import pytest

from scripts import crash_table
from tests.crash.crashing import KILLS, RECEIVE_CALLS, SECOND_LETTER
from tests.crash.scenarios import EVERY, SES
from tests.crash.test_faults_of_aws import DELIVER_CALLS, FAULTS

_PRINTED = """\
..
===== crash table =====
### A chapter

| call | workers |
|---|--:|
| SES | 2 |

===== {end} =====
"""


def test_the_page_has_a_row_for_every_case() -> None:
    page = crash_table.PAGE.read_text(encoding="utf-8")
    cases = [
        *(
            (scenario.step(*each), f"killed {blow}")
            for scenario in EVERY
            for each in scenario.numbered
            for blow in KILLS
        ),
        *((call, f"killed {blow}") for call in RECEIVE_CALLS for blow in KILLS),
        *((call, fault) for call in (*DELIVER_CALLS, *RECEIVE_CALLS) for fault in FAULTS),
        (SES, SECOND_LETTER),
    ]
    assert [case for case in cases if f"| {case[0]} | {case[1]} |" not in page] == []


def test_the_page_is_what_the_tests_printed() -> None:
    assert crash_table.tables(_PRINTED.format(end="2 passed in 1 s")) == (
        "### A chapter\n\n| call | workers |\n|---|--:|\n| SES | 2 |\n"
    )


@pytest.mark.parametrize("end", ["1 failed, 2 passed in 1 s", "2 passed, 1 error in 1 s", "no tests ran in 1 s"])
def test_a_page_is_never_made_of_tests_that_failed(end: str) -> None:
    with pytest.raises(ValueError, match="not every test passed"):
        crash_table.tables(_PRINTED.format(end=end))


def test_a_page_is_never_made_of_nothing() -> None:
    with pytest.raises(ValueError, match="no crash table"):
        crash_table.tables("===== 2 passed in 1 s =====\n")


def test_what_is_written_by_hand_stays() -> None:
    before = crash_table.PAGE.read_text(encoding="utf-8")
    after = crash_table.page("| a | b |\n", before=before)
    [simulated] = [part for part in before.split("\n## ") if part.startswith("Simulated")]
    assert after.count(simulated) == 1
    assert crash_table.page("| a | b |\n", before=after) == after
