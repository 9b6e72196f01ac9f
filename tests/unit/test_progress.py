import pytest

from paidshare.entitlement import Access, Entitlement, NotOurs, NotYet
from paidshare.progress import Progress, State, Step, next_step
from tests.builders import NOW, some_goods

ACCESS = Access((some_goods(),), NOW)


class TestNextStep:
    @pytest.mark.parametrize(
        ("due", "step"),
        [
            (ACCESS, Step.DELIVER),
            (NotYet("payment_unpaid"), Step.WAIT),
            (NotOurs("no_line_of_ours"), Step.CLOSE),
        ],
    )
    def test_the_next_step_is_what_is_missing(self, due: Entitlement, step: Step) -> None:
        assert next_step(due) is step


class TestProgress:
    def test_an_order_never_seen_is_new_and_has_nothing(self) -> None:
        assert Progress() == Progress(state=State.NEW)
        assert Progress().mailed_at is None
