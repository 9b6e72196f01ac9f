from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare import delivering, shares
from paidshare.delivering import Outcome, Shop
from paidshare.dynamo_ledger import LEASE
from paidshare.errors import (
    AccountUnexpected,
    AddressMissing,
    FastioUnavailable,
    FileMissing,
    LetterRejected,
    MailUnavailable,
    MetadataBroken,
    ModeMismatch,
    NeedsAPerson,
    OrderBusy,
    OrderUnknown,
    OutOfTime,
    SecretUnavailable,
    StripeUnavailable,
    TryAgain,
)
from paidshare.notices import Notice
from paidshare.orders import Letter, Order, Share, ShareRequest
from paidshare.progress import Progress, State, Step
from tests.builders import BUYER, LINK_KEY, a_line, a_notice, an_order
from tests.fakes import Clock, Crash, MemoryLedger, MemoryMailer
from tests.fakes_payments import MemoryPayments
from tests.fakes_shares import MemoryShares

ORDER_ID = "cs_test_1"
BROKEN = a_line(metadata={"fastio_files": "file-forest"})


class World:
    """A shop with everything round it in memory: what is bought is `payments`, what came of it the rest."""

    def __init__(self, *orders: Order) -> None:
        self.clock = Clock()
        self.ledger = MemoryLedger()
        self.payments = MemoryPayments(*(orders or (an_order(),)))
        self.shares = MemoryShares()
        for name in ("forest", "notes"):
            self.shares.put("shop", name)
        self.mailer = MemoryMailer()
        self.shop = Shop(
            ledger=self.ledger,
            payments=self.payments,
            shares=self.shares,
            mailer=self.mailer,
            link_key=lambda: LINK_KEY,
            clock=self.clock,
            livemode=False,
            default_link_days=7,
        )

    def look(self, notice: Notice | None = None, *, holder: str = "worker") -> Outcome:
        return delivering.deliver(notice or a_notice(), self.shop, holder=holder)

    def progress(self) -> Progress:
        return self.ledger.orders[ORDER_ID]

    def with_port(self, **ports: Any) -> None:
        self.shop = replace(self.shop, **ports)


class TestDeliver:
    def test_a_paid_order_ends_in_one_share_and_one_letter(self) -> None:
        world = World()
        assert world.look() == Outcome(Step.DELIVER, State.DELIVERED)
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
        assert world.progress() == Progress(
            state=State.DELIVERED,
            payment_intent="pi_1",
            share_id=share.id,
            share_name=share.name,
            share_expires_at=share.expires_at,
            mailing_at=world.clock.now,
            mailed_at=world.clock.now,
            message_id="message-1-cs_test_1",
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
        assert world.look(a_notice(event_id="evt_2")) == Outcome(Step.NOTHING, State.DELIVERED)
        assert world.progress() == before
        assert (len(world.shares.made), len(world.mailer.sent)) == (1, 1)

    def test_an_elder_event_that_comes_late_takes_nothing_back(self) -> None:
        world = World()
        world.look()
        world.payments.put(an_order(payment_status="unpaid"))
        assert world.look() == Outcome(Step.NOTHING, State.DELIVERED)
        assert len(world.mailer.sent) == 1

    @pytest.mark.parametrize(
        "now",
        [
            an_order(lines=(BROKEN,)),
            an_order(email=None),
            an_order(lines=(a_line(metadata={}),)),
            an_order(lines=(a_line(metadata={"fastio_workspace": "shop", "fastio_files": "file-gone"}),)),
        ],
        ids=["metadata broken since", "address gone", "not ours any more", "file gone"],
    )
    def test_a_delivered_order_stays_delivered_whatever_became_of_its_product(self, now: Order) -> None:
        world = World()
        world.look()
        world.payments.put(now)
        assert world.look() == Outcome(Step.NOTHING, State.DELIVERED)
        assert world.progress().state is State.DELIVERED

    def test_an_order_that_stripe_does_not_know_any_more_stays_delivered_and_is_still_reported(self) -> None:
        world = World()
        world.look()
        world.with_port(payments=MemoryPayments())
        with pytest.raises(OrderUnknown):
            world.look()
        assert world.progress().state is State.DELIVERED
        assert world.ledger.leases == {}

    def test_an_unpaid_order_waits_and_is_delivered_once_it_is_paid(self) -> None:
        world = World(an_order(payment_status="unpaid"))
        assert world.look() == Outcome(Step.WAIT, State.WAITING, "payment_unpaid")
        assert (world.shares.made, world.mailer.sent) == ({}, [])
        world.payments.put(an_order())
        assert world.look(a_notice(event_id="evt_2")) == Outcome(Step.DELIVER, State.DELIVERED)
        assert len(world.mailer.sent) == 1

    @pytest.mark.parametrize(
        ("order", "reason"),
        [
            (an_order(mode="setup", payment_status="no_payment_required"), "mode_setup"),
            (an_order(lines=(a_line(metadata={}),)), "no_line_of_ours"),
        ],
    )
    def test_an_order_with_nothing_of_ours_is_closed(self, order: Order, reason: str) -> None:
        world = World(order)
        assert world.look() == Outcome(Step.CLOSE, State.NOT_OURS, reason)
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

    def test_an_order_on_hold_is_given_back_so_that_a_redrive_starts_at_once(self) -> None:
        world = World(an_order(lines=(BROKEN,)))
        with pytest.raises(MetadataBroken):
            world.look()
        world.payments.put(an_order())
        assert world.look(holder="another") == Outcome(Step.DELIVER, State.DELIVERED)
        assert len(world.mailer.sent) == 1

    def test_a_rejected_letter_keeps_the_share_for_when_the_address_is_mended(self) -> None:
        world = World()
        world.mailer.refused.add(BUYER)
        with pytest.raises(LetterRejected):
            world.look()
        assert world.progress().state is State.ON_HOLD
        assert world.progress().share_id is not None
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
            delivering.deliver(a_notice(), world.shop, holder="a", deadline=deadline)
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


def delivered_through(plan: list[str]) -> tuple[World, Trouble]:
    """The order after as many attempts as *plan* takes."""
    world, trouble = World(), Trouble(plan)
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
    assert {letter.text for letter in world.mailer.sent} == {world.mailer.sent[0].text}


class TestEveryCrash:
    # A delivery makes seven calls; an eighth gives the order back after an error.
    @pytest.mark.parametrize(("position", "fault"), list(product(range(8), FAULTS)))
    def test_one_failure_at_any_call_ends_in_one_share_and_one_letter(self, position: int, fault: str) -> None:
        world, trouble = delivered_through([""] * position + [fault])
        check(world, trouble)

    def test_the_calls_of_a_delivery_are_the_seven_that_are_struck(self) -> None:
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
        assert seen == ["claim", "order", "link_key", "open", "record", "send", "release"]

    def test_only_a_failure_after_the_mail_can_end_in_a_second_letter(self) -> None:
        for position, fault in product(range(8), FAULTS):
            world, trouble = delivered_through([""] * position + [fault])
            if trouble.doubts == 0:
                assert len(world.mailer.sent) == 1

    def test_a_ledger_that_fails_once_after_the_mail_costs_no_second_letter(self) -> None:
        # The sixth call is the mail, the seventh writes it down; the order is then given back a second time.
        world, _ = delivered_through([""] * 6 + ["error before"])
        assert len(world.mailer.sent) == 1

    @given(st.lists(st.sampled_from(["", "", "", *FAULTS]), max_size=40))
    def test_any_run_of_failures_that_ends_ends_in_one_share_and_its_letter(self, plan: list[str]) -> None:
        world, trouble = delivered_through(plan)
        check(world, trouble)
