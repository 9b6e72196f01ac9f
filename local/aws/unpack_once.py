"""
Starts MiniStack, with each layer unpacked once. Run by MiniStack's own Python, and so imports nothing of ours.

MiniStack 1.5.33 unpacks a function's layers anew for every worker that it starts: 5,000 files, which took most of its
time. On Lambda they are there before a container begins.
"""

import hashlib
import runpy
import shutil
import tempfile
import zipfile
from pathlib import Path

_unpack = zipfile.ZipFile.extractall


def _unpack_once(
    archive: zipfile.ZipFile, path: str | None = None, members: list[str] | None = None, pwd: bytes | None = None
) -> None:
    """A folder for a layer (`layer_0`, `layer_1` …) gets links to what is kept; any other is filled as ever."""
    target = Path(path or ".")
    if not target.name.startswith("layer_") or members is not None or archive.filename is None:
        _unpack(archive, path, members, pwd)
        return
    for entry in _kept(archive, archive.filename).iterdir():
        (target / entry.name).symlink_to(entry)


def _kept(archive: zipfile.ZipFile, filename: str) -> Path:
    with Path(filename).open("rb") as file:
        kept = Path(tempfile.gettempdir()) / "layers" / hashlib.file_digest(file, "sha256").hexdigest()
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=kept.parent))
        _unpack(archive, fresh)
        try:
            fresh.rename(kept)
        except OSError:  # Another worker's start was quicker.
            shutil.rmtree(fresh)
    return kept


if __name__ == "__main__":
    zipfile.ZipFile.extractall = _unpack_once  # type: ignore[assignment]
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)
