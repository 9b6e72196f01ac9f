"""A provider's package shows its names in one place, and loads the module of each when that is first asked for."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def door(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """
    The `__getattr__` of *package* (PEP 562): *modules* has the module that each name is in.

    A function's cold start pays for what it uses alone: Receive, say, for one adapter of ten.
    """

    def found(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{modules[name]}"), name)

    return found
