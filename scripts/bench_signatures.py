"""
What our signature check costs beside Stripe's SDK, both in one run, in Markdown.

    python scripts/bench_signatures.py

One event: medians of interleaved rounds. Import: medians of fresh interpreters that have bytecode, as the layer
does, measured inside the interpreter, so that its own start is not counted.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAYER = ROOT / "layers/paidshare/python"
sys.path[:0] = [str(ROOT), str(LAYER)]

import stripe  # noqa: E402

from local.signing import sign_stripe  # noqa: E402
from paidshare.receiving.signatures import verify_stripe  # noqa: E402

SECRET = "whsec_" + "b" * 32
EVENT_BYTES = 3_900  # A checkout.session.completed with the usual fields.
ROUNDS, CALLS, IMPORTS = 41, 200, 15


def main() -> None:
    print(f"Python {platform.python_version()}, stripe {stripe.VERSION}, {platform.machine()}\n")
    body = _event()
    print(f"| one event of {len(body):,} bytes | median | times ours |\n|---|---|---|")
    _print_rows(_per_event(body), unit="µs")
    print("\n| import in a fresh interpreter | median | times ours |\n|---|---|---|")
    _print_rows(_per_import(), unit="ms")


def _event() -> bytes:
    """A JSON object with Stripe's outlines, filled up to `EVENT_BYTES`."""
    metadata = {f"key_{number}": "cs_test_value_of_the_usual_length" for number in range(40)}
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "data": {"object": {"id": "cs_test_1", "object": "checkout.session", "metadata": metadata}},
        "filler": "",
    }
    event["filler"] = "x" * (EVENT_BYTES - len(json.dumps(event, indent=2)))
    return json.dumps(event, indent=2).encode()


def _per_event(body: bytes) -> dict[str, float]:
    """Microseconds for one event."""
    header = sign_stripe(body, SECRET, int(time.time()))
    headers = {"content-type": "application/json", "host": "example.com", "stripe-signature": header}
    rivals: dict[str, Callable[[], object]] = {
        "`paidshare.receiving.signatures.verify_stripe`": lambda: verify_stripe(body, headers, [SECRET], time.time()),
        "`stripe.WebhookSignature.verify_header`": lambda: stripe.WebhookSignature.verify_header(
            body, header, SECRET, 300
        ),
        "`stripe.Webhook.construct_event`": lambda: stripe.Webhook.construct_event(body, header, SECRET),
    }
    times: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(ROUNDS):
        for name, call in rivals.items():
            started = time.perf_counter()
            for _ in range(CALLS):
                if not call():
                    sys.exit(f"{name} refused a good signature")
            times[name].append((time.perf_counter() - started) / CALLS * 1e6)
    return {name: statistics.median(taken) for name, taken in times.items()}


def _per_import() -> dict[str, float]:
    """Milliseconds for the first import in a fresh interpreter."""
    modules = ["paidshare.receiving.signatures", "stripe"]
    times: dict[str, list[float]] = {module: [] for module in modules}
    with tempfile.TemporaryDirectory() as bytecode:
        # A place of our own for bytecode, filled by the first round, which is not counted.
        surroundings = os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONPATH": str(LAYER)}
        surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
        for counted in range(IMPORTS + 1):
            for module in modules:
                code = f"import time; at = time.perf_counter(); import {module}; print(time.perf_counter() - at)"
                run = subprocess.run([sys.executable, "-c", code], env=surroundings, capture_output=True, check=True)
                times[module] += [float(run.stdout) * 1e3] if counted else []
    return {f"`import {module}`": statistics.median(taken) for module, taken in times.items()}


def _print_rows(medians: Mapping[str, float], *, unit: str) -> None:
    ours = next(iter(medians.values()))
    for name, median in medians.items():
        print(f"| {name} | {median:.1f} {unit} | {median / ours:.1f} |")


if __name__ == "__main__":
    main()
