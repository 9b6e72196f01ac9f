"""What is for sale: that each product's metadata says what Deliver understands."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import stripe

from operate.doctor.checks import Check, Found, good, wrong
from operate.doctor.stripe import answer
from operate.orders.mending import misspelt
from operate.stacks import Stack
from paidshare.delivering import catalog
from paidshare.delivering.errors import MetadataBroken
from paidshare.orders import Line

_GROUP = "goods"
_MOST = 1_000
_MEND = "correct the product's metadata in Stripe's dashboard (README, “Products”)"


def _metadata(to: Stack) -> Found:
    def products(v1: stripe.V1Services) -> list[Any]:
        return [*islice(v1.products.list({"active": True, "limit": 100}).auto_paging_iter(), _MOST)]

    found = answer(to, "Products", products)
    if isinstance(found, Found):
        return found
    lines = [Line(one.id, one.name, 1, one.to_dict().get("metadata") or {}) for one in found]
    if faults := [*misspelt(lines), *_broken(lines)]:
        return wrong("; ".join(faults), _MEND)
    ours = sum(map(catalog.is_ours, lines))
    return good(f"{ours} of {len(lines)} products are delivered, and say what")


def _broken(lines: Iterable[Line]) -> Iterator[str]:
    for line in filter(catalog.is_ours, lines):
        try:
            catalog.goods(line, default_link_days=1)
        except MetadataBroken as error:
            yield str(error)


CHECKS = (Check(_GROUP, "metadata", _metadata),)
