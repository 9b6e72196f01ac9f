"""Stripe and Fast.io, each stood in for or real, and the inbox: everything of the laptop's that is not AWS."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.types import ASGIApp

from local import seeds
from local.aws import letters
from local.fastio.server import fastio_app
from local.hosting.serving import serving
from local.inbox import inbox_app
from local.seeds import Goods
from local.settings import FASTIO_API, FASTIO_WEB, STRIPE_API, Keys
from local.stripe.server import stripe_app

_STRIPE_PORT, _FASTIO_PORT, _INBOX_PORT = 12111, 12112, 8025


@dataclass(frozen=True, slots=True)
class Services:
    """
    Where they answer, and what there is to sell.

    `product_ids` is empty when Stripe is the real one, or when nobody said what to sell from a real Fast.io.
    """

    stripe_url: str
    fastio_url: str
    fastio_api: str
    inbox_url: str
    goods: Goods
    product_ids: list[str]


@contextlib.contextmanager
def services(keys: Keys, aws_url: str, *, usual_ports: bool, bind: str) -> Iterator[Services]:
    """All of them, while the block runs, the stand-ins with something to sell."""
    with contextlib.ExitStack() as served:

        def serve(app: ASGIApp, usual: int) -> str:
            if usual_ports:
                # Between a look at the port and its start somebody else may take it; then another one will do.
                with contextlib.suppress(OSError):
                    return served.enter_context(serving(app, port=usual, host=bind))
            return served.enter_context(serving(app, host=bind))

        if keys.real_fastio:
            fastio_url, fastio_api = FASTIO_WEB, FASTIO_API
            goods = Goods(keys.fastio_workspace, tuple(filter(None, keys.fastio_files.split(","))))
        else:
            fastio_url = serve(fastio_app(api_key=keys.fastio_api_key), _FASTIO_PORT)
            fastio_api = f"{fastio_url}/current"
            goods = seeds.fill_fastio(fastio_url)
        stripe_url, product_ids = STRIPE_API, []
        if not keys.real_stripe:
            stripe = stripe_app(keys=[keys.stripe_api_key], webhook_secret=keys.stripe_webhook_secret)
            stripe_url = serve(stripe, _STRIPE_PORT)
            product_ids = seeds.fill_stripe(stripe_url, keys, goods) if goods.nodes else []
        yield Services(
            stripe_url=stripe_url,
            fastio_url=fastio_url,
            fastio_api=fastio_api,
            inbox_url=serve(inbox_app(lambda: letters.sent(aws_url)), _INBOX_PORT),
            goods=goods,
            product_ids=product_ids,
        )


def described(keys: Keys) -> str:
    """For the progress: which of the two are real."""
    real = [name for name, is_real in (("Stripe", keys.real_stripe), ("Fast.io", keys.real_fastio)) if is_real]
    stood_in = [name for name in ("Stripe", "Fast.io") if name not in real]
    words = [f"stand-in{'s' if len(stood_in) > 1 else ''} for {' and '.join(stood_in)}"] if stood_in else []
    return ", ".join([*words, *(f"the real {name}" for name in real), "inbox"])
