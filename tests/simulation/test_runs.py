"""Runs of the whole shop, in processes of their own: the same every time, and no promise broken."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FIXED = (1, 7, 10)
"""Events that are never made; calls that are refused; processes that die, and events that come twice."""


def simulation(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulation", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "layers/paidshare/python"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("seed", FIXED)
def test_a_seed_that_is_always_tried_breaks_no_promise(seed: int) -> None:
    done = simulation("--seed", str(seed))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_seed_has_the_same_trace_to_the_byte() -> None:
    digests = {re.findall(r"sha256 ([0-9a-f]{64})", simulation("--seed", "1").stdout)[0] for _ in range(2)}
    assert len(digests) == 1


def test_new_seeds_break_no_promise(capsys: pytest.CaptureFixture[str]) -> None:
    done = simulation("--seconds", "40", "--jobs", "1")
    with capsys.disabled():
        sys.stdout.write(f"\n{done.stdout}")
    assert done.returncode == 0, done.stdout + done.stderr
