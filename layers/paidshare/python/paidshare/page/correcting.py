"""What an order's page says, to who came from Checkout, of where the letters go, and what can be an address. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from paidshare.orders import Order
from paidshare.page.showing import Showing, Shows
from paidshare.progress import Progress
from paidshare.storefront import addresses
from paidshare.wishes import Refused


class Says(StrEnum):
    """What it says of correcting the address."""

    OFFERED = "offered"
    ASKED = "asked"
    """It was asked for just now."""
    DONE = "done"
    OPENED = Refused.OPENED.value
    NOT_KNOWN = Refused.NOT_KNOWN.value


class Problem(StrEnum):
    """Why what was written is no other address."""

    NO_ADDRESS = "no_address"
    SAME = "same"


def says(progress: Progress | None, seen: Showing, order: Order | None, *, asked: bool = False) -> Says | None:
    """
    Of an *order* as far as Stripe tells it now; None where there is nothing to correct: no letter with files is to
    come, or the seller did it. *asked*: it was wished for just now.
    """
    correction = progress.correction if progress else None
    if seen.shows in (Shows.FAILED, Shows.ENDED) or (order is not None and order.corrected):
        return None
    if correction is not None:
        return Says(correction.refused) if correction.refused else Says.DONE
    return Says.ASKED if asked else Says.OFFERED


def problem(address: str, order: Order | None) -> Problem | None:
    """What is wrong with *address* as a correction; None for one that can be tried."""
    if not addresses.is_correction(address):
        return Problem.NO_ADDRESS
    return Problem.SAME if order is not None and address == order.email else None


def address(link_key: str, order_id: str, progress: Progress | None, order: Order | None) -> str | None:
    """Where the order's letters go, as far as anybody can tell now. Raises SecretUnavailable."""
    correction = progress.correction if progress else None
    if correction is None or correction.to is None or (order is not None and order.corrected):
        return order.email if order else None
    return addresses.opened(link_key, order_id, correction.to)


def news(progress: Progress | None, facts: Mapping[str, datetime]) -> Mapping[str, datetime]:
    """Those of SES's *facts* that are of the last letter, and not of one before it, or to an address before."""
    correction = progress.correction if progress else None
    since = [facts["sent"]] if "sent" in facts else []
    if correction is not None and correction.to is not None:
        since.append(correction.at)
    return {fact: at for fact, at in facts.items() if not since or at >= max(since)}
