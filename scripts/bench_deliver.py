"""
What Deliver costs: ten orders against one, the calls of an order, and orders with ever more files, in Markdown.

    python scripts/bench_deliver.py

The built function runs alone in a process of its own. Stripe and Fast.io are the stand-ins of `local`, AWS is
`aws_stand_in`, all in this process and over HTTP on this machine.
"""

import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx

from local import samples, seeds
from local.fastio.server import fastio_app
from local.hosting.serving import serving
from local.hosting.standin import Fault, StandIn
from local.settings import FASTIO_API_KEY
from local.stripe.server import stripe_app
from paidshare import notices
from paidshare.notices import Notice
from scripts import measuring
from scripts.aws_stand_in import aws_app, operation
from scripts.measuring import Alone

BATCH = 10  # The most that SQS hands over at once.
BATCH_ROUNDS, PROVIDER_S = 5, 0.2
GROWTH_ROUNDS, QUICK_PROVIDER_S = 3, 0.02
FILES = 2
FEW_TO_MANY = (10, 50, 100)  # Eight are added at once: fewer are no measure of one more.
WORKSPACE = "bench-shop"

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class World:
    """The providers, something to sell, and Deliver."""

    stripe: StandIn
    fastio: StandIn
    aws: StandIn
    stripe_at: httpx.Client
    fastio_at: httpx.Client
    deliver: Alone

    def answering_in(self, seconds: float) -> None:
        """From now on every provider takes that long for every call."""
        # A star of a rule stands for anything but a slash, and the longest path of ours has eight of them.
        for one in (self.stripe, self.fastio, self.aws):
            one.faults = [
                Fault("* " + "/*" * depth, status=None, times=sys.maxsize, delay_s=seconds) for depth in range(1, 9)
            ]

    def product(self, files: int, *, folder: bool = False) -> str:
        """A product of so many files, named one by one, or by their folder; its id."""
        name = f"product-{next(_numbers)}"
        made = [
            _posted(
                self.fastio_at,
                "/_files",
                {"workspace": WORKSPACE, "path": f"{name}/{file}.txt", "content": f"{name} {file}"},
            )
            for file in range(files)
        ]
        nodes = made[0]["folder_ids"] if folder else [file["node_id"] for file in made]
        metadata = {"fastio_workspace": WORKSPACE, "fastio_files": ",".join(nodes)}
        return str(_posted(self.stripe_at, "/_product", {"name": name, "metadata": metadata})["product"])

    def delivered(self, product: str, *, orders: int = 1) -> tuple[float, float]:
        """So many orders of *product* in one batch: seconds on the clock, and of Deliver's CPU."""
        paid = {"products": [product], "quiet": True}
        batch = _batch([_posted(self.stripe_at, "/_pay", paid)["session"] for _ in range(orders)])
        for one in (self.stripe, self.fastio, self.aws):
            one.calls.clear()
        handled = self.deliver.handle(batch)
        letters = sum(operation(call) == "SendEmail" for call in self.aws.calls)
        if handled.answers[0]["batchItemFailures"] or letters != orders:
            sys.exit(f"Deliver sent {letters} letters for {orders} orders: {handled.answers[0]}")
        return handled.seconds[0], handled.cpu_seconds[0]


def main() -> None:
    measuring.machine()
    with measuring.built() as built, world(built.function("Deliver"), built.packages) as made:
        made.delivered(made.product(1), orders=BATCH)  # Connections, threads, first calls: not counted.
        batch(made)
        calls(made)
        growth(made)


@contextmanager
def world(*folders: Path, tls: tuple[Path, Path] | None = None, **variables: str) -> Iterator[World]:
    """
    *folders* are Deliver's and its layers', which speaks to the providers over TLS where *tls*, a certificate and its
    key, is given. *variables* are of its environment.
    """
    stripe, fastio = stripe_app(), fastio_app(api_key=FASTIO_API_KEY)
    aws = aws_app(secret=measuring.SECRET)
    with (
        serving(stripe) as stripe_url,
        serving(fastio) as fastio_url,
        serving(stripe, tls=tls) as stripe_api,
        serving(fastio, tls=tls) as fastio_api,
        serving(aws, tls=tls) as aws_url,
        seeds.client(stripe_url) as stripe_at,
        seeds.client(fastio_url) as fastio_at,
        measuring.alone(
            *folders,
            AWS_ENDPOINT_URL=aws_url,
            STRIPE_API_BASE=stripe_api,
            FASTIO_API_BASE=f"{fastio_api}/current",
            FASTIO_WEB_BASE=fastio_api,
            **variables,
        ) as deliver,
    ):
        yield World(stripe, fastio, aws, stripe_at, fastio_at, deliver)


def batch(made: World) -> None:
    product = made.product(FILES)
    made.answering_in(PROVIDER_S)
    rounds = measuring.interleaved(
        {str(orders): partial(made.delivered, product, orders=orders) for orders in (1, BATCH)},
        rounds=BATCH_ROUNDS,
    )
    one, one_cpu = zip(*rounds["1"], strict=True)
    ten, ten_cpu = zip(*rounds[str(BATCH)], strict=True)
    measuring.show(
        f"Deliver: a batch of {BATCH} orders of {FILES} files, every provider answering in {PROVIDER_S * 1e3:.0f} ms",
        [
            measuring.times(f"{BATCH} orders, on the clock", ten, one, unit="s", name="one order", most=1.5),
            measuring.times(
                f"CPU of an order among {BATCH}",
                [seconds / BATCH * 1e3 for seconds in ten_cpu],
                [seconds * 1e3 for seconds in one_cpu],
                unit="ms",
                name="one order",
            ),
        ],
    )


def calls(made: World) -> None:
    made.answering_in(0)
    made.delivered(made.product(FILES))
    aws = Counter(operation(call) for call in made.aws.calls)
    to_fastio = len(made.fastio.calls)
    measuring.show(
        f"Deliver: calls for an order of {FILES} files (besides, the secret is read once a minute and process)",
        [
            measuring.count("Stripe: the order with its lines and products", len(made.stripe.calls), most=1),
            measuring.count(
                f"Fast.io: look the files up ({to_fastio - 3 - FILES}), create the share (1), add each file ({FILES}), "
                "open it as a guest (2)",
                to_fastio,
                most=1 + FILES,
            ),
            measuring.count("SES: the letter", aws["SendEmail"], most=1),
            measuring.count("DynamoDB: claim, about to mail, done", aws["UpdateItem"], most=4),
            measuring.count("other AWS calls", sum(aws.values()) - aws["SendEmail"] - aws["UpdateItem"]),
        ],
    )


def growth(made: World) -> None:
    """Orders of folders, because a product's metadata has no room for a hundred files' ids."""
    made.answering_in(0)
    products = {files: made.product(files, folder=True) for files in FEW_TO_MANY}
    made.answering_in(QUICK_PROVIDER_S)
    called: dict[int, int] = {}

    def seconds(files: int) -> float:
        taken, _ = made.delivered(products[files])
        called[files] = len(made.fastio.calls)
        return taken

    taken = measuring.interleaved({str(n): partial(seconds, n) for n in FEW_TO_MANY}, rounds=GROWTH_ROUNDS)
    print(
        f"\nDeliver: one order of ever more files, every provider answering in {QUICK_PROVIDER_S * 1e3:.0f} ms\n\n"
        "| files | on the clock | for each file | calls to Fast.io |\n|---|---|---|---|"
    )
    for files in FEW_TO_MANY:
        median = statistics.median(taken[str(files)])
        print(f"| {files} | {median:.2f} s | {median / files * 1e3:.0f} ms | {called[files]} |")
    few, some, many = FEW_TO_MANY

    def for_one_more(fewer: int, more: int) -> list[float]:
        pairs = zip(taken[str(fewer)], taken[str(more)], strict=True)
        return [(longer - shorter) / (more - fewer) * 1e3 for shorter, longer in pairs]

    measuring.show(
        "Deliver: is that linear?",
        [
            measuring.times(
                f"a file more, from {some} to {many}",
                for_one_more(some, many),
                for_one_more(few, some),
                unit="ms",
                name=f"a file more, from {few} to {some}",
                most=1.2,
            )
        ],
    )


def _batch(sessions: list[str]) -> dict[str, Any]:
    """SQS's event of one notice for each of *sessions*."""
    event = samples.samples(0)["deliver-paid.json"]
    (record,) = event["Records"]
    kind = notices.from_json(record["body"])
    return {
        "Records": [
            record | {"messageId": f"bench-{next(_numbers)}", "body": notices.to_json(_about(kind, session))}
            for session in sessions
        ]
    }


def _about(kind: Notice, session: str) -> Notice:
    return Notice(source=kind.source, event_id=f"evt_{session}", why=kind.why, about=session, at=kind.at)


def _posted(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


if __name__ == "__main__":
    main()
