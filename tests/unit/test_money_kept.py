"""While money is kept the buyer has access, or was told why not, or a person has the case."""

from collections import Counter
from datetime import timedelta

import pytest

from paidshare.delivering.errors import PaidNothingGiven
from paidshare.delivering.plan import Answer, Plan, answer, decide, plan
from paidshare.errors import NeedsAPerson
from paidshare.orders import Order
from paidshare.progress import Progress
from paidshare.states import Kind, Standing, State, Told, Why
from tests.builders import NOW, a_line, a_policy, an_order
from tests.every_order import Combination, every_combination


def verdict(one: Combination) -> str:
    """How the combination ends. Raises AssertionError where money is kept in silence."""
    try:
        todo = decide(one.order, one.policy, one.progress, now=one.now)
    except NeedsAPerson as case:
        return f"person: {case.reason}"
    if is_kept(one.order) and not has_access(todo, one) and todo.state is not State.NOT_OURS:
        told = todo.letter.kind if todo.letter else one.progress.told
        silent = told not in (Kind.ACCESS_ON_HOLD, Kind.ACCESS_ENDED, Told.ON_HOLD, Told.ENDED)
        no_news = todo.why is Why.EXPIRED or all(due.ran_out for due in todo.dues)
        ran_out = no_news and one.progress.delivered_at is not None
        # What waits is not settled, so that it comes back; and it waits for a day at most.
        waits = todo.state is State.WAITING and one.now - (one.progress.first_seen_at or one.now) < timedelta(days=1)
        assert not silent or ran_out or waits, (one, todo)
    return str(answer(one.order, todo, one.progress))


def has_access(todo: Plan, one: Combination) -> bool:
    return any(due.standing is Standing.ACCESS and due.until is not None and due.until > one.now for due in todo.dues)


def is_kept(order: Order) -> bool:
    """By the money alone, in other words than the core's: what was taken, less what went back by any way."""
    taken = [one for one in order.payments if one.status == "succeeded"]
    if any(set(one.disputes) & {"lost", "needs_response", "under_review", "a_new_word"} for one in taken):
        taken = [one for one in taken if not set(one.disputes) - {"won", "prevented", "warning_needs_response"}]
    return sum(one.amount - one.refunded for one in taken) > order.credited


def test_every_order_whose_money_is_kept_has_access_a_word_or_a_person() -> None:
    counted = Counter(map(verdict, every_combination()))
    assert sum(counted.values()) >= 100_000
    # None of the ways is a way that nothing takes.
    assert {str(one) for one in Answer} <= counted.keys()
    assert {"person: paid_late", "person: payment_undone", "person: paid_nothing_given"} <= counted.keys()


def test_nobody_is_asked_about_an_order_that_is_paid_and_simply_to_be_delivered() -> None:
    for one in every_combination():
        plain = all((pay.refunded, pay.disputes, pay.status) == (0, (), "succeeded") for pay in one.order.payments)
        paid = one.order.payment_status == "paid" and one.order.payments and plain
        active = one.order.subscription is None or one.order.subscription.status in ("active", "trialing", "past_due")
        if paid and active and one.order.status in ("complete", "paid") and one.progress.delivered_at is None:
            in_time = one.now - (one.progress.first_seen_at or one.now) < timedelta(days=4)
            if one.order.mode == "payment" or (in_time and one.now == NOW):
                decide(one.order, one.policy, one.progress, now=one.now)


class TestTheGuard:
    """A combination that nobody thought of goes to a person, and is never settled in silence."""

    PAID_FOR_NOTHING = an_order(payment_status="a_new_word")

    @pytest.mark.parametrize("hours", [0, 23.9])
    def test_what_is_paid_and_not_understood_waits_for_a_day(self, hours: float) -> None:
        seen = Progress(first_seen_at=NOW)
        todo = decide(self.PAID_FOR_NOTHING, a_policy(), seen, now=NOW + timedelta(hours=hours))
        assert (todo.state, todo.state.settled) == (State.WAITING, False)

    def test_then_a_person_has_it(self) -> None:
        with pytest.raises(PaidNothingGiven, match="not_paid"):
            decide(self.PAID_FOR_NOTHING, a_policy(), Progress(first_seen_at=NOW), now=NOW + timedelta(days=1))

    def test_a_plan_that_answers_for_nothing_is_seen(self) -> None:
        silent = Plan(plan((), Progress()).step, State.ACCESS_ENDED, Why.EXPIRED)
        assert answer(an_order(), silent, Progress()) is None
        assert answer(an_order(), silent, Progress(delivered_at=NOW)) is Answer.TOLD
        assert answer(an_order(lines=(a_line(),), payments=()), silent, Progress()) is None
