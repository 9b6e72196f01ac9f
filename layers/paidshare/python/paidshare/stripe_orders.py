"""
Orders out of Stripe's JSON, in the shape of the SDK's pinned API version. Pure.

What an answer must have, and has not, raises ValueError, LookupError, TypeError or ArithmeticError: an answer that was
cut short must never read as an order without goods, a refund or a dispute.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from paidshare.orders import Line, Order, Payment, Subscription

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """The start of a list that came inside another object; `more` when it goes on."""

    items: list[Json]
    more: bool


_NOT_REFUNDED = ("failed", "canceled")  # docs.stripe.com/refunds#failed-refunds: the money is back at the seller.


def session_order(session: Json, lines: Iterable[Json], payments: Iterable[Payment]) -> Order:
    """An `Order` from a Checkout Session, its line items with their products, and its payments."""
    mode = _text(session.get("mode"))
    details = _mapping(session.get("customer_details"))
    return Order(
        id=the_id(session),
        livemode=session.get("livemode") is True,
        mode=mode,
        status=_text(session.get("status")) or None,
        payment_status=_text(session.get("payment_status")),
        email=_text(details.get("email")) or _text(session.get("customer_email")) or None,
        lines=tuple(_session_line(line) for line in lines),
        total=_number(session.get("amount_total")),
        payments=tuple(payments),
        same_as=id_in(session.get("invoice")) if mode == "subscription" else None,
    )


def invoice_order(
    invoice: Json,
    lines: Iterable[Json],
    products: Mapping[str, Json],
    payments: Iterable[Payment],
    *,
    same_as: str | None = None,
) -> Order:
    """
    An `Order` from an invoice, its lines, their products by id, and its payments. `same_as` as in `Order`.

    A product that is not among *products* was deleted.
    """
    status = _text(invoice.get("status"))
    return Order(
        id=the_id(invoice),
        livemode=invoice.get("livemode") is True,
        mode="invoice",
        status=status or None,
        payment_status=status,
        email=_text(invoice.get("customer_email")) or None,
        lines=tuple(_invoice_line(line, products) for line in lines),
        total=_number(invoice.get("total")),
        paid_at=_paid_at(invoice),
        payments=tuple(payments),
        subscription=subscription_of(invoice),
        same_as=same_as,
    )


def payment(
    paid: Json,
    charge: Json | None,
    *,
    refunds: Iterable[Json] = (),
    disputes: Iterable[Json] = (),
    warnings: Iterable[Json] = (),
) -> Payment:
    """
    A `Payment` from a PaymentIntent, or a charge without one, and its charge, None before the first attempt.

    *refunds* come in the order of Stripe's lists, newest first.
    """
    if charge is None:
        return Payment(id=the_id(paid), status=_text(paid.get("status")))
    amount = _needed_number(charge, "amount")
    all_refunds = [(_needed_number(one, "amount"), one["status"] not in _NOT_REFUNDED) for one in refunds][::-1]
    kept = tuple(given for given, stays in all_refunds if stays)
    refunded = amount if _flag(charge, "refunded") else _needed_number(charge, "amount_refunded")
    if len(kept) < len(all_refunds):
        # Should the charge not have counted a refund that failed back yet, the refunds have the last word.
        refunded = min(refunded, sum(kept))
    statuses = tuple(_needed_text(dispute, "status") for dispute in disputes)
    if is_disputed(charge) and not statuses:
        raise ValueError("a disputed charge without its disputes")
    return Payment(
        id=the_id(paid),
        status=_text(paid.get("status")),
        amount=amount,
        refunded=refunded,
        refunds=kept,
        disputes=statuses,
        fraud_warning=not is_called_safe(charge) and any(_flag(warning, "actionable") for warning in warnings),
    )


def charge_of(intent: Json) -> Json | None:
    """The latest charge of a PaymentIntent, expanded; None before the first attempt."""
    charge = intent["latest_charge"]
    return None if charge is None else expanded(charge)


def is_disputed(charge: Json) -> bool:
    """Whether there is, or was, a dispute about the charge. An inquiry is one too."""
    return _flag(charge, "disputed")


def is_called_safe(charge: Json) -> bool:
    """Whether the seller told Stripe that this payment is no fraud."""
    return _mapping(charge.get("fraud_details")).get("user_report") == "safe"


def refunds_on(charge: Json) -> Page:
    """The first of the charge's refunds, expanded. Only without refunds may Stripe leave the list out."""
    if charge.get("refunds") is None and _needed_number(charge, "amount_refunded") == 0:
        return Page([], more=False)
    return page_of(charge["refunds"])


def subscription_of(invoice: Json) -> Subscription | None:
    """The subscription that the invoice belongs to, expanded; None when there is none."""
    details = _mapping(invoice.get("parent")).get("subscription_details")
    if details is None:
        return None
    subscription = expanded(details["subscription"])
    return Subscription(id=the_id(subscription), status=_needed_text(subscription, "status"))


def products_on(lines: Iterable[Json]) -> list[str]:
    """The ids of the products on an invoice's lines, each once."""
    return list(dict.fromkeys(filter(None, map(_product_on, lines))))


def may_be_paid_until(invoice: Json, instant: datetime) -> bool:
    """Whether a line of the invoice pays for a period that ends at *instant* or later; True when not all are shown."""
    shown = page_of(invoice["lines"])
    return shown.more or not shown.items or max(map(_period_end, shown.items)) >= instant


def page_of(value: object) -> Page:
    """The list that *value* is. Raises ValueError for what is none, such as one that was not expanded."""
    page = _mapping(value)
    items, more = page.get("data"), page.get("has_more")
    if not isinstance(items, list) or not isinstance(more, bool):
        raise ValueError("no list")  # noqa: TRY004  # An answer of the wrong shape, not a caller's mistake.
    return Page(items, more=more)


def expanded(value: object) -> Json:
    """*value*, which has to be an object and not only its id. Raises ValueError."""
    thing = _mapping(value)
    the_id(thing)
    return thing


def the_id(thing: Json) -> str:
    """The object's own id. Raises ValueError without one."""
    return _needed_text(thing, "id")


def id_in(field: object) -> str | None:
    """The id in a field that holds an id, or the object itself when expanded; None when it is empty."""
    return _text(field) or _text(_mapping(field).get("id")) or None


def the_id_in(field: object) -> str:
    """Like `id_in`. Raises ValueError when the field is empty."""
    found = id_in(field)
    if found is None:
        raise ValueError("no id")
    return found


def _session_line(line: Json) -> Line:
    """A line that has a price has a product. One that came without its metadata would read as not ours."""
    price = line.get("price")
    product = {} if price is None else expanded(_mapping(price)["product"])
    return _line(line, product, amount=_number(line.get("amount_total")))


def _invoice_line(line: Json, products: Mapping[str, Json]) -> Line:
    product_id = _product_on(line)
    product = products.get(product_id, {"id": product_id, "deleted": bool(product_id)})
    parent = _mapping(line.get("parent"))
    item = _mapping(parent.get(_text(parent.get("type"))))
    # A changed plan's rest of a period comes as an invoice item now and then, and is no more bought for good than it.
    subscribed = parent.get("type") == "subscription_item_details" or item.get("proration") is True
    return _line(
        line,
        product,
        amount=_invoice_amount(line),
        period_end=_period_end(line) if subscribed else None,
        credit=_is_credit(line, item),
    )


def _is_credit(line: Json, item: Json) -> bool:
    """Whether the line gives back what was not used of another one; within a trial, say, that is worth nothing."""
    amount = _number(line.get("amount"))
    credited = _mapping(item.get("proration_details")).get("credited_items")
    return (amount is not None and amount < 0) or credited is not None


def _paid_at(invoice: Json) -> datetime | None:
    seconds = _number(_mapping(invoice.get("status_transitions")).get("paid_at"))
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _line(
    line: Json, product: Json, *, amount: int | None, period_end: datetime | None = None, credit: bool = False
) -> Line:
    quantity = _number(line.get("quantity"))
    return Line(
        product_id=_text(product.get("id")),
        product_name=_text(product.get("name")) or _text(line.get("description")),
        quantity=1 if quantity is None else quantity,
        metadata={str(k): str(v) for k, v in _mapping(product.get("metadata")).items()},
        id=_text(line.get("id")),
        amount=amount,
        period_end=period_end,
        deleted=product.get("deleted") is True,
        credit=credit,
    )


def _product_on(line: Json) -> str:
    """The id of an invoice line's product, empty when the line has no price."""
    priced = _mapping(line.get("pricing")).get("price_details")
    return "" if priced is None else _needed_text(priced, "product")


def _invoice_amount(line: Json) -> int | None:
    """What Stripe's own total counts for the line: its `amount` is before discounts and before taxes on top."""
    amount = _number(line.get("amount"))
    if amount is None:
        return None
    off = sum(_needed_number(discount, "amount") for discount in line.get("discount_amounts") or ())
    taxes = line.get("taxes") or ()
    return amount - off + sum(_needed_number(tax, "amount") for tax in taxes if tax["tax_behavior"] == "exclusive")


def _period_end(line: Json) -> datetime:
    return datetime.fromtimestamp(_needed_number(line["period"], "end"), UTC)


def _mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    return value if type(value) is int else None


def _needed_text(thing: Json, key: str) -> str:
    value = thing.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"no {key}")
    return value


def _needed_number(thing: Json, key: str) -> int:
    value = _number(thing.get(key))
    if value is None:
        raise ValueError(f"no {key}")
    return value


def _flag(thing: Json, key: str) -> bool:
    value = thing.get(key)
    if not isinstance(value, bool):
        raise ValueError(f"no {key}")  # noqa: TRY004  # An answer of the wrong shape, not a caller's mistake.
    return value
