import struct
import tomllib
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.errors import SettingsIncomplete
from paidshare.storefront import seller
from paidshare.storefront.seller import PLAIN, Seller

ROOT = Path(__file__).resolve().parents[2]


def a_png(width: int = 192, height: int = 96, *, size: int = 0) -> bytes:
    return (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height)).ljust(size, b"\x00")


def read(text: str, *, picture: bytes | None = a_png()) -> Seller:
    def found(_name: str) -> bytes:
        if picture is None:
            raise FileNotFoundError
        return picture

    return seller.from_toml(tomllib.loads(text), picture=found)


def gaps(text: str, **how: Any) -> list[str]:
    with pytest.raises(SettingsIncomplete) as caught:
        read(text, **how)
    return caught.value.gaps


class TestFromToml:
    def test_everything_that_can_be_said(self) -> None:
        found = read(
            """
            name = "Garden Press"
            reply_to = "help@example.com"
            logo = "shop/logo.png"
            language = "de"
            imprint = ["Garden Press Ltd", "1 High Street"]
            [colours]
            accent = "#AA0000"
            accent_dark = "#ff8888"
            [letters]
            late_after_minutes = 30
            """
        )
        assert (found.name, found.reply_to, found.language) == ("Garden Press", "help@example.com", "de")
        assert found.imprint == ("Garden Press Ltd", "1 High Street")
        assert (found.accent, found.accent_dark) == ("#aa0000", "#ff8888")
        assert found.late_after == timedelta(minutes=30)
        assert found.logo is not None
        assert (found.logo.width, found.logo.height) == (96, 48)

    def test_nothing_has_to_be_said(self) -> None:
        assert read("") == PLAIN

    def test_the_file_that_comes_with_the_code_says_nothing(self) -> None:
        assert seller.from_file(ROOT / "shop.toml") == PLAIN

    def test_what_it_shows_as_examples_is_right(self) -> None:
        lines = (ROOT / "shop.toml").read_text().splitlines()
        said = "\n".join(line.removeprefix("# ") for line in lines if " = " in line or line.startswith("# ["))
        assert read(said).name == "Garden Press"

    def test_a_colour_of_the_seller_s_is_for_the_dark_too(self) -> None:
        assert read('[colours]\naccent = "#aa0000"').accent_dark == "#aa0000"

    def test_zero_minutes_are_never(self) -> None:
        assert read("[letters]\nlate_after_minutes = 0").late_after is None

    @pytest.mark.parametrize(
        ("text", "gap"),
        [
            ('nmae = "Garden"', "nmae is not known; there are name"),
            ("name = 1", "name must be one line of text, of at most 60 characters"),
            ('name = "a\\nb"', "name must be one line"),
            ('name = "\\u202egpj"', "name must be one line"),
            (f'name = "{"x" * 61}"', "name must be one line"),
            ('language = "xx"', "language must be one of en, ar, de"),
            ("language = []", "language must be one of"),
            ('reply_to = "help"', "reply_to must be one e-mail address"),
            ('reply_to = "a@example.com, b@example.com"', "reply_to must be one e-mail address"),
            ('reply_to = "a@example.com\\n"', "reply_to must be one e-mail address"),
            ('imprint = "one"', "imprint must be a list of at most 8 lines"),
            ("imprint = [1]", "imprint must be a list"),
            ('colours = "red"', "colours must be a table"),
            ('[colours]\naccent = "red"', "colours: accent must be a colour such as #1f5fbf"),
            ('[colours]\nink = "#000000"', "colours: ink is not known"),
            ("[letters]\nlate_after_minutes = 4", "letters: late_after_minutes must be a whole number"),
            ("[letters]\nlate_after_minutes = true", "letters: late_after_minutes must be a whole number"),
            ('name = "A"\nlogo = "../secret.png"', "logo must name a PNG in the folder shop"),
            ('name = "A"\nlogo = "shop/../x.png"', "logo must name a PNG in the folder shop"),
            ('name = "A"\nlogo = "shop/logo.svg"', "logo must name a PNG in the folder shop"),
            ('logo = "shop/logo.png"', "logo needs a name beside it"),
        ],
    )
    def test_what_cannot_be_meant_is_named(self, text: str, gap: str) -> None:
        [found] = gaps(text)
        assert found.startswith(f"shop.toml: {gap}")

    def test_every_mistake_is_named_at_once(self) -> None:
        assert len(gaps('name = 1\nlanguage = "xx"\n[colours]\naccent = 3')) == 3

    @pytest.mark.parametrize(
        ("picture", "gap"),
        [
            (None, "names shop/logo.png, which is not there"),
            (b"GIF89a", "must name a PNG of at most 64000 bytes"),
            (a_png(0, 10), "must name a PNG"),
            (a_png(size=64_001), "must name a PNG"),
        ],
    )
    def test_a_logo_that_no_letter_could_carry_is_refused(self, picture: bytes | None, gap: str) -> None:
        [found] = gaps('name = "A"\nlogo = "shop/logo.png"', picture=picture)
        assert gap in found

    @given(width=st.integers(1, 10_000), height=st.integers(1, 10_000))
    def test_a_logo_is_never_shown_larger_than_there_is_room(self, width: int, height: int) -> None:
        logo = read('name = "A"\nlogo = "shop/logo.png"', picture=a_png(width, height)).logo
        assert logo is not None
        assert 1 <= logo.width <= 240
        assert 1 <= logo.height <= 48

    @given(st.dictionaries(st.text(max_size=10), st.none() | st.integers() | st.text() | st.lists(st.text())))
    def test_whatever_is_in_it_is_read_or_refused(self, raw: dict[str, Any]) -> None:
        with suppress(SettingsIncomplete):
            seller.from_toml(raw, picture=lambda _name: a_png())


class TestFromFile:
    def test_without_a_file_there_are_defaults(self, tmp_path: Path) -> None:
        assert seller.from_file(tmp_path / "shop.toml") == PLAIN

    @pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe"])
    def test_what_is_no_toml_is_refused_by_the_file_s_name(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "shop.toml").write_bytes(content)
        with pytest.raises(SettingsIncomplete, match=r"shop\.toml cannot be read"):
            seller.from_file(tmp_path / "shop.toml")

    def test_a_logo_lies_beside_it(self, tmp_path: Path) -> None:
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop" / "logo.png").write_bytes(a_png())
        (tmp_path / "shop.toml").write_text('name = "A"\nlogo = "shop/logo.png"')
        assert seller.from_file(tmp_path / "shop.toml").logo is not None


def contrast(one: str, other: str) -> float:
    """WCAG's, 1 to 21."""
    lighter, darker = sorted((seller._luminance(one), seller._luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@given(st.integers(0, 0xFFFFFF))
def test_what_stands_on_a_colour_can_be_read(number: int) -> None:
    colour = f"#{number:06x}"
    assert contrast(seller.on(colour), colour) >= 4.5
