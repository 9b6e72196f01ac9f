"""The address on the order's page: corrected by who came from Checkout, once, and by nobody with a letter's token."""

import re

import pytest

from paidshare.errors import StripeUnavailable
from paidshare.page import rendering, tokens
from paidshare.page.page import Answer
from paidshare.page.showing import Shows
from paidshare.page.tokens import Purpose
from paidshare.states import Kind
from paidshare.wishes import Wants
from tests.builders import BUYER, LINK_KEY, NOW, an_order
from tests.unit.test_page import COOKIE, FAILED, FORM, PAGES, TOKEN, UNPAID, Front, sold
from tests.world import FILES, ORDER_ID, REFUNDED

MEANT = "ada.lovelace@example.org"
NEW_TOKEN = tokens.token(LINK_KEY, ORDER_ID, edition=1)
OTHERS = tokens.token(LINK_KEY, "cs_test_2", Purpose.CHECKOUT)
OFFER = "Is the address wrong?"
REFUSED = Answer(404, rendering.unknown(), "page_refused")


def look(front: Front, **more: object) -> str:
    """The page for who came from Checkout."""
    return front.ask(token=None, cookie=COOKIE, **more).page.body


def correct(front: Front, address: str = MEANT, **more: object) -> Answer:
    return front.ask(**{"token": None, "cookie": COOKIE, "form": FORM, "address": address, **more})


def corrected(front: Front) -> Front:
    correct(front)
    front.work()
    return front


class TestWhoMay:
    @pytest.mark.parametrize("shows", Shows)
    def test_it_is_offered_to_who_came_from_checkout_while_letters_are_to_come(self, shows: Shows) -> None:
        front = PAGES[shows]()
        assert (OFFER in look(front)) is (shows not in (Shows.FAILED, Shows.ENDED))
        assert OFFER not in front.ask().page.body

    @pytest.mark.parametrize(
        "cookie", ["", TOKEN, FORM, "x" * 40, tokens.token(LINK_KEY, "cs_test_2", Purpose.CHECKOUT)]
    )
    def test_whoever_has_a_letter_s_token_only_corrects_nothing(self, cookie: str) -> None:
        front = sold()
        assert correct(front, cookie=cookie) == REFUSED
        assert correct(front, cookie=cookie, token=TOKEN) == REFUSED
        assert front.queue.asked == []

    def test_the_cookie_alone_does_not_either(self) -> None:
        front = sold()
        for form in ("", COOKIE, TOKEN, tokens.token(LINK_KEY, "cs_test_2", Purpose.FORM)):
            assert correct(front, form=form) == REFUSED
        assert front.queue.asked == []

    @pytest.mark.parametrize("truths", [(FAILED,), (an_order(), REFUNDED)])
    def test_nothing_is_asked_for_where_it_is_not_offered(self, truths: tuple[object, ...]) -> None:
        front = sold(*truths)  # type: ignore[arg-type]
        assert correct(front).status == 303
        assert front.queue.asked == []


class TestTheForm:
    @pytest.mark.parametrize(
        "typed", ["", "ada", "ada@", "@example.org", "ada@example", "a b@c.de", "ä@c.de", "x" * 99]
    )
    def test_what_is_no_address_is_told_with_what_was_typed(self, typed: str) -> None:
        front = sold()
        answer = correct(front, typed)
        assert answer.status == 422
        assert "That is no e-mail address" in answer.page.body
        assert f'value="{typed}"' in answer.page.body
        assert 'aria-invalid="true"' in answer.page.body
        assert front.queue.asked == []

    def test_the_address_that_we_have_is_told(self) -> None:
        assert "That is the address that we have." in correct(sold(), BUYER).page.body

    def test_what_was_typed_is_text_and_no_html(self) -> None:
        assert '"><script>' not in correct(sold(), '"><script>').page.body

    def test_a_page_that_a_form_was_answered_with_is_not_posted_again_by_itself(self) -> None:
        body = correct(sold(UNPAID), "ada").page.body
        assert "data-stamp" not in body
        assert "http-equiv" not in body

    def test_without_stripe_s_word_it_goes_to_who_decides(self) -> None:
        front = sold()
        front.world.payments.failures.append(StripeUnavailable("down"))
        assert correct(front).status == 303
        assert len(front.queue.asked) == 1


class TestTheWish:
    def test_it_has_no_address_that_anybody_reads(self) -> None:
        front = sold()
        answer = correct(front, f" {MEANT}\n")
        assert (answer.status, answer.to) == (303, "/order?asked=1&for=address")
        [notice] = front.queue.asked
        assert notice.why.startswith(f"{Wants.CORRECT}:")
        assert MEANT not in repr(notice)
        assert MEANT not in repr(answer.fields)

    def test_the_page_waits_for_what_comes_of_it(self) -> None:
        front = sold()
        correct(front)
        body = look(front, asked=1, correcting=True)
        assert "The address is being corrected." in body
        assert "url=/order?asked=2&amp;for=address" in body
        [stamp] = re.findall(r'data-stamp="(.*?)"', body)
        front.work()
        polled = front.ask(token=None, cookie=COOKIE, asked=1, correcting=True, plain=True).page.body
        assert polled != stamp
        assert "You corrected the address." in look(front, asked=1, correcting=True)

    def test_it_waits_no_longer_than_a_minute(self) -> None:
        assert OFFER in look(sold(), asked=21, correcting=True)


class TestAfterIt:
    def test_it_is_said_and_not_offered_again(self) -> None:
        front = corrected(sold())
        body = look(front)
        assert "Our letters go to <strong><bdi>a…@example.org</bdi></strong> now." in body
        assert OFFER not in body
        assert correct(front, "eve@example.net").status == 303
        assert front.queue.asked == []

    def test_the_letter_to_the_old_address_leads_nowhere_and_the_new_one_to_the_files(self) -> None:
        front = corrected(sold())
        assert front.ask() == REFUSED
        assert front.ask(form=FORM) == REFUSED
        assert front.ask(plain=True) == REFUSED
        assert front.ask(token=NEW_TOKEN).fields == {"shows": "ready"}
        assert front.world.letters() == [Kind.DELIVERY, Kind.DELIVERY]
        assert front.world.open_files() == FILES

    def test_no_answer_to_the_old_form_has_the_new_token(self) -> None:
        front = corrected(sold(by_page=True))
        assert NEW_TOKEN not in repr(front.ask(form=FORM))

    def test_the_new_letter_s_form_asks_for_the_share(self) -> None:
        front = corrected(sold(by_page=True))
        form = tokens.token(LINK_KEY, ORDER_ID, Purpose.FORM, 1)
        assert front.ask(token=None, form=form).to == f"/order/{NEW_TOKEN}?asked=1"
        front.work()
        assert front.world.open_files() == FILES

    def test_a_new_token_opens_nothing_before(self) -> None:
        assert sold().ask(token=NEW_TOKEN) == REFUSED

    def test_what_became_of_the_letter_to_the_old_address_is_not_told_of_the_new_one(self) -> None:
        front = sold()
        front.facts_ = {"sent": NOW, "bounced": NOW}
        front.world.clock.advance(seconds=30)
        corrected(front)
        assert "could not be delivered" not in look(front)
        front.facts_["sent"] = front.facts_["delivered"] = front.world.clock.now
        assert "Our letter to a…@example.org was delivered" in look(front)

    def test_who_opened_the_files_is_told_why_it_was_not_changed(self) -> None:
        front = sold()
        front.world.shares.opened.update(one.id for one in front.world.shares.made.values())
        corrected(front)
        assert "because the files have been opened" in look(front)
        assert front.ask().fields == {"shows": "ready"}
        assert front.world.letters() == [Kind.DELIVERY]
