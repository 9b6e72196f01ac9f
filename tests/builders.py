"""Values that are valid as they come: a test says only what matters to it."""

from datetime import UTC, datetime, timedelta

from paidshare.notices import Notice
from paidshare.orders import Goods, Line, Order, Share, ShareFile
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
) -> Line:
    """A line that delivers two files for the shop's usual time. `metadata={}` makes it nobody's business."""
    if metadata is None:
        metadata = {"fastio_workspace": "shop", "fastio_files": "file-forest,file-notes"}
    return Line(product_id, product_name, quantity, metadata)


def an_order(
    *,
    order_id: str = "cs_test_1",
    livemode: bool = False,
    mode: str = "payment",
    status: str | None = "complete",
    payment_status: str = "paid",
    email: str | None = BUYER,
    payment_intent: str | None = "pi_1",
    total: int | None = 1_900,
    lines: tuple[Line, ...] | None = None,
) -> Order:
    """Paid, in test mode, of one product."""
    return Order(
        id=order_id,
        livemode=livemode,
        mode=mode,
        status=status,
        payment_status=payment_status,
        email=email,
        payment_intent=payment_intent,
        total=total,
        lines=(a_line(),) if lines is None else lines,
    )


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
