"""Each line of an order lives for itself, and what was given of it stays as it was then."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from paidshare.delivering.errors import MailUnavailable
from paidshare.delivering.plan import Step
from paidshare.errors import FileMissing
from paidshare.orders import Order, Share, ShareRequest, Subscription
from paidshare.states import Kind, State, Told
from tests.builders import LINK_KEY, NOW, a_line, a_notice, a_payment, a_row, an_invoice, an_order
from tests.fakes import Crash
from tests.fakes_shares import MemoryShares
from tests.world import DISPUTED, FILES, WON, World

FOREST = {"fastio_workspace": "shop", "fastio_files": "file-forest"}
NOTES = {"fastio_workspace": "shop", "fastio_files": "file-notes"}
A = a_line(product_id="a", product_name="A", amount=1_000, metadata=FOREST)
B = a_line(product_id="b", product_name="B", amount=900, metadata=NOTES)
MONTH = timedelta(days=30)
MONTHLY = replace(A, id="il_a", period_end=NOW + MONTH)
LONG = replace(B, id="il_b", metadata=NOTES | {"fastio_link_days": "365"})


def both(*, refunds: tuple[int, ...] = ()) -> Order:
    return an_order(lines=(A, B), payments=(a_payment(refunds=refunds),))


def with_atlas(status: str = "active", *, ended_at: datetime | None = None) -> Order:
    """A monthly subscription, and a thing bought with it whose link lasts for a year."""
    bought = an_invoice(lines=(MONTHLY, LONG), payments=(a_payment(amount=1_900),))
    return replace(bought, created_at=NOW, paid_at=NOW, subscription=Subscription("sub_1", status, ended_at))


def in_one(order: Order, **choices: Any) -> World:
    world = World(order)
    world.decide(**choices)
    world.look(a_notice(about=order.id))
    return world


class TestEnds:
    def test_a_line_that_ends_is_taken_out_of_a_share_that_another_keeps_open(self) -> None:
        world = in_one(with_atlas())
        assert world.open_files("in_1") == FILES
        ends = NOW + timedelta(days=33)
        assert world.progress("in_1").next_end == ends
        world.clock.now = ends
        assert world.look(a_notice(about="in_1")).step is Step.CHANGE
        assert world.open_files("in_1") == ("notes",)
        # The letter with the link said so, and the next period brings a link of its own.
        assert world.letters() == [Kind.DELIVERY]
        assert "A is in it until 25 December 2026" in world.mailer.sent[0].text
        assert world.progress("in_1").next_end is None

    def test_a_canceled_subscription_leaves_what_was_bought_with_it_however_late(self) -> None:
        world = in_one(with_atlas())
        world.clock.advance(days=200)
        world.payments.put(with_atlas("canceled", ended_at=world.clock.now))
        world.look(a_notice(about="in_1"))
        assert world.open_files("in_1") == ("notes",)
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_CHANGED]

    def test_a_share_that_a_person_prolonged_is_left_alone_when_its_link_has_run_out(self) -> None:
        world = in_one(an_order())
        [name] = world.shares.made
        longer = NOW + timedelta(days=60)
        world.shares.made[name] = replace(world.shares.made[name], expires_at=longer)
        world.clock.advance(days=8)
        assert world.look().state is State.ACCESS_ENDED
        assert world.open_files() == FILES

    def test_a_refill_shortens_no_share_that_a_person_prolonged(self) -> None:
        world = in_one(both(), end_on_partial_refund=True)
        [name] = world.shares.made
        longer = NOW + timedelta(days=60)
        world.shares.made[name] = replace(world.shares.made[name], expires_at=longer)
        world.becomes(both(refunds=(1_000,)))
        assert world.open_files() == ("notes",)
        assert world.shares.made[name].expires_at == longer

    def test_the_end_that_fast_io_really_set_is_the_one_in_the_letter(self) -> None:
        least = NOW + timedelta(days=2)

        class Clamping(MemoryShares):
            """A plan that lets no share live for longer."""

            def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
                share = super().open(request, deadline=deadline)
                self.made[share.name] = replace(share, expires_at=min(share.expires_at, least))
                return self.made[share.name]

        world = World()
        shares = Clamping()
        shares.nodes = world.shares.nodes
        world.with_port(shares=shares)
        world.look()
        assert a_row(world.progress()).share_expires_at == least
        assert "24 November 2026" in world.mailer.sent[0].text


class TestMoneyOfOneLine:
    def test_a_line_whose_refund_failed_comes_back_with_the_time_that_it_had_left(self) -> None:
        world = in_one(both(), end_on_partial_refund=True)
        world.clock.advance(days=5)
        world.becomes(both(refunds=(1_000,)))
        world.clock.advance(days=1)
        world.becomes(both())
        assert world.open_files() == FILES
        ends = {grant.line: grant.until for grant in world.progress().grants}
        assert ends == {"li_a": NOW + timedelta(days=8), "li_b": NOW + timedelta(days=7)}

    def test_a_refunded_line_is_taken_out_whatever_became_of_the_other_s_product(self) -> None:
        world = in_one(both(), end_on_partial_refund=True)
        gone = replace(B, metadata={}, deleted=True)
        world.becomes(replace(both(refunds=(1_000,)), lines=(A, gone)))
        assert (world.open_files(), world.progress().state) == (("notes",), State.DELIVERED)

    def test_a_refunded_line_is_taken_out_though_the_other_s_file_is_gone(self) -> None:
        world = in_one(both(), end_on_partial_refund=True)
        world.shares.nodes.pop(("shop", "file-notes"))
        world.becomes(both(refunds=(1_000,)))
        assert (world.open_files(), world.letters()[-1]) == (("notes",), Kind.ACCESS_CHANGED)

    def test_what_nobody_can_tell_apart_is_closed_and_a_person_asked(self) -> None:
        world = in_one(both(), end_on_partial_refund=True)
        # As a version wrote it that did not write down what each line was given.
        world.ledger.orders["cs_test_1"] = replace(world.progress(), grants=())
        edited = tuple(replace(line, metadata={"fastio_files": "half"}) for line in (A, B))
        with pytest.raises(Exception, match="fastio_workspace"):
            world.becomes(replace(both(refunds=(1_000,)), lines=edited))
        assert (world.open_files(), world.progress().state) == (None, State.ON_HOLD)

    def test_what_comes_back_while_a_file_is_missing_is_a_person_s_case_and_opens_nothing_else(self) -> None:
        world = in_one(both(), end_on_partial_refund=True)
        world.becomes(both(refunds=(1_000,)))
        world.shares.nodes.pop(("shop", "file-forest"))
        with pytest.raises(FileMissing):
            world.becomes(both())
        assert world.open_files() == ("notes",)


class TestTheShareInTheLedger:
    def test_it_is_the_order_s_share_though_the_key_of_names_changed(self) -> None:
        world = in_one(both(), end_on_partial_refund=True)
        world.with_port(link_key=lambda: "n" * len(LINK_KEY))
        world.becomes(both(refunds=(900,)))
        [share] = world.shares.made.values()
        assert (world.open_files(), a_row(world.progress()).share_id) == (("forest",), share.id)
        world.becomes(both(refunds=(900, 1_000)))
        assert world.open_files() is None

    @pytest.mark.parametrize(("before", "after"), [((), (1_000,)), ((1_000,), ())])
    def test_a_share_found_after_its_row_was_lost_is_made_what_is_due(
        self, before: tuple[int, ...], after: tuple[int, ...]
    ) -> None:
        world = in_one(both(refunds=before), end_on_partial_refund=True)
        ends = a_row(world.progress()).share_expires_at
        world.forget()
        world.clock.advance(days=1)
        world.payments.put(both(refunds=after))
        world.look(a_notice(why="sweep"))
        assert world.open_files() == (("notes",) if after else FILES)
        # Nobody is mailed because a row was lost, and the end that was mailed stands.
        assert (world.letters(), a_row(world.progress()).share_expires_at) == ([Kind.DELIVERY], ends)

    def test_a_crash_while_it_is_found_again_mails_nobody_either(self) -> None:
        world = in_one(both())
        world.forget()
        shares = world.shares

        class Dying:
            def __getattr__(self, name: str) -> Any:
                return getattr(shares, name)

            def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
                shares.open(request, deadline=deadline)
                raise Crash

        world.with_port(shares=Dying())
        with pytest.raises(Crash):
            world.look(a_notice(why="sweep"))
        world.with_port(shares=shares)
        world.clock.advance(seconds=400)
        world.look(a_notice(event_id="evt_2"), holder="next")
        assert (world.letters(), world.progress().state) == ([Kind.DELIVERY], State.DELIVERED)


class TestTimeGivenBack:
    def given_back(self, hours: float) -> World:
        """Access comes back with two hours left, and the letter that says so leaves only *hours* later."""
        world = in_one(an_order())
        world.clock.advance(days=7, seconds=-7_200)
        world.becomes(DISPUTED)
        world.clock.advance(days=60)
        send = world.mailer.send

        def down(letter: object, *, order_id: str) -> str:
            raise MailUnavailable("SES is paused")

        setattr(world.mailer, "send", down)  # noqa: B010
        with pytest.raises(MailUnavailable):
            world.becomes(WON)
        world.clock.advance(seconds=hours * 3_600)
        setattr(world.mailer, "send", send)  # noqa: B010
        world.look(a_notice(event_id="evt_2"))
        return world

    @pytest.mark.parametrize("hours", [0, 1, 3, 24 * 40])
    def test_it_counts_from_the_letter_that_tells_of_it(self, hours: float) -> None:
        world = self.given_back(hours)
        assert world.letters()[-1] is Kind.ACCESS_BACK
        assert world.open_files() == FILES
        left = world.progress().grants[0].until - world.clock.now
        assert left == timedelta(hours=2)
        assert world.progress().told is Told.ACCESS


class TestChangedPlans:
    PRO = replace(A, id="il_pro", product_id="pro", product_name="Pro", period_end=NOW + MONTH, amount=10_000)
    BASIC = replace(B, id="il_basic", product_id="basic", product_name="Basic", period_end=NOW + MONTH)

    def plan(self, order_id: str, *lines: Any, total: int) -> Order:
        bought = an_invoice(order_id=order_id, lines=lines, payments=(a_payment(amount=max(total, 0)),))
        return replace(bought, total=total, created_at=NOW, paid_at=NOW)

    def test_the_plan_that_was_given_back_is_closed_and_the_other_delivered(self) -> None:
        world = in_one(self.plan("in_1", self.PRO, total=10_000))
        back = replace(self.PRO, id="il_back", amount=-9_900, credit=True, credits=("il_pro",), prorated=True)
        world.payments.put(self.plan("in_2", back, self.BASIC, total=-9_000))
        assert world.look(a_notice(about="in_2")).step is Step.DELIVER
        # Whether the subscription's own event comes or not: what gives something back asks for a look.
        [asked] = world.reconcile.asked
        assert asked.about == "sub_1"
        world.payments.belongs["sub_1"] = ("in_2", "in_1")
        world.look_at_all(replace(asked, at=NOW))
        assert (world.open_files("in_1"), world.open_files("in_2")) == (None, ("notes",))
        assert world.letters() == [Kind.DELIVERY, Kind.DELIVERY, Kind.ACCESS_ENDED]

    def test_a_plan_that_is_billed_later_is_there_at_once_and_in_a_letter(self) -> None:
        world = in_one(self.plan("in_1", self.BASIC, total=900))
        added = replace(self.PRO, id="si_1.pro", amount=None, added=True)
        world.payments.put(self.plan("in_1", self.BASIC, added, total=900))
        assert world.look(a_notice(about="in_1")).step is Step.CHANGE
        assert world.open_files("in_1") == ("notes", "forest")
        assert (world.letters()[-1], "Your subscription was changed" in world.mailer.sent[-1].text) == (
            Kind.ACCESS_CHANGED,
            True,
        )
        assert world.look(a_notice(about="in_1")).step is Step.NOTHING

    def test_one_seat_more_mails_nothing(self) -> None:
        world = in_one(self.plan("in_1", self.PRO, total=10_000))
        back = replace(self.PRO, id="il_back", amount=-9_900, credit=True, credits=("il_pro",), prorated=True)
        seats = replace(self.PRO, id="il_seats", quantity=2, amount=20_000, prorated=True)
        world.payments.put(self.plan("in_2", back, seats, total=10_100))
        assert world.look(a_notice(about="in_2")).state is State.NOT_OURS
        world.look(a_notice(about="in_1"))
        assert (world.open_files("in_1"), world.letters()) == (("forest",), [Kind.DELIVERY])
