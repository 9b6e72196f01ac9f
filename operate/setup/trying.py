"""The command that buys something with Stripe's test card, and watches it come through everything."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Annotated, Any

import stripe
import typer

from operate.answers import Answer, Code, Misasked, NotKnown
from operate.goods import products as catalogue
from operate.goods.products import Product
from operate.goods.storage import share_listing
from operate.options import WaitOption, address
from operate.orders import at_stripe
from operate.orders.correction import unwarned
from operate.orders.ledger import Ledger, Row
from operate.printing import aside, printable
from operate.stacks import Stack
from paidshare.errors import OrderUnknown, StripeUnavailable
from paidshare.payments_stripe import StripeAccess
from paidshare.states import State

_BUYER = "success@simulator.amazonses.com"
"""SES's mailbox for trying: it takes every letter, in the sandbox as well (its developer guide, mailbox simulator)."""
_CARD = "pm_card_visa"  # docs.stripe.com/testing
_PRICE = 100
_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Hop:
    """*what* has happened, once *is_there* says so of the order's row."""

    what: str
    is_there: Callable[[Row], bool]


HOPS = (
    Hop("Receive took Stripe's event, and Deliver has the order", lambda _row: True),
    Hop("Fast.io has the share", lambda row: bool(row.text("share_id"))),
    Hop("the letter is with SES", lambda row: row.moment("delivered_at") is not None),
    Hop("SES sent it", lambda row: row.moment("letter_sent_at") is not None),
    Hop("the buyer's mail server took it", lambda row: row.moment("letter_delivered_at") is not None),
)


def try_(
    to: Stack,
    product: Annotated[str | None, typer.Argument(help="Its id; else the first one that is delivered.")] = None,
    *,
    to_: Annotated[str, typer.Option("--to", callback=address, help="The buyer's address.")] = _BUYER,
    wait: WaitOption = 60,
) -> Answer:
    """
    Buy something with Stripe's test card, and watch it come through everything.

    In test mode alone. It pays an invoice of its own, with a key in STRIPE_API_KEY that may write Customers and
    Invoices.
    Exits with 1 when the buyer has no letter within --wait.
    """
    if to.livemode:
        raise Misasked("it pays with a test card, and that stack takes real money: --env test")
    access = at_stripe.writing(to, "it pays an invoice at Stripe")
    sold = _product(to, product)
    order = _paid(access, sold, to_)
    began = monotonic()
    aside(f"{to_} paid for {printable(sold.name)}: {order}")
    hops, row = [*_seen(to, order, began=began, seconds=wait)], _row(to, order)
    data: dict[str, Any] = {"order": order, "product": sold.id, "hops": [{"what": w, "seconds": s} for w, s in hops]}
    data["open"] = _is_open(to, row)
    if len(hops) == len(HOPS) and data["open"]:
        return Answer(data, ["→ All of it works. The link is open."])
    missing = HOPS[len(hops)].what if len(hops) < len(HOPS) else "the link is open"
    note = f"✗ not within {wait} s: {missing}. See: paidshare why {order}"
    return Answer(data, [], Code.WRONG, [note])


def _product(to: Stack, wanted: str | None) -> Product:
    at_stripe.check_base(to)
    lines = to.stripe_access.answer("the products", lambda client: catalogue.lines(client.v1))
    read = (catalogue.read(line, link_days=to.policy.link_days) for line in lines)
    ours = [one for one in read if one.goods and wanted in (None, one.id)]
    if not ours:
        which = f"{printable(wanted)[:80]} is no product that" if wanted else "no product"
        raise Misasked(f"{which} says what it delivers: paidshare products")
    return ours[0]


def _paid(access: StripeAccess, product: Product, buyer: str) -> str:
    """The paid invoice's id, which is the order's. Raises NotKnown."""

    def asked(client: stripe.StripeClient) -> str:
        v1 = client.v1
        with unwarned():
            settings: Any = {"default_payment_method": _CARD}
            customer = v1.customers.create({"email": buyer, "payment_method": _CARD, "invoice_settings": settings})
            invoice = v1.invoices.create({"customer": customer.id, "currency": "usd", "auto_advance": False})
            price: Any = {"currency": "usd", "product": product.id, "unit_amount": _PRICE}
            v1.invoice_items.create({"customer": customer.id, "invoice": invoice.id, "price_data": price})
            v1.invoices.finalize_invoice(str(invoice.id))
            return str(v1.invoices.pay(str(invoice.id)).id)

    try:
        return access.answer("the purchase", asked)
    except (OrderUnknown, StripeUnavailable) as exc:
        raise NotKnown(f"nothing was bought: {exc}. The key may have to write Customers and Invoices") from exc


def _seen(to: Stack, order: str, *, began: float, seconds: float) -> Iterator[tuple[str, float]]:
    """Each hop and when it was seen, in seconds; it ends early with what does not come, or waits for a person."""
    for hop in HOPS:
        while (row := _row(to, order)) is None or not hop.is_there(row):
            if monotonic() - began >= seconds or (row and row.state == State.ON_HOLD):
                return
            sleep(_EVERY_S)
        at = round(monotonic() - began, 2)
        aside(f"{at:6.2f} s  {hop.what}")
        yield hop.what, at


def _row(to: Stack, order: str) -> Row | None:
    return Ledger(to.dynamodb, to.orders_table).row(order)


def _is_open(to: Stack, row: Row | None) -> bool:
    """Whether Fast.io has the share, open and with days to go. Raises FastioUnavailable."""
    share_id = row.text("share_id") if row else ""
    if not share_id:
        return False
    share, now = share_listing(to).look(share_id), datetime.now(UTC)
    return share is not None and not share.archived and (share.expires_at is None or share.expires_at > now)
