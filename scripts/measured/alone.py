"""
Runs one function alone: `python -I -S -B alone.py FOLDER…`, its own folder first, then its layers.

Reads lines from its standard input, each a JSON list of events, and answers each with a line of JSON: what the
handler answered and how long it took, and the CPU time and the memory of this process since it began. What the handler
prints goes nowhere. Needs nothing but the standard library, so that nobody's imports are paid here.
"""

import importlib
import json
import os
import sys
import time
from typing import Any


class Context:
    """What the functions and Powertools look at."""

    function_name = "bench"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:bench"
    aws_request_id = "bench-request"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def main() -> None:
    sys.path[:0] = sys.argv[1:]
    told = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    function = importlib.import_module("handler")
    for line in sys.stdin:
        told.write(json.dumps(handled(function.handler, json.loads(line))) + "\n")
        told.flush()


def handled(handler: Any, events: list[Any]) -> dict[str, Any]:
    answers, seconds, cpu_seconds = [], [], []
    for event in events:
        at, cpu_at = time.perf_counter(), time.process_time()
        answers.append(handler(event, Context()))
        cpu_seconds.append(time.process_time() - cpu_at)
        seconds.append(time.perf_counter() - at)
    return {
        "answers": answers,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "cpu_seconds_since_start": time.process_time(),
        "most_bytes": most_bytes(),
    }


def most_bytes() -> int:
    """The most memory that this process has had. Linux' own word: `resource`'s begins with what its parent had."""
    with open("/proc/self/status") as status:  # noqa: PTH123  # pathlib is an import that somebody would pay.
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


main()
