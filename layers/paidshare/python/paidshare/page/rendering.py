"""
What a page shows → HTML, with the headers that go with it. Pure.

It loads nothing from anywhere, works without JavaScript, and is cached by nobody. Script and style are in the page, and
allowed by their hashes (CSP, w3.org/TR/CSP3).
"""

import base64
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from importlib.resources import files as resources

import jinja2
import segno

from paidshare.page.correcting import Problem, Says
from paidshare.page.ports import Opened, PageFile
from paidshare.page.showing import Showing, Shows
from paidshare.storefront import addresses
from paidshare.storefront.languages import SOURCE
from paidshare.storefront.reasons import BECAUSE, OF_SOMETHING
from paidshare.storefront.wording import Wording, wording
from paidshare.text import one_line

_MOST_FILES = 40
"""So many are listed by name: a page of more would be larger than 20 kB."""

_COMES_BACK_S = 3

_TITLES = {
    Shows.PREPARING: "Your files are being prepared",
    Shows.READY: "Your files are ready",
    Shows.BANK: "Your bank is still at work",
    Shows.FAILED: "Your payment did not go through",
    Shows.ON_HOLD: "Your access is on hold",
    Shows.ENDED: "Your access has ended",
    Shows.RAN_OUT: "Your link has run out",
    Shows.PERSON: "A person is looking after your order",
}
_BECAUSE = BECAUSE | {
    "expired": "The time that was paid for is over.",
    "ended_by_seller": "We have closed this order.",
}
_LETTERS = {
    # Of several the worst is told.
    "complained": "Our letter to %(address)s was taken for spam by its reader: look into the spam folder (%(at)s).",
    "bounced": "Our letter to %(address)s could not be delivered (%(at)s).",
    "rejected": "Our letter to %(address)s could not be sent (%(at)s).",
    "delivered": "Our letter to %(address)s was delivered (%(at)s).",
    "delayed": "Our letter to %(address)s is delayed by your mail provider (%(at)s).",
    "sent": "Our letter to %(address)s is on its way (%(at)s).",
}
_PROBLEMS = {
    Problem.NO_ADDRESS: "That is no e-mail address that a letter could go to. Please look at it once more.",
    Problem.SAME: "That is the address that we have.",
}
_UNKNOWN = (
    "There is no such page",
    "The address is not complete, or not valid any more. The link in your letter leads to your order's page.",
)
_OUT_OF_REACH = (
    "Please try again in a minute",
    "Your order is safe. The page cannot be shown at this moment.",
)

SENTENCES = (
    *(*_TITLES.values(), *_BECAUSE.values(), *_LETTERS.values(), *_PROBLEMS.values(), *_UNKNOWN, *_OUT_OF_REACH),
)
"""What is looked up in the catalogues and stands in no call (`scripts/catalogs.py`)."""


@dataclass(frozen=True, slots=True)
class Page:
    """A body, and its headers."""

    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Content:
    """
    What is known of an order for its page, which is shown in `language` (of `languages.LANGUAGES`). `reference` is what
    the letters call it, `letters` what became of them, and `until` when a share ends, `lasts` whether another may be
    had then. None and empty: nobody says now. `says` is what it says of correcting `email`, with the `problem` of what
    was `typed` for it; `twice_of` is what the letters call an order of the same just before.
    """

    seen: Showing
    reference: str
    products: tuple[str, ...] = ()
    email: str | None = None
    letters: Mapping[str, datetime] = field(default_factory=dict)
    opened: Opened | None = None
    files: tuple[PageFile, ...] = ()
    until: datetime | None = None
    lasts: bool = False
    stamp: str = ""
    language: str = SOURCE
    twice_of: str | None = None
    says: Says | None = None
    problem: Problem | None = None
    typed: str = field(default="", repr=False)


def page(content: Content, *, path: str, here: str, form: str, asked: int) -> Page:
    """
    The page. Forms are posted to *path* with the token *form*; *here* is the page's own path, and *asked* how often it
    came back by itself for a share.
    """
    seen, opened, correcting = content.seen, content.opened, content.says is Says.ASKED
    comes_back = f"{here}?asked={asked + 1}{'&for=address' if correcting else ''}" if asked else here
    # What a form was answered with is not looked at again by itself: it would be posted again.
    moves = (seen.shows.moves or correcting) and content.problem is None
    say = wording(content.language)
    words = {
        "title": say.text(_TITLES[seen.shows]),
        "shows": str(seen.shows),
        "reference": content.reference,
        "products": say.listed(map(say.apart, content.products)),
        "because": say.text(_BECAUSE.get(seen.why or "", OF_SOMETHING)),
        "since": say.moment(seen.since) if seen.since else None,
        "link": opened.link if opened else None,
        "lasts": content.lasts,
        "until": say.moment(until) if (until := (opened and opened.ends_at) or content.until) else None,
        "files": [(one_line(one.name), say.size(one.size), one.sha256) for one in content.files[:_MOST_FILES]],
        "more": max(0, len(content.files) - _MOST_FILES),
        "letter": _letter(content, say),
        "qr": _qr(opened.link) if opened else None,
        "action": path,
        "form": form,
        "email": addresses.masked(content.email) if content.email else None,
        "twice_of": content.twice_of if seen.shows not in (Shows.FAILED, Shows.ENDED) else None,
        "says": content.says,
        "problem": say.text(_PROBLEMS[content.problem]) if content.problem else None,
        "typed": one_line(content.typed),
        "longest": addresses.LONGEST_CORRECTED,
        "stamp": content.stamp if moves else None,
        "comes_back": f"{_COMES_BACK_S};url={comes_back}" if moves else None,
    }
    return _rendered("page", say, words)


def unknown(language: str = SOURCE) -> Page:
    """The one answer to whatever opens nothing."""
    return _said(_UNKNOWN, language)


def out_of_reach(language: str = SOURCE) -> Page:
    """Something that the page cannot be without is out of reach."""
    return _said(_OUT_OF_REACH, language)


def _said(title_and_text: tuple[str, str], language: str) -> Page:
    say = wording(language)
    title, text = map(say.text, title_and_text)
    return _rendered("plain", say, {"title": title, "text": text})


def elsewhere() -> Page:
    return Page("", _headers())


def plain(text: str) -> Page:
    return Page(text, _headers() | {"content-type": "text/plain; charset=utf-8"})


def _letter(content: Content, say: Wording) -> str | None:
    """Where the last letter went, what became of it, and when."""
    for fact, said in _LETTERS.items():
        if (at := content.letters.get(fact)) is not None:
            address = say.apart(addresses.masked(content.email)) if content.email else say.text("your address")
            return say.text(said, address=address, at=say.moment(at))
    return None


@lru_cache(maxsize=256)  # A page is looked at again and again.
def _qr(text: str) -> str:
    """The QR code as an SVG of one path: its colours are the style's."""
    out = io.BytesIO()
    # A link's name is random, so that any mask spreads it as evenly: the best of all eight takes four times as long.
    code = segno.make(text, error="m", micro=False, mask=0)
    code.save(out, kind="svg", xmldecl=False, svgns=False, svgclass="qr", lineclass=None, omitsize=True, border=2)
    return out.getvalue().decode()


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("paidshare.page", "templates"),
        # A product's or file's name is the seller's text, not HTML.
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _text(name: str) -> str:
    return (resources("paidshare.page") / "templates" / name).read_text().strip()


@cache
def _policy() -> str:
    style, script = (f"'sha256-{_hash(_text(name))}'" for name in ("page.css", "page.js"))
    return (
        f"default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _headers() -> dict[str, str]:
    return {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": _policy(),
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex, nofollow",
        "cross-origin-opener-policy": "same-origin",
        "strict-transport-security": "max-age=31536000",
    }


def _rendered(template: str, say: Wording, words: Mapping[str, object]) -> Page:
    # Written into the page as they are: their hashes are of exactly this.
    parts = {"css": _text("page.css"), "js": _text("page.js"), "say": say, "_": say.html, "n_": say.htmls}
    return Page(_environment().get_template(f"{template}.html.j2").render({**words, **parts}), _headers())
