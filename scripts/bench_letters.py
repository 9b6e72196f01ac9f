"""
What a letter in the buyer's language costs Deliver, in Markdown: the built artifact alone, in fresh processes.

    python scripts/bench_letters.py
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts import measuring

ROUNDS = 9
_MEASURED = Path(__file__).with_name("measured") / "letters.py"


def main() -> None:
    with measuring.built() as built:
        folders = [str(built.function("Deliver")), str(built.packages)]
        babel = sum(file.stat().st_size for file in (built.packages / "babel").rglob("*") if file.is_file())
        rounds = [_measured(folders) for _ in range(ROUNDS)]
    print("\nLetters: the buyer's language\n")
    print(f"| letters; Babel is {babel / 1e6:.1f} MB of the layer | CPU, median |\n|---|---|")
    for what in rounds[0]:
        print(f"| {what} | {statistics.median(one[what] for one in rounds):.2g} ms |")


def _measured(folders: list[str]) -> dict[str, float]:
    """-I and -S: no site-packages. No time zones either: Lambda may have none. Ends the measuring when it fails."""
    environ = {"TZ": ":UTC", "PYTHONTZPATH": ""}
    command = [sys.executable, "-I", "-S", "-B", str(_MEASURED), *folders]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=60, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
