"""
Deliver beside an earlier version of itself, over TLS as on AWS, in Markdown: `make bench BESIDE=REVISION`.

Both run alone in processes of their own, in turn, against the stand-ins of today.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from local.aws import deploying, environs
from local.hosting import processes
from local.settings import ROOT
from scripts import measuring
from scripts.bench_deliver import BATCH, FILES, PROVIDER_S, World, world
from tests.certificates import certificate

FIRST_ROUNDS, ORDER_ROUNDS = 5, 7
MANY_FILES, FILES_ROUNDS = 100, 2
type Fresh = AbstractContextManager[World]
AUTHORITIES = ("certifi/cacert.pem", "botocore/cacert.pem", "stripe/data/ca-certificates.crt")
"""Whom httpx, boto3 and Stripe's SDK trust, in a layer."""


def main(revision: str) -> None:
    measuring.machine()
    with tempfile.TemporaryDirectory(prefix="paidshare-beside-") as scratch, measuring.built() as built:
        tls = certificate(Path(scratch))
        ours = [built.function("Deliver"), built.packages]
        with earlier(revision, Path(scratch)) as theirs:
            for folder in [*ours, *theirs]:
                _trusting(folder, tls[0])
            # httpx would rather trust whom this machine does.
            both = partial(world, tls=tls, SSL_CERT_FILE=str(built.packages / AUTHORITIES[0]))
            _first_orders(partial(both, *ours), partial(both, *theirs), revision)
            for compare in (_orders, _files):
                with both(*ours) as new, both(*theirs) as old:
                    compare(new, old, revision)


@contextmanager
def earlier(revision: str, scratch: Path) -> Iterator[list[Path]]:
    """Deliver of *revision* and its layers, as `sam build` makes them, while the block runs."""
    copy = scratch / "earlier"
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(copy), revision], check=True)
    try:
        command = [str(deploying.SAM), "build", "--parallel", "--template-file", str(copy / "template.yaml")]
        build = scratch / "earlier-built"
        log = scratch / "sam-build.log"
        processes.run("sam build", [*command, "--build-dir", str(build)], log=log, environ=environs.building())
        yield [build / "Deliver", *(layer / "python" for layer in sorted(build.glob("*Layer")))]
    finally:
        subprocess.run([*git, "remove", "--force", str(copy)], check=True)


def _trusting(folder: Path, shown: Path) -> None:
    for bundle in (folder / name for name in AUTHORITIES):
        if bundle.exists():
            with bundle.open("a") as file:
                file.write(shown.read_text())


def _first_orders(new: Callable[[], Fresh], old: Callable[[], Fresh], revision: str) -> None:
    """Of a container that has just started: its connections, and whom they trust, are its first orders' too."""

    def first(fresh: Callable[[], Fresh]) -> float:
        with fresh() as made:
            return _cpu_of_an_order(made, made.product(FILES))

    cpu = measuring.interleaved({"new": partial(first, new), "old": partial(first, old)}, rounds=FIRST_ROUNDS)
    measuring.show(
        f"Deliver over TLS, beside {revision}: a container's first {BATCH} orders of {FILES} files",
        [measuring.times("CPU of an order", cpu["new"], cpu["old"], unit="ms", name=revision, most=0.5)],
    )


def _orders(new: World, old: World, revision: str) -> None:
    cpu = measuring.interleaved(
        {name: partial(_cpu_of_an_order, made, made.product(FILES)) for name, made in (("new", new), ("old", old))},
        rounds=ORDER_ROUNDS,
    )
    measuring.show(
        f"Deliver over TLS, beside {revision}: {BATCH} orders more",
        [measuring.times("CPU of an order", cpu["new"], cpu["old"], unit="ms", name=revision)],
    )


def _cpu_of_an_order(made: World, product: str) -> float:
    return made.delivered(product, orders=BATCH)[1] / BATCH * 1e3


def _files(new: World, old: World, revision: str) -> None:
    """Of a folder: a product's metadata has no room for the ids of so many."""
    products = {name: made.product(MANY_FILES, folder=True) for name, made in (("new", new), ("old", old))}
    for made in (new, old):
        made.answering_in(PROVIDER_S)
    taken = measuring.interleaved(
        {
            "new": lambda: new.delivered(products["new"])[0],
            "old": lambda: old.delivered(products["old"])[0],
        },
        rounds=FILES_ROUNDS,
    )
    measuring.show(
        f"Deliver over TLS, beside {revision}: {MANY_FILES} files, calls answered in {PROVIDER_S * 1e3:.0f} ms",
        [
            measuring.times("on the clock", taken["new"], taken["old"], unit="s", name=revision, most=0.25),
            measuring.at_most("on the clock", taken["new"], unit="s", most=5),
        ],
    )


if __name__ == "__main__":
    main(sys.argv[1])
