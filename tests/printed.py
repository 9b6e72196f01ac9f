"""What a function prints: log lines and metrics, a JSON object each."""

import json
import logging
from typing import Any

import pytest


class Printed:
    """`everything` is all that was printed up to the last look, as it was."""

    def __init__(self, service: str, capsys: pytest.CaptureFixture[str]) -> None:
        # Powertools keeps a service's logger with the output it had first, which is another test's.
        logger = logging.getLogger(service)
        logger.handlers.clear()
        for kept in ("init", "powertools_handler"):
            vars(logger).pop(kept, None)
        self._capsys = capsys
        self.everything = ""

    def lines(self) -> list[dict[str, Any]]:
        """What was printed since the last look."""
        new = self._capsys.readouterr().out
        self.everything += new
        return [json.loads(line) for line in new.splitlines()]

    def log(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if "_aws" not in line]

    def metrics(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if "_aws" in line and name in line]
