"""Real processes: what the keeper runs ends with whoever started it, however that ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.aws import environs
from local.hosting import keeper, processes
from local.hosting.processes import PartFailed

KEEPER = keeper.__file__

# Starts a child of its own, as MiniStack starts a worker per function, and tells both their process ids.
FAMILY = """
import pathlib, subprocess, sys, time, os
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
target = pathlib.Path(sys.argv[1])
target.with_suffix(".new").write_text(f"{os.getpid()} {child.pid}")
target.with_suffix(".new").rename(target)
time.sleep(600)
"""

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + FAMILY

# Starts the keeper as `local.processes` does, and waits to be killed.
STARTER = """
import os, pathlib, sys
from local.hosting import processes
command = [sys.executable, "-c", sys.argv[1], sys.argv[2]]
with processes.kept(command, log=pathlib.Path(sys.argv[2]).with_suffix(".log"), environ=dict(os.environ)) as kept:
    kept.wait()
"""


def wait_until(true: Callable[[], bool], *, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie has ended; only nobody has asked yet.
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return state.stdout.strip() != "" and not state.stdout.startswith("Z")


def family(target: Path) -> list[int]:
    assert wait_until(target.exists)
    return [int(pid) for pid in target.read_text().split()]


class TestStarterEnds:
    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
    @pytest.mark.parametrize("command", [FAMILY, STUBBORN], ids=["obeys", "ignores SIGTERM"])
    def test_a_killed_starter_leaves_no_process_behind(self, tmp_path: Path, how: signal.Signals, command: str) -> None:
        target = tmp_path / "family"
        starter = subprocess.Popen([sys.executable, "-c", STARTER, command, str(target)])
        pids = family(target)
        assert all(alive(pid) for pid in pids)

        starter.send_signal(how)
        starter.wait()

        assert wait_until(lambda: not any(alive(pid) for pid in pids))

    def test_an_orderly_end_waits_until_the_command_is_gone(self, tmp_path: Path) -> None:
        target = tmp_path / "family"
        command = [sys.executable, "-c", FAMILY, str(target)]

        with processes.kept(command, log=tmp_path / "log", environ=environs.bare()):
            pids = family(target)

        assert not any(alive(pid) for pid in pids)


class TestCommandEnds:
    @pytest.mark.parametrize(("program", "code"), [("raise SystemExit(7)", 7), ("import os; os.abort()", 134)])
    def test_the_exit_code_is_the_commands(self, program: str, code: int) -> None:
        ours, starters = os.pipe()

        ended = subprocess.run([sys.executable, KEEPER, sys.executable, "-c", program], stdin=ours, check=False)

        os.close(ours)
        os.close(starters)
        assert ended.returncode == code

    def test_a_commands_child_does_not_outlive_it(self, tmp_path: Path) -> None:
        target = tmp_path / "family"
        leaves_a_child = FAMILY.replace("time.sleep(600)\n", "\n")
        command = [sys.executable, "-c", leaves_a_child, str(target)]

        processes.run("parent", command, log=tmp_path / "log", environ=environs.bare())

        assert wait_until(lambda: not any(alive(pid) for pid in family(target)))


class TestRun:
    def test_a_failure_names_the_part_and_shows_the_end_of_its_log(self, tmp_path: Path) -> None:
        command = [sys.executable, "-c", "print('first'); print('the reason'); raise SystemExit(3)"]

        with pytest.raises(PartFailed) as failed:
            processes.run("sam build", command, log=tmp_path / "logs" / "x.log", environ=environs.bare())

        assert str(failed.value) == "sam build: exit code 3"
        assert failed.value.last_lines()[-1] == "the reason"
        assert failed.value.log == tmp_path / "logs" / "x.log"

    def test_a_missing_program_is_said_to_be_missing(self, tmp_path: Path) -> None:
        with pytest.raises(PartFailed, match="is not there"):
            processes.run("sam", [str(tmp_path / "sam")], log=tmp_path / "log", environ=environs.bare())
