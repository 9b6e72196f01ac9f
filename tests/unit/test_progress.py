import pytest

from paidshare.entitlement import Access, Entitlement, NotOurs, NotYet
from paidshare.progress import Progress, State, Step, next_step
from tests.builders import NOW, some_goods

ACCESS = Access((some_goods(),), NOW)
MAILED = Progress(state=State.DELIVERED, share_id="1", mailing_at=NOW, mailed_at=NOW, message_id="m")


class TestNextStep:
    @pytest.mark.parametrize(
        ("due", "progress", "step"),
        [
            (ACCESS, Progress(), Step.DELIVER),
            # Paid at last.
            (ACCESS, Progress(state=State.WAITING, reason="payment_unpaid"), Step.DELIVER),
            # A person mended it.
            (ACCESS, Progress(state=State.ON_HOLD, reason="file_missing"), Step.DELIVER),
            # The seller put our fields on the product later.
            (ACCESS, Progress(state=State.NOT_OURS), Step.DELIVER),
            # A crash after the share, or while the letter was leaving: a second letter is better than none.
            (ACCESS, Progress(share_id="1", mailing_at=NOW), Step.DELIVER),
            (ACCESS, MAILED, Step.NOTHING),
            (NotYet("payment_unpaid"), Progress(), Step.WAIT),
            (NotYet("payment_unpaid"), Progress(state=State.WAITING), Step.WAIT),
            # An elder event that came late.
            (NotYet("payment_unpaid"), MAILED, Step.NOTHING),
            (NotOurs("no_line_of_ours"), Progress(), Step.CLOSE),
            (NotOurs("no_line_of_ours"), MAILED, Step.NOTHING),
        ],
    )
    def test_the_next_step_is_what_is_missing(self, due: Entitlement, progress: Progress, step: Step) -> None:
        assert next_step(due, progress) is step


class TestProgress:
    def test_an_order_never_seen_is_new_and_has_nothing(self) -> None:
        assert Progress() == Progress(state=State.NEW)
        assert Progress().mailed_at is None
