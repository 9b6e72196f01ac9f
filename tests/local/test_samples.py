"""The sample events in events/."""

from pathlib import Path
from typing import Any

from local import samples
from local.settings import ROOT, STRIPE_WEBHOOK_SECRET
from paidshare import notices
from paidshare.receiving import signatures
from paidshare.receiving.signatures import Refused, Verified

NOW = 1_800_000_000


def verdict(event: dict[str, Any]) -> Verified | Refused:
    return signatures.verify_stripe(event["body"].encode(), event["headers"], [STRIPE_WEBHOOK_SECRET], NOW + 2)


def test_the_committed_samples_are_what_make_events_writes_but_for_their_age(tmp_path: Path) -> None:
    names = samples.write(tmp_path / "events", samples.SIGNED_AT)
    fresh = {name: (tmp_path / "events" / name).read_text() for name in names}
    assert {path.name: path.read_text() for path in (ROOT / "events").iterdir()} == fresh


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
