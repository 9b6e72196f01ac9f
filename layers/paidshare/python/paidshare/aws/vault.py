"""The port `Vault`: the one secret, read from Secrets Manager and kept for a minute."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from paidshare.aws import errors
from paidshare.errors import SecretUnavailable
from paidshare.secret import Secret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# How long a warm function uses what it read: so long a deleted secret still counts. An added one does not wait for
# it, see `reread`. A call a minute for each container costs nothing worth counting.
_CACHE_SECONDS = 60
# A forger's refused signatures must not turn into calls to Secrets Manager, which are limited and cost money.
_SECONDS_BETWEEN_REREADS = 15


class SecretsManagerVault:
    """
    The port `Vault`. Safe to use from several threads.

    `monotonic` is seconds on a clock that never goes back.
    """

    def __init__(self, client: "SecretsManagerClient", name: str, *, monotonic: Callable[[], float]) -> None:
        self._client = client
        self._name = name
        self._monotonic = monotonic
        self._reread_at = self._read_at = float("-inf")
        self._text = ""
        self._lock = threading.Lock()

    def secret(self) -> Secret:
        if self._monotonic() - self._read_at > _CACHE_SECONDS:
            self._read()
        return Secret.read(self._text)

    def reread(self) -> Secret | None:
        with self._lock:
            now = self._monotonic()
            if now - self._reread_at < _SECONDS_BETWEEN_REREADS:
                return None
            self._reread_at = now
        self._read()
        return Secret.read(self._text)

    def _read(self) -> None:
        try:
            answer = self._client.get_secret_value(SecretId=self._name)
        except errors.AWS_ERRORS as exc:
            raise SecretUnavailable(f"Secrets Manager GetSecretValue: {errors.code(exc)}") from exc
        if "SecretString" not in answer:
            raise SecretUnavailable("the secret is binary, not text")
        # In this order: another thread may look between the two.
        self._text, self._read_at = answer["SecretString"], self._monotonic()
