"""Which room of the code imports which: read from its import statements, as docs/architecture.md draws it."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PACKAGE = ROOT / "layers/paidshare/python/paidshare"
SHARED = "shared"
"""What lies in the package itself, and the settings: the values and rules that all rooms share."""
_SHARED_FOLDERS = ("settings",)


def arrows() -> frozenset[tuple[str, str]]:
    """Pairs (who imports, what), but for what imports `SHARED`: that is everything."""
    found = set()
    for folder in (_PACKAGE, ROOT / "functions", ROOT / "operate"):
        for file in folder.rglob("*.py"):
            found |= {(_room_of(file), room) for room in _imported(file)}
    return frozenset((one, other) for one, other in found if one != other and SHARED not in (one, other))


def _room_of(file: Path) -> str:
    if file.is_relative_to(_PACKAGE):
        inside = file.relative_to(_PACKAGE).parts
        return inside[0] if len(inside) > 1 and inside[0] not in _SHARED_FOLDERS else SHARED
    return "operate" if file.is_relative_to(ROOT / "operate") else f"functions/{file.parent.name}"


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "paidshare":
            inside = node.module.split(".")[1:]
            for name in inside[:1] or [alias.name for alias in node.names]:
                yield name if (_PACKAGE / name).is_dir() and name not in _SHARED_FOLDERS else SHARED
