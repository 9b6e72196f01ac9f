"""Several lanes, so that independent cases are played side by side."""

import contextlib
import queue
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.crash.lane import Case, Lane, lane
from tests.crash.site import Order, Site

_LANES = 4
_BATCH = 10


class Yard:
    """At `site`. `twin` is a second worker's place at the queue of `first`."""

    def __init__(self, site: Site, lanes: list[Lane], twin: Lane) -> None:
        self.site = site
        self.first = lanes[0]
        self.twin = twin
        self._threads = ThreadPoolExecutor(len(lanes))
        self._free: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        for one in lanes:
            self._free.put(one)

    def play[T](self, cases: Iterable[Callable[[Lane], T]]) -> list[T]:
        """Each with a lane to itself, in any order."""
        return list(self._threads.map(self._with_a_lane, cases))

    def settle(self, orders: list[Order]) -> None:
        """Deliver what happened to all of them, untroubled."""
        batches = [orders[start : start + _BATCH] for start in range(0, len(orders), _BATCH)]
        self.play([partial(_settled, batch) for batch in batches])

    def _with_a_lane[T](self, case: Callable[[Lane], T]) -> T:
        one = self._free.get()
        try:
            return case(one)
        finally:
            self._free.put(one)


def _settled(batch: list[Order], on: Lane) -> None:
    case = Case(on, *[order.body for order in batch])
    case.play()


@contextlib.contextmanager
def yard(site: Site, log: Path) -> Iterator[Yard]:
    """While the block runs. The workers' log lines go to *log*."""
    with contextlib.ExitStack() as opened:
        lanes = [opened.enter_context(lane(site, log)) for _ in range(_LANES)]
        yield Yard(site, lanes, opened.enter_context(lane(site, log, queue=lanes[0].queue)))
