"""What several parts of a command want, made and asked for once."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Lock
from typing import Any, cast

import boto3


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


def made_once(aws: boto3.session.Session, wanted: Mapping[str, Any]) -> Callable[[str], Any]:
    """What makes each service's client once. A session makes clients for one thread at a time (boto3's own words)."""
    lock, made = Lock(), dict[str, Any]()

    def client(service: str) -> Any:
        with lock:
            if service not in made:
                made[service] = cast("Any", aws).client(service, **wanted)
            return made[service]

    return client
