"""
Orders out of Stripe's JSON, in the shape of the SDK's pinned API version. Pure.

What an answer must have, and has not, raises ValueError, LookupError, TypeError or ArithmeticError: an answer that was
cut short must never read as an order without goods, a refund or a dispute.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from paidshare.orders import Line, Order, Payment, Subscription

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """The start of a list that came inside another object; `more` when it goes on."""

    items: list[Json]
    more: bool


@dataclass(frozen=True, slots=True)
class Credits:
    """
    What the credit notes of an invoice gave back after the payment: `amount` other than by refunds, `lines` are the
    invoice lines (their ids) that notes cover in full.
    """

    amount: int = 0
    lines: tuple[str, ...] = ()


_NOT_REFUNDED = ("failed", "canceled")  # docs.stripe.com/refunds#failed-refunds: the money is back at the seller.

CORRECTED_ADDRESS = "paidshare_email"
"""The key in an order's metadata under which the operator writes the address that the buyer meant (`resend --to`)."""


def session_order(
    session: Json, lines: Iterable[Json], payments: Iterable[Payment], *, subscription: Json | None = None
) -> Order:
    """
    An `Order` from a Checkout Session, its line items with their products, and its payments.

    With a *subscription* it is one that Stripe writes no invoice for yet (a billing cycle that begins later, say): what
    repeats is paid for until the subscription's own period ends.
    """
    mode = _text(session.get("mode"))
    ends = {} if subscription is None else _period_ends(subscription)
    details = _mapping(session.get("customer_details"))
    return Order(
        id=the_id(session),
        livemode=session.get("livemode") is True,
        mode=mode,
        status=_text(session.get("status")) or None,
        payment_status=_text(session.get("payment_status")),
        email=_corrected(session) or _text(details.get("email")) or _text(session.get("customer_email")) or None,
        lines=tuple(_session_line(line, ends) for line in lines),
        total=_number(session.get("amount_total")),
        payments=tuple(payments),
        subscription=None if subscription is None else _subscription(subscription),
        same_as=id_in(session.get("invoice")) if mode == "subscription" else None,
    )


def invoice_order(
    invoice: Json,
    lines: Iterable[Json],
    products: Mapping[str, Json],
    payments: Iterable[Payment],
    *,
    subscription: Json | None = None,
    credits_: Credits | None = None,
    later: Iterable[Iterable[Json]] = (),
    same_as: str | None = None,
) -> Order:
    """
    An `Order` from an invoice, its lines, their products by id, and its payments. `same_as` as in `Order`; *later* are
    the lines of the invoices of its *subscription* that were paid since.

    A product that is not among *products* was deleted.
    """
    status = _text(invoice.get("status"))
    all_lines, back = tuple(lines), credits_ or Credits()
    read = [_invoice_line(line, products) for line in all_lines]
    if subscription is not None:
        read += _added(subscription, invoice, all_lines, products)
    total, lowered = _number(invoice.get("total")), _number(invoice.get("pre_payment_credit_notes_amount")) or 0
    others = (tuple(_invoice_line(line, {}) for line in its) for its in later)
    return Order(
        id=the_id(invoice),
        livemode=invoice.get("livemode") is True,
        mode="invoice",
        status=status or None,
        payment_status=status,
        email=_corrected(invoice) or _text(invoice.get("customer_email")) or None,
        lines=tuple(read),
        total=None if total is None else total - lowered,
        created_at=_instant(invoice.get("created")),
        paid_at=_instant(_mapping(invoice.get("status_transitions")).get("paid_at")),
        payments=tuple(payments),
        subscription=None if subscription is None else _subscription(subscription),
        credited=back.amount,
        credited_lines=back.lines,
        later=tuple(its for its in others if any(line.credit for line in its)),
        same_as=same_as,
    )


def post_payment_credits(invoice: Json) -> int:
    """How much credit notes gave back after the invoice was paid, by refunds or otherwise."""
    return _number(invoice.get("post_payment_credit_notes_amount")) or 0


def credits_in(invoice: Json, lines: Iterable[Json], notes: Iterable[Json]) -> Credits:
    """
    What the invoice's credit *notes* gave back. What they refunded is among the refunds already, and counts there
    (docs.stripe.com/api/credit_notes/object).
    """
    issued = [note for note in notes if note.get("status") != "void"]
    refunded = sum(_number(one.get("amount_refunded")) or 0 for note in issued for one in note.get("refunds") or ())
    covered: Counter[str] = Counter()
    for note in issued:
        for line in page_of(note["lines"]).items:
            covered[_text(line.get("invoice_line_item"))] += _number(line.get("amount")) or 0
    in_full = [the_id(line) for line in lines if 0 < (_number(line.get("amount")) or 0) <= covered[the_id(line)]]
    return Credits(max(0, post_payment_credits(invoice) - refunded), tuple(in_full))


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
    reserved = _needed_number(charge, "amount")
    all_refunds = [(_needed_number(one, "amount"), one["status"] not in _NOT_REFUNDED) for one in refunds][::-1]
    kept = tuple(given for given, stays in all_refunds if stays)
    refunded = reserved if _flag(charge, "refunded") else _needed_number(charge, "amount_refunded")
    if len(kept) < len(all_refunds):
        # Should the charge not have counted a refund that failed back yet, the refunds have the last word.
        refunded = min(refunded, sum(kept))
    # What was reserved and not captured goes back to the card as if it were refunded; nobody ever had it:
    # docs.stripe.com/payments/place-a-hold-on-a-payment-method. Before a capture (0) nothing is paid, and nothing back.
    captured = _number(charge.get("amount_captured"))
    amount = captured if captured and _flag(charge, "captured") else reserved
    released = reserved - amount
    if released and refunded >= released:
        refunded -= released
        kept = _without(kept, released) if sum(kept) > refunded else kept
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


def subscription_of(invoice: Json) -> str | None:
    """The id of the subscription that the invoice belongs to; None when there is none."""
    details = _mapping(invoice.get("parent")).get("subscription_details")
    return None if details is None else the_id_in(details["subscription"])


def products_on(lines: Iterable[Json], subscription: Json | None = None) -> list[str]:
    """The ids of the products on an invoice's lines, and of those that its subscription has by now, each once."""
    items = () if subscription is None else _items(subscription)
    return list(dict.fromkeys(filter(None, (*map(_product_on, lines), *map(_product_of_item, items)))))


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


def _subscription(subscription: Json) -> Subscription:
    return Subscription(
        id=the_id(subscription),
        status=_needed_text(subscription, "status"),
        ended_at=_instant(subscription.get("ended_at")),
    )


def _items(subscription: Json) -> list[Json]:
    """The subscription's items; Stripe shows up to 20, which is all that one can have."""
    return page_of(subscription["items"]).items


def _product_of_item(item: Json) -> str:
    return the_id_in(_mapping(item.get("price")).get("product"))


def _period_ends(subscription: Json) -> dict[str, datetime]:
    """Until when the subscription's items are paid for at present, by their prices."""
    ends = ((id_in(item.get("price")) or "", _instant(item.get("current_period_end"))) for item in _items(subscription))
    return {price: end for price, end in ends if end is not None}


def _added(subscription: Json, invoice: Json, lines: Iterable[Json], products: Mapping[str, Json]) -> list[Line]:
    """
    What the subscription has, and no invoice bills yet: Stripe's default for a changed plan (`create_prorations`) is to
    bill it with the next period (docs.stripe.com/billing/subscriptions/prorations). Only the newest invoice can know.
    """
    is_newest = id_in(subscription.get("latest_invoice")) == invoice["id"]
    if not is_newest or subscription["status"] not in ("active", "trialing"):
        return []
    billed = set(map(_product_on, lines))
    found = []
    for item in _items(subscription):
        product_id, end = _product_of_item(item), _instant(item.get("current_period_end"))
        if product_id in billed or end is None:
            continue
        product = products.get(product_id, {"id": product_id, "deleted": True})
        line = {"id": f"{the_id(item)}.{product_id}", "quantity": item.get("quantity")}
        found.append(replace(_line(line, product, amount=None, period_end=end), added=True))
    return found


def _session_line(line: Json, ends: Mapping[str, datetime]) -> Line:
    """A line that has a price has a product. One that came without its metadata would read as not ours."""
    price = line.get("price")
    product = {} if price is None else expanded(_mapping(price)["product"])
    end = ends.get(id_in(price) or "")
    return _line(line, product, amount=_number(line.get("amount_total")), period_end=end)


def _invoice_line(line: Json, products: Mapping[str, Json]) -> Line:
    product_id = _product_on(line)
    product = products.get(product_id, {"id": product_id, "deleted": bool(product_id)})
    parent = _mapping(line.get("parent"))
    item = _mapping(parent.get(_text(parent.get("type"))))
    # A changed plan's rest of a period comes as an invoice item now and then, and is no more bought for good than it.
    prorated = item.get("proration") is True
    subscribed = parent.get("type") == "subscription_item_details" or prorated
    # Within a trial, say, what gives back the rest of another line is worth nothing.
    amount, credited = _number(line.get("amount")), _mapping(item.get("proration_details")).get("credited_items")
    read = _line(line, product, amount=_invoice_amount(line), period_end=_period_end(line) if subscribed else None)
    return replace(
        read,
        prorated=prorated,
        credit=(amount is not None and amount < 0) or credited is not None,
        credits=tuple(one for one in _mapping(credited).get("invoice_line_items") or () if isinstance(one, str)),
    )


def _corrected(thing: Json) -> str:
    """The address that the operator wrote down for the order, empty when there is none."""
    return _text(_mapping(thing.get("metadata")).get(CORRECTED_ADDRESS)).strip()


def _without(amounts: tuple[int, ...], one: int) -> tuple[int, ...]:
    """*amounts* without the first that is *one*."""
    at = amounts.index(one) if one in amounts else len(amounts)
    return amounts[:at] + amounts[at + 1 :]


def _instant(seconds: object) -> datetime | None:
    number = _number(seconds)
    return None if number is None else datetime.fromtimestamp(number, UTC)


def _line(line: Json, product: Json, *, amount: int | None, period_end: datetime | None = None) -> Line:
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
