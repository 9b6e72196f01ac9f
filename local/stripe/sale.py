"""What a test asks the Stripe stand-in to sell."""

from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from local.stripe.objects import Json

_MOST_LINES = 1_000  # More than Stripe lets a seller make, so that many pages can be tried.

Mode = Literal["payment", "setup", "subscription"]


PaymentStatus = Literal["paid", "unpaid", "no_payment_required"]


@dataclass(frozen=True, slots=True)
class Sale:
    """
    How a session ends. `session` pays an open one; else a session is made, with the id `new_id` if one is given.

    Its lines are the default prices of `products` (ids), gone round until there are `lines` of them; without
    products, `lines` new ones whose metadata is `metadata`. Each is bought `quantity` times; `discount` is taken
    off the whole. `late` is completed now, paid days later. `invoice_creation` has Checkout write an invoice for
    a single payment. Mode subscription may begin with `trial_days` for nothing, and its first invoice may have
    `once_products`, which are billed once. `account` is a connected account. `locale` is what
    the buyer reads: the session's, or its customer's where there is one. `livemode` None is the stand-in's own mode.
    """

    email: str = "buyer@example.com"
    email_none: bool = False
    session: str | None = None
    new_id: str | None = None
    products: list[str] | None = None
    once_products: list[str] | None = None
    lines: int | None = None
    quantity: int = 1
    metadata: dict[str, str] = field(default_factory=dict)
    mode: Mode = "payment"
    payment_status: PaymentStatus | None = None
    discount: int = 0
    trial_days: int = 0
    late: bool = False
    invoice_creation: bool = False
    payment_link: bool = False
    locale: str | None = None
    livemode: bool | None = None
    account: str | None = None

    @classmethod
    def read(cls, raw: Json) -> "Sale":
        """Raises ValueError with what is wrong: a misspelt field that does nothing would make a test lie."""
        if unknown := set(raw) - {f.name for f in fields(cls)}:
            raise ValueError(f"a sale has no field {sorted(unknown)}")
        sale = cls(**raw)
        if sale.mode not in get_args(Mode):
            raise ValueError(f"mode is one of {get_args(Mode)}")
        if sale.payment_status not in (None, *get_args(PaymentStatus)):
            raise ValueError(f"payment_status is one of {get_args(PaymentStatus)}")
        if sale.lines is not None and not 1 <= sale.lines <= _MOST_LINES:
            raise ValueError(f"lines is 1 to {_MOST_LINES}")
        if sale.quantity < 1 or sale.discount < 0 or sale.trial_days < 0:
            raise ValueError("quantity is at least 1, discount and trial_days at least 0")
        if sale.mode != "subscription" and (sale.trial_days or sale.once_products):
            raise ValueError("trial_days and once_products belong to mode subscription")
        if sale.mode != "payment" and sale.invoice_creation:
            raise ValueError("invoice_creation belongs to mode payment")
        return sale
