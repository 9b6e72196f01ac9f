"""The operator's wish to mail the link once more: fulfilled once, and answered truthfully."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paidshare.errors import StripeUnavailable
from paidshare.notices import RESEND, SWEEP
from paidshare.orders import Line, Order
from paidshare.states import Kind, State
from tests.builders import NOW, a_line, a_notice, a_payment, a_row, an_invoice, an_order
from tests.world import DISPUTED, FILES, REFUNDED, WON, World


def wish(world: World, *, name: str = "operator:1", about: str = "cs_test_1") -> str | None:
    """What came of it."""
    world.look(a_notice(event_id=name, why=RESEND, about=about))
    progress = world.progress(about)
    assert a_row(progress).resent == name
    return a_row(progress).resent_outcome


def delivered(order: Order | None = None) -> World:
    world = World(order or an_order())
    world.look(a_notice(about=order.id if order else "cs_test_1"))
    return world


class TestMailed:
    @pytest.mark.parametrize(
        "line",
        [
            a_line(metadata={}),
            a_line(metadata={}, deleted=True),
            a_line(metadata={"fastio_workspace": "shop"}),
            a_line(metadata={"fastio_workspace": "other", "fastio_files": "file-other"}),
        ],
    )
    def test_the_link_that_exists_is_mailed_whatever_the_product_says_now(self, line: Line) -> None:
        world = delivered()
        world.payments.put(an_order(lines=(line,)))
        assert wish(world) == "mailed"
        assert (world.letters(), world.open_files()) == ([Kind.DELIVERY, Kind.DELIVERY], FILES)
        assert world.progress().state is State.DELIVERED
        assert world.mailer.sent[0].text == world.mailer.sent[1].text

    def test_a_wish_that_comes_twice_is_one(self) -> None:
        world = delivered()
        wish(world)
        wish(world)
        assert world.letters() == [Kind.DELIVERY] * 2
        wish(world, name="operator:2")
        assert world.letters() == [Kind.DELIVERY] * 3

    def test_a_share_that_is_gone_is_made_anew_until_the_same_end(self) -> None:
        world = delivered()
        [name] = world.shares.made
        world.shares.delete(name)
        world.payments.put(an_order(lines=(a_line(metadata={}),)))
        world.clock.advance(days=2)
        assert wish(world) == "mailed"
        assert world.open_files() == FILES
        assert a_row(world.progress()).share_expires_at == NOW + timedelta(days=7)

    def test_one_whose_days_are_over_gets_them_again(self) -> None:
        world = delivered()
        world.clock.advance(days=8)
        assert world.look().state is State.ACCESS_ENDED
        assert wish(world) == "mailed"
        assert (world.open_files(), world.progress().state) == (FILES, State.DELIVERED)
        assert world.progress().grants[0].until == world.clock.now + timedelta(days=7)
        world.clock.advance(days=6)
        assert world.look().state is State.DELIVERED

    def test_a_share_that_a_person_archived_is_opened_for_it(self) -> None:
        world = delivered()
        [share] = world.shares.made.values()
        world.shares.archived.add(share.id)
        assert wish(world) == "mailed"
        assert world.open_files() == FILES

    def test_another_step_that_is_due_is_taken_too(self) -> None:
        world = delivered()
        world.becomes(DISPUTED)
        world.payments.put(WON)
        assert wish(world) == "mailed"
        assert world.letters()[-2:] == [Kind.ACCESS_BACK, Kind.DELIVERY]

    def test_the_first_letter_is_the_one_that_was_wished_for(self) -> None:
        world = World()
        assert wish(world) == "mailed"
        assert world.letters() == [Kind.DELIVERY]

    def test_a_share_found_after_its_row_was_lost_is_mailed(self) -> None:
        world = delivered()
        world.forget()
        world.ledger.leases.clear()
        world.payments.failures.append(StripeUnavailable("down"))
        with pytest.raises(StripeUnavailable):
            world.look(a_notice(event_id="sweep:1", why=SWEEP))
        assert wish(world) == "mailed"
        assert world.letters() == [Kind.DELIVERY] * 2

    def test_it_goes_to_the_address_that_the_seller_corrected(self) -> None:
        world = delivered()
        world.payments.put(an_order(email="right@example.com"))
        wish(world)
        assert [letter.to for letter in world.mailer.sent] == ["ada@example.com", "right@example.com"]


class TestNotMailed:
    @pytest.mark.parametrize(
        ("truth", "outcome"),
        [
            (REFUNDED, "access_ended:refunded"),
            (DISPUTED, "access_on_hold:disputed"),
            (an_order(payment_status="unpaid", payments=()), "waiting:not_paid"),
            (an_order(lines=(a_line(metadata={}),)), "not_ours:no_line_of_ours"),
        ],
    )
    def test_it_says_why(self, truth: Order, outcome: str) -> None:
        world = World(truth)
        assert wish(world) == outcome
        assert Kind.DELIVERY not in world.letters()

    def test_a_subscription_s_period_that_is_over_is_over(self) -> None:
        bill = replace(an_invoice(payments=(a_payment(),)), paid_at=NOW, created_at=NOW)
        world = delivered(bill)
        world.clock.advance(days=40)
        assert wish(world, about="in_1") == "access_ended:expired"
        assert world.letters() == [Kind.DELIVERY]
