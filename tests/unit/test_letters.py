import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paidshare.delivering.letters import desk
from paidshare.delivering.letters.desk import LARGEST_HTML, Desk
from paidshare.delivering.letters.purchase import Purchase
from paidshare.orders import Goods, Letter, Sale, Share, ShareFile
from paidshare.states import Kind, Why
from paidshare.storefront.languages import LANGUAGES, direction
from paidshare.storefront.reasons import BECAUSE
from paidshare.storefront.seller import PLAIN, Logo, Seller
from paidshare.text import one_line
from tests.builders import BUYER, LINK, a_share, some_goods

UNTIL = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
CHANGES = [kind for kind in Kind if kind is not Kind.DELIVERY]
ON_HOLD = ["disputed", "fraud_warning", "subscription_paused", "subscription_unpaid", "held_by_seller"]
ENDED = [
    "refunded",
    "partly_refunded",
    "credited",
    "payment_failed",
    "dispute_lost",
    "subscription_canceled",
    "ended_by_seller",
]
CHANGED = ["subscription_changed"]
ATTACK = '<script>alert("x")</script>'


ORDER_ID = "cs_test_a1b2c3d4e5f6"
PAGE = "https://page.example/order/token"
ISOLATES = str.maketrans("", "", "\u2068\u2069")
SALE = Sale(UNTIL - timedelta(days=7), "eur", "https://pay.stripe.com/receipts/payment/ch_1")
SHOP = Seller(
    name="Garden Press",
    reply_to="help@example.com",
    imprint=("Garden Press Ltd", "1 High Street"),
    logo=Logo(b"", 96, 48),
)


def a_desk(
    *products: str, order_id: str = ORDER_ID, sale: Sale | None = None, total: int | None = None, seller: Seller = PLAIN
) -> Desk:
    purchase = Purchase(BUYER, order_id, products or ("Field Recordings", "Score"), sale or Sale(), total)
    return Desk(purchase, seller)


def a_letter(*goods: Goods, share: Share | None = None, order_id: str = ORDER_ID) -> Letter:
    names = [g.product_name for g in goods or (some_goods(),)]
    return a_desk(*names, order_id=order_id).delivery(share or a_share())


def with_files(*files: ShareFile) -> Letter:
    return a_letter(share=a_share(files=files))


def changes(*products: str, order_id: str = "in_1a1b2c3d4e5f6", why: str = "refunded") -> dict[Kind, Letter]:
    """Each of the letters about a change, of the same order."""
    return changes_from(a_desk(*products, order_id=order_id), why=why)


def changes_from(at: Desk, *, why: str = "refunded") -> dict[Kind, Letter]:
    return {
        Kind.PAYMENT_FAILED: at.payment_failed(),
        Kind.ACCESS_ON_HOLD: at.access_on_hold(why),
        Kind.ACCESS_ENDED: at.access_ended(why),
        Kind.ACCESS_BACK: at.access_back(UNTIL),
        Kind.ACCESS_CHANGED: at.access_changed(UNTIL),
        Kind.DELAYED: at.delayed(by_a_person=False),
    }


def every_letter(at: Desk) -> dict[Kind, Letter]:
    return {Kind.DELIVERY: at.delivery(a_share())} | changes_from(at)


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text)


class Tags(HTMLParser):
    """
    Every tag and attribute of a page, and its `text` as it is read: without what is for programs, and without the
    `preheader`. `programs` is what stands in scripts, `style` in style sheets.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = self.preheader = self.programs = self.style = ""
        self._within: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        hidden = tag == "div" and ("aria-hidden", "true") in attrs
        if tag in ("script", "style", "title") or hidden:
            self._within.append("preheader" if hidden else tag)

    def handle_endtag(self, tag: str) -> None:
        if self._within and (tag == self._within[-1] or (tag == "div" and self._within[-1] == "preheader")):
            self._within.pop()

    def handle_data(self, data: str) -> None:
        match self._within[-1:]:
            case ["script"]:
                self.programs += data
            case ["style"]:
                self.style += data
            case ["preheader"]:
                self.preheader += data
            case []:
                self.text += data

    @property
    def markup(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.programs)
        return found

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


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
        assert one_line(subject) == subject.translate(ISOLATES).rstrip()

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
        assert page.tags.count("script") == 1
        assert page.text.count(ATTACK) == 2
        assert page.markup["acceptedOffer"][0]["itemOffered"]["name"] == ATTACK

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
        assert not re.search(r"url\(|@import|<img|<link|<iframe|<object|<embed|background=", html)
        page = Tags(html)
        assert not {name for name, _ in page.attributes} & {"src", "srcset", "poster", "data", "action"}

    def test_nothing_in_it_is_a_program(self) -> None:
        page = Tags(a_letter().html)
        assert page.all("type") == ["application/ld+json"]
        assert not [name for name, _ in page.attributes if name.startswith("on")]

    def test_the_only_address_to_click_is_the_link(self) -> None:
        page = Tags(a_letter().html)
        assert page.all("href") == [LINK]
        shown = set(re.findall(r"https?://[^\s\"<]+", a_letter().html))
        assert {address for address in shown if not address.startswith("https://schema.org")} == {LINK}
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

    @pytest.mark.parametrize("part", ["text", "html"])
    def test_the_page_s_link_stands_beside_the_share_s(self, part: str) -> None:
        letter = a_desk().delivery(a_share(), page=PAGE)
        said = letter.text if part == "text" else Tags(letter.html).text
        assert "The link works until 29 November 2026, 12:00 UTC." in said
        assert "has your files, too, and makes the link anew" in said
        assert PAGE in (letter.text if part == "text" else Tags(letter.html).all("href"))

    @pytest.mark.parametrize("part", ["text", "html"])
    def test_where_the_page_is_the_link_nothing_is_said_of_its_end(self, part: str) -> None:
        letter = a_desk().delivery(a_share(link=PAGE), page=PAGE)
        said = letter.text if part == "text" else Tags(letter.html).text
        assert "works until" not in said
        assert "has your files, too" not in said
        assert "The link needs no password" in said
        assert letter.text.count(PAGE) == 1


class TestChanges:
    @pytest.mark.parametrize("kind", CHANGES)
    def test_it_goes_to_the_buyer(self, kind: Kind) -> None:
        assert changes()[kind].to == BUYER

    @pytest.mark.parametrize("kind", CHANGES)
    def test_text_and_html_say_the_same(self, kind: Kind) -> None:
        letter = changes()[kind]
        assert words_of(Tags(letter.html).text) == words_of(letter.text)

    @pytest.mark.parametrize("kind", CHANGES)
    def test_it_says_what_happened_to_what_and_how_to_ask(self, kind: Kind) -> None:
        text = changes()[kind].text
        assert text.startswith(f"{kind.headline}: Field Recordings, Score\n")
        assert text.endswith("\n\nSomething wrong? Answer this letter and name your order: c3d4e5f6")

    @pytest.mark.parametrize("kind", CHANGES)
    def test_the_subject_says_what_happened_and_names_the_products(self, kind: Kind) -> None:
        assert changes()[kind].subject == f"{kind.headline}: Field Recordings, Score"

    @pytest.mark.parametrize("kind", CHANGES)
    def test_a_product_bought_in_two_lines_is_named_once(self, kind: Kind) -> None:
        letter, once = changes("Score", "Field Recordings", "Score")[kind], changes("Score", "Field Recordings")[kind]
        assert letter == once

    @pytest.mark.parametrize("kind", CHANGES)
    def test_it_holds_no_link_and_nothing_is_fetched_from_elsewhere(self, kind: Kind) -> None:
        letter = changes()[kind]
        page = Tags(letter.html)
        assert not re.search(r"https?:|www\.|fast\.io", letter.text + letter.html.replace(page.programs or "-", ""))
        assert not re.search(r"https?:(?!//schema\.org)|fast\.io", page.programs)
        assert not {name for name, _ in page.attributes} & {"href", "src", "srcset", "background", "action"}
        assert not set(page.tags) & {"a", "img", "link", "iframe", "form"}
        assert "url(" not in letter.html

    @pytest.mark.parametrize("kind", CHANGES)
    @given(names=st.lists(st.text(max_size=200), min_size=1, max_size=3))
    def test_no_name_can_add_a_line_or_a_tag(self, kind: Kind, names: list[str]) -> None:
        letter, usual = changes(*names)[kind], changes()[kind]
        assert len(letter.subject) <= 120
        assert one_line(letter.subject) == letter.subject.translate(ISOLATES).rstrip()
        assert letter.subject.startswith(kind.headline)
        assert len(letter.text.splitlines()) == len(usual.text.splitlines())
        assert Tags(letter.html).tags == Tags(usual.html).tags
        assert Tags(letter.html).attributes == Tags(usual.html).attributes

    @pytest.mark.parametrize("kind", CHANGES)
    @pytest.mark.parametrize("name", [ATTACK, "{{ reference }}", "{reference}", "%s", 'Tom & Jerry\'s "<best>"'])
    def test_a_name_is_shown_as_it_is(self, kind: Kind, name: str) -> None:
        letter = changes(name)[kind]
        assert name in letter.subject
        assert name in letter.text
        assert name in Tags(letter.html).text

    @pytest.mark.parametrize("kind", [Kind.ACCESS_BACK, Kind.ACCESS_CHANGED])
    def test_an_open_link_is_dated(self, kind: Kind) -> None:
        assert "It works until 29 November 2026, 12:00 UTC." in changes()[kind].text

    @pytest.mark.parametrize(
        ("why", "said"),
        [
            ("disputed", "was disputed with the bank or card company"),
            ("fraud_warning", "The card issuer asked for the payment for this order to be checked"),
            ("subscription_paused", "is paused"),
            # An invoice of the subscription is open: its own order may well be paid.
            ("subscription_unpaid", "A payment for the subscription that this order belongs to has not come through"),
            ("refunded", "The payment for this order was refunded"),
            ("partly_refunded", "Part of the payment was refunded"),
            ("dispute_lost", "was reversed after a dispute"),
            # However it came about: the buyer, the seller, or its last period.
            ("subscription_canceled", "has ended"),
        ],
    )
    def test_the_reason_is_said_in_plain_words(self, why: str, said: str) -> None:
        kind = Kind.ACCESS_ON_HOLD if why in ON_HOLD else Kind.ACCESS_ENDED
        assert said in changes(why=why)[kind].text.split("earlier letter", 1)[1]

    @pytest.mark.parametrize("kind", [Kind.ACCESS_ON_HOLD, Kind.ACCESS_ENDED])
    def test_every_reason_has_a_sentence_of_its_own(self, kind: Kind) -> None:
        reasons = [*ON_HOLD, *ENDED, "a_word_of_next_year"]
        assert len({changes(why=why)[kind].text for why in reasons}) == len(reasons)

    def test_a_sentence_belongs_to_a_reason_that_there_is(self) -> None:
        assert set(BECAUSE) == {*ON_HOLD, *ENDED, *CHANGED}
        assert set(BECAUSE) <= set(Why)

    @pytest.mark.parametrize("kind", [Kind.ACCESS_ON_HOLD, Kind.ACCESS_ENDED])
    @pytest.mark.parametrize("why", ["", "a_word_of_next_year"])
    def test_a_reason_without_a_sentence_gets_a_neutral_one(self, kind: Kind, why: str) -> None:
        text = changes(why=why)[kind].text
        assert "Something about the payment for this order has changed." in text
        assert not why or why not in text

    @pytest.mark.parametrize("why", [*ON_HOLD, *ENDED])
    def test_nobody_is_accused(self, why: str) -> None:
        accusing = re.compile(r"fraud|stole|illegal|abuse|violat|you (have )?disput|your dispute", re.IGNORECASE)
        assert not [letter.text for letter in changes(why=why).values() if accusing.search(letter.text)]

    def test_what_is_on_hold_is_said_to_open_again_by_itself(self) -> None:
        assert "opens again by itself" in changes()[Kind.ACCESS_ON_HOLD].text
        assert "opens again" not in changes()[Kind.ACCESS_ENDED].text

    def test_a_changed_download_says_what_it_holds_now(self) -> None:
        letter = a_desk("Score", "Parts").access_changed(UNTIL)
        assert "now holds Score, Parts." in letter.text

    def test_a_changed_download_says_why_where_something_is_gone(self) -> None:
        gone = a_desk("A").access_changed(UNTIL, "partly_refunded")
        assert "Part of the payment was refunded" in gone.text

    def test_a_payment_that_failed_left_nothing_behind(self) -> None:
        text = changes()[Kind.PAYMENT_FAILED].text
        assert "not sent you any files" in text
        assert "you were not charged" in text
        assert "link" not in text


class TestKind:
    def test_a_subject_tells_its_kind(self) -> None:
        subjects = {kind: letter.subject for kind, letter in [(Kind.DELIVERY, a_letter()), *changes().items()]}
        assert set(subjects) == set(Kind)
        for kind, subject in subjects.items():
            assert [k for k in Kind if subject.startswith(k.headline)] == [kind]


class TestDelayed:
    def test_it_promises_nothing_but_the_letter_with_the_link(self) -> None:
        text = a_desk().delayed(by_a_person=False).text
        assert "We keep trying. As soon as the files are ready, the link comes in a letter of its own." in text
        assert not re.search(r"minute|hour|soon as possible|sorry", text)

    def test_it_says_so_where_somebody_has_to_look_into_it(self) -> None:
        text = a_desk().delayed(by_a_person=True).text
        assert "Somebody has to look into it, and was told. As soon as" in text
        assert "keep trying" not in text


class TestReceipt:
    def test_the_purchase_is_shown_with_its_day_its_cost_and_its_receipt(self) -> None:
        for letter in every_letter(a_desk(sale=SALE, total=1_900)).values():
            assert "Order c3d4e5f6 · 22 November 2026 · €19.00\nReceipt: " + SALE.receipt_url in letter.text
            assert SALE.receipt_url in Tags(letter.html).all("href")
            assert "Order c3d4e5f6 · 22 November 2026 · €19.00 · Receipt" in Tags(letter.html).text

    def test_what_stripe_does_not_say_is_left_out(self) -> None:
        assert "Order c3d4e5f6" not in a_letter().text
        assert "Receipt" not in a_desk(sale=replace(SALE, receipt_url=""), total=1_900).delivery(a_share()).html

    @pytest.mark.parametrize("currency", ["", "e", "euro", "€", "e\u0301u"])
    def test_a_sum_without_a_currency_is_no_sum(self, currency: str) -> None:
        letter = a_desk(sale=replace(SALE, currency=currency), total=1_900).delivery(a_share())
        assert "19.00" not in letter.text + letter.html

    def test_a_renewal_says_that_it_is_one(self) -> None:
        letter = a_desk(sale=replace(SALE, renewal=True)).delivery(a_share())
        assert letter.subject == "Your download, renewed: Field Recordings, Score"
        assert "Your subscription was renewed." in letter.text
        assert "Your subscription was renewed." in Tags(letter.html).text
        assert "Thank you for your purchase" not in letter.text + letter.html

    def test_programs_are_told_of_the_order_and_what_can_be_done_with_it(self) -> None:
        order = Tags(a_desk(sale=SALE, total=1_900, seller=SHOP).delivery(a_share()).html).markup
        assert (order["@context"], order["@type"]) == ("https://schema.org", "Order")
        assert (order["price"], order["priceCurrency"], order["orderNumber"]) == ("19.00", "EUR", "c3d4e5f6")
        assert order["orderDate"] == "2026-11-22T12:00:00+00:00"
        assert order["merchant"]["name"] == "Garden Press"
        assert order["potentialAction"] == {"@type": "ViewAction", "name": "Open your files", "target": LINK}
        assert [one["itemOffered"]["name"] for one in order["acceptedOffer"]] == ["Field Recordings", "Score"]


class TestSeller:
    @pytest.mark.parametrize("kind", list(Kind))
    def test_every_letter_says_who_sells(self, kind: Kind) -> None:
        letter = every_letter(a_desk(seller=SHOP))[kind]
        assert letter.text.startswith("Garden Press\n\n")
        assert letter.text.endswith("\n\nGarden Press Ltd\n1 High Street")
        assert "1 High Street" in Tags(letter.html).text
        assert Tags(letter.html).all("src") == ["cid:logo"]
        assert Tags(letter.html).all("alt") == ["Garden Press"]

    @given(name=st.text(max_size=60), lines=st.lists(st.text(max_size=120), max_size=8))
    def test_nothing_that_a_seller_is_called_adds_a_tag(self, name: str, lines: list[str]) -> None:
        letter = a_desk(seller=replace(SHOP, name=name, imprint=tuple(lines))).delivery(a_share())
        usual = Tags(a_desk(seller=SHOP).delivery(a_share()).html).tags
        assert set(Tags(letter.html).tags) <= set(usual)

    @pytest.mark.parametrize(("accent", "ink"), [("#1f5fbf", "#ffffff"), ("#ffd400", "#000000")])
    def test_the_button_has_the_seller_s_colour_and_can_be_read(self, accent: str, ink: str) -> None:
        html = a_desk(seller=replace(SHOP, accent=accent)).delivery(a_share()).html
        assert f'bgcolor="{accent}"' in html
        assert f"color:{ink};text-decoration:none" in html


class TestLanguages:
    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("kind", list(Kind))
    def test_a_letter_says_what_language_it_is_in_and_which_way_it_is_read(self, kind: Kind, language: str) -> None:
        letter = every_letter(a_desk(sale=replace(SALE, locales=(language,)), seller=SHOP))[kind]
        page = Tags(letter.html)
        assert page.all("lang") == [language] * 2
        assert page.all("dir")[:2] == [direction(language)] * 2
        assert page.all("role").count("article") == 1
        assert page.tags.count("table") == page.all("role").count("presentation")
        assert all(page.all("alt"))
        assert page.all("aria-label") == [letter.subject.split(": ")[0]]
        assert page.preheader.strip("\u200b\u034f ")
        assert words_of(letter.text)

    @pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
    def test_nothing_of_a_letter_is_left_in_english(self, language: str) -> None:
        desks = [a_desk("X", sale=replace(SALE, locales=(one,))) for one in (language, "en")]
        ours, english = (every_letter(one) for one in desks)
        for kind in Kind:
            # What is the same in both is named, or a number.
            same = set(ours[kind].text.splitlines()) & set(english[kind].text.splitlines())
            assert not [line for line in same if re.search(r"[a-z]{3,} [a-z]{2,}", line)]

    @pytest.mark.parametrize(
        ("locales", "said"),
        [
            (("de-AT",), "Ihr Download: X"),
            (("xx", "fr_CA", "de"), "Votre téléchargement: X"),
            (("auto",), "Su descarga: X"),
            ((), "Su descarga: X"),
        ],
    )
    def test_the_buyer_s_first_language_that_we_know_counts_and_then_the_shop_s(
        self, locales: tuple[str, ...], said: str
    ) -> None:
        at = a_desk("X", sale=Sale(locales=locales), seller=Seller(language="es"))
        assert at.delivery(a_share()).subject == said

    @given(tag=st.text(max_size=40))
    def test_whatever_is_written_down_for_a_language_a_letter_is_written(self, tag: str) -> None:
        assert a_desk(sale=Sale(locales=(tag,))).payment_failed().subject

    def test_a_name_written_the_other_way_turns_nothing_round(self) -> None:
        letter = a_desk("Score (2nd)", sale=Sale(locales=("ar",))).delivery(a_share())
        assert "\u2068Score (2nd)\u2069" in letter.subject
        assert "\u2068Score (2nd)\u2069" in Tags(letter.html).text
        hebrew = a_desk("ספר (א)").delivery(a_share())
        assert "\u2068ספר (א)\u2069" in hebrew.subject
        assert "\u2068" not in a_letter().subject


NAMES = st.text(st.characters(codec="utf-8"), max_size=300) | st.text("<&\"'👩\u200d💻ض", max_size=300)


class TestHtml:
    @settings(max_examples=60, deadline=None)
    @given(
        names=st.lists(NAMES, min_size=1, max_size=40),
        files=st.lists(NAMES, max_size=400),
        language=st.sampled_from(LANGUAGES),
        total=st.integers(0, 10**12),
        currency=st.sampled_from(["jpy", "kwd", "usd", "xyz"]),
    )
    def test_it_never_grows_large(
        self, names: list[str], files: list[str], language: str, total: int, currency: str
    ) -> None:
        imprint = ("&" * 120,) * 8
        sale = Sale(UNTIL, currency, SALE.receipt_url + "/" + "x" * 300, renewal=True, locales=(language,))
        at = a_desk(*names, sale=sale, total=total, seller=replace(SHOP, imprint=imprint))
        share = a_share(files=tuple(ShareFile(name, 10**9) for name in files))
        ends = [(name, UNTIL) for name in names]
        for letter in (at.delivery(share, ends), *changes_from(at).values()):
            assert len(letter.html.encode()) <= LARGEST_HTML
            assert len(letter.subject) <= 120

    def test_files_that_there_is_no_room_for_are_counted(self) -> None:
        letter = with_files(*(ShareFile(f"take-{n:04}.wav", 1) for n in range(1_000)))
        listed = re.findall(r"take-\d{4}", letter.text)
        [more] = re.findall(r"and (\d+) more", letter.text)
        assert len(listed) + int(more) == 1_000
        assert "It holds 1000 files:" in letter.text
        assert listed == re.findall(r"take-\d{4}", letter.html)

    def test_products_that_there_is_no_room_for_are_counted(self) -> None:
        letter = a_desk(*(f"Volume {n} of the collected works" for n in range(200))).payment_failed()
        [more] = re.findall(r"and (\d+) more", letter.text)
        assert len(re.findall(r"Volume \d+", letter.text)) + int(more) == 200

    @pytest.mark.parametrize("kind", list(Kind))
    def test_it_is_dark_where_the_reader_wants_it_dark_by_three_routes(self, kind: Kind) -> None:
        html = every_letter(a_desk())[kind].html
        assert '<meta name="color-scheme" content="light dark">' in html
        assert ":root{color-scheme:light dark}" in html
        assert "@media (prefers-color-scheme:dark){" in html
        assert "[data-ogsc] .page{" in html
        assert "[data-ogsb] .page{" in html

    @pytest.mark.parametrize("part", ["txt", "html"])
    @pytest.mark.parametrize("template", ["delivery", "change"])
    def test_a_word_that_is_missing_is_an_error_and_not_a_gap_in_the_letter(self, template: str, part: str) -> None:
        with pytest.raises(jinja2.UndefinedError):
            desk._render(f"{template}.{part}.j2", {})
