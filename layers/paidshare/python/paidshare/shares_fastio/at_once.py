"""How many calls to Fast.io are under way at once for one piece of work."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, wait
from itertools import batched
from typing import Protocol


class Each(Protocol):
    """Does the same to each of some things."""

    def __call__[T, R](self, do: Callable[[T], R], some: Iterable[T]) -> list[R]:
        """
        What came of each, in their order. When one fails, no further ones are begun, those under way come to their
        end, and then its error is raised: nothing is under way any more when this is over.
        """


def one_by_one[T, R](do: Callable[[T], R], some: Iterable[T]) -> list[R]:
    """`Each`, one after the other."""
    return [do(one) for one in some]


class AtOnce:
    """`Each`, up to *most* at once, in *threads*, which all who call share."""

    def __init__(self, threads: Executor, *, most: int) -> None:
        self._threads = threads
        self._most = most

    def __call__[T, R](self, do: Callable[[T], R], some: Iterable[T]) -> list[R]:
        found: list[R] = []
        for part in batched(some, self._most, strict=False):
            begun = [self._threads.submit(do, one) for one in part]
            wait(begun)
            found += [one.result() for one in begun]
        return found
