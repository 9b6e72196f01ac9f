"""
What comes in at the Stripe stand-in: form fields with brackets, read as strictly as Stripe reads them.

`line_items[0][price]=price_1` and `expand[]=line_items` become `{"line_items": [{"price": "price_1"}], …}`.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from local.stripe.objects import Json

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


class StripeProblem(Exception):  # Stripe's own word would be “error”, which is the whole tree's.
    """An answer that is not 2xx, in Stripe's shape (docs.stripe.com/api/errors)."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        named = {"code": code, "message": message, "param": param, "type": kind}
        self.body: Json = {"error": {k: v for k, v in named.items() if v is not None}}


def read_form(encoded: str) -> "Params":
    """The fields of a query or a body. Raises StripeProblem when a name makes no sense."""
    tree: Json = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True, max_num_fields=5_000):
        match = _NAME.fullmatch(name)
        if match is None:
            raise StripeProblem(f"Invalid parameter name: {name}", param=name)
        _put(tree, [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])], value, name)
    return Params({key: _listed(value, of=key) for key, value in tree.items()})


class Params:
    """The parameters of one call, or of one object in it (`prefix` is then its name, for messages)."""

    def __init__(self, raw: Json, prefix: str = "") -> None:
        self.raw = raw
        self._prefix = prefix

    def name(self, key: str) -> str:
        return f"{self._prefix}[{key}]" if self._prefix else key

    def only(self, *known: str) -> None:
        """Raises what Stripe says to a parameter that it does not know."""
        for key in self.raw:
            if key not in known:
                name = self.name(key)
                raise StripeProblem(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)

    def needed(self, key: str) -> str:
        value = self.text(key)
        if value is None:
            name = self.name(key)
            raise StripeProblem(f"Missing required param: {name}.", code="parameter_missing", param=name)
        return value

    def text(self, key: str) -> str | None:
        value = self.raw.get(key)
        if value is None or isinstance(value, str):
            return value or None
        raise StripeProblem("Invalid string", code="parameter_invalid_string", param=self.name(key))

    def integer(self, key: str, default: int, *, low: int = 0, high: int = 99_999_999) -> int:
        value = self.text(key)
        if value is None:
            return default
        if not re.fullmatch(r"-?[0-9]{1,12}", value):
            raise StripeProblem(f"Invalid integer: {value}", code="parameter_invalid_integer", param=self.name(key))
        number = int(value)
        if not low <= number <= high:
            bound = f"greater than or equal to {low}" if number < low else f"less than or equal to {high}"
            raise StripeProblem(f"This value must be {bound}.", param=self.name(key))
        return number

    def boolean(self, key: str) -> bool | None:
        value = self.text(key)
        if value not in (None, "true", "false"):
            raise StripeProblem(f"Invalid boolean: {value}", param=self.name(key))
        return None if value is None else value == "true"

    def choice(self, key: str, *words: str) -> str | None:
        value = self.text(key)
        if value is not None and value not in words:
            listed = ", ".join(words)
            raise StripeProblem(f"Invalid {key}: must be one of {listed}", param=self.name(key))
        return value

    def texts(self, key: str) -> list[str]:
        value = self.raw.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise StripeProblem("Invalid array", param=self.name(key))
        return value

    def objects(self, key: str) -> list["Params"]:
        value = self.raw.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise StripeProblem("Invalid array", param=self.name(key))
        return [Params(v, f"{self.name(key)}[{i}]") for i, v in enumerate(value)]

    def object(self, key: str) -> "Params | None":
        value = self.raw.get(key)
        if value is None or isinstance(value, dict):
            return None if value is None else Params(value, self.name(key))
        raise StripeProblem("Invalid object", param=self.name(key))

    def metadata(self, before: dict[str, str] | None = None) -> dict[str, str]:
        """*before* with what is given; an empty value takes a key away (docs.stripe.com/metadata)."""
        given = self.object("metadata")
        both = dict(before or {})
        for key, value in (given.raw if given else {}).items():
            if not isinstance(value, str) or len(key) > 40 or len(value) > 500:
                raise StripeProblem(
                    "Metadata keys have up to 40 characters and values up to 500",
                    param=self.name(f"metadata[{key}]"),
                )
            both[key] = value
        both = {key: value for key, value in both.items() if value}
        if len(both) > 50:
            raise StripeProblem("Metadata has up to 50 keys", param=self.name("metadata"))
        return both


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised call. `id` is what the path names, empty when it names nothing."""

    params: Params
    id: str = ""
    account: str | None = None


def _put(tree: Json, path: list[str], value: str, name: str) -> None:
    here = tree
    for key in path[:-1]:
        here = here.setdefault(key or str(len(here)), {})
        if not isinstance(here, dict):
            raise StripeProblem("Invalid object", param=name)
    last = path[-1] or str(len(here))
    if isinstance(here.get(last), dict):
        raise StripeProblem("Invalid string", param=name)
    here[last] = value


def _listed(value: Any, *, of: str = "") -> Any:
    """Objects whose keys are 0, 1, 2, … are arrays; below `metadata` names are the seller's own."""
    if not isinstance(value, dict) or of == "metadata":
        return value
    inner = {key: _listed(item, of=key) for key, item in value.items()}
    if all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
