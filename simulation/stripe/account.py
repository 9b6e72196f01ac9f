"""
What there is in the seller's account at Stripe, at the level of what Paidshare asks for.

Stripe's law: an object is what it is now, whatever was told of it; an event may be told twice, late, out of order, or
never be made (docs.stripe.com/webhooks/handle-irrecoverable-events). `tests/simulation/test_stripe.py` holds all of
this to the stand-in and the real SDK.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from paidshare.orders import Line

DAY_S = 24 * 3600.0
STRIPE_S_CLOCKS_APART_S = 2.0
"""An event may say that it was made so much earlier or later: by another machine than the one that is read."""
PERIOD_S = 7 * DAY_S
"""Every plan repeats weekly: a month of simulated time has several renewals."""


@dataclass(frozen=True, slots=True)
class Product:
    """What is for sale. `files` are the names that the buyer gets; none for what is not ours."""

    id: str
    name: str
    price: int
    files: tuple[str, ...]
    metadata: dict[str, str]


@dataclass(slots=True)
class Refund:
    id: str
    amount: int
    at: float
    failed: bool = False


@dataclass(slots=True)
class Dispute:
    id: str
    status: str
    at: float


@dataclass(slots=True)
class Intent:
    """A payment with its charge, and what became of the money."""

    id: str
    amount: int
    status: str
    at: float
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    warned_at: float | None = None
    """When the card's issuer warned of fraud."""
    is_actionable: bool = False
    """Whether that warning still calls for action: the money is not on its way back."""
    is_called_safe: bool = False
    """The seller has told Stripe that it is no fraud."""

    @property
    def is_warned(self) -> bool:
        return self.is_actionable and not self.is_called_safe

    @property
    def refunded(self) -> int:
        return sum(one.amount for one in self.refunds if not one.failed)


@dataclass(slots=True)
class Session:
    """
    A Checkout Session that the buyer completed at `at`. `ruled` is what the seller wishes, whatever Stripe says: `end`,
    `hold`, or nothing.
    """

    id: str
    mode: str
    at: float
    lines: tuple[Line, ...]
    paid: bool
    intent: Intent | None = None
    invoice: "Invoice | None" = None
    subscription: "Subscription | None" = None
    paid_at: float | None = None
    ruled: str = ""
    taken_back_at: float | None = None
    """When the seller first ended it or put it on hold."""

    @property
    def total(self) -> int:
        return sum(line.amount or 0 for line in self.lines)


@dataclass(slots=True)
class Invoice:
    """
    `notes` are credit notes (id, when) that gave `credited` to a balance, `credited_lines` in full. `ruled` as a
    session's.
    """

    id: str
    at: float
    lines: tuple[Line, ...]
    status: str
    intent: Intent | None
    subscription: "Subscription | None" = None
    paid_at: float | None = None
    credited: int = 0
    credited_lines: tuple[str, ...] = ()
    notes: list[tuple[str, float]] = field(default_factory=list)
    ruled: str = ""
    taken_back_at: float | None = None
    """When the seller first ended it or put it on hold."""

    @property
    def total(self) -> int:
        return sum(line.amount or 0 for line in self.lines)


@dataclass(slots=True)
class Subscription:
    """One product that repeats. `unbilled` is the plan before the last change, until an invoice gives it back."""

    id: str
    product: Product
    period_end: float
    status: str = "active"
    ended_at: float | None = None
    invoices: list[Invoice] = field(default_factory=list)
    unbilled: Line | None = None
    changed_at: float | None = None
    ended_on_hold: bool = False
    resumed_at: float | None = None

    @property
    def item_id(self) -> str:
        return f"si_{self.id}"


type AnOrder = Session | Invoice


@dataclass(frozen=True, slots=True)
class Event:
    """*type* about the object *about*, made at *at*. `thing` is the object's own id."""

    id: str
    type: str
    about: str
    at: float
    thing: str


@dataclass(slots=True)
class Purchase:
    """What one buyer bought, with everything that came of it."""

    number: int
    email: str | None
    at: float
    session: Session | None = None
    subscription: Subscription | None = None
    plain: Invoice | None = None

    @property
    def orders(self) -> Iterator[AnOrder]:
        """Its orders, the oldest first. A session in mode subscription is the same order as its first invoice."""
        if self.session is not None and self.session.invoice is None:
            yield self.session
        if self.plain is not None:
            yield self.plain
        if self.subscription is not None:
            yield from self.subscription.invoices

    @property
    def intents(self) -> Iterator[Intent]:
        for order in self.orders:
            if order.intent is not None:
                yield order.intent


@dataclass(slots=True)
class Account:
    """All purchases and events; `by_id` finds a purchase by the id of anything in it."""

    purchases: dict[int, Purchase] = field(default_factory=dict)
    by_id: dict[str, Purchase] = field(default_factory=dict)
    orders: dict[str, AnOrder] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    """Both the oldest first."""
    events: list[Event] = field(default_factory=list)
    """The oldest first."""
    returned: list[tuple[float, str, str, str]] = field(default_factory=list)
    """Money that went back, or may, the oldest first: when, in which list, its id, and what leads to its order."""

    def add(self, purchase: Purchase) -> None:
        self.purchases[purchase.number] = purchase

    def keep(self, purchase: Purchase, *things: AnOrder | Intent | Refund | Dispute | Subscription | None) -> None:
        """From now on each of *things* is found."""
        for thing in things:
            if thing is None:
                continue
            self.by_id[thing.id] = purchase
            if isinstance(thing, Session | Invoice):
                self.orders[thing.id] = thing
            if isinstance(thing, Session):
                self.sessions.append(thing)
            elif isinstance(thing, Invoice):
                self.invoices.append(thing)
