"""What the seller and the buyer wrote stays as it is, but for what can harm."""

import unicodedata

import grapheme
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.text import cut, one_line

words = st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1, max_size=30)


class TestOneLine:
    @pytest.mark.parametrize(
        "name",
        [
            "\U0001f469\u200d\U0001f4bb Course",  # An emoji sequence.
            "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # A flag by tags.
            "می\u200cخواهم",  # Persian, with its non-joiner.
            "❤\ufe0f",
            "e\u0301",
            "क्\u200dष",
            "\U0001fadf",  # Newer than some tables.
            "\u200fשלום",
        ],
    )
    def test_a_name_stays_as_it_is_written(self, name: str) -> None:
        assert one_line(name) == name

    @pytest.mark.parametrize("harm", list("\r\n\t\x00\x1b\x7f\x85\u2028\u2029\ud800"))
    def test_nothing_can_end_the_line(self, harm: str) -> None:
        assert one_line(f"Guide{harm}Bcc: eve@example.com") == "Guide Bcc: eve@example.com"

    @pytest.mark.parametrize(
        "harm", list("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe\U0010ffff\ufdd0")
    )
    def test_nothing_can_turn_it_round(self, harm: str) -> None:
        assert one_line(f"a{harm}b") == "ab"

    @given(st.text())
    def test_it_is_one_line_whatever_it_was_and_says_it_once(self, text: str) -> None:
        line = one_line(text)
        assert line == one_line(line) == " ".join(line.split())
        assert not {unicodedata.category(c) for c in line} & {"Cc", "Cs", "Zl", "Zp"}
        line.encode()


class TestCut:
    @given(
        st.lists(
            st.sampled_from(["e\u0301", "\U0001f1e9\U0001f1ea", "x", "\U0001f469\u200d\U0001f4bb", "क्ष"]), min_size=1
        )
    )
    def test_what_a_reader_sees_is_there_in_full_or_not_at_all(self, seen: list[str]) -> None:
        whole = "".join(seen)
        for most in range(8, 40):
            short = cut(whole, most)
            assert len(short) <= most
            kept = list(grapheme.graphemes(short.removesuffix("…")))
            assert kept == list(grapheme.graphemes(whole))[: len(kept)]

    @given(words, st.integers(2, 200))
    def test_what_fits_is_left_alone_and_what_does_not_shows_it(self, text: str, most: int) -> None:
        short = cut(text, most)
        assert short == text if len(text) <= most else short.endswith("…")
