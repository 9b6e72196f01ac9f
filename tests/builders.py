"""Values that are valid as they come: a test says only what matters to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from paidshare.grants import KnownShare
from paidshare.notices import Notice
from paidshare.orders import Goods, Line, Order, Payment, Share, ShareFile, Subscription
from paidshare.page import tokens
from paidshare.progress import LastLetter, LetterInFlight, Progress, Said, SentLetter
from paidshare.secret import Secret
from paidshare.settings import Policy
from paidshare.states import Told
from paidshare.wishes import Answered

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WEBHOOK_SECRET = "whsec_5p1nmAk3rSfavourite5ecretF0rTests"
LINK_KEY = "k" * 64
PAGE_URL = "https://api.example/order"
SENDER = "shop@example.com"
BUYER = "ada@example.com"
LINK = "https://go.fast.io/shared/o234567abcdefghijklmnopqrstuvwxyz"


def page_of(order_id: str, edition: int = 0) -> str:
    """Where the order's page is."""
    return tokens.address(PAGE_URL, lambda: LINK_KEY, order_id, edition)


def a_line(
    *,
    product_id: str = "prod_1",
    product_name: str = "Field Recordings",
    quantity: int = 1,
    metadata: dict[str, str] | None = None,
    line_id: str = "",
    amount: int | None = 1_900,
    period_end: datetime | None = None,
    deleted: bool = False,
) -> Line:
    """A line that delivers two files for the shop's usual time. `metadata={}` makes it nobody's business."""
    if metadata is None:
        metadata = {"fastio_workspace": "shop", "fastio_files": "file-forest,file-notes"}
    return Line(
        product_id=product_id,
        product_name=product_name,
        quantity=quantity,
        metadata=metadata,
        id=line_id or f"li_{product_id}",
        amount=amount,
        period_end=period_end,
        deleted=deleted,
    )


def a_payment(
    *,
    payment_id: str = "pi_1",
    status: str = "succeeded",
    amount: int = 1_900,
    refunds: tuple[int, ...] = (),
    disputes: tuple[str, ...] = (),
    fraud_warning: bool = False,
) -> Payment:
    """Money that came, and stayed unless `refunds` say otherwise."""
    return Payment(payment_id, status, amount, sum(refunds), refunds, disputes, fraud_warning)


def an_order(
    *,
    order_id: str = "cs_test_1",
    livemode: bool = False,
    mode: str = "payment",
    status: str | None = "complete",
    payment_status: str = "paid",
    email: str | None = BUYER,
    payments: tuple[Payment, ...] | None = None,
    total: int | None = 1_900,
    lines: tuple[Line, ...] | None = None,
    subscription: Subscription | None = None,
    same_as: str | None = None,
) -> Order:
    """Paid, in test mode, of one product."""
    return Order(
        id=order_id,
        livemode=livemode,
        mode=mode,
        status=status,
        payment_status=payment_status,
        email=email,
        payments=(a_payment(),) if payments is None else payments,
        total=total,
        lines=(a_line(),) if lines is None else lines,
        subscription=subscription,
        same_as=same_as,
    )


def an_invoice(
    *,
    order_id: str = "in_1",
    status: str = "paid",
    subscription: str | None = "active",
    period_end: datetime = NOW + timedelta(days=30),
    lines: tuple[Line, ...] | None = None,
    payments: tuple[Payment, ...] | None = None,
) -> Order:
    """A paid invoice of a subscription (whose status is *subscription*; None for an invoice without one)."""
    if lines is None:
        lines = (a_line(period_end=period_end if subscription else None),)
    return an_order(
        order_id=order_id,
        mode="invoice",
        status=status,
        payment_status=status,
        lines=lines,
        payments=payments,
        subscription=Subscription("sub_1", subscription) if subscription else None,
    )


def a_policy(**choices: Any) -> Policy:
    """The seller's choices as the template has them."""
    return Policy(**({"livemode": False, "link_days": 7} | choices))


def a_notice(
    *,
    source: str = "stripe",
    event_id: str = "evt_1",
    why: str = "checkout.session.completed",
    about: str = "cs_test_1",
    at: datetime = NOW,
    account: str | None = None,
    created: datetime | None = None,
) -> Notice:
    return Notice(source=source, event_id=event_id, why=why, about=about, at=at, account=account, created=created)


def some_goods(
    *,
    product_name: str = "Field Recordings",
    workspace: str = "shop",
    nodes: tuple[str, ...] = ("file-forest", "file-notes"),
    link_days: int = 7,
) -> Goods:
    return Goods(product_name=product_name, workspace=workspace, nodes=nodes, link_days=link_days)


def a_share(
    *,
    share_id: str = "5000000000000000001",
    name: str = "o234567abcdefghijklmnopqrstuvwxyz",
    link: str = LINK,
    expires_at: datetime = NOW + timedelta(days=7),
    files: tuple[ShareFile, ...] = (ShareFile("forest.wav", 48_000_000), ShareFile("notes.pdf", 120_000)),
) -> Share:
    return Share(id=share_id, name=name, link=link, expires_at=expires_at, files=files)


def a_secret(*, stripe_webhook_secrets: tuple[str, ...] = (WEBHOOK_SECRET,), link_key: str = LINK_KEY) -> Secret:
    return Secret(
        stripe_api_key="sk_test_key",
        stripe_webhook_secrets=stripe_webhook_secrets,
        fastio_api_key="fastio_key",
        fastio_webhook_secrets=("fastio_webhook_secret_for_tests",),
        link_key=link_key,
    )


class Row(NamedTuple):
    """An order's progress as a person reads it in the ledger: the attributes' names, all at one level."""

    share_id: str | None = None
    share_expires_at: datetime | None = None
    closed_at: datetime | None = None
    switching: bool = False
    holds: tuple[str, ...] = ()
    told: Told | None = None
    given: tuple[str, ...] = ()
    mailed_at: datetime | None = None
    message_id: str | None = None
    unsure: bool = False
    mailing: str | None = None
    mailing_lines: tuple[str, ...] = ()
    mailing_why: str | None = None
    mailing_at: datetime | None = None
    sent_at: datetime | None = None
    sent_mark: str | None = None
    sent_kind: str | None = None
    resent: str | None = None
    resent_outcome: str | None = None


def a_row(progress: Progress) -> Row:
    share, letter, doubt = progress.share, progress.last_letter, progress.in_flight
    found = Row()
    if share is not None:
        found = found._replace(share_id=share.id, share_expires_at=share.ends_at, closed_at=share.closed_at)
        found = found._replace(switching=share.switching, holds=share.holds)
    if letter is not None:
        found = found._replace(told=letter.told, given=letter.given, mailed_at=letter.mailed_at)
        found = found._replace(message_id=letter.message_id, unsure=letter.unsure)
    if doubt is not None:
        found = found._replace(mailing=doubt.said.kind, mailing_lines=doubt.said.lines)
        found = found._replace(mailing_why=doubt.said.why, mailing_at=doubt.at)
    if progress.sent is not None:
        found = found._replace(sent_at=progress.sent.at, sent_mark=progress.sent.mark, sent_kind=progress.sent.kind)
    if progress.answered:
        found = found._replace(resent=progress.answered[-1].event_id, resent_outcome=progress.answered[-1].outcome)
    return found


def a_progress(before: Progress | None = None, **changes: Any) -> Progress:
    """*before* (by default a new order) with *changes*, by the names of `Row`, or else of `Progress`."""
    before = before or Progress()
    row = a_row(before)._replace(**{name: changes.pop(name) for name in Row._fields if name in changes})
    share = letter = doubt = sent = None
    answered: tuple[Answered, ...] = before.answered[:-1]
    if row.share_id is not None or row.share_expires_at is not None:
        ends_at = row.share_expires_at or NOW
        share = KnownShare(row.share_id or "1", ends_at, row.holds, row.closed_at, row.switching)
    if row.told is not None or row.mailed_at is not None or row.given:
        letter = LastLetter(row.told or Told.ACCESS, row.given, row.mailed_at, row.message_id, row.unsure)
    if row.mailing is not None:
        said = Said(row.mailing, row.mailing_lines, row.mailing_why)
        doubt = LetterInFlight(said, row.mailing_at or NOW)
    if row.sent_at is not None:
        sent = SentLetter(row.sent_at, row.sent_mark, row.sent_kind)
    if row.resent is not None:
        answered += (Answered(row.resent, row.resent_outcome),)
    values = {"share": share, "last_letter": letter, "in_flight": doubt, "sent": sent, "answered": answered}
    return replace(before, **values | changes)
