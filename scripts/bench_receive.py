"""
What Receive costs, cold and warm, and how many AWS calls it makes, in Markdown.

    python scripts/bench_receive.py

The built function runs alone in processes of its own; AWS is `aws_stand_in`, in this process. Medians of
interleaved rounds. CPU is user and system time.
"""

import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import certifi

from local import samples
from local.hosting.serving import serving
from local.hosting.standin import StandIn
from local.settings import STRIPE_WEBHOOK_SECRET
from local.signing import sign_stripe
from paidshare.aws.direct import roots
from scripts import measuring
from scripts.aws_stand_in import aws_app, operation
from scripts.measuring import Alone, Built
from tests.certificates import certificate

EVENT_BYTES = 3_900  # A checkout.session.completed with the usual fields.
COLD_ROUNDS, WARM_ROUNDS, EVENTS_A_ROUND, REPEATS = 9, 10, 30, 20

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Peer:
    """What ours is held against, or ours itself: how a process of it is begun, and what it is given."""

    name: str
    start: Callable[..., AbstractContextManager[Alone]]
    event: Callable[[], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Way:
    """How AWS is reached, and what tells each peer so."""

    name: str
    url: str
    trusted: Mapping[str, dict[str, str]]

    def variables(self, peer: str) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": self.url, **self.trusted.get(peer, self.trusted.get("", {}))}


def main() -> None:
    measuring.machine()
    aws = aws_app(secret=measuring.SECRET)
    with measuring.built() as built, tempfile.TemporaryDirectory() as scratch:
        shown, key = certificate(Path(scratch))
        with serving(aws) as plain, serving(aws, tls=(shown, key)) as secure:
            ways = [Way("plain", plain, {}), Way("TLS", secure, _trusted(Path(scratch), shown))]
            peers = _peers(built)
            cold(peers, ways)
            warm(peers, ways)
            calls(peers["ours"], ways[0], aws)


def _peers(built: Built) -> dict[str, Peer]:
    usual, bare = built.measured("usual_receive"), built.measured("bare_receive")
    packages = built.packages
    peers = {
        "ours": Peer("ours", partial(measuring.alone, built.function("Receive"), packages), _event),
        "usual": Peer(
            "Stripe SDK, boto3, Powertools idempotency, as plain `sam build` ships them",
            partial(measuring.alone, usual, built.plain_packages(compiled=False)),
            _event,
        ),
        "usual, with bytecode": Peer(
            "the same, with bytecode", partial(measuring.alone, usual, built.plain_packages(compiled=True)), _event
        ),
        "bare": Peer(
            "three calls bare with boto3, from our layer", partial(measuring.alone, bare, packages), _bare_event
        ),
        "botocore": Peer(
            "three calls bare with botocore, from our layer",
            partial(measuring.alone, bare, packages, BARE="botocore"),
            _bare_event,
        ),
    }
    if (node := measuring.node_peer()) is not None:
        peers["node"] = Peer("Node: Stripe's and AWS's SDK, bundled", partial(measuring.node_alone, node), _event)
    return peers


def _trusted(folder: Path, certificate_: Path) -> dict[str, dict[str, str]]:
    """As many roots as each reads on AWS, and the one that signed here: Amazon's five for ours, Mozilla's for boto3."""
    bundles = {"ours": roots.AMAZON_S, "": Path(certifi.where())}
    told = {}
    for peer, bundle in bundles.items():
        file = folder / f"roots{peer}.pem"
        file.write_text(bundle.read_text() + certificate_.read_text())
        told[peer] = {"AWS_CA_BUNDLE": str(file)}
    return told | {"node": {"NODE_EXTRA_CA_CERTS": str(certificate_)}}


def cold(peers: Mapping[str, Peer], ways: Sequence[Way]) -> None:
    def begun(key: str, way: Way) -> tuple[float, float]:
        """Milliseconds of CPU, and megabytes."""
        with peers[key].start(**way.variables(key)) as process:
            handled = process.handle(peers[key].event())
        _expect(handled.answers)
        return handled.cpu_seconds_since_start * 1e3, handled.most_bytes / 2**20

    found = measuring.interleaved(
        {f"{way.name} {key}": partial(begun, key, way) for way in ways for key in peers}, rounds=COLD_ROUNDS
    )
    reaches = {"usual": 0.16, "node": 1.0}
    for way in ways:
        cpu = {key: [ms for ms, _ in found[f"{way.name} {key}"]] for key in peers}
        measuring.show(
            f"Receive, cold, {way.name}: CPU of a fresh process, from its start to the first event's answer",
            [
                measuring.times(
                    "cold start and first event",
                    cpu["ours"],
                    cpu[key],
                    unit="ms",
                    name=peer.name,
                    most=reaches.get(key),
                )
                for key, peer in peers.items()
                if key != "ours"
            ],
        )
    measuring.show(
        "Receive, cold: the most memory until the first answer, over TLS",
        [
            measuring.at_most(
                peer.name,
                [mb for _, mb in found[f"{ways[-1].name} {key}"]],
                unit="MB",
                most=32 if key == "ours" else None,
            )
            for key, peer in peers.items()
        ],
    )


def warm(peers: Mapping[str, Peer], ways: Sequence[Way]) -> None:
    compared = [key for key in ("ours", "bare", "botocore", "node") if key in peers]
    for way in ways:
        with ExitStack() as stack:
            running = {key: stack.enter_context(peers[key].start(**way.variables(key))) for key in compared}

            def one_of_many(key: str, running: Mapping[str, Alone] = running) -> tuple[float, float]:
                return _per_event(running[key], [peers[key].event() for _ in range(EVENTS_A_ROUND)])

            rounds = measuring.interleaved({key: partial(one_of_many, key) for key in compared}, rounds=WARM_ROUNDS)
        cpu, wall = ({name: [one[i] for one in rounds[name]] for name in rounds} for i in (0, 1))
        measuring.show(
            f"Receive, warm, {way.name}: {WARM_ROUNDS * EVENTS_A_ROUND} new events in one process",
            [
                *(
                    measuring.times(
                        "CPU an event",
                        cpu["ours"],
                        cpu[key],
                        unit="ms",
                        name=peers[key].name,
                        most=0.5 if key == "bare" else None,
                    )
                    for key in compared[1:]
                ),
                measuring.times("wall time an event", wall["ours"], wall["bare"], unit="ms", name=peers["bare"].name),
            ],
        )


def calls(ours: Peer, way: Way, aws: StandIn) -> None:
    with ours.start(**way.variables("ours")) as receive:
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
