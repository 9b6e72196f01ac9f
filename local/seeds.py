"""What a new laptop's shop has to sell: files in the Fast.io stand-in, products in the Stripe stand-in."""

from dataclasses import dataclass

import httpx

from local.settings import WEBHOOK_EVENTS, Keys

WORKSPACE = "bird-shop"

_FILES = {
    "Garden birds.md": "# Garden birds\n\nBlackbird, robin, wren, blue tit, great tit, house sparrow.\n",
    "Checklist.csv": "bird,seen\nblackbird,\nrobin,\nwren,\nblue tit,\ngreat tit,\nhouse sparrow,\n",
}
FILE_NAMES = frozenset(_FILES)
"""What the product holds."""


@dataclass(frozen=True, slots=True)
class Goods:
    """What a product names in its metadata: node ids (a folder's means every file in it) of one workspace."""

    workspace: str
    nodes: tuple[str, ...]


def client(url: str, *, key: str = "") -> httpx.Client:
    """For services on this machine: no proxy leads there."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False)


def fill_fastio(url: str) -> Goods:
    """Two files into the stand-in at *url*."""
    with client(url) as fastio:
        nodes = []
        for name, content in _FILES.items():
            file = {"workspace": WORKSPACE, "path": f"Field guide/{name}", "content": content}
            made = fastio.post("/_files", json=file)
            made.raise_for_status()
            nodes.append(made.json()["node_id"])
    return Goods(WORKSPACE, tuple(nodes))


def fill_stripe(url: str, keys: Keys, goods: Goods) -> list[str]:
    """One product that delivers *goods*, made as a seller would; its id, in a list that may get longer."""
    with client(url, key=keys.stripe_api_key) as stripe:
        made = stripe.post(
            "/v1/products",
            data={
                "name": "Garden Birds, a field guide",
                "metadata[fastio_workspace]": goods.workspace,
                "metadata[fastio_files]": ",".join(goods.nodes),
                "default_price_data[currency]": "eur",
                "default_price_data[unit_amount]": "1900",
            },
        )
        made.raise_for_status()
    return [made.json()["id"]]


def point_webhook(url: str, keys: Keys, webhook_url: str) -> None:
    """From now on the Stripe stand-in sends its events to *webhook_url*."""
    with client(url) as stripe:
        wanted = {"url": webhook_url, "secret": keys.stripe_webhook_secret, "events": WEBHOOK_EVENTS}
        told = stripe.post("/_webhook", json=wanted)
        told.raise_for_status()
