"""docs/runbook.md knows every reason that a dead letter can have."""

import inspect
import re
from pathlib import Path

from paidshare import errors
from paidshare.errors import NeedsAPerson

RUNBOOK = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text()
REASONS = {
    made("x").reason
    for made in vars(errors).values()
    if inspect.isclass(made) and issubclass(made, NeedsAPerson) and made is not NeedsAPerson
}


def test_every_reason_of_a_dead_letter_has_a_row_and_every_row_is_a_reason() -> None:
    [table] = re.findall(r"\| reason \| usual cause \|\n\|[-|]+\|\n((?:\|.*\n)+)", RUNBOOK)
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == REASONS
