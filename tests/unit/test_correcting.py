"""A wrong address that its buyer corrects: the old one has nothing any more, the new one all, whatever breaks."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare import notices, wishes
from paidshare.delivering.errors import AddressMissing, LetterRejected, MailUnavailable
from paidshare.errors import FastioUnavailable, TryAgain
from paidshare.notices import Notice
from paidshare.orders import Letter, Order
from paidshare.states import Kind, State
from paidshare.storefront import addresses
from paidshare.wishes import Refused, Wants
from tests.builders import BUYER, LINK_KEY, NOW, a_notice, a_payment, an_order, page_of
from tests.fakes import Crash
from tests.world import DISPUTED, FILES, ORDER_ID, REFUNDED, WON, World

MEANT = "ada.lovelace@example.org"
UNPAID = an_order(payment_status="unpaid", payments=(a_payment(status="processing", amount=0),))


def a_wish(address: str = MEANT, order_id: str = ORDER_ID, at: float = 0) -> Notice:
    why = wishes.why(Wants.CORRECT, sealed=addresses.sealed(LINK_KEY, order_id, address))
    return a_notice(event_id=f"page:{order_id}", why=why, about=order_id, at=NOW + timedelta(seconds=at))


def sold(*truths: Order, **choices: object) -> World:
    world = World()
    world.decide(**choices)
    for truth in truths or (an_order(),):
        world.becomes(truth)
    return world


def letters_to(world: World, address: str) -> list[Kind]:
    return [Kind(letter.kind) for letter in world.mailer.sent if letter.to == address]


def open_names(world: World) -> set[str]:
    """Of the shares that a guest gets into."""
    return {name for name, one in world.shares.made.items() if one.id not in world.shares.archived}


@pytest.mark.parametrize("by_page", [False, True])
def test_the_link_goes_to_the_new_address_and_the_old_one_s_opens_nothing(*, by_page: bool) -> None:
    world = sold(by_page=by_page)
    before = open_names(world)
    world.look(a_wish())
    assert (letters_to(world, BUYER), letters_to(world, MEANT)) == ([Kind.DELIVERY], [Kind.DELIVERY])
    assert not open_names(world) & before
    if not by_page:
        [share] = world.shares.made.values()
        assert share.link in world.mailer.sent[-1].text
        assert world.open_files() == FILES
    assert page_of(ORDER_ID, 1) in world.mailer.sent[-1].text
    assert page_of(ORDER_ID) not in world.mailer.sent[-1].text


@pytest.mark.parametrize("again", [MEANT, "eve@example.net"])
def test_it_is_corrected_once_however_often_it_is_wished_for(again: str) -> None:
    world = sold()
    world.look(a_wish())
    kept, sent = world.progress(), len(world.mailer.sent)
    world.look(a_wish(again, at=5))
    assert (world.progress().correction, len(world.mailer.sent)) == (kept.correction, sent)


def test_all_later_letters_go_there_too() -> None:
    world = sold()
    world.look(a_wish())
    for truth in (DISPUTED, WON, REFUNDED):
        world.becomes(truth)
    assert letters_to(world, BUYER) == [Kind.DELIVERY]
    assert letters_to(world, MEANT) == [Kind.DELIVERY, Kind.ACCESS_ON_HOLD, Kind.ACCESS_BACK, Kind.ACCESS_ENDED]


def test_a_payment_that_comes_later_is_delivered_there_alone() -> None:
    world = sold(UNPAID)
    world.look(a_wish())
    world.becomes(an_order())
    assert (letters_to(world, BUYER), letters_to(world, MEANT)) == ([], [Kind.DELIVERY])


def test_who_was_told_why_there_is_no_access_is_told_at_the_new_address_and_mailed_the_link_later() -> None:
    world = sold(an_order(), DISPUTED)
    world.look(a_wish())
    world.becomes(WON)
    assert letters_to(world, MEANT) == [Kind.ACCESS_ON_HOLD, Kind.DELIVERY]
    assert world.open_files() == FILES


def test_an_address_that_ses_refuses_is_mended_by_its_buyer() -> None:
    world = World()
    world.mailer.refused.add(BUYER)
    with pytest.raises(LetterRejected):
        world.look()
    assert world.look(a_wish()).state is State.DELIVERED
    assert (letters_to(world, BUYER), letters_to(world, MEANT)) == ([], [Kind.DELIVERY])


def test_a_letter_in_doubt_to_the_old_address_holds_up_nothing() -> None:
    world = World()
    mailer = world.mailer
    world.with_port(mailer=Silent())
    with pytest.raises(TryAgain):
        world.look()
    world.with_port(mailer=mailer)
    world.look(a_wish())
    assert letters_to(world, MEANT) == [Kind.DELIVERY]


def test_it_is_refused_when_somebody_opened_the_files() -> None:
    world = sold()
    world.shares.opened.update(one.id for one in world.shares.made.values())
    before = open_names(world)
    world.look(a_wish())
    assert world.progress().correction == wishes.Correction(NOW, refused=Refused.OPENED)
    assert (letters_to(world, MEANT), open_names(world)) == ([], before)
    world.becomes(REFUNDED)
    assert letters_to(world, BUYER) == [Kind.DELIVERY, Kind.ACCESS_ENDED]


def test_it_is_refused_when_nobody_can_tell() -> None:
    world = sold()
    world.shares.hides_events = True
    world.look(a_wish())
    assert world.progress().correction == wishes.Correction(NOW, refused=Refused.NOT_KNOWN)


def test_it_waits_for_fastio_s_word() -> None:
    world = sold()
    world.shares.down = True
    with pytest.raises(FastioUnavailable):
        world.look(a_wish())
    assert world.progress().correction is None


def test_what_the_seller_corrected_stays_and_outweighs_the_buyer_s_word() -> None:
    order = replace(an_order(email="seller@chose.example"), corrected=True)
    before, after = sold(order), sold()
    before.look(a_wish())
    assert before.progress().correction is None
    after.look(a_wish())
    after.becomes(replace(order, payments=REFUNDED.payments))
    assert after.mailer.sent[-1].to == "seller@chose.example"


def test_the_address_that_it_has_is_no_correction() -> None:
    world = sold()
    world.look(a_wish(BUYER))
    assert (world.progress().correction, len(world.mailer.sent)) == (None, 1)


def test_one_that_is_sealed_for_another_order_is_none() -> None:
    world = sold()
    world.look(replace(a_wish(order_id="cs_test_2"), about=ORDER_ID))
    assert world.progress().correction is None


def test_where_the_key_was_changed_a_person_is_asked_and_the_old_address_gets_nothing() -> None:
    world = sold()
    world.look(a_wish())
    world.with_port(link_key=lambda: "s" * 64)
    with pytest.raises(AddressMissing, match="cannot be read"):
        world.becomes(REFUNDED)
    assert letters_to(world, BUYER) == [Kind.DELIVERY]


class Silent:
    """The port `Mailer`: nobody knows whether the letter left."""

    def send(self, letter: Letter, *, order_id: str) -> str:
        raise MailUnavailable(f"no answer to {letter.kind} of {order_id}", in_doubt=True)


class Dying:
    """A port that is killed before or after its *n*-th call, among all that are asked through one `counter`."""

    def __init__(self, port: object, counter: list[int], *, after: bool) -> None:
        self._port = port
        self._counter = counter
        self._after = after

    def __getattr__(self, name: str) -> object:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def called(*given: object, **named: object) -> object:
            self._counter[0] -= 1
            dies = self._counter[0] == 0
            if dies and not self._after:
                raise Crash
            answer = found(*given, **named)
            if dies:
                raise Crash
            return answer

        return called


@given(
    at=st.integers(1, 14),
    after=st.booleans(),
    truths=st.lists(st.sampled_from([DISPUTED, WON, REFUNDED]), max_size=2),
    by_page=st.booleans(),
)
def test_a_crash_at_any_call_ends_as_if_there_had_been_none(
    at: int,
    after: bool,  # noqa: FBT001
    truths: list[Order],
    by_page: bool,  # noqa: FBT001
) -> None:
    world = sold(an_order(), *truths, by_page=by_page)
    before, shop, sent = open_names(world), world.shop, len(world.mailer.sent)
    counter = [at]
    ports = {name: getattr(shop, name) for name in ("ledger", "shares", "mailer")}
    world.with_port(**{name: Dying(port, counter, after=after) for name, port in ports.items()})
    try:
        world.look(a_wish(), holder="dies")
    except Crash:
        world.shop = shop
        # Its lease runs out, and SES says nothing.
        world.clock.advance(seconds=120)
        world.look(a_wish())
    assert world.progress().correction is not None
    assert world.progress().correction == replace(world.progress().correction, refused=None, withdrawing=False)  # type: ignore[type-var]
    assert not open_names(world) & before
    assert {letter.to for letter in world.mailer.sent[sent:]} == {MEANT}
    due = None if by_page or truths[-1:] in ([DISPUTED], [REFUNDED]) else FILES
    assert world.open_files() == due


def test_the_log_names_the_wish_and_not_the_address() -> None:
    wish = a_wish()
    assert wishes.named(wish.why) == "buyer.correct"
    assert [wishes.named(why) for why in ("operator.extend:7", "charge.refunded")] == [
        "operator.extend:7",
        "charge.refunded",
    ]
    assert MEANT not in notices.to_json(wish)
