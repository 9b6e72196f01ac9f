"""The order's page in the buyer's language, as the letters are."""

import re
from dataclasses import replace

import pytest

from paidshare.errors import StripeUnavailable
from paidshare.orders import Sale
from paidshare.page import rendering
from paidshare.page.showing import Shows
from paidshare.storefront.languages import LANGUAGES, SOURCE, direction
from paidshare.storefront.wording import wording
from scripts import catalogs
from tests.unit.test_page import COOKIE, PAGES, Front, Many, sold
from tests.world import ORDER_ID

ENGLISH = [one.id for one in catalogs.sentences() if isinstance(one.id, str) and one.id and "%" not in one.id]
OTHERS = [one for one in LANGUAGES if one != SOURCE]


def reading(front: Front, *locales: str) -> Front:
    """The buyer of *front*'s order reads these."""
    payments = front.world.payments
    payments.put(replace(payments.order(ORDER_ID), sale=Sale(locales=locales)))
    return front


def language_of(body: str) -> str:
    [tag] = re.findall(r'<html lang="(.*?)" dir="(?:ltr|rtl)"', body)
    return str(tag)


class TestWhichLanguage:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_it_is_the_one_that_checkout_was_in(self, language: str) -> None:
        body = reading(sold(), language).ask(languages=("ja", "de")).page.body
        assert f'<html lang="{language}" dir="{direction(language)}"' in body

    def test_where_stripe_does_not_say_it_is_the_browser_s_and_then_the_shop_s(self) -> None:
        front = sold()
        front.ports = replace(front.ports, language="fr")
        assert language_of(front.ask(languages=("xx", "de-AT")).page.body) == "de"
        assert language_of(front.ask().page.body) == "fr"
        front.world.payments.failures.append(StripeUnavailable("down"))
        assert language_of(front.ask(languages=("es",)).page.body) == "es"

    def test_what_opens_nothing_and_what_is_out_of_reach_are_in_the_browser_s(self) -> None:
        front = sold()
        assert front.ask(token="x" * 40, languages=("ar",)).page == rendering.unknown("ar")
        assert front.ask(form="x" * 40, languages=("ar",)).page == rendering.unknown("ar")
        front.down = True
        assert front.ask(languages=("ja",)).page == rendering.out_of_reach("ja")


class TestEachLanguage:
    @pytest.mark.parametrize("language", OTHERS)
    @pytest.mark.parametrize("shows", Shows)
    def test_nothing_is_left_in_english(self, shows: Shows, language: str) -> None:
        body = reading(PAGES[shows](), language).ask(token=None, cookie=COOKIE).page.body
        known = [one for one in ENGLISH if wording(language).text(one) != one]
        assert [one for one in known if re.search(rf">(?:[^<]* )?{re.escape(one)}[ <]", body)] == []

    @pytest.mark.parametrize("language", OTHERS)
    def test_a_thousand_files_are_no_large_page_in_it(self, language: str) -> None:
        front = reading(sold(), language)
        front.ports = replace(front.ports, share_files=Many())
        assert len(front.ask(token=None, cookie=COOKIE).page.body.encode()) <= 20_000

    def test_arabic_s_names_and_addresses_turn_nothing_round(self) -> None:
        body = reading(sold(), "ar").ask(token=None, cookie=COOKIE).page.body
        assert "<bdi>a…@example.com</bdi>" in body
        assert 'type="email" dir="ltr"' in body
