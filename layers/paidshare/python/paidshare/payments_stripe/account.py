"""What is asked of one Stripe account about an order, in as few calls as the order allows."""

from collections.abc import Callable, Iterator
from datetime import datetime

import stripe

from paidshare.orders import Order, Payment
from paidshare.payments_stripe import fields, money, orders
from paidshare.payments_stripe.asking import MOST_ON_A_PAGE, about, every, said_at, whole
from paidshare.payments_stripe.fields import Json
from paidshare.payments_stripe.money import Credits
from paidshare.payments_stripe.search import sessions_paid_by

# Metadata comes with the product only when it is expanded (docs.stripe.com/checkout/fulfillment).
_WITH_A_SESSION = ["line_items.data.price.product", "payment_intent.latest_charge.refunds"]
# For the language alone: a key that may not read customers is asked for the rest.
_WITH_THE_CUSTOMER = "customer"
_WITH_LINES = ["data.price.product"]
_WITH_AN_INTENT = ["latest_charge.refunds"]
_WITH_A_CHARGE = ["refunds"]
_WITH_AN_INVOICE = ["payments"]


class StripeAccount:
    """
    Questions to one account, with the key that *client* has; *account* is a connected account's id or None.

    With *fraud_warnings* early fraud warnings are asked for too, which costs a call per payment. Raises what the SDK
    raises, and what `fields` raises for an answer that is not readable. StripeObjects stay in here.
    """

    def __init__(self, client: stripe.StripeClient, account: str | None, *, fraud_warnings: bool) -> None:
        self._v1 = client.v1
        self._options: stripe.RequestOptions = {"stripe_account": account} if account else {}
        self._fraud_warnings = fraud_warnings
        self.said_at: datetime | None = None
        """What time it was at Stripe when the first question about an order was answered."""

    def session(self, order_id: str) -> Order:
        """The order that a Checkout Session is: one call if its lines and refunds fit a page and nobody disputes it."""
        sessions = self._v1.checkout.sessions
        answer = self._with_customer(sessions.retrieve, order_id, _WITH_A_SESSION)
        session, self.said_at = about(order_id, answer), said_at(answer)
        mode = session.get("mode")
        # A billing cycle that begins later, or is metered, is subscribed to without an invoice
        # (docs.stripe.com/payments/checkout/billing-cycle).
        without_invoice = mode == "subscription" and not session.get("invoice") and session.get("status") == "complete"
        subscription = fields.id_in(session.get("subscription")) if without_invoice else None
        if mode in ("setup", "subscription") and subscription is None:
            return orders.session_order(session, (), ())
        lines = whole(
            fields.page_of(session["line_items"]),
            lambda: sessions.line_items.list(order_id, {"limit": MOST_ON_A_PAGE, "expand": _WITH_LINES}, self._options),
        )
        intent = session["payment_intent"]
        paid = () if intent is None else (self._payment_of(fields.expanded(intent)),)
        since = None if subscription is None else self._subscription(subscription)
        return orders.session_order(session, lines, paid, subscription=since)

    def invoice(self, order_id: str) -> Order:
        """
        The order that an invoice is: a call for it, one for its products and one per payment; one more for its
        subscription, and two where that has newer invoices; without one, one more to find the session that it was
        written for. Credit notes cost a call when there are some.
        """
        invoices = self._v1.invoices
        answer = self._with_customer(invoices.retrieve, order_id, _WITH_AN_INVOICE)
        invoice, self.said_at = about(order_id, answer), said_at(answer)
        paying = self._v1.invoice_payments
        payments = [
            one["payment"]
            for one in whole(
                fields.page_of(invoice["payments"]),
                lambda: paying.list({"invoice": order_id, "limit": MOST_ON_A_PAGE}, self._options),
            )
            if one["status"] != "canceled"
        ]
        subscription_id = orders.subscription_of(invoice)
        session = self._written_for(invoice, payments) if subscription_id is None else None
        if session:
            return orders.invoice_order(invoice, (), {}, (), same_as=session)
        lines = whole(
            fields.page_of(invoice["lines"]),
            lambda: invoices.line_items.list(order_id, {"limit": MOST_ON_A_PAGE}, self._options),
        )
        subscription = None if subscription_id is None else self._subscription(subscription_id)
        products = self._products(orders.products_on(lines, subscription))
        paid = [self._payment(one) for one in payments if one["type"] != "payment_record"]
        return orders.invoice_order(
            invoice,
            lines,
            products,
            paid,
            subscription=subscription,
            credits_=self._credits(invoice, lines),
            later=() if subscription is None else self._later(invoice, subscription),
        )

    def _with_customer[T](self, retrieve: Callable[..., T], order_id: str, expand: list[str]) -> T:
        try:
            return retrieve(order_id, {"expand": [*expand, _WITH_THE_CUSTOMER]}, self._options)
        except stripe.PermissionError:
            return retrieve(order_id, {"expand": expand}, self._options)

    def _subscription(self, subscription_id: str) -> Json:
        # By itself, because what it holds by now has to be as new as its status; one inside of an invoice may be shown
        # without its items.
        return about(subscription_id, self._v1.subscriptions.retrieve(subscription_id, {}, self._options))

    def _credits(self, invoice: Json, lines: list[Json]) -> Credits | None:
        if not money.post_payment_credits(invoice):
            return None
        wanted: stripe.params.CreditNoteListParams = {"invoice": invoice["id"], "limit": MOST_ON_A_PAGE}
        return money.credits_in(invoice, lines, every(self._v1.credit_notes.list(wanted, self._options)))

    def _later(self, invoice: Json, subscription: Json) -> Iterator[list[Json]]:
        """
        The lines of the subscription's invoices that were paid since *invoice*, which may give back what it paid for.

        A list shows ten lines of each. The newest, where a change of plan stands, is read whole.
        """
        newest = fields.id_in(subscription.get("latest_invoice"))
        if newest in (None, invoice["id"]):
            return
        invoices = self._v1.invoices
        wanted: stripe.params.InvoiceListParams = {
            "subscription": subscription["id"],
            "status": "paid",
            "created": {"gte": invoice["created"]},
            "limit": MOST_ON_A_PAGE,
        }
        for one in every(invoices.list(wanted, self._options)):
            if one["id"] not in (newest, invoice["id"]):
                yield fields.page_of(one["lines"]).items
        found = about(newest, invoices.retrieve(newest, {}, self._options))
        if found.get("status") == "paid":
            yield whole(
                fields.page_of(found["lines"]),
                lambda: invoices.line_items.list(newest, {"limit": MOST_ON_A_PAGE}, self._options),
            )

    def _written_for(self, invoice: Json, payments: list[Json]) -> str | None:
        """The session that Checkout wrote the invoice for, when it writes invoices for single payments too."""
        if payments or invoice["total"]:
            intents = filter(None, (fields.id_in(one.get("payment_intent")) for one in payments))
            found = [
                one
                for intent in intents
                for one in sessions_paid_by(self._v1, intent, self._options)
                if one["mode"] == "payment"
            ]
        else:  # Everything was given away, so no payment leads to the session.
            found = self._sessions_that_wrote(invoice)
        return fields.the_id(found[0]) if found else None

    def _sessions_that_wrote(self, invoice: Json) -> list[Json]:
        """Stripe finds no session by its invoice, but by its customer, who may be an account (Accounts v2)."""
        sessions = self._v1.checkout.sessions
        wanted: stripe.params.checkout.SessionListParams = {"limit": MOST_ON_A_PAGE}
        if customer := fields.id_in(invoice.get("customer")):
            wanted["customer"] = customer
        elif account := fields.id_in(invoice.get("customer_account")):
            wanted["customer_account"] = account
        else:
            return []
        of_the_buyer = every(sessions.list(wanted, self._options))
        return [one for one in of_the_buyer if fields.id_in(one["invoice"]) == invoice["id"]]

    def _products(self, wanted: list[str]) -> dict[str, Json]:
        """
        The products by id; without those that were deleted.

        An invoice line names its product and cannot be expanded to it: at this version only `price_details.price`
        can, and its product would be Stripe's fifth level of four.
        """
        found: dict[str, Json] = {}
        for i in range(0, len(wanted), MOST_ON_A_PAGE):
            some = wanted[i : i + MOST_ON_A_PAGE]
            page = self._v1.products.list({"ids": some, "limit": MOST_ON_A_PAGE}, self._options)
            found |= {fields.the_id(one): one for one in every(page)}
        return found

    def _payment(self, one: Json) -> Payment:
        """The payment that an invoice's list of payments names."""
        if one["type"] == "charge":
            charge_id = fields.the_id_in(one["charge"])
            charge = about(charge_id, self._v1.charges.retrieve(charge_id, {"expand": _WITH_A_CHARGE}, self._options))
            return self._paid(charge, charge)
        intent_id = fields.the_id_in(one["payment_intent"])
        intent = self._v1.payment_intents.retrieve(intent_id, {"expand": _WITH_AN_INTENT}, self._options)
        return self._payment_of(about(intent_id, intent))

    def _payment_of(self, intent: Json) -> Payment:
        return self._paid(intent, money.charge_of(intent))

    def _paid(self, paid: Json, charge: Json | None) -> Payment:
        """*paid* with what became of its *charge*. Asks only for what the charge says there is."""
        if charge is None:
            return money.payment(paid, None)
        charge_id = fields.the_id(charge)
        refunds = whole(
            money.refunds_on(charge),
            lambda: self._v1.refunds.list({"charge": charge_id, "limit": MOST_ON_A_PAGE}, self._options),
        )
        disputes: list[Json] = []
        if money.is_disputed(charge):
            disputes = every(self._v1.disputes.list({"charge": charge_id, "limit": MOST_ON_A_PAGE}, self._options))
        warnings: list[Json] = []
        if self._fraud_warnings and not money.is_called_safe(charge):
            all_warnings = self._v1.radar.early_fraud_warnings
            warnings = every(all_warnings.list({"charge": charge_id, "limit": MOST_ON_A_PAGE}, self._options))
        return money.payment(paid, charge, refunds=refunds, disputes=disputes, warnings=warnings)
