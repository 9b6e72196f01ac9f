"""A letter that may have left: settled by SES's word for that letter, or counted as left, before another one leaves."""

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.delivering.errors import LetterInDoubt, MailUnavailable, PaymentUndone
from paidshare.errors import TryAgain
from paidshare.orders import Letter, Order
from paidshare.states import TELLS, Kind, State, Told
from tests.builders import NOW, a_line, a_notice, a_payment, a_progress, an_order
from tests.fakes import Crash
from tests.world import DISPUTED, FILES, LOST, ORDER_ID, REFUNDED, WON, World

PAID, FAILED = an_order(), an_order(payments=(a_payment(status="requires_payment_method"),))


class Ses:
    """
    SES as it may be: *plan* says what becomes of the next letters. What it took it tells of at once, by its mark.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.plan: list[str] = []

    def send(self, letter: Letter, *, order_id: str) -> str:
        fate = self.plan.pop(0) if self.plan else "taken"
        if fate == "dies before":
            raise Crash
        if fate == "throttled":
            raise MailUnavailable("throttled")
        message_id = self._world.mailer.send(letter, order_id=order_id)
        self._world.ledger.sent[order_id] = self._world.clock.now.replace(microsecond=0)
        self._world.ledger.marks[order_id] = letter.mark
        if fate == "dies after":
            raise Crash
        if fate == "no answer":
            raise MailUnavailable("no answer", in_doubt=True)
        return message_id


def shop() -> tuple[World, Ses]:
    world = World()
    ses = Ses(world)
    world.with_port(mailer=ses)
    return world, ses


class _Looks:
    count = 0


def look(world: World, truth: Order, *, wait: float = 400) -> str:
    """A look by a worker of its own, and a while after it."""
    _Looks.count += 1
    world.payments.put(truth)
    try:
        return str(world.look(a_notice(), holder=f"worker {_Looks.count}").state)
    except (Crash, TryAgain) as trouble:
        return type(trouble).__name__
    finally:
        world.clock.advance(seconds=wait)


class TestAnotherLetterNeverHidesOne:
    def test_a_link_that_left_is_known_to_be_out_when_the_next_letter_is_in_doubt_too(self) -> None:
        world, ses = shop()
        ses.plan = ["dies after"]
        look(world, PAID)
        ses.plan = ["dies before"]
        look(world, LOST)
        assert look(world, LOST) == "access_ended"
        assert (world.open_files(), world.letters()) == (None, [Kind.DELIVERY, Kind.ACCESS_ENDED])

    @pytest.mark.parametrize("second", ["dies before", "dies after", "throttled", "no answer"])
    def test_who_was_told_of_a_hold_is_told_that_it_is_over(self, second: str) -> None:
        world, ses = shop()
        look(world, PAID)
        ses.plan = ["dies after"]
        look(world, DISPUTED)
        ses.plan = [second]
        look(world, WON)
        look(world, WON)
        assert look(world, WON) == "delivered"
        assert (world.open_files(), world.letters()[-1]) == (FILES, Kind.ACCESS_BACK)
        assert world.letters()[:2] == [Kind.DELIVERY, Kind.ACCESS_ON_HOLD]

    def test_ses_s_word_of_one_letter_does_not_vouch_for_the_next(self) -> None:
        world, ses = shop()
        ses.plan = ["no answer"]
        look(world, FAILED, wait=2)
        ses.plan = ["dies before"]
        look(world, PAID)
        assert look(world, PAID) == "delivered"
        assert world.letters() == [Kind.PAYMENT_FAILED, Kind.DELIVERY]

    def test_a_letter_of_the_same_kind_that_says_something_else_is_another_letter(self) -> None:
        line = {"fastio_workspace": "shop"}
        a = a_line(product_id="a", product_name="A", amount=1_000, metadata=line | {"fastio_files": "file-forest"})
        b = a_line(product_id="b", product_name="B", amount=900, metadata=line | {"fastio_files": "file-notes"})

        def cart(*refunds: int) -> Order:
            return an_order(lines=(a, b), payments=(a_payment(refunds=refunds),))

        world, ses = shop()
        world.decide(end_on_partial_refund=True)
        look(world, cart())
        ses.plan = ["dies after"]
        look(world, cart(1_000))
        look(world, cart())
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_CHANGED, Kind.ACCESS_CHANGED]
        assert [letter.subject for letter in world.mailer.sent[1:]] == [
            "Your access has changed: B",
            "Your access has changed: A, B",
        ]

    @pytest.mark.parametrize("fate", ["dies before", "dies after"])
    @pytest.mark.parametrize(("first", "then"), [(REFUNDED, LOST), (LOST, REFUNDED)])
    def test_what_never_left_is_told_though_its_reason_is_another_one_by_now(
        self, first: Order, then: Order, fate: str
    ) -> None:
        world, ses = shop()
        look(world, PAID)
        ses.plan = [fate]
        look(world, first)
        assert look(world, then) == "access_ended"
        assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_ENDED]


class TestWhatIsTakenBack:
    @pytest.mark.parametrize("truth", [REFUNDED, LOST, DISPUTED, FAILED])
    def test_does_not_wait_for_ses_s_word(self, truth: Order) -> None:
        world, ses = shop()
        ses.plan = ["dies before"]
        look(world, PAID, wait=10)
        world.ledger.leases.clear()
        assert world.open_files() == FILES
        look(world, truth, wait=0)
        if truth is not FAILED:
            assert world.open_files() is None
        world.clock.advance(seconds=90)
        look(world, truth)
        assert (world.open_files(), world.progress().told) == (
            None,
            Told.ON_HOLD if truth is DISPUTED else Told.ENDED,
        )

    def test_a_link_in_doubt_and_a_word_that_nobody_knows_are_a_person_s_case(self) -> None:
        world, ses = shop()
        ses.plan = ["dies after"]
        look(world, PAID)
        world.payments.put(an_order(payment_status="a_new_word"))
        with pytest.raises(PaymentUndone):
            world.look()
        assert world.progress().state is State.ON_HOLD

    def test_a_payment_that_comes_after_all_opens_the_link_again(self) -> None:
        world, ses = shop()
        ses.plan = ["dies after"]
        look(world, PAID)
        look(world, FAILED)
        assert look(world, PAID) == "delivered"
        # SES has told of the link's letter, so that “the link in our earlier letter” says something.
        assert (world.open_files(), world.letters()[-1]) == (FILES, Kind.ACCESS_BACK)

    def test_a_link_that_nobody_knows_to_have_left_is_mailed_when_access_comes_back(self) -> None:
        world, ses = shop()
        ses.plan = ["dies before"]
        look(world, PAID)
        look(world, REFUNDED)
        assert world.letters() == [Kind.ACCESS_ENDED]
        look(world, PAID)
        assert (world.open_files(), world.letters()) == (FILES, [Kind.ACCESS_ENDED, Kind.DELIVERY])
        look(world, DISPUTED)
        look(world, WON)
        assert world.letters()[2:] == [Kind.ACCESS_ON_HOLD, Kind.ACCESS_BACK]


@pytest.mark.parametrize(("seconds", "wait"), [(0, 90), (30, 60), (89, 1)])
def test_another_letter_waits_for_ses_s_word_as_long_as_the_same_does(seconds: float, wait: float) -> None:
    world, ses = shop()
    ses.plan = ["dies before"]
    look(world, PAID, wait=seconds)
    world.ledger.leases.clear()
    world.payments.put(REFUNDED)
    with pytest.raises(LetterInDoubt) as caught:
        world.look(holder="next")
    assert caught.value.wait == wait


_ALL_FATES = ("taken", "dies before", "dies after", "throttled")
_LOOKS = tuple(product((PAID, REFUNDED, DISPUTED, LOST), _ALL_FATES))


@pytest.mark.parametrize("last", [PAID, REFUNDED, DISPUTED, LOST], ids=["paid", "refunded", "disputed", "lost"])
def test_whatever_becomes_of_two_letters_the_last_one_to_leave_says_what_is_so(last: Order) -> None:
    """
    All of them, one by one. A property found neither that what never left counted as told when the next letter was
    refused, nor that its reason had changed: the simulation did.
    """
    for looks in product(_LOOKS, repeat=2):
        world, ses = shop()
        for truth, fate in looks:
            ses.plan = [fate]
            look(world, truth)
        ses.plan = []
        for _ in range(3):
            look(world, last)
        letters, links = world.letters(), world.open_files()
        assert (links is not None) is (last is PAID), looks
        told = Told.ACCESS if last is PAID else Told.ON_HOLD if last is DISPUTED else Told.ENDED
        nothing_to_tell = not letters and last is not PAID
        assert nothing_to_tell or TELLS[Kind(letters[-1])] is told, (looks, letters)
        assert Kind.DELIVERY in letters or not links, (looks, letters)


FATES = st.sampled_from(["taken", "taken", "dies before", "dies after", "throttled", "no answer"])
TRUTHS = st.sampled_from([PAID, REFUNDED, DISPUTED, WON, LOST])


@given(st.lists(st.tuples(TRUTHS, FATES, st.sampled_from([5.0, 100.0, 400.0])), max_size=8), TRUTHS)
def test_whatever_breaks_the_buyer_s_last_letter_is_true_and_says_each_thing_once(
    past: list[tuple[Order, str, float]], last: Order
) -> None:
    world, ses = shop()
    for truth, fate, wait in past:
        ses.plan = [fate]
        look(world, truth, wait=wait)
    ses.plan = []
    for _ in range(4):
        look(world, last)
    links = world.open_files()
    letters = world.letters()
    assert (links is not None) is (last in (PAID, WON))
    if letters:
        believed = {Kind.ACCESS_ON_HOLD: DISPUTED, Kind.ACCESS_ENDED: None}
        fits = letters[-1] in (Kind.DELIVERY, Kind.ACCESS_BACK) if links else letters[-1] in believed
        assert fits, (letters, last)
        assert (letters[-1] is Kind.ACCESS_ON_HOLD) is (last is DISPUTED)
    assert (Kind.DELIVERY in letters) or not links
    assert world.progress().in_flight is None
    before = len(world.mailer.sent)
    look(world, last)
    assert len(world.mailer.sent) == before


def test_a_row_that_another_version_wrote_counts_its_letter_as_left_with_all_its_lines() -> None:
    world, _ = shop()
    look(world, PAID)
    old = a_progress(world.progress(), mailing="access_on_hold", mailing_at=NOW - timedelta(hours=1), grants=())
    world.ledger.orders[ORDER_ID] = old
    assert look(world, PAID) == "delivered"
    assert world.letters() == [Kind.DELIVERY, Kind.ACCESS_BACK]
