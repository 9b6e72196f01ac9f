"""
Orders out of Stripe's JSON, in the shape of the SDK's pinned API version. Pure.

What an answer must have, and has not, raises ValueError, LookupError, TypeError or ArithmeticError: an answer that was
cut short must never read as an order without goods, a refund or a dispute.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from paidshare.orders import Line, Order, Payment, Sale, Subscription
from paidshare.payments_stripe.fields import (
    Json,
    expanded,
    id_in,
    instant,
    mapping,
    needed_number,
    needed_text,
    number,
    page_of,
    text,
    the_id,
    the_id_in,
    web_page,
)
from paidshare.payments_stripe.money import Credits

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
    mode = text(session.get("mode"))
    ends = {} if subscription is None else _period_ends(subscription)
    details, paid = mapping(session.get("customer_details")), tuple(payments)
    return Order(
        id=the_id(session),
        livemode=session.get("livemode") is True,
        mode=mode,
        status=text(session.get("status")) or None,
        payment_status=text(session.get("payment_status")),
        email=_corrected(session) or text(details.get("email")) or text(session.get("customer_email")) or None,
        lines=tuple(_session_line(line, ends) for line in lines),
        total=number(session.get("amount_total")),
        payments=paid,
        subscription=None if subscription is None else _subscription(subscription),
        sale=_sale(session, paid),
        corrected=bool(_corrected(session)),
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
    the lines of the invoices of its *subscription* that were paid since. A product that is not among *products* was
    deleted.
    """
    status, all_lines, back, paid = text(invoice.get("status")), tuple(lines), credits_ or Credits(), tuple(payments)
    added = [] if subscription is None else _added(subscription, invoice, all_lines, products)
    total, lowered = number(invoice.get("total")), number(invoice.get("pre_payment_credit_notes_amount")) or 0
    others = (tuple(_invoice_line(line, {}) for line in its) for its in later)
    return Order(
        id=the_id(invoice),
        livemode=invoice.get("livemode") is True,
        mode="invoice",
        status=status or None,
        payment_status=status,
        email=_corrected(invoice) or text(invoice.get("customer_email")) or None,
        lines=(*(_invoice_line(line, products) for line in all_lines), *added),
        total=None if total is None else total - lowered,
        created_at=instant(invoice.get("created")),
        paid_at=instant(mapping(invoice.get("status_transitions")).get("paid_at")),
        payments=paid,
        subscription=None if subscription is None else _subscription(subscription),
        sale=_sale(invoice, paid),
        corrected=bool(_corrected(invoice)),
        credited=back.amount,
        credited_lines=back.lines,
        later=tuple(its for its in others if any(line.credit for line in its)),
        same_as=same_as,
    )


def _sale(thing: Json, payments: Iterable[Payment]) -> Sale:
    """
    Of a session or an invoice with its customer, whom Stripe may leave out. Checkout writes the browser's languages to
    the customer that it makes; a session has one only where the seller's site chose it.
    """
    locales = (thing.get("locale"), *(mapping(thing.get("customer")).get("preferred_locales") or ()))
    receipts = (web_page(thing.get("hosted_invoice_url")), *(one.receipt_url for one in payments))
    return Sale(
        made_at=instant(thing.get("created")),
        currency=text(thing.get("currency")),
        receipt_url=next(filter(None, receipts), ""),
        renewal=thing.get("billing_reason") == "subscription_cycle",
        locales=tuple(one for one in locales if isinstance(one, str) and one),
    )


def subscription_of(invoice: Json) -> str | None:
    """The id of the subscription that the invoice belongs to; None when there is none."""
    details = mapping(invoice.get("parent")).get("subscription_details")
    return None if details is None else the_id_in(details["subscription"])


def products_on(lines: Iterable[Json], subscription: Json | None = None) -> list[str]:
    """The ids of the products on an invoice's lines, and of those that its subscription has by now, each once."""
    items = () if subscription is None else _items(subscription)
    return list(dict.fromkeys(filter(None, (*map(_product_on, lines), *map(_product_of_item, items)))))


def may_be_paid_until(invoice: Json, instant: datetime) -> bool:
    """Whether a line of the invoice pays for a period that ends at *instant* or later; True when not all are shown."""
    shown = page_of(invoice["lines"])
    return shown.more or not shown.items or max(map(_period_end, shown.items)) >= instant


def _subscription(subscription: Json) -> Subscription:
    return Subscription(
        id=the_id(subscription),
        status=needed_text(subscription, "status"),
        ended_at=instant(subscription.get("ended_at")),
    )


def _items(subscription: Json) -> list[Json]:
    """The subscription's items; Stripe shows up to 20, which is all that one can have."""
    return page_of(subscription["items"]).items


def _product_of_item(item: Json) -> str:
    return the_id_in(mapping(item.get("price")).get("product"))


def _period_ends(subscription: Json) -> dict[str, datetime]:
    """Until when the subscription's items are paid for at present, by their prices."""
    ends = ((id_in(item.get("price")) or "", instant(item.get("current_period_end"))) for item in _items(subscription))
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
        product_id, end = _product_of_item(item), instant(item.get("current_period_end"))
        if product_id in billed or end is None:
            continue
        product = products.get(product_id, {"id": product_id, "deleted": True})
        line = {"id": f"{the_id(item)}.{product_id}", "quantity": item.get("quantity")}
        found.append(replace(_line(line, product, amount=None, period_end=end), added=True))
    return found


def _session_line(line: Json, ends: Mapping[str, datetime]) -> Line:
    """A line that has a price has a product. One that came without its metadata would read as not ours."""
    price = line.get("price")
    product = {} if price is None else expanded(mapping(price)["product"])
    end = ends.get(id_in(price) or "")
    return _line(line, product, amount=number(line.get("amount_total")), period_end=end)


def _invoice_line(line: Json, products: Mapping[str, Json]) -> Line:
    product_id = _product_on(line)
    product = products.get(product_id, {"id": product_id, "deleted": bool(product_id)})
    parent = mapping(line.get("parent"))
    item = mapping(parent.get(text(parent.get("type"))))
    # A changed plan's rest of a period comes as an invoice item now and then, and is no more bought for good than it.
    prorated = item.get("proration") is True
    subscribed = parent.get("type") == "subscription_item_details" or prorated
    # Within a trial, say, what gives back the rest of another line is worth nothing.
    amount, credited = number(line.get("amount")), mapping(item.get("proration_details")).get("credited_items")
    read = _line(line, product, amount=_invoice_amount(line), period_end=_period_end(line) if subscribed else None)
    return replace(
        read,
        prorated=prorated,
        credit=(amount is not None and amount < 0) or credited is not None,
        credits=tuple(one for one in mapping(credited).get("invoice_line_items") or () if isinstance(one, str)),
    )


def _corrected(thing: Json) -> str:
    """The address that the operator wrote down for the order, empty when there is none."""
    return text(mapping(thing.get("metadata")).get(CORRECTED_ADDRESS)).strip()


def _line(line: Json, product: Json, *, amount: int | None, period_end: datetime | None = None) -> Line:
    quantity = number(line.get("quantity"))
    return Line(
        product_id=text(product.get("id")),
        product_name=text(product.get("name")) or text(line.get("description")),
        quantity=1 if quantity is None else quantity,
        metadata={str(k): str(v) for k, v in mapping(product.get("metadata")).items()},
        id=text(line.get("id")),
        amount=amount,
        period_end=period_end,
        deleted=product.get("deleted") is True,
    )


def _product_on(line: Json) -> str:
    """The id of an invoice line's product, empty when the line has no price."""
    priced = mapping(line.get("pricing")).get("price_details")
    return "" if priced is None else needed_text(priced, "product")


def _invoice_amount(line: Json) -> int | None:
    """What Stripe's own total counts for the line: its `amount` is before discounts and before taxes on top."""
    amount = number(line.get("amount"))
    if amount is None:
        return None
    off = sum(needed_number(discount, "amount") for discount in line.get("discount_amounts") or ())
    taxes = line.get("taxes") or ()
    return amount - off + sum(needed_number(tax, "amount") for tax in taxes if tax["tax_behavior"] == "exclusive")


def _period_end(line: Json) -> datetime:
    return datetime.fromtimestamp(needed_number(line["period"], "end"), UTC)
