"""Which orders something at Stripe belongs to: a payment, a refund, a dispute, a subscription …"""

from datetime import datetime

import stripe

from paidshare.delivering.ports import Live
from paidshare.payments_stripe import fields, orders
from paidshare.payments_stripe.asking import MOST_ON_A_PAGE, about, every, ids, pages
from paidshare.payments_stripe.fields import Json, the_id


class OrderSearch:
    """In one account, as `StripeAccount`; raises like it."""

    def __init__(self, client: stripe.StripeClient, account: str | None) -> None:
        self._v1 = client.v1
        self._options: stripe.RequestOptions = {"stripe_account": account} if account else {}

    def orders_of(self, about_id: str, *, now: datetime, live: Live) -> tuple[str, ...]:
        """As `Payments.orders_of` has it, for an id that is no order itself and whose form was checked."""
        match about_id.partition("_")[0]:
            case "pi":
                return self._orders_of_intent(about_id)
            case "ch" | "py":
                return self._orders_of_charge(about_id)
            case "sub":
                return self._orders_of_subscription(about_id, since=now, live=live)
            case "cn":
                note = about(about_id, self._v1.credit_notes.retrieve(about_id, {}, self._options))
                return ids([note.get("invoice")])
            case "re" | "pyr":
                found = about(about_id, self._v1.refunds.retrieve(about_id, {}, self._options))
            case "du" | "dp":
                found = about(about_id, self._v1.disputes.retrieve(about_id, {}, self._options))
            case _:
                found = about(about_id, self._v1.radar.early_fraud_warnings.retrieve(about_id, {}, self._options))
        if intent := fields.id_in(found.get("payment_intent")):
            return self._orders_of_intent(intent)
        charge = fields.id_in(found.get("charge"))
        return self._orders_of_charge(charge) if charge else ()

    def _orders_of_charge(self, charge_id: str) -> tuple[str, ...]:
        charge = about(charge_id, self._v1.charges.retrieve(charge_id, {}, self._options))
        intent = fields.id_in(charge.get("payment_intent"))
        return self._orders_of_intent(intent) if intent else ()

    def _orders_of_intent(self, intent: str) -> tuple[str, ...]:
        """The session that the payment was made in, else the invoices that it paid."""
        found = sessions_paid_by(self._v1, intent, self._options)
        if sessions := ids(one["invoice"] if one["mode"] == "subscription" else one for one in found):
            return sessions
        paid: stripe.params.InvoicePaymentListParamsPayment = {"type": "payment_intent", "payment_intent": intent}
        payments = self._v1.invoice_payments.list({"payment": paid, "limit": MOST_ON_A_PAGE}, self._options)
        return ids(one["invoice"] for one in every(payments))

    def _orders_of_subscription(self, subscription: str, *, since: datetime, live: Live) -> tuple[str, ...]:
        """
        The subscription's paid invoices, newest first: those that pay for a time after *since*, and of the others those
        that are *live*. Without any, the session that began it without an invoice.
        """
        wanted: stripe.params.InvoiceListParams = {
            "subscription": subscription,
            "status": "paid",
            "limit": MOST_ON_A_PAGE,
        }
        found: list[str] = []
        for page in pages(self._v1.invoices.list(wanted, self._options)):
            recent = {the_id(one) for one in page.items if orders.may_be_paid_until(one, since)}
            all_ids = [the_id(one) for one in page.items]
            old = [one for one in all_ids if one not in recent]
            kept = recent.union(live(old) if old else ())
            found += [one for one in all_ids if one in kept]
        if found:
            return tuple(found)
        sessions = self._v1.checkout.sessions
        begun = every(sessions.list({"subscription": subscription, "limit": MOST_ON_A_PAGE}, self._options))
        return ids(one for one in begun if not one.get("invoice") and one["status"] == "complete")


def sessions_paid_by(v1: stripe.V1Services, intent: str, options: stripe.RequestOptions) -> list[Json]:
    """The sessions that a payment was made in: at most one, as far as is known."""
    return every(v1.checkout.sessions.list({"payment_intent": intent, "limit": MOST_ON_A_PAGE}, options))
