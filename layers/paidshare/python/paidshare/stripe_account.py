"""What is asked of one Stripe account about an order, in as few calls as the order allows."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import stripe

from paidshare import stripe_orders
from paidshare.orders import Order, Payment
from paidshare.stripe_orders import Json, Page

# Metadata comes with the product only when it is expanded (docs.stripe.com/checkout/fulfillment).
_WITH_A_SESSION = ["line_items.data.price.product", "payment_intent.latest_charge.refunds"]
_WITH_LINES = ["data.price.product"]
_WITH_AN_INTENT = ["latest_charge.refunds"]
_WITH_A_CHARGE = ["refunds"]
_WITH_AN_INVOICE = ["payments", "parent.subscription_details.subscription"]
_MOST_ON_A_PAGE = 100  # Stripe's own limit (docs.stripe.com/api/pagination).

_AFTER_A_PERIOD = timedelta(days=62)
"""How long after its period an invoice may still give access: the seller's grace is at most 60 days."""


class StripeAccount:
    """
    Questions to one account, with the key that *client* has; *account* is a connected account's id or None.

    With *fraud_warnings* early fraud warnings are asked for too, which costs a call per payment. Raises what the SDK
    raises, and what `stripe_orders` raises for an answer that is not readable. StripeObjects stay in here.
    """

    def __init__(self, client: stripe.StripeClient, account: str | None, *, fraud_warnings: bool) -> None:
        self._v1 = client.v1
        self._options: stripe.RequestOptions = {"stripe_account": account} if account else {}
        self._fraud_warnings = fraud_warnings

    def session(self, order_id: str) -> Order:
        """The order that a Checkout Session is: one call if its lines and refunds fit a page and nobody disputes it."""
        sessions = self._v1.checkout.sessions
        session = _about(order_id, sessions.retrieve(order_id, {"expand": _WITH_A_SESSION}, self._options))
        mode = session.get("mode")
        if mode in ("setup", "subscription"):
            return stripe_orders.session_order(session, (), ())
        lines = _all(
            stripe_orders.page_of(session["line_items"]),
            lambda: sessions.line_items.list(
                order_id, {"limit": _MOST_ON_A_PAGE, "expand": _WITH_LINES}, self._options
            ),
        )
        intent = session["payment_intent"]
        paid = () if intent is None else (self._payment_of(stripe_orders.expanded(intent)),)
        return stripe_orders.session_order(session, lines, paid)

    def invoice(self, order_id: str) -> Order:
        """
        The order that an invoice is: a call for it, one for its products and one per payment; one more without a
        subscription, to find the session that it was written for.
        """
        invoices = self._v1.invoices
        invoice = _about(order_id, invoices.retrieve(order_id, {"expand": _WITH_AN_INVOICE}, self._options))
        paying = self._v1.invoice_payments
        payments = [
            one["payment"]
            for one in _all(
                stripe_orders.page_of(invoice["payments"]),
                lambda: paying.list({"invoice": order_id, "limit": _MOST_ON_A_PAGE}, self._options),
            )
            if one["status"] != "canceled"
        ]
        session = self._written_for(invoice, payments) if stripe_orders.subscription_of(invoice) is None else None
        if session:
            return stripe_orders.invoice_order(invoice, (), {}, (), same_as=session)
        lines = _all(
            stripe_orders.page_of(invoice["lines"]),
            lambda: invoices.line_items.list(order_id, {"limit": _MOST_ON_A_PAGE}, self._options),
        )
        products = self._products(stripe_orders.products_on(lines))
        paid = [self._payment(one) for one in payments if one["type"] != "payment_record"]
        return stripe_orders.invoice_order(invoice, lines, products, paid)

    def orders_of(self, about: str, *, now: datetime) -> tuple[str, ...]:
        """As `Payments.orders_of` has it, for an id that is no order itself and whose form was checked."""
        match about.partition("_")[0]:
            case "pi":
                return self._orders_of_intent(about)
            case "ch" | "py":
                return self._orders_of_charge(about)
            case "sub":
                return self._orders_of_subscription(about, since=now - _AFTER_A_PERIOD)
            case "re" | "pyr":
                found = _about(about, self._v1.refunds.retrieve(about, {}, self._options))
            case "du" | "dp":
                found = _about(about, self._v1.disputes.retrieve(about, {}, self._options))
            case _:
                found = _about(about, self._v1.radar.early_fraud_warnings.retrieve(about, {}, self._options))
        if intent := stripe_orders.id_in(found.get("payment_intent")):
            return self._orders_of_intent(intent)
        charge = stripe_orders.id_in(found.get("charge"))
        return self._orders_of_charge(charge) if charge else ()

    def _orders_of_charge(self, charge_id: str) -> tuple[str, ...]:
        charge = _about(charge_id, self._v1.charges.retrieve(charge_id, {}, self._options))
        intent = stripe_orders.id_in(charge.get("payment_intent"))
        return self._orders_of_intent(intent) if intent else ()

    def _orders_of_intent(self, intent: str) -> tuple[str, ...]:
        """The session that the payment was made in, else the invoices that it paid."""
        found = self._sessions_paid_by(intent)
        if sessions := _ids(one["invoice"] if one["mode"] == "subscription" else one for one in found):
            return sessions
        paid: stripe.params.InvoicePaymentListParamsPayment = {"type": "payment_intent", "payment_intent": intent}
        payments = self._v1.invoice_payments.list({"payment": paid, "limit": _MOST_ON_A_PAGE}, self._options)
        return _ids(one["invoice"] for one in _every(payments))

    def _orders_of_subscription(self, subscription: str, *, since: datetime) -> tuple[str, ...]:
        """
        The subscription's paid invoices, newest first, that pay for a time after *since*.

        The search ends with the first page that has none. A single invoice that is too old ends nothing: it may be for
        something bought once, in the middle of a year that an older invoice pays for.
        """
        wanted: stripe.params.InvoiceListParams = {
            "subscription": subscription,
            "status": "paid",
            "limit": _MOST_ON_A_PAGE,
        }
        found: list[Json] = []
        for page in _pages(self._v1.invoices.list(wanted, self._options)):
            recent = [one for one in page.items if stripe_orders.may_be_paid_until(one, since)]
            if not recent:
                break
            found += recent
        return _ids(found)

    def _written_for(self, invoice: Json, payments: list[Json]) -> str | None:
        """The session that Checkout wrote the invoice for, when it writes invoices for single payments too."""
        if payments or invoice["total"]:
            intents = filter(None, (stripe_orders.id_in(one.get("payment_intent")) for one in payments))
            found = [one for intent in intents for one in self._sessions_paid_by(intent) if one["mode"] == "payment"]
        else:  # Everything was given away, so no payment leads to the session.
            found = self._sessions_that_wrote(invoice)
        return stripe_orders.the_id(found[0]) if found else None

    def _sessions_paid_by(self, intent: str) -> list[Json]:
        sessions = self._v1.checkout.sessions
        return _every(sessions.list({"payment_intent": intent, "limit": _MOST_ON_A_PAGE}, self._options))

    def _sessions_that_wrote(self, invoice: Json) -> list[Json]:
        """Stripe finds no session by its invoice, but by its customer."""
        customer = stripe_orders.id_in(invoice.get("customer"))
        if not customer:
            return []
        sessions = self._v1.checkout.sessions
        of_the_buyer = _every(sessions.list({"customer": customer, "limit": _MOST_ON_A_PAGE}, self._options))
        return [one for one in of_the_buyer if stripe_orders.id_in(one["invoice"]) == invoice["id"]]

    def _products(self, wanted: list[str]) -> dict[str, Json]:
        """
        The products by id; without those that were deleted.

        An invoice line names its product and cannot be expanded to it: at this version only `price_details.price`
        can, and its product would be Stripe's fifth level of four.
        """
        found: dict[str, Json] = {}
        for i in range(0, len(wanted), _MOST_ON_A_PAGE):
            some = wanted[i : i + _MOST_ON_A_PAGE]
            page = self._v1.products.list({"ids": some, "limit": _MOST_ON_A_PAGE}, self._options)
            found |= {stripe_orders.the_id(one): one for one in _every(page)}
        return found

    def _payment(self, one: Json) -> Payment:
        """The payment that an invoice's list of payments names."""
        if one["type"] == "charge":
            charge_id = stripe_orders.the_id_in(one["charge"])
            charge = _about(charge_id, self._v1.charges.retrieve(charge_id, {"expand": _WITH_A_CHARGE}, self._options))
            return self._paid(charge, charge)
        intent_id = stripe_orders.the_id_in(one["payment_intent"])
        intent = self._v1.payment_intents.retrieve(intent_id, {"expand": _WITH_AN_INTENT}, self._options)
        return self._payment_of(_about(intent_id, intent))

    def _payment_of(self, intent: Json) -> Payment:
        return self._paid(intent, stripe_orders.charge_of(intent))

    def _paid(self, paid: Json, charge: Json | None) -> Payment:
        """*paid* with what became of its *charge*. Asks only for what the charge says there is."""
        if charge is None:
            return stripe_orders.payment(paid, None)
        charge_id = stripe_orders.the_id(charge)
        refunds = _all(
            stripe_orders.refunds_on(charge),
            lambda: self._v1.refunds.list({"charge": charge_id, "limit": _MOST_ON_A_PAGE}, self._options),
        )
        disputes: list[Json] = []
        if stripe_orders.is_disputed(charge):
            disputes = _every(self._v1.disputes.list({"charge": charge_id, "limit": _MOST_ON_A_PAGE}, self._options))
        warnings: list[Json] = []
        if self._fraud_warnings and not stripe_orders.is_called_safe(charge):
            all_warnings = self._v1.radar.early_fraud_warnings
            warnings = _every(all_warnings.list({"charge": charge_id, "limit": _MOST_ON_A_PAGE}, self._options))
        return stripe_orders.payment(paid, charge, refunds=refunds, disputes=disputes, warnings=warnings)


def _about(asked: str, answer: stripe.StripeObject) -> Json:
    """
    The answer as plain JSON. Raises ValueError when it is about something else: read as an order, it would be one that
    is not paid or has no lines, and so be forgotten.
    """
    found = answer.to_dict()
    if stripe_orders.the_id(found) != asked:
        raise ValueError("not what was asked for")
    return found


def _all(first: Page, pages: Callable[[], stripe.ListObject[Any]]) -> list[Json]:
    """A list that came inside another object, or all *pages* of it when it goes on."""
    return _every(pages()) if first.more else first.items


def _every(first: stripe.ListObject[Any]) -> list[Json]:
    return [one for page in _pages(first) for one in page.items]


def _pages(first: stripe.ListObject[Any]) -> Iterator[Page]:
    """*first* and the pages after it, each asked for when it is looked at."""
    listed = first
    while True:
        page = stripe_orders.page_of(listed.to_dict())
        yield page
        if not page.more:
            return
        listed = listed.next_page()


def _ids(fields: Iterable[object]) -> tuple[str, ...]:
    """The ids in *fields*, each once; empty fields are left out."""
    return tuple(dict.fromkeys(filter(None, map(stripe_orders.id_in, fields))))
