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
    """There is no such version, or it is of before the simulation had its wiring in one module."""


def of(version: str) -> type[Wiring]:
    """
    The wiring of *version*: git's name of it, or the folder of another checkout. Raises RevisionUnknown.

    Once in a process: a second version would be found under the first one's name.
    """
    folder = Path(tempfile.mkdtemp(prefix="earlier-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if Path(version).is_dir():
        return _of_tree(Path(version), folder)
    done = subprocess.run(["git", "archive", version, *SOURCES], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise RevisionUnknown(done.stderr.decode().strip())
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder / "tree", filter="data")
    return _of_tree(folder / "tree", folder)


def _of_tree(tree: Path, folder: Path) -> type[Wiring]:
    """The wiring of the sources in *tree*, which are put into *folder* under their other name."""
    for source in SOURCES:
        # The layer's package comes with its path in the layer; Python looks for none of it.
        place = folder / PACKAGE / source.removeprefix("layers/paidshare/python/")
        if (tree / source).is_dir():
            shutil.copytree(tree / source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tree / source, place)
    for path in (folder / PACKAGE).rglob("*.py"):
        text = path.read_text()
        path.write_text(_NAMED.sub(f'"{PACKAGE}.', _IMPORTS.sub(rf"\1{PACKAGE}.\2", text)))
    sys.path.insert(0, str(folder))
    return cast("type[Wiring]", import_module(f"{PACKAGE}.simulation.wiring").Wiring)
