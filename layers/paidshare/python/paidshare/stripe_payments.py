"""Orders as Stripe has them now: the port `Payments` on Stripe's API, at the SDK's pinned version."""

import logging
import re
from collections.abc import Callable
from datetime import datetime

import httpx
import stripe

from paidshare.errors import OrderUnknown, PaidshareError, StripeUnavailable
from paidshare.orders import Order
from paidshare.stripe_account import StripeAccount

_CONNECT_S = 5.0
_RETRIES = 1  # The queue has the patience; this one only rides out a connection that died in the pool.
_WAIT_WHEN_LIMITED_S = 5.0
_WAIT_FOR_A_KEY_S = 300.0  # A person has to put it there.

# An id becomes part of a path, an account's a header, so what could lead elsewhere never gets that far.
_ORDER_ID = re.compile(r"(cs|in)_[A-Za-z0-9_]{1,250}")
_ABOUT = re.compile(r"(cs|in|pi|ch|py|re|pyr|du|dp|issfr|sub)_[A-Za-z0-9_]{1,250}")
_ACCOUNT = re.compile(r"acct_[A-Za-z0-9_]{1,250}")
_WORD = re.compile(r"[A-Za-z0-9_]+")


class StripePayments:
    """
    Asks Stripe about one order at a time: one call for the usual sale, more only for what the answer leads to.

    `api_key` is called for every order, so a rotated key works at once. `fraud_warnings`: early fraud warnings are
    asked for too, for one more call per payment; the key has to be allowed to read them. `api_base` is a URL
    without a slash at the end. `timeout_s` bounds each wait for Stripe's next byte; connecting has five seconds of
    it. Any number of threads may use one instance. Call `close` when done.

    It silences the `stripe` logger, which would write answers (e-mail addresses) and parts of the key, and
    turns the SDK's telemetry off, which would write a file into the home directory.
    """

    def __init__(
        self, *, api_key: Callable[[], str], api_base: str, timeout_s: float = 10.0, fraud_warnings: bool = False
    ) -> None:
        self._api_key = api_key
        self._api_base = api_base
        self._fraud_warnings = fraud_warnings
        timeout = httpx.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_S))
        self._http = stripe.HTTPXClient(timeout=timeout, allow_sync_methods=True)
        self._client: tuple[str, stripe.StripeClient] | None = None
        logging.getLogger("stripe").disabled = True
        stripe.enable_telemetry = False

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()  # type: ignore[no-untyped-call]  # The SDK gives it no types.

    def order(self, order_id: str, *, account: str | None = None) -> Order:
        """
        The order (a Checkout Session or an invoice) as it is now, of the connected *account* if there is one.

        Raises OrderUnknown when Stripe has no such order for our key or refuses the question, and
        StripeUnavailable when it cannot be asked now, its limit is reached, or it refuses our key.
        """
        _check(order_id, _ORDER_ID, "order")
        is_invoice = order_id.startswith("in_")
        return self._answer(
            order_id, account, lambda asked: asked.invoice(order_id) if is_invoice else asked.session(order_id)
        )

    def orders_of(self, about: str, *, now: datetime, account: str | None = None) -> tuple[str, ...]:
        """
        The ids of the orders that *about* belongs to, empty when Stripe knows of none (yet).

        Asks nothing about a session or an invoice, which are orders; the invoice that Checkout wrote for a session is
        found out by `order`. Raises like `order`.
        """
        _check(about, _ABOUT, "id that leads to an order")
        if _ORDER_ID.fullmatch(about):
            return (about,)
        return self._answer(about, account, lambda asked: asked.orders_of(about, now=now))

    def _answer[T](self, about: str, account: str | None, ask: Callable[[StripeAccount], T]) -> T:
        """What *ask* finds, and its failures as ours, in words that name *about* and nothing of Stripe's."""
        if account is not None:
            _check(account, _ACCOUNT, "account")
        client = self._stripe()
        try:
            return ask(StripeAccount(client, account, fraud_warnings=self._fraud_warnings))
        except stripe.StripeError as exc:
            fact = _fact(exc, about)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as exc:
            # What the SDK and `stripe_orders` trip over when Stripe's answer lacks what was asked for, or something
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


def _check(given: str, form: re.Pattern[str], what: str) -> None:
    """Raises OrderUnknown for what cannot be an id of Stripe's."""
    if not form.fullmatch(given):
        shown = given if _WORD.fullmatch(given) else "an id with other characters"
        raise OrderUnknown(f"no {what} at Stripe: {shown[:80]}")


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
