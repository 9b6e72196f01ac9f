"""
Every webhook switched off: all stories end as they should within a quarter of an hour, by rounds of the sweep alone.

In memory but for Stripe, which is the stand-in with its own lists, on one clock with the shop.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from local.hosting.serving import serving
from local.stripe.server import stripe_app
from paidshare.delivering.deliver import Shop, deliver
from paidshare.errors import NeedsAPerson
from paidshare.payments_stripe import StripeListing, StripePayments
from paidshare.states import Kind
from paidshare.sweeping import sweep
from paidshare.sweeping.ports import SweepPorts
from paidshare.sweeping.room import Room
from tests.builders import LINK_KEY, a_policy, page_of
from tests.fakes import Clock, MemoryMailer
from tests.fakes_shares import MemoryShares
from tests.fakes_sweep import MemoryCheckpoint, MemoryOrderIndex, MemoryQueue, MemoryShareListing
from tests.stories.every import EVERY, PRODUCTS
from tests.stories.recording import WORKSPACE, stocked
from tests.stories.story import Story, Telling

KEY = "sk_test_51InSilence"
ROUND = timedelta(minutes=5)  # template.yaml, the sweep's schedule.
IN_TIME = 3

# A connected account's lists are not the seller's: its orders are heard of by events only.
OWN = tuple(story for story in EVERY if story.is_default and story.account is None and not story.person)

by_story = pytest.mark.parametrize("story", OWN, ids=lambda story: story.name)


@dataclass
class Silence:
    """A shop that no event reaches. `brought` are each story's letters, by step."""

    payments: StripePayments
    lists: StripeListing
    clock: Clock
    shares: MemoryShares = field(default_factory=MemoryShares)
    index: MemoryOrderIndex = field(default_factory=MemoryOrderIndex)
    mailer: MemoryMailer = field(default_factory=MemoryMailer)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    checkpoint: MemoryCheckpoint = field(default_factory=MemoryCheckpoint)
    brought: dict[str, list[list[Kind]]] = field(default_factory=dict)
    files: dict[str, list[tuple[str, ...] | None]] = field(default_factory=dict)
    rounds: int = 0

    def round(self) -> None:
        """One of the sweep's, and Deliver's work on what it asks for."""
        self.clock.advance(seconds=ROUND.total_seconds())
        self.rounds += 1
        now = self.clock.now
        ports = SweepPorts(
            checkpoint=self.checkpoint,
            index=self.index,
            ledger=self.index,
            lists=self.lists,
            share_listing=MemoryShareListing(self.shares),
            shares=self.shares,
            queue=self.queue,
            link_key=lambda: LINK_KEY,
            clock=self.clock,
        )
        parts = sweep.sweep(ports, holder=f"r{self.rounds}", until=now + ROUND, deadline=now + timedelta(minutes=3))
        assert [part.trouble for part in parts if part.trouble] == []
        shop = Shop(
            ledger=self.index,
            payments=self.payments,
            shares=self.shares,
            mailer=self.mailer,
            reconcile=self.queue,
            link_key=lambda: LINK_KEY,
            clock=self.clock,
            policy=a_policy(),
            room=Room(MemoryShareListing(self.shares), self.index),
            page_of=page_of,
        )
        while self.queue.asked:
            notice = self.queue.asked.pop(0)
            # Stories that a person has to see to are not among these; an order of the other mode is none of ours.
            with suppress(NeedsAPerson):
                deliver(notice, shop, holder=f"w{self.rounds}")


@pytest.fixture(scope="module")
def silence() -> Iterator[Silence]:
    clock = Clock()

    def seconds() -> float:
        return clock().timestamp()

    with serving(stripe_app(keys=[KEY], clock=seconds)) as url:
        payments = StripePayments(api_key=lambda: KEY, api_base=url)
        lists = StripeListing(api_key=lambda: KEY, api_base=url, livemode=False)
        with httpx.Client(base_url=url, trust_env=False) as http:
            made = Silence(payments, lists, clock, stocked())
            _play(made, http)
        yield made
        payments.close()
        lists.close()


def _play(silence: Silence, http: httpx.Client) -> None:
    """All stories side by side, a step at a time, each with a quarter of an hour."""
    products = {name: _post(http, "/_product", _sold(silence, name))["product"] for name in PRODUCTS}
    tellings = {story.name: Telling(story, products, email=f"{story.name}@example.com") for story in OWN}
    for step in range(max(len(story.steps) for story in OWN)):
        going_on = [story for story in OWN if step < len(story.steps)]
        before = len(silence.mailer.sent)
        for story in going_on:
            path, body = tellings[story.name].request(story.steps[step])
            tellings[story.name].learn(_post(http, path, body))
        for _ in range(IN_TIME):
            silence.round()
        for story in going_on:
            mine = [one for one in silence.mailer.sent[before:] if one.to == f"{story.name}@example.com"]
            silence.brought.setdefault(story.name, []).append(sorted(Kind(one.kind) for one in mine))
    for story in OWN:
        orders = [tellings[story.name].order_id(ending) for ending in story.endings]
        opens = (silence.shares.open_files(order_id, silence.clock.now) for order_id in orders)
        silence.files[story.name] = [None if files is None else tuple(sorted(files)) for files in opens]


def _sold(silence: Silence, name: str) -> dict[str, Any]:
    product = PRODUCTS[name]
    metadata = product.metadata(WORKSPACE, lambda path: silence.shares.put(WORKSPACE, path))
    return {"name": product.name, "unit_amount": product.price, "metadata": metadata}


def _post(http: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    if path.startswith("/_"):
        return dict(http.post(path, json=body).raise_for_status().json())
    headers = {"authorization": f"Bearer {KEY}"}
    return dict(http.post(path, data=_form(body), headers=headers).raise_for_status().json())


def _form(body: dict[str, Any], *, under: str = "") -> dict[str, str]:
    """As Stripe's API wants it: `fraud_details[user_report]=safe`."""
    form: dict[str, str] = {}
    for name, value in body.items():
        key = f"{under}[{name}]" if under else name
        form |= _form(value, under=key) if isinstance(value, dict) else {key: str(value)}
    return form


@by_story
def test_each_step_brings_its_letters_within_a_quarter_of_an_hour(silence: Silence, story: Story) -> None:
    assert silence.brought[story.name] == [sorted(step.letters) for step in story.steps]


@by_story
def test_the_link_opens_in_the_end_what_the_story_says(silence: Silence, story: Story) -> None:
    assert silence.files[story.name] == [ending.files for ending in story.endings]


def test_a_row_that_nothing_happened_to_is_left_alone_by_every_further_round(silence: Silence) -> None:
    before = len(silence.mailer.sent)
    for _ in range(4):
        silence.round()
    assert len(silence.mailer.sent) == before
