"""
Every feature of HTML and CSS that a letter uses works in Gmail, Outlook and Apple Mail, as caniemail.com has tried them
out, or it is said here what a reader has without it. `scripts/caniemail.py` renews the data.
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from paidshare.storefront.languages import LANGUAGES
from paidshare.storefront.seller import Logo, Seller
from scripts import letters

DATA = Path(__file__).with_name("caniemail.json")

# What caniemail.com calls it; None for what it has not tried, and every program shows.
TAGS = {
    "html": None, "head": None, "meta": None, "title": None, "script": None, "tr": None, "td": None, "br": None,
    "a": None, "h1": "html-h1-h6", "ul": "html-lists", "li": "html-lists", "body": "html-body", "div": "html-div",
    "style": "html-style", "table": "html-table", "p": "html-p", "strong": "html-strong", "span": "html-span",
    "img": "html-img",
}  # fmt: skip
ATTRIBUTES = {
    "charset": None, "name": None, "content": None, "type": None, "style": None, "href": None, "src": None,
    "alt": None, "bgcolor": None, "class": None, "lang": "html-lang", "dir": "html-dir", "role": "html-role",
    "aria-label": "html-aria-label", "aria-hidden": "html-aria-hidden", "align": "html-align", "width": "html-width",
    "height": "html-height", "cellpadding": "html-cellpadding", "cellspacing": "html-cellspacing",
}  # fmt: skip
PROPERTIES = {
    "color": None, "mso-hide": None, "mso-padding-alt": None, "margin": "css-margin", "padding": "css-padding",
    "background-color": "css-background-color", "font-family": "css-font", "font-size": "css-font-size",
    "font-weight": "css-font-weight", "line-height": "css-line-height", "max-width": "css-max-width",
    "max-height": "css-max-height", "border-radius": "css-border-radius", "border": "css-border",
    "word-break": "css-word-break", "overflow": "css-overflow", "text-decoration": "css-text-decoration",
    "text-align": "css-text-align", "color-scheme": "css-color-scheme", "display": "css-display",
}  # fmt: skip
PATTERNS = {
    r"<!doctype": "html-doctype",
    r'name="color-scheme"': "html-meta-color-scheme",
    r"\.png|cid:": "image-png",
    r"display:none": "css-display-none",
    r"@media": "css-at-media",
    r"prefers-color-scheme": "css-at-media-prefers-color-scheme",
    r"!important": "css-important",
    r"system-ui": "css-sytem-ui",
    r"\d+px": "css-unit-px",
    r"^[^{<]*\.\w+[^{]*\{": "css-selector-class",
    r"^\[": "css-selector-attribute",
    r"^[^{<]*\S \.?\w+\{": "css-selector-descendant",
    r"^[^{<]*,[^{]*\{": "css-selector-grouping",
}
SLUGS = {slug for table in (TAGS, ATTRIBUTES, PROPERTIES, PATTERNS) for slug in table.values() if slug}

LIGHT = "The letter is light, or the program darkens it by its own rules; both can be read."
INLINE = "It only makes the letter dark; all else stands in the tags themselves."
SAME = "What does not work of it is not used here."
WITHOUT = {
    "html-dir": "It is on the letter's own element too; Outlook mistakes it on links only, which have none.",
    "html-doctype": "Outlook on Windows has one way to show a letter, and that is used.",
    "html-meta-color-scheme": LIGHT,
    "html-style": LIGHT,
    "html-body": "A div inside of it has all that it has.",
    "html-role": "Windows Mail, which is no more, read tables out as tables.",
    "html-aria-label": "The heading says the same.",
    "html-aria-hidden": "The first sentence is read twice.",
    "html-align": "The letter is as wide as the window, and not in its middle.",
    "html-width": SAME,
    "html-height": SAME,
    "html-lists": SAME,
    "css-margin": SAME,
    "css-padding": "Cells have it; the button's is Outlook's own mso-padding-alt.",
    "css-font-size": SAME,
    "css-font-weight": SAME,
    "css-line-height": "Lines stand closer or further apart.",
    "css-max-width": "It is on tables; the imprint is as wide as the window.",
    "css-border-radius": "Corners are square.",
    "css-word-break": "A long word is broken elsewhere, or the letter is wider.",
    "css-display": SAME,
    "css-display-none": "The first line of the letter says once more what it is about.",
    "css-max-height": "It is hidden by mso-hide there.",
    "css-overflow": "It is hidden by display, or by mso-hide.",
    "css-text-decoration": SAME,
    "css-text-align": SAME,
    "css-border": SAME,
    "css-color-scheme": LIGHT,
    "css-at-media": LIGHT,
    "css-at-media-prefers-color-scheme": LIGHT,
    "css-important": INLINE,
    "css-selector-class": INLINE,
    "css-selector-attribute": INLINE,
    "css-selector-descendant": INLINE,
    "css-selector-grouping": INLINE,
    "css-sytem-ui": "The next fonts of the list are on every system.",
}


class Used(HTMLParser):
    """The names of all tags, attributes and properties of a letter."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.properties: set[str] = set(re.findall(r"[{;]([a-z-]+):", re.sub(r"@media[^{]*", "", html)))
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "style":
                self.properties |= set(re.findall(r"(?:^|;)([a-z-]+):", value or ""))


def every_letter() -> list[str]:
    shop = Seller(name="Garden Press", imprint=("1 High Street",), logo=Logo(b"", 96, 48))
    return [one.html for language in LANGUAGES for one in letters.every(language, shop).values()]


@pytest.fixture(scope="module")
def used() -> set[str]:
    """What the letters use, as caniemail.com calls it. Fails for what it does not know."""
    found: set[str | None] = set()
    for html in every_letter():
        names = Used(html)
        unknown = (names.tags - set(TAGS), names.attributes - set(ATTRIBUTES), names.properties - set(PROPERTIES))
        assert unknown == (set(), set(), set())
        found |= {TAGS[one] for one in names.tags} | {ATTRIBUTES[one] for one in names.attributes}
        found |= {PROPERTIES[one] for one in names.properties}
        found |= {slug for pattern, slug in PATTERNS.items() if re.search(pattern, html, re.MULTILINE)}
    return {one for one in found if one is not None}


def test_what_a_letter_uses_works_everywhere_or_it_is_said_what_comes_without_it(used: set[str]) -> None:
    features = json.loads(DATA.read_text(encoding="utf-8"))["features"]
    assert used <= set(features)
    lacking = {one for one in used if set(features[one].values()) - {"y"}}
    assert lacking == set(WITHOUT) & used
    assert set(WITHOUT) <= set(SLUGS)


def test_what_is_known_of_is_what_is_used(used: set[str]) -> None:
    """Neither the data nor the sentences above outlive the feature that they are about."""
    assert set(json.loads(DATA.read_text(encoding="utf-8"))["features"]) == used
    assert set(WITHOUT) <= used
