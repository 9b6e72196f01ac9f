"""
What went wrong in a call to AWS, in words that may be logged.

The errors are botocore's, whoever made the call. They are imported when there is one: Receive's cold start, which has
none to tell of, pays for each import.
"""

from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

    AWS_ERRORS = (ClientError, BotoCoreError)
    """Everything boto3 raises for a call that did not succeed."""


def botocore() -> ModuleType:
    """`botocore.exceptions`, which costs a cold start as much as all that Receive imports of `paidshare`."""
    from botocore import exceptions  # noqa: PLC0415

    return exceptions


def __getattr__(name: str) -> Any:
    if name != "AWS_ERRORS":
        raise AttributeError(name)
    return botocore().ClientError, botocore().BotoCoreError


def code(exc: "ClientError | BotoCoreError") -> str:
    """AWS's own name for the error, such as `AccessDeniedException`."""
    if isinstance(exc, botocore().ClientError):
        return str(exc.response.get("Error", {}).get("Code", "Unknown"))
    return type(exc).__name__


def summary(service: str, exc: "ClientError | BotoCoreError") -> str:
    """
    `DynamoDB UpdateItem: AccessDeniedException`.

    Never AWS's message: SES's quotes the buyer's address.
    """
    operation = getattr(exc, "operation_name", None)
    return f"{service} {operation}: {code(exc)}" if operation else f"{service}: {code(exc)}"


def is_condition_failed(exc: Exception) -> TypeGuard["ClientError"]:
    """Whether DynamoDB kept an item as it was, because it is not as the write's condition says."""
    return isinstance(exc, botocore().ClientError) and code(exc) == "ConditionalCheckFailedException"
