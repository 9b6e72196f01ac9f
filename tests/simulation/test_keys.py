"""Keys that are renewed in the midst of a run: in whatever order, all of them are right when the trouble ends."""

import pytest

from simulation.chance import Chance
from simulation.clock import START
from simulation.keys import Keys, renewals
from simulation.stripe.account import DAY_S

SEEDS = range(300)


@pytest.mark.parametrize("days", [0.1, 35.0])
def test_at_the_end_the_shop_has_the_keys_that_are_taken(days: float) -> None:
    for seed in SEEDS:
        keys = Keys()
        for moment, _, do in renewals(Chance(seed), days=days):
            assert START <= moment <= START + days * DAY_S
            do(keys)
        assert keys.secret["stripe_api_key"] in keys.stripe
        assert keys.secret["fastio_api_key"] in keys.fastio
        assert set(keys.secret["stripe_webhook_secrets"]) == set(keys.signing)


def test_some_runs_have_a_moment_at_which_the_shop_s_key_is_refused() -> None:
    refused = 0
    for seed in SEEDS:
        keys, wrong = Keys(), False
        for _, _, do in renewals(Chance(seed), days=0.5):
            do(keys)
            wrong |= keys.secret["fastio_api_key"] not in keys.fastio
            wrong |= not set(keys.secret["stripe_webhook_secrets"]).intersection(keys.signing)
        refused += wrong
    assert refused > len(SEEDS) / 20
