"""Workers that can be killed: each task is done by a real process of its own (tests/crash/fork_server.py)."""

import contextlib
import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.aws import environs
from local.settings import REGION, ROOT

_PATIENCE_SECONDS = 150.0


@dataclass(frozen=True, slots=True)
class End:
    """How a worker ended. `result` is None when it was killed before it had one."""

    code: int
    result: dict[str, Any] | None

    @property
    def killed(self) -> bool:
        return self.code < 0


@dataclass(slots=True)
class Worker:
    """A process at work. `pid` is known when it is forked, `end` when it is gone."""

    pid: Future[int] = field(default_factory=Future)
    end: Future[End] = field(default_factory=Future)
    result: dict[str, Any] | None = None

    def wait(self) -> End:
        """Raises AssertionError with the traceback of a worker that raised."""
        end = self.end.result(_PATIENCE_SECONDS)
        assert end.result is None or "error" not in end.result, end.result["error"]
        return end


class Workers:
    """Starts them, any number at once."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._ids = itertools.count()
        self._workers: dict[int, Worker] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, role: str, *, ahead_s: float = 0.0, event: object = None) -> Worker:
        """A worker in *role* (deliver, receive) whose clock is *ahead_s* ahead."""
        worker = Worker()
        with self._lock:
            task_id = next(self._ids)
            self._workers[task_id] = worker
            task = {"id": task_id, "role": role, "ahead_s": ahead_s, "event": event}
            assert self._process.stdin
            self._process.stdin.write(json.dumps(task).encode() + b"\n")
            self._process.stdin.flush()
        return worker

    def _listen(self) -> None:
        assert self._process.stdout
        for line in map(json.loads, self._process.stdout):
            worker = self._workers[line["id"]]
            if "pid" in line:
                worker.pid.set_result(line["pid"])
            elif "result" in line:
                worker.result = line["result"]
            else:
                worker.end.set_result(End(line["ended"], worker.result))
        for worker in self._workers.values():
            if not worker.end.done():
                worker.end.set_exception(ChildProcessError("the workers' parent ended"))


@contextlib.contextmanager
def workers(log: Path, environ: Mapping[str, str]) -> Iterator[Workers]:
    """With *environ*, while the block runs. What they print goes to *log*."""
    bare = environs.bare(
        PYTHONPATH=f"{ROOT}:{ROOT / 'layers/paidshare/python'}",
        AWS_REGION=REGION,
        AWS_DEFAULT_REGION=REGION,
        AWS_EC2_METADATA_DISABLED="true",
        **environs.ROOT_KEYS,
    )
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.fork_server", str(log)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=bare | dict(environ),
        cwd=ROOT,
    ) as process:
        assert process.stdin
        with process.stdin:  # It ends with its orders.
            yield Workers(process)
