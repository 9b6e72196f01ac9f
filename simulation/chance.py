"""
What happens by chance: each draw depends on the seed and on what it is for, and on nothing that was drawn before.

So a run that leaves out a buyer, or a fault, is the same for everybody else; that is what makes a failing run small.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from zlib import crc32

_WHOLE = 1 << 32
_BITS = _WHOLE - 1


@dataclass(slots=True)
class Chance:
    """
    The draws of one seed. Each has a name, and is the n-th of that name.

    Two runs that ask for the same names get the same draws, in whatever order they ask.
    """

    seed: int
    _drawn: Counter[str] = field(default_factory=Counter)

    def number(self, name: str) -> float:
        """0 ≤ n < 1, the next of *name*."""
        count = self._drawn[name]
        self._drawn[name] = count + 1
        return self.fixed(f"{name}.{count}")

    def fixed(self, name: str) -> float:
        """0 ≤ n < 1, always the same of *name*."""
        # A CRC is linear: names that differ a little would get draws that differ in a pattern. So it is mixed.
        number = crc32(name.encode(), self.seed & 0xFFFFFFFF)
        number = (number ^ (number >> 16)) * 0x7FEB352D & _BITS
        number = (number ^ (number >> 15)) * 0x846CA68B & _BITS
        return (number ^ (number >> 16)) / _WHOLE

    def happens(self, name: str, rate: float) -> bool:
        return rate > 0 and self.number(name) < rate

    def between(self, name: str, least: float, most: float) -> float:
        return least + self.number(name) * (most - least)

    def whole(self, name: str, least: int, most: int) -> int:
        """*least* ≤ n ≤ *most*."""
        return least + int(self.number(name) * (most - least + 1))

    def one_of[T](self, name: str, *choices: T) -> T:
        return choices[int(self.number(name) * len(choices))]

    def spread(self, name: str, mean: float) -> float:
        """Exponential: mostly less than *mean*, now and then much more."""
        return -mean * math.log(1.0 - self.number(name))
