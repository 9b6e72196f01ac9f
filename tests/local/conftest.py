"""What the tests of the Stripe stand-in share."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from local.hosting.serving import serving
from local.stripe.server import stripe_app
from tests.local.stripe_stand import AT, KEY, SECRET, SESSION_EVENTS, Shop, Stand


@pytest.fixture
def stand() -> Iterator[Stand]:
    app = stripe_app(keys=[KEY], webhook_secret=SECRET, retries=(0.01, 0.01, 0.01), clock=lambda: AT)
    with serving(app) as url:
        made = Stand(url)
        yield made
        made.http.close()  # type: ignore[no-untyped-call]  # The SDK gives it no types.


@pytest.fixture
def shop(stand: Stand) -> Iterator[Shop]:
    made = Shop()
    app = Starlette(routes=[Route("/hook", made.hook, methods=["POST"])])
    with serving(app) as url:
        made.url = url + "/hook"
        stand.control("/_webhook", {"url": made.url, "events": SESSION_EVENTS})
        yield made
