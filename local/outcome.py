"""What comes of something that happened to an order: its letter, none because none was due, or the reason why not."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from local import sale
from local.aws import diagnosis, letters
from local.aws.letters import Letter
from local.aws.ministack import Aws
from local.hosting.endpoints import Endpoints
from local.sale import LETTER_SECONDS, QUIET_SECONDS, Order, SaleFailed

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Before:
    """What there was: the letters, and how often each order of the sale had been looked at (`claims`, by order id)."""

    letters: frozenset[str]
    claims: Mapping[str, int]


def before(to: Endpoints, order: Order | None = None) -> Before:
    """To be asked for before something happens to *order*; None when it is yet to be sold."""
    known = _rows(to, _order_ids(to, order)) if order else {}
    claims = {order_id: int(row["claims"]["N"]) for order_id, row in known.items()}
    return Before(frozenset(sale.letter_ids(to)), claims)


def letter(to: Endpoints, order: Order, since: Before, *, seconds: float = LETTER_SECONDS) -> Letter | None:
    """
    The first new letter to the buyer; None when the order was looked at and is at rest without one: there was nothing
    to say, such as of a refund when access had ended already.

    Raises SaleFailed, with what the logs and queues say, when neither comes.
    """
    deadline = time.monotonic() + seconds
    resting: float | None = None
    while time.monotonic() < deadline:
        for found in letters.sent(to.aws_endpoint_url):
            if order.email in found.to and found.id not in since.letters:
                return found
        if not _at_rest(to, since):
            resting = None
        elif resting is None:
            resting = time.monotonic()
        elif time.monotonic() - resting > QUIET_SECONDS:
            return None
        time.sleep(_POLL_SECONDS)
    reasons = diagnosis.explain(to.outputs, Aws(to.aws_endpoint_url))
    what = f"no letter to {order.email} came in {seconds:.0f} s, for {order.session}"
    raise SaleFailed("\n".join([what, *(f"  - {reason}" for reason in reasons)]))


def _at_rest(to: Endpoints, since: Before) -> bool:
    """Whether an order that was known before was looked at once more, and nobody works on it."""
    for order_id, row in _rows(to, since.claims).items():
        looked_at = int(row["claims"]["N"]) > since.claims[order_id]
        if looked_at and not {"lease_holder", "mailing"} & row.keys():
            return True
    return False


def _order_ids(to: Endpoints, order: Order) -> list[str]:
    """A sale is one order, and a subscription one for each of its invoices."""
    session = sale.seen(to, f"/v1/checkout/sessions/{order.session}")
    if not (subscription := session["subscription"]):
        return [order.session, *([session["invoice"]] if session["invoice"] else [])]
    invoices = sale.seen(to, f"/v1/invoices?subscription={subscription}&limit=100")["data"]
    return [order.session, *(invoice["id"] for invoice in invoices)]


def _rows(to: Endpoints, order_ids: Mapping[str, int] | list[str]) -> dict[str, dict[str, dict[str, str]]]:
    """The ledger's rows of these orders, of those that it has."""
    table, dynamodb = to.outputs["OrdersTable"], Aws(to.aws_endpoint_url).dynamodb
    found = {one: dynamodb.get_item(TableName=table, Key={"order_id": {"S": one}}).get("Item") for one in order_ids}
    return {one: row for one, row in found.items() if row}  # type: ignore[misc]  # The stubs allow any attribute.
