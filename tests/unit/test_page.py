"""The order's page: eight of them, one answer to whatever opens nothing, and nothing that a robot could do."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare import wishes
from paidshare.delivering.errors import LetterRejected, MailUnavailable
from paidshare.errors import FastioUnavailable, LedgerUnavailable, NeedsAPerson, StripeUnavailable, TryAgain
from paidshare.grants import Grants
from paidshare.orders import Letter, Order
from paidshare.page import page, rendering, tokens
from paidshare.page.page import Answer, Request
from paidshare.page.ports import Opened, PageFile, Ports
from paidshare.page.showing import Shows, showing
from paidshare.page.tokens import Purpose
from paidshare.progress import Progress
from paidshare.states import Kind, State
from paidshare.wishes import Wants
from tests.builders import BUYER, LINK_KEY, NOW, a_line, a_notice, a_payment, an_order
from tests.fakes_sweep import MemoryQueue
from tests.world import BROKEN, DISPUTED, FILES, ORDER_ID, REFUNDED, WON, World

UNPAID = an_order(payment_status="unpaid", payments=())
FAILED = an_order(payment_status="unpaid", payments=(a_payment(status="requires_payment_method", amount=0),))
TOKEN = tokens.token(LINK_KEY, ORDER_ID)
COOKIE = tokens.token(LINK_KEY, ORDER_ID, Purpose.CHECKOUT)
FORM = tokens.token(LINK_KEY, ORDER_ID, Purpose.FORM)


class Front:
    """The page in front of a shop in memory: a posted form's wish is worked on at `work`."""

    def __init__(self, *orders: Order, **choices: object) -> None:
        self.world = World(*orders)
        self.world.decide(**choices)
        self.queue = MemoryQueue()
        self.down = False
        self.facts_: dict[str, datetime] = {}
        self.ports = Ports(
            ledger=self,
            mail_log=self,
            payments=self.world.payments,
            share_files=self,
            queue=self.queue,
            link_key=lambda: LINK_KEY,
            clock=self.world.clock,
            path="/order",
        )

    def seen(self, order_id: str) -> Progress | None:
        if self.down:
            raise LedgerUnavailable("down")
        return self.world.ledger.orders.get(order_id)

    def facts(self, order_id: str) -> Mapping[str, datetime]:
        del order_id
        return self.facts_

    def inside(self, share_id: str) -> Opened | None:
        found = next((one for one in self.world.shares.made.values() if one.id == share_id), None)
        if found is None or share_id in self.world.shares.archived:
            return None
        return Opened(found.link, found.expires_at, tuple(PageFile(one.name, one.size) for one in found.files))

    def of(self, grants: Grants) -> tuple[PageFile, ...]:
        if self.world.shares.down:
            raise FastioUnavailable("down")
        return tuple(PageFile(node.removeprefix("file-"), 1, "ab" * 32) for one in grants for node in one.nodes)

    def ask(self, **request: object) -> Answer:
        return page.respond(Request(**{"token": TOKEN, **request}), self.ports)  # type: ignore[arg-type]

    def work(self) -> None:
        while self.queue.asked:
            self.world.look(self.queue.asked.pop(0))


def sold(*truths: Order, **choices: object) -> Front:
    front = Front(**choices)
    for truth in truths or (an_order(),):
        front.world.becomes(truth)
    return front


def ran_out() -> Front:
    front = sold()
    front.world.clock.advance(days=8)
    front.world.look()
    return front


def a_case() -> Front:
    front = Front(an_order(lines=(BROKEN,)))
    with pytest.raises(Exception, match="fastio_workspace"):
        front.world.look()
    return front


PAGES: dict[Shows, Callable[[], Front]] = {
    Shows.PREPARING: Front,
    Shows.READY: sold,
    Shows.BANK: lambda: sold(UNPAID),
    Shows.FAILED: lambda: sold(FAILED),
    Shows.ON_HOLD: lambda: sold(an_order(), DISPUTED),
    Shows.ENDED: lambda: sold(an_order(), REFUNDED),
    Shows.RAN_OUT: ran_out,
    Shows.PERSON: a_case,
}


class TestTheEight:
    @pytest.mark.parametrize("shows", Shows)
    def test_each_is_shown_in_its_turn_with_a_heading_and_no_more_than_one_thing_to_do(self, shows: Shows) -> None:
        answer = PAGES[shows]().ask()
        assert (answer.status, answer.fields) == (200, {"shows": str(shows)})
        body = answer.page.body
        assert f"<h1>{rendering._TITLES[shows]}</h1>" in body
        acts = re.findall(r"<button|<a ", body)
        assert len(acts) == (0 if shows in (Shows.FAILED, Shows.ENDED) else 1)

    @pytest.mark.parametrize("shows", Shows)
    def test_none_loads_anything_is_kept_or_is_larger_than_twenty_kilobytes(self, shows: Shows) -> None:
        answer = PAGES[shows]().ask().page
        assert len(answer.body.encode()) <= 20_000
        assert not re.search(r"<(img|link|iframe|object)\b|\bsrc=|url\(|@import|style=|onclick", answer.body)
        headers = answer.headers
        assert headers["content-security-policy"].startswith("default-src 'none';")
        assert "unsafe" not in headers["content-security-policy"]
        assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")

    def test_the_script_and_style_that_are_in_it_are_those_that_are_allowed(self) -> None:
        answer = sold().ask().page
        for tag in ("style", "script"):
            [text] = re.findall(rf"<{tag}>(.*?)</{tag}>", answer.body, re.DOTALL)
            assert f"{tag}-src 'sha256-{rendering._hash(text)}'" in answer.headers["content-security-policy"]

    def test_a_thousand_files_are_no_large_page(self) -> None:
        front = sold()
        front.ports = replace(front.ports, share_files=Many())
        body = front.ask().page.body
        assert len(body.encode()) <= 20_000
        assert "and 960 more" in body

    def test_files_have_their_sizes_and_hashes_before_a_share_is_made(self) -> None:
        body = sold(by_page=True).ask().page.body
        assert body.count("ab" * 32) == 2
        assert "1 byte" in body
        assert "/shared/" not in body

    def test_the_link_is_there_and_as_a_qr_code(self) -> None:
        front = sold()
        [share] = front.world.shares.made.values()
        body = front.ask().page.body
        assert f'href="{share.link}"' in body
        assert '<svg class="qr"' in body or 'class="qr"' in body

    def test_the_address_is_masked_and_told_what_became_of_its_letter(self) -> None:
        front = sold()
        front.facts_ = {"sent": NOW, "delivered": NOW + timedelta(minutes=1)}
        body = front.ask().page.body
        assert "Our letter to a…@example.com was delivered (22 November 2026, 12:01 UTC)." in body
        assert BUYER not in body
        front.facts_["bounced"] = NOW
        assert "could not be delivered" in front.ask().page.body

    def test_a_name_is_text_and_no_html(self) -> None:
        front = Front(an_order(lines=(a_line(product_name="<b>B & W</b>"),)))
        front.world.look()
        assert "&lt;b&gt;B &amp; W&lt;/b&gt;" in front.ask().page.body

    def test_without_stripe_and_the_files_the_link_is_there_all_the_same(self) -> None:
        front = sold()
        front.world.payments.failures.append(StripeUnavailable("down"))
        answer = front.ask()
        assert answer.status == 200
        assert "Open your files" in answer.page.body

    def test_without_the_ledger_it_asks_to_come_again(self) -> None:
        front = sold()
        front.down = True
        assert front.ask().status == 503

    def test_what_is_not_ours_has_no_page(self) -> None:
        assert sold(an_order(lines=(a_line(metadata={}),))).ask().status == 404

    def test_a_share_that_somebody_archived_is_asked_for_again(self) -> None:
        front = sold()
        front.world.shares.archived.update(one.id for one in front.world.shares.made.values())
        assert "<button" in front.ask().page.body


class Many:
    def inside(self, share_id: str) -> Opened:
        files = tuple(PageFile(f"file {number}.pdf", number, "ab" * 32) for number in range(1_000))
        return Opened(f"https://go.example/shared/o{share_id}", None, files)

    def of(self, grants: Grants) -> tuple[PageFile, ...]:
        raise AssertionError(grants)


class Letters:
    """The port `Mailer`: what the page shows as each letter leaves; or *trouble* in its place."""

    def __init__(self, front: Front, trouble: Exception | None = None) -> None:
        self.front = front
        self.trouble = trouble
        self.shown: list[object] = []

    def send(self, letter: Letter, *, order_id: str) -> str:
        self.shown.append(self.front.ask().fields["shows"])
        if self.trouble is not None:
            raise self.trouble
        return self.front.world.mailer.send(letter, order_id=order_id)


class TestBeforeTheLetter:
    def test_the_files_are_there_before_the_first_letter_leaves(self) -> None:
        front = Front()
        letters = Letters(front)
        front.world.with_port(mailer=letters)
        front.world.look()
        assert letters.shown == ["ready"]

    @pytest.mark.parametrize(
        "trouble", [LetterRejected("refused"), MailUnavailable("down"), MailUnavailable("no answer", in_doubt=True)]
    )
    @pytest.mark.parametrize("then", [DISPUTED, REFUNDED])
    def test_they_stay_when_it_cannot_leave_until_access_is_taken_back(self, trouble: Exception, then: Order) -> None:
        front = Front()
        front.world.with_port(mailer=Letters(front, trouble))
        with suppress(TryAgain, NeedsAPerson):
            front.world.look()
        answer = front.ask()
        assert answer.fields == {"shows": "ready"}
        assert "/shared/" in answer.page.body
        with suppress(TryAgain, NeedsAPerson):
            front.world.becomes(then)
        answer = front.ask()
        assert answer.fields != {"shows": "ready"}
        assert "/shared/" not in answer.page.body
        assert not front.world.open_files()

    def test_what_the_ledger_calls_refunded_is_shown_only_when_it_calls_it_delivered_again(self) -> None:
        """A refund before the first letter, which fails then, and a letter in doubt: seed 24 of the simulation."""
        front = sold(REFUNDED)
        front.world.with_port(mailer=Letters(front, MailUnavailable("no answer", in_doubt=True)))
        with suppress(TryAgain):
            front.world.becomes(an_order())
        assert front.world.open_files()
        assert "/shared/" not in front.ask().page.body


class TestFromCheckout:
    def test_the_session_s_id_becomes_a_cookie_and_leaves_the_address(self) -> None:
        front = sold()
        answer = front.ask(token=None, session_id=ORDER_ID)
        assert (answer.status, answer.to) == (303, "/order")
        assert answer.cookie is not None
        assert ORDER_ID not in answer.cookie
        assert front.ask(token=None, cookie=answer.cookie).fields == {"shows": "ready"}
        assert front.queue.asked == []

    def test_an_order_that_no_event_told_of_yet_is_asked_for(self) -> None:
        front = Front()
        assert front.ask(token=None, session_id=ORDER_ID).status == 303
        assert [one.about for one in front.queue.asked] == [ORDER_ID]
        assert front.ask(token=None, cookie=COOKIE).fields == {"shows": "preparing"}
        front.work()
        assert front.ask(token=None, cookie=COOKIE).fields == {"shows": "ready"}

    @pytest.mark.parametrize("invented", ["", "cs_test_2", "cs_live_" + "b" * 58, "in_1", "../etc", "cs_test_1 "])
    def test_one_that_stripe_does_not_know_opens_nothing(self, invented: str) -> None:
        front = sold()
        assert front.ask(token=None, session_id=invented) == front.ask(token="x" * 40)
        assert front.queue.asked == []


class TestUnknownAndRefused:
    ATTACKS = (
        {"token": "x" * 40},
        {"token": TOKEN[:-1]},
        {"token": tokens.token("s" * 64, ORDER_ID)},
        {"token": COOKIE},
        {"token": FORM},
        {"token": None, "cookie": TOKEN},
        {"token": None},
        {"token": None, "session_id": "cs_test_unknown"},
        {"form": ""},
        {"form": TOKEN},
        {"form": COOKIE},
        {"form": "x" * 40},
        {"token": "x" * 40, "plain": True},
    )

    @pytest.mark.parametrize("attack", ATTACKS)
    def test_they_look_alike(self, attack: dict[str, object]) -> None:
        front = sold()
        assert front.ask(**attack) == Answer(404, rendering.unknown(), "page_refused")
        assert front.queue.asked == []


class TestAsking:
    def test_a_link_that_has_run_out_is_made_anew(self) -> None:
        front = ran_out()
        answer = front.ask(form=FORM)
        assert (answer.status, answer.to) == (303, f"/order/{TOKEN}?asked=1")
        assert front.ask(asked=1).fields == {"shows": "preparing"}
        front.work()
        assert front.ask(asked=1).fields == {"shows": "ready"}
        assert front.world.open_files() == FILES

    def test_who_came_from_checkout_stays_at_the_address_without_a_token(self) -> None:
        assert ran_out().ask(form=FORM, cookie=COOKIE).to == "/order?asked=1"

    @pytest.mark.parametrize("shows", set(Shows) - {Shows.RAN_OUT})
    def test_nothing_is_asked_for_where_there_is_nothing_to_ask_for(self, shows: Shows) -> None:
        front = PAGES[shows]()
        front.ask(form=FORM)
        assert front.queue.asked == []

    def test_it_refuses_as_soon_as_the_ledger_knows_that_access_is_taken_back(self) -> None:
        front = sold()
        progress = front.world.progress()
        front.world.ledger.orders[ORDER_ID] = progress.closing(now=NOW)
        body = front.ask().page.body
        assert "/shared/" not in body
        assert front.ask().fields == {"shows": "preparing"}


ROBOTS: dict[str, dict[str, object]] = {
    "a get": {},
    "another get": {},
    "a get with a cookie of its own": {"cookie": COOKIE},
    "a blank agent": {"plain": True},
    "javascript that polls": {"plain": True, "asked": 1},
    "a reload": {"asked": 1},
    "a form submitted": {"form": FORM},
    "a form submitted twice": {"form": FORM, "cookie": COOKIE},
    "a rewritten address": {"token": TOKEN + "%3D"},
    "an address cut by a mail program": {"token": TOKEN[:40]},
    "a preview bot at checkout's address": {"token": None, "session_id": ORDER_ID},
    "a form with other fields": {"form": "yes"},
    "every form filled in": {"form": FORM, "address": "robot@example.net"},
}


class TestRobots:
    @given(st.permutations(sorted(ROBOTS)), st.sampled_from(sorted(PAGES)), st.booleans())
    def test_in_any_order_they_change_nothing_for_the_buyer(
        self,
        robots: list[str],
        shows: Shows,
        works_between: bool,  # noqa: FBT001
    ) -> None:
        """But that a share may be there sooner, which the buyer would have had for the asking."""
        alone, visited = PAGES[shows](), PAGES[shows]()
        for robot in robots:
            visited.ask(**ROBOTS[robot])
            if works_between:
                visited.work()
        for front in (alone, visited):
            front.work() if shows is not Shows.PERSON else front.queue.asked.clear()
            if front.ask().fields in ({"shows": "ran_out"}, {"shows": "ready"}):
                front.ask(form=FORM)
                front.work()
        if shows is not Shows.PREPARING:
            assert visited.ask().fields == alone.ask().fields
        else:
            assert visited.ask().fields == {"shows": "ready"}
        assert set(visited.world.open_files() or ()) >= set(alone.world.open_files() or ())
        extra = [Kind.DELIVERY] if shows is Shows.PREPARING else []
        assert visited.world.letters() == alone.world.letters() + extra


def test_a_row_that_was_never_looked_at_is_being_prepared() -> None:
    found = showing(Progress(), now=NOW)
    assert found is not None
    assert found.shows is Shows.PREPARING


def test_the_stamp_is_another_one_when_the_page_is() -> None:
    stamps = {front().ask(plain=True).page.body for front in PAGES.values()}
    assert len(stamps) == len(PAGES)


def test_state_on_hold_with_access_still_opens() -> None:
    front = sold()
    front.world.ledger.orders[ORDER_ID] = replace(front.world.progress(), state=State.ON_HOLD, reason="payment_undone")
    assert front.ask().fields == {"shows": "ready"}


def test_a_wish_for_the_share_is_what_the_form_comes_to() -> None:
    front = ran_out()
    front.ask(form=FORM)
    assert [one.why for one in front.queue.asked] == [wishes.why(Wants.OPEN)]
    assert WON is not None
    assert a_notice().why != front.queue.asked[0].why
