"""The commands that wish something of one order: each is a notice that Deliver fulfils."""

import uuid
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Annotated, Any

import typer

from operate.answers import Answer, Code, Misasked, NotKnown, Refused
from operate.options import AccountOption, WaitOption, WhoArgument, YesOption, address, confirm
from operate.orders import at_stripe, correction, finding, outcome
from operate.orders.correction import CorrectedBefore
from operate.orders.finding import Found
from operate.orders.ledger import Ledger
from operate.orders.outcome import Came
from operate.stacks import Stack
from paidshare import notices, wishes
from paidshare.aws import SqsReconcileQueue
from paidshare.errors import OrderUnknown, StripeUnavailable
from paidshare.notices import Notice
from paidshare.payments_stripe import CORRECTED_ADDRESS, StripeAccess
from paidshare.wishes import MOST_DAYS, Wants

_THEN = "In some seconds, `paidshare why {order}` tells what came of it."

DaysOption = Annotated[int, typer.Option("--days", min=1, max=MOST_DAYS, help="From now on; never less than it has.")]


def resend(
    to: Stack,
    who: WhoArgument,
    *,
    address_: Annotated[
        str | None,
        typer.Option(
            "--to",
            callback=address,
            help="A corrected address, which is written at Stripe with the key in STRIPE_API_KEY.",
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="In place of an address corrected before.")] = False,
    wait: WaitOption = 60,
    yes: YesOption = False,
    account: AccountOption = None,
) -> Answer:
    """
    Mail an order's link once more, if its buyer has access now.

    A purchase whose link has run out gets its days again. Exits with 1 when nothing was mailed.
    """
    if address_ is None and replace:
        raise Misasked("--replace goes with --to")
    order = finding.order(to, who, account=account)
    access = None if address_ is None else at_stripe.writing(to, "--to writes the address at Stripe")
    buyer = f"to {address_}, and write that address at Stripe," if address_ else "to its buyer"
    confirm(f"Mail the link of {_named(order)} in {to.name} {buyer} once more?", yes=yes)
    words = []
    if address_ is not None and access is not None:
        words.append(_corrected(access, order, address_, replace=replace))
    return _wish(to, order, Wants.RESEND, wait=wait, words=words)


def extend(
    to: Stack,
    who: WhoArgument,
    *,
    days: DaysOption = 7,
    wait: WaitOption = 60,
    yes: YesOption = False,
    account: AccountOption = None,
) -> Answer:
    """
    Have a link work for some days from now on, and mail it.

    Also one that has run out. Only for who still has access: what was refunded, disputed or ended stays so, and so does
    a subscription's period that is over.
    """
    order = finding.order(to, who, account=account)
    confirm(f"Have the link of {_named(order)} in {to.name} work for {days} days from now on, and mail it?", yes=yes)
    return _wish(to, order, Wants.EXTEND, days=days, wait=wait)


def end(
    to: Stack, who: WhoArgument, *, wait: WaitOption = 60, yes: YesOption = False, account: AccountOption = None
) -> Answer:
    """
    End an order's access, until `restore`.

    Whatever Stripe says. The buyer gets a letter. Gives no money back: that is done in Stripe.
    """
    order = finding.order(to, who, account=account)
    confirm(f"End the access of {_named(order)} in {to.name}, and write so to its buyer?", yes=yes)
    return _wish(to, order, Wants.END, wait=wait)


def hold(
    to: Stack, who: WhoArgument, *, wait: WaitOption = 60, yes: YesOption = False, account: AccountOption = None
) -> Answer:
    """
    Put an order's access on hold, until `restore`.

    Whatever Stripe says. The buyer gets a letter.
    """
    order = finding.order(to, who, account=account)
    confirm(f"Put the access of {_named(order)} in {to.name} on hold, and write so to its buyer?", yes=yes)
    return _wish(to, order, Wants.HOLD, wait=wait)


def restore(
    to: Stack, who: WhoArgument, *, wait: WaitOption = 60, yes: YesOption = False, account: AccountOption = None
) -> Answer:
    """
    Take back an `end` or `hold`.

    The buyer gets what is due by Stripe's word, and a letter.
    """
    order = finding.order(to, who, account=account)
    confirm(f"Give {_named(order)} in {to.name} what is due by Stripe's word, and write so to its buyer?", yes=yes)
    return _wish(to, order, Wants.RESTORE, wait=wait)


def look(to: Stack, who: WhoArgument, *, account: AccountOption = None) -> Answer:
    """
    Have all orders of WHO looked at again.

    What is due by Stripe's word of now, and missing, is done.
    """
    found = finding.orders(to, who, account=account)
    for order in found:
        _ask(to, order, notices.LOOK)
    ids = [order.order_id for order in found]
    words = [f"Asked for another look at {order_id} in {to.name}." for order_id in ids]
    return Answer({"orders": ids}, [*words, _THEN.format(order=ids[0])])


def ask_for_a_look(to: Stack, order_id: str) -> None:
    """At an order of the seller's own account. Raises QueueUnavailable."""
    _ask(to, Found(order_id, None), notices.LOOK)


def _named(order: Found) -> str:
    return f"{order.order_id} ({order.row.state if order.row else 'not in the ledger yet'})"


def _ask(to: Stack, order: Found, why: str) -> str:
    """The event id that the notice has."""
    now = datetime.now(UTC)
    notice = Notice("stripe", f"operator:{uuid.uuid4().hex}", why, order.order_id, now, order.account)
    SqsReconcileQueue(to.sqs, queue_url=to.queue_url).ask([notice])
    return notice.event_id


def _wish(
    to: Stack, order: Found, wants: Wants, *, wait: int, days: int | None = None, words: list[str] | None = None
) -> Answer:
    wish = _ask(to, order, wishes.why(wants, days))
    said = [*(words or ()), f"Asked for in {to.name}: {order.order_id}."]
    data: dict[str, Any] = {"order": order.order_id, "wish": wish, "wants": wants.name.lower()}
    data |= {"outcome": None, "done": None}
    if not wait:
        return Answer(data, [*said, _THEN.format(order=order.order_id)])
    came = _came(to, order, wants, wish, seconds=wait)
    if came is None:
        note = f"✗ nothing came of it within {wait} s: it waits its turn, or `paidshare why` says why"
        return Answer(data, said, Code.NOT_KNOWN, [note])
    data |= {"outcome": came.outcome, "done": came.good}
    if not came.good:
        return Answer(data, said, Code.WRONG, [f"✗ {came.words}"])
    return Answer(data, [*said, came.words])


def _came(to: Stack, order: Found, wants: Wants, wish: str, *, seconds: int) -> Came | None:
    book = Ledger(to.dynamodb, to.orders_table)

    def look() -> Came | None:
        now = book.row(order.order_id)
        return outcome.came_of(wants, wish, before=order.row, now=now) if now else None

    return outcome.waited(look, seconds=seconds, monotonic=monotonic, sleep=sleep)


def _corrected(access: StripeAccess, order: Found, address: str, *, replace: bool) -> str:
    what = "Invoices" if order.order_id.startswith("in_") else "Checkout Sessions"
    try:
        written = correction.write(access, order.order_id, address, account=order.account, replace=replace)
    except CorrectedBefore as exc:
        raise Refused(
            f"{order.order_id} has another corrected address already ({CORRECTED_ADDRESS} in its metadata at Stripe);"
            " --replace puts this one in its place"
        ) from exc
    except (OrderUnknown, StripeUnavailable) as exc:
        raise NotKnown(
            f"the address is not written, and nothing was asked for: {exc}. The key in STRIPE_API_KEY has to be one of"
            f" the account and mode of {order.order_id}, and may write {what}"
        ) from exc
    return "The address is written at Stripe." if written else "The address was written at Stripe before."
