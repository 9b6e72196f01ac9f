"""A buyer who paid and whose files cannot be had is told so: late, once, and never anything else than what is so."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paidshare.delivering.errors import LetterRejected, MailUnavailable, MetadataBroken
from paidshare.errors import FastioUnavailable, FileMissing, NeedsAPerson, TryAgain
from paidshare.states import Kind
from paidshare.storefront.seller import Seller
from tests.builders import BUYER, a_line, a_notice, a_payment, an_order
from tests.fakes import Crash
from tests.unit.test_delivering_trouble import Ses
from tests.world import BROKEN, DISPUTED, REFUNDED, World

SOON, LATE = timedelta(minutes=14), timedelta(minutes=15)
NOT_PAID = an_order(payment_status="unpaid", payments=())


def waiting(world: World | None = None, *, down: bool = True) -> World:
    """An order that is paid, and was looked at once while Fast.io was down."""
    world = world or World()
    world.shares.down = down
    looked(world)
    return world


def looked(world: World, after: timedelta = timedelta()) -> None:
    world.clock.now += after
    with suppress(TryAgain, NeedsAPerson):
        world.look()


class TestDelay:
    def test_who_waits_too_long_is_told(self) -> None:
        world = waiting()
        looked(world, LATE)
        assert world.letters() == [Kind.DELAYED]
        assert world.mailer.sent[0].to == BUYER
        assert "We keep trying." in world.mailer.sent[0].text

    def test_nobody_is_told_before(self) -> None:
        world = waiting()
        looked(world, SOON)
        assert world.letters() == []

    def test_nobody_is_told_twice(self) -> None:
        world = waiting()
        for _ in range(5):
            looked(world, LATE)
        assert world.letters() == [Kind.DELAYED]

    def test_the_link_comes_as_soon_as_there_is_one(self) -> None:
        world = waiting()
        looked(world, LATE)
        world.shares.down = False
        looked(world)
        assert world.letters() == [Kind.DELAYED, Kind.DELIVERY]
        # One conversation.
        assert world.mailer.sent[1].follows == world.progress().late.message_id  # type: ignore[union-attr]

    def test_what_is_delivered_in_time_was_never_late(self) -> None:
        world = waiting()
        world.shares.down = False
        looked(world)
        assert world.letters() == [Kind.DELIVERY]
        assert world.progress().late is None

    def test_the_time_counts_from_when_it_could_first_have_been_delivered(self) -> None:
        """A bank debit is begun days before its money is there."""
        world = World(NOT_PAID)
        looked(world)
        world.clock.now += timedelta(days=3)
        world.payments.put(an_order())
        waiting(world)
        assert world.letters() == []
        looked(world, LATE)
        assert world.letters() == [Kind.DELAYED]

    def test_somebody_has_to_look_into_it_where_no_retry_mends_it(self) -> None:
        world = World(an_order(lines=(BROKEN,)))
        with pytest.raises(MetadataBroken):
            world.look()
        world.clock.now += LATE
        with pytest.raises(MetadataBroken):
            world.look()
        assert world.letters() == [Kind.DELAYED]
        assert "Somebody has to look into it, and was told." in world.mailer.sent[0].text

    def test_a_file_that_is_gone_is_told_of_by_the_product_s_name(self) -> None:
        gone = a_line(product_name="Gone", metadata={"fastio_workspace": "shop", "fastio_files": "file-gone"})
        world = World(an_order(lines=(gone, a_line(product_id="prod_2", metadata={}, product_name="A mug"))))
        with pytest.raises(FileMissing):
            world.look()
        looked(world, LATE)
        assert world.mailer.sent[0].subject == "Your files are late: Gone"

    @pytest.mark.parametrize("order", [NOT_PAID, an_order(lines=(a_line(metadata={}),)), REFUNDED, DISPUTED])
    def test_who_has_nothing_to_wait_for_is_not_told_to_wait(self, order: object) -> None:
        world = World(order)  # type: ignore[arg-type]
        world.shares.down = True
        looked(world)
        looked(world, LATE)
        assert Kind.DELAYED not in world.letters()

    def test_a_shop_that_promises_nothing_tells_nothing(self) -> None:
        world = World()
        world.with_port(seller=Seller(late_after=None))
        waiting(world)
        looked(world, timedelta(days=1))
        assert world.letters() == []

    def test_who_was_told_that_the_link_comes_is_told_that_it_does_not(self) -> None:
        world = waiting()
        looked(world, LATE)
        world.payments.put(REFUNDED)
        looked(world)
        assert world.letters() == [Kind.DELAYED, Kind.ACCESS_ENDED]
        assert "We do not send you a link." in world.mailer.sent[1].text

    def test_after_another_letter_nobody_is_told_that_it_is_late(self) -> None:
        failed = an_order(payment_status="unpaid", payments=(a_payment(status="requires_payment_method", amount=0),))
        world = World(failed)
        looked(world)
        world.payments.put(an_order())
        waiting(world)
        looked(world, LATE)
        assert world.letters() == [Kind.PAYMENT_FAILED]

    def test_who_should_not_have_the_files_is_not_told_that_they_are_late(self) -> None:
        world = waiting()
        world.payments.put(DISPUTED)
        looked(world, LATE)
        assert Kind.DELAYED not in world.letters()

    def test_the_trouble_stays_what_it_was(self) -> None:
        world = waiting()
        world.clock.now += LATE
        with pytest.raises(FastioUnavailable):
            world.look()


class TestLetterOfADelay:
    @pytest.mark.parametrize("trouble", ["down", "rejects"])
    def test_one_that_did_not_leave_is_tried_again(self, trouble: str) -> None:
        world = waiting()
        mailer = Ses(world, trouble)
        looked(world, LATE)
        assert world.letters() == []
        assert mailer.trouble == ""
        looked(world)
        assert world.letters() == [Kind.DELAYED]

    @pytest.mark.parametrize("trouble", ["loses", "crashes"])
    def test_one_that_may_have_left_is_not_sent_again(self, trouble: str) -> None:
        world = waiting()
        Ses(world, trouble)
        world.clock.now += LATE
        with suppress(Crash, TryAgain):
            world.look()
        world.clock.now += LATE
        looked(world)
        assert world.letters() == [Kind.DELAYED]
        world.shares.down = False
        looked(world, LATE)
        assert world.letters() == [Kind.DELAYED, Kind.DELIVERY]

    def test_it_is_written_down_before_it_leaves_and_after(self) -> None:
        world = waiting()
        before = []
        send = world.mailer.send

        class Watched:
            def send(self, letter: object, *, order_id: str) -> str:
                before.append(world.progress().late)
                return send(letter, order_id=order_id)  # type: ignore[arg-type]

        world.with_port(mailer=Watched())
        looked(world, LATE)
        [late] = before
        assert late is not None
        assert (late.told_at, late.message_id) == (world.clock.now, None)
        after = world.progress().late
        assert after is not None
        assert after.message_id

    def test_it_has_a_mark_of_its_own(self) -> None:
        world = waiting()
        looked(world, LATE)
        assert world.mailer.sent[0].mark == str(int(world.clock.now.timestamp()))


STEPS = st.lists(
    st.sampled_from(["down", "up", "wait", "look", "paid", "unpaid", "refunded", "mail down", "loses"]), max_size=25
)


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_whatever_happens_a_buyer_is_told_once_at_most_and_only_before_the_link(steps: list[str]) -> None:
    world = World()
    ses = Ses(world)
    truths = {"paid": an_order(), "unpaid": NOT_PAID, "refunded": REFUNDED}
    for step in steps:
        match step:
            case "down" | "up":
                world.shares.down = step == "down"
            case "wait":
                world.clock.now += timedelta(minutes=20)
            case "mail down" | "loses":
                ses.trouble = step.removeprefix("mail ")
            case "look":
                with suppress(TryAgain, NeedsAPerson, LetterRejected, MailUnavailable):
                    world.look(a_notice())
            case _:
                world.payments.put(truths[step])
    letters = world.letters()
    assert letters.count(Kind.DELAYED) <= 1
    assert Kind.DELAYED not in letters[1:]
