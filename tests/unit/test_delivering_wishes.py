"""The operator's wishes: each is fulfilled once, answered truthfully, and stands whatever Stripe says later."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from paidshare import wishes
from paidshare.delivering.errors import MetadataBroken
from paidshare.errors import FastioUnavailable, StripeUnavailable
from paidshare.notices import RESEND, SWEEP
from paidshare.orders import Line, Order
from paidshare.states import Kind, State
from paidshare.wishes import Wants
from tests.builders import NOW, a_line, a_notice, a_payment, a_row, an_invoice, an_order
from tests.world import BROKEN, DISPUTED, FILES, REFUNDED, WON, World


def wish(world: World, *, name: str = "operator:1", about: str = "cs_test_1", why: str = RESEND) -> str | None:
    """What came of it."""
    world.look(a_notice(event_id=name, why=why, about=about, at=world.clock.now))
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


EXTEND_3, EXTEND_30 = wishes.why(Wants.EXTEND, 3), wishes.why(Wants.EXTEND, 30)
DAY = timedelta(days=1)


def ends(world: World) -> tuple[datetime | None, datetime]:
    """When the link ends, by the ledger's row and by the order's one grant."""
    return a_row(world.progress()).share_expires_at, world.progress().grants[0].until


class TestExtended:
    def test_a_link_that_works_does_so_for_as_long_as_asked_and_is_mailed(self) -> None:
        world = delivered()
        assert wish(world, why=EXTEND_30) == "mailed"
        assert ends(world) == (NOW + 30 * DAY, NOW + 30 * DAY)
        assert world.letters() == [Kind.DELIVERY] * 2
        assert "22 December 2026" in world.mailer.sent[-1].text
        world.clock.advance(days=29)
        assert (world.look().state, world.open_files()) == (State.DELIVERED, FILES)
        world.clock.advance(days=2)
        assert (world.look().state, world.open_files()) == (State.ACCESS_ENDED, None)

    def test_it_is_never_made_shorter(self) -> None:
        world = delivered()
        assert wish(world, why=EXTEND_3) == "mailed"
        assert ends(world) == (NOW + 7 * DAY, NOW + 7 * DAY)

    def test_one_that_ran_out_works_for_the_days_that_were_asked_for(self) -> None:
        world = delivered()
        world.clock.advance(days=40)
        world.look()
        assert wish(world, why=EXTEND_3) == "mailed"
        assert ends(world) == (world.clock.now + 3 * DAY, world.clock.now + 3 * DAY)
        assert (world.open_files(), world.progress().state) == (FILES, State.DELIVERED)

    def test_it_is_given_once_however_often_the_wish_comes_and_what_came_between(self) -> None:
        world = delivered()
        first = a_notice(event_id="operator:1", why=EXTEND_30, at=NOW)
        world.look(first)
        wish(world, name="operator:2")
        world.clock.advance(days=5)
        world.look(first)
        assert ends(world) == (NOW + 30 * DAY, NOW + 30 * DAY)
        assert world.letters() == [Kind.DELIVERY] * 3

    @pytest.mark.parametrize(
        ("truth", "outcome"), [(REFUNDED, "access_ended:refunded"), (DISPUTED, "access_on_hold:disputed")]
    )
    def test_who_has_no_access_gets_none_by_it(self, truth: Order, outcome: str) -> None:
        world = delivered()
        world.becomes(truth)
        assert (wish(world, why=EXTEND_30), world.open_files()) == (outcome, None)

    def test_a_period_that_is_over_is_over_and_one_that_is_paid_lasts_longer(self) -> None:
        bill = replace(an_invoice(payments=(a_payment(),)), paid_at=NOW, created_at=NOW)
        world = delivered(bill)
        assert wish(world, why=wishes.why(Wants.EXTEND, 60), about="in_1") == "mailed"
        assert world.progress("in_1").grants[0].until == NOW + 60 * DAY
        world.clock.advance(days=61)
        assert wish(world, why=EXTEND_30, about="in_1", name="operator:2") == "access_ended:expired"

    def test_an_order_that_nobody_looked_at_is_delivered_for_as_long(self) -> None:
        world = World()
        assert wish(world, why=EXTEND_30) == "mailed"
        assert ends(world) == (NOW + 30 * DAY, NOW + 30 * DAY)


class TestRuled:
    """What the seller rules: `end` and `hold`, until `restore`."""

    @pytest.mark.parametrize(
        ("wants", "outcome", "letter"),
        [
            (Wants.END, "access_ended:ended_by_seller", Kind.ACCESS_ENDED),
            (Wants.HOLD, "access_on_hold:held_by_seller", Kind.ACCESS_ON_HOLD),
        ],
    )
    def test_access_goes_with_a_letter_and_comes_back_with_one_for_the_time_that_was_left(
        self, wants: Wants, outcome: str, letter: Kind
    ) -> None:
        world = delivered()
        world.clock.advance(days=2)
        assert (wish(world, why=wants), world.open_files()) == (outcome, None)
        world.clock.advance(days=30)
        assert wish(world, why=Wants.RESTORE, name="operator:2") == "delivered:"
        assert (world.open_files(), world.progress().grants[0].until) == (FILES, NOW + 37 * DAY)
        assert world.letters() == [Kind.DELIVERY, letter, Kind.ACCESS_BACK]

    @pytest.mark.parametrize("wants", [Wants.END, Wants.HOLD])
    def test_no_event_sweep_link_wish_or_dispute_undoes_it(self, wants: Wants) -> None:
        world = delivered()
        wish(world, why=wants)
        told = world.letters()
        for why in ("invoice.paid", SWEEP):
            world.look(a_notice(event_id=why, why=why))
        for truth in (DISPUTED, WON):
            world.becomes(truth)
        assert wish(world, name="operator:2", why=EXTEND_30) != "mailed"
        assert wish(world, name="operator:3") != "mailed"
        assert (world.open_files(), world.letters()) == (None, told)

    def test_what_stripe_takes_is_gone_though_it_is_restored(self) -> None:
        world = delivered()
        wish(world, why=Wants.HOLD)
        world.becomes(REFUNDED)
        assert wish(world, why=Wants.RESTORE, name="operator:2") == "access_ended:refunded"
        assert world.open_files() is None

    def test_an_end_outweighs_a_hold_that_stripe_has(self) -> None:
        world = delivered()
        world.becomes(DISPUTED)
        assert wish(world, why=Wants.END) == "access_ended:ended_by_seller"

    def test_a_wish_that_comes_late_or_twice_does_not_undo_a_later_one(self) -> None:
        world = delivered()
        end = a_notice(event_id="operator:1", why=Wants.END, at=NOW)
        late = a_notice(event_id="operator:0", why=Wants.HOLD, at=NOW + timedelta(seconds=5))
        world.look(end)
        world.clock.advance(seconds=60)
        wish(world, why=Wants.RESTORE, name="operator:2")
        for again in (end, late):
            world.look(again)
            assert (world.progress().state, world.open_files()) == (State.DELIVERED, FILES)

    @pytest.mark.parametrize("wants", [Wants.END, Wants.HOLD])
    def test_who_paid_and_was_mailed_no_link_is_told(self, wants: Wants) -> None:
        world = World()
        wish(world, why=wants)
        assert (world.open_files(), len(world.letters())) == (None, 1)

    def test_it_holds_for_what_is_paid_later(self) -> None:
        world = World(an_order(payment_status="unpaid", payments=()))
        assert wish(world, why=Wants.END) == "waiting:not_paid"
        assert world.becomes(an_order()).state is State.ACCESS_ENDED
        assert world.letters() == [Kind.ACCESS_ENDED]

    def test_an_end_settles_a_case_that_nobody_mends(self) -> None:
        world = World(an_order(lines=(BROKEN,)))
        with pytest.raises(MetadataBroken):
            world.look()
        assert wish(world, why=Wants.END) == "access_ended:ended_by_seller"

    def test_a_ruling_is_kept_though_the_look_does_not_come_to_its_end(self) -> None:
        world = delivered()
        world.shares.lose_answer = True
        with pytest.raises(FastioUnavailable):
            world.look(a_notice(event_id="operator:1", why=Wants.END, at=world.clock.now))
        world.look(a_notice(event_id="evt_2"))
        assert (world.progress().state, world.open_files()) == (State.ACCESS_ENDED, None)


class TestRemembered:
    def test_ten_wishes_are_and_of_the_last_what_came_of_it(self) -> None:
        world = delivered()
        for number in range(12):
            wish(world, name=f"operator:{number}")
        answered = world.progress().answered
        assert [one.event_id for one in answered] == [f"operator:{number}" for number in range(2, 12)]
        assert [one.outcome for one in answered] == [None] * 9 + ["mailed"]


class TestPutOff:
    def test_why_an_order_does_not_come_on_stands_in_its_row_until_it_does(self) -> None:
        world = World()
        world.payments.failures.append(StripeUnavailable("key refused by Stripe"))
        with pytest.raises(StripeUnavailable):
            world.look()
        put_off = world.progress().put_off
        assert put_off is not None
        assert (put_off.why, put_off.at) == ("stripe_unavailable: key refused by Stripe", NOW)
        world.look()
        assert world.progress().put_off is None
