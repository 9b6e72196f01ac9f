"""
The seller as buyers see them: `shop.toml`, which lies beside template.yaml → frozen values.

Read when the functions are built (`python -m paidshare.storefront.seller shop.toml` says what is wrong with it), and
once more when one starts; what is left out, or the whole file, has a default. Every mistake is named in one error.
"""

import re
import struct
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from paidshare.errors import SettingsIncomplete
from paidshare.storefront.languages import LANGUAGES, SOURCE
from paidshare.text import one_line

_LARGEST_LOGO = 64_000
"""Bytes. It goes out with every letter."""
_LOGO_HEIGHT, _LOGO_WIDTH = 48, 240

_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
# HTML's own idea of an address, with a dot in the domain; SES takes ASCII only.
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)+", re.ASCII)
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Logo:
    """A PNG: its bytes, and how large it is shown, in CSS pixels."""

    content: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Seller:
    """
    `name` is empty where the shop has none to show. `language` (of `languages.LANGUAGES`) is for buyers of whom nothing
    is known. `reply_to` is where answers go, empty for the sender. `imprint` are the lines below a letter. `accent` and
    `accent_dark` (`#rrggbb`) are the button's colours by day and in the dark. A buyer whose files are not there
    `late_after` the order could have been delivered is told; None for never.
    """

    name: str = ""
    language: str = SOURCE
    reply_to: str = ""
    imprint: tuple[str, ...] = ()
    logo: Logo | None = None
    accent: str = "#1f5fbf"
    accent_dark: str = "#8ab4f8"
    late_after: timedelta | None = timedelta(minutes=15)


PLAIN = Seller()
"""One that says nothing of itself."""


def on(colour: str) -> str:
    """Black or white, whichever is read better on *colour* (`#rrggbb`): 4.5 to 1 at least (WCAG 2.2, 1.4.3)."""
    # Between the two the contrasts are the same at a luminance of 0.179.
    return "#000000" if _luminance(colour) > 0.179 else "#ffffff"


def _luminance(colour: str) -> float:
    """W3C's relative luminance, 0 to 1."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def from_file(path: Path) -> Seller:
    """The seller that the file at *path* describes; all defaults where there is none. Raises SettingsIncomplete."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return PLAIN
    except ValueError as error:  # No TOML, or no UTF-8.
        raise SettingsIncomplete([f"{path.name} cannot be read: {error}"]) from error
    return from_toml(raw, picture=lambda name: _read(path.parent / name), file=path.name)


def from_toml(raw: Mapping[str, Any], *, picture: Callable[[str], bytes], file: str = "shop.toml") -> Seller:
    """
    The seller that *raw* describes. *picture* reads a file that is named in it, and raises OSError.

    Raises SettingsIncomplete, naming every mistake, and each by its key.
    """
    read = _Reader(raw, file)
    colours = read.table("colours", "accent", "accent_dark")
    letters = read.table("letters", "late_after_minutes")
    usual = PLAIN
    accent = colours.colour("accent", usual.accent)
    seller = Seller(
        name=read.line("name", 60),
        language=read.language("language"),
        reply_to=read.address("reply_to"),
        imprint=read.lines("imprint", 8, 120),
        logo=read.logo("logo", picture),
        accent=accent,
        accent_dark=colours.colour("accent_dark", accent if "accent" in colours.raw else usual.accent_dark),
        late_after=letters.minutes("late_after_minutes", usual.late_after),
    )
    read.refuse_others("name", "language", "reply_to", "imprint", "logo", "colours", "letters")
    if read.gaps:
        raise SettingsIncomplete(read.gaps)
    return seller


class _Reader:
    """Reads a table's keys and collects what is wrong. `place` is what the keys are called by."""

    def __init__(self, raw: Mapping[str, Any], place: str, gaps: list[str] | None = None) -> None:
        self.raw = raw
        self.gaps: list[str] = [] if gaps is None else gaps
        self._place = place

    def table(self, key: str, *known: str) -> "_Reader":
        raw = self.raw.get(key, {})
        if not isinstance(raw, dict):
            self._complain(key, "must be a table")
            raw = {}
        inner = _Reader(raw, f"{self._place}: {key}", self.gaps)
        inner.refuse_others(*known)
        return inner

    def refuse_others(self, *known: str) -> None:
        for key in self.raw:
            if key not in known:
                self._complain(key, f"is not known; there are {', '.join(known)}")

    def line(self, key: str, most: int) -> str:
        value = self.raw.get(key, "")
        wish = f"must be one line of text, of at most {most} characters"
        return value if self._is(_is_line(value, most), key, wish) else ""

    def lines(self, key: str, most: int, longest: int) -> tuple[str, ...]:
        value = self.raw.get(key, [])
        good = isinstance(value, list) and len(value) <= most and all(_is_line(one, longest) for one in value)
        wish = f"must be a list of at most {most} lines, each of at most {longest} characters"
        return tuple(value) if self._is(good, key, wish) else ()

    def language(self, key: str) -> str:
        value = self.raw.get(key, SOURCE)
        return value if self._is(value in LANGUAGES, key, f"must be one of {', '.join(LANGUAGES)}") else SOURCE

    def address(self, key: str) -> str:
        value = self.raw.get(key, "")
        good = isinstance(value, str) and (not value or _ADDRESS.fullmatch(value) is not None)
        return value if self._is(good, key, "must be one e-mail address, in ASCII") else ""

    def colour(self, key: str, usual: str) -> str:
        value = self.raw.get(key, usual)
        good = isinstance(value, str) and _COLOUR.fullmatch(value) is not None
        return value.lower() if self._is(good, key, "must be a colour such as #1f5fbf") else usual

    def minutes(self, key: str, usual: timedelta | None) -> timedelta | None:
        """0 is never."""
        if key not in self.raw:
            return usual
        value = self.raw[key]
        good = type(value) is int and (value == 0 or 5 <= value <= 1440)
        self._is(good, key, "must be a whole number from 5 to 1440, or 0 for never")
        return timedelta(minutes=value) if good and value else None

    def logo(self, key: str, picture: Callable[[str], bytes]) -> Logo | None:
        name = self.raw.get(key)
        if name is None:
            return None
        # What does not lie in that folder is not packaged.
        if not isinstance(name, str) or not re.fullmatch(r"shop/\w[\w.-]*\.png", name):
            self._complain(key, "must name a PNG in the folder shop, such as shop/logo.png")
            return None
        try:
            content = picture(name)
        except OSError:
            self._complain(key, f"names {name}, which is not there")
            return None
        size = _png_size(content)
        if size is None or len(content) > _LARGEST_LOGO:
            self._complain(key, f"must name a PNG of at most {_LARGEST_LOGO} bytes")
            return None
        if not self.raw.get("name"):
            self._complain(key, "needs a name beside it: that is read where no picture is shown")
            return None
        width, height = size
        # Half its size, so that it is sharp on a dense screen; and never larger than the letter has room for.
        scale = min(0.5, _LOGO_HEIGHT / height, _LOGO_WIDTH / width)
        return Logo(content, max(1, round(width * scale)), max(1, round(height * scale)))

    def _is(self, good: bool, key: str, wish: str) -> bool:  # noqa: FBT001
        if not good:
            self._complain(key, wish)
        return good

    def _complain(self, key: str, what: str) -> None:
        self.gaps.append(f"{self._place}: {key} {what}")


def _is_line(value: object, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most and one_line(value) == value


def _read(path: Path) -> bytes:
    return path.read_bytes()


def _png_size(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels (w3.org/TR/png, 11.2.1); None for what is no PNG."""
    if not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 24:
        return None
    width, height = struct.unpack(">II", content[16:24])
    return (width, height) if width and height else None


if __name__ == "__main__":
    try:
        from_file(Path(sys.argv[1]))
    except SettingsIncomplete as error:
        sys.exit(str(error))
