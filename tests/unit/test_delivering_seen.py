"""A look at Stripe after an event has seen what the event tells of: it ends at the claim."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare import wishes
from paidshare.delivering.deliver import SEEN
from paidshare.delivering.errors import MetadataBroken
from paidshare.delivering.plan import Step
from paidshare.delivering.work import Outcome
from paidshare.errors import FastioUnavailable, OrderBusy, QueueUnavailable
from paidshare.notices import ECHOES, EVENTS, LOOK, SWEEP, Notice
from paidshare.orders import Order
from paidshare.states import State
from paidshare.wishes import Wants
from tests.builders import BUYER, NOW, a_line, a_notice, an_invoice, an_order
from tests.world import BROKEN, DISPUTED, ORDER_ID, REFUNDED, World

LONG_AFTER = timedelta(minutes=1)
ECHO = "payment_intent.succeeded"


def read_at(moment: datetime, order: Order | None = None) -> Order:
    """The order, as Stripe shows it at *moment* of its own clock."""
    return replace(order or an_order(), as_of=moment)


def told(created: datetime | None = NOW, **more: Any) -> Notice:
    """An event that Stripe made then, as the front door hands it on."""
    return a_notice(**({"event_id": "evt_2", "why": "charge.refunded", "created": created} | more))


def looked_at(*, at: datetime = NOW + LONG_AFTER, order: Order | None = None) -> World:
    """A shop that has seen to its order, which was read at that moment."""
    world = World(read_at(at, order))
    world.clock.now = max(world.clock.now, at)
    world.look()
    world.payments.asked.clear()
    return world


class TestWhatWasSeen:
    def test_an_event_from_before_the_last_look_asks_nobody_and_writes_nothing(self) -> None:
        world = looked_at()
        before, claims = world.progress(), world.ledger.claims[ORDER_ID]
        assert world.look(told()) == Outcome(ORDER_ID, Step.NOTHING, State.DELIVERED, SEEN)
        assert world.payments.asked == []
        assert (world.progress(), world.ledger.claims[ORDER_ID]) == (before, claims)

    @pytest.mark.parametrize("why", sorted(EVENTS))
    def test_so_it_is_with_every_type_of_stripe_s(self, why: str) -> None:
        assert looked_at().look(told(why=why)).reason == SEEN

    @given(second=st.integers(0, 59), read=st.floats(-60, 60), fraction=st.floats(0, 0.999_999), apart=st.floats(-2, 2))
    def test_nothing_that_happened_after_the_reading_counts_as_seen(
        self, second: int, read: float, fraction: float, apart: float
    ) -> None:
        # When it happened, by the clock that the reading was timed by: the machine that made the event has another one.
        created = NOW.replace(microsecond=0) + timedelta(seconds=second)
        happened = created + timedelta(seconds=fraction + apart)
        looked = happened + timedelta(seconds=read)
        world = looked_at(at=looked)
        if world.look(told(created)).reason == SEEN:
            assert looked > happened

    def test_what_happened_in_the_seconds_before_the_reading_is_looked_at(self) -> None:
        world = looked_at(at=NOW + timedelta(seconds=4.9))
        world.look(told())
        assert world.payments.asked == [ORDER_ID]

    def test_of_two_clocks_the_slower_one_counts(self) -> None:
        # Stripe's clock, or what is between us and Stripe, is an hour ahead.
        world = World(read_at(NOW + timedelta(hours=1)))
        world.look()
        world.payments.asked.clear()
        world.look(told(world.clock.now))
        assert world.payments.asked == [ORDER_ID]

    def test_where_stripe_does_not_say_the_time_everything_is_looked_at(self) -> None:
        world = World()
        world.look()
        world.payments.asked.clear()
        world.clock.advance(days=1)
        world.look(told())
        assert world.payments.asked == [ORDER_ID]


class TestWhatIsLookedAtWhateverWasSeen:
    @pytest.mark.parametrize(
        "why", [SWEEP, LOOK, *(wishes.why(wants) for wants in Wants if wants not in (Wants.EXTEND, Wants.CORRECT))]
    )
    def test_what_the_sweep_or_an_operator_asks_for(self, why: str) -> None:
        world = looked_at()
        world.look(told(why=why, created=None))
        assert world.payments.asked == [ORDER_ID]

    def test_a_wish_even_where_it_says_when_it_was_created(self) -> None:
        world = looked_at()
        world.look(told(why=Wants.RESEND.value))
        assert len(world.mailer.sent) == 2

    def test_a_notice_of_a_version_that_did_not_say_when_the_event_was_created(self) -> None:
        world = looked_at()
        world.look(told(None))
        assert world.payments.asked == [ORDER_ID]

    @pytest.mark.parametrize("order", [an_order(payment_status="unpaid"), DISPUTED], ids=["waiting", "on hold"])
    def test_an_order_that_is_not_settled(self, order: Order) -> None:
        world = looked_at(order=order)
        world.look(told())
        assert world.payments.asked == [ORDER_ID]

    def test_a_case_for_a_person(self) -> None:
        world = World(read_at(NOW + LONG_AFTER, an_order(lines=(BROKEN,))))
        for notice in (told(NOW + LONG_AFTER), told()):
            with pytest.raises(MetadataBroken):
                world.look(notice)
        assert world.payments.asked == [ORDER_ID] * 2

    def test_an_order_whose_last_look_was_put_off(self) -> None:
        world = looked_at()
        world.payments.put(read_at(NOW + LONG_AFTER, REFUNDED))
        world.shares.down = True
        with pytest.raises(FastioUnavailable):
            world.look(told(NOW + LONG_AFTER))
        world.shares.down = False
        world.look(told())
        assert world.progress().state is State.ACCESS_ENDED

    def test_an_order_in_another_worker_s_hands(self) -> None:
        world = looked_at()
        world.ledger.claim(ORDER_ID, holder="another", now=world.clock.now)
        with pytest.raises(OrderBusy):
            world.look(told())

    def test_an_order_whose_older_invoices_could_not_be_asked_for(self) -> None:
        credit = replace(a_line(product_id="prod_0"), amount=-500, credit=True)
        world = World(read_at(NOW + LONG_AFTER, an_invoice(lines=(a_line(), credit))))
        world.clock.now = NOW + LONG_AFTER
        world.reconcile.broken = True
        with pytest.raises(QueueUnavailable):
            world.look(a_notice(about="in_1"))
        world.payments.asked.clear()
        world.look(told(about="in_1"))
        assert world.payments.asked == ["in_1"]


class TestEchoesOfASale:
    @pytest.mark.parametrize("why", sorted(ECHOES))
    def test_the_order_of_a_payment_that_is_known_is_not_asked_for(self, why: str) -> None:
        world = looked_at()
        assert world.look(told(why=why, about="pi_1")).reason == SEEN
        assert world.payments.asked == []

    def test_one_that_may_tell_more_is_looked_at_with_one_question(self) -> None:
        world = looked_at()
        world.look(told(NOW + LONG_AFTER, why=ECHO, about="pi_1"))
        assert world.payments.asked == [ORDER_ID]

    def test_of_a_payment_that_is_not_known_stripe_is_asked(self) -> None:
        world = World(read_at(NOW))
        world.payments.belongs["pi_1"] = (ORDER_ID,)
        world.look(told(why=ECHO, about="pi_1"))
        assert world.payments.asked == ["pi_1", ORDER_ID]

    def test_the_order_of_a_refund_is_always_asked_for(self) -> None:
        world = looked_at()
        world.payments.belongs["pi_1"] = (ORDER_ID,)
        world.look(told(about="pi_1"))
        assert world.payments.asked == ["pi_1"]

    def test_a_sale_of_four_events_asks_stripe_twice(self) -> None:
        world = World()
        for after, created, why, about in (
            (1.5, 0, "checkout.session.completed", ORDER_ID),
            (10.0, 0, ECHO, "pi_1"),
            (10.5, 0, "charge.succeeded", "pi_1"),
            (12.5, 2, "charge.updated", "pi_1"),
        ):
            world.clock.now = NOW + timedelta(seconds=after)
            world.payments.put(read_at(world.clock.now))
            world.look(told(NOW + timedelta(seconds=created), why=why, about=about, event_id=why))
        assert world.payments.asked == [ORDER_ID] * 2

    @pytest.mark.parametrize("first", [ECHO, "charge.succeeded"])
    def test_a_sale_whose_own_event_never_came_is_delivered(self, first: str) -> None:
        world = World(read_at(NOW))
        world.payments.belongs["pi_1"] = (ORDER_ID,)
        world.look(told(why=first, about="pi_1"))
        assert [letter.to for letter in world.mailer.sent] == [BUYER]


def test_an_earlier_moment_than_any_was_never_seen() -> None:
    world = looked_at()
    assert world.look(told(datetime(1970, 1, 1, tzinfo=UTC))).reason == SEEN
