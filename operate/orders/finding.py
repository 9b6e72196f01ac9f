"""The orders that somebody means: known to the ledger, or else to Stripe. What nobody knows is queued for nobody."""

from dataclasses import dataclass
from datetime import UTC, datetime

from operate.answers import Misasked
from operate.orders import handles
from operate.orders.at_stripe import AtStripe
from operate.orders.handles import By, Handle
from operate.orders.ledger import Ledger, Row
from operate.printing import printable
from operate.stacks import Stack
from paidshare.errors import OrderUnknown

_MOST = 20
"""More orders of one buyer than fit a screen, and each is asked for at Stripe."""


@dataclass(frozen=True, slots=True)
class Found:
    """An order and, where the ledger has one, its row."""

    order_id: str
    row: Row | None
    account: str | None = None


def orders(to: Stack, who: str, *, account: str | None = None) -> tuple[Found, ...]:
    """
    All orders that *who* names, newest first; at least one. Raises Misasked for what names none, and what `AtStripe`
    raises but OrderUnknown.
    """
    handle = handles.read(who)
    if handle is None:
        raise Misasked(
            f"{printable(who)[:80]!r} names no order: give an e-mail address, an id of Stripe's"
            " (cs_ in_ pi_ ch_ sub_ …), the reference in a letter, or the address of a page of Stripe's dashboard"
        )
    book = Ledger(to.dynamodb, to.orders_table)
    found = dict.fromkeys(_ids(to, book, handle, account))
    if not found:
        raise Misasked(_nothing(to, handle))
    rows = {order_id: book.row(order_id) for order_id in found}
    # Two ids may be kept in one row.
    kept = {row.order_id if row else order_id: row for order_id, row in rows.items()}
    return tuple(
        Found(order_id, row, account or (row.account if row else None)) for order_id, row in [*kept.items()][:_MOST]
    )


def order(to: Stack, who: str, *, account: str | None = None) -> Found:
    """The one order that *who* names. Raises as `orders`, and Misasked when there are several."""
    found = orders(to, who, account=account)
    if len(found) > 1:
        names = "".join(f"\n  {one.order_id}  {one.row.state if one.row else 'not in the ledger'}" for one in found)
        raise Misasked(f"that names {len(found)} orders; say which:{names}")
    return found[0]


def _ids(to: Stack, book: Ledger, handle: Handle, account: str | None) -> tuple[str, ...]:
    now, name = datetime.now(UTC), handle.name
    try:
        match handle.by:
            case By.REFERENCE:
                return book.ending_in(name)
            case By.ORDER if book.row(name):
                return (name,)
            case By.ORDER:
                return (AtStripe(to, account=account).order(name).id,)
            case By.EMAIL:
                return AtStripe(to, account=account).bought_by(name)
            case By.CUSTOMER:
                return AtStripe(to, account=account).billed_to(name)
            case By.LEADS_TO:
                return AtStripe(to, account=account).orders_of(name, now=now)
    except OrderUnknown as exc:
        raise Misasked(f"{exc}. Nothing was asked for") from exc


def _nothing(to: Stack, handle: Handle) -> str:
    match handle.by:
        case By.EMAIL:
            return (
                "Stripe knows no purchase under that address. Was another one given at the checkout? The letter's"
                " reference, or the payment's id in Stripe's dashboard, finds the order"
            )
        case By.REFERENCE:
            return f"no order in the ledger of {to.name} ends in {handle.name}: great and small letters differ"
        case _:
            return f"Stripe knows no order that {handle.name} belongs to"
