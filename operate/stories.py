"""The commands that tell what became of orders."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from operate.answers import Answer, Code, NotKnown
from operate.goods.storage import share_listing
from operate.options import AccountOption, WhoArgument
from operate.orders import finding, story
from operate.orders.at_stripe import AtStripe
from operate.orders.finding import Found
from operate.orders.story import Facts, Story
from operate.printing import indented, printable, styled
from operate.stacks import Stack
from paidshare.errors import PaidshareError


def why(to: Stack, who: WhoArgument, *, account: AccountOption = None) -> Answer:
    """
    What became of WHO's orders, who says so, and what to do.

    Changes nothing. Exits with 1 when something is not as it should be.
    """
    now = datetime.now(UTC)
    facts = [_facts(to, one) for one in finding.orders(to, who, account=account)]
    stories = [story.told(one, now=now) for one in facts]
    twice = story.bought_twice(facts)
    twice += [pair for pair in _known_twice(facts) if pair not in twice and pair[::-1] not in twice]
    words = [part for one in stories for part in _shown(one)]
    words += [_twice(*orders) for orders in _together(twice)]
    data = {"orders": [_data(one) for one in stories], "bought_twice": [[*pair] for pair in twice]}
    if any(step.wrong for one in stories for step in one.advice):
        return Answer(data, words, Code.WRONG)
    gaps = any(one.gaps for one in stories)
    return Answer(data, words, Code.NOT_KNOWN if gaps else Code.GOOD)


def _known_twice(facts: list[Facts]) -> Iterator[tuple[str, str]]:
    """Pairs of orders (their ids) that were delivered as the same bought twice, of which the second is kept."""
    for one in facts:
        kept = one.order is not None and not any(payment.refunded for payment in one.order.payments)
        if kept and one.row is not None and (first := one.row.text("twice_of")):
            yield first, one.order_id


def evidence(to: Stack, who: WhoArgument, *, account: AccountOption = None) -> Answer:
    """
    Proof that an order was delivered, for a dispute.

    Paid, mailed, taken by the buyer's mail server, and the link's state. Changes nothing. Holds no address: Stripe has
    the buyer's, and puts it beside this.
    """
    now = datetime.now(UTC)
    found = finding.order(to, who, account=account)
    told = story.told(_facts(to, found), now=now)
    data = {
        "order": told.order_id,
        "products": [*told.products],
        "state": told.state,
        "collected_at": now.isoformat(timespec="seconds"),
        "timeline": _timeline(told),
        "gaps": [*told.gaps],
    }
    head: list[RenderableType] = [
        styled(f"Evidence of delivery: {told.order_id}", "bold"),
        f"Products: {', '.join(told.products) or 'not known'}",
        f"Collected {now:%Y-%m-%d %H:%M:%S} UTC. All times are UTC.",
    ]
    return Answer(data, [*head, _table(told), *_gaps(told)], Code.NOT_KNOWN if told.gaps else Code.GOOD)


def _facts(to: Stack, found: Found) -> Facts:
    """What each of those who know something says; who cannot be asked is a gap."""
    order, history, share = None, [], None
    gaps: list[str] = []
    with _gap(gaps):
        stripe = AtStripe(to, account=found.account)
        order, history = stripe.order(found.order_id), stripe.history(found.order_id)
    share_id = found.row.text("share_id") if found.row else ""
    if share_id:
        with _gap(gaps):
            share = share_listing(to).look(share_id)
    return Facts(found.order_id, found.row, order, history, share, gaps)


@contextmanager
def _gap(gaps: list[str]) -> Iterator[None]:
    try:
        yield
    except (PaidshareError, NotKnown) as exc:
        gaps.append(str(exc))


def _shown(one: Story) -> Iterator[RenderableType]:
    yield Text.assemble((one.order_id, "bold"), "  ", (one.state.replace("_", " "), _style(one)))
    if one.products:
        yield f"  {', '.join(one.products)}"
    yield _table(one)
    yield from _gaps(one)
    for step in one.advice:
        yield indented(f"→ {step.words}")
        if step.command:
            yield styled(f"    {step.command}", "bold")
    yield ""


def _style(one: Story) -> str:
    return "red" if any(step.wrong for step in one.advice) else "green"


def _table(one: Story) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 0, 0, 2))
    for style in ("dim", "cyan", ""):
        table.add_column(style=style)
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for each in one.sentences:
        when = f"{each.at:%Y-%m-%d %H:%M:%S}" if each.at else "now"
        table.add_row(when, each.source, printable(each.words))
    return table


def _gaps(one: Story) -> Iterator[RenderableType]:
    for gap in one.gaps:
        yield indented(f"? not known: {gap}", "yellow")


def _together(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The orders of pairs that have one in common, one after another: who bought three times reads of it once."""
    groups = list[list[str]]()
    for pair in pairs:
        met = [group for group in groups if not set(pair).isdisjoint(group)]
        groups = [group for group in groups if group not in met]
        groups.append([*dict.fromkeys([one for group in met for one in group] + [*pair])])
    return groups


def _twice(*orders: str) -> RenderableType:
    *others, last = orders
    rest = "the other in Stripe: its access ends" if len(orders) == 2 else "the others in Stripe: their access ends"
    return indented(
        f"→ {', '.join(others)} and {last} are of the same products, paid within a day. If the buyer wanted one,"
        f" refund {rest} by itself."
    )


def _timeline(one: Story) -> list[dict[str, Any]]:
    return [
        {"at": each.at.isoformat() if each.at else None, "source": each.source, "words": each.words}
        for each in one.sentences
    ]


def _data(one: Story) -> dict[str, Any]:
    return {
        "order": one.order_id,
        "state": one.state,
        "reason": one.reason,
        "products": [*one.products],
        "timeline": _timeline(one),
        "advice": [{"words": step.words, "command": step.command, "wrong": step.wrong} for step in one.advice],
        "gaps": [*one.gaps],
    }
