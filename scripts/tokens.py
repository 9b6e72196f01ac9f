"""
Generated tokens against the orders' pages' check: `python -m scripts.tokens` tries a million, of every kind that
somebody might make, and prints how many open anything, how many raise, and how long each kind is worked on.

Exits with 1 when one opens an order or raises.
"""

import argparse
import base64
import random
import secrets
import statistics
import string
import sys
import time
from collections.abc import Callable

from paidshare.page import tokens
from paidshare.page.tokens import EDITIONS, Purpose

_MEASURED = 2_000


def kinds(chance: random.Random, key: str) -> dict[str, Callable[[], str]]:
    """What makes a token of each kind. *key* is the one that the page has."""
    letters = string.ascii_letters + string.digits + "-_"

    def order() -> str:
        return "cs_live_" + "".join(chance.choices(string.ascii_letters + string.digits, k=58))

    def real() -> str:
        return tokens.token(key, order())

    def changed() -> str:
        token = real()
        place = chance.randrange(len(token) - 1)
        other = chance.choice(letters.replace(token[place], ""))
        return token[:place] + other + token[place + 1 :]

    def truncated() -> str:
        token = real()
        return token[: chance.randrange(len(token))]

    return {
        "random": lambda: base64.urlsafe_b64encode(chance.randbytes(82)).decode().rstrip("="),
        "random text": lambda: "".join(chance.choices(string.printable, k=chance.randrange(1, 450))),
        "one character changed": changed,
        "truncated": truncated,
        "another stage's": lambda: tokens.token("another stage's key, as long as it takes", order()),
        "for another purpose": lambda: tokens.token(key, order(), chance.choice([Purpose.FORM, Purpose.CHECKOUT])),
    }


def attacked(count: int, *, seed: int) -> tuple[dict[str, int], dict[str, float]]:
    """Of *count* tokens in all, by kind, how many opened anything; and the median microseconds that it took."""
    chance, key = random.Random(seed), secrets.token_hex(32)  # noqa: S311
    opened: dict[str, int] = {}
    took: dict[str, float] = {}
    made = kinds(chance, key)
    for kind, make in made.items():
        opened[kind], times = 0, []
        for number in range(count // len(made) + 1):
            token = make()
            began = time.perf_counter()
            # All of it is done for each, as the page does.
            found = [tokens.opened(key, token, Purpose.PAGE, edition) for edition in EDITIONS]
            if number < _MEASURED:
                times.append(time.perf_counter() - began)
            opened[kind] += any(found)
        took[kind] = statistics.median(times) * 1e6
    return opened, took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    began = time.monotonic()
    opened, took = attacked(asked.count, seed=asked.seed)
    for kind, many in opened.items():
        print(f"{kind:24} {many} open an order; {took[kind]:.0f} µs each")
    print(f"{asked.count:,} tokens in {time.monotonic() - began:.0f} s: {sum(opened.values())} open an order, 0 raise")
    return 1 if any(opened.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
