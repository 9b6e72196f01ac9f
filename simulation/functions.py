"""
Lambda's law: an environment works on one invocation at a time and is kept for the next; several are at work at once;
one that takes too long is ended; what came from a queue and was not done comes back.

The functions are the real ones. Only what a batch's threads are is different here: tasks that take turns.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any, Protocol

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import base
from aws_lambda_powertools.utilities.idempotency.persistence import base as persistence_base
from aws_lambda_powertools.utilities.idempotency.persistence import datarecord, dynamodb
from aws_lambda_powertools.utilities.parameters import base as parameters

from paidshare.delivering.letters.desk import Desk
from simulation.aws.sqs import Message, Queue, record
from simulation.clock import Clock, Process, Task, running
from simulation.wiring import Delivering, Noting, Receiving, Sweeping

RECEIVE_S, DELIVER_S, FEEDBACK_S, SWEEP_S, PAGE_S = 15.0, 60.0, 30.0, 285.0, 20.0
"""Each function's time-out (template.yaml)."""


@dataclass(slots=True)
class Context:
    """Lambda's context of one invocation that has to end at *deadline* (Unix seconds)."""

    aws_request_id: str
    clock: Clock
    deadline: float

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - self.clock.now) * 1000))


class Container(Protocol):
    """What a function keeps from one invocation to the next."""

    @property
    def is_earlier(self) -> bool: ...


@dataclass(slots=True)
class Environments[T: Container]:
    """
    Containers of one function: made when none is free, and now and then made anew; *make* is told whether of the
    earlier version, which `earlier` says of each invocation.
    """

    make: Callable[[bool], T]
    recycle: Callable[[], bool]
    earlier: Callable[[], bool]
    free: dict[bool, list[T]] = field(default_factory=lambda: {False: [], True: []})

    def take(self) -> T:
        wanted = self.earlier()
        free = self.free[wanted]
        if free and not self.recycle():
            return free.pop()
        free[:-1] = []
        return self.make(wanted)

    def give_back(self, container: T) -> None:
        self.free[container.is_earlier].append(container)


@dataclass(slots=True)
class Lambda:
    """Begins invocations of one function, each of which is over or ended after *timeout_s*."""

    name: str
    clock: Clock
    timeout_s: float
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def begin(
        self, work: Callable[[Context, Process], object], *, scope: str, after: Callable[[bool], None]
    ) -> Process:
        """*after* is told once whether it came to its end."""
        process = Process(self.name)
        context = Context(f"{self.name}-{next(self.numbers)}", self.clock, self.clock.now + self.timeout_s)
        told = [False]

        def tell(came_to_its_end: bool) -> None:  # noqa: FBT001
            if not told[0]:
                told[0] = True
                after(came_to_its_end)

        def run() -> None:
            try:
                work(context, process)
            except Exception:  # noqa: BLE001
                tell(False)
            else:
                tell(not process.dead)

        def time_out() -> None:
            if not told[0]:
                process.kill()

        process.ended = lambda: self.clock.at(self.clock.now, lambda: tell(False))
        self.clock.spawn(run, scope=scope, process=process)
        self.clock.at(self.clock.now + self.timeout_s, time_out)
        return process


@dataclass(slots=True)
class Poller:
    """Lambda's own poller: a batch from the queue for as many invocations at once as are allowed."""

    queue: Queue
    clock: Clock
    most_at_once: int
    begin: Callable[[list[Message], Callable[[], None]], None]
    at_work: int = 0
    _woken_at: float = 0.0

    def wake(self, at: float) -> None:
        """There may be something to receive at *at*."""
        self.clock.at(at + 0.02, self._poll)

    def _poll(self) -> None:
        if self.at_work >= self.most_at_once:
            return
        some = self.queue.receive(10)
        if some:
            self.at_work += 1
            self.begin(some, self._done)

    def _done(self) -> None:
        self.at_work -= 1
        self.wake(self.clock.now)


@dataclass(slots=True)
class Batch:
    """Messages at Deliver: one task each. `numbers` are their purchases', `left` those that are not over."""

    lambdas: Lambda
    queue: Queue
    container: Delivering
    messages: list[Message]
    numbers: list[int | None]
    failed: list[str] = field(default_factory=list)
    left: int = 0
    waiting: Task | None = None

    def scope(self, place: int) -> str:
        number = self.numbers[place]
        return f"deliver {self.messages[place].id if number is None else number}"

    def work(self, context: Context, process: Process) -> None:
        clock = self.lambdas.clock
        process.orders |= {number for number in self.numbers if number is not None}
        left = timedelta(seconds=context.deadline - clock.now)
        work = self.container.begin(self.messages, context.aws_request_id, left)
        self.left = len(self.messages)
        for place, message in enumerate(self.messages):
            clock.spawn(partial(self._one, message, work), scope=self.scope(place), process=process)
        self.waiting = running()
        clock.wait()
        for message in self.messages:
            if message.id not in self.failed:
                self.queue.delete(message.handle)

    def _one(self, message: Message, work: Callable[[Any], None]) -> None:
        try:
            work(SQSRecord(record(message)))
        except Exception:  # noqa: BLE001
            self.failed.append(message.id)
        self.left -= 1
        if not self.left and self.waiting is not None:
            self.lambdas.clock.wake(self.waiting)


def delivering(
    lambdas: Lambda,
    queue: Queue,
    environments: Environments[Delivering],
    purchase_of: Callable[[str], int | None],
) -> Callable[[list[Message], Callable[[], None]], None]:
    """Deliver, as its poller begins it."""

    def begin(messages: list[Message], done: Callable[[], None]) -> None:
        container = environments.take()
        batch = Batch(lambdas, queue, container, messages, [purchase_of(message.body) for message in messages])

        def after(came_to_its_end: bool) -> None:  # noqa: FBT001
            if came_to_its_end:
                environments.give_back(container)
            done()

        lambdas.begin(batch.work, scope=batch.scope(0), after=after)

    return begin


def noting(
    lambdas: Lambda,
    queue: Queue,
    environments: Environments[Noting],
    purchase_of: Callable[[str], int | None],
) -> Callable[[list[Message], Callable[[], None]], None]:
    """Feedback, as its poller begins it."""

    def begin(messages: list[Message], done: Callable[[], None]) -> None:
        container = environments.take()
        numbers = [purchase_of(message.body) for message in messages]

        def work(context: Context, process: Process) -> None:
            process.orders |= {number for number in numbers if number is not None}
            event = {"Records": [record(message) for message in messages]}
            failed = container.note(event, context)
            for message in messages:
                if message.id not in failed:
                    queue.delete(message.handle)

        def after(came_to_its_end: bool) -> None:  # noqa: FBT001
            if came_to_its_end:
                environments.give_back(container)
            done()

        lambdas.begin(work, scope=f"feedback {numbers[0]}", after=after)

    return begin


def answering(
    lambdas: Lambda,
    environments: Environments[Receiving],
    event: dict[str, Any],
    scope: str,
    orders: set[int],
    told: Callable[[int], None],
) -> None:
    """A webhook at Receive; *told* gets the status, 503 where it came to no answer."""
    container, status = environments.take(), [503]

    def work(context: Context, process: Process) -> None:
        process.orders |= orders
        status[0] = container.answer(event, context)

    def after(came_to_its_end: bool) -> None:  # noqa: FBT001
        if came_to_its_end:
            environments.give_back(container)
        told(status[0] if came_to_its_end else 503)

    lambdas.begin(work, scope=scope, after=after)


def sweeping(lambdas: Lambda, environments: Environments[Sweeping], number: int, orders: set[int]) -> None:
    """One round."""
    container = environments.take()

    def work(context: Context, process: Process) -> None:
        process.orders |= orders
        container.sweep(context)

    def after(came_to_its_end: bool) -> None:  # noqa: FBT001
        if came_to_its_end:
            environments.give_back(container)

    lambdas.begin(work, scope=f"sweep {number}", after=after)


@contextmanager
def simulated_time(clock: Clock, *handlers: Any) -> Iterator[None]:
    """In here Powertools lives at the time of *clock*, and the functions' *handlers* print no metrics."""

    class Now(datetime):
        """Powertools asks the machine what time it is: here it asks the simulation."""

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.fromtimestamp(clock.now, tz)

    timed: tuple[Any, ...] = (base, persistence_base, datarecord, dynamodb)
    named = [(module, "dt") for module in timed] + [(parameters, "datetime")]
    # Deliver only tallies, and its invocations are not published here; versions before did count.
    named += [(one, "count") for one in handlers if hasattr(one, "count")]
    named += [(one, "count_each") for one in handlers if hasattr(one, "count_each")]
    before = [(module, name, getattr(module, name)) for module, name in named]
    shown = {"dt": SimpleNamespace(datetime=Now, timedelta=timedelta), "datetime": Now}
    try:
        for module, name, _ in before:
            setattr(module, name, shown.get(name, _uncounted))
        yield
    finally:
        for module, name, was in before:
            setattr(module, name, was)


_LETTERS = (
    "delivery",
    "delayed",
    "payment_failed",
    "access_on_hold",
    "access_ended",
    "access_back",
    "access_changed",
)


@contextmanager
def letters_written_once() -> Iterator[None]:
    """In here a letter that says the same of the same purchase is not written anew: it is a value of what it is of."""
    before = {name: getattr(Desk, name) for name in _LETTERS}
    try:
        for name, was in before.items():
            setattr(Desk, name, lru_cache(maxsize=1_000)(was))
        yield
    finally:
        for name, was in before.items():
            setattr(Desk, name, was)


def _uncounted(*_args: object, **_more: object) -> None:
    """A metric."""
