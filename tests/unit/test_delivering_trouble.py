"""The money changes its mind while something is broken: in the end the share and the buyer know what is true."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paidshare import notices
from paidshare.delivering.errors import LetterRejected, MailUnavailable
from paidshare.errors import FastioUnavailable, LedgerUnavailable, NeedsAPerson, ShareRefused, TryAgain
from paidshare.orders import Letter, Line, Order
from paidshare.states import Kind, State
from tests.builders import BUYER, NOW, a_line, a_notice, a_payment, a_row, an_invoice, an_order
from tests.fakes import Crash
from tests.world import DISPUTED, FILES, ORDER_ID, REFUNDED, WON, World


def bought(name: str, *, amount: int, file: str) -> Line:
    metadata = {"fastio_workspace": "shop", "fastio_files": file}
    return a_line(product_id=name.lower(), product_name=name, amount=amount, metadata=metadata)


A, B = bought("A", amount=1_000, file="file-forest"), bought("B", amount=900, file="file-notes")


def both(**payment: Any) -> Order:
    return an_order(lines=(A, B), payments=(a_payment(**payment),))


def delivered(order: Order | None = None) -> World:
    world = World(order or an_order())
    world.decide(end_on_partial_refund=True)
    world.look()
    return world


class Ses:
    """The mailbox of *world* behind a provider that is `down`, `rejects`, or `loses` answers once the letter left."""

    def __init__(self, world: World, trouble: str = "") -> None:
        self._mailer = world.mailer
        self.trouble = trouble
        world.with_port(mailer=self)

    def send(self, letter: Letter, *, order_id: str) -> str:
        trouble, self.trouble = self.trouble, ""
        if trouble == "down":
            raise MailUnavailable("down")
        if trouble == "rejects":
            raise LetterRejected("no")
        message_id = self._mailer.send(letter, order_id=order_id)
        if trouble == "loses":
            raise MailUnavailable("no answer", in_doubt=True)
        if trouble == "crashes":
            raise Crash
        return message_id


class TestShare:
    def test_what_was_closed_before_its_first_letter_is_closed_again_after_it(self) -> None:
        world = World()
        world.mailer.refused.add(BUYER)
        with pytest.raises(LetterRejected):
            world.look()
        world.becomes(DISPUTED)
        world.mailer.refused.clear()
        world.becomes(WON)
        assert world.open_files() == FILES
        world.becomes(REFUNDED)
        assert world.open_files() is None

    def test_its_end_is_then_what_the_letter_says_and_stays_so(self) -> None:
        world = World()
        world.mailer.refused.add(BUYER)
        with pytest.raises(LetterRejected):
            world.look()
        world.becomes(DISPUTED)
        world.clock.advance(days=5)
        world.mailer.refused.clear()
        world.becomes(WON)
        [share] = world.shares.made.values()
        world.clock.advance(days=1)
        world.look()
        assert [share] == list(world.shares.made.values())
        assert f"until {share.expires_at.day} {share.expires_at:%B %Y}" in world.mailer.sent[0].text

    def test_a_reopening_whose_answer_was_lost_is_closed_by_a_refund(self) -> None:
        world = delivered()
        world.becomes(DISPUTED)
        world.shares.lose_answer = True
        with pytest.raises(FastioUnavailable):
            world.becomes(WON)
        world.becomes(REFUNDED)
        assert world.open_files() is None

    def test_a_closing_whose_answer_was_lost_is_opened_when_the_dispute_is_won(self) -> None:
        world = delivered()
        world.shares.lose_answer = True
        with pytest.raises(FastioUnavailable):
            world.becomes(DISPUTED)
        world.becomes(WON)
        assert world.open_files() == FILES
        assert world.letters() == [Kind.DELIVERY]

    def test_a_line_taken_out_whose_letter_did_not_leave_is_put_back_with_the_refund_s_failure(self) -> None:
        world = delivered(both())
        ses = Ses(world, "down")
        with pytest.raises(MailUnavailable):
            world.becomes(both(refunds=(900,)))
        assert world.open_files() == ("forest",)
        world.becomes(both())
        assert world.open_files() == FILES
        assert (ses.trouble, world.letters()) == ("", [Kind.DELIVERY])

    def test_a_line_put_back_whose_letter_did_not_leave_is_taken_out_with_the_next_refund(self) -> None:
        world = delivered(both())
        world.becomes(both(refunds=(900,)))
        Ses(world, "down")
        with pytest.raises(MailUnavailable):
            world.becomes(both())
        world.becomes(both(refunds=(900,)))
        assert world.open_files() == ("forest",)

    def test_a_lost_row_s_share_that_was_closed_is_opened_when_the_order_stands(self) -> None:
        world = delivered()
        world.becomes(DISPUTED)
        world.forget()
        world.payments.put(WON)
        world.look(a_notice(why=notices.SWEEP))
        assert world.open_files() == FILES

    def test_a_lost_row_stays_one_when_the_first_look_at_it_fails(self) -> None:
        world = delivered()
        world.forget()
        world.shares.down = True
        with pytest.raises(FastioUnavailable):
            world.look(a_notice(why=notices.SWEEP))
        world.shares.down = False
        world.clock.advance(seconds=60)
        assert world.look(a_notice(why=notices.SWEEP)).state is State.DELIVERED
        assert world.letters() == [Kind.DELIVERY]


class TestLetters:
    def test_on_hold_is_not_mailed_again_because_the_good_news_in_between_did_not_leave(self) -> None:
        world = delivered()
        world.becomes(DISPUTED)
        Ses(world, "down")
        with pytest.raises(MailUnavailable):
            world.becomes(WON)
        world.becomes(DISPUTED)
        assert world.open_files() is None
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_ON_HOLD]

    def test_bad_news_that_may_have_left_is_followed_by_the_good_news(self) -> None:
        world = delivered()
        Ses(world, "loses")
        with pytest.raises(MailUnavailable):
            world.becomes(DISPUTED)
        world.clock.advance(days=1)
        world.becomes(WON)
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_ON_HOLD, Kind.ACCESS_BACK]

    def test_a_change_that_may_have_been_told_is_followed_by_the_next_one(self) -> None:
        world = delivered(both())
        Ses(world, "loses")
        with pytest.raises(MailUnavailable):
            world.becomes(both(refunds=(900,)))
        world.clock.advance(seconds=100)
        world.becomes(both())
        assert world.mailer.sent[-1].subject == "Your access has changed: A, B"

    def test_a_letter_that_could_not_be_written_down_never_left_and_nobody_waits_for_word_of_it(self) -> None:
        world = World()
        record = world.ledger.record

        def fails_once(*args: Any, **kwargs: Any) -> None:
            world.ledger.record = record  # type: ignore[method-assign]
            raise LedgerUnavailable("throttled")

        world.ledger.record = fails_once  # type: ignore[method-assign]
        with pytest.raises(LedgerUnavailable):
            world.look()
        assert world.look().state is State.DELIVERED
        assert world.letters() == [Kind.DELIVERY]

    def test_on_hold_names_only_what_can_come_back(self) -> None:
        world = delivered(both())
        world.becomes(both(refunds=(900,), disputes=("needs_response",)))
        assert world.mailer.sent[-1].subject == "Your access is on hold: A"

    def test_a_line_that_had_run_out_at_the_delivery_is_not_brought_to_life_by_a_replay(self) -> None:
        # Paid for a month that was over long before anybody heard of it here.
        over, running = replace(A, period_end=NOW - timedelta(days=9)), replace(B, period_end=NOW + timedelta(days=30))
        world = World(replace(an_invoice(lines=(over, running)), paid_at=NOW - timedelta(days=40)))
        world.decide(grace_days=0)
        world.look(a_notice(about="in_1"))
        world.clock.advance(seconds=5)
        world.look(a_notice(about="in_1"))
        assert (world.open_files("in_1"), world.letters()) == (("notes",), [Kind.DELIVERY])


def test_every_order_of_one_event_that_needs_a_person_is_told() -> None:
    world = World(an_invoice(), an_invoice(order_id="in_2"))
    world.payments.belongs["sub_1"] = ("in_1", "in_2")
    world.look_at_all(a_notice(about="sub_1"))
    for order_id in ("in_1", "in_2"):
        world.payments.put(an_invoice(order_id=order_id, subscription="canceled"))

    class Refusing:
        def close(self, share_id: str) -> None:
            raise ShareRefused(f"share {share_id} cannot be closed")

    world.with_port(shares=cast("Any", Refusing()))
    with pytest.raises(ShareRefused) as caught:
        world.look_at_all(a_notice(about="sub_1"))
    assert [case.order_id for case in (caught.value, *caught.value.others)] == ["in_1", "in_2"]


@dataclass(slots=True)
class Fastio:
    """The shares of *world*, behind a process that dies once, before or after a call's work."""

    world: World
    trouble: str = ""

    def __getattr__(self, name: str) -> Any:
        work = getattr(self.world.shares, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            trouble, self.trouble = self.trouble, ""
            if trouble == "before":
                raise Crash
            answer = work(*args, **kwargs)
            if trouble == "after":
                raise Crash
            return answer

        return call


TRUTHS = {
    "paid": (both(), FILES),
    "partly refunded": (both(refunds=(900,)), ("forest",)),
    "refunded": (both(refunds=(1_900,)), None),
    "disputed": (both(disputes=("needs_response",)), None),
    "won": (both(disputes=("won",)), FILES),
}
TROUBLES = ["", "", "answer", "adds", "down", "rejects", "loses", "crashes", "before", "after"]


def look_in_trouble(world: World, ses: Ses, fastio: Fastio, trouble: str) -> None:
    world.clock.advance(seconds=200)
    world.shares.lose_answer = trouble == "answer"
    world.shares.fail_after_adds = 0 if trouble == "adds" else None
    ses.trouble, fastio.trouble = trouble, trouble
    with suppress(TryAgain, NeedsAPerson, Crash):
        world.look()


def ending(world: World) -> datetime | None:
    [share] = world.shares.made.values()
    return share.expires_at


@settings(max_examples=400)
@given(
    past=st.lists(st.tuples(st.sampled_from(sorted(TRUTHS)), st.sampled_from(TROUBLES)), min_size=1, max_size=6),
    last=st.sampled_from(sorted(TRUTHS)),
)
def test_whatever_broke_while_the_truth_changed_the_share_follows_the_last_truth(
    past: list[tuple[str, str]], last: str
) -> None:
    world = World(both())
    world.decide(end_on_partial_refund=True)
    ses, fastio = Ses(world), Fastio(world)
    world.with_port(shares=cast("Any", fastio))
    for truth, trouble in past:
        world.payments.put(TRUTHS[truth][0])
        look_in_trouble(world, ses, fastio, trouble)
    world.payments.put(TRUTHS[last][0])
    for _ in range(3):
        look_in_trouble(world, ses, fastio, "")
    if world.letters():
        assert world.open_files() == TRUTHS[last][1]
        if TRUTHS[last][1]:
            assert ending(world) == a_row(world.progress(ORDER_ID)).share_expires_at
    else:
        assert TRUTHS[last][1] is None


class TestSweptOrders:
    """Orders that the sweep found: what it does must not get in the way of their first delivery, nor of a later one."""

    @pytest.mark.parametrize("trouble", ["down", "crashes"])
    def test_an_order_never_seen_before_is_mailed_although_its_first_attempt_broke_off_after_the_share(
        self, trouble: str
    ) -> None:
        world = World()
        Ses(world, trouble)
        with suppress(TryAgain, Crash):
            world.look(a_notice(why=notices.SWEEP))
        world.clock.advance(seconds=200)
        world.look(a_notice(why=notices.SWEEP))
        assert (world.open_files(), world.progress().state) == (FILES, State.DELIVERED)
        assert Kind.DELIVERY in world.letters()

    def test_one_that_breaks_off_between_two_files_is_delivered_whole(self) -> None:
        world = World()
        world.shares.fail_after_adds = 1
        with pytest.raises(FastioUnavailable):
            world.look(a_notice(why=notices.SWEEP))
        world.look(a_notice(why=notices.SWEEP))
        assert (world.open_files(), world.letters()) == (FILES, [Kind.DELIVERY])

    def test_one_that_was_unpaid_at_the_sweep_s_look_is_delivered_when_it_is_paid(self) -> None:
        world = World(an_order(payment_status="unpaid"))
        world.look(a_notice(why=notices.SWEEP))
        world.becomes(an_order())
        assert (world.open_files(), world.letters()) == (FILES, [Kind.DELIVERY])

    def test_a_share_that_was_opened_again_is_called_so_before_its_letter_leaves(self) -> None:
        """Else the sweep, which closes what the ledger calls on hold, would close it in between."""
        world = delivered()
        world.becomes(DISPUTED)
        Ses(world, "down")
        with pytest.raises(MailUnavailable):
            world.becomes(WON)
        assert world.progress().state is State.DELIVERED


class TestResend:
    def test_the_same_wish_mails_once_however_often_it_comes(self) -> None:
        world = delivered()
        world.clock.advance(days=1)
        wish = a_notice(why=notices.RESEND, at=world.clock.now)
        for _ in range(3):
            world.clock.advance(seconds=10)
            world.look(wish)
        assert world.letters() == [Kind.DELIVERY, Kind.DELIVERY]
