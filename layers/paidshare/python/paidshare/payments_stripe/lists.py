"""Stripe's own lists: the port `StripeLists` on Stripe's API, at the SDK's pinned version."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import stripe

from paidshare import notices
from paidshare.notices import Notice
from paidshare.payments_stripe import fields
from paidshare.payments_stripe.access import StripeAccess
from paidshare.payments_stripe.fields import Json
from paidshare.sweeping.rounds import Listed, Page

_PAGE = 100  # Stripe's own limit (docs.stripe.com/api/pagination).


class StripeListing:
    """
    The port `StripeLists`: one call a page. Lists the seller's own account only, whatever `ConnectedAccounts` is.

    Events of the other mode than *livemode* are left out. The other arguments are `StripeAccess`'s.
    """

    def __init__(self, *, api_key: Callable[[], str], api_base: str, livemode: bool, timeout_s: float = 20.0) -> None:
        self._access = StripeAccess(api_key=api_key, api_base=api_base, timeout_s=timeout_s)
        self._livemode = livemode

    def close(self) -> None:
        """Give the connections back."""
        self._access.close()

    def sessions(self, *, since: datetime, after: str | None) -> Page[Listed]:
        # With its payment, because a session does not say when it was completed, only when it was begun.
        wanted = {"status": "complete", "expand": ["data.payment_intent"]} | _from(since, after)
        return self._page("completed sessions", lambda client: client.v1.checkout.sessions.list, wanted, _sessions)

    def invoices(self, *, since: datetime, after: str | None) -> Page[Listed]:
        wanted = {"status": "paid"} | _from(since, after)
        return self._page("paid invoices", lambda client: client.v1.invoices.list, wanted, _invoices)

    def happened(self, types: Sequence[str], *, since: datetime, after: str | None) -> Page[Notice]:
        # Not by `delivery_success`: where no endpoint is registered any more, none has failed.
        wanted = {"types": list(types)} | _from(since, after)
        return self._page("events", lambda client: client.v1.events.list, wanted, self._ours)

    def returned(self, kind: str, *, since: datetime, after: str | None) -> Page[Listed]:
        listing: Callable[[stripe.StripeClient], Callable[[Any], stripe.ListObject[Any]]]
        match kind:
            case "refunds":
                listing = lambda client: client.v1.refunds.list  # noqa: E731
            case "disputes":
                listing = lambda client: client.v1.disputes.list  # noqa: E731
            case "credit_notes":
                listing = lambda client: client.v1.credit_notes.list  # noqa: E731
            case "warnings":
                listing = lambda client: client.v1.radar.early_fraud_warnings.list  # noqa: E731
            case _:
                raise ValueError(f"no list of {kind}")
        return self._page(kind, listing, _from(since, after), _returned)

    def _ours(self, events: Iterable[Json]) -> list[Notice]:
        read = [notices.from_event(event, livemode=self._livemode) for event in events]
        return [one for one in read if isinstance(one, Notice)]

    def _page[T](
        self,
        what: str,
        listing: Callable[[stripe.StripeClient], Callable[[Any], stripe.ListObject[Any]]],
        wanted: dict[str, Any],
        read: Callable[[list[Json]], list[T]],
    ) -> Page[T]:
        def page(client: stripe.StripeClient) -> Page[T]:
            found = fields.page_of(listing(client)(wanted).to_dict())
            return Page(tuple(read(found.items)), after=fields.the_id(found.items[-1]) if found.more else None)

        return self._access.answer(what, page)


def _from(since: datetime, after: str | None) -> dict[str, Any]:
    wanted: dict[str, Any] = {"created": {"gte": int(since.timestamp())}, "limit": _PAGE}
    return wanted if after is None else wanted | {"starting_after": after}


def _sessions(found: list[Json]) -> list[Listed]:
    """A subscription's session is the same order as its first invoice, if it has one, and a set-up is none."""
    return [_session(one) for one in found if one["mode"] == "payment" or _has_no_invoice(one)]


def _has_no_invoice(session: Json) -> bool:
    return session["mode"] == "subscription" and not session.get("invoice")


def _session(session: Json) -> Listed:
    """Checkout makes the payment when the buyer pays; something for nothing has none, and only when it was begun."""
    intent = session["payment_intent"]
    return Listed(fields.the_id(session), _instant((intent or session)["created"]))


def _invoices(found: list[Json]) -> list[Listed]:
    return [_invoice(one) for one in found]


def _returned(found: list[Json]) -> list[Listed]:
    return [Listed(_leads_on(one), _instant(one["created"])) for one in found]


def _leads_on(thing: Json) -> str:
    """What an order is found by: its payment, or a credit note's invoice."""
    found = (fields.id_in(thing.get(name)) for name in ("invoice", "payment_intent", "charge"))
    return next(filter(None, found), None) or fields.the_id(thing)


def _invoice(invoice: Json) -> Listed:
    paid_at = invoice["status_transitions"]["paid_at"]
    return Listed(fields.the_id(invoice), _instant(invoice["created"] if paid_at is None else paid_at))


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
