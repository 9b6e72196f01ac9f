"""
Whether the layer has all that our code asks AWS for, and nothing else: `python scripts/aws_calls.py`.

The layer is cut down to `CALLS` of `layers/dependencies/cut.py`; a call that is not among them would fail, in Lambda.
"""

import ast
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from botocore import xform_name
from botocore.loaders import create_loader

ROOT = Path(__file__).resolve().parents[1]
PACKAGED = ("functions", "layers/paidshare/python/paidshare")


def main() -> None:
    problems = differences(called(), cutting().CALLS)
    if problems:
        sys.exit("\n".join([*problems, "mend CALLS in layers/dependencies/cut.py"]))


def cutting() -> ModuleType:
    """The layer's `cut.py`, which is no module of a package."""
    spec = spec_from_file_location("cut", ROOT / "layers" / "dependencies" / "cut.py")
    if spec is None or spec.loader is None:
        raise ImportError("layers/dependencies/cut.py")
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def called(root: Path = ROOT) -> set[str]:
    """The names of all methods that what is packaged calls, boto3's `put_item` and `get_paginator` among them."""
    return {name for folder in PACKAGED for file in (root / folder).rglob("*.py") for name in _called(file)}


def _called(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


def differences(names: set[str], kept: dict[str, list[str]]) -> list[str]:
    """What is called and not *kept*, by service and operation, and what is kept and not called."""
    loader = create_loader()
    wrong = [f"{name} needs what the layer does not have" for name in ("get_paginator", "get_waiter") if name in names]
    for service in loader.list_available_services("service-2"):
        if service not in kept:
            continue
        operations = loader.load_service_model(service, "service-2")["operations"]
        made = {operation for operation in operations if xform_name(operation) in names}
        wrong += [f"{service} {operation} is called, and not in the layer" for operation in made - set(kept[service])]
        wrong += [f"{service} {operation} is in the layer, and not called" for operation in set(kept[service]) - made]
    return wrong


if __name__ == "__main__":
    main()
