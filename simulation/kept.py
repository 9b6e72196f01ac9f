"""Stories that broke a promise once, kept as a test: `python -m simulation --seed N --keep` adds one."""

import json
from pathlib import Path
from typing import Any

from simulation.faults import Fault, Struck
from simulation.run import Told
from simulation.shrink import Story
from simulation.stripe.acts import Act

FILE = Path(__file__).resolve().parents[1] / "tests" / "simulation" / "kept.json"


def keep(story: Story, file: Path = FILE) -> None:
    """Add *story*, unless it is there already."""
    kept = {
        "seed": story.seed,
        "promise": story.broken.promise,
        "acts": [[act.at, act.number, act.what, act.detail] for act in story.acts],
        "faults": [[one.call, str(one.fault)] for one in story.faults],
    }
    found = read(file)
    if kept not in found:
        file.write_text("[\n" + ",\n".join(json.dumps(one) for one in [*found, kept]) + "\n]\n")


def read(file: Path = FILE) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    return found


def told(kept: dict[str, Any]) -> Told:
    """What is to be told again of a kept story."""
    acts = tuple(Act(*one) for one in kept["acts"])
    return Told(acts, frozenset(Struck(call, Fault(fault)) for call, fault in kept["faults"]))
