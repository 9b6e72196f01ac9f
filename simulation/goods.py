"""What the shop sells, and the files of it at Fast.io."""

from dataclasses import replace

from local.fastio.state import Fastio
from paidshare.orders import Line
from simulation.stripe.account import Product

FILES = {
    "guide": ("forest.pdf",),
    "atlas": ("coast.pdf", "rivers.pdf"),
    "club": ("club.zip",),
    "plus": ("plus.zip",),
    "lamp": ("lamp.stl",),
}
_PRICES = {"guide": 1_000, "atlas": 900, "club": 500, "plus": 1_500, "lamp": 700, "mug": 1_200}
_LONG = {"atlas": "60"}
"""Links of these last so many days, whatever the shop's usual time is."""


def products(host: Fastio) -> dict[str, Product]:
    """By their names, with their files put into *host*. The mug is not ours; the lamp's metadata says no workspace."""
    found = {}
    for name, price in _PRICES.items():
        files = FILES.get(name, ())
        ids = [host.seed("shop", file, f"the bytes of {file}".encode())["node_id"] for file in files]
        metadata = {"fastio_workspace": "shop", "fastio_files": ",".join(ids)} if files else {}
        if name in _LONG:
            metadata["fastio_link_days"] = _LONG[name]
        if name == "lamp":
            del metadata["fastio_workspace"]
        found[name] = Product(f"prod_{name}", name, price, files, metadata)
    return found


def mended(line: Line) -> Line:
    """The line once the seller has corrected what its product says."""
    if line.product_id != "prod_lamp":
        return line
    return replace(line, metadata=line.metadata | {"fastio_workspace": "shop"})
