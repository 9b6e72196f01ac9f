"""
DynamoDB's expressions, as far as the adapters use them: conditions, and updates with SET, REMOVE and ADD.

docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html and
Expressions.UpdateExpressions.html. What is not known here raises ValueError: nothing is ever taken to hold.
"""

import operator
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

type Item = dict[str, Any]
type Condition = Callable[[Item, Item], bool]
"""Of an item and the values."""
type Update = Callable[[Item, Item], Item]
"""The new item, of the old one and the values."""
type _Operand = Callable[[Item, Item], Any]

_TOKEN = re.compile(r"\s*(<=|>=|<>|[()=<>,]|[:#]?[A-Za-z_][A-Za-z0-9_]*)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@lru_cache(maxsize=4096)
def condition(text: str, names: frozenset[tuple[str, str]]) -> Condition:
    """The condition that *text* says, with *names* in the place of its `#…`."""
    parser = _Parser(text, dict(names))
    found = parser.either()
    parser.over()
    return found


@lru_cache(maxsize=4096)
def update(text: str, names: frozenset[tuple[str, str]]) -> Update:
    """The update that *text* says."""
    return _Parser(text, dict(names)).update()


def number_of(value: Item) -> float | str:
    """What is compared of an attribute."""
    [(kind, raw)] = value.items()
    if kind == "N":
        return float(raw)
    if kind == "S":
        return str(raw)
    raise ValueError(f"{kind} is not compared here")


class _Parser:
    def __init__(self, text: str, names: dict[str, str]) -> None:
        self._text = text
        self._names = names
        self._tokens = list(_tokens(text))
        self._at = 0

    def either(self) -> Condition:
        some = [self._all()]
        while self._take("OR"):
            some.append(self._all())
        return some[0] if len(some) == 1 else lambda item, values: any(one(item, values) for one in some)

    def over(self) -> None:
        if self._at != len(self._tokens):
            raise ValueError(f"not understood: {self._text}")

    def update(self) -> Update:
        changes: list[Callable[[Item, Item, Item], None]] = []
        while self._at < len(self._tokens):
            match self._next():
                case "SET":
                    changes += self._several(self._set)
                case "REMOVE":
                    changes += self._several(self._remove)
                case "ADD":
                    changes += self._several(self._add)
                case other:
                    raise ValueError(f"{other} is no clause: {self._text}")

        def changed(item: Item, values: Item) -> Item:
            made = dict(item)
            for change in changes:
                change(item, made, values)
            return made

        return changed

    def _several[T](self, one: Callable[[], T]) -> list[T]:
        found = [one()]
        while self._take(","):
            found.append(one())
        return found

    def _set(self) -> Callable[[Item, Item, Item], None]:
        name = self._name(self._next())
        self._need("=")
        value = self._operand()

        def change(item: Item, made: Item, values: Item) -> None:
            made[name] = value(item, values)

        return change

    def _remove(self) -> Callable[[Item, Item, Item], None]:
        name = self._name(self._next())
        return lambda _item, made, _values: made.pop(name, None)

    def _add(self) -> Callable[[Item, Item, Item], None]:
        name, value = self._name(self._next()), self._operand()

        def change(item: Item, made: Item, values: Item) -> None:
            added, before = value(item, values), item.get(name)
            if "N" in added:
                made[name] = {"N": str(int(before["N"] if before else 0) + int(added["N"]))}
            else:
                made[name] = {"SS": sorted({*(before["SS"] if before else ()), *added["SS"]})}

        return change

    def _all(self) -> Condition:
        some = [self._one()]
        while self._take("AND"):
            some.append(self._one())
        return some[0] if len(some) == 1 else lambda item, values: all(one(item, values) for one in some)

    def _one(self) -> Condition:
        if self._take("("):
            found = self.either()
            self._need(")")
            return found
        if self._peek() in ("attribute_exists", "attribute_not_exists"):
            wanted = self._next() == "attribute_exists"
            self._need("(")
            name = self._name(self._next())
            self._need(")")
            return lambda item, _values: (name in item) is wanted
        left, compare, right = self._operand(), _COMPARE[self._next()], self._operand()

        def holds(item: Item, values: Item) -> bool:
            one, other = left(item, values), right(item, values)
            # What is not there compares with nothing.
            return one is not None and other is not None and compare(number_of(one), number_of(other))

        return holds

    def _operand(self) -> _Operand:
        token = self._next()
        if token.startswith(":"):
            return lambda _item, values: values[token]
        if token == "if_not_exists":
            self._need("(")
            name = self._name(self._next())
            self._need(",")
            other = self._operand()
            self._need(")")
            return lambda item, values: item[name] if name in item else other(item, values)
        path = self._name(token)
        return lambda item, _values: item.get(path)

    def _name(self, token: str) -> str:
        return self._names[token] if token.startswith("#") else token

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise ValueError(f"cut short: {self._text}")
        self._at += 1
        return token

    def _take(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._at += 1
        return True

    def _need(self, token: str) -> None:
        if not self._take(token):
            raise ValueError(f"{token} is missing at {self._peek()}: {self._text}")


def _tokens(text: str) -> Iterator[str]:
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"not understood: {text[at:]}")
        at = found.end()
        yield found[1]
