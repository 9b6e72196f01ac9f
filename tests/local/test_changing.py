"""What the buyer must hear of after the sale, and what our webhook must have answered."""

from typing import Any

import pytest

from local import changing, paying, sale
from local.aws.letters import Letter
from local.sale import Attempt, SaleFailed


def attempt(status: int = 200, **told: int) -> Attempt:
    return Attempt(event="evt_1", status=status, seconds=0.1, at=100.0, body="", told=told)


class TestWhatIsDue:
    @pytest.mark.parametrize(("refunded", "due"), [(True, True), (False, False)])
    def test_only_a_refund_in_full_ends_access(self, *, refunded: bool, due: bool) -> None:
        assert changing.ends_access({"refunded": refunded}) is due

    @pytest.mark.parametrize(
        ("still_refunded", "failed", "due"),
        [
            (0, 1_900, True),
            (400, 1_500, True),  # The second of two that were all of it together.
            (0, 400, False),
            (400, 400, False),
        ],
    )
    def test_a_refund_that_fails_gives_back_what_it_had_ended(
        self, *, still_refunded: int, failed: int, due: bool
    ) -> None:
        charge = {"amount": 1_900, "amount_refunded": still_refunded}
        assert changing.gives_access_back(charge, {"amount": failed}) is due

    @pytest.mark.parametrize(
        ("status", "refundable", "due"),
        [
            ("won", False, True),
            ("lost", False, True),
            ("lost", True, True),
            ("warning_closed", True, False),  # An inquiry never held anything.
        ],
    )
    def test_the_end_of_a_dispute_matters_when_it_held_access_or_ends_it(
        self, *, status: str, refundable: bool, due: bool
    ) -> None:
        assert changing.changes_access({"status": status, "is_charge_refundable": refundable}) is due


class TestAnswers:
    def test_every_event_must_have_been_taken(self) -> None:
        paying.expect(attempt(a=200, b=200), 200)
        with pytest.raises(SaleFailed, match="answered 503 to b, and 200 was due"):
            paying.expect(attempt(a=200, b=503), 200)
        with pytest.raises(SaleFailed, match="answered nothing at all"):
            paying.expect(attempt(0), 200)

    def test_time_runs_from_the_first_event_that_was_told(self) -> None:
        def sent(kind: str, at: float) -> dict[str, Any]:
            return {"type": kind, "status": 200, "seconds": 0.1, "at": at, "body": ""}

        first, main = sent("charge.succeeded", 100.0), sent("checkout.session.completed", 101.0)

        made = sale.attempt_in(
            {
                "event": "evt_2",
                "delivery": main,
                "events": [{"delivery": first}, {"delivery": main}, {"delivery": None}],
            }
        )
        assert (made.event, made.at) == ("evt_2", 100.0)
        assert made.told == {"charge.succeeded": 200, "checkout.session.completed": 200}

    def test_a_letter_is_shown_by_its_subject_and_when_it_came(self) -> None:
        letter = Letter("1", ("ada@example.com",), "shop@example.com", "Access ended: Guide", "text", "html", 102.5)
        facts = paying.Outcome("cs_1", attempt(a=200), letter).facts()
        assert (facts["letter_subject"], facts["letter_seconds"], facts["events"]) == (
            "Access ended: Guide",
            2.5,
            {"a": 200},
        )
        assert "text" not in facts.values()


def test_an_event_that_the_webhook_does_not_want_leaves_the_one_that_it_wants_to_be_told() -> None:
    taken = {"event": "evt_2", "type": "charge.refunded", "status": 200, "seconds": 0.1, "at": 5.0, "body": ""}
    events = [{"event": "evt_1", "delivery": None}, {"event": "evt_2", "delivery": taken}]
    attempt = sale.attempt_in({"event": "evt_1", "delivery": None, "events": events})
    assert (attempt.event, attempt.status, attempt.told) == ("evt_2", 200, {"charge.refunded": 200})
