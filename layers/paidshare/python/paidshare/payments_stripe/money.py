"""What was paid for an order and what became of it, out of Stripe's JSON. Pure; raises like `fields`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from paidshare.orders import Payment
from paidshare.payments_stripe.fields import (
    Json,
    Page,
    expanded,
    flag,
    instant,
    mapping,
    needed_number,
    needed_text,
    number,
    page_of,
    text,
    the_id,
    web_page,
)


@dataclass(frozen=True, slots=True)
class Credits:
    """
    What the credit notes of an invoice gave back after the payment: `amount` other than by refunds, `lines` are the
    invoice lines (their ids) that notes cover in full.
    """

    amount: int = 0
    lines: tuple[str, ...] = ()


_NOT_REFUNDED = ("failed", "canceled")  # docs.stripe.com/refunds#failed-refunds: the money is back at the seller.


def post_payment_credits(invoice: Json) -> int:
    """How much credit notes gave back after the invoice was paid, by refunds or otherwise."""
    return number(invoice.get("post_payment_credit_notes_amount")) or 0


def credits_in(invoice: Json, lines: Iterable[Json], notes: Iterable[Json]) -> Credits:
    """
    What the invoice's credit *notes* gave back. What they refunded is among the refunds already, and counts there
    (docs.stripe.com/api/credit_notes/object).
    """
    issued = [note for note in notes if note.get("status") != "void"]
    refunded = sum(number(one.get("amount_refunded")) or 0 for note in issued for one in note.get("refunds") or ())
    covered: Counter[str] = Counter()
    for note in issued:
        for line in page_of(note["lines"]).items:
            covered[text(line.get("invoice_line_item"))] += number(line.get("amount")) or 0
    in_full = [the_id(line) for line in lines if 0 < (number(line.get("amount")) or 0) <= covered[the_id(line)]]
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
        return Payment(id=the_id(paid), status=text(paid.get("status")))
    reserved = needed_number(charge, "amount")
    all_refunds = [(needed_number(one, "amount"), one["status"] not in _NOT_REFUNDED) for one in refunds][::-1]
    kept = tuple(given for given, stays in all_refunds if stays)
    refunded = reserved if flag(charge, "refunded") else needed_number(charge, "amount_refunded")
    if len(kept) < len(all_refunds):
        # Should the charge not have counted a refund that failed back yet, the refunds have the last word.
        refunded = min(refunded, sum(kept))
    amount, refunded, kept = _captured(charge, reserved, refunded, kept)
    statuses = tuple(needed_text(dispute, "status") for dispute in disputes)
    if is_disputed(charge) and not statuses:
        raise ValueError("a disputed charge without its disputes")
    return Payment(
        id=the_id(paid),
        status=text(paid.get("status")),
        amount=amount,
        refunded=refunded,
        refunds=kept,
        disputes=statuses,
        fraud_warning=not is_called_safe(charge) and any(flag(warning, "actionable") for warning in warnings),
        at=instant(charge.get("created")),
        receipt_url=web_page(charge.get("receipt_url")),
    )


def charge_of(intent: Json) -> Json | None:
    """The latest charge of a PaymentIntent, expanded; None before the first attempt."""
    charge = intent["latest_charge"]
    return None if charge is None else expanded(charge)


def is_disputed(charge: Json) -> bool:
    """Whether there is, or was, a dispute about the charge. An inquiry is one too."""
    return flag(charge, "disputed")


def is_called_safe(charge: Json) -> bool:
    """Whether the seller told Stripe that this payment is no fraud."""
    return mapping(charge.get("fraud_details")).get("user_report") == "safe"


def refunds_on(charge: Json) -> Page:
    """The first of the charge's refunds, expanded. Only without refunds may Stripe leave the list out."""
    if charge.get("refunds") is None and needed_number(charge, "amount_refunded") == 0:
        return Page([], more=False)
    return page_of(charge["refunds"])


def _without(amounts: tuple[int, ...], one: int) -> tuple[int, ...]:
    """*amounts* without the first that is *one*."""
    at = amounts.index(one) if one in amounts else len(amounts)
    return amounts[:at] + amounts[at + 1 :]


def _captured(charge: Json, reserved: int, refunded: int, kept: tuple[int, ...]) -> tuple[int, int, tuple[int, ...]]:
    """
    What of the *reserved* was captured, and *refunded* and *kept* without the rest.

    What was reserved and not captured goes back to the card as if it were refunded; nobody ever had it:
    docs.stripe.com/payments/place-a-hold-on-a-payment-method. Before a capture (0) nothing is paid, and nothing back.
    """
    captured = number(charge.get("amount_captured"))
    amount = captured if captured and flag(charge, "captured") else reserved
    released = reserved - amount
    if released and refunded >= released:
        refunded -= released
        kept = _without(kept, released) if sum(kept) > refunded else kept
    return amount, refunded, kept
