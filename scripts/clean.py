"""
`make clean`: removes the folders that it is given, unless something runs from one of them. Needs no package.

Everything of ours that runs or builds holds a lock in its folder (`lock`, `build.lock`), and the kernel lets go of it
when it ends, however it ends.
"""

import fcntl
import shutil
import sys
from pathlib import Path

_LOCKS = ("lock", "*/lock", "build.lock")


def main(folders: list[str]) -> int:
    """Exits with 1, and removes nothing, when something runs."""
    used = [lock for folder in folders for form in _LOCKS for lock in Path(folder).glob(form) if _held(lock)]
    for lock in used:
        # What runs writes its process into the lock.
        who = lock.read_text().strip()
        runs = f"process {who}" if who else "a build"
        print(f"✗ {lock.parent} is in use ({runs}): end it first, with Ctrl-C where it was started", file=sys.stderr)
    if used:
        return 1
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _held(lock: Path) -> bool:
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
