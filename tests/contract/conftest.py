"""What more than one port's tests need."""

from collections.abc import Iterator

import pytest

from local.hosting.serving import serving
from local.stripe.server import stripe_app
from tests.own_client import moto_over_http
from tests.stripe_world import KEY, StripeWorld


@pytest.fixture
def stripe() -> Iterator[StripeWorld]:
    with serving(stripe_app(keys=[KEY])) as url:
        world = StripeWorld(url)
        yield world
        world.close()


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    with moto_over_http() as url:
        yield url
