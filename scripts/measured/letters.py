"""What letters cost a process that has written none: `python letters.py FOLDERS…`, as a line of JSON, in ms of CPU."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from time import process_time

sys.path[:0] = sys.argv[1:]
_AGAIN = 100


def _took(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return (process_time() - began) * 1000


def _import() -> None:
    import paidshare.storefront.wording  # noqa: F401, PLC0415


def _write(language: str, times: int = 1) -> None:
    from paidshare.delivering.letters.desk import Desk  # noqa: PLC0415
    from paidshare.delivering.letters.purchase import Purchase  # noqa: PLC0415
    from paidshare.orders import Sale, Share, ShareFile  # noqa: PLC0415
    from paidshare.storefront.seller import PLAIN  # noqa: PLC0415

    at = datetime(2026, 12, 1, tzinfo=UTC)
    sale = Sale(at, "eur", "https://pay.example/receipt", locales=(language,))
    purchase = Purchase("ada@example.com", "cs_test_1", ("Garden Birds",), sale, 1_900)
    for _ in range(times):
        Desk(purchase, PLAIN).delivery(Share("1", "n", "https://go.example", at, (ShareFile("a", 5_000_000),)))


import jinja2  # noqa: E402, F401  # The templates' own cost is no language's.

found = {
    "Babel imported": _took(_import),
    "a container's first letter": _took(lambda: _write("en")),
    "the first in another language": _took(lambda: _write("de")),
    "each after": _took(lambda: _write("de", _AGAIN)) / _AGAIN,
}
print(json.dumps(found))
