"""Two versions of the functions side by side, as at a deploy: both are at work, and what does not fit is seen."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.chance import Chance
from simulation.clock import START
from simulation.deploys import drawn
from simulation.earlier import SOURCES
from simulation.stripe.account import DAY_S

ROOT = Path(__file__).resolve().parents[2]
ROWS = "layers/paidshare/python/paidshare/aws/rows.py"


def beside(version: Path | str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulation", "--beside", str(version), *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "layers/paidshare/python"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("seed", range(40))
def test_every_run_begins_with_the_earlier_version_and_ends_without_it(seed: int) -> None:
    found = drawn(Chance(seed), days=0.5)
    assert found.earlier(START) == 1.0
    assert found.earlier(START + 0.5 * DAY_S) == 0.0
    assert [moment for moment, _ in found.changes] == sorted(moment for moment, _ in found.changes)


def test_this_version_fits_itself_and_both_were_at_work() -> None:
    done = beside(ROOT, "--seed", "1", "--explain")
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr
    for name in ("receive", "deliver", "feedback", "sweep"):
        assert re.search(rf" {name}: a container of the earlier version", done.stdout), name


def test_a_version_that_calls_the_share_by_another_name_is_seen(tmp_path: Path) -> None:
    """Who comes after it finds no share to archive."""
    for source in SOURCES:
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / source, tmp_path / source)
    rows = tmp_path / ROWS
    text = rows.read_text()
    assert '"share_id"' in text
    rows.write_text(text.replace('"share_id"', '"the_share"'))
    done = beside(tmp_path, "--seed", "10")
    assert done.returncode == 1, done.stdout[-2_000:] + done.stderr
    assert "true_when_it_leaves" in done.stdout


def test_a_version_that_is_not_there_is_refused() -> None:
    done = beside("no-such-version", "--seed", "1")
    assert done.returncode == 2
    assert "no-such-version" in done.stderr
