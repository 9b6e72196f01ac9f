"""A simulated world as it was at one moment, to be gone back to as often as one likes."""

import io
import pickle
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from types import FunctionType
from typing import Any

from greenlet import greenlet


class Snapshot:
    """
    All that *things* know now. The things themselves stay who they are, as do those *around* them, which know nothing
    that changes: only what they hold is brought back, by copies. No task may be in the midst of its work.
    """

    def __init__(self, things: Iterable[object], around: Iterable[object] = ()) -> None:
        self._things = tuple(things)
        self._same = [*self._things, *around]
        out = io.BytesIO()
        _Pickler(out, self._same).dump([_attributes(one) for one in self._things])
        self._bytes = out.getvalue()

    def bring_back(self) -> None:
        for one, attributes in zip(self._things, _Unpickler(io.BytesIO(self._bytes), self._same).load(), strict=True):
            for name, value in attributes.items():
                setattr(one, name, value)


def _attributes(one: object) -> dict[str, Any]:
    declared = [each.name for each in fields(one)] if is_dataclass(one) else []
    return {name: getattr(one, name) for name in declared} | getattr(one, "__dict__", {})


class _Pickler(pickle.Pickler):
    def __init__(self, out: io.BytesIO, same: list[object]) -> None:
        super().__init__(out, protocol=5)
        self._same = same
        self._places = {id(one): place for place, one in enumerate(same)}

    def persistent_id(self, one: object) -> int | None:
        if id(one) not in self._places and isinstance(one, FunctionType | greenlet):
            self._places[id(one)] = len(self._same)
            self._same.append(one)
        return self._places.get(id(one))


class _Unpickler(pickle.Unpickler):
    def __init__(self, source: io.BytesIO, same: list[object]) -> None:
        super().__init__(source)
        self._same = same

    def persistent_load(self, place: Any) -> object:
        return self._same[place]
