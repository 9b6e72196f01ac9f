"""The sample events in events/."""

import json
from typing import Any

from local import samples
from local.settings import ROOT, STRIPE_WEBHOOK_SECRET
from paidshare import notices
from paidshare.receiving import signatures
from paidshare.receiving.signatures import Refused, Verified

NOW = 1_800_000_000


def verdict(event: dict[str, Any]) -> Verified | Refused:
    return signatures.verify_stripe(event["body"].encode(), event["headers"], [STRIPE_WEBHOOK_SECRET], NOW + 2)


def test_the_committed_samples_are_what_make_events_writes_apart_from_their_age() -> None:
    def ageless(events: dict[str, Any]) -> Any:
        when = str(int(next(iter(events.values()))["requestContext"]["timeEpoch"] / 1000))
        text = json.dumps({name: {k: v for k, v in e.items() if k != "headers"} for name, e in events.items()})
        return json.loads(text.replace(when, "7"))

    fresh = samples.samples(NOW)
    committed = {name: json.loads((ROOT / "events" / name).read_text()) for name in fresh}
    assert ageless(committed) == ageless(fresh)
    assert {path.name for path in (ROOT / "events").iterdir()} == set(fresh)


def test_the_paid_and_the_duplicate_sample_verify_and_are_one_event() -> None:
    events = samples.samples(NOW)
    paid, again = events["receive-paid.json"], events["receive-duplicate.json"]
    assert isinstance(verdict(paid), Verified)
    assert isinstance(verdict(again), Verified)
    assert paid["headers"]["stripe-signature"] != again["headers"]["stripe-signature"]
    assert notices.from_stripe(paid["body"].encode(), livemode=False) == notices.from_stripe(
        again["body"].encode(), livemode=False
    )


def test_the_forged_sample_is_refused() -> None:
    assert isinstance(verdict(samples.samples(NOW)["receive-forged.json"]), Refused)
