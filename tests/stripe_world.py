"""The stand-in for Stripe over real HTTP, and the adapter that talks to it, as tests want them."""

import re
from typing import Any

import httpx
import stripe

from paidshare.delivering.ports import Payments
from paidshare.orders import Order
from paidshare.payments_stripe import StripePayments

KEY = "sk_test_51KeyThatNobodyMaySee"
BUYER = "ada@example.com"
GUIDE = {"fastio_workspace": "Shop", "fastio_files": "node-1,node-2"}

SESSION = "checkout/sessions/*"
SESSIONS = "checkout/sessions"


class StripeWorld:
    """
    The real adapter, the real SDK, and the stand-in on a real socket at *url*. `close` it.

    `payments` is the adapter that is asked; `with_warnings` is one that asks for early fraud warnings too.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = KEY
        self.adapter = StripePayments(api_key=lambda: self.key, api_base=url, timeout_s=30.0)
        self.with_warnings = StripePayments(api_key=lambda: self.key, api_base=url, timeout_s=30.0, fraud_warnings=True)
        self.payments: Payments = self.adapter
        self._http = httpx.Client(base_url=url, trust_env=False)
        self._seen = 0

    def close(self) -> None:
        self.adapter.close()
        self.with_warnings.close()
        self._http.close()

    def product(self, name: str = "Field guide", metadata: dict[str, str] | None = None, **more: Any) -> str:
        wanted = {"name": name, "metadata": GUIDE if metadata is None else metadata} | more
        return str(self.control("/_product", wanted)["product"])

    def sell(self, *products: tuple[str, dict[str, str]], email: str | None = BUYER, account: str | None = None) -> str:
        made = [self.product(name, meta) for name, meta in products]
        sale = {"products": made, "email": email or "", "email_none": email is None, "account": account}
        return str(self.control("/_pay", sale)["session"])

    def bill(self, *products: tuple[str, dict[str, str]], email: str | None = BUYER, account: str | None = None) -> str:
        made = [self.product(name, meta) for name, meta in products]
        return str(self.control("/_invoice", {"products": made, "email": email, "account": account})["invoice"])

    def pay(self, **sale: Any) -> dict[str, Any]:
        """A sale of a guide for 900, or as *sale* has it; the ids of what it made."""
        if not {"products", "lines"} & set(sale):
            sale["products"] = [self.product(unit_amount=900)]
        return dict(self.control("/_pay", {"email": BUYER} | sale))

    def order(self, order_id: str, **more: Any) -> Order:
        """The order, with `asked` from here on."""
        self.asked()
        return self.payments.order(order_id, **more)

    def sdk(self) -> stripe.StripeClient:
        """Stripe as the seller has it."""
        return stripe.StripeClient(KEY, base_addresses={"api": self.url})

    def control(self, path: str, body: Any) -> Any:
        return self._http.post(path, json=body).raise_for_status().json()

    def fault(self, status: int | None, *, match: str = "GET /v1/checkout/sessions/*", **more: Any) -> None:
        self.control("/_faults", {"match": match, "status": status} | more)

    def calls(self) -> list[dict[str, Any]]:
        return list(self._http.get("/_calls").json())

    def asked(self) -> list[str]:
        """The paths asked for since this was last called, with a star for each id."""
        new = self.calls()[self._seen :]
        self._seen += len(new)
        return [re.sub(r"/(cs|in|pi|ch|re|du|issfr|sub)_\w+", "/*", call["path"].removeprefix("/v1/")) for call in new]
