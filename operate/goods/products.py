"""Products at Stripe, what each of them delivers, and what is wrong with that."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import stripe

from operate.orders.mending import misspelt
from paidshare.delivering import catalog
from paidshare.delivering.errors import MetadataBroken
from paidshare.errors import FileMissing, ShareRefused
from paidshare.orders import Goods, Line
from paidshare.shares_fastio import Entry, FastioStorage

MOST = 1_000
"""Products that are looked at."""
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Product:
    """
    A product of Stripe's. `goods` is what a sale of it delivers, None where it says nothing that Deliver understands;
    `faults` say why a sale of it would end with a person, or deliver nothing though it was meant to. `files` are those
    that a buyer gets, None where nobody looked.
    """

    id: str
    name: str
    goods: Goods | None = None
    faults: tuple[str, ...] = ()
    files: tuple[Entry, ...] | None = None


def read(line: Line, *, link_days: int) -> Product:
    """The product of *line*, by its metadata; *link_days* are the stack's own. Pure."""
    faults, goods = [*misspelt([line])], None
    if catalog.is_ours(line):
        try:
            goods = catalog.goods(line, default_link_days=link_days)
        except MetadataBroken as error:
            faults.append(str(error))
    return Product(line.product_id, line.product_name, goods, tuple(faults))


def lines(v1: stripe.V1Services) -> list[Line]:
    """Of the products that can be bought, the newest first, as the SDK's own errors allow."""
    found = v1.products.list({"active": True, "limit": 100}).auto_paging_iter()
    return [line_of(one) for one in islice(found, MOST)]


def line_of(product: Any) -> Line:
    """A sale of one."""
    return Line(product.id, product.name, 1, product.to_dict().get("metadata") or {})


def looked_up(products: Iterable[Product], storage: FastioStorage) -> list[Product]:
    """
    Each with its files, and what keeps a delivery from being made.

    Raises FastioUnavailable when Fast.io cannot be asked.
    """

    def look(one: Product) -> Product:
        if one.goods is None:
            return one
        try:
            return replace(one, files=tuple(storage.bought(one.goods)))
        except (FileMissing, ShareRefused) as error:
            return replace(one, faults=(*one.faults, f"what product {one.id} names cannot be delivered: {error}"))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [*pool.map(look, products)]


def faults(products: Sequence[Product]) -> list[str]:
    return [fault for one in products for fault in one.faults]
