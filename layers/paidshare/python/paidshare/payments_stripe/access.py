"""The way to Stripe's API: the key as it is now, one pool of connections, and refusals in our words."""

import logging
import re
from collections.abc import Callable
from ssl import SSLContext

import httpx
import stripe

from paidshare.errors import OrderUnknown, PaidshareError, StripeUnavailable
from paidshare.payments_stripe.http import OverHttpx

_CONNECT_S = 5.0
_RETRIES = 1  # The queue has the patience; this one only rides out a connection that died in the pool.
_WAIT_WHEN_LIMITED_S = 5.0
_WAIT_FOR_A_KEY_S = 300.0  # A person has to put it there.
_WORD = re.compile(r"[A-Za-z0-9_]+")


class StripeAccess:
    """
    `api_key` is called for every question, so a rotated key works at once. `api_base` is a URL without a slash at the
    end. `timeout_s` bounds each wait for Stripe's next byte; connecting has five seconds of it. Any number of threads
    may use one instance. Call `close` when done. *tls* is what is trusted to be Stripe.

    It silences the `stripe` logger, which would write answers (e-mail addresses) and parts of the key, and
    turns the SDK's telemetry off, which would write a file into the home directory.
    """

    def __init__(
        self, *, api_key: Callable[[], str], api_base: str, timeout_s: float, tls: SSLContext | None = None
    ) -> None:
        self._api_key = api_key
        self._api_base = api_base
        timeout = httpx.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_S))
        self._http = OverHttpx(timeout=timeout, tls=tls)
        self._client: tuple[str, stripe.StripeClient] | None = None
        logging.getLogger("stripe").disabled = True
        stripe.enable_telemetry = False

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def answer[T](self, about: str, ask: Callable[[stripe.StripeClient], T]) -> T:
        """
        What *ask* finds. Its failures are raised as ours, in words that name *about* and nothing of Stripe's.

        Raises OrderUnknown when Stripe refuses the question, and StripeUnavailable when it cannot be asked now, its
        limit is reached, or it refuses our key.
        """
        client = self._stripe()
        try:
            return ask(client)
        except stripe.StripeError as exc:
            fact = _fact(exc, about)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as exc:
            # What the SDK and `fields` trip over when Stripe's answer lacks what was asked for, or something
            # between us and Stripe answers JSON that is not Stripe's, such as {"error": "bad gateway"}.
            fact = StripeUnavailable(f"Stripe's answer about {about} is not readable ({type(exc).__name__})")
        raise fact  # Out here, so that no traceback prints Stripe's words, with part of the key.

    def _stripe(self) -> stripe.StripeClient:
        key = self._api_key()
        if not _WORD.fullmatch(key):
            raise StripeUnavailable("the Stripe key is empty or malformed", wait=_WAIT_FOR_A_KEY_S)
        kept = self._client
        if kept is None or kept[0] != key:
            # Two threads may both make one: they are alike, and share the connections.
            kept = (
                key,
                stripe.StripeClient(
                    key,
                    http_client=self._http,
                    base_addresses={"api": self._api_base},
                    max_network_retries=_RETRIES,
                ),
            )
            self._client = kept
        return kept[1]


def _fact(exc: stripe.StripeError, about: str) -> PaidshareError:
    """What a refusal means for the queue. Stripe's own words are left out: some echo part of the key."""
    asked = f"{about} (request {exc.request_id or 'without id'}, HTTP {exc.http_status or 'none'})"
    match exc:
        case stripe.InvalidRequestError(code="resource_missing") | stripe.InvalidRequestError(http_status=404):
            return OrderUnknown(f"Stripe does not know {asked}")
        case stripe.InvalidRequestError():
            return OrderUnknown(f"Stripe refuses to show {asked}: {exc.code or 'invalid request'}")
        case stripe.AuthenticationError() | stripe.PermissionError():
            return StripeUnavailable(f"key refused by Stripe for {asked}", wait=_WAIT_FOR_A_KEY_S)
        case stripe.RateLimitError():
            return StripeUnavailable(f"Stripe limits us at {asked}", wait=_wished_wait(exc) or _WAIT_WHEN_LIMITED_S)
        case stripe.APIConnectionError():
            return StripeUnavailable(f"Stripe did not answer about {asked}: {type(exc.__cause__).__name__}")
        case _:
            return StripeUnavailable(f"Stripe failed at {asked}", wait=_wished_wait(exc))


def _wished_wait(exc: stripe.StripeError) -> float | None:
    """`Retry-After` in seconds; its other form, a date, is not one that Stripe uses."""
    wish = str((exc.headers or {}).get("retry-after", ""))
    return float(wish) if re.fullmatch(r"[0-9]{1,6}", wish) else None
