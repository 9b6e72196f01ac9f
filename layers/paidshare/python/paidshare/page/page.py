"""
Use case: the page of an order, for its buyer.

Looking changes nothing. The one thing that can be asked for is a share that the buyer has access to anyway: whoever
opens, submits or repeats whatever is found here (link scanners do) makes, at most, that. Unknown and refused look
alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paidshare import wishes
from paidshare.errors import FileMissing, NeedsAPerson, OrderUnknown, ShareRefused, TryAgain
from paidshare.notices import LOOK, Notice
from paidshare.orders import Order
from paidshare.page import rendering, tokens
from paidshare.page.ports import Opened, PageFile, Ports
from paidshare.page.rendering import Content, Page
from paidshare.page.showing import Showing, Shows, showing
from paidshare.page.tokens import Purpose
from paidshare.progress import Progress
from paidshare.states import State
from paidshare.text import one_line
from paidshare.wishes import Wants

_MOST_ASKED = 20
"""So many times a page without JavaScript comes back by itself for a share that was asked for: three minutes."""


@dataclass(frozen=True, slots=True)
class Request:
    """
    What a browser asks for. `token` is the address's, None at the address without one, where `cookie` counts; `form` is
    what a posted form has, None for a look. `plain`: only what the page would be is asked for.
    """

    token: str | None = None
    session_id: str | None = None
    cookie: str = ""
    form: str | None = None
    asked: int = 0
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What the browser gets, and for the log the fact and its ids. `to` leads elsewhere; `cookie` is a token to keep.
    """

    status: int
    page: Page
    fact: str
    to: str | None = None
    cookie: str | None = None
    order_id: str | None = None
    fields: Mapping[str, object] = field(default_factory=dict)


def respond(request: Request, ports: Ports) -> Answer:
    """The answer to *request*. Raises nothing that a provider may be to blame for."""
    try:
        if request.form is not None:
            return _asked(request, ports)
        if request.session_id is not None:
            return _from_checkout(request.session_id, ports)
        return _looked_at(request, ports)
    except (TryAgain, NeedsAPerson) as error:
        return Answer(503, rendering.out_of_reach(), "page_out_of_reach", fields={"reason": error.reason})


def _refused() -> Answer:
    return Answer(404, rendering.unknown(), "page_refused")


# --- From Checkout --------------------------------------------------------------------------------------


def _from_checkout(session_id: str, ports: Ports) -> Answer:
    """
    The session's id becomes a cookie, and leaves the address bar. An order that the ledger has not heard of is asked
    for, as Stripe advises (docs.stripe.com/checkout/fulfillment): its event may be late.
    """
    if not tokens.is_session_id(session_id):
        return _refused()
    if ports.ledger.seen(session_id) is None:
        try:
            ports.payments.order(session_id)
        except OrderUnknown:
            return _refused()
        now = ports.clock()
        ports.queue.ask([Notice("stripe", f"page:{session_id}", LOOK, session_id, now)])
    kept = tokens.token(ports.link_key(), session_id, Purpose.CHECKOUT)
    return Answer(303, rendering.elsewhere(), "page_from_checkout", ports.path, kept, session_id)


# --- The share ------------------------------------------------------------------------------------------


def _asked(request: Request, ports: Ports) -> Answer:
    """A form asks for the share. It is asked for once more by whoever repeats it, and that changes nothing."""
    key = ports.link_key()
    to = tokens.opened(key, request.form or "", Purpose.FORM)
    if to is None:
        return _refused()
    order_id, progress = _found(to, ports)
    now = ports.clock()
    seen = showing(progress, now=now)
    if seen is not None and seen.shows in (Shows.READY, Shows.RAN_OUT) and seen.share_id is None:
        account = progress.account if progress else None
        notice = Notice("stripe", f"page:{order_id}", wishes.why(Wants.OPEN), order_id, now, account)
        ports.queue.ask([notice])
    from_checkout = tokens.opened(key, request.cookie, Purpose.CHECKOUT) == to
    back = ports.path if from_checkout else f"{ports.path}/{tokens.token(key, to)}"
    return Answer(303, rendering.elsewhere(), "page_asked", f"{back}?asked=1", order_id=order_id)


# --- Looking --------------------------------------------------------------------------------------------


def _looked_at(request: Request, ports: Ports) -> Answer:
    key = ports.link_key()
    to = (
        tokens.opened(key, request.cookie, Purpose.CHECKOUT)
        if request.token is None
        else tokens.opened(key, request.token)
    )
    if to is None:
        return _refused()
    order_id, progress = _found(to, ports)
    now = ports.clock()
    seen = showing(progress, now=now, asked=0 < request.asked <= _MOST_ASKED)
    if seen is None:
        return _refused()
    fields = {"shows": str(seen.shows)}
    if request.plain:
        return Answer(200, rendering.plain(seen.stamp), "page_polled", order_id=order_id, fields=fields)
    content = _content(order_id, progress, seen, ports)
    path = ports.path if request.token is None else f"{ports.path}/{request.token}"
    page = rendering.page(
        content, path=ports.path, here=path, form=tokens.token(key, to, Purpose.FORM), asked=request.asked
    )
    return Answer(200, page, "page_shown", order_id=order_id, fields=fields)


def _found(order_id: str, ports: Ports) -> tuple[str, Progress | None]:
    """The order under which the purchase is kept, and its progress."""
    progress = ports.ledger.seen(order_id)
    if progress is not None and progress.state is State.ELSEWHERE and progress.reason:
        return progress.reason, ports.ledger.seen(progress.reason)
    return order_id, progress


def _content(order_id: str, progress: Progress | None, seen: Showing, ports: Ports) -> Content:
    """What a provider does not say now is left out: the page is there without it."""
    order = _order(order_id, progress, ports)
    opened = _opened(seen, ports)
    if seen.share_id is not None and opened is None:
        # Fast.io has no such open share, whatever the ledger says: the buyer asks for one.
        seen = Showing(Shows.READY)
    files = opened.files if opened else _files(progress, seen, ports)
    ends_at = progress.share.ends_at if progress and progress.share else None
    return Content(
        seen,
        order_id[-8:],
        products=_products(order, progress),
        email=order.email if order else None,
        letters=ports.mail_log.facts(order_id),
        opened=opened,
        files=files,
        until=ends_at,
        lasts=progress is not None and ends_at is not None and any(one.lasts(ends_at) for one in progress.grants),
        stamp=seen.stamp,
    )


def _products(order: Order | None, progress: Progress | None) -> tuple[str, ...]:
    """What of it is ours, as far as that is settled."""
    ours = {grant.line for grant in progress.grants} if progress else set()
    lines = order.lines if order else ()
    return tuple(dict.fromkeys(one_line(line.product_name) for line in lines if not ours or line.id in ours))


def _order(order_id: str, progress: Progress | None, ports: Ports) -> Order | None:
    try:
        return ports.payments.order(order_id, account=progress.account if progress else None)
    except (TryAgain, NeedsAPerson):
        return None


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
