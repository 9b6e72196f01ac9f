"""
CloudWatch's metric math, as far as the template's alarms use it: numbers, arithmetic, comparisons, AND, OR, `FILL`,
`IF` and `SERVICE_QUOTA`, over series of which any value may be missing
(docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

type Value = float | None
type Series = tuple[Value, ...]

_ARITHMETIC: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
}


@dataclass(frozen=True, slots=True)
class MetricMath:
    """
    *fills_empty*: whether `FILL` also fills a series without any value, which AWS does not say. *quota* is what
    `SERVICE_QUOTA` answers.
    """

    fills_empty: bool = True
    quota: float = 1000.0

    def value(self, expression: str, series: Mapping[str, Series]) -> Series:
        """What *expression* makes of *series*, which are equally long. Raises ValueError for what is not known here."""
        written = re.sub(r"\b(AND|OR)\b", lambda found: found[0].lower(), expression)
        return self._of(ast.parse(re.sub(r"\bIF\(", "IF_(", written), mode="eval").body, series)

    def _of(self, node: ast.expr, series: Mapping[str, Series]) -> Series:
        length = len(next(iter(series.values())))
        match node:
            case ast.Constant(value=int() | float() as number):
                return (float(number),) * length
            case ast.Name(id=name):
                return series[name]
            case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._pairwise(_ARITHMETIC[type(op)], left, right, series)
            case ast.BoolOp(op=op, values=values):
                every = all if isinstance(op, ast.And) else any
                parts = [self._of(one, series) for one in values]
                return tuple(None if None in at_once else float(every(at_once)) for at_once in zip(*parts, strict=True))
            case ast.Call(func=ast.Name(id=function), args=arguments):
                return self._called(function, [self._of(one, series) for one in arguments])
        raise ValueError(f"not known here: {ast.unparse(node)}")

    def _called(self, function: str, given: list[Series]) -> Series:
        match function, given:
            case "FILL", [found, filled]:
                if not self.fills_empty and all(one is None for one in found):
                    return found
                return tuple(other if one is None else one for one, other in zip(found, filled, strict=True))
            case "IF_", [condition, yes, no]:
                chosen = zip(condition, yes, no, strict=True)
                return tuple(None if when is None else a if when else b for when, a, b in chosen)
            case "SERVICE_QUOTA", [usage]:
                return (self.quota,) * len(usage)
        raise ValueError(f"not known here: {function} of {len(given)}")

    def _pairwise(
        self, do: Callable[[float, float], float], left: ast.expr, right: ast.expr, series: Mapping[str, Series]
    ) -> Series:
        """Where either is missing, so is what comes of them."""
        pairs = zip(self._of(left, series), self._of(right, series), strict=True)
        return tuple(None if a is None or b is None else float(do(a, b)) for a, b in pairs)
