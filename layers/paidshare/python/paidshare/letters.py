"""
What was bought and where it lies → a letter: subject, text, HTML. Pure.

A letter holds no remote content (no picture, no font, no tracking pixel): it reads the same in every program,
and nobody learns when it was opened.
"""

import unicodedata
from datetime import datetime
from functools import cache

import jinja2

from paidshare.orders import Goods, Letter, Share

# Beyond this, mail programs cut the subject anyway, and one product's name could fill it.
_LONGEST_SUBJECT = 120
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def delivery(*, to: str, order_id: str, goods: tuple[Goods, ...], share: Share) -> Letter:
    """The letter with the link. *share* is live and complete."""
    products = list(dict.fromkeys(_one_line(g.product_name) for g in goods))
    words = {
        "products": products,
        "files": [(_one_line(f.name), _size(f.size)) for f in share.files],
        "link": share.link,
        "until": _date(share.expires_at),
        "reference": order_id[-8:],
    }
    return Letter(
        to=to,
        subject=_cut("Your download: " + ", ".join(products)),
        text=_render("delivery.txt.j2", words),
        html=_render("delivery.html.j2", words),
    )


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("paidshare", "templates"),
        # A product's or file's name is the seller's text, not HTML.
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _render(template: str, words: dict[str, object]) -> str:
    return _environment().get_template(template).render(words)


def _one_line(text: str) -> str:
    """Without control characters and line breaks: a name must not be able to add a header or a line."""
    plain = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return " ".join(plain.split())


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SUBJECT else text[: _LONGEST_SUBJECT - 1].rstrip(" ,") + "…"


def _date(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _size(size: int | None) -> str:
    """Decimal units, as the buyer's file manager most likely shows them."""
    if size is None:
        return ""
    if size < 1000:
        return f"{size} bytes"
    amount, units = float(size), iter(_UNITS)
    unit = next(units)
    # 999.5 would be shown as 1000.
    while amount >= 999.5 and (larger := next(units, None)):
        amount, unit = amount / 1000, larger
    return f"{amount:.{1 if amount < 9.95 else 0}f} {unit}"
