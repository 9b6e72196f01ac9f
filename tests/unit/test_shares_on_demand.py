"""A share that is made when it is wanted: access lasts longer than it does, and the plan holds up no order."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare import shares, wishes
from paidshare.errors import FileMissing, PlanFull
from paidshare.grants import UNMADE
from paidshare.orders import Line, Order
from paidshare.states import Kind, State
from paidshare.wishes import Wants
from tests.builders import BUYER, LINK_KEY, NOW, a_line, a_notice, a_row, an_order, page_of
from tests.world import DISPUTED, FILES, ORDER_ID, REFUNDED, WON, World

DAY = timedelta(days=1)


def a_world(*orders: Order, **choices: object) -> World:
    world = World(*orders)
    world.decide(**choices)
    for order in orders or (an_order(),):
        world.look(a_notice(about=order.id))
    return world


def ask(world: World, order_id: str = ORDER_ID) -> State:
    """The buyer asks for the share on the page."""
    return world.look(a_notice(event_id="page", why=wishes.why(Wants.OPEN), about=order_id, at=world.clock.now)).state


def tidied(world: World, order_id: str = ORDER_ID) -> None:
    """As the sweep deletes a share that is over."""
    progress = world.progress(order_id)
    assert progress.share is not None
    [name] = [name for name, order in world.shares.orders.items() if order == order_id]
    world.shares.delete(name)
    world.ledger.claim(order_id, holder="sweep", now=world.clock.now)
    gone = progress.share.deleted()
    world.ledger.release(order_id, replace(progress, share=gone), holder="sweep", now=world.clock.now)


class TestAccessLastsLongerThanAShare:
    def test_a_link_that_has_run_out_is_made_anew_when_the_buyer_asks_and_nobody_is_mailed(self) -> None:
        world = a_world()
        world.clock.advance(days=100)
        assert world.look().state is State.ACCESS_ENDED
        assert world.open_files() is None
        assert ask(world) is State.DELIVERED
        assert (world.open_files(), world.letters()) == (FILES, [Kind.DELIVERY])
        assert world.progress().grants[0].until == world.clock.now + 7 * DAY

    def test_one_that_is_deleted_comes_back_under_the_next_name(self) -> None:
        world = a_world()
        world.clock.advance(days=8)
        world.look()
        tidied(world)
        world.look()
        assert world.shares.made == {}
        ask(world)
        assert list(world.shares.made) == [shares.share_name(LINK_KEY, ORDER_ID, 1)]
        assert world.open_files() == FILES

    @pytest.mark.parametrize("days", [30, 3])
    def test_access_for_days_ends_with_them(self, days: int) -> None:
        world = a_world(access_days=days)
        world.clock.advance(days=days - 1)
        ask(world)
        assert world.open_files() == FILES
        assert world.progress().grants[0].until <= NOW + timedelta(days=days)
        world.clock.advance(days=1)
        assert ask(world) is State.ACCESS_ENDED
        assert world.open_files() is None

    def test_what_the_product_says_outweighs_the_shop(self) -> None:
        metadata = {"fastio_workspace": "shop", "fastio_files": "file-forest", "paidshare_access": "20"}
        world = a_world(an_order(lines=(a_line(metadata=metadata),)))
        world.clock.advance(days=19)
        assert ask(world) is State.DELIVERED
        world.clock.advance(days=1)
        assert ask(world) is State.ACCESS_ENDED

    @pytest.mark.parametrize(
        "line", [a_line(metadata={}), a_line(metadata={}, deleted=True), a_line(metadata={"x": ""})]
    )
    def test_it_does_not_depend_on_what_becomes_of_the_product(self, line: Line) -> None:
        world = a_world()
        world.clock.advance(days=400)
        world.payments.put(an_order(lines=(line,)))
        ask(world)
        assert world.open_files() == FILES

    @pytest.mark.parametrize(("truth", "state"), [(REFUNDED, State.ACCESS_ENDED), (DISPUTED, State.ACCESS_ON_HOLD)])
    def test_money_that_goes_back_after_the_link_ran_out_ends_it(self, truth: Order, state: State) -> None:
        world = a_world()
        world.clock.advance(days=30)
        assert world.becomes(truth).state is state
        assert ask(world) is state
        assert (world.open_files(), world.letters()) == (None, [Kind.DELIVERY])
        world.payments.put(WON)
        assert ask(world) is State.DELIVERED

    def test_an_order_that_is_not_paid_yet_gets_nothing_by_asking(self) -> None:
        world = World(an_order(payment_status="unpaid", payments=()))
        assert ask(world) is State.WAITING
        assert world.shares.made == {}

    def test_asking_again_and_again_changes_nothing(self) -> None:
        world = a_world()
        before = (world.progress().share, world.progress().grants)
        for _ in range(30):
            ask(world)
        assert (world.progress().share, world.progress().grants) == before
        assert (len(world.shares.made), world.letters()) == (1, [Kind.DELIVERY])


class TestByPage:
    def test_a_letter_has_the_page_and_the_share_is_made_when_it_is_asked_for(self) -> None:
        world = a_world(by_page=True)
        [letter] = world.mailer.sent
        assert world.shares.made == {}
        assert page_of(ORDER_ID) in letter.text
        assert "/shared/" not in letter.text
        assert (letter.to, world.progress().state) == (BUYER, State.DELIVERED)
        assert a_row(world.progress()).share_id == UNMADE
        world.look()
        assert world.shares.made == {}
        ask(world)
        assert (world.open_files(), world.letters()) == (FILES, [Kind.DELIVERY])
        assert list(world.shares.made) == [shares.share_name(LINK_KEY, ORDER_ID)]

    def test_a_refund_ends_it_and_a_dispute_holds_it_without_a_share(self) -> None:
        world = a_world(by_page=True)
        assert world.becomes(DISPUTED).state is State.ACCESS_ON_HOLD
        assert ask(world) is State.ACCESS_ON_HOLD
        assert world.becomes(WON).state is State.DELIVERED
        assert world.shares.made == {}
        ask(world)
        assert world.open_files() == FILES
        assert world.becomes(REFUNDED).state is State.ACCESS_ENDED
        assert world.open_files() is None
        assert ask(world) is State.ACCESS_ENDED
        told = [Kind.DELIVERY, Kind.ACCESS_ON_HOLD, Kind.ACCESS_BACK, Kind.ACCESS_ENDED]
        assert world.letters() == told

    def test_files_that_are_not_there_are_a_case_before_anybody_is_mailed(self) -> None:
        world = World(an_order(lines=(a_line(metadata={"fastio_workspace": "shop", "fastio_files": "gone"}),)))
        world.decide(by_page=True)
        with pytest.raises(FileMissing):
            world.look()
        assert world.mailer.sent == []


def many(count: int) -> tuple[Order, ...]:
    return tuple(an_order(order_id=f"cs_test_{number}") for number in range(1, count + 1))


class TestThePlanIsFull:
    def test_with_the_page_the_share_unused_for_longest_makes_room(self) -> None:
        world = a_world(*many(4), by_page=True)
        world.shares.limit = 2
        for order in ("cs_test_1", "cs_test_2", "cs_test_1", "cs_test_3"):
            world.clock.advance(seconds=60)
            assert ask(world, order) is State.DELIVERED
        assert [world.open_files(f"cs_test_{n}") for n in (1, 2, 3)] == [FILES, None, FILES]
        assert world.progress("cs_test_2").state is State.DELIVERED
        world.clock.advance(seconds=60)
        ask(world, "cs_test_2")
        assert world.open_files("cs_test_2") == FILES
        assert len(world.shares.made) == 2

    def test_what_a_letter_promised_makes_no_room_and_the_new_order_is_served_by_its_page(self) -> None:
        world = World(*many(3))
        world.shares.limit = 2
        for order in many(2):
            world.look(a_notice(about=order.id))
        outcome = world.look(a_notice(about="cs_test_3"))
        assert (outcome.state, outcome.plan_full) == (State.DELIVERED, True)
        assert page_of("cs_test_3") in world.mailer.sent[-1].text
        assert [world.open_files(f"cs_test_{n}") for n in (1, 2)] == [FILES, FILES]
        with pytest.raises(PlanFull):
            ask(world, "cs_test_3")
        world.clock.advance(days=8)
        world.look(a_notice(about="cs_test_1"))
        tidied(world, "cs_test_1")
        ask(world, "cs_test_3")
        assert world.open_files("cs_test_3") == FILES

    @given(st.lists(st.integers(1, 8), min_size=1, max_size=25), st.integers(1, 4))
    def test_whoever_asks_last_has_the_files_and_the_plan_is_never_exceeded(self, asked: list[int], plan: int) -> None:
        world = a_world(*many(8), by_page=True)
        world.shares.limit = plan
        for number in asked:
            world.clock.advance(seconds=60)
            ask(world, f"cs_test_{number}")
            assert world.open_files(f"cs_test_{number}") == FILES
            assert len(world.shares.made) <= plan
        # Those that were asked for last are still there.
        recent = list(dict.fromkeys(reversed(asked)))[:plan]
        assert all(world.open_files(f"cs_test_{number}") == FILES for number in recent)


def test_no_two_generations_of_a_share_have_one_name() -> None:
    names = [shares.share_name(LINK_KEY, ORDER_ID, generation) for generation in range(50)]
    assert len(set(names)) == 50
    assert all(one != other for one, other in pairwise(names))
