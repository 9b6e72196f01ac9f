"""What is on an order's page: from the ledger's word, and what Stripe and Fast.io say of it now."""

from paidshare.errors import FileMissing, NeedsAPerson, ShareRefused, TryAgain
from paidshare.orders import Order
from paidshare.page import correcting
from paidshare.page.ports import Opened, PageFile, Ports
from paidshare.page.rendering import Content
from paidshare.page.showing import Showing, Shows
from paidshare.progress import Progress
from paidshare.storefront.languages import best
from paidshare.text import one_line


def content(
    order_id: str, progress: Progress | None, seen: Showing, ports: Ports, *, languages: tuple[str, ...], asked: bool
) -> Content:
    """
    In the buyer's language, as the letters are; where Stripe does not say, in the first of *languages* (tags). What a
    provider does not say now is left out: the page is there without it. *asked*: it was just now asked to correct the
    address. Raises LedgerUnavailable, SecretUnavailable.
    """
    known, opened = order(order_id, progress, ports), _opened(seen, ports)
    if seen.share_id is not None and opened is None:
        # Fast.io has no such open share, whatever the ledger says: the buyer asks for one.
        seen = Showing(Shows.READY)
    ends_at = progress.share.ends_at if progress and progress.share else None
    return Content(
        seen,
        order_id[-8:],
        products=_products(known, progress),
        email=correcting.address(ports.link_key(), order_id, progress, known),
        letters=correcting.news(progress, ports.mail_log.facts(order_id)),
        opened=opened,
        files=opened.files if opened else _files(progress, seen, ports),
        until=ends_at,
        lasts=progress is not None and ends_at is not None and any(one.lasts(ends_at) for one in progress.grants),
        language=best((*(known.sale.locales if known else ()), *languages)),
        twice_of=progress.twice_of[-8:] if progress and progress.twice_of else None,
        says=correcting.says(progress, seen, known, asked=asked),
    )


def order(order_id: str, progress: Progress | None, ports: Ports) -> Order | None:
    """The order as Stripe has it; None where it does not say now."""
    try:
        return ports.payments.order(order_id, account=progress.account if progress else None)
    except (TryAgain, NeedsAPerson):
        return None


def _products(order: Order | None, progress: Progress | None) -> tuple[str, ...]:
    """What of it is ours, as far as that is settled."""
    ours = {grant.line for grant in progress.grants} if progress else set()
    lines = order.lines if order else ()
    return tuple(dict.fromkeys(one_line(line.product_name) for line in lines if not ours or line.id in ours))


def _opened(seen: Showing, ports: Ports) -> Opened | None:
    if seen.share_id is None:
        return None
    try:
        return ports.share_files.inside(seen.share_id)
    except (FileMissing, ShareRefused):
        return None


def _files(progress: Progress | None, seen: Showing, ports: Ports) -> tuple[PageFile, ...]:
    if progress is None or seen.shows not in (Shows.READY, Shows.RAN_OUT):
        return ()
    try:
        return ports.share_files.of(progress.grants)
    except (TryAgain, NeedsAPerson):
        return ()
