"""What more than one port's tests need."""

from collections.abc import Iterator

import pytest

from local.hosting.serving import serving
from local.stripe.server import stripe_app
from tests.stripe_world import KEY, StripeWorld


@pytest.fixture
def stripe() -> Iterator[StripeWorld]:
    with serving(stripe_app(keys=[KEY])) as url:
        world = StripeWorld(url)
        yield world
        world.close()
