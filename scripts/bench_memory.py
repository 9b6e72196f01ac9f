"""
How much memory each function has need of, and what the size that template.yaml gives it makes of its cold start.

    python scripts/bench_memory.py

Lambda gives CPU with memory: one vCPU at 1,769 MB (docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
"""

import statistics
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts import measuring
from tests.template_file import properties

FUNCTIONS = ("Receive", "Deliver", "Feedback", "Sweep", "Page")
SIZES = (128, 256, 512, 1024)
ROUNDS = 7
ONE_VCPU_MB = 1769


def main() -> None:
    measuring.machine()
    with measuring.built() as built:

        def imported(name: str) -> tuple[float, float]:
            """Milliseconds of CPU, and megabytes."""
            with measuring.alone(built.function(name), built.packages) as process:
                handled = process.handle()
            return handled.cpu_seconds_since_start * 1e3, handled.most_bytes / 2**20

        found = measuring.interleaved({name: partial(imported, name) for name in FUNCTIONS}, rounds=ROUNDS)
    print(
        "\nMemory: each function imported, before its first event, and how long that takes with so many MB\n\n"
        f"| function | memory | CPU | {' | '.join(f'{size} MB' for size in SIZES)} | chosen |\n"
        f"|{'---|' * (4 + len(SIZES))}"
    )
    for name in FUNCTIONS:
        cpu, memory = (statistics.median(one[i] for one in found[name]) for i in (0, 1))
        takes = " | ".join(f"{cpu / min(size / ONE_VCPU_MB, 1) / 1e3:.1f} s" for size in SIZES)
        print(f"| {name} | {memory:.0f} MB | {cpu:.0f} ms | {takes} | {properties(name)['MemorySize']} MB |")


if __name__ == "__main__":
    main()
