"""What the sweep's tests need of the stand-ins: a past, and a list of shares that tells no more than Fast.io's."""

from collections.abc import Iterator

import httpx
import pytest

from local.fastio.server import fastio_app
from local.hosting.serving import serving
from local.stripe.server import stripe_app
from tests.fastio_world import FastioWorld

AT = 1_795_300_000


@pytest.fixture
def stripe() -> Iterator[httpx.Client]:
    with serving(stripe_app(clock=lambda: AT)) as url, httpx.Client(base_url=url) as client:
        yield client


def paid_at(stripe: httpx.Client) -> int:
    session = stripe.post("/_pay", json={"lines": 1}).raise_for_status().json()["session"]
    key = {"Authorization": "Bearer sk_test_1"}
    return int(stripe.get(f"/v1/checkout/sessions/{session}", headers=key).json()["created"])


def test_what_is_made_after_the_clock_was_moved_is_as_old_as_that(stripe: httpx.Client) -> None:
    assert stripe.post("/_clock", json={"advance_s": -3600}).json() == {"now": AT - 3600}
    assert paid_at(stripe) == AT - 3600
    stripe.post("/_clock", json={"advance_s": 3600})
    assert paid_at(stripe) == AT


def test_a_reset_puts_the_clock_right(stripe: httpx.Client) -> None:
    stripe.post("/_clock", json={"advance_s": -3600})
    stripe.post("/_reset")
    assert paid_at(stripe) == AT


@pytest.mark.parametrize("wrong", [{}, {"advance_s": "soon"}, {"advance_s": 1, "advance_h": 1}])
def test_a_clock_is_not_moved_by_a_misspelt_wish(stripe: httpx.Client, wrong: dict[str, object]) -> None:
    assert stripe.post("/_clock", json=wrong).status_code == 400
    assert paid_at(stripe) == AT


def test_only_a_share_s_details_tell_its_own_properties() -> None:
    with serving(fastio_app()) as url:
        world = FastioWorld(url)
        world.put("guide.pdf")
        share = world.create(owner_defined='{"a": 1}').json()["share"]
        [listed] = world.api("GET", "/shares/all/").json()["shares"]
        assert "owner_defined" not in listed
        assert world.api("GET", f"/share/{share['id']}/details/").json()["share"]["owner_defined"] == '{"a": 1}'
        world.close()
