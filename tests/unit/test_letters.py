import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.delivering import letters
from paidshare.orders import Goods, Letter, Share, ShareFile
from paidshare.states import Kind, Why
from paidshare.text import one_line
from tests.builders import BUYER, LINK, a_share, some_goods

UNTIL = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
CHANGES = [kind for kind in Kind if kind is not Kind.DELIVERY]
ON_HOLD = ["disputed", "fraud_warning", "subscription_paused", "subscription_unpaid", "held_by_seller"]
ENDED = [
    "refunded",
    "partly_refunded",
    "credited",
    "payment_failed",
    "dispute_lost",
    "subscription_canceled",
    "ended_by_seller",
]
CHANGED = ["subscription_changed"]
ATTACK = '<script>alert("x")</script>'


def a_letter(*goods: Goods, share: Share | None = None, order_id: str = "cs_test_a1b2c3d4e5f6") -> Letter:
    return letters.delivery(
        to=BUYER,
        order_id=order_id,
        products=[g.product_name for g in goods or (some_goods(),)],
        share=share or a_share(),
    )


def with_files(*files: ShareFile) -> Letter:
    return a_letter(share=a_share(files=files))


def changes(*products: str, order_id: str = "in_1a1b2c3d4e5f6", why: str = "refunded") -> dict[Kind, Letter]:
    """Each of the five letters about a change, of the same order."""
    names = products or ("Field Recordings", "Score")
    return {
        Kind.PAYMENT_FAILED: letters.payment_failed(to=BUYER, order_id=order_id, products=names),
        Kind.ACCESS_ON_HOLD: letters.access_on_hold(to=BUYER, order_id=order_id, products=names, why=why),
        Kind.ACCESS_ENDED: letters.access_ended(to=BUYER, order_id=order_id, products=names, why=why),
        Kind.ACCESS_BACK: letters.access_back(to=BUYER, order_id=order_id, products=names, until=UNTIL),
        Kind.ACCESS_CHANGED: letters.access_changed(to=BUYER, order_id=order_id, products=names, until=UNTIL),
    }


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text)


class Tags(HTMLParser):
    """Every tag and attribute of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


class TestDelivery:
    def test_it_goes_to_the_buyer(self) -> None:
        assert a_letter().to == BUYER

    @pytest.mark.parametrize("part", ["text", "html"])
    def test_text_and_html_say_the_same(self, part: str) -> None:
        letter = a_letter(some_goods(product_name="Field Recordings"), some_goods(product_name="Score"))
        words = letter.text if part == "text" else Tags(letter.html).text
        for said in ("Field Recordings, Score", LINK, "forest.wav", "48 MB", "notes.pdf", "120 kB", "c3d4e5f6"):
            assert said in words
        assert "29 November 2026, 12:00 UTC" in words

    def test_the_subject_names_the_products(self) -> None:
        goods = some_goods(product_name="Field Recordings"), some_goods(product_name="Score")
        assert a_letter(*goods).subject == "Your download: Field Recordings, Score"

    def test_a_product_bought_in_two_lines_is_named_once(self) -> None:
        assert a_letter(some_goods(), some_goods()).subject == "Your download: Field Recordings"

    def test_a_long_subject_is_cut_and_shows_it(self) -> None:
        subject = a_letter(*(some_goods(product_name=f"Volume {n} of the collected works") for n in range(9))).subject
        assert len(subject) <= 120
        assert subject.endswith("…")

    @given(st.lists(st.text(max_size=200), min_size=1, max_size=3))
    def test_no_name_can_add_a_line_to_the_subject(self, names: list[str]) -> None:
        subject = a_letter(*(some_goods(product_name=name) for name in names)).subject
        assert len(subject.splitlines()) == 1
        assert len(subject) <= 120
        assert subject.rstrip() == one_line(subject)

    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\u2028", "\u0085", "\x0b"])
    def test_a_newline_in_a_name_adds_no_header_and_no_line(self, newline: str) -> None:
        name = f"Score{newline}Bcc: everybody@example.com"
        letter = a_letter(some_goods(product_name=name), share=a_share(files=(ShareFile(name, 1),)))
        assert letter.subject == "Your download: Score Bcc: everybody@example.com"
        assert not [line for line in letter.text.splitlines() if line.lstrip().startswith("Bcc")]

    def test_a_name_is_text_and_never_html(self) -> None:
        letter = a_letter(
            some_goods(product_name=ATTACK), share=a_share(files=(ShareFile(ATTACK, 1), ShareFile("b", 1)))
        )
        page = Tags(letter.html)
        assert "script" not in page.tags
        assert page.text.count(ATTACK) == 2

    def test_the_text_part_shows_names_as_they_are(self) -> None:
        assert '- Tom & Jerry\'s "<best>".pdf' in with_files(ShareFile('Tom & Jerry\'s "<best>".pdf', None)).text

    @given(st.text(), st.text())
    def test_no_name_can_add_a_tag_or_an_attribute(self, product: str, file: str) -> None:
        letter = a_letter(some_goods(product_name=product), share=a_share(files=(ShareFile(file, 5),)))
        usual = a_letter(share=a_share(files=(ShareFile("notes.pdf", 5),)))
        assert Tags(letter.html).tags == Tags(usual.html).tags
        assert Tags(letter.html).attributes == Tags(usual.html).attributes

    def test_nothing_in_it_is_fetched_from_elsewhere(self) -> None:
        html = a_letter().html.lower()
        assert not re.search(r"url\(|@import|<img|<link|<script|<iframe|<style|<object|<embed|background=", html)
        page = Tags(html)
        assert not {name for name, _ in page.attributes} & {"src", "srcset", "poster", "data", "action"}

    def test_the_only_address_to_click_is_the_link(self) -> None:
        page = Tags(a_letter().html)
        assert [value for name, value in page.attributes if name == "href"] == [LINK]
        assert set(re.findall(r"https?://[^\s\"<]+", a_letter().html)) == {LINK}
        assert set(re.findall(r"https?://\S+", a_letter().text)) == {LINK}

    @pytest.mark.parametrize("part", ["text", "html"])
    def test_one_file_is_not_files(self, part: str) -> None:
        assert "It holds one file:" in getattr(with_files(ShareFile("a", 1)), part)
        assert "It holds 2 files:" in getattr(with_files(ShareFile("a", 1), ShareFile("b", 1)), part)

    @pytest.mark.parametrize("part", ["text", "html"])
    def test_every_file_is_listed(self, part: str) -> None:
        letter = with_files(*(ShareFile(f"take-{n:03}.wav", 1) for n in range(100)))
        assert re.findall(r"take-\d{3}", getattr(letter, part)) == [f"take-{n:03}" for n in range(100)]

    def test_the_time_is_said_with_its_zone(self) -> None:
        share = a_share(expires_at=datetime(2027, 1, 2, 3, 4, tzinfo=UTC) + timedelta(seconds=59))
        assert "2 January 2027, 03:04 UTC" in a_letter(share=share).text

    def test_a_name_that_looks_like_a_template_is_only_a_name(self) -> None:
        assert "{{ link }}" in a_letter(some_goods(product_name="{{ link }}")).subject
        assert "{{ link }}" in with_files(ShareFile("{{ link }}", None)).text


class TestChanges:
    @pytest.mark.parametrize("kind", CHANGES)
    def test_it_goes_to_the_buyer(self, kind: Kind) -> None:
        assert changes()[kind].to == BUYER

    @pytest.mark.parametrize("kind", CHANGES)
    def test_text_and_html_say_the_same(self, kind: Kind) -> None:
        letter = changes()[kind]
        # The page's title is the headline once more.
        page = Tags(letter.html).text.replace(kind.headline, "", 1)
        assert words_of(page) == words_of(letter.text)

    @pytest.mark.parametrize("kind", CHANGES)
    def test_it_says_what_happened_to_what_and_how_to_ask(self, kind: Kind) -> None:
        text = changes()[kind].text
        assert text.startswith(f"{kind.headline}: Field Recordings, Score\n")
        assert text.endswith("\n\nSomething wrong? Answer this letter and name your order: c3d4e5f6")

    @pytest.mark.parametrize("kind", CHANGES)
    def test_the_subject_says_what_happened_and_names_the_products(self, kind: Kind) -> None:
        assert changes()[kind].subject == f"{kind.headline}: Field Recordings, Score"

    @pytest.mark.parametrize("kind", CHANGES)
    def test_a_product_bought_in_two_lines_is_named_once(self, kind: Kind) -> None:
        letter, once = changes("Score", "Field Recordings", "Score")[kind], changes("Score", "Field Recordings")[kind]
        assert letter == once

    @pytest.mark.parametrize("kind", CHANGES)
    def test_it_holds_no_link_and_nothing_is_fetched_from_elsewhere(self, kind: Kind) -> None:
        letter = changes()[kind]
        assert not re.search(r"https?:|www\.|fast\.io", letter.text + letter.html)
        page = Tags(letter.html)
        assert not {name for name, _ in page.attributes} & {"href", "src", "srcset", "background", "action"}
        assert not set(page.tags) & {"a", "img", "link", "script", "style", "iframe", "form"}
        assert "url(" not in letter.html

    @pytest.mark.parametrize("kind", CHANGES)
    @given(names=st.lists(st.text(max_size=200), min_size=1, max_size=3))
    def test_no_name_can_add_a_line_or_a_tag(self, kind: Kind, names: list[str]) -> None:
        letter, usual = changes(*names)[kind], changes()[kind]
        assert len(letter.subject) <= 120
        assert letter.subject.rstrip() == one_line(letter.subject)
        assert letter.subject.startswith(kind.headline)
        assert len(letter.text.splitlines()) == len(usual.text.splitlines())
        assert Tags(letter.html).tags == Tags(usual.html).tags
        assert Tags(letter.html).attributes == Tags(usual.html).attributes

    @pytest.mark.parametrize("kind", CHANGES)
    @pytest.mark.parametrize("name", [ATTACK, "{{ reference }}", "{reference}", "%s", 'Tom & Jerry\'s "<best>"'])
    def test_a_name_is_shown_as_it_is(self, kind: Kind, name: str) -> None:
        letter = changes(name)[kind]
        assert name in letter.subject
        assert name in letter.text
        assert name in Tags(letter.html).text

    @pytest.mark.parametrize("kind", [Kind.ACCESS_BACK, Kind.ACCESS_CHANGED])
    def test_an_open_link_is_dated(self, kind: Kind) -> None:
        assert "It works until 29 November 2026, 12:00 UTC." in changes()[kind].text

    @pytest.mark.parametrize(
        ("why", "said"),
        [
            ("disputed", "was disputed with the bank or card company"),
            ("fraud_warning", "The card issuer asked for the payment for this order to be checked"),
            ("subscription_paused", "is paused"),
            # An invoice of the subscription is open: its own order may well be paid.
            ("subscription_unpaid", "A payment for the subscription that this order belongs to has not come through"),
            ("refunded", "The payment for this order was refunded"),
            ("partly_refunded", "Part of the payment was refunded"),
            ("dispute_lost", "was reversed after a dispute"),
            # However it came about: the buyer, the seller, or its last period.
            ("subscription_canceled", "has ended"),
        ],
    )
    def test_the_reason_is_said_in_plain_words(self, why: str, said: str) -> None:
        kind = Kind.ACCESS_ON_HOLD if why in ON_HOLD else Kind.ACCESS_ENDED
        assert said in changes(why=why)[kind].text.split("earlier letter", 1)[1]

    @pytest.mark.parametrize("kind", [Kind.ACCESS_ON_HOLD, Kind.ACCESS_ENDED])
    def test_every_reason_has_a_sentence_of_its_own(self, kind: Kind) -> None:
        reasons = [*ON_HOLD, *ENDED, "a_word_of_next_year"]
        assert len({changes(why=why)[kind].text for why in reasons}) == len(reasons)

    def test_a_sentence_belongs_to_a_reason_that_there_is(self) -> None:
        assert set(letters._BECAUSE) == {*ON_HOLD, *ENDED, *CHANGED}
        assert set(letters._BECAUSE) <= set(Why)

    @pytest.mark.parametrize("kind", [Kind.ACCESS_ON_HOLD, Kind.ACCESS_ENDED])
    @pytest.mark.parametrize("why", ["", "a_word_of_next_year"])
    def test_a_reason_without_a_sentence_gets_a_neutral_one(self, kind: Kind, why: str) -> None:
        text = changes(why=why)[kind].text
        assert "Something about the payment for this order has changed." in text
        assert not why or why not in text

    @pytest.mark.parametrize("why", [*ON_HOLD, *ENDED])
    def test_nobody_is_accused(self, why: str) -> None:
        accusing = re.compile(r"fraud|stole|illegal|abuse|violat|you (have )?disput|your dispute", re.IGNORECASE)
        assert not [letter.text for letter in changes(why=why).values() if accusing.search(letter.text)]

    def test_what_is_on_hold_is_said_to_open_again_by_itself(self) -> None:
        assert "opens again by itself" in changes()[Kind.ACCESS_ON_HOLD].text
        assert "opens again" not in changes()[Kind.ACCESS_ENDED].text

    def test_a_changed_download_says_what_it_holds_now(self) -> None:
        letter = letters.access_changed(to=BUYER, order_id="cs_1", products=["Score", "Parts"], until=UNTIL)
        assert "now holds Score, Parts." in letter.text

    def test_a_changed_download_says_why_where_something_is_gone(self) -> None:
        gone = letters.access_changed(to=BUYER, order_id="cs_1", products=["A"], until=UNTIL, why="partly_refunded")
        assert "Part of the payment was refunded" in gone.text

    def test_a_payment_that_failed_left_nothing_behind(self) -> None:
        text = changes()[Kind.PAYMENT_FAILED].text
        assert "not sent you any files" in text
        assert "you were not charged" in text
        assert "link" not in text


class TestKind:
    def test_a_subject_tells_its_kind(self) -> None:
        subjects = {kind: letter.subject for kind, letter in [(Kind.DELIVERY, a_letter()), *changes().items()]}
        assert set(subjects) == set(Kind)
        for kind, subject in subjects.items():
            assert [k for k in Kind if subject.startswith(k.headline)] == [kind]


class TestRender:
    @pytest.mark.parametrize(
        ("template", "needs"),
        [
            ("delivery", ("headline", "products", "files", "link", "until", "earlier", "page", "reference")),
            ("change", ("headline", "products", "paragraphs", "reference")),
        ],
    )
    @pytest.mark.parametrize("part", ["txt", "html"])
    def test_a_word_that_is_missing_is_an_error_and_not_a_gap_in_the_letter(
        self, template: str, needs: Iterable[str], part: str
    ) -> None:
        words: dict[str, Any] = {"headline": "", "products": [], "files": [], "paragraphs": [], "earlier": []}
        words |= {"link": "", "page": "p", "until": "", "reference": ""}
        letters._render(f"{template}.{part}.j2", words)
        # The text of the delivery letter begins with thanks instead.
        for word in set(needs) - ({"headline"} if (template, part) == ("delivery", "txt") else set()):
            with pytest.raises(jinja2.UndefinedError, match=word):
                letters._render(f"{template}.{part}.j2", {k: v for k, v in words.items() if k != word})


class TestSize:
    @pytest.mark.parametrize(
        ("size", "shown"),
        [
            # Fast.io does not say.
            (None, ""),
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (1550, "1.6 kB"),
            (48_000_000, "48 MB"),
            (1_500_000_000, "1.5 GB"),
            (2_000_000_000_000, "2.0 TB"),
            # Nobody sells it, nothing breaks.
            (10**15, "1000 TB"),
        ],
    )
    def test_sizes_read_as_in_a_file_manager(self, size: int | None, shown: str) -> None:
        assert letters._size(size) == shown

    @pytest.mark.parametrize(
        ("size", "shown"),
        [(9_999, "10 kB"), (999_500, "1.0 MB"), (999_999, "1.0 MB"), (999_999_999, "1.0 GB")],
    )
    def test_a_rounded_size_moves_on_to_the_next_unit(self, size: int, shown: str) -> None:
        assert letters._size(size) == shown
