"""A short `make soak`: a hundred orders while providers fail, answers are lost, workers die and events come twice."""

from pathlib import Path

import pytest

from local.showing import Progress
from local.soak.run import Plan, soak
from local.stack import running

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1000)]

# Kills and doubts in the first moments only: what they leave behind is waited for up to 90 s.
SHORT = Plan(orders=100, seed=5, limit_s=900, kill_every_s=1, calm_after_s=14, visibility_s=8, longest_wait_s=4)


def test_a_hundred_orders_through_every_kind_of_trouble_are_delivered_once_each(tmp_path: Path) -> None:
    with running(tmp_path) as stack:
        soaked = soak(stack, SHORT, Progress())
    assert soaked.troubles == [], "\n".join(soaked.table())
    assert soaked.figures["orders paid"] == soaked.figures["shares"] == "100"
    assert all(soaked.struck.values()), soaked.struck
