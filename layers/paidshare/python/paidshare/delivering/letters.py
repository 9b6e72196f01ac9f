"""
What was bought, where it lies and what became of it → a letter: subject, text, HTML. Pure.

A letter holds no remote content (no picture, no font, no tracking pixel): it reads the same in every program,
and nobody learns when it was opened.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache

import jinja2

from paidshare.orders import Letter, Share
from paidshare.states import Kind
from paidshare.text import cut, one_line

# Beyond this, mail programs cut the subject anyway, and one product's name could fill it.
_LONGEST_SUBJECT = 120
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


# By the value of entitlement.Why. None of Stripe's says whose doing it was: we do not know, and it may be a mistake.
_BECAUSE = {
    "disputed": "The payment for this order was disputed with the bank or card company, and they are looking into it.",
    "fraud_warning": "The card issuer asked for the payment for this order to be checked.",
    "subscription_paused": "The subscription that this order belongs to is paused.",
    "subscription_unpaid": "A payment for the subscription that this order belongs to has not come through yet.",
    "refunded": "The payment for this order was refunded.",
    "partly_refunded": "Part of the payment was refunded, and that part covers what you cannot open any more.",
    "payment_failed": "The payment for this order did not go through.",
    "dispute_lost": "The payment for this order was reversed after a dispute with the bank or card company.",
    "credited": "Your subscription was changed, and what was not used of this was credited.",
    "subscription_canceled": "The subscription that this order belongs to has ended.",
    "subscription_changed": "Your subscription was changed.",
    "held_by_seller": "We are looking into something about this order.",
    "ended_by_seller": "We have closed this order. If you think that is a mistake, please answer this letter.",
}
_BECAUSE_OF_SOMETHING = "Something about the payment for this order has changed."


def delivery(
    *,
    to: str,
    order_id: str,
    products: Iterable[str],
    share: Share,
    earlier: Iterable[tuple[str, datetime]] = (),
    page: str = "",
) -> Letter:
    """
    The letter with the link. *share* is live and complete; *earlier* are the products in it that end before it. *page*
    is the order's, which has a link always; where that is the share's link, there is no share yet.
    """
    return _letter(
        Kind.DELIVERY,
        to,
        order_id,
        _names(products),
        template="delivery",
        files=[(one_line(f.name), _size(f.size)) for f in share.files],
        link=share.link,
        page=page,
        until=_date(share.expires_at),
        earlier=[(one_line(name), _date(end)) for name, end in earlier],
    )


def payment_failed(*, to: str, order_id: str, products: Iterable[str]) -> Letter:
    """A payment that takes days (a bank debit, say) did not come. No link was ever sent."""
    fact = "We have not sent you any files and, as far as we know, you were not charged."
    then = "If you would still like the files, please order again."
    return _letter(Kind.PAYMENT_FAILED, to, order_id, _names(products), paragraphs=[fact, then])


def access_on_hold(*, to: str, order_id: str, products: Iterable[str], why: str, mailed: bool = True) -> Letter:
    """
    The link does not open until a matter is settled; without a link *mailed* before, none comes until then.

    *why* is the value of an `entitlement.Why`; one that has no sentence here gets a neutral one.
    """
    if mailed:
        fact = "For now, the link in our earlier letter does not open."
        then = "When this is settled and your order stands, the same link opens again by itself, and we write to you."
    else:
        fact = "For now, we cannot send you the link to your files."
        then = "When this is settled and your order stands, the link comes by itself."
    return _letter(Kind.ACCESS_ON_HOLD, to, order_id, _names(products), paragraphs=[f"{fact} {_because(why)}", then])


def access_ended(*, to: str, order_id: str, products: Iterable[str], why: str, mailed: bool = True) -> Letter:
    """The link that was *mailed* does not open any more, or none comes. *why* as for `access_on_hold`."""
    fact = "The link in our earlier letter does not open any more." if mailed else "We do not send you a link."
    return _letter(Kind.ACCESS_ENDED, to, order_id, _names(products), paragraphs=[f"{fact} {_because(why)}"])


def access_back(*, to: str, order_id: str, products: Iterable[str], until: datetime) -> Letter:
    """The link that was mailed opens again, until *until* (aware UTC). What was mailed is not mailed again."""
    fact = f"The link in our earlier letter opens again. It works until {_date(until)}."
    then = "It is the same link as before. If you cannot find that letter, answer this one."
    return _letter(Kind.ACCESS_BACK, to, order_id, _names(products), paragraphs=[fact, then])


def access_changed(*, to: str, order_id: str, products: Iterable[str], until: datetime, why: str = "") -> Letter:
    """
    The link that was mailed now holds *products*, fewer or more than before, until *until* (aware UTC).

    *why* as for `access_on_hold`; without one, for what comes back, the neutral sentence.
    """
    names = _names(products)
    fact = f"The link in our earlier letter now holds {', '.join(names)}. It works until {_date(until)}."
    return _letter(Kind.ACCESS_CHANGED, to, order_id, names, paragraphs=[fact, _because(why)])


def _letter(
    kind: Kind, to: str, order_id: str, products: list[str], *, template: str = "change", **words: object
) -> Letter:
    """Letters that are sentences only share one template, `change`: text and HTML are made of the same `paragraphs`."""
    words |= {"headline": kind.headline, "products": products, "reference": order_id[-8:]}
    return Letter(
        to=to,
        subject=_cut(f"{kind.headline}: {', '.join(products)}"),
        text=_render(f"{template}.txt.j2", words),
        html=_render(f"{template}.html.j2", words),
        kind=kind,
    )


def _because(why: str) -> str:
    return _BECAUSE.get(why, _BECAUSE_OF_SOMETHING)


def _names(products: Iterable[str]) -> list[str]:
    """Each product once, in the order bought, safe to print."""
    return list(dict.fromkeys(map(one_line, products)))


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("paidshare.delivering", "templates"),
        # A product's or file's name is the seller's text, not HTML.
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _render(template: str, words: dict[str, object]) -> str:
    return _environment().get_template(template).render(words)


def _cut(text: str) -> str:
    return cut(text, _LONGEST_SUBJECT)


def _date(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _size(size: int | None) -> str:
    """Decimal units, as the buyer's file manager most likely shows them."""
    if size is None:
        return ""
    if size < 1000:
        return f"{size} bytes"
    amount, units = float(size), iter(_UNITS)
    unit = next(units)
    # 999.5 would be shown as 1000.
    while amount >= 999.5 and (larger := next(units, None)):
        amount, unit = amount / 1000, larger
    return f"{amount:.{1 if amount < 9.95 else 0}f} {unit}"
