"""
Runs one command that cannot outlive whoever started it: `python keeper.py COMMAND [ARGUMENT …]`.

Its starter holds the other end of its standard input. However the starter ends, a SIGKILL included, the
kernel closes that pipe; the keeper then ends the command and everything the command started. Linux and macOS.
It is a program of its own because nothing inside a killed process can clean up after it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 2.0
"""How long the command has for an orderly end before it is killed."""

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(command: list[str]) -> int:
    """Run *command* to its end, or to its starter's; its exit code, negative for a signal."""
    over = threading.Event()
    for number in _ENDING:
        # A handler, not SIG_IGN: what is ignored stays ignored in the command, a handler does not.
        signal.signal(number, lambda *_: over.set())
    # A group of its own: one signal then reaches the command with all its children, and not the keeper.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)
    threading.Thread(target=_until_starter_ends, args=(over,), daemon=True).start()
    threading.Thread(target=_until_command_ends, args=(child, over), daemon=True).start()
    over.wait()
    if child.poll() is None:
        _signal_group(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
    # Always: a command that has ended may have left children behind.
    _signal_group(child.pid, signal.SIGKILL)
    return child.wait()


def _until_starter_ends(over: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    over.set()


def _until_command_ends(child: subprocess.Popen[bytes], over: threading.Event) -> None:
    child.wait()
    over.set()


def _signal_group(group: int, number: signal.Signals) -> None:
    # macOS answers "not permitted" for a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.exit(code if code >= 0 else 128 - code)
