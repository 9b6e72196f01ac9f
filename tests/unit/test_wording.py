import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.storefront.languages import LANGUAGES, best, direction
from paidshare.storefront.wording import digits, wording
from scripts import catalogs

ENGLISH = wording("en")
MOMENT = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


class TestBest:
    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (["de"], "de"),
            (["DE-at"], "de"),
            (["pt"], "pt-BR"),
            (["pt_PT"], "pt-BR"),
            (["es-419"], "es"),
            (["zh-Hant-TW", "ja"], "ja"),
            (["auto", "fr"], "fr"),
            (["en-GB", "de"], "en"),
            (["", " ", "-", "_"], "en"),
            ([], "en"),
        ],
    )
    def test_the_first_that_any_of_ours_fits_counts(self, wanted: list[str], found: str) -> None:
        assert best(wanted) == found

    @given(st.lists(st.text()))
    def test_there_is_always_one(self, wanted: list[str]) -> None:
        assert best(wanted) in LANGUAGES


def test_arabic_is_read_from_the_right() -> None:
    assert [one for one in LANGUAGES if direction(one) == "rtl"] == ["ar"]


class TestMoment:
    @pytest.mark.parametrize(
        ("language", "said"),
        [
            ("en", "29 November 2026, 12:00 UTC"),
            ("de", "29. November 2026, 12:00 UTC"),
            ("fr", "29 novembre 2026, 12:00 UTC"),
            ("es", "29 de noviembre de 2026, 12:00 UTC"),
            ("pt-BR", "29 de novembro de 2026, 12:00 UTC"),
            ("ja", "2026年11月29日 12:00（UTC）"),
            ("ar", "29 نوفمبر 2026، 12:00 UTC"),
        ],
    )
    def test_it_is_said_as_the_language_says_it_with_its_zone(self, language: str, said: str) -> None:
        assert wording(language).moment(MOMENT) == said

    @given(st.integers(-23, 23), st.sampled_from(LANGUAGES))
    def test_wherever_it_is_seen_from_it_is_said_in_utc(self, hours: int, language: str) -> None:
        elsewhere = MOMENT.astimezone(timezone(timedelta(hours=hours)))
        assert wording(language).moment(elsewhere) == wording(language).moment(MOMENT)


class TestMoney:
    @pytest.mark.parametrize(
        ("language", "amount", "currency", "said"),
        [
            ("en", 123_450, "eur", "€1,234.50"),
            ("de", 123_450, "eur", "1.234,50\xa0€"),
            ("pt-BR", 123_450, "brl", "R$\xa01.234,50"),
            # What has no smaller unit is counted in its unit, and what has thousandths in thousandths.
            ("ja", 1_234, "jpy", "￥1,234"),
            ("en", 500, "krw", "₩500"),
            ("en", 1_234, "kwd", "KWD1.234"),
            # Stripe counts the króna in hundredths, which it has not.
            ("en", 150_000, "isk", "ISK1,500"),
            ("en", 0, "usd", "US$0.00"),
            ("en", 100, "xyz", "XYZ1.00"),
        ],
    )
    def test_it_is_said_as_the_language_says_it(self, language: str, amount: int, currency: str, said: str) -> None:
        assert wording(language).money(amount, currency) == said

    @given(
        st.integers(0, 10**15),
        st.sampled_from(["jpy", "krw", "ugx", "isk", "kwd", "bhd", "usd", "eur", "huf", "twd", "clp", "xyz"]),
        st.sampled_from(LANGUAGES),
    )
    def test_no_amount_is_misstated(self, amount: int, currency: str, language: str) -> None:
        # Some currencies are written with a full stop.
        said = re.sub(r"^\D+|\D+$", "", wording(language).money(amount, currency))
        comma = wording(language)._locale.number_symbols["latn"]["decimal"]
        whole, _, part = said.rpartition(comma) if comma in said else (said, "", "")
        number = "".join(c for c in whole if c.isdecimal()) + "." + "".join(c for c in part if c.isdecimal())
        groups = wording(language)._locale.number_symbols["latn"]["group"]
        # Without a decimal part, the last separator was one of thousands.
        assert Decimal(number) == Decimal(amount).scaleb(-digits(currency.upper())) or comma == groups


class TestSize:
    @pytest.mark.parametrize(
        ("size", "shown"),
        [
            # Fast.io does not say.
            (None, ""),
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1 kB"),
            (1550, "1.6 kB"),
            (48_000_000, "48 MB"),
            (1_500_000_000, "1.5 GB"),
            (2_000_000_000_000, "2 TB"),
            # Nobody sells it, nothing breaks.
            (10**15, "1,000 TB"),
            # What is rounded up moves on to the next unit.
            (9_999, "10 kB"),
            (999_500, "1 MB"),
            (999_999, "1 MB"),
            (999_999_999, "1 GB"),
        ],
    )
    def test_it_reads_as_in_a_file_manager(self, size: int | None, shown: str) -> None:
        assert ENGLISH.size(size) == shown

    def test_each_language_has_its_units(self) -> None:
        assert wording("fr").size(48_000_000) == "48\u202fMo"


class TestPlurals:
    @pytest.mark.parametrize(
        ("language", "n", "said"),
        [
            ("en", 1, "It holds one file:"),
            ("en", 2, "It holds 2 files:"),
            ("ar", 2, "يحتوي على ملفين:"),
            ("ar", 3, "يحتوي على 3 ملفات:"),
            ("ar", 11, "يحتوي على 11 ملفًا:"),
            ("ar", 100, "يحتوي على 100 ملف:"),
            ("ja", 1, "1 個のファイルが含まれています："),
        ],
    )
    def test_a_language_counts_as_it_does(self, language: str, n: int, said: str) -> None:
        assert wording(language).texts("It holds one file:", "It holds %(n)d files:", n) == said


class TestHtml:
    @given(st.text(), st.sampled_from(LANGUAGES))
    def test_what_is_filled_in_is_text_and_never_markup(self, name: str, language: str) -> None:
        said = wording(language).html("Thank you for your purchase of %(products)s.", products=f"<b>{name}")
        assert "<" not in said
        assert "&lt;b&gt;" in said


class TestCatalogs:
    def test_every_language_says_every_sentence_and_nothing_else(self) -> None:
        assert list(catalogs.troubles()) == []

    def test_every_sentence_fills_in_what_the_english_one_does(self) -> None:
        for language in LANGUAGES[1:]:
            for message in catalogs.read(language):
                assert list(message.check()) == []
