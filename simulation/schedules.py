"""
Every schedule of two workers at one order, within bounds: at most so many times one is interrupted for the other, and
at most so many faults, at every single call (the bound of CHESS: Musuvathi and Qadeer, PLDI 2007).

    python -m simulation.schedules                     every story, until all is done or the minutes are up
    python -m simulation.schedules --story refunded    one of them

A schedule is where it differs from “one after the other, and nothing goes wrong”. From each that was run follow those
that differ at one more, later call.
"""

import contextlib
import gc
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Literal, NamedTuple

import typer
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from greenlet import getcurrent, greenlet
from rich.console import Console

from paidshare import notices
from paidshare.errors import PaidshareError
from paidshare.notices import Notice
from paidshare.settings import Policy
from simulation.aws.sqs import Message, record
from simulation.chance import Chance
from simulation.clock import Clock, Killed, aware
from simulation.faults import Fault, Faults, Rates
from simulation.functions import DELIVER_S, SWEEP_S, Context, letters_written_once, simulated_time
from simulation.outside import Outside
from simulation.promises import STATED_S, Broken
from simulation.run import fixed_hashes, without_gc
from simulation.shop import Simulated
from simulation.snapshot import Snapshot
from simulation.stripe.account import DAY_S, STRIPE_S_CLOCKS_APART_S, Purchase
from simulation.stripe.acts import ACTS, buys
from simulation.wiring import WORDS, WORK, Wiring

_TAKES_S = 0.2
SWITCH: Literal["switch"] = "switch"
LATE: Literal["late"] = "late"
"""
Fast.io's answer takes longer than the lease lasts, and meanwhile it is the other's turn. Only a round of the sweep
lives so long: Deliver is ended sooner (its time-out, template.yaml).
"""
_PAUSE_S = 80.0
_SWITCHES = (SWITCH, LATE)


class Difference(NamedTuple):
    """At the *step*-th call: a fault, or the other worker's turn."""

    step: int
    what: str


type Schedule = tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class TwoWorkers:
    """
    `before` has happened, and was seen to, `days` ago. The first worker begins when `first` has happened, if there is
    anything, and the second one when `then` has. With `sweeps` the first one is a round of the sweep.

    The second one begins `apart` seconds later, when the first one is over or dead: longer than that no invocation of
    Deliver lives. `last` happens when both are over, and is seen to without trouble.

    `kept`: the seller lets a canceled subscription have its time (template.yaml, CanceledSubscriptions).
    """

    name: str
    bought: str
    before: tuple[tuple[str, str], ...] = ()
    first: tuple[str, str] | None = None
    then: tuple[str, str] | None = None
    last: tuple[str, str] | None = None
    days: float = 0.0
    apart: float = 0.0
    sweeps: bool = False
    kept: bool = False


_DELIVERED = (("", ""),)
_REFUNDED = (*_DELIVERED, ("refunds", "all"))
_DISPUTED = (*_DELIVERED, ("disputes", ""))
_PAUSED = (*_DELIVERED, ("switches", "paused"))

STORIES = (
    TwoWorkers("paid", "card guide"),
    TwoWorkers("two files", "card atlas"),
    TwoWorkers("refunded", "card guide", then=("refunds", "all")),
    TwoWorkers("disputed", "card guide", then=("disputes", "")),
    TwoWorkers("refunded when delivered", "card guide", _DELIVERED, then=("refunds", "all")),
    TwoWorkers("refunded, and that fails", "card guide", _DELIVERED, ("refunds", "all"), ("refund_fails", "")),
    TwoWorkers(
        "refunded in doubt, and that fails",
        "card guide",
        then=("refunds", "all"),
        last=("refund_fails", ""),
        apart=100,  # The lease is over by then, and the time in which SES tells of a letter.
    ),
    TwoWorkers("refund failed", "card guide", _REFUNDED, then=("refund_fails", "")),
    TwoWorkers("refund failed, refunded", "card guide", _REFUNDED, ("refund_fails", ""), ("refunds", "all")),
    TwoWorkers("disputed and won", "card guide", _DELIVERED, ("disputes", ""), ("dispute_ends", "won")),
    TwoWorkers("dispute won", "card guide", _DISPUTED, then=("dispute_ends", "won")),
    TwoWorkers("dispute lost", "card guide", _DISPUTED, then=("dispute_ends", "lost")),
    TwoWorkers("canceled", "subscription club", _DELIVERED, then=("switches", "canceled")),
    TwoWorkers("paused, resumed", "mixed club,atlas", _DELIVERED, ("switches", "paused"), ("switches", "active")),
    TwoWorkers("resumed, paused", "mixed club,atlas", _PAUSED, ("switches", "active"), ("switches", "paused")),
    TwoWorkers(
        "disputed when canceled, and kept",
        "subscription club",
        (*_DELIVERED, ("switches", "canceled")),
        ("disputes", ""),
        ("dispute_ends", "won"),
        kept=True,
    ),
    TwoWorkers(
        "paid when canceled",
        "subscription club",
        (*_DELIVERED, ("renews", "open"), ("switches", "canceled")),
        then=("pays_late", ""),
    ),
    TwoWorkers("payment failed", "bank guide", _DELIVERED, then=("fails", "")),
    TwoWorkers("settled", "bank guide", _DELIVERED, then=("settles", "")),
    TwoWorkers("refunded, swept", "card guide", _DELIVERED, ("refunds", "all"), sweeps=True),
    TwoWorkers(
        "refund failed when its share is swept", "card guide", _REFUNDED, ("refund_fails", ""), days=61, sweeps=True
    ),
)


class Stepped(Outside):
    """The way out of two workers that take turns: each call is a step, and the schedule says what becomes of it."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        super().__init__(clock, faults, trace=lambda _line: None)
        self.schedule: dict[int, str] = {}
        self.steps = 0
        self.pausable: set[int] = set()
        self.told: list[str] = []

    def call[T](
        self,
        provider: str,
        what: str,
        do: Callable[[], T],
        *,
        refused: Callable[[], Exception],
        lost: Callable[[], Exception] | None = None,
        patience: float = 10.0,
    ) -> T:
        del patience
        here = getcurrent()
        if not isinstance(here, _Worker):
            return do()
        if here.killed:
            raise Killed
        self.steps += 1
        if here.lasts and provider == "Fast.io":
            self.pausable.add(self.steps)
        what_then = self.schedule.get(self.steps)
        if what_then == SWITCH:
            here.other_first()
        self.clock.now += _TAKES_S
        self.told.append(f"{here.name}: {provider} {what}{f' ({what_then})' if what_then else ''}")
        if what_then == Fault.DIES_BEFORE:
            raise here.dies()
        if what_then == Fault.REFUSED:
            raise _made(refused)
        answer = do()
        if what_then == LATE:
            self.clock.now += _PAUSE_S
            here.other_first()
        if what_then == Fault.DIES_AFTER:
            raise here.dies()
        if what_then == Fault.LOST:
            raise _made(lost or refused)
        return answer


def _made(error: Callable[[], Exception]) -> Exception:
    return error()


class _Worker(greenlet):
    """An invocation of Deliver at one message, or a round of the sweep, which *lasts* longer than a lease."""

    def __init__(self, name: str, work: Callable[[], None], hub: greenlet, *, lasts: bool) -> None:
        super().__init__(self._begin, parent=hub)
        self.name = name
        self.lasts = lasts
        self._hub = hub
        self.killed = False
        self._work = work

    def _begin(self) -> None:
        with contextlib.suppress(Killed):
            self._work()

    def other_first(self) -> None:
        """Back to whoever decides; it is this one's turn again later."""
        self._hub.switch()

    def dies(self) -> Killed:
        self.killed = True
        return Killed()


@dataclass(slots=True)
class Played:
    """One schedule, and what came of it: how many calls it had, which a pause could precede, and what it broke."""

    schedule: Schedule
    steps: int
    pausable: set[int]
    broken: list[Broken]
    told: list[str]


@dataclass(slots=True)
class Stage:
    """A shop with one order, and two workers at it: what is before them happens once, and is gone back to."""

    story: TwoWorkers
    words: bool
    clock: Clock = field(default_factory=Clock)
    way: Stepped = field(init=False)
    shop: Simulated = field(init=False)
    _before: Snapshot = field(init=False)

    def __post_init__(self) -> None:
        chance = Chance(0)
        faults = Faults(chance, Rates())
        self.way = Stepped(self.clock, faults)
        policy = Policy(livemode=False, link_days=7, keep_canceled=self.story.kept)
        self.shop = Simulated(
            chance,
            faults,
            policy,
            share_limit=100,
            most_at_once=1,
            trace=lambda _line: None,
            clock=self.clock,
            outside=self.way,
        )
        self.shop.queues[WORK].arrived = self.shop.queues[WORDS].arrived = lambda _at: None
        self._begin()
        shop, host = self.shop, self.shop.host
        account = (shop.account, host, host.state, shop.office)
        things = (self.clock, self.way, chance, *account, shop.judge, shop.audit, *shop.tables.values())
        self._before = Snapshot((*things, *shop.queues.values()), around=(shop, faults, policy, shop.keys))

    def _begin(self) -> None:
        self._buy()
        for what, detail in self.story.before:
            if what:
                self._act(what, detail)
            self._look_until_done()
            self.clock.now += 3_600
        self.clock.now += self.story.days * DAY_S
        if self.story.first is not None:
            self._act(*self.story.first)

    def play(self, schedule: Schedule) -> Played:
        self._before.bring_back()
        self.way.schedule = {one.step: one.what for one in schedule}
        hub = getcurrent()
        sweeps = self.story.sweeps
        first = _Worker("A", self._sweep if sweeps else self._look, hub, lasts=sweeps)
        self._take_turns(first, _Worker("B", self._look if sweeps else self._then_look, hub, lasts=False))
        steps, self.way.schedule = self.way.steps, {}
        if self.story.last is not None:
            self._act(*self.story.last)
        self._look_until_done()
        if not self._is_settled():
            self._sweep()
            self._look_until_done()
        self.clock.now += 6 * 3_600
        self.shop.judge.all_is_settled(self._waiting)
        return Played(schedule, steps, self.way.pausable, self.shop.judge.broken, self.way.told)

    def _is_settled(self) -> bool:
        """Whether there is nothing for the sweep to do: a round is a fifth of the work of a schedule."""
        judge = self.shop.judge
        before, judge.unknown[0] = len(judge.broken), self.clock.now
        judge.all_is_settled(self._waiting)
        found = judge.broken[before:]
        del judge.broken[before:]
        return not found

    def _waiting(self) -> int:
        return len(self.shop.queues[WORK].messages)

    def _take_turns(self, first: _Worker, second: _Worker) -> None:
        """Each works on until it is interrupted or over; then it is the other's turn."""
        now, then = first, second
        while not (now.dead and then.dead):
            if not now.dead:
                now.switch()
            now, then = then, now

    def _buy(self) -> None:
        how, name = self.story.bought.split(" ")
        shop, now = self.shop, self.clock.now
        buyer = Purchase(0, "buyer-0@buyers.simulated", now)
        list(buys(shop.account, buyer, [shop.products[one] for one in name.split(",")], how, now))
        shop.judge.acted(0, found_within=STATED_S)
        self._send()

    def _act(self, what: str, detail: str) -> None:
        list(ACTS[what](self.shop.account, self.shop.account.purchases[0], detail, self.clock.now))
        self.shop.judge.acted(0, found_within=STATED_S)
        self._send()

    def _send(self) -> None:
        """A notice of each order, as an event of it has."""
        for order in self.shop.account.purchases[0].orders:
            # By the clock of a machine of Stripe's that is as slow as they get.
            created = aware(int(self.clock.now - STRIPE_S_CLOCKS_APART_S))
            event_id = f"evt_{self.shop.queues[WORK].sent}"
            notice = Notice("stripe", event_id, "simulated", order.id, aware(self.clock.now), created=created)
            self.shop.queues[WORK].send(notices.to_json(notice))

    def _then_look(self) -> None:
        self.clock.now += self.story.apart
        if self.story.then is not None:
            self._act(*self.story.then)
        else:
            self._send()
        self._look()

    def _look(self) -> None:
        for message in self.shop.queues[WORK].receive(1):
            self._work(message)

    def _work(self, message: Message) -> None:
        queue, container = self.shop.queues[WORK], self.shop.wiring.deliver()
        work = container.begin([], f"deliver-{message.handle}", timedelta(seconds=DELIVER_S))
        try:
            work(_Record(message))
        except PaidshareError:
            # Any other error is a bug, and nobody's schedule.
            return
        queue.delete(message.handle)

    def _look_until_done(self) -> None:
        """What is left comes again when it is visible; SES's words are noted first, unless they never come."""
        queue = self.shop.queues[WORK]
        for _ in range(20):
            self.clock.run(until=self.clock.now + 5)
            self._note()
            if not queue.messages:
                return
            self.clock.now = max(self.clock.now, min(one.visible_at for one in queue.messages.values()))
            for message in queue.receive(10):
                self._work(message)

    def _sweep(self) -> None:
        """
        A round: it closes a share that was begun, and whose order was taken back before it was written down. One that
        met with trouble is in the alarms, and the next one goes on.
        """
        context = Context("sweep", self.clock, self.clock.now + SWEEP_S)
        with contextlib.suppress(Exception):
            self.shop.wiring.sweep().sweep(context)

    def _note(self) -> None:
        """SES's words, as Feedback notes them."""
        words = self.shop.queues[WORDS]
        some = words.receive(10)
        if some and self.words:
            container = self.shop.wiring.feedback()
            for one in some:
                container.work(SQSRecord(record(one)))
        words.messages.clear()


class _Record:
    """As much of Lambda's record as the handler reads."""

    def __init__(self, message: Message) -> None:
        self.body = message.body
        self.message_id = message.id
        self.receipt_handle = message.handle
        self.attributes = self
        self.approximate_receive_count = str(message.receives)
        self.sent_timestamp = str(int(message.sent_at * 1000))


@without_gc()
def explore(
    story: TwoWorkers,
    *,
    switches: int,
    faults: int,
    until: float,
    words: bool = True,
    part: tuple[int, int] = (0, 1),
    stop_at_first: bool = False,
) -> tuple[int, list[Played], bool]:
    """
    All schedules of *story* with at most so many differences, the few ones first → how many, those that broke a
    promise, and whether that was all before *until*. Of several parts the n-th takes every n-th first difference.
    """
    number, of = part
    waiting: list[Schedule] = [()]
    broken, played = list[Played](), 0
    place = 0
    with simulated_time(clock := Clock(), *Wiring.handlers), letters_written_once():
        stage = Stage(story, words=words, clock=clock)
        while place < len(waiting):
            if time.perf_counter() >= until:
                return played, broken, False
            schedule = waiting[place]
            place += 1
            found = stage.play(schedule)
            if schedule or number == 0:
                played += 1
                if found.broken:
                    broken.append(found)
                    if stop_at_first:
                        return played, broken, False
            following = _following(found, switches=0 if story.apart else switches, faults=faults)
            waiting += following if schedule else following[number::of]
            if place > 10_000:
                del waiting[:place]
                place = 0
                gc.collect()
    return played, broken, True


def _following(found: Played, *, switches: int, faults: int) -> Sequence[Schedule]:
    """Those that differ from *found* at one more call, after all that it differs at."""
    switched = sum(one.what in _SWITCHES for one in found.schedule)
    kinds = [str(fault) for fault in Fault] if len(found.schedule) - switched < faults else []
    switch, last = switched < switches, found.schedule[-1].step if found.schedule else 0
    return [
        (*found.schedule, Difference(step, kind))
        for step in range(last + 1, found.steps + 1)
        for kind in (*kinds, *([SWITCH] if switch else ()), *([LATE] if switch and step in found.pausable else ()))
    ]


def main(
    story: Annotated[str, typer.Option(help="Only this one.")] = "",
    minutes: Annotated[float, typer.Option(help="So long, for all of them.")] = 20.0,
    switches: Annotated[int, typer.Option(help="At most so many interruptions.")] = 2,
    faults: Annotated[int, typer.Option(help="At most so many faults.")] = 2,
    jobs: Annotated[int, typer.Option(help="Processes at once.")] = os.cpu_count() or 1,
) -> None:
    """Ends with 1 when a promise was broken."""
    console, began = Console(soft_wrap=True, highlight=False), time.perf_counter()
    chosen = [one for one in STORIES if story in ("", one.name)]
    total, bad = 0, 0
    with ProcessPoolExecutor(jobs) as pool:
        for place, one in enumerate(chosen):
            # What is left of the time, shared by what is left of the stories.
            left = began + minutes * 60 - time.perf_counter()
            until = time.perf_counter() + max(1.0, left / (len(chosen) - place))
            parts = [
                pool.submit(explore, one, switches=switches, faults=faults, until=until, part=(part, jobs))
                for part in range(jobs)
            ]
            found = [part.result() for part in parts]
            played, broken = sum(each[0] for each in found), [each for part in found for each in part[1]]
            whole = "all" if all(each[2] for each in found) else "as far as time went"
            total, bad = total + played, bad + len(broken)
            console.print(f"{one.name:<26} {played:>9,} schedules, {whole}; promises broken: {len(broken)}")
            for each in broken[:1]:
                console.print(
                    "\n".join(["", *map(str, each.schedule), *each.told, *map(str, each.broken)]), markup=False
                )
    seconds = time.perf_counter() - began
    console.print(f"{total:,} schedules in {seconds:,.0f} s; promises broken: {bad}")
    raise typer.Exit(bad > 0)


if __name__ == "__main__":
    fixed_hashes()
    typer.run(main)
