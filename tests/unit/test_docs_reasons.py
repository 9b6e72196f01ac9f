"""docs/runbook.md knows every reason that a dead letter can have."""

import re
from pathlib import Path

from paidshare.errors import NeedsAPerson
from tests.every_error import EVERY

RUNBOOK = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text()
REASONS = {made("x").reason for made in EVERY if issubclass(made, NeedsAPerson) and made is not NeedsAPerson}


def test_every_reason_of_a_dead_letter_has_a_row_and_every_row_is_a_reason() -> None:
    [table] = re.findall(r"\| reason \| usual cause \|\n\|[-|]+\|\n((?:\|.*\n)+)", RUNBOOK)
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == REASONS
