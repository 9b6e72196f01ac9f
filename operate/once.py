"""What several parts of a command want to know, asked once."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Any


class Once:
    """Answers that are asked for once, by whichever thread comes first; the others wait for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._answers: dict[str, Future[Any]] = {}

    def answer[T](self, name: str, ask: Callable[[], T]) -> T:
        """What *ask* answers, or answered before under this *name*; what it raises is raised to all."""
        with self._lock:
            is_first = name not in self._answers
            answer: Future[T] = self._answers.setdefault(name, Future())
        if is_first:
            try:
                answer.set_result(ask())
            except Exception as exc:  # noqa: BLE001  # Whatever it is, it is everybody's.
                answer.set_exception(exc)
        return answer.result()
