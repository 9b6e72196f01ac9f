"""One laptop system for all tests in this folder: MiniStack, both stand-ins, the really deployed template."""

from collections.abc import Iterator

import pytest

from local.settings import ROOT
from local.stack import running
from tests.stack.laptop import Laptop


@pytest.fixture(scope="session")
def laptop() -> Iterator[Laptop]:
    with running(ROOT / ".local" / "test") as stack:
        laptop = Laptop(stack)
        yield laptop
        laptop.close()
