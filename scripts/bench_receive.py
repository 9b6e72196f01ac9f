"""
What Receive costs, cold and warm, and how many AWS calls it makes, in Markdown.

    python scripts/bench_receive.py

The built function runs alone in processes of its own; AWS is `aws_stand_in`, in this process. Medians of
interleaved rounds. CPU is user and system time.
"""

import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from local import samples
from local.hosting.serving import serving
from local.hosting.standin import StandIn
from local.settings import STRIPE_WEBHOOK_SECRET
from local.signing import sign_stripe
from scripts import measuring
from scripts.aws_stand_in import aws_app, operation
from scripts.measuring import Alone, Built

EVENT_BYTES = 3_900  # A checkout.session.completed with the usual fields.
COLD_ROUNDS, WARM_ROUNDS, EVENTS_A_ROUND, REPEATS = 11, 10, 30, 20

_numbers = count(1)


def main() -> None:
    measuring.machine()
    aws = aws_app(secret=measuring.SECRET)
    with measuring.built() as built, serving(aws) as url:
        cold(built, url)
        warm(built, url, aws)


def cold(built: Built, url: str) -> None:
    usual = built.measured("usual_receive")
    bare = built.measured("bare_receive")

    def milliseconds(new: Callable[[], dict[str, Any]], *folders: Path) -> float:
        with measuring.alone(*folders, AWS_ENDPOINT_URL=url) as process:
            handled = process.handle(new())
        _expect(handled.answers)
        return handled.cpu_seconds_since_start * 1e3

    variants = {
        "ours": partial(milliseconds, _event, built.function("Receive"), built.packages),
        "usual": partial(milliseconds, _event, usual, built.packages_without_bytecode()),
        "usual, with bytecode": partial(milliseconds, _event, usual, built.packages),
        "bare": partial(milliseconds, _bare_event, bare, built.packages),
    }
    found = measuring.interleaved(variants, rounds=COLD_ROUNDS)
    against = {
        "usual": ("Stripe SDK, boto3, Powertools idempotency, as plain `sam build` ships them", 0.2),
        "usual, with bytecode": ("the same, with our layer's bytecode", None),
        "bare": ("three calls bare with boto3, with our layer's bytecode", None),
    }
    measuring.show(
        "Receive, cold: CPU of a fresh process, from its start to the first event's answer",
        [
            measuring.times("cold start and first event", found["ours"], found[key], unit="ms", name=name, most=most)
            for key, (name, most) in against.items()
        ],
    )


def warm(built: Built, url: str, aws: StandIn) -> None:
    ours = (built.function("Receive"), built.packages)
    bare = (built.measured("bare_receive"), built.packages)
    with (
        measuring.alone(*ours, AWS_ENDPOINT_URL=url) as receive,
        measuring.alone(*bare, AWS_ENDPOINT_URL=url) as calls,
    ):
        variants = {
            "ours": lambda: _per_event(receive, [_event() for _ in range(EVENTS_A_ROUND)]),
            "bare": lambda: _per_event(calls, [_bare_event() for _ in range(EVENTS_A_ROUND)]),
        }
        rounds = measuring.interleaved(variants, rounds=WARM_ROUNDS)
        cpu, wall = ({name: [one[i] for one in rounds[name]] for name in rounds} for i in (0, 1))
        name = "the same three calls, bare"
        measuring.show(
            f"Receive, warm: {WARM_ROUNDS * EVENTS_A_ROUND} new events in one process",
            [
                measuring.times("CPU an event", cpu["ours"], cpu["bare"], unit="ms", name=name, most=1.3),
                measuring.times("wall time an event", wall["ours"], wall["bare"], unit="ms", name=name),
            ],
        )
        new = _calls(aws, receive, events := [_event() for _ in range(REPEATS)])
        repeated = _calls(aws, receive, events)
    measuring.show(
        "Receive: AWS calls (besides, the secret is read once a minute and process)",
        [
            measuring.count(f"a new event: {_listed(new)}", new.total() / REPEATS, most=3),
            measuring.count(f"a repeat: {_listed(repeated)}", repeated.total() / REPEATS),
        ],
    )


def _per_event(process: Alone, events: list[dict[str, Any]]) -> tuple[float, float]:
    """Milliseconds of CPU, and on the clock, for one of *events*."""
    handled = process.handle(*events)
    _expect(handled.answers)
    return statistics.mean(handled.cpu_seconds) * 1e3, statistics.median(handled.seconds) * 1e3


def _calls(aws: StandIn, receive: Alone, events: list[dict[str, Any]]) -> Counter[str]:
    """The AWS calls that *events* made, the reading of the secret left out."""
    aws.calls.clear()
    _expect(receive.handle(*events).answers)
    return Counter(name for call in aws.calls if (name := operation(call)) != "GetSecretValue")


def _listed(calls: Counter[str]) -> str:
    return ", ".join(calls)


def _expect(answers: list[dict[str, Any]]) -> None:
    if wrong := [answer for answer in answers if answer["statusCode"] != 200]:
        sys.exit(f"Receive did not take a good event: {wrong[0]}")


def _event() -> dict[str, Any]:
    """A new event as API Gateway hands it over, freshly signed."""
    now, number = int(time.time()), next(_numbers)
    request = samples.samples(now)["receive-paid.json"]
    event = json.loads(request["body"])
    event["id"] = f"evt_bench{number}"
    event["data"]["object"] |= {"id": f"cs_test_bench{number}", "metadata": {}}
    metadata = event["data"]["object"]["metadata"]
    while len(body := json.dumps(event, indent=2)) < EVENT_BYTES:
        metadata[f"key_{len(metadata)}"] = "a value of the usual length"
    signature = sign_stripe(body.encode(), STRIPE_WEBHOOK_SECRET, now)
    return request | {"body": body, "headers": request["headers"] | {"stripe-signature": signature}}


def _bare_event() -> dict[str, Any]:
    """What the bare calls need: a key as long as ours, and a notice."""
    number = next(_numbers)
    notice = {"source": "stripe", "event_id": f"evt_bench{number}", "why": "checkout.session.completed"}
    notice |= {"about": f"cs_test_bench{number}", "at": "2026-11-22T10:00:00+00:00", "account": ""}
    return {"key": f"intake#{number:032x}", "notice": notice}


if __name__ == "__main__":
    main()
