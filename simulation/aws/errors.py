"""What boto3 raises when a call fails."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError


def refused(code: str, operation: str, *, status: int = 400, shown: dict[str, Any] | None = None) -> ClientError:
    """AWS answered that it will not; *shown* is what else the answer has."""
    response: Any = {
        "Error": {"Code": code, "Message": code},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **(shown or {}),
    }
    return ClientError(response, operation)


def unheard(service: str) -> ConnectTimeoutError:
    """No connection: surely nothing was done."""
    return ConnectTimeoutError(endpoint_url=service)


def unanswered(service: str) -> ReadTimeoutError:
    """The request may have been worked on."""
    return ReadTimeoutError(endpoint_url=service)


def tried[T](
    attempts: int, call: Callable[[], T], *, is_final: Callable[[Exception], bool] = lambda _error: False
) -> T:
    """
    What *call* answers, asked as often as boto3 tries, unless an error *is_final*: what was done, and whose answer was
    lost, is done once more.
    """
    for _ in range(attempts - 1):
        try:
            return call()
        except Exception as error:
            if is_final(error):
                raise
    return call()
