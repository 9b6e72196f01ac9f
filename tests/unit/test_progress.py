from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from paidshare.aws.rows import read
from paidshare.delivering.entitlement import Due
from paidshare.delivering.errors import PaymentUndone
from paidshare.delivering.plan import Plan, Step, plan
from paidshare.grants import Grant, KnownShare
from paidshare.progress import LastLetter, LetterInFlight, Progress, Said
from paidshare.states import Kind, Standing, State, Told, Why
from tests.builders import NOW, a_line, a_progress, a_row

UNTIL = NOW + timedelta(days=7)
A, B = a_line(product_id="a"), a_line(product_id="b")


def access(*lines: Any) -> tuple[Due, ...]:
    return tuple(Due(line, Standing.ACCESS, Why.PAID, UNTIL) for line in lines or (A,))


def due(standing: Standing, why: Why, *lines: Any) -> tuple[Due, ...]:
    return tuple(Due(line, standing, why) for line in lines or (A,))


def left(progress: Progress, kind: Kind) -> Progress:
    """With a letter that was in doubt, and counts as left."""
    return progress.with_letter(Said(kind, ("li_a",)), now=NOW).after_letter(at=NOW)


WAITING = due(Standing.NOTHING_YET, Why.NOT_PAID)
FAILED = due(Standing.NOTHING_YET, Why.PAYMENT_FAILED)
HELD = due(Standing.ON_HOLD, Why.DISPUTED)
REFUNDED = due(Standing.ENDED, Why.REFUNDED)
EXPIRED = due(Standing.ENDED, Why.EXPIRED)
NOT_ACTIVE_YET = due(Standing.NOTHING_YET, Why.SUBSCRIPTION_NOT_ACTIVE, B)

NEW = Progress()
OPENED = a_progress(share_id="1", share_expires_at=UNTIL)
IN_DOUBT = a_progress(OPENED, mailing=Kind.DELIVERY, mailing_at=NOW)
DELIVERED = a_progress(
    state=State.DELIVERED,
    share_id="1",
    share_expires_at=UNTIL,
    holds=("li_a",),
    lines=("li_a",),
    given=("li_a",),
    told=Told.ACCESS,
    mailing_at=NOW,
    mailed_at=NOW,
    delivered_at=NOW,
)
BOTH = a_progress(DELIVERED, holds=("li_a", "li_b"), given=("li_a", "li_b"))
ON_HOLD = a_progress(DELIVERED, closed_at=NOW, told=Told.ON_HOLD)
ENDED = a_progress(DELIVERED, closed_at=NOW, told=Told.ENDED)
TOLD_OF_FAILURE = a_progress(state=State.WAITING, told=Told.PAYMENT_FAILED, mailing_at=NOW, mailed_at=NOW)


class TestPlan:
    @pytest.mark.parametrize(
        ("progress", "dues", "step", "state"),
        [
            # Before anything was delivered.
            (NEW, access(), Step.DELIVER, State.DELIVERED),
            (NEW, WAITING, Step.WAIT, State.WAITING),
            (NEW, (), Step.NOTHING, State.NOT_OURS),
            (NEW, FAILED, Step.TELL_FAILURE, State.WAITING),
            (TOLD_OF_FAILURE, FAILED, Step.WAIT, State.WAITING),
            (TOLD_OF_FAILURE, access(), Step.DELIVER, State.DELIVERED),
            # What the buyer never had cannot be taken away, and there is nothing to tell.
            (NEW, HELD, Step.NOTHING, State.ACCESS_ON_HOLD),
            (NEW, REFUNDED, Step.NOTHING, State.ACCESS_ENDED),
            (NEW, EXPIRED, Step.NOTHING, State.ACCESS_ENDED),
            # A share is closed even if its link was not mailed; if that may have been, with a letter.
            (OPENED, REFUNDED, Step.CLOSE, State.ACCESS_ENDED),
            (a_progress(OPENED, closed_at=NOW), REFUNDED, Step.NOTHING, State.ACCESS_ENDED),
            # Whether its letter left is settled before another one is mailed; the share does not wait for that.
            (IN_DOUBT, HELD, Step.CLOSE, State.ACCESS_ON_HOLD),
            (a_progress(IN_DOUBT, closed_at=NOW), HELD, Step.NOTHING, State.ACCESS_ON_HOLD),
            (IN_DOUBT.after_letter(), HELD, Step.CLOSE, State.ACCESS_ON_HOLD),
            (a_progress(IN_DOUBT, closed_at=NOW, told=Told.ON_HOLD), access(), Step.DELIVER, State.DELIVERED),
            # After it.
            (DELIVERED, access(), Step.NOTHING, State.DELIVERED),
            (DELIVERED, HELD, Step.CLOSE, State.ACCESS_ON_HOLD),
            (DELIVERED, REFUNDED, Step.CLOSE, State.ACCESS_ENDED),
            (DELIVERED, EXPIRED, Step.NOTHING, State.ACCESS_ENDED),
            (ON_HOLD, HELD, Step.NOTHING, State.ACCESS_ON_HOLD),
            (ON_HOLD, access(), Step.REOPEN, State.DELIVERED),
            # The dispute was lost: the share is closed already, and the letter says that it stays so.
            (ON_HOLD, REFUNDED, Step.CLOSE, State.ACCESS_ENDED),
            (ENDED, REFUNDED, Step.NOTHING, State.ACCESS_ENDED),
            # A refund that failed.
            (ENDED, access(), Step.REOPEN, State.DELIVERED),
            (ENDED, HELD, Step.CLOSE, State.ACCESS_ON_HOLD),
            # A crash while the share was being closed or opened: what became of it is in doubt, and is done again.
            (a_progress(DELIVERED, closed_at=NOW, switching=True), access(), Step.REOPEN, State.DELIVERED),
            (a_progress(DELIVERED, switching=True), access(), Step.REOPEN, State.DELIVERED),
            (a_progress(ON_HOLD, switching=True), HELD, Step.CLOSE, State.ACCESS_ON_HOLD),
            # What it holds is in doubt.
            (a_progress(DELIVERED, holds=()), access(), Step.CHANGE, State.DELIVERED),
            (a_progress(ENDED, holds=()), REFUNDED, Step.NOTHING, State.ACCESS_ENDED),
            # A letter that counts as left: the buyer believes what is not true any more.
            (left(DELIVERED, Kind.ACCESS_ON_HOLD), access(), Step.REOPEN, State.DELIVERED),
            (left(ON_HOLD, Kind.ACCESS_BACK), HELD, Step.CLOSE, State.ACCESS_ON_HOLD),
            (left(DELIVERED, Kind.DELIVERY), access(), Step.NOTHING, State.DELIVERED),
            # A crash between closing and the letter.
            (a_progress(DELIVERED, closed_at=NOW), REFUNDED, Step.CLOSE, State.ACCESS_ENDED),
            (a_progress(DELIVERED, closed_at=NOW), access(), Step.REOPEN, State.DELIVERED),
            # A crash between reopening and the letter.
            (a_progress(ON_HOLD, closed_at=None), access(), Step.REOPEN, State.DELIVERED),
            # Some lines only.
            (
                BOTH,
                access(A),
                Step.CHANGE,
                State.DELIVERED,
            ),
            (DELIVERED, access(A, B), Step.CHANGE, State.DELIVERED),
            (
                a_progress(BOTH, given=("li_b", "li_a")),
                access(A, B),
                Step.NOTHING,
                State.DELIVERED,
            ),
            # One line waits for its subscription; the other is there already, and stays.
            (
                DELIVERED,
                access(A) + NOT_ACTIVE_YET,
                Step.NOTHING,
                State.DELIVERED,
            ),
            # A line on hold is more than one that ended: it opens again.
            (
                BOTH,
                due(Standing.ENDED, Why.PARTLY_REFUNDED, A) + due(Standing.ON_HOLD, Why.DISPUTED, B),
                Step.CLOSE,
                State.ACCESS_ON_HOLD,
            ),
        ],
    )
    def test_the_next_step_is_what_is_missing(
        self, progress: Progress, dues: tuple[Due, ...], step: Step, state: State
    ) -> None:
        answer = plan(dues, progress)
        assert (answer.step, answer.state) == (step, state)

    def test_it_says_why(self) -> None:
        assert plan(HELD, DELIVERED).why is Why.DISPUTED
        assert plan(WAITING, NEW).why is Why.NOT_PAID

    def test_a_change_says_why_a_line_is_gone_and_nothing_where_all_are_back(self) -> None:
        both = BOTH
        assert plan(access(A) + due(Standing.ENDED, Why.PARTLY_REFUNDED, B), both).why is Why.PARTLY_REFUNDED
        assert plan(access(A, B), DELIVERED).why is None

    @pytest.mark.parametrize("dues", [WAITING, ()])
    def test_a_delivered_order_that_is_not_paid_any_more_is_a_case_for_a_person(self, dues: tuple[Due, ...]) -> None:
        with pytest.raises(PaymentUndone):
            plan(dues, DELIVERED)

    def test_a_share_stays_open_as_long_as_its_longest_line(self) -> None:
        longer = Due(B, Standing.ACCESS, Why.PAID, UNTIL + timedelta(days=1))
        assert plan((*access(A), longer), NEW).until == UNTIL + timedelta(days=1)
        with pytest.raises(ValueError, match="empty"):
            _ = Plan(Step.WAIT, State.WAITING).until


class TestProgress:
    def test_an_order_never_seen_is_new_and_promises_nothing(self) -> None:
        assert Progress().state is State.NEW
        assert Progress().promise is None
        assert IN_DOUBT.promise is None

    def test_what_was_mailed_is_promised(self) -> None:
        promise = ON_HOLD.promise
        assert promise is not None
        assert (promise.lines, promise.until, promise.closed_at) == (("li_a",), UNTIL, NOW)

    @pytest.mark.parametrize(
        ("sent_at", "kind", "answer"),
        [
            # SES said so, at once or a moment later; its older notifications do not say of what kind.
            (NOW, "delivery", True),
            (NOW + timedelta(seconds=3), None, True),
            # Its clock is behind ours.
            (NOW - timedelta(seconds=5), None, True),
            # It said nothing yet; or what it said is about an earlier letter, or another one.
            (None, None, False),
            (NOW - timedelta(seconds=6), None, False),
            (NOW, "payment_failed", False),
        ],
    )
    def test_a_letter_that_bears_no_mark_has_left_when_ses_says_so_of_its_time_and_kind(
        self,
        sent_at: datetime | None,
        kind: str | None,
        answer: bool,  # noqa: FBT001
    ) -> None:
        assert a_progress(IN_DOUBT, sent_at=sent_at, sent_kind=kind).has_left is answer

    def test_ses_s_word_of_another_letter_never_vouches_for_the_one_in_doubt(self) -> None:
        ours, other = (LetterInFlight(Said(Kind.DELIVERY), at).mark for at in (NOW, NOW - timedelta(seconds=1)))
        said = a_progress(IN_DOUBT, sent_at=NOW, sent_kind="delivery")
        assert a_progress(said, sent_mark=ours).has_left
        assert not a_progress(said, sent_mark=other).has_left

    def test_ses_s_word_of_another_letter_of_the_same_second_never_vouches_either(self) -> None:
        mark = LetterInFlight(Said(Kind.DELIVERY), NOW).mark
        said = a_progress(IN_DOUBT, sent_at=NOW, sent_mark=mark)
        assert a_progress(said, sent_kind="delivery").has_left
        assert not a_progress(said, sent_kind="access_ended").has_left

    def test_right_after_another_letter_ses_s_word_must_be_younger(self) -> None:
        second = a_progress(IN_DOUBT, mailed_at=NOW - timedelta(seconds=3), sent_at=NOW - timedelta(seconds=3))
        assert not second.has_left
        assert a_progress(second, sent_at=NOW).has_left

    def test_without_a_doubt_nothing_is_taken_for_sent(self) -> None:
        assert not a_progress(DELIVERED, sent_at=NOW).has_left
        assert DELIVERED.after_letter() == DELIVERED


class TestWhatCannotBe:
    """The values of a row refuse what no order can have come to."""

    NAIVE = NOW.replace(tzinfo=None)

    @pytest.mark.parametrize(
        "made",
        [
            lambda: KnownShare("", UNTIL),
            lambda: KnownShare("1", TestWhatCannotBe.NAIVE),
            lambda: KnownShare("1", UNTIL, closed_at=TestWhatCannotBe.NAIVE),
            lambda: LastLetter(Told.ACCESS, message_id="m-1"),
            lambda: LastLetter(Told.ACCESS, mailed_at=TestWhatCannotBe.NAIVE),
            lambda: LetterInFlight(Said("a_letter_that_there_is_not"), NOW),
            lambda: LetterInFlight(Said(Kind.DELIVERY), TestWhatCannotBe.NAIVE),
        ],
    )
    def test_it_is_refused(self, made: Callable[[], object]) -> None:
        with pytest.raises(ValueError, match=r"id|time zone|letter"):
            made()

    def test_of_halves_in_an_older_row_nothing_is_made(self) -> None:
        row = {
            "state": {"S": "waiting"},
            "claims": {"N": "1"},
            "share_id": {"S": "77"},
            "mailing_at": {"N": "1795348800"},
            "message_id": {"S": "m-1"},
        }
        assert read(row) == Progress(state=State.WAITING)


class TestAfterALetter:
    """What the buyer believes, and has, once the letter in doubt counts as left."""

    OPEN = Grant("li_a", UNTIL, "shop", ("file-1",))
    AT = NOW + timedelta(days=1)

    @pytest.mark.parametrize(
        ("kind", "told"),
        [
            (Kind.PAYMENT_FAILED, Told.PAYMENT_FAILED),
            (Kind.ACCESS_ON_HOLD, Told.ON_HOLD),
            (Kind.ACCESS_ENDED, Told.ENDED),
            (Kind.ACCESS_BACK, Told.ACCESS),
            (Kind.ACCESS_CHANGED, Told.ACCESS),
            (Kind.DELIVERY, Told.ACCESS),
        ],
    )
    def test_the_buyer_believes_what_it_says(self, kind: Kind, told: Told) -> None:
        after = DELIVERED.with_letter(Said(kind, ("li_a",)), now=self.AT).after_letter()
        assert (after.told, after.in_flight, a_row(after).mailed_at) == (told, None, self.AT)

    def test_a_first_link_is_delivered_then_and_its_lines_are_the_buyer_s(self) -> None:
        marked = replace(OPENED, lines=("li_a",), grants=(replace(self.OPEN, closed_at=NOW),))
        after = marked.with_letter(Said(Kind.DELIVERY, ("li_a",)), now=self.AT).after_letter()
        assert (after.delivered_at, after.given) == (self.AT, ("li_a",))
        # The days count from the letter, and not from when it was begun.
        assert after.grants == (replace(self.OPEN, until=UNTIL + timedelta(days=1)),)

    def test_what_comes_back_has_the_time_that_was_left_when_it_was_taken(self) -> None:
        closed = replace(ON_HOLD, grants=(replace(self.OPEN, closed_at=NOW),))
        after = closed.with_letter(Said(Kind.ACCESS_BACK, ("li_a",)), now=self.AT).after_letter()
        assert after.grants == (replace(self.OPEN, until=UNTIL + timedelta(days=1)),)

    def test_a_line_that_it_does_not_name_stays_taken_back(self) -> None:
        gone = replace(self.OPEN, line="li_b", closed_at=NOW)
        both = replace(BOTH, grants=(self.OPEN, gone))
        after = both.with_letter(Said(Kind.ACCESS_CHANGED, ("li_a",)), now=self.AT).after_letter()
        assert (after.given, after.grants) == (("li_a",), (self.OPEN, gone))

    def test_what_ran_out_before_it_was_taken_back_has_nothing_left_to_come_back(self) -> None:
        over = replace(self.OPEN, until=NOW)
        assert replace(DELIVERED, grants=(over,)).taken_back(("li_a",), now=self.AT).grants == (over,)


@pytest.mark.parametrize(
    ("dues", "why"),
    [
        # What only holds is said before what ended, and what was taken back before what ran out by itself.
        (due(Standing.ENDED, Why.PARTLY_REFUNDED, A) + due(Standing.ON_HOLD, Why.DISPUTED, B), Why.DISPUTED),
        (due(Standing.ENDED, Why.EXPIRED, A) + due(Standing.ENDED, Why.PARTLY_REFUNDED, B), Why.PARTLY_REFUNDED),
        (due(Standing.ENDED, Why.REFUNDED, A) + due(Standing.ENDED, Why.DISPUTE_LOST, B), Why.REFUNDED),
        (due(Standing.ENDED, Why.EXPIRED, A, B), Why.EXPIRED),
    ],
)
def test_of_several_reasons_the_one_that_matters_most_is_told(dues: tuple[Due, ...], why: Why) -> None:
    todo = plan(dues, BOTH)
    assert todo.why is why
    assert (todo.letter is None) is (why is Why.EXPIRED)
    assert todo.letter is None or todo.letter.why == why


def test_nothing_is_left_to_do_for_a_settled_order_and_something_for_every_other() -> None:
    settled = {State.NOT_OURS, State.ELSEWHERE, State.DELIVERED, State.ACCESS_ENDED}
    assert {state for state in State if state.settled} == settled


class TestRule:
    """While money is kept the buyer has access, or was told why not, or a person has the case."""

    @pytest.mark.parametrize(
        ("dues", "progress", "kept", "told"),
        [
            (HELD, NEW, True, Told.ON_HOLD),
            (HELD, NEW, False, None),
            (due(Standing.ENDED, Why.SUBSCRIPTION_CANCELED), NEW, True, Told.ENDED),
            (REFUNDED, NEW, False, None),
            # Who was told that the link would come is told that it will not, whatever became of the money.
            (REFUNDED, a_progress(told=Told.ON_HOLD), False, Told.ENDED),
            (REFUNDED, a_progress(told=Told.ENDED), True, None),
        ],
    )
    def test_who_was_never_mailed_a_link_is_told_why_as_long_as_the_money_is_kept(
        self,
        dues: tuple[Due, ...],
        progress: Progress,
        kept: bool,  # noqa: FBT001
        told: Told | None,
    ) -> None:
        letter = plan(dues, progress, kept=kept).letter
        kinds = {Told.ON_HOLD: Kind.ACCESS_ON_HOLD, Told.ENDED: Kind.ACCESS_ENDED}
        assert (letter and letter.kind) == (told and kinds[told])
