"""Several stations, so that independent cases are played side by side."""

import contextlib
import queue
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.crash.bed import Order, TestBed
from tests.crash.station import Case, Station, station

_LANES = 4
_BATCH = 10


class WorkerPool:
    """At `bed`. `twin` is a second worker's place at the queue of `first`."""

    def __init__(self, bed: TestBed, stations: list[Station], twin: Station) -> None:
        self.bed = bed
        self.first = stations[0]
        self.twin = twin
        self._threads = ThreadPoolExecutor(len(stations))
        self._free: queue.SimpleQueue[Station] = queue.SimpleQueue()
        for one in stations:
            self._free.put(one)

    def play[T](self, cases: Iterable[Callable[[Station], T]]) -> list[T]:
        """Each with a station to itself, in any order."""
        return list(self._threads.map(self._with_a_station, cases))

    def settle(self, orders: list[Order]) -> None:
        """Deliver what happened to all of them, untroubled."""
        batches = [orders[start : start + _BATCH] for start in range(0, len(orders), _BATCH)]
        self.play([partial(_settled, batch) for batch in batches])

    def _with_a_station[T](self, case: Callable[[Station], T]) -> T:
        one = self._free.get()
        try:
            return case(one)
        finally:
            self._free.put(one)


def _settled(batch: list[Order], on: Station) -> None:
    case = Case(on, *[order.body for order in batch])
    case.play()


@contextlib.contextmanager
def worker_pool(bed: TestBed, log: Path) -> Iterator[WorkerPool]:
    """While the block runs. The workers' log lines go to *log*."""
    with contextlib.ExitStack() as opened:
        stations = [opened.enter_context(station(bed, log)) for _ in range(_LANES)]
        yield WorkerPool(bed, stations, opened.enter_context(station(bed, log, queue=stations[0].queue)))
