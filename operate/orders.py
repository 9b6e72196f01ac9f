"""The commands about one order."""

import os
import uuid
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Annotated

import typer
from rich.text import Text

from operate import correction, outcome
from operate.correction import CorrectedBefore
from operate.ledger import Row
from operate.options import (
    ORDER,
    AboutArgument,
    AccountOption,
    EndpointOption,
    EnvOption,
    Refused,
    StackOption,
    address,
    ledger,
    order_id,
    stack_of,
)
from operate.outcome import Came
from operate.printing import line, out, printable
from operate.stacks import Stack
from paidshare import notices
from paidshare.aws import SqsReconcileQueue
from paidshare.errors import OrderUnknown, StripeUnavailable
from paidshare.notices import Notice
from paidshare.payments_stripe import CORRECTED_ADDRESS, StripeAccess

_THEN = "In some seconds, `show` and `dead` tell what came of it."
_STRIPE_S = 20.0


def look(
    order: AboutArgument,
    *,
    account: AccountOption = None,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
) -> None:
    """Have an order looked at again. What is due by Stripe's word of now, and missing, is done."""
    to = stack_of(env, stack, endpoint_url)
    _ask(to, order, why=notices.LOOK, account=account)
    line(f"Asked for another look at {order} in {to.name}. {_THEN}")


def resend(  # noqa: PLR0913  # Each is an option.
    order: AboutArgument,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            callback=address,
            help="A corrected address, which is written at Stripe with the key in STRIPE_API_KEY.",
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="In place of an address corrected before.")] = False,
    wait: Annotated[int, typer.Option(min=0, max=900, help="For so many seconds, for what comes of it.")] = 60,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    account: AccountOption = None,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
) -> None:
    """
    Mail an order's link once more, if its buyer has access now; say what came of it.

    Exits with 1 when nothing was mailed, or nobody knows yet.
    """
    if to is None and replace:
        raise typer.BadParameter("--replace goes with --to")
    there = stack_of(env, stack, endpoint_url)
    if not ORDER.fullmatch(order):
        if to is not None:
            raise typer.BadParameter("--to needs the order itself: cs_… or in_…")
        _resend_what_leads_to_it(there, order, account=account, yes=yes)
        return
    row = _row(there, order)
    wish = _resend(there, row, to, replace=replace, yes=yes, account=account or row.account)
    line(f"Asked for the link of {row.order_id} in {there.name} to be mailed once more.")
    if not wait:
        line(_THEN)
    else:
        _tell_what_came(_came(there, wish, before=row, seconds=wait), wait)


def _resend(there: Stack, row: Row, to: str | None, *, replace: bool, yes: bool, account: str | None) -> str:
    """The wish's event id, once the operator has said yes and the address is written."""
    access = None if to is None else _stripe(there)
    if not yes:
        buyer = f"to {to}, and write that address at Stripe," if to else "to its buyer"
        typer.confirm(f"Mail the link of {row.order_id} ({row.state}) in {there.name} {buyer} once more?", abort=True)
    if to is not None and access is not None:
        _correct(access, row.order_id, to, account=account, replace=replace)
    return _ask(there, row.order_id, why=notices.RESEND, account=account)


def _resend_what_leads_to_it(there: Stack, about: str, *, account: str | None, yes: bool) -> None:
    """The ledger knows orders only: what came of it is not waited for."""
    if not yes:
        typer.confirm(f"Mail the link of {about} in {there.name} to its buyer once more?", abort=True)
    _ask(there, about, why=notices.RESEND, account=account)
    line(f"Asked for the link of {about} in {there.name} to be mailed once more. {_THEN}")


def show(
    order: Annotated[str, typer.Argument(metavar="order", parser=order_id, help="cs_… or in_….")],
    *,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
) -> None:
    """What the ledger says of an order. Never its link."""
    to = stack_of(env, stack, endpoint_url)
    words = ledger(to).words(order)
    if not words:
        raise Refused(_unknown(to, order))
    out.print(Text(order, "bold"), soft_wrap=True)
    for name, value in words.items():
        out.print(Text.assemble((f"  {name:<20} ", "dim"), printable(value)), soft_wrap=True)


def _row(to: Stack, order: str) -> Row:
    if row := ledger(to).row(order):
        return row
    raise Refused(_unknown(to, order))


def _unknown(to: Stack, order: str) -> str:
    return f"the ledger of {to.name} has no order {order}; if Stripe has, `look` delivers it"


def _ask(to: Stack, about: str, *, why: str, account: str | None) -> str:
    """The event id that the notice has."""
    now = datetime.now(UTC)
    notice = Notice("stripe", f"operator:{uuid.uuid4().hex}", why, about, now, account)
    SqsReconcileQueue(to.sqs, queue_url=to.queue_url).ask([notice])
    return notice.event_id


def _stripe(of: Stack) -> StripeAccess:
    """The stack's Stripe, with the shell's key: the stack's own may not write."""
    key = os.environ.get("STRIPE_API_KEY", "").strip()
    if not key:
        raise Refused("--to writes the address at Stripe: put a key that may into STRIPE_API_KEY (docs/runbook.md)")
    if not correction.is_safe_base(of.stripe_api_base):
        raise Refused(f"the key in STRIPE_API_KEY is not shown to {of.stripe_api_base}, which is no https:// address")
    return StripeAccess(api_key=lambda: key, api_base=of.stripe_api_base, timeout_s=_STRIPE_S)


def _correct(access: StripeAccess, order: str, address: str, *, account: str | None, replace: bool) -> None:
    what = "Invoices" if order.startswith("in_") else "Checkout Sessions"
    try:
        written = correction.write(access, order, address, account=account, replace=replace)
    except CorrectedBefore as exc:
        raise Refused(
            f"{order} has another corrected address already ({CORRECTED_ADDRESS} in its metadata at Stripe);"
            " --replace puts this one in its place"
        ) from exc
    except (OrderUnknown, StripeUnavailable) as exc:
        raise Refused(
            f"the address is not written, and nothing was asked for: {exc}. The key in STRIPE_API_KEY has to be one of"
            f" the account and mode of {order}, and may write {what}"
        ) from exc
    finally:
        access.close()
    line("The address is written at Stripe." if written else "The address was written at Stripe before.")


def _came(to: Stack, wish: str, *, before: Row, seconds: int) -> Came | None:
    book = ledger(to)

    def look() -> Came | None:
        now = book.row(before.order_id)
        return outcome.came_of(wish, before=before, now=now) if now else None

    return outcome.waited(look, seconds=seconds, monotonic=monotonic, sleep=sleep)


def _tell_what_came(came: Came | None, seconds: int) -> None:
    if came is None:
        raise Refused(f"nothing came of it within {seconds} s: it waits its turn, or Deliver's log says why. {_THEN}")
    if not came.mailed:
        raise Refused(came.words)
    line(came.words)
