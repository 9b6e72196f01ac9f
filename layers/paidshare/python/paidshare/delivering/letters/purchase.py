"""What a letter is about, for people and for programs. Pure."""

from dataclasses import dataclass, field
from decimal import Decimal

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from paidshare.delivering.letters.names import each_once, fitting, short
from paidshare.orders import Sale
from paidshare.storefront.wording import Wording, digits

_BYTES_OF_OFFERS = 2_000
_BYTES_OF_AN_OFFER = 75
"""Without its name."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """
    What a letter is about. `products` are the names of what it is about, `total` what the whole order cost, in the
    smallest unit of `sale.currency`; None where Stripe does not say.
    """

    to: str
    order_id: str
    products: tuple[str, ...]
    sale: Sale = field(default_factory=Sale)
    total: int | None = None

    @property
    def reference(self) -> str:
        """What the buyer calls the order."""
        return self.order_id[-8:]

    @property
    def names(self) -> list[str]:
        """The products, each once, in the order bought."""
        return each_once(self.products)

    def facts(self, say: Wording) -> list[str]:
        """Which order it is, when it was made and what it cost, as far as anybody knows; empty where nobody does."""
        facts = [say.text("Order %(reference)s", reference=say.apart(self.reference))]
        if self.sale.made_at is not None:
            facts.append(say.day(self.sale.made_at))
        if (cost := self._cost) is not None:
            facts.append(say.money(*cost))
        return facts if len(facts) > 1 or self.sale.receipt_url else []

    def markup(self, status: str, seller: str, *, action: tuple[str, str] | None = None) -> Markup:
        """
        The order for programs (schema.org/Order, in JSON that HTML can hold). *status* is one of schema.org's; *action*
        the words and the link of what can be done with it, for which Gmail and others show a button
        (developers.google.com/workspace/gmail/markup).
        """
        order: dict[str, object] = {
            "@context": "https://schema.org",
            "@type": "Order",
            "orderNumber": self.reference,
            "orderStatus": f"https://schema.org/{status}",
        }
        if seller:
            order["merchant"] = {"@type": "Organization", "name": seller}
        if self.sale.made_at is not None:
            order["orderDate"] = self.sale.made_at.isoformat()
        if (cost := self._cost) is not None:
            amount, code = cost
            order |= {"price": f"{Decimal(amount).scaleb(-digits(code)):f}", "priceCurrency": code}
        names = list(map(short, self.names))
        known = fitting([name + " " * _BYTES_OF_AN_OFFER for name in names], _BYTES_OF_OFFERS)
        order["acceptedOffer"] = [
            {"@type": "Offer", "itemOffered": {"@type": "Product", "name": name}} for name in names[: max(1, known)]
        ]
        if action is not None:
            words, link = action
            act = {"@type": "ViewAction", "name": words, "target": link}
            order |= {"url": link, "potentialAction": act}
        return htmlsafe_json_dumps(order, ensure_ascii=False, separators=(",", ":"))

    @property
    def _cost(self) -> tuple[int, str] | None:
        """The amount in the smallest unit, and the currency's code in upper case."""
        total, code = self.total, self.sale.currency
        known = total is not None and total >= 0 and len(code) == 3 and code.isascii() and code.isalpha()
        return (total, code.upper()) if total is not None and known else None
