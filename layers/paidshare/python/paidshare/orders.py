"""The values everything passes around: what was bought, what is delivered. No behaviour beyond their own shape."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line of an order as Stripe has it. `metadata` is the product's, untouched.

    `id` is Stripe's and never changes (`li_…`, `il_…`). `amount` is what this line cost after its discounts, in the
    currency's smallest unit; None when Stripe does not say, negative for a credit. `period_end` is the end of the
    subscription period that the line pays for, None for anything bought once. `deleted`: the product was deleted in
    Stripe, and its metadata with it. `credit`: the line gives money back for something else (a changed plan), for the
    lines `credits` (their ids, on whatever invoice of the subscription) where Stripe names them. `prorated`: the line
    is for a part of a period, because the plan was changed within it. `added`: Stripe has not billed the line yet, but
    the subscription that the invoice pays for has it already.
    """

    product_id: str
    product_name: str
    quantity: int
    metadata: dict[str, str] = field(default_factory=dict)
    id: str = ""
    amount: int | None = None
    period_end: datetime | None = None
    deleted: bool = False
    credit: bool = False
    credits: tuple[str, ...] = ()
    prorated: bool = False
    added: bool = False


@dataclass(frozen=True, slots=True)
class Payment:
    """
    Money that was asked for, or came, for an order: one PaymentIntent with its charge and what became of it since.

    `status` is the PaymentIntent's, and like `disputes` (the status of each dispute) it may hold words we do not know.
    `amount` (what was captured) and `refunded` are in the currency's smallest unit; `refunded` leaves out refunds that
    failed, and what was reserved and never captured. `refunds`
    are the single refunds' amounts in the order they were made, without those that failed. `fraud_warning`: the card's
    issuer warns of fraud, nothing came of it yet, and the seller did not call the payment safe. `at` is when its
    charge was made, which with a bank debit is days before the money is there; None before the first attempt.
    `receipt_url` is the page that Stripe has for the buyer about it, empty where there is none.
    """

    id: str
    status: str
    amount: int = 0
    refunded: int = 0
    refunds: tuple[int, ...] = ()
    disputes: tuple[str, ...] = ()
    fraud_warning: bool = False
    at: datetime | None = field(default=None, compare=False)
    receipt_url: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Subscription:
    """
    The subscription that an order belongs to. `status` is Stripe's own word, `ended_at` when it was over for good, as
    far as Stripe says.
    """

    id: str
    status: str
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sale:
    """
    What a letter shows of the purchase beside its products, as far as Stripe says: when it was made, the ISO code of
    the `currency` (lower case), Stripe's page about the payment (`receipt_url`, an https:// address), and whether it is
    a further period of a subscription. `locales` are tags for what the buyer reads, best first.
    """

    made_at: datetime | None = None
    currency: str = ""
    receipt_url: str = field(default="", repr=False)
    renewal: bool = False
    locales: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """
    The truth about one order at Stripe, at the moment it was fetched.

    An order is a Checkout Session (`cs_…`) or an invoice (`in_…`). `mode` is the session's (payment, setup,
    subscription), or `invoice`. `status` and `payment_status` are Stripe's own words and may be words we do not know
    yet; an invoice has its status in both. `email` is where the buyer asked for the goods, or what the seller corrected
    it to (`corrected`); None when Stripe has none.
    `total` is what was to be paid, in the currency's smallest unit, after discounts and credit notes; None when Stripe
    does not say. `created_at` is when an invoice was made, `paid_at` when it was paid; None for sessions.
    `credited` is what credit notes gave back after the payment other than by refunds (to a balance, or outside of
    Stripe), `credited_lines` are the ids of the lines that they cover in full. `later` are the lines of the invoices of
    the same subscription that were paid since, of each that gives anything back. `sale` decides nothing.
    `same_as` is the id under which this purchase is kept when that is another one: the first invoice of a session in
    mode subscription, the session of an invoice that Checkout wrote for a single payment.
    `as_of` is a moment by Stripe's own clock after which all of this was read: whatever Stripe had done before is in
    it. None where Stripe did not say what time it was.
    """

    id: str
    livemode: bool
    mode: str
    status: str | None
    payment_status: str
    email: str | None
    lines: tuple[Line, ...]
    total: int | None = None
    paid_at: datetime | None = None
    payments: tuple[Payment, ...] = ()
    subscription: Subscription | None = None
    same_as: str | None = None
    created_at: datetime | None = None
    credited: int = 0
    credited_lines: tuple[str, ...] = ()
    later: tuple[tuple[Line, ...], ...] = ()
    sale: Sale = field(default_factory=Sale, compare=False)
    corrected: bool = False
    as_of: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Goods:
    """
    What one line delivers: nodes (files or folders) of one Fast.io workspace, and for how many days. `product_id` is
    for the person who has to mend what is wrong with them. For `access_days` after the first letter a share that has
    run out is made anew when the buyer asks; None for life.
    """

    product_name: str
    workspace: str
    nodes: tuple[str, ...]
    link_days: int
    product_id: str = ""
    access_days: int | None = None


@dataclass(frozen=True, slots=True)
class ShareFile:
    """A file that is in a share: what the letter lists. `size` is in bytes, None when Fast.io does not say."""

    name: str
    size: int | None


@dataclass(frozen=True, slots=True)
class ShareRequest:
    """
    The share that an order should have. The same order always asks for the same `name`, until that share is gone.

    `name` is 10 to 80 letters and digits, `title` 2 to 80 characters, `expires_at` aware UTC.

    `share_id` is the share that the ledger has for the order: while it exists it is that one, whatever it is called,
    because a name is made of a key that may have changed; where it does not exist any more, the next one is
    `next_name`'s, as the name of a deleted share may stay taken. `last_end` is the end that we gave it last: one that
    ends later was prolonged by a person.
    """

    order_id: str
    name: str
    title: str
    expires_at: datetime
    goods: tuple[Goods, ...]
    share_id: str | None = None
    last_end: datetime | None = None
    next_name: str = ""

    @property
    def own_name(self) -> str:
        """What the share is called where the ledger's does not exist."""
        return self.next_name if self.share_id is not None and self.next_name else self.name


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
    """
    A letter before any sender sees it. Personal: never logged.

    `kind` is the value of its `letters.Kind`. `mark` tells it from every other letter of its order in SES's events.
    `follows` is the provider's id of the order's letter before it, None where there is none, or nobody knows it.
    """

    to: str
    subject: str
    text: str
    html: str
    kind: str = ""
    mark: str = ""
    follows: str | None = None
