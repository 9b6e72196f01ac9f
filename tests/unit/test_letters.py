import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare import letters
from paidshare.orders import Goods, Letter, Share, ShareFile
from tests.builders import BUYER, LINK, a_share, some_goods

ATTACK = '<script>alert("x")</script>'


def a_letter(*goods: Goods, share: Share | None = None, order_id: str = "cs_test_a1b2c3d4e5f6") -> Letter:
    return letters.delivery(to=BUYER, order_id=order_id, goods=goods or (some_goods(),), share=share or a_share())


def with_files(*files: ShareFile) -> Letter:
    return a_letter(share=a_share(files=files))


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
        assert subject.isprintable()

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

    @pytest.mark.parametrize("name", ["delivery.txt.j2", "delivery.html.j2"])
    def test_a_word_that_is_missing_is_an_error_and_not_a_gap_in_the_letter(self, name: str) -> None:
        words: dict[str, Any] = {"products": [], "files": [], "until": "", "reference": ""}
        with pytest.raises(jinja2.UndefinedError):
            letters._render(name, words)


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
