"""The values everything passes around: what was bought, what is delivered. No behaviour beyond their own shape."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order as Stripe has it. `metadata` is the product's, untouched."""

    product_id: str
    product_name: str
    quantity: int
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """
    The truth about one order at Stripe, at the moment it was fetched.

    `mode`, `status` and `payment_status` are Stripe's own words and may be words we do not know yet.
    `email` is where the buyer asked for the goods; None when Stripe has none. `total` is what was to be paid, in the
    currency's smallest unit, after discounts; None when Stripe does not say.
    """

    id: str
    livemode: bool
    mode: str
    status: str | None
    payment_status: str
    email: str | None
    payment_intent: str | None
    lines: tuple[Line, ...]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Goods:
    """What one line delivers: nodes (files or folders) of one Fast.io workspace, and for how many days."""

    product_name: str
    workspace: str
    nodes: tuple[str, ...]
    link_days: int


@dataclass(frozen=True, slots=True)
class ShareFile:
    """A file that is in a share: what the letter lists. `size` is in bytes, None when Fast.io does not say."""

    name: str
    size: int | None


@dataclass(frozen=True, slots=True)
class ShareRequest:
    """
    The share that an order should have. The same order always asks for the same `name`.

    `name` is 10 to 80 letters and digits, `title` 2 to 80 characters, `expires_at` aware UTC.
    """

    order_id: str
    name: str
    title: str
    expires_at: datetime
    goods: tuple[Goods, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A share that exists, complete. `link` is what the buyer opens: never logged."""

    id: str
    name: str
    link: str
    expires_at: datetime
    files: tuple[ShareFile, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter before any sender sees it. Personal: never logged."""

    to: str
    subject: str
    text: str
    html: str
