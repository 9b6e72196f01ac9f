"""
What buyers read, in their language: sentences (gettext), dates, money and sizes (CLDR's data, through Babel). Pure.

Sentences stand in the code in English and are keys of the catalogues. A moment is said in UTC, and with its name:
Stripe knows no buyer's time zone, and a country may have several.
"""

import gettext
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path

from babel.core import Locale
from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision
from babel.units import format_unit
from markupsafe import Markup, escape

from paidshare.storefront.languages import SOURCE, direction

_CATALOGS = Path(__file__).with_name("catalogs")
_DOMAIN = "letters"

# CLDR's plain English is the United States': “November 29, 2026” and 12 hours.
_CLDR = {SOURCE: "en_GB"}

# docs.stripe.com/currencies: what has no smaller unit, and what has thousandths. ISK and UGX come in hundredths still.
_WHOLE = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
_THOUSANDTHS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))

_UNITS = ("byte", "kilobyte", "megabyte", "gigabyte", "terabyte")

# First strong isolate and its end (unicode.org/reports/tr9): what stands between them is read in its own direction,
# and turns nothing else round.
_ISOLATE = "\u2068{}\u2069"


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything said in one *language* (of `languages.LANGUAGES`)."""

    language: str
    _translations: gettext.NullTranslations
    _locale: Locale

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return direction(self.language)

    def text(self, message: str, **names: object) -> str:
        """The sentence for *message*, its `%(name)s` filled in."""
        return self._translations.gettext(message) % names

    def texts(self, one: str, many: str, n: int, **names: object) -> str:
        """The sentence for *n* things, by the language's own plurals (Arabic has six); `%(n)d` is *n*."""
        return self._translations.ngettext(one, many, n) % (names | {"n": n})

    def html(self, message: str, **names: object) -> Markup:
        """Like `text`, for HTML: what is filled in is escaped, unless it is markup already."""
        return escape(self._translations.gettext(message)) % names

    def htmls(self, one: str, many: str, n: int, **names: object) -> Markup:
        """Like `texts`, for HTML."""
        return escape(self._translations.ngettext(one, many, n)) % (names | {"n": n})

    def moment(self, moment: datetime) -> str:
        """To the minute, in UTC, and saying so."""
        time = moment.astimezone(UTC).strftime("%H:%M")
        return self.text("%(date)s, %(time)s UTC", date=self.day(moment), time=time)

    def day(self, moment: datetime) -> str:
        """The day that it is in UTC."""
        return _day(moment.astimezone(UTC).date(), self._locale)

    def money(self, amount: int, currency: str) -> str:
        """*amount* in the smallest unit as Stripe counts it, in the *currency* of that ISO code in any case."""
        code = currency.upper()
        exact = Decimal(amount).scaleb(-digits(code))
        # The króna has no smaller unit, and Stripe counts it in hundredths: an amount with some is shown with them.
        usual = exact == round(exact, get_currency_precision(code))
        pattern = None if usual else "¤¤ #,##0.000"
        return format_currency(exact, code, pattern, locale=self._locale, currency_digits=usual)

    def size(self, size: int | None) -> str:
        """*size* in bytes, in the decimal units of a file manager; empty for None."""
        return "" if size is None else _size(size, self._locale)

    def listed(self, names: Iterable[str]) -> str:
        """*names* in a row."""
        return self.text(", ").join(names)

    def apart(self, name: str) -> str:
        """*name* so that, written the other way, it turns nothing round it; as it is where it need not be."""
        return _ISOLATE.format(name) if self.direction == "rtl" or _turns(name) else name


@cache
def wording(language: str) -> Wording:
    """The wording of one of `languages.LANGUAGES`; made once."""
    name = language.replace("-", "_")
    found = gettext.translation(_DOMAIN, _CATALOGS, [name], fallback=language == SOURCE)
    return Wording(language, found, Locale.parse(_CLDR.get(language, name)))


# What CLDR's data make of one is the same for a day's letters, and for all letters of a product.


@lru_cache(maxsize=64)
def _day(day: date, locale: Locale) -> str:
    return format_date(day, "long", locale=locale)


@lru_cache(maxsize=512)
def _size(size: int, locale: Locale) -> str:
    if size < 1000:
        return format_unit(size, "digital-byte", "long", locale=locale)
    amount, units = Decimal(size), iter(_UNITS)
    unit = next(units)
    # 999.5 would be shown as 1000.
    while amount >= Decimal("999.5") and (larger := next(units, None)):
        amount, unit = amount / 1000, larger
    pattern = "#,##0.#" if amount < Decimal("9.95") else "#,##0"
    return format_unit(amount, f"digital-{unit}", "short", pattern, locale=locale)


def digits(currency: str) -> int:
    """How many decimal places of *currency* (upper case) Stripe's smallest unit stands for."""
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2


def _turns(name: str) -> bool:
    return any(unicodedata.bidirectional(character) in ("R", "AL") for character in name)
