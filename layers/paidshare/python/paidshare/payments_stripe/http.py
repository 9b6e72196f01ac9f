"""The Stripe SDK's way out: httpx, and nothing of the SDK's own clients, each of which reads the authorities anew."""

from collections.abc import Mapping
from ssl import SSLContext

import httpx
import stripe


class OverHttpx(stripe.HTTPClient):
    """
    What the SDK has other clients derived from (github.com/stripe/stripe-python, `HTTPClient`), for synchronous calls
    alone. *tls* is what it trusts; without one, httpx's own authorities. Safe to use from several threads at once.
    """

    name = "httpx"

    def __init__(self, *, timeout: httpx.Timeout, tls: SSLContext | None = None) -> None:
        super().__init__()
        self._client = httpx.Client(timeout=timeout, verify=tls or True)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: str | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Raises APIConnectionError, after which the SDK tries again as often as it is told to."""
        del _usage
        try:
            answer = self._client.request(method, url, headers=headers, content=post_data)
        except httpx.HTTPError as exc:
            raise stripe.APIConnectionError(f"{type(exc).__name__}", should_retry=True) from exc  # type: ignore[no-untyped-call]
        return answer.content.decode(), answer.status_code, answer.headers

    def close(self) -> None:
        self._client.close()
