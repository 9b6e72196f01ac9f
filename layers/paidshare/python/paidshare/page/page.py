"""
Use case: the page of an order, for its buyer.

Looking changes nothing. What can be asked for is a share that the buyer has access to anyway: whoever opens, submits or
repeats whatever a letter leads to (link scanners do) makes, at most, that. Who came from Checkout, and nobody else, can
also correct the address, once. Unknown and refused look alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from paidshare import wishes
from paidshare.errors import NeedsAPerson, OrderUnknown, TryAgain
from paidshare.notices import LOOK, Notice
from paidshare.page import correcting, gathering, rendering, tokens
from paidshare.page.correcting import Problem, Says
from paidshare.page.ports import Ports
from paidshare.page.rendering import Page
from paidshare.page.showing import Showing, Shows, showing
from paidshare.page.tokens import Purpose
from paidshare.progress import Progress
from paidshare.states import State
from paidshare.storefront import addresses
from paidshare.storefront.languages import best
from paidshare.wishes import Wants

_MOST_ASKED = 20
"""So many times a page without JavaScript comes back by itself for what was asked for: a minute."""


@dataclass(frozen=True, slots=True)
class Request:
    """
    What a browser asks for. `token` is the address's, None at the address without one, where `cookie` counts; `form` is
    what a posted form has, None for a look, and `address` what was written into it, None for a form without one.
    `plain`: only what the page would be is asked for. `asked` is how often it came back by itself for a share, or
    (`correcting`) for another address. `languages` are the browser's, as tags, best first.
    """

    token: str | None = None
    session_id: str | None = None
    cookie: str = ""
    form: str | None = None
    address: str | None = None
    asked: int = 0
    correcting: bool = False
    plain: bool = False
    languages: tuple[str, ...] = ()

    @property
    def is_waiting(self) -> bool:
        """Whether it was asked for something just now."""
        return 0 < self.asked <= _MOST_ASKED


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
            return _from_checkout(request, request.session_id, ports)
        return _looked_at(request, ports)
    except (TryAgain, NeedsAPerson) as error:
        page = rendering.out_of_reach(_browser_s(request, ports))
        return Answer(503, page, "page_out_of_reach", fields={"reason": error.reason})


def _refused(request: Request, ports: Ports) -> Answer:
    return Answer(404, rendering.unknown(_browser_s(request, ports)), "page_refused")


def _browser_s(request: Request, ports: Ports) -> str:
    """The language for who is not known."""
    return best((*request.languages, ports.language))


# --- From Checkout --------------------------------------------------------------------------------------


def _from_checkout(request: Request, session_id: str, ports: Ports) -> Answer:
    """
    The session's id becomes a cookie, and leaves the address bar. An order that the ledger has not heard of is asked
    for, as Stripe advises (docs.stripe.com/checkout/fulfillment): its event may be late.
    """
    if not tokens.is_session_id(session_id):
        return _refused(request, ports)
    if ports.ledger.seen(session_id) is None:
        try:
            ports.payments.order(session_id)
        except OrderUnknown:
            return _refused(request, ports)
        now = ports.clock()
        ports.queue.ask([Notice("stripe", f"page:{session_id}", LOOK, session_id, now)])
    kept = tokens.token(ports.link_key(), session_id, Purpose.CHECKOUT)
    return Answer(303, rendering.elsewhere(), "page_from_checkout", ports.path, kept, session_id)


# --- Asking ---------------------------------------------------------------------------------------------


def _asked(request: Request, ports: Ports) -> Answer:
    """A form asks for the share, or another address. Whoever repeats it asks once more, and that changes nothing."""
    key = ports.link_key()
    held = _held(key, request.form or "", Purpose.FORM)
    if held is None:
        return _refused(request, ports)
    to, edition = held
    order_id, progress = _found(to, ports)
    from_checkout = tokens.opened(key, request.cookie, Purpose.CHECKOUT) == to
    seen = showing(progress, now=ports.clock())
    if not from_checkout and edition != _edition(progress):
        return _refused(request, ports)
    back = ports.path if from_checkout else f"{ports.path}/{tokens.token(key, to, edition=edition)}"
    if request.address is not None:
        return _corrected(request, ports, _Found(to, order_id, progress, seen), from_checkout=from_checkout)
    if seen is not None and seen.shows in (Shows.READY, Shows.RAN_OUT) and seen.share_id is None:
        _wish(wishes.why(Wants.OPEN), order_id, progress, ports)
    return Answer(303, rendering.elsewhere(), "page_asked", f"{back}?asked=1", order_id=order_id)


def _corrected(request: Request, ports: Ports, found: "_Found", *, from_checkout: bool) -> Answer:
    """The wish for another address goes to the queue: whether it may be, Deliver decides with all it knows."""
    if not from_checkout or found.seen is None:
        return _refused(request, ports)
    order = gathering.order(found.order_id, found.progress, ports)
    if correcting.says(found.progress, found.seen, order) is Says.OFFERED:
        address = (request.address or "").strip()
        if (problem := correcting.problem(address, order)) is not None:
            return _shown(request, ports, found, problem=problem)
        sealed = addresses.sealed(ports.link_key(), found.order_id, address)
        _wish(wishes.why(Wants.CORRECT, sealed=sealed), found.order_id, found.progress, ports)
    to = f"{ports.path}?asked=1&for=address"
    return Answer(303, rendering.elsewhere(), "page_corrected", to, order_id=found.order_id)


def _wish(why: str, order_id: str, progress: Progress | None, ports: Ports) -> None:
    account = progress.account if progress else None
    ports.queue.ask([Notice("stripe", f"page:{order_id}", why, order_id, ports.clock(), account)])


# --- Looking --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """What a token or cookie leads *to*: the order that the purchase is kept under, and what is to be seen of it."""

    to: str
    order_id: str
    progress: Progress | None
    seen: Showing | None


def _looked_at(request: Request, ports: Ports) -> Answer:
    key = ports.link_key()
    if request.token is None:
        to, edition = tokens.opened(key, request.cookie, Purpose.CHECKOUT), None
    else:
        to, edition = _held(key, request.token, Purpose.PAGE) or (None, None)
    if to is None:
        return _refused(request, ports)
    order_id, progress = _found(to, ports)
    asked_for_share = request.is_waiting and not request.correcting
    seen = showing(progress, now=ports.clock(), asked=asked_for_share)
    # The letters to an address that was corrected lead nowhere any more.
    if seen is None or edition not in (None, _edition(progress)):
        return _refused(request, ports)
    if request.plain:
        fields = {"shows": str(seen.shows)}
        return Answer(200, rendering.plain(_stamp(seen, progress)), "page_polled", order_id=order_id, fields=fields)
    return _shown(request, ports, _Found(to, order_id, progress, seen))


def _shown(request: Request, ports: Ports, found: _Found, *, problem: Problem | None = None) -> Answer:
    key, seen = ports.link_key(), found.seen or Showing(Shows.PREPARING)
    asked = request.correcting and request.is_waiting
    content = gathering.content(
        found.order_id, found.progress, seen, ports, languages=(*request.languages, ports.language), asked=asked
    )
    # Nobody who came with a letter's token corrects anything: it may be the wrong reader's.
    content = replace(content, stamp=_stamp(seen, found.progress), says=None if request.token else content.says)
    if problem is not None:
        content = replace(content, problem=problem, typed=request.address or "")
    here = ports.path if request.token is None else f"{ports.path}/{request.token}"
    form = tokens.token(key, found.to, Purpose.FORM, _edition(found.progress))
    page = rendering.page(content, path=ports.path, here=here, form=form, asked=request.asked)
    fields = {"shows": str(seen.shows)} | ({"problem": str(problem)} if problem else {})
    return Answer(422 if problem else 200, page, "page_shown", order_id=found.order_id, fields=fields)


def _held(key: str, text: str, purpose: Purpose) -> tuple[str, int] | None:
    """The order that *text* is for, and in which edition."""
    found = [(tokens.opened(key, text, purpose, edition), edition) for edition in tokens.EDITIONS]
    return next(((order_id, edition) for order_id, edition in found if order_id is not None), None)


def _edition(progress: Progress | None) -> int:
    return wishes.edition(progress.correction if progress else None)


def _stamp(seen: Showing, progress: Progress | None) -> str:
    correction = progress.correction if progress else None
    return seen.stamp if correction is None else f"{seen.stamp}.{correction.refused or 'corrected'}"


def _found(order_id: str, ports: Ports) -> tuple[str, Progress | None]:
    """The order under which the purchase is kept, and its progress."""
    progress = ports.ledger.seen(order_id)
    if progress is not None and progress.state is State.ELSEWHERE and progress.reason:
        return progress.reason, ports.ledger.seen(progress.reason)
    return order_id, progress
