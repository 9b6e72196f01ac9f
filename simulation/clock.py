"""
Simulated time: tasks that take turns in one thread, in an order that a seed decides.

A task is plain, synchronous code in a greenlet. It sleeps, and the one with the next moment goes on. Nothing is ever
waited for, so that a day lasts as long as the work in it.
"""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from greenlet import getcurrent, greenlet

START = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
"""Where every simulation begins, in Unix seconds."""


class Killed(BaseException):
    """The process of this task is gone. Nothing that handles errors sees it."""


class Process:
    """
    What dies together: an invocation of a function with all of its tasks.

    `orders` are those that it has to do with, by their purchases' numbers, as far as that is known.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.tasks: list[Task] = []
        self.orders: set[int] = set()
        self.ended: Callable[[], object] = lambda: None

    def kill(self) -> None:
        """End every task of it but the one that is running, which ends at its next call to anything outside."""
        self.dead = True
        self.ended()
        here = getcurrent()
        for task in tuple(self.tasks):
            if task is not here and task:
                # It ends now, and then it is the killer's turn again, and not the clock's.
                task.parent = here
                task.throw(Killed)


class Task(greenlet):
    """Work that takes its turn. `scope` names what it does, the same in every run of a seed."""

    def __init__(self, clock: "Clock", work: Callable[[], object], process: Process | None, scope: str) -> None:
        super().__init__(self._begin, parent=clock.hub)
        self.process = process
        self.scope = scope
        self._work = work
        if process is not None:
            process.tasks.append(self)

    def _begin(self) -> None:
        try:
            self._work()
        except Killed:
            pass
        finally:
            if self.process is not None:
                self.process.tasks.remove(self)


def running() -> Task | None:
    """The task whose turn it is; None in the one that runs the clock."""
    here = getcurrent()
    return here if isinstance(here, Task) else None


class Clock:
    """`now` is in Unix seconds. What is due at one moment comes in the order in which it was asked for."""

    def __init__(self) -> None:
        self.now = START
        self.hub = getcurrent()
        self._until = START
        self._due: list[tuple[float, int, Task | Callable[[], object]]] = []
        self._asked = 0

    def at(self, moment: float, what: Callable[[], object]) -> None:
        """Call *what* at *moment*. It must not sleep: `spawn` is for what does."""
        self._put(moment, what)

    def spawn(
        self, work: Callable[[], object], *, scope: str, process: Process | None = None, after: float = 0
    ) -> Task:
        """A task that begins *after* so many seconds."""
        task = Task(self, work, process, scope)
        self._put(self.now + after, task)
        return task

    def sleep(self, seconds: float) -> None:
        """Let others have their turn for so long. Raises Killed when the process of this task died meanwhile."""
        task = running()
        if task is None:
            raise RuntimeError("only a task can sleep")
        moment, due = self.now + seconds, self._due
        if moment < self._until and not (due and due[0][0] <= moment):
            # It would be its own turn next: a switch there and back changes nothing.
            self.now = moment
        else:
            self._put(moment, task)
            self.hub.switch()
        if task.process is not None and task.process.dead:
            raise Killed

    def wait(self) -> None:
        """Let others have their turn until somebody calls `wake`. Raises Killed as `sleep` does."""
        task = running()
        self.hub.switch()
        if task is not None and task.process is not None and task.process.dead:
            raise Killed

    def wake(self, task: Task) -> None:
        """It is the turn of *task*, which waits, as soon as those are done that are due now."""
        self._put(self.now, task)

    def run(self, *, until: float) -> None:
        """Everything that is due before *until*; then it is that late."""
        due, self._until = self._due, until
        while due and due[0][0] < until:
            moment, _, what = heapq.heappop(due)
            self.now = max(self.now, moment)
            if isinstance(what, Task):
                if not (what.dead or (what.process is not None and what.process.dead)):
                    what.switch()
            else:
                what()
        self.now = until

    def end(self) -> None:
        """Forget what is due, and end every task that is not over."""
        for _, _, what in self._due:
            if isinstance(what, Task) and what:
                what.throw(Killed)
        self._due.clear()

    def _put(self, moment: float, what: Task | Callable[[], object]) -> None:
        self._asked += 1
        heapq.heappush(self._due, (moment, self._asked, what))


@lru_cache(maxsize=4)
def aware(seconds: float) -> datetime:
    """The moment (aware UTC) of so many Unix seconds."""
    return datetime.fromtimestamp(seconds, UTC)
