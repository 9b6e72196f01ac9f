"""Values that are valid as they come: a test says only what matters to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from paidshare.delivering.entitlement import Policy
from paidshare.notices import Notice
from paidshare.orders import Goods, Line, Order, Payment, Share, ShareFile, Subscription
from paidshare.secret import Secret

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WEBHOOK_SECRET = "whsec_5p1nmAk3rSfavourite5ecretF0rTests"
LINK_KEY = "k" * 64
SENDER = "shop@example.com"
BUYER = "ada@example.com"
LINK = "https://go.fast.io/shared/o234567abcdefghijklmnopqrstuvwxyz"


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
) -> Notice:
    return Notice(source=source, event_id=event_id, why=why, about=about, at=at, account=account)


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
