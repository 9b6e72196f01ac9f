"""The account as Paidshare's ports ask for it: an order as it is now, what belongs to which, and Stripe's lists."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from paidshare import orders
from paidshare.delivering.ports import Live, none_live
from paidshare.errors import OrderUnknown, StripeUnavailable
from paidshare.notices import Notice
from paidshare.orders import Line, Order, Payment
from paidshare.sweeping.rounds import Listed, Page
from simulation.clock import aware
from simulation.keys import Keys
from simulation.outside import Outside
from simulation.stripe.account import Account, AnOrder, Event, Intent, Invoice, Session, Subscription

_PAGE = 100
_WAIT_FOR_A_KEY_S = 300.0
"""As the real adapter asks for (payments_stripe/access.py)."""


def read(order: AnOrder, email: str | None, *, fraud_warnings: bool = True) -> Order:
    """The order, as the real adapter reads it off Stripe's answer, where it asks for *fraud_warnings* or not."""
    payments = () if order.intent is None else (_payment(order.intent, fraud_warnings=fraud_warnings),)
    if isinstance(order, Session):
        return Order(
            id=order.id,
            livemode=False,
            mode=order.mode,
            status="complete",
            payment_status=_payment_status(order),
            email=email,
            lines=order.lines,
            total=order.total,
            payments=payments,
            same_as=order.invoice.id if order.invoice is not None else None,
        )
    subscription = order.subscription
    return Order(
        id=order.id,
        livemode=False,
        mode="invoice",
        status=order.status,
        payment_status=order.status,
        email=email,
        lines=(*order.lines, *_added(order, subscription)),
        total=order.total,
        payments=payments,
        paid_at=None if order.paid_at is None else aware(int(order.paid_at)),
        created_at=aware(int(order.at)),
        subscription=None if subscription is None else _subscription(subscription),
        credited=order.credited,
        credited_lines=order.credited_lines,
        later=() if subscription is None else tuple(_later(order, subscription)),
    )


def _payment_status(session: Session) -> str:
    if not session.total:
        return "no_payment_required"
    return "paid" if session.paid else "unpaid"


def _payment(intent: Intent, *, fraud_warnings: bool) -> Payment:
    kept = tuple(one.amount for one in intent.refunds if not one.failed)
    return Payment(
        id=intent.id,
        status=intent.status,
        amount=intent.amount,
        refunded=sum(kept),
        refunds=kept,
        disputes=tuple(one.status for one in intent.disputes),
        fraud_warning=fraud_warnings and intent.is_warned,
    )


def _subscription(subscription: Subscription) -> orders.Subscription:
    ended = subscription.ended_at
    return orders.Subscription(subscription.id, subscription.status, None if ended is None else aware(int(ended)))


def _added(invoice: Invoice, subscription: Subscription | None) -> Iterator[Line]:
    """What the subscription has by now, and no invoice bills yet: the newest one knows."""
    if subscription is None or subscription.status != "active" or subscription.invoices[-1] is not invoice:
        return
    product = subscription.product
    if all(line.product_id != product.id for line in invoice.lines):
        yield Line(
            product.id,
            product.name,
            1,
            dict(product.metadata),
            f"{subscription.item_id}.{product.id}",
            None,
            aware(int(subscription.period_end)),
            added=True,
        )


def _later(invoice: Invoice, subscription: Subscription) -> Iterator[tuple[Line, ...]]:
    place = subscription.invoices.index(invoice)
    for one in reversed(subscription.invoices[place + 1 :]):
        if one.status == "paid" and any(line.credit for line in one.lines):
            yield tuple(replace(line, metadata={}) for line in one.lines)


@dataclass(frozen=True, slots=True)
class SimulatedStripe:
    """
    The ports `Payments` and `StripeLists`. `corrected` is how the seller's products are by now: their metadata. With
    `fraud_warnings` payments tell of early fraud warnings.
    """

    account: Account
    outside: Outside
    keys: Keys
    api_key: Callable[[], str]
    corrected: Callable[[Line], Line]
    fraud_warnings: bool

    def order(self, order_id: str, *, account: str | None = None) -> Order:
        del account

        def do() -> Order:
            found = self.account.orders.get(order_id)
            if found is None:
                raise OrderUnknown(f"there is no {order_id}")
            order = read(found, self.account.by_id[order_id].email, fraud_warnings=self.fraud_warnings)
            said_at = int(self.outside.clock.now)
            return replace(order, lines=tuple(map(self.corrected, order.lines)), as_of=aware(said_at))

        began = self.outside.clock.now
        order = self._ask(f"GET {order_id}", do)
        # As the real adapter does: not later than the question.
        return replace(order, as_of=order.as_of and order.as_of - timedelta(seconds=self.outside.clock.now - began))

    def orders_of(
        self, about: str, *, now: datetime, account: str | None = None, live: Live = none_live
    ) -> tuple[str, ...]:
        del account
        if about.startswith(("cs_", "in_")):
            return (about,)
        found = self._ask(f"search {about}", lambda: tuple(self._belonging(about)))
        if not about.startswith("sub_"):
            return tuple(order.id for order in found)
        paid = [one for one in reversed(found) if isinstance(one, Invoice) and one.status == "paid"]
        recent = {one.id for one in paid if _may_last(one, now)}
        old = [one.id for one in paid if one.id not in recent]
        kept = recent.union(live(old) if old else ())
        return tuple(one.id for one in paid if one.id in kept)

    def _belonging(self, about: str) -> Iterator[AnOrder]:
        purchase = self.account.by_id.get(about)
        if purchase is None:
            raise OrderUnknown(f"there is no {about}")
        for order in purchase.orders:
            intent = order.intent
            mine = intent is not None and about in _ids(intent)
            if mine or about.startswith("sub_"):
                yield order

    # --- Lists ----------------------------------------------------------------------------------------------

    def sessions(self, *, since: datetime, after: str | None) -> Page[Listed]:
        def listed(first: float) -> Iterator[tuple[float, str, Listed]]:
            for session in _since(first, self.account.sessions):
                if session.mode == "payment":
                    yield session.at, session.id, Listed(session.id, aware(int(session.at)))

        return self._page("sessions", listed, since, after)

    def invoices(self, *, since: datetime, after: str | None) -> Page[Listed]:
        def listed(first: float) -> Iterator[tuple[float, str, Listed]]:
            for invoice in _since(first, self.account.invoices):
                if invoice.paid_at is not None:
                    yield invoice.at, invoice.id, Listed(invoice.id, aware(int(invoice.paid_at)))

        return self._page("invoices", listed, since, after)

    def happened(self, types: Sequence[str], *, since: datetime, after: str | None) -> Page[Notice]:
        assert len(types) <= 20  # noqa: S101
        wanted = frozenset(types)

        def listed(first: float) -> Iterator[tuple[float, str, Notice]]:
            for one in _since(first, self.account.events):
                if one.type in wanted:
                    yield one.at, one.id, Notice("stripe", one.id, one.type, one.about, aware(int(one.at)))

        return self._page("events", listed, since, after)

    def returned(self, kind: str, *, since: datetime, after: str | None) -> Page[Listed]:
        def listed(first: float) -> Iterator[tuple[float, str, Listed]]:
            for at, its_kind, own_id, leads_to in reversed(self.account.returned):
                if at < first:
                    return
                if its_kind == kind:
                    yield at, own_id, Listed(leads_to, aware(int(at)))

        return self._page(kind, listed, since, after)

    def _page[T](
        self,
        what: str,
        listed: Callable[[float], Iterator[tuple[float, str, T]]],
        since: datetime,
        after: str | None,
    ) -> Page[T]:
        """Newest first, from *after* on."""

        def do() -> Page[T]:
            first = float(int(since.timestamp()))
            found = sorted(listed(first), key=lambda one: (one[0], one[1]), reverse=True)
            start = 0
            if after is not None:
                start = next((place for place, one in enumerate(found, start=1) if one[1] == after), -1)
                if start < 0:
                    raise OrderUnknown("there is no such object")
            shown = found[start : start + _PAGE]
            more = len(found) > start + len(shown)
            return Page(tuple(one for _, _, one in shown), after=shown[-1][1] if more else None)

        return self._ask(f"list {what}", do)

    def _ask[T](self, what: str, do: Callable[[], T]) -> T:
        def refused() -> Exception:
            return StripeUnavailable("simulated")

        def with_a_key() -> T:
            if key in self.keys.stripe:
                return do()
            self.outside.strike()
            raise StripeUnavailable("key refused", wait=_WAIT_FOR_A_KEY_S)

        key = self.api_key()
        return self.outside.call("Stripe", what, with_a_key, refused=refused)


def _since[T: (Session, Invoice, Event)](first: float, things: list[T]) -> list[T]:
    """Those made then or later, of *things* with the oldest first."""
    return things[bisect_left(things, first, key=lambda one: one.at) :]


def _ids(intent: Intent) -> list[str]:
    return [intent.id, *(one.id for one in intent.refunds), *(one.id for one in intent.disputes)]


def _may_last(invoice: Invoice, now: datetime) -> bool:
    ends: Collection[datetime] = [line.period_end or aware(int(invoice.at)) for line in invoice.lines]
    return max(ends) >= now
