"""Stripe as the operator asks it: a buyer's orders, and when what happened to an order."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import stripe

from operate.answers import NotKnown
from operate.orders.correction import is_safe_base
from operate.stacks import Stack
from paidshare.loose_json import as_instant
from paidshare.orders import Order
from paidshare.payments_stripe import StripeAccess, StripeListing, StripePayments
from paidshare.sweeping.rounds import Listed, Page

_PATIENCE_S = 20.0
_PAGE = 100  # Stripe's own limit (docs.stripe.com/api/pagination).
_IN_WHOLE_UNITS = frozenset(
    ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf")
)
"""docs.stripe.com/currencies, “zero-decimal currencies”."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something at Stripe, in words."""

    at: datetime
    words: str


class AtStripe:
    """
    The stack's Stripe account, asked with the key in STRIPE_API_KEY, else with the stack's own, which only reads.
    *account* is a connected account's id, None for the seller's own. All of it raises OrderUnknown and
    StripeUnavailable; a key is shown to `https://` and to this machine alone.
    """

    def __init__(self, to: Stack, *, account: str | None = None) -> None:
        key = os.environ.get("STRIPE_API_KEY", "").strip() or to.secret.stripe_api_key
        check_base(to)
        self._account = account
        self._options: stripe.RequestOptions = {"stripe_account": account} if account else {}
        self._payments = StripePayments(api_key=lambda: key, api_base=to.stripe_api_base, timeout_s=_PATIENCE_S)
        self._access = StripeAccess(api_key=lambda: key, api_base=to.stripe_api_base, timeout_s=_PATIENCE_S)
        self._listing = StripeListing(
            api_key=lambda: key, api_base=to.stripe_api_base, livemode=to.livemode, timeout_s=_PATIENCE_S
        )
        to.closing.callback(self._listing.close)
        to.closing.callback(self._payments.close)
        to.closing.callback(self._access.close)

    def order(self, order_id: str) -> Order:
        """As it is now; of another id where the purchase is kept under that."""
        order = self._payments.order(order_id, account=self._account)
        return order if order.same_as is None else self._payments.order(order.same_as, account=self._account)

    def orders_of(self, about: str, *, now: datetime) -> tuple[str, ...]:
        """The orders that something at Stripe leads to, those of a subscription however old."""
        return self._payments.orders_of(about, now=now, account=self._account, live=lambda ids: ids)

    def bought_by(self, email: str) -> tuple[str, ...]:
        """The orders of who paid under that address, newest first. Stripe tells great letters from small."""

        def asked(client: stripe.StripeClient) -> list[dict[str, Any]]:
            found: dict[str, dict[str, Any]] = {}
            for spelt in dict.fromkeys((email, email.lower())):
                sessions = client.v1.checkout.sessions.list(
                    {"customer_details": {"email": spelt}, "status": "complete", "limit": _PAGE}, self._options
                )
                every = [*_every(sessions)]
                found |= {one["id"]: one for one in every if not _is_billed(one)}
                customers = [one["customer"] for one in every if _is_billed(one)]
                listed = client.v1.customers.list({"email": spelt, "limit": _PAGE}, self._options)
                for customer in dict.fromkeys((*filter(None, customers), *(one["id"] for one in _every(listed)))):
                    found |= {one["id"]: one for one in self._invoices(client, customer)}
            return sorted(found.values(), key=lambda one: -int(one["created"]))

        return tuple(str(one["id"]) for one in self._access.answer("the buyer", asked))

    def billed_to(self, customer: str) -> tuple[str, ...]:
        """The orders of a customer (`cus_…`), newest first."""

        def asked(client: stripe.StripeClient) -> list[dict[str, Any]]:
            sessions = client.v1.checkout.sessions.list(
                {"customer": customer, "status": "complete", "limit": _PAGE}, self._options
            )
            found = [*(one for one in _every(sessions) if not _is_billed(one)), *self._invoices(client, customer)]
            return sorted(found, key=lambda one: -int(one["created"]))

        return tuple(str(one["id"]) for one in self._access.answer(customer, asked))

    def history(self, order_id: str) -> list[Happened]:
        """When it was paid, given back and disputed, as far as Stripe has it on the order's payments."""

        def asked(client: stripe.StripeClient) -> list[Happened]:
            return [one for charge in self._charges(client, order_id) for one in self._on(client, charge)]

        return self._access.answer(order_id, asked)

    def listed(self, *, since: datetime) -> Iterator[Listed]:
        """
        What was paid, given back and disputed since then, as the sweep's lists have it: orders, and what leads to them.
        """
        lists = self._listing
        asked: list[Callable[[str | None], Page[Listed]]] = [
            lambda after: lists.sessions(since=since, after=after),
            lambda after: lists.invoices(since=since, after=after),
            *(partial(_returned, lists, kind, since) for kind in ("refunds", "disputes", "credit_notes")),
        ]
        for page_from in asked:
            after: str | None = None
            while True:
                page = page_from(after)
                yield from page.items
                if (after := page.after) is None:
                    break

    def _invoices(self, client: stripe.StripeClient, customer: str) -> Iterator[dict[str, Any]]:
        return _every(client.v1.invoices.list({"customer": customer, "status": "paid", "limit": _PAGE}, self._options))

    def _charges(self, client: stripe.StripeClient, order_id: str) -> Iterator[dict[str, Any]]:
        expanded = ["latest_charge.refunds"]
        if order_id.startswith("cs_"):
            whole = [f"payment_intent.{one}" for one in expanded]
            session = client.v1.checkout.sessions.retrieve(order_id, {"expand": whole}, self._options).to_dict()
            intents = [session.get("payment_intent")]
        else:
            invoice = client.v1.invoices.retrieve(order_id, {"expand": ["payments"]}, self._options).to_dict()
            ids = [one["payment"].get("payment_intent") for one in (invoice.get("payments") or {}).get("data", ())]
            intents = [
                client.v1.payment_intents.retrieve(one, {"expand": expanded}, self._options).to_dict()
                for one in ids
                if one
            ]
        yield from (one["latest_charge"] for one in intents if one and one.get("latest_charge"))

    def _on(self, client: stripe.StripeClient, charge: dict[str, Any]) -> Iterator[Happened]:
        if charge.get("paid"):
            yield Happened(as_instant(charge["created"]), f"paid {money(charge['amount'], charge['currency'])}")
        for refund in (charge.get("refunds") or {}).get("data", ()):
            words = f"refunded {money(refund['amount'], refund['currency'])} ({refund['status']})"
            yield Happened(as_instant(refund["created"]), words)
        if charge.get("disputed"):
            disputes = client.v1.disputes.list({"charge": charge["id"], "limit": _PAGE}, self._options)
            for dispute in _every(disputes):
                yield Happened(as_instant(dispute["created"]), f"disputed: {dispute['status'].replace('_', ' ')}")


def check_base(to: Stack) -> None:
    """Raises NotKnown where a key would be seen on the way to Stripe."""
    if not is_safe_base(to.stripe_api_base):
        raise NotKnown(f"the Stripe key is not shown to {to.stripe_api_base}, which is no https:// address")


def writing(to: Stack, what: str) -> StripeAccess:
    """
    The stack's Stripe, with the shell's key: the stack's own may not write. On a laptop nothing is at stake.

    Raises NotKnown, saying *what* it is for, where there is no key, or it would be seen on the way.
    """
    key = os.environ.get("STRIPE_API_KEY", "").strip() or (to.secret.stripe_api_key if to.on_a_laptop else "")
    if not key:
        raise NotKnown(f"{what}: put a key that may into STRIPE_API_KEY (docs/runbook.md)")
    check_base(to)
    return access(to, key)


def access(to: Stack, key: str) -> StripeAccess:
    """The stack's Stripe, with *key*; closed when the command is over."""
    opened = StripeAccess(api_key=lambda: key, api_base=to.stripe_api_base, timeout_s=_PATIENCE_S)
    to.closing.callback(opened.close)
    return opened


def money(amount: int, currency: str) -> str:
    """*amount*, in the currency's smallest unit, as people write it."""
    if currency.lower() in _IN_WHOLE_UNITS:
        return f"{amount} {currency.upper()}"
    return f"{amount / 100:.2f} {currency.upper()}"


def _returned(lists: StripeListing, kind: str, since: datetime, after: str | None) -> Page[Listed]:
    return lists.returned(kind, since=since, after=after)


def _is_billed(session: dict[str, Any]) -> bool:
    """Whether the session's purchase is an invoice's, and kept under that."""
    return bool(session["mode"] == "subscription" and session.get("invoice"))


def _every(listed: stripe.ListObject[Any]) -> Iterator[dict[str, Any]]:
    pages: Iterable[Any] = listed.auto_paging_iter()
    return (one.to_dict() for one in pages)
