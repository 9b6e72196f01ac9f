"""What went wrong in a call to AWS, in words that may be logged."""

from typing import TypeGuard

from botocore.exceptions import BotoCoreError, ClientError

AWS_ERRORS = (ClientError, BotoCoreError)
"""Everything boto3 raises for a call that did not succeed."""


def code(exc: ClientError | BotoCoreError) -> str:
    """AWS's own name for the error, such as `AccessDeniedException`."""
    if isinstance(exc, ClientError):
        return str(exc.response.get("Error", {}).get("Code", "Unknown"))
    return type(exc).__name__


def summary(service: str, exc: ClientError | BotoCoreError) -> str:
    """
    `DynamoDB UpdateItem: AccessDeniedException`.

    Never AWS's message: SES's quotes the buyer's address.
    """
    operation = getattr(exc, "operation_name", None)
    return f"{service} {operation}: {code(exc)}" if operation else f"{service}: {code(exc)}"


def is_condition_failed(exc: Exception) -> TypeGuard[ClientError]:
    """Whether DynamoDB kept an item as it was, because it is not as the write's condition says."""
    return isinstance(exc, ClientError) and code(exc) == "ConditionalCheckFailedException"
