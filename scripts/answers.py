"""
How many combinations of what Stripe can say the rule was tried on, how each is answered for, and how long that took.

    python scripts/answers.py
"""

import sys
from collections import Counter
from pathlib import Path
from time import perf_counter

sys.path[:0] = [str(root := Path(__file__).resolve().parents[1]), str(root / "layers" / "paidshare" / "python")]

from paidshare.delivering.plan import answer, decide  # noqa: E402
from paidshare.errors import NeedsAPerson  # noqa: E402
from tests.every_order import Combination, every_combination  # noqa: E402


def main() -> None:
    began = perf_counter()
    counted = Counter(map(_answered, every_combination()))
    took = perf_counter() - began
    for how, times in counted.most_common():
        print(f"{times:>9,}  {how}")
    print(f"{sum(counted.values()):>9,}  in {took:.1f} s; settled in silence: {counted['nobody']}")


def _answered(one: Combination) -> str:
    try:
        todo = decide(one.order, one.policy, one.progress, now=one.now)
    except NeedsAPerson as case:
        return f"a person ({case.reason})"
    return str(answer(one.order, todo, one.progress) or "nobody")


if __name__ == "__main__":
    main()
