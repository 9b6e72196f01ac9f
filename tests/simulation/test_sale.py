"""What a sale costs at the providers, counted through the real functions."""

import pytest

from simulation.sale import counted


@pytest.mark.parametrize(("goods", "files"), [("guide", 1), ("atlas", 2)])
def test_a_sale_of_four_events_asks_stripe_twice_and_fastio_once_for_each_thing(goods: str, files: int) -> None:
    """Two look and make, one puts in each file, and two are a guest's, who sees that the link opens."""
    calls, _ = counted(goods)
    stripe = sum(count for (_, provider, _), count in calls.items() if provider == "Stripe")
    fastio = sum(count for (_, provider, _), count in calls.items() if provider == "Fast.io")
    assert stripe <= 2
    assert fastio == 4 + files
    assert calls["deliver", "SES", "SendEmail"] == 1
    assert calls["receive", "SQS", "SendMessage"] == 4
