"""
A headless Chromium that is spoken to over its debugging pipe (Chrome DevTools Protocol, one JSON message and a NUL each
way): what a page is when somebody sits in front of it with a keyboard.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
_KEYS = {"Tab": 9, "Enter": 13}


class Browser:
    """One tab. Every call raises RuntimeError with what Chromium refuses."""

    def __init__(self, out: BinaryIO, into: BinaryIO) -> None:
        self._out = out
        self._into = into
        self._said = 0
        self._rest = b""
        self._session: str | None = None
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._ask("Page.enable")

    def show(self, page: str, width: int) -> None:
        """*page* (HTML), in a window of that *width*, loaded."""
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self._ask("Emulation.setDeviceMetricsOverride", **metrics)
        frame = self._ask("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._ask("Page.navigate", url="about:blank")
        self._ask("Page.setDocumentContent", frameId=frame, html=page)
        self._ask("Page.bringToFront")

    def press(self, key: str) -> None:
        """`Tab` or `Enter`, down and up."""
        about = {"key": key, "code": key, "windowsVirtualKeyCode": _KEYS[key]}
        self._ask("Input.dispatchKeyEvent", type="keyDown", **about, **({"text": "\r"} if key == "Enter" else {}))
        self._ask("Input.dispatchKeyEvent", type="keyUp", **about)

    def write(self, text: str) -> None:
        """*text*, into whatever has the focus."""
        self._ask("Input.insertText", text=text)

    def value(self, expression: str) -> Any:
        """What the JavaScript *expression* is in the page, as JSON has it."""
        found = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(f"{expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._said += 1
        message = {"id": self._said, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._into.write(json.dumps(message).encode() + b"\0")
        self._into.flush()
        while True:
            answer = self._next()
            if answer.get("id") == self._said:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return dict(answer["result"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = os.read(self._out.fileno(), 65_536)
            if not read:
                raise RuntimeError("Chromium is gone")
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def browser(*options: str) -> Iterator[Browser]:
    """A Chromium of its own, ended with the block."""
    to_read, to_write = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory() as profile:
        process = subprocess.Popen(
            [
                *("sh", "-c", f'exec chromium "$@" 3<&{to_read[0]} 4>&{to_write[1]}', "sh"),
                *OPTIONS,
                "--remote-debugging-pipe",
                f"--user-data-dir={Path(profile) / 'profile'}",
                *options,
            ],
            pass_fds=(to_read[0], to_write[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read[0])
        os.close(to_write[1])
        try:
            with os.fdopen(to_write[0], "rb") as out, os.fdopen(to_read[1], "wb") as into:
                yield Browser(out, into)
        finally:
            process.kill()
            process.wait()
