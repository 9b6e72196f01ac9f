"""A recorded story played again, in memory: any event at any time, against the truth as of the step reached."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from paidshare.delivering.deliver import Shop, deliver
from paidshare.delivering.entitlement import Due, entitlement
from paidshare.errors import NeedsAPerson
from paidshare.notices import Notice
from paidshare.orders import Letter, Order, Share, ShareRequest
from paidshare.progress import Progress
from paidshare.settings import Policy
from paidshare.states import Kind, Standing, State, Why
from paidshare.sweeping.room import Room
from tests.builders import LINK_KEY, page_of
from tests.fakes import Clock, MemoryLedger, MemoryMailer
from tests.fakes_payments import MemoryPayments
from tests.fakes_shares import MemoryShares
from tests.fakes_sweep import MemoryQueue, MemoryShareListing
from tests.stories.recording import Recording, stocked
from tests.stories.story import Story

_BETWEEN_LOOKS_S = 20


class CountedShares(MemoryShares):
    """Counts what is asked of Fast.io."""

    calls = 0

    def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
        self.calls += 1
        return super().open(request, deadline=deadline)

    def close(self, share_id: str) -> None:
        self.calls += 1
        super().close(share_id)

    def reopen(self, share_id: str, *, until: datetime) -> datetime | None:
        self.calls += 1
        return super().reopen(share_id, until=until)


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter that went out about one order; `products` is the rest of its subject."""

    order_id: str
    kind: Kind
    products: str


class Outbox(MemoryMailer):
    """Lets no letter out that the truth of the moment does not call for: raises AssertionError."""

    def __init__(self, payments: MemoryPayments, shares: MemoryShares, clock: Clock) -> None:
        super().__init__()
        self.policy = Policy(livemode=False, link_days=7)
        self.account: str | None = None
        self.letters: list[Sent] = []
        self._payments = payments
        self._shares = shares
        self._clock = clock

    def send(self, letter: Letter, *, order_id: str) -> str:
        headline, _, products = letter.subject.partition(": ")
        sent = Sent(order_id, next(kind for kind in Kind if kind.headline == headline), products)
        # Without the promise, which is our own word: what Stripe says alone has to call for the letter.
        order = self._payments.order(order_id, account=self.account)
        dues = entitlement(order, self.policy, now=self._clock())
        assert sent.kind in called_for(dues), f"{sent} while Stripe says {order}"
        # It tells the truth about the link, which opens what it names.
        open_now = {due.line.product_name for due in dues if due.standing is Standing.ACCESS}
        assert (self._shares.open_files(order_id, self._clock()) is not None) is bool(open_now)
        assert not open_now or set(products.split(", ")) == open_now
        self.letters.append(sent)
        return super().send(letter, order_id=order_id)


def called_for(dues: Iterable[Due]) -> set[Kind]:
    """The kinds of letters that fit what is due; which of them it is depends on what the buyer knows already."""
    found = {(due.standing, due.why) for due in dues}
    standings = {standing for standing, _ in found}
    if Standing.ACCESS in standings:
        return {Kind.DELIVERY, Kind.ACCESS_BACK, Kind.ACCESS_CHANGED}
    if Standing.ON_HOLD in standings:
        return {Kind.ACCESS_ON_HOLD}
    if Standing.ENDED in standings:
        return {Kind.ACCESS_ENDED}
    return {Kind.PAYMENT_FAILED} if (Standing.NOTHING_YET, Why.PAYMENT_FAILED) in found else set()


@dataclass(frozen=True, slots=True)
class Ended:
    """How an order ended: what its lines are due, what the ledger says, and the files that the link opens."""

    dues: tuple[tuple[str, Standing, Why], ...]
    state: State
    reason: str | None
    given: frozenset[str]
    files: tuple[str, ...] | None


class World:
    """One shop's memory of everything. Several stories can be played in it, one after the other or mixed."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.ledger = MemoryLedger()
        self.payments = MemoryPayments()
        self.shares = CountedShares()
        stocked(self.shares)
        self.mailer = Outbox(self.payments, self.shares, self.clock)
        self._looks = 0

    def look(self, notice: Notice, story: Story) -> str | None:
        """One message from the queue; the reason when it is given to a person."""
        self._looks += 1
        self.clock.advance(seconds=_BETWEEN_LOOKS_S)
        self.mailer.policy, self.mailer.account = story.choices, notice.account
        shop = Shop(
            ledger=self.ledger,
            payments=self.payments,
            shares=self.shares,
            mailer=self.mailer,
            reconcile=MemoryQueue(),
            link_key=lambda: LINK_KEY,
            clock=self.clock,
            policy=story.choices,
            room=Room(MemoryShareListing(self.shares), self.ledger),
            page_of=page_of,
            connected_accounts=story.connected_accounts,
        )
        try:
            deliver(notice, shop, holder=f"look-{self._looks}")
        except NeedsAPerson as error:
            return error.reason
        return None


class Replay:
    """
    One recorded story in a *world*. `name` sets its orders apart from those of the same story played before.

    Every look has to end as the story says: quietly, or with its `person`.
    """

    def __init__(self, recording: Recording, world: World | None = None, *, name: str = "") -> None:
        self.recording = recording
        self.story = recording.story
        self.world = world or World()
        self._name = name

    def reach(self, step: int) -> None:
        """From now on the truth is what it was after *step*."""
        moment = self.recording.moments[step]
        for order in moment.orders.values():
            self.world.payments.put(self._renamed(order), account=self.story.account)
        for about, orders in moment.belongs.items():
            self.world.payments.belongs[self.named(about)] = tuple(map(self.named, orders))

    def hear(self, step: int, event: int, *, old: bool = False) -> None:
        """The event, which may come in the old API version."""
        if notice := self.recording.moments[step].events[event].notice(old=old):
            self._look(replace(notice, about=self.named(notice.about)))

    def sweep(self, order_id: str) -> None:
        """The sweep looks at an order that it found at Stripe."""
        about, now = self.named(order_id), self.world.clock()
        self._look(Notice("stripe", f"sweep-{about}", "sweep", about, now, account=self.story.account))

    def in_order(self) -> None:
        """The story as it happened, every event once."""
        for number, moment in enumerate(self.recording.moments):
            self.reach(number)
            before = len(self.letters())
            for event in range(len(moment.events)):
                self.hear(number, event)
            kinds = [sent.kind for sent in self.letters()[before:]]
            assert sorted(kinds) == sorted(moment.step.letters), f"after {moment.step}"

    def letters(self) -> list[Sent]:
        """Those that this story's orders were written, in order."""
        own = {self.named(order_id) for order_id in self.recording.moments[-1].orders}
        return [sent for sent in self.world.mailer.letters if sent.order_id in own]

    def dues(self, order_id: str) -> tuple[Due, ...]:
        """What Stripe says now that the buyer should have, whatever was done so far."""
        order = self.world.payments.order(self.named(order_id), account=self.story.account)
        return entitlement(order, self.story.choices, now=self.world.clock())

    def endings(self) -> dict[str, Ended]:
        """By the order's id as it was recorded."""
        return {order_id: self._ended(order_id) for order_id in self.recording.moments[-1].orders}

    def progress(self, order_id: str) -> Progress:
        return self.world.ledger.orders.get(self.named(order_id), Progress())

    def files(self, order_id: str) -> tuple[str, ...] | None:
        """What the link opens now, by name."""
        files = self.world.shares.open_files(self.named(order_id), self.world.clock())
        return None if files is None else tuple(sorted(files))

    def named(self, an_id: str) -> str:
        return an_id + self._name

    def _ended(self, order_id: str) -> Ended:
        progress = self.progress(order_id)
        return Ended(
            dues=tuple((due.line.id, due.standing, due.why) for due in self.dues(order_id)),
            state=progress.state,
            reason=progress.reason,
            given=frozenset(progress.given) if progress.state is State.DELIVERED else frozenset(),
            files=self.files(order_id),
        )

    def _renamed(self, order: Order) -> Order:
        same_as = order.same_as and self.named(order.same_as)
        # When it was read is the recording's time, and not this world's.
        return replace(order, id=self.named(order.id), same_as=same_as, as_of=None)

    def _look(self, notice: Notice) -> None:
        assert self.world.look(notice, self.story) == self.story.person, notice
