"""
Powertools' idempotency, without boto3.

Its package imports its layer on boto3 before anything else can be had of it. Here an empty one is in its place while
the package is imported; whoever asks for that layer later gets it. Should Powertools move it, boto3 is imported again
and nothing else changes, except that a test fails (tests/functions/test_receive_handler.py).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_PACKAGE = "aws_lambda_powertools.utilities.idempotency"
_ON_BOTO3 = f"{_PACKAGE}.persistence.dynamodb"


@contextmanager
def _without_boto3() -> Iterator[None]:
    if _PACKAGE in sys.modules:
        yield
        return
    empty: Any = ModuleType(_ON_BOTO3)
    empty.DynamoDBPersistenceLayer = None
    sys.modules[_ON_BOTO3] = empty
    try:
        yield
    finally:
        del sys.modules[_ON_BOTO3]
    package: Any = sys.modules[_PACKAGE]
    vars(package).pop("DynamoDBPersistenceLayer", None)
    package.__getattr__ = _later


def _later(name: str) -> Any:
    if name == "DynamoDBPersistenceLayer":
        return import_module(_ON_BOTO3).DynamoDBPersistenceLayer
    raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")


with _without_boto3():
    from aws_lambda_powertools.utilities.idempotency import (
        BasePersistenceLayer,
        IdempotencyConfig,
        idempotent_function,
    )
    from aws_lambda_powertools.utilities.idempotency.exceptions import (
        BaseError,
        IdempotencyAlreadyInProgressError,
        IdempotencyItemAlreadyExistsError,
        IdempotencyItemNotFoundError,
    )
    from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

__all__ = [
    "BaseError",
    "BasePersistenceLayer",
    "DataRecord",
    "IdempotencyAlreadyInProgressError",
    "IdempotencyConfig",
    "IdempotencyItemAlreadyExistsError",
    "IdempotencyItemNotFoundError",
    "idempotent_function",
]
