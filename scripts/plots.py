"""
A plot for each question of docs/numbers.md, from its tables: `python plots.py docs/numbers.md` (in .tools/plots).

The question is the plot's title, ours is the blue bar, and a line is what was to be reached.
"""

import re
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

PLOTS = {
    "receive-cold": ("How much CPU does Receive's cold start take?", ["Receive, cold, plain", "Receive, cold, TLS"]),
    "receive-warm": ("How much CPU does Receive take for an event?", ["Receive, warm, plain", "Receive, warm, TLS"]),
    "receive-memory": ("How much memory does Receive's cold start take?", ["Receive, cold: the most memory"]),
}
_MEASURE = re.compile(r"([\d.]+) (ms|s|MB)(?: \((.+)\))?")


def main(numbers: Path) -> None:
    page = numbers.read_text()
    for name, (question, titles) in PLOTS.items():
        figure, axes = plt.subplots(1, len(titles), figsize=(9, 3.2), squeeze=False)
        for one, title in zip(axes[0], titles, strict=True):
            bars, unit = read(page, title)
            one.barh(list(bars), list(bars.values()), color=["#4063d8" if bar == "ours" else "#c8c8c8" for bar in bars])
            one.invert_yaxis()
            one.set_xlabel(unit)
            one.set_title(title.rpartition(", ")[2] if len(titles) > 1 else "", fontsize=9)
            one.tick_params(labelsize=7)
            for place, value in enumerate(bars.values()):
                one.text(value, place, f" {value:g}", va="center", fontsize=7)
            one.spines[["top", "right"]].set_visible(False)
        figure.suptitle(question, fontsize=11)
        figure.tight_layout()
        # Without a moment or a version in it: the same numbers are the same file.
        figure.savefig(numbers.parent / f"{name}.png", dpi=120, metadata={"Software": None})


def read(page: str, title: str) -> tuple[dict[str, float], str]:
    """The bars of the table *title*, by name, and their unit."""
    _, _, after = page.partition(f"<!-- make bench: {title} -->\n")
    rows = [row.split("|")[1:-1] for row in after.split("\n\n")[0].splitlines()[2:]]
    bars: dict[str, float] = {}
    unit = ""
    for what, ours, against, *_ in rows:
        if what.strip().startswith("wall"):
            continue
        for said, name in ((ours, "ours"), (against, "")):
            if found := _MEASURE.search(said):
                alone = against.strip() == "–"
                bars[_short(what.strip() if alone else found[3] or name)] = float(found[1])
                unit = found[2]
    return bars, unit


def _short(name: str) -> str:
    """As much as there is room for."""
    return "usual stack" if name.startswith("Stripe SDK, boto3") else name.removesuffix(", from our layer")[:40]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
