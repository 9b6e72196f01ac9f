"""The laptop system (tests/conftest.py starts it once for all tests) as the tests in this folder want it."""

from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.stack.laptop import Laptop


@pytest.fixture(scope="session")
def laptop(stack: Stack) -> Iterator[Laptop]:
    laptop = Laptop(stack)
    yield laptop
    laptop.close()
