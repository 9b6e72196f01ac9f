"""Orders as Stripe has them now: the port `Payments` on Stripe's API, at the SDK's pinned version."""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import stripe

from paidshare.errors import MetadataBroken, OrderUnknown, PaidshareError, StripeUnavailable
from paidshare.orders import Line, Order

# Metadata comes with the product only when it is expanded (docs.stripe.com/checkout/fulfillment).
_PRODUCTS_OF_A_SESSION = "line_items.data.price.product"
_PRODUCTS_OF_A_LIST = "data.price.product"
_MOST_ON_A_PAGE = 100  # Stripe's own limit (docs.stripe.com/api/pagination).

_CONNECT_S = 5.0
_RETRIES = 1  # The queue has the patience; this one only rides out a connection that died in the pool.
_WAIT_WHEN_LIMITED_S = 5.0
_WAIT_FOR_A_KEY_S = 300.0  # A person has to put it there.

# The id becomes part of a path, so what could lead elsewhere never gets that far.
_ORDER_ID = re.compile(r"cs_[A-Za-z0-9_]{1,250}")
_WORD = re.compile(r"[A-Za-z0-9_]+")
_DELETED = (
    "If the product was one of ours, deliver by hand: its metadata is gone. Archive products, do not delete them."
)


class StripePayments:
    """
    Asks Stripe for one order at a time: one call when its lines fit the first page, else one more per 100.

    `api_key` is called for every order, so a rotated key works at once. `api_base` is a URL without a slash
    at the end. `timeout_s` bounds each wait for Stripe's next byte; connecting has five seconds of it. Any
    number of threads may use one instance. Call `close` when done.

    It silences the `stripe` logger, which would write answers (e-mail addresses) and parts of the key, and
    turns the SDK's telemetry off, which would write a file into the home directory.
    """

    def __init__(self, *, api_key: Callable[[], str], api_base: str, timeout_s: float = 10.0) -> None:
        self._api_key = api_key
        self._api_base = api_base
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
        The order (a Checkout Session) with all its lines, of the connected *account* if there is one.

        Raises OrderUnknown when Stripe has no such order for our key or refuses the question, and
        StripeUnavailable when it cannot be asked now, its limit is reached, or it refuses our key; MetadataBroken for a
        product that was deleted.
        """
        if not _ORDER_ID.fullmatch(order_id):
            shown = order_id if _WORD.fullmatch(order_id) else "an order id with other characters"
            raise OrderUnknown(f"no Checkout Session id: {shown[:80]}")
        client = self._stripe()
        try:
            return read_order(*_fetched(client, order_id, account))
        except stripe.StripeError as exc:
            fact = _fact(exc, order_id)
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            # What the SDK trips over when something between us and Stripe answers JSON that is not Stripe's,
            # such as {"error": "bad gateway"}.
            fact = StripeUnavailable(f"Stripe's answer about {order_id} is not readable ({type(exc).__name__})")
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


def read_order(session: Mapping[str, Any], lines: list[Any]) -> Order:
    """An `Order` from a Checkout Session and its line items, both as JSON. Raises like `_line`."""
    details = _mapping(session.get("customer_details"))
    intent = session.get("payment_intent")
    return Order(
        id=_text(session.get("id")),
        livemode=session.get("livemode") is True,
        mode=_text(session.get("mode")),
        status=_text(session.get("status")) or None,
        payment_status=_text(session.get("payment_status")),
        email=_text(details.get("email")) or _text(session.get("customer_email")) or None,
        payment_intent=_text(_mapping(intent).get("id")) or _text(intent) or None,
        lines=tuple(_line(_mapping(line)) for line in lines),
        total=total if isinstance(total := session.get("amount_total"), int) else None,
    )


def _line(line: Mapping[str, Any]) -> Line:
    """
    A line that has a price has a product. Raises ValueError when it came without its metadata, and MetadataBroken
    when it was deleted: read as a line, it would be one that is not ours, and the buyer would get nothing.
    """
    price = _mapping(line.get("price"))
    product = _mapping(price.get("product"))
    if price and not product:
        raise ValueError("a line whose product is not expanded")
    if product.get("deleted") is True:
        raise MetadataBroken(f"product {_text(product.get('id'))} was deleted in Stripe", advice=_DELETED)
    quantity = line.get("quantity")
    return Line(
        product_id=_text(product.get("id")),
        product_name=_text(product.get("name")) or _text(line.get("description")),
        quantity=quantity if isinstance(quantity, int) else 1,
        metadata={str(k): str(v) for k, v in _mapping(product.get("metadata")).items()},
    )


def _fetched(client: stripe.StripeClient, order_id: str, account: str | None) -> tuple[dict[str, Any], list[Any]]:
    """
    The session and all its lines as plain JSON: StripeObjects stay in here.

    Raises ValueError when the answer is not about this order: read as an order, it would be one that is not
    paid or has no lines, and so be forgotten.
    """
    options: stripe.RequestOptions = {"stripe_account": account} if account else {}
    sessions = client.v1.checkout.sessions
    session = sessions.retrieve(order_id, {"expand": [_PRODUCTS_OF_A_SESSION]}, options).to_dict()
    first_page = _mapping(session.get("line_items"))
    if session.get("id") != order_id or not (first_page or session.get("mode") == "setup"):
        raise ValueError("not the order that was asked for, or without its lines")
    if not first_page.get("has_more"):
        return session, first_page.get("data") or []
    pages = sessions.line_items.list(order_id, {"limit": _MOST_ON_A_PAGE, "expand": [_PRODUCTS_OF_A_LIST]}, options)
    return session, [line.to_dict() for line in pages.auto_paging_iter()]


def _fact(exc: stripe.StripeError, order_id: str) -> PaidshareError:
    """What a refusal means for the queue. Stripe's own words are left out: some echo part of the key."""
    asked = f"{order_id} (request {exc.request_id or 'without id'}, HTTP {exc.http_status or 'none'})"
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
    wish = str(_mapping(exc.headers).get("retry-after", ""))
    return float(wish) if re.fullmatch(r"[0-9]{1,6}", wish) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
