"""The port `Vault`: the one secret, read from Secrets Manager through Powertools with a cache."""

import threading
from collections.abc import Callable

from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from paidshare.errors import SecretUnavailable
from paidshare.secret import Secret

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

    def __init__(self, provider: SecretsProvider, name: str, *, monotonic: Callable[[], float]) -> None:
        self._provider = provider
        self._name = name
        self._monotonic = monotonic
        self._reread_at = float("-inf")
        self._lock = threading.Lock()

    def secret(self) -> Secret:
        return self._get(force_fetch=False)

    def reread(self) -> Secret | None:
        with self._lock:
            now = self._monotonic()
            if now - self._reread_at < _SECONDS_BETWEEN_REREADS:
                return None
            self._reread_at = now
        return self._get(force_fetch=True)

    def _get(self, *, force_fetch: bool) -> Secret:
        try:
            text = self._provider.get(self._name, max_age=_CACHE_SECONDS, force_fetch=force_fetch)
        except GetParameterError as exc:
            raise SecretUnavailable(f"Secrets Manager GetSecretValue: {_code(exc.__context__)}") from exc
        if not isinstance(text, str):
            raise SecretUnavailable("the secret is binary, not text")
        return Secret.read(text)


def _code(cause: BaseException | None) -> str:
    response = getattr(cause, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code or type(cause).__name__)
