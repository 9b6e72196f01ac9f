import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any, ClassVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare import notices, shares
from paidshare.aws.ledger import LEASE
from paidshare.delivering import deliver
from paidshare.delivering.errors import (
    AccountUnexpected,
    AddressMissing,
    LetterInDoubt,
    LetterRejected,
    MailUnavailable,
    MetadataBroken,
    ModeMismatch,
    OrderNotThereYet,
    OutOfTime,
    PaymentUndone,
)
from paidshare.delivering.plan import Step
from paidshare.delivering.work import Outcome
from paidshare.errors import (
    FastioUnavailable,
    FileMissing,
    NeedsAPerson,
    OrderBusy,
    OrderUnknown,
    PaidshareError,
    PatienceExhausted,
    QueueUnavailable,
    SecretUnavailable,
    StripeUnavailable,
    TryAgain,
)
from paidshare.grants import Grant
from paidshare.orders import Letter, Order, Share, ShareRequest
from paidshare.states import Kind, State, Told
from tests.builders import BUYER, LINK_KEY, NOW, a_line, a_notice, a_payment, a_progress, a_row, an_invoice, an_order
from tests.fakes import Crash, MemoryMailer
from tests.fakes_payments import MemoryPayments
from tests.world import BROKEN, DISPUTED, FILES, LOST, ORDER_ID, REFUNDED, WON, World


class TestDeliver:
    def test_a_paid_order_ends_in_one_share_and_one_letter(self) -> None:
        world = World()
        assert world.look() == Outcome(ORDER_ID, Step.DELIVER, State.DELIVERED)
        [share] = world.shares.made.values()
        [letter] = world.mailer.sent
        assert [file.name for file in share.files] == ["forest", "notes"]
        assert letter.to == BUYER
        assert share.link in letter.text

    def test_the_link_works_for_the_days_that_were_bought(self) -> None:
        line = a_line(metadata={"fastio_workspace": "shop", "fastio_files": "file-notes", "fastio_link_days": "30"})
        world = World(an_order(lines=(line,)))
        world.look()
        [share] = world.shares.made.values()
        assert share.expires_at == world.clock.now + timedelta(days=30)

    def test_the_ledger_says_what_was_done_and_holds_nothing_personal(self) -> None:
        world = World()
        world.look()
        [share] = world.shares.made.values()
        assert world.progress() == a_progress(
            state=State.DELIVERED,
            payment_intent="pi_1",
            share_id=share.id,
            share_expires_at=share.expires_at,
            holds=("li_prod_1",),
            lines=("li_prod_1",),
            given=("li_prod_1",),
            told=Told.ACCESS,
            mailing_at=world.clock.now,
            mailed_at=world.clock.now,
            delivered_at=world.clock.now,
            message_id="message-1-cs_test_1",
            grants=(Grant("li_prod_1", share.expires_at, "shop", ("file-forest", "file-notes")),),
        )
        for hidden in (BUYER, share.link, LINK_KEY):
            assert hidden not in repr(world.progress())

    def test_the_share_is_named_after_the_order_and_the_key(self) -> None:
        world = World()
        world.look()
        assert list(world.shares.made) == [shares.share_name(LINK_KEY, ORDER_ID)]

    def test_a_repeat_changes_nothing(self) -> None:
        world = World()
        world.look()
        before = world.progress()
        world.clock.advance(days=1)
        assert world.look(a_notice(event_id="evt_2")) == Outcome(ORDER_ID, Step.NOTHING, State.DELIVERED)
        assert world.progress() == before
        assert (len(world.shares.made), len(world.mailer.sent)) == (1, 1)

    def test_an_order_that_is_not_paid_any_more_is_a_case_for_a_person_and_keeps_access_till_then(self) -> None:
        world = World()
        world.look()
        with pytest.raises(PaymentUndone):
            world.becomes(an_order(payment_status="unpaid"))
        assert (world.progress().state, world.progress().reason) == (State.ON_HOLD, "payment_undone")
        assert world.open_files() == FILES
        assert world.becomes(an_order()) == Outcome(ORDER_ID, Step.NOTHING, State.DELIVERED)

    @pytest.mark.parametrize(
        "now",
        [
            an_order(lines=(BROKEN,)),
            an_order(email=None),
            an_order(lines=(a_line(metadata={}),)),
            an_order(lines=(a_line(metadata={}, deleted=True),)),
            an_order(lines=(a_line(metadata={"fastio_workspace": "shop", "fastio_files": "file-gone"}),)),
            an_order(lines=(a_line(), a_line(product_id="prod_2"))),
        ],
        ids=["metadata broken", "address gone", "not ours any more", "deleted", "file gone", "another line ours"],
    )
    def test_a_delivered_order_stays_delivered_whatever_became_of_its_product(self, now: Order) -> None:
        world = World()
        world.look()
        world.payments.put(now)
        assert world.look() == Outcome(ORDER_ID, Step.NOTHING, State.DELIVERED)
        assert world.progress().state is State.DELIVERED

    def test_an_order_that_stripe_does_not_know_any_more_keeps_access_and_is_reported(self) -> None:
        world = World()
        world.look()
        world.with_port(payments=MemoryPayments())
        with pytest.raises(OrderUnknown):
            world.look()
        assert world.open_files() == FILES
        assert (world.progress().state, world.ledger.leases) == (State.ON_HOLD, {})

    def test_an_unpaid_order_waits_and_is_delivered_once_it_is_paid(self) -> None:
        world = World(an_order(payment_status="unpaid"))
        assert world.look() == Outcome(ORDER_ID, Step.WAIT, State.WAITING, "not_paid")
        assert (world.shares.made, world.mailer.sent) == ({}, [])
        world.payments.put(an_order())
        assert world.look(a_notice(event_id="evt_2")) == Outcome(ORDER_ID, Step.DELIVER, State.DELIVERED)
        assert len(world.mailer.sent) == 1

    @pytest.mark.parametrize(
        "order",
        [an_order(mode="setup", payment_status="no_payment_required"), an_order(lines=(a_line(metadata={}),))],
    )
    def test_an_order_with_nothing_of_ours_is_left_alone(self, order: Order) -> None:
        world = World(order)
        assert world.look() == Outcome(ORDER_ID, Step.NOTHING, State.NOT_OURS, "no_line_of_ours")
        assert (world.shares.made, world.mailer.sent) == ({}, [])

    def test_two_orders_have_a_share_each(self) -> None:
        world = World(an_order(), an_order(order_id="cs_test_2"))
        world.look()
        world.look(a_notice(event_id="evt_2", about="cs_test_2"))
        assert len(world.shares.made) == 2
        assert len(world.mailer.sent) == 2

    def test_news_from_fastio_is_counted_and_touches_no_order(self) -> None:
        world = World()
        outcome = world.look(a_notice(source="fastio", why="file_added", about=ORDER_ID))
        assert outcome.step is Step.NOTHING
        assert (world.ledger.orders, world.payments.asked) == ({}, [])


class TestNeedsAPerson:
    @pytest.mark.parametrize(
        ("order", "error"),
        [
            (an_order(email=None), AddressMissing),
            (an_order(email=""), AddressMissing),
            (an_order(lines=(BROKEN,)), MetadataBroken),
            (an_order(lines=(a_line(), BROKEN)), MetadataBroken),
            (an_order(lines=(a_line(metadata={}, deleted=True),)), MetadataBroken),
            (an_order(livemode=True), ModeMismatch),
            (an_order(order_id="cs_test_other"), OrderUnknown),
            (
                an_order(lines=(a_line(metadata={"fastio_workspace": "shop", "fastio_files": "file-gone"}),)),
                FileMissing,
            ),
        ],
    )
    def test_what_no_retry_mends_puts_the_order_on_hold(self, order: Order, error: type[NeedsAPerson]) -> None:
        world = World(order)
        with pytest.raises(error) as caught:
            world.look()
        assert (world.progress().state, world.progress().reason) == (State.ON_HOLD, caught.value.reason)
        assert (world.shares.made, world.mailer.sent) == ({}, [])

    def test_an_event_of_a_connected_account_is_never_asked_for(self) -> None:
        world = World()
        with pytest.raises(AccountUnexpected):
            world.look(a_notice(account="acct_1"))
        assert (world.payments.asked, world.mailer.sent) == ([], [])

    def test_a_person_who_knows_of_it_already_need_not_be_told_again(self) -> None:
        world = World(an_order(lines=(BROKEN,)))
        for known in (False, True):
            with pytest.raises(MetadataBroken) as caught:
                world.look()
            assert caught.value.known is known
        world.payments.put(an_order(email=None))
        with pytest.raises(AddressMissing) as other:
            world.look()
        assert other.value.known is False

    def test_the_error_names_the_order(self) -> None:
        world = World(an_order(order_id="in_1", mode="invoice", status="paid", email=None))
        world.payments.belongs["sub_1"] = ("in_1",)
        with pytest.raises(AddressMissing) as caught:
            world.look(a_notice(about="sub_1"))
        assert caught.value.order_id == "in_1"

    def test_an_order_on_hold_is_given_back_so_that_a_redrive_starts_at_once(self) -> None:
        world = World(an_order(lines=(BROKEN,)))
        with pytest.raises(MetadataBroken):
            world.look()
        world.payments.put(an_order())
        assert world.look(holder="another") == Outcome(ORDER_ID, Step.DELIVER, State.DELIVERED)
        assert len(world.mailer.sent) == 1

    def test_a_rejected_letter_keeps_the_share_for_when_the_address_is_mended(self) -> None:
        world = World()
        world.mailer.refused.add(BUYER)
        with pytest.raises(LetterRejected):
            world.look()
        assert world.progress().state is State.ON_HOLD
        assert a_row(world.progress()).share_id is not None
        world.mailer.refused.clear()
        world.look()
        assert (len(world.shares.made), len(world.mailer.sent)) == (1, 1)


class TestTryAgain:
    @pytest.mark.parametrize("error", [StripeUnavailable("down", wait=30), SecretUnavailable("empty")])
    def test_the_order_is_given_back_and_the_provider_s_wish_is_passed_on(self, error: TryAgain) -> None:
        world = World()
        world.payments.failures.append(error)
        with pytest.raises(TryAgain) as caught:
            world.look()
        assert caught.value is error
        assert world.ledger.leases == {}
        assert world.look(holder="another").state is State.DELIVERED

    def test_a_letter_that_fails_after_the_share_ends_in_one_share_and_one_letter(self) -> None:
        world = World()

        class DownOnce(MemoryMailer):
            down = True

            def send(self, letter: Letter, *, order_id: str) -> str:
                if self.down:
                    self.down = False
                    raise MailUnavailable("throttled")
                return super().send(letter, order_id=order_id)

        mailer = DownOnce()
        world.with_port(mailer=mailer)
        with pytest.raises(MailUnavailable):
            world.look()
        world.clock.advance(seconds=5)
        world.look()
        assert (len(world.shares.made), len(mailer.sent)) == (1, 1)

    def test_a_share_half_filled_is_completed_and_mailed_once(self) -> None:
        world = World()
        world.shares.fail_after_adds = 1
        with pytest.raises(FastioUnavailable):
            world.look()
        assert world.mailer.sent == []
        world.look()
        [share] = world.shares.made.values()
        assert (len(share.files), len(world.mailer.sent)) == (2, 1)

    def test_a_long_order_is_told_when_to_stop_and_carries_on_at_the_next_attempt(self) -> None:
        world = World()
        told: list[datetime | None] = []

        class OutOfTimeOnce:
            def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
                told.append(deadline)
                if len(told) == 1:
                    raise OutOfTime("more files than time")
                return world.shares.open(request, deadline=deadline)

        world.with_port(shares=OutOfTimeOnce())
        deadline = world.clock.now + timedelta(seconds=45)
        with pytest.raises(OutOfTime):
            deliver.deliver(a_notice(), world.shop, holder="a", deadline=deadline)
        assert told == [deadline]
        assert (world.mailer.sent, world.ledger.leases) == ([], {})
        world.look(holder="b")
        assert len(world.mailer.sent) == 1

    def test_a_delay_does_not_make_the_link_promised_in_the_letter_shorter_than_the_share(self) -> None:
        world = World()
        world.shares.fail_after_adds = 1
        with pytest.raises(FastioUnavailable):
            world.look()
        world.clock.advance(days=1)
        world.look()
        [share] = world.shares.made.values()
        [letter] = world.mailer.sent
        assert f"until {share.expires_at.day} {share.expires_at:%B %Y}" in letter.text

    @pytest.mark.parametrize("key", ["", "short"])
    def test_an_empty_link_key_puts_every_order_off_until_it_is_mended(self, key: str) -> None:
        world = World()
        world.with_port(link_key=lambda: key)
        with pytest.raises(SecretUnavailable):
            world.look()
        assert (world.shares.made, world.mailer.sent, world.ledger.leases) == ({}, [], {})


class TestAfterDelivery:
    """What becomes of the money reaches the share and, once, the buyer."""

    def delivered(self, *orders: Order) -> World:
        world = World(*orders)
        world.look()
        return world

    def test_a_refund_closes_the_share_and_says_so_once(self) -> None:
        world = self.delivered()
        assert world.becomes(REFUNDED) == Outcome(ORDER_ID, Step.CLOSE, State.ACCESS_ENDED, "refunded")
        assert world.open_files() is None
        assert world.becomes(REFUNDED).step is Step.NOTHING
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_ENDED]
        assert "was refunded" in world.mailer.sent[1].text

    def test_a_refund_that_fails_gives_access_back_with_the_time_that_was_left(self) -> None:
        world = self.delivered()
        world.clock.advance(days=2)
        world.becomes(REFUNDED)
        world.clock.advance(days=20)
        assert world.becomes(an_order()) == Outcome(ORDER_ID, Step.REOPEN, State.DELIVERED)
        assert world.open_files() == FILES
        [share] = world.shares.made.values()
        assert share.expires_at == a_row(world.progress()).share_expires_at == world.clock.now + timedelta(days=5)
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_ENDED, Kind.ACCESS_BACK]
        assert share.link not in world.mailer.sent[2].text

    def test_a_dispute_holds_access_until_it_is_won(self) -> None:
        world = self.delivered()
        assert world.becomes(DISPUTED) == Outcome(ORDER_ID, Step.CLOSE, State.ACCESS_ON_HOLD, "disputed")
        assert world.open_files() is None
        world.clock.advance(days=60)
        assert world.becomes(WON).step is Step.REOPEN
        assert world.open_files() == FILES
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_ON_HOLD, Kind.ACCESS_BACK]

    def test_a_lost_dispute_ends_it(self) -> None:
        world = self.delivered()
        world.becomes(DISPUTED)
        assert world.becomes(LOST) == Outcome(ORDER_ID, Step.CLOSE, State.ACCESS_ENDED, "dispute_lost")
        assert world.open_files() is None
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_ON_HOLD, Kind.ACCESS_ENDED]

    def test_an_inquiry_changes_nothing(self) -> None:
        world = self.delivered()
        inquiry = an_order(payments=(a_payment(disputes=("warning_needs_response",)),))
        assert world.becomes(inquiry).step is Step.NOTHING
        assert (world.open_files(), world.letters()) == (FILES, [Kind.DELIVERY])

    def test_a_fraud_warning_holds_access_if_the_seller_wants_it(self) -> None:
        world = self.delivered()
        warned = an_order(payments=(a_payment(fraud_warning=True),))
        assert world.becomes(warned).step is Step.NOTHING
        world.decide(hold_on_fraud_warning=True)
        assert world.look().reason == "fraud_warning"
        assert world.open_files() is None

    def test_what_was_refunded_before_it_was_delivered_is_never_delivered_and_nobody_is_written_to(self) -> None:
        world = World(REFUNDED)
        assert world.look() == Outcome(ORDER_ID, Step.NOTHING, State.ACCESS_ENDED, "refunded")
        assert (world.shares.made, world.mailer.sent) == ({}, [])

    def test_after_the_link_has_run_out_a_refund_is_written_down_and_nobody_is_mailed(self) -> None:
        world = self.delivered()
        world.clock.advance(days=8)
        assert world.becomes(REFUNDED) == Outcome(ORDER_ID, Step.NOTHING, State.ACCESS_ENDED, "refunded")
        assert world.letters() == [Kind.DELIVERY]

    def test_a_share_that_was_deleted_meanwhile_is_made_anew_when_access_comes_back(self) -> None:
        world = self.delivered()
        world.becomes(DISPUTED)
        world.shares.delete(shares.share_name(LINK_KEY, ORDER_ID))
        assert world.becomes(WON).step is Step.REOPEN
        assert world.open_files() == FILES

    def test_giving_back_keeps_what_was_delivered_whatever_the_product_says_now(self) -> None:
        world = self.delivered()
        world.becomes(DISPUTED)
        assert world.becomes(an_order(lines=(BROKEN,), payments=WON.payments)).step is Step.REOPEN
        assert world.open_files() == FILES

    def test_a_buyer_without_an_address_loses_access_all_the_same(self) -> None:
        world = self.delivered()
        gone = an_order(email=None, payments=REFUNDED.payments)
        assert world.becomes(gone).state is State.ACCESS_ENDED
        assert world.becomes(gone).step is Step.NOTHING
        assert (world.open_files(), world.letters()) == (None, [Kind.DELIVERY])

    def test_a_letter_that_is_refused_leaves_the_share_closed_and_a_person_told(self) -> None:
        world = self.delivered()
        world.mailer.refused.add(BUYER)
        with pytest.raises(LetterRejected):
            world.becomes(REFUNDED)
        assert (world.open_files(), world.progress().state) == (None, State.ON_HOLD)
        world.mailer.refused.clear()
        assert world.look().state is State.ACCESS_ENDED
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_ENDED]

    def test_a_payment_that_failed_after_days_is_told_once_and_a_later_one_is_delivered(self) -> None:
        world = World(an_order(payment_status="unpaid", payments=(a_payment(status="processing", amount=0),)))
        assert world.look().step is Step.WAIT
        failed = an_order(payment_status="unpaid", payments=(a_payment(status="requires_payment_method", amount=0),))
        assert world.becomes(failed) == Outcome(ORDER_ID, Step.TELL_FAILURE, State.WAITING, "payment_failed")
        assert world.becomes(failed).step is Step.WAIT
        assert world.becomes(an_order()).step is Step.DELIVER
        assert world.letters() == [Kind.PAYMENT_FAILED, Kind.DELIVERY]

    def test_a_failed_payment_for_something_else_is_not_ours_to_tell(self) -> None:
        failed = a_payment(status="requires_payment_method", amount=0)
        world = World(an_order(payment_status="unpaid", payments=(failed,), lines=(a_line(metadata={}),)))
        assert world.look().state is State.NOT_OURS
        assert world.mailer.sent == []


class TestPartsOfAnOrder:
    GUIDE = a_line(product_id="guide", metadata={"fastio_workspace": "shop", "fastio_files": "file-forest"}, amount=500)
    ATLAS = a_line(product_id="atlas", metadata={"fastio_workspace": "shop", "fastio_files": "file-notes"}, amount=900)

    def order(self, *refunds: int, **more: Any) -> Order:
        return an_order(lines=(self.GUIDE, self.ATLAS), payments=(a_payment(amount=1_400, refunds=refunds),), **more)

    def test_a_refund_of_one_line_takes_its_files_out_and_says_what_is_left(self) -> None:
        world = World(self.order())
        world.decide(end_on_partial_refund=True)
        world.look()
        assert world.becomes(self.order(500)) == Outcome(ORDER_ID, Step.CHANGE, State.DELIVERED, "partly_refunded")
        assert world.open_files() == ("notes",)
        assert world.becomes(self.order(500)).step is Step.NOTHING
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_CHANGED]

    def test_when_that_refund_fails_the_files_are_put_back(self) -> None:
        world = World(self.order())
        world.decide(end_on_partial_refund=True)
        world.look()
        world.becomes(self.order(500))
        assert world.becomes(self.order()).step is Step.CHANGE
        assert sorted(world.open_files() or ()) == ["forest", "notes"]
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_CHANGED, Kind.ACCESS_CHANGED]

    def test_unless_the_seller_wants_it_a_refund_of_a_part_changes_nothing(self) -> None:
        world = World(self.order())
        world.look()
        assert world.becomes(self.order(900)).step is Step.NOTHING
        assert len(world.open_files() or ()) == 2

    def test_a_line_refunded_before_the_delivery_is_not_delivered_and_comes_with_the_refund_s_failure(self) -> None:
        world = World(self.order(900))
        world.decide(end_on_partial_refund=True)
        world.look()
        assert world.open_files() == ("forest",)
        world.becomes(self.order())
        assert sorted(world.open_files() or ()) == ["forest", "notes"]

    def test_a_line_refunded_while_access_was_on_hold_does_not_come_back(self) -> None:
        world = World(self.order())
        world.decide(end_on_partial_refund=True)
        world.look()
        world.clock.advance(days=2)
        disputed = a_payment(amount=1_400, refunds=(500,), disputes=("needs_response",))
        world.becomes(replace(self.order(), payments=(disputed,)))
        world.clock.advance(days=1)
        assert world.becomes(self.order(500)).step is Step.REOPEN
        assert world.open_files() == ("notes",)
        assert a_row(world.progress()).share_expires_at == world.clock.now + timedelta(days=5)
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_ON_HOLD, Kind.ACCESS_BACK]


class TestSameOrderFromEverywhere:
    def test_a_refund_s_payment_finds_the_order(self) -> None:
        world = World()
        world.look()
        world.payments.put(REFUNDED)
        world.payments.belongs["pi_1"] = (ORDER_ID,)
        assert world.look(a_notice(why="charge.refunded", about="pi_1")).reason == "refunded"

    def test_a_subscription_s_session_and_its_invoice_are_one_order(self) -> None:
        session = an_order(order_id="cs_test_sub", mode="subscription", same_as="in_1", lines=())
        world = World(session, an_invoice())
        first = world.look(a_notice(about="cs_test_sub"))
        assert first == Outcome("in_1", Step.DELIVER, State.DELIVERED)
        assert world.look(a_notice(about="in_1")).step is Step.NOTHING
        assert world.look(a_notice(about="cs_test_sub")).step is Step.NOTHING
        assert (len(world.shares.made), len(world.mailer.sent)) == (1, 1)
        assert (world.progress("cs_test_sub").state, world.progress("cs_test_sub").reason) == (State.ELSEWHERE, "in_1")

    def test_every_order_of_a_subscription_is_looked_at(self) -> None:
        world = World(an_invoice(), an_invoice(order_id="in_2", period_end=NOW + timedelta(days=60)))
        world.payments.belongs["sub_1"] = ("in_2", "in_1")
        world.look_at_all(a_notice(about="sub_1"))
        assert len(world.mailer.sent) == 2
        for order_id in ("in_1", "in_2"):
            world.payments.put(an_invoice(order_id=order_id, subscription="canceled"))
        outcomes = world.look_at_all(a_notice(why="customer.subscription.deleted", about="sub_1"))
        assert [(o.order_id, o.reason) for o in outcomes] == [
            ("in_2", "subscription_canceled"),
            ("in_1", "subscription_canceled"),
        ]
        assert world.open_files("in_1") is world.open_files("in_2") is None

    def subscription(self, **troubles: PaidshareError) -> World:
        """With three invoices, asking for some of which brings trouble."""

        class Troubled(MemoryPayments):
            def order(self, order_id: str, *, account: str | None = None) -> Order:
                if order_id in troubles:
                    raise troubles[order_id]
                return super().order(order_id, account=account)

        world = World()
        orders = ("in_3", "in_2", "in_1")
        world.payments = Troubled(*(an_invoice(order_id=order_id) for order_id in orders))
        world.payments.belongs["sub_1"] = orders
        world.with_port(payments=world.payments)
        return world

    @pytest.mark.parametrize("trouble", [StripeUnavailable("down"), OrderUnknown("gone")])
    def test_one_order_s_trouble_keeps_no_other_from_its_delivery(self, trouble: PaidshareError) -> None:
        world = self.subscription(in_3=trouble)
        with pytest.raises(type(trouble)) as caught:
            world.look_at_all(a_notice(about="sub_1"))
        assert caught.value.order_id == "in_3"
        assert [world.progress(order_id).state for order_id in ("in_1", "in_2")] == [State.DELIVERED] * 2

    def test_what_can_be_tried_again_keeps_the_message_although_another_order_needs_a_person(self) -> None:
        world = self.subscription(in_3=OrderUnknown("gone"), in_2=StripeUnavailable("down"))
        with pytest.raises(StripeUnavailable):
            world.look_at_all(a_notice(about="sub_1"))
        assert world.progress("in_1").state is State.DELIVERED

    def test_each_of_an_event_s_many_orders_gets_a_notice_of_its_own(self) -> None:
        orders = tuple(f"in_{n}" for n in range(6))
        world = World(*(an_invoice(order_id=order_id) for order_id in orders))
        world.payments.belongs["sub_1"] = orders
        notice = a_notice(why="customer.subscription.deleted", about="sub_1")
        assert world.look(notice).step is Step.SPREAD
        assert world.reconcile.asked == [replace(notice, about=order_id) for order_id in orders]
        assert world.ledger.orders == {}

    def test_when_they_cannot_be_queued_the_event_comes_again(self) -> None:
        world = World()
        world.payments.belongs["sub_1"] = tuple(f"in_{n}" for n in range(6))
        world.reconcile.broken = True
        with pytest.raises(QueueUnavailable):
            world.look(a_notice(about="sub_1"))

    def test_a_payment_without_an_order_waits_a_little_and_is_then_nobody_s(self) -> None:
        world = World()
        world.payments.belongs["pi_other"] = ()
        notice = a_notice(why="payment_intent.succeeded", about="pi_other")
        with pytest.raises(OrderNotThereYet) as caught:
            world.look(notice)
        assert caught.value.wait == 60
        world.clock.advance(seconds=301)
        assert world.look(notice) == Outcome("pi_other", Step.NOTHING, State.NOT_OURS, "nobodys")
        assert world.ledger.orders == {}

    def test_orders_that_point_at_each_other_end_with_a_person(self) -> None:
        world = World(an_order(same_as="in_1"), replace(an_invoice(), same_as=ORDER_ID))
        with pytest.raises(OrderUnknown):
            world.look()
        assert world.ledger.leases == {}

    def test_an_allowed_account_s_order_is_asked_of_that_account_then_and_later(self) -> None:
        world = World()
        world.shop = replace(world.shop, connected_accounts=True)
        world.payments = MemoryPayments()
        world.payments.put(an_order(), account="acct_1")
        world.with_port(payments=world.payments)
        assert world.look(a_notice(account="acct_1")).step is Step.DELIVER
        assert world.progress().account == "acct_1"
        # An operator's “look again”, and the sweep's, name no account.
        assert world.look(a_notice()).step is Step.NOTHING


class TestLastAttempt:
    @pytest.mark.parametrize("about", [ORDER_ID, "pi_1"])
    def test_what_should_have_mended_itself_is_then_a_case_for_a_person(self, about: str) -> None:
        world = World()
        world.payments.failures.append(StripeUnavailable("down"))
        with pytest.raises(PatienceExhausted, match="stripe_unavailable: down"):
            deliver.deliver(a_notice(about=about), world.shop, holder="a", last=True)

    def test_the_order_says_that_it_is_on_hold_and_why(self) -> None:
        world = World()
        world.shares.down = True
        with pytest.raises(PatienceExhausted) as caught:
            deliver.deliver(a_notice(), world.shop, holder="a", last=True)
        assert caught.value.order_id == ORDER_ID
        assert (world.progress().state, world.progress().reason) == (State.ON_HOLD, "patience_exhausted")
        world.shares.down = False
        assert world.look().state is State.DELIVERED

    def test_an_order_that_another_worker_holds_is_reported_without_touching_it(self) -> None:
        world = World()
        world.ledger.claim(ORDER_ID, holder="another", now=world.clock.now)
        with pytest.raises(PatienceExhausted, match="order_busy"):
            deliver.deliver(a_notice(), world.shop, holder="a", last=True)
        assert world.progress().state is State.NEW


class TestLetterInDoubt:
    """The one gap that nobody but SES can see into: it took the letter, and nobody wrote that down."""

    class LosesAnswers(MemoryMailer):
        """SES takes every letter, and the first answer is lost."""

        def send(self, letter: Letter, *, order_id: str) -> str:
            message_id = super().send(letter, order_id=order_id)
            if len(self.sent) == 1:
                raise MailUnavailable("no answer", in_doubt=True)
            return message_id

    def in_doubt(self) -> tuple[World, MemoryMailer]:
        world, mailer = World(), self.LosesAnswers()
        world.with_port(mailer=mailer)
        with pytest.raises(MailUnavailable):
            world.look()
        return world, mailer

    def test_ses_s_own_word_that_it_was_sent_spares_the_buyer_a_second_one(self) -> None:
        world, mailer = self.in_doubt()
        world.ledger.sent[ORDER_ID] = world.clock.now
        assert world.look().state is State.DELIVERED
        assert len(mailer.sent) == 1
        assert world.progress().told is Told.ACCESS

    def test_its_word_is_waited_for_a_little(self) -> None:
        world, mailer = self.in_doubt()
        world.clock.advance(seconds=30)
        with pytest.raises(LetterInDoubt) as caught:
            world.look()
        assert caught.value.wait == 60
        assert len(mailer.sent) == 1

    def test_without_it_a_second_letter_is_better_than_none(self) -> None:
        world, mailer = self.in_doubt()
        world.clock.advance(seconds=91)
        assert world.look().state is State.DELIVERED
        assert len(mailer.sent) == 2

    def test_a_letter_that_ses_refused_is_in_no_doubt(self) -> None:
        world = World()

        class RefusesOnce(MemoryMailer):
            refused_once = False

            def send(self, letter: Letter, *, order_id: str) -> str:
                if not self.refused_once:
                    self.refused_once = True
                    raise MailUnavailable("throttled")
                return super().send(letter, order_id=order_id)

        world.with_port(mailer=(mailer := RefusesOnce()))
        with pytest.raises(MailUnavailable):
            world.look()
        assert world.look().state is State.DELIVERED
        assert len(mailer.sent) == 1

    def test_what_is_true_by_now_is_told_whatever_became_of_the_letter_in_doubt(self) -> None:
        world, mailer = self.in_doubt()
        world.payments.put(REFUNDED)
        with pytest.raises(LetterInDoubt):
            world.look()
        assert world.open_files() is None
        world.clock.advance(seconds=91)
        assert world.look().state is State.ACCESS_ENDED
        assert [letter.kind for letter in mailer.sent] == [Kind.DELIVERY, Kind.ACCESS_ENDED]


class TestLostRow:
    """The ledger has forgotten an order that was delivered; its share is still there."""

    def forgotten(self) -> World:
        world = World()
        world.look()
        world.forget()
        world.clock.advance(days=1)
        return world

    def test_the_sweep_finds_its_share_again_makes_no_new_one_and_mails_nobody(self) -> None:
        world = self.forgotten()
        assert world.look(a_notice(why=notices.SWEEP)).state is State.DELIVERED
        assert (len(world.shares.made), world.letters()) == (1, [Kind.DELIVERY])
        [share] = world.shares.made.values()
        assert a_row(world.progress()).share_id == share.id
        assert a_row(world.progress()).share_expires_at == share.expires_at

    def test_what_is_found_again_is_an_order_like_any_other(self) -> None:
        world = self.forgotten()
        world.look(a_notice(why=notices.SWEEP))
        assert world.becomes(REFUNDED).step is Step.CLOSE
        assert world.open_files() is None

    def test_an_operator_can_have_the_letter_mailed_again(self) -> None:
        world = self.forgotten()
        world.look(a_notice(why=notices.SWEEP))
        world.look(a_notice(why=notices.RESEND))
        assert world.letters() == [Kind.DELIVERY, Kind.DELIVERY]
        assert world.mailer.sent[0].text == world.mailer.sent[1].text
        assert world.look().step is Step.NOTHING

    def test_an_order_that_the_sweep_finds_without_a_share_is_delivered(self) -> None:
        world = World()
        assert world.look(a_notice(why=notices.SWEEP)).step is Step.DELIVER
        assert world.letters() == [Kind.DELIVERY]

    def test_a_share_left_by_a_crash_before_the_letter_is_no_lost_row(self) -> None:
        world = World()
        world.shares.fail_after_adds = 1
        with pytest.raises(FastioUnavailable):
            world.look()
        world.clock.advance(seconds=3600)
        world.look(a_notice(why=notices.SWEEP))
        assert world.letters() == [Kind.DELIVERY]


class TestResend:
    def test_only_who_has_access_is_mailed_the_link_again(self) -> None:
        world = World()
        world.look()
        world.becomes(REFUNDED)
        world.look(a_notice(why=notices.RESEND))
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_ENDED]

    def test_an_order_that_was_not_delivered_yet_is_delivered_once(self) -> None:
        world = World()
        for _ in range(2):
            world.look(a_notice(why=notices.RESEND))
        assert world.letters() == [Kind.DELIVERY]


class TestLease:
    def test_an_order_that_another_worker_holds_is_left_alone(self) -> None:
        world = World()
        world.ledger.claim(ORDER_ID, holder="another", now=world.clock.now)
        with pytest.raises(OrderBusy):
            world.look()
        assert (world.payments.asked, world.shares.made, world.mailer.sent) == ([], {}, [])

    def test_a_dead_worker_s_order_is_taken_over_when_its_lease_has_run_out(self) -> None:
        world = World()
        world.ledger.claim(ORDER_ID, holder="dead", now=world.clock.now)
        world.clock.advance(seconds=LEASE.total_seconds() + 1)
        assert world.look().state is State.DELIVERED

    def test_whoever_lost_the_lease_before_mailing_sends_no_letter(self) -> None:
        world = World()

        class Slow:
            def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
                share = world.shares.open(request, deadline=deadline)
                world.clock.advance(seconds=LEASE.total_seconds() + 1)
                world.ledger.claim(ORDER_ID, holder="another", now=world.clock.now)
                return share

        world.with_port(shares=Slow())
        with pytest.raises(OrderBusy):
            world.look()
        assert world.mailer.sent == []

    def test_two_workers_at_once_send_one_letter(self) -> None:
        world = World()

        class Meanwhile:
            def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
                with pytest.raises(OrderBusy):
                    world.look(a_notice(event_id="evt_2"), holder="another")
                return world.shares.open(request, deadline=deadline)

        world.with_port(shares=Meanwhile())
        world.look()
        assert (len(world.shares.made), len(world.mailer.sent)) == (1, 1)


FAULTS = ["error before", "error after", "crash before", "crash after"]
_ERRORS: dict[str, type[TryAgain]] = {
    "claim": OrderBusy,
    "order": StripeUnavailable,
    "link_key": SecretUnavailable,
    "open": FastioUnavailable,
    "send": MailUnavailable,
}


class Trouble:
    """Strikes the calls of all ports by a plan, one word per call; after the plan everything works."""

    def __init__(self, plan: list[str]) -> None:
        self._plan: Iterator[str] = iter(plan)
        self.doubts = 0
        """How many attempts were struck at the mail's effect or after it."""
        self._mailed = False

    def begin(self) -> None:
        self._mailed = False

    def call(self, name: str, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        word = next(self._plan, "")
        if word.endswith("before"):
            self._strike(name, word)
        answer = work(*args, **kwargs)
        self._mailed = self._mailed or name == "send"
        if word.endswith("after"):
            self._strike(name, word)
        return answer

    def _strike(self, name: str, word: str) -> None:
        if self._mailed:
            self.doubts += 1
            self._mailed = False
        raise Crash if word.startswith("crash") else _ERRORS.get(name, StripeUnavailable)("trouble")


class Troubled:
    """Any port, with *trouble* in front of each of its calls."""

    def __init__(self, port: object, trouble: Trouble) -> None:
        self._port, self._trouble = port, trouble

    def __getattr__(self, name: str) -> Callable[..., Any]:
        work = getattr(self._port, name)
        return lambda *args, **kwargs: self._trouble.call(name, work, *args, **kwargs)


def delivered_through(plan: list[str], *truths: Order) -> tuple[World, Trouble]:
    """The order after it was each of *truths* in peace but for the last, with as many attempts as *plan* takes."""
    *before, last = truths or (an_order(),)
    world, trouble = World(*before[:1]), Trouble(plan)
    for truth in before:
        world.becomes(truth)
    world.payments.put(last)
    world.with_port(
        ledger=cast("Any", Troubled(world.ledger, trouble)),
        payments=cast("Any", Troubled(world.payments, trouble)),
        shares=cast("Any", Troubled(world.shares, trouble)),
        mailer=cast("Any", Troubled(world.mailer, trouble)),
        link_key=lambda: trouble.call("link_key", lambda: LINK_KEY),
    )
    for attempt in range(len(plan) + 1):
        trouble.begin()
        with suppress(TryAgain, Crash):
            world.look(holder=f"attempt {attempt}")
        world.clock.advance(seconds=LEASE.total_seconds() + 1)
    return world, trouble


def check(world: World, trouble: Trouble) -> None:
    assert world.progress().state is State.DELIVERED
    [share] = world.shares.made.values()
    assert [file.name for file in share.files] == ["forest", "notes"]
    assert 1 <= len(world.mailer.sent) <= 1 + trouble.doubts
    # A letter that is mailed again says a later end: the days count from the letter.
    assert {_without_its_end(letter) for letter in world.mailer.sent} == {_without_its_end(world.mailer.sent[0])}


def _without_its_end(letter: Letter) -> str:
    return re.sub(r"works until .*", "", letter.text)


class TestEveryCrash:
    # A delivery makes nine calls; a tenth gives the order back after an error.
    @pytest.mark.parametrize(("position", "fault"), list(product(range(10), FAULTS)))
    def test_one_failure_at_any_call_ends_in_one_share_and_one_letter(self, position: int, fault: str) -> None:
        world, trouble = delivered_through([""] * position + [fault])
        check(world, trouble)

    def test_the_calls_of_a_delivery_are_the_nine_that_are_struck(self) -> None:
        seen: list[str] = []

        class Seen(Trouble):
            def call(self, name: str, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
                seen.append(name)
                return super().call(name, work, *args, **kwargs)

        world, trouble = World(), Seen([])
        for port in ("ledger", "payments", "shares", "mailer"):
            world.with_port(**{port: Troubled(getattr(world, port), trouble)})
        world.with_port(link_key=lambda: trouble.call("link_key", lambda: LINK_KEY))
        world.look()
        assert seen == ["orders_of", "claim", "order", "link_key", "link_key", "open", "record", "send", "release"]

    def test_only_a_failure_after_the_mail_can_end_in_a_second_letter(self) -> None:
        for position, fault in product(range(10), FAULTS):
            world, trouble = delivered_through([""] * position + [fault])
            if trouble.doubts == 0:
                assert len(world.mailer.sent) == 1

    def test_a_ledger_that_fails_once_after_the_mail_costs_no_second_letter(self) -> None:
        # The eighth call is the mail, the ninth writes it down; the order is then given back a second time.
        world, _ = delivered_through([""] * 8 + ["error before"])
        assert len(world.mailer.sent) == 1

    @given(st.lists(st.sampled_from(["", "", "", *FAULTS]), max_size=40))
    def test_any_run_of_failures_that_ends_ends_in_one_share_and_its_letter(self, plan: list[str]) -> None:
        world, trouble = delivered_through(plan)
        check(world, trouble)


class TestEveryCrashAfterDelivery:
    # A change makes seven calls; an eighth gives the order back after an error.
    CHANGES: ClassVar = {
        "close": ((an_order(), REFUNDED), None, [Kind.DELIVERY, Kind.ACCESS_ENDED]),
        "reopen": (
            (an_order(), DISPUTED, WON),
            FILES,
            [Kind.DELIVERY, Kind.ACCESS_ON_HOLD, Kind.ACCESS_BACK],
        ),
    }

    @pytest.mark.parametrize("change", CHANGES)
    @pytest.mark.parametrize(("position", "fault"), list(product(range(8), FAULTS)))
    def test_one_failure_at_any_call_ends_in_the_same_share_and_the_same_letters(
        self, change: str, position: int, fault: str
    ) -> None:
        truths, files, letters = self.CHANGES[change]
        world, trouble = delivered_through([""] * position + [fault], *truths)
        assert world.open_files() == files
        assert world.letters()[: len(letters)] == letters
        assert world.letters()[len(letters) :] == letters[-1:] * (len(world.letters()) - len(letters))
        assert len(world.letters()) <= len(letters) + trouble.doubts

    @given(plan=st.lists(st.sampled_from(["", "", "", *FAULTS]), max_size=30), change=st.sampled_from(sorted(CHANGES)))
    def test_any_run_of_failures_that_ends_ends_in_the_same_share(self, plan: list[str], change: str) -> None:
        truths, files, letters = self.CHANGES[change]
        world, trouble = delivered_through(plan, *truths)
        assert world.open_files() == files
        assert set(world.letters()) == set(letters)
        assert len(world.letters()) <= len(letters) + trouble.doubts
