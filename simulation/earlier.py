"""
An earlier version of the product at work beside this one, on the same queues, tables and providers: what every deploy
brings about for a while, and a roll-back once more.

Its sources are loaded under another name, with the wiring that was theirs. What is simulated around them is today's.
"""

import atexit
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import cast

from simulation.wiring import Wiring

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "earlier"
SOURCES = ("layers/paidshare/python/paidshare", "functions", "simulation/wiring.py", "simulation/stripe/reading.py")
"""All that knows a version."""

_IMPORTS = re.compile(
    r"^(\s*(?:from|import) )(paidshare|functions|simulation\.wiring|simulation\.stripe\.reading)\b", re.MULTILINE
)
_NAMED = re.compile(r'"(?=paidshare\.)')
"""Where a package is named to be looked for, such as that of the letters' templates."""


class RevisionUnknown(ValueError):
    """Git has no such revision, or it is of before the simulation had its wiring in one module."""


def of_revision(revision: str) -> type[Wiring]:
    """The wiring of that version, by git's name of it. Raises RevisionUnknown."""
    done = subprocess.run(["git", "archive", revision, *SOURCES], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise RevisionUnknown(done.stderr.decode().strip())
    folder = Path(tempfile.mkdtemp(prefix="earlier-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return of_tree(folder, folder / "renamed")


def of_tree(tree: Path, renamed: Path) -> type[Wiring]:
    """The wiring of the sources in *tree*, a checkout; *renamed* is an empty folder for them under their other name."""
    for source in SOURCES:
        # The layer's package comes with its path in the layer; Python looks for none of it.
        place = renamed / PACKAGE / source.removeprefix("layers/paidshare/python/")
        if (tree / source).is_dir():
            shutil.copytree(tree / source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tree / source, place)
    for path in renamed.rglob("*.py"):
        text = path.read_text()
        path.write_text(_NAMED.sub(f'"{PACKAGE}.', _IMPORTS.sub(rf"\1{PACKAGE}.\2", text)))
    sys.path.insert(0, str(renamed))
    return cast("type[Wiring]", import_module(f"{PACKAGE}.simulation.wiring").Wiring)
