"""A bounded run of tests/fuzz/fuzz_signatures.py; the long one is yours to start, as it says there."""

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.fuzz_signatures import one_input

FUZZ = Path(__file__).parents[1] / "fuzz" / "fuzz_signatures.py"
HAS_ATHERIS = importlib.util.find_spec("atheris") is not None
# Printable pieces that headers are made of, so that random bytes get past the first comma.
PIECES = [b"t=", b"v1=", b"1790000000", b",", b"=", b"sha256=", b"\0", b"\xff", b"0" * 64, b"A" * 43]


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_show_no_fault(seed: int) -> None:
    """The part that runs everywhere, atheris or not."""
    dice = random.Random(seed)  # noqa: S311  # Repeatable, not secret.
    for _ in range(200):
        one_input(
            b"".join(dice.choice([*PIECES, dice.randbytes(dice.randrange(12))]) for _ in range(dice.randrange(40)))
        )


def test_a_bounded_fuzzing_run_shows_no_fault(tmp_path: Path) -> None:
    """Where there is no atheris, the target must at least say so instead of passing for a run."""
    run = subprocess.run(
        [sys.executable, FUZZ, "-runs=20000", "-max_total_time=60", "-seed=1", f"-artifact_prefix={tmp_path}/"],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    if HAS_ATHERIS:
        assert run.returncode == 0, f"the fuzzer found a fault:\n{run.stdout[-2000:]}\n{run.stderr[-6000:]}"
        assert "Done 20000" in run.stderr, run.stderr[-2000:]
    else:
        assert run.returncode == 1
        assert "atheris is not installed" in run.stderr
