from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.orders import Goods
from paidshare.shares import distinct_names, link, share_name, share_request, title
from paidshare.text import one_line

KEY = "0123456789abcdef0123456789abcdef"
UNTIL = datetime(2026, 12, 1, 10, 30, 15, 999, tzinfo=UTC)


def goods(name: str) -> Goods:
    return Goods(product_name=name, workspace="my-shop", nodes=("n-1",), link_days=7)


class TestShareName:
    def test_the_same_order_always_has_the_same_name(self) -> None:
        assert share_name(KEY, "cs_test_1") == share_name(KEY, "cs_test_1")

    def test_the_name_of_an_order_never_changes_between_versions(self) -> None:
        """A new way to make names would deliver every order that is under way a second time."""
        assert share_name(KEY, "cs_test_1") == "ock3odwtvlmbrpcirophgbft6qqrbstlx"

    def test_another_order_or_another_key_has_another_name(self) -> None:
        names = {share_name(key, order) for key in (KEY, KEY[::-1]) for order in ("cs_test_1", "cs_test_2")}
        assert len(names) == 4

    @given(st.text(min_size=1))
    def test_fast_io_accepts_every_name(self, order_id: str) -> None:
        name = share_name(KEY, order_id)
        assert 10 <= len(name) <= 80
        assert name.isascii()
        assert name.isalnum()
        assert name == name.lower()
        assert not name.isdigit()

    @pytest.mark.parametrize("key", ["", " " * 40, "x" * 31])
    def test_a_key_that_could_be_guessed_is_refused(self, key: str) -> None:
        with pytest.raises(ValueError, match="at least 32"):
            share_name(key, "cs_test_1")

    def test_an_order_without_an_id_has_no_share(self) -> None:
        with pytest.raises(ValueError, match="without an id"):
            share_name(KEY, "")


class TestShareRequest:
    def test_it_asks_for_everything_bought_under_the_order_s_name(self) -> None:
        bought = (goods("Field Guide"), goods("Atlas"))
        request = share_request("cs_test_1", bought, UNTIL, KEY)
        assert (request.order_id, request.goods) == ("cs_test_1", bought)
        assert request.name == share_name(KEY, "cs_test_1")
        assert request.title == "Field Guide, Atlas"

    def test_the_end_is_utc_in_whole_seconds(self) -> None:
        east = UNTIL.astimezone(timezone(timedelta(hours=2)))
        assert share_request("cs_test_1", (goods("A B"),), east, KEY).expires_at == UNTIL.replace(microsecond=0)

    def test_an_end_that_does_not_say_its_zone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="aware"):
            share_request("cs_test_1", (goods("A B"),), UNTIL.replace(tzinfo=None), KEY)


class TestTitle:
    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            (["Field Guide"], "Field Guide"),
            (["Field Guide", "Field Guide"], "Field Guide"),  # Bought twice, said once.
            (["A" * 40, "B" * 20, "C" * 20], "A" * 40 + ", " + "B" * 20 + " and 1 more"),
            (["A" * 50, "B" * 20, "C" * 20], "A" * 50 + " and 2 more"),
            (["A" * 75, "B", "C"], "A" * 68 + "… and 2 more"),
            (["A" * 50, "B" * 40], "A" * 50 + " and 1 more"),
            (["A" * 81], "A" * 79 + "…"),
            (["A" * 78 + "  B"], "A" * 78 + " B"),  # Exactly 80.
            (["Line\r\nbreak\x00\u202egnp"], "Line break gnp"),  # Refused by Fast.io, or misleading on a page.
            ([], "Your files"),
            (["", "\t"], "Your files"),
            (["X"], "Your files"),  # Shorter than Fast.io allows.
            (["X", "Y"], "X, Y"),
        ],
    )
    def test_it_says_what_was_bought_as_far_as_it_fits(self, names: list[str], expected: str) -> None:
        assert title(names) == expected

    @given(st.lists(st.text()))
    def test_fast_io_accepts_every_title(self, names: list[str]) -> None:
        text = title(names)
        assert 2 <= len(text) <= 80
        assert text == one_line(text)
        assert text == text.strip()


class TestLink:
    @pytest.mark.parametrize("base", ["https://go.fast.io", "https://go.fast.io/"])
    def test_it_is_the_share_s_page(self, base: str) -> None:
        assert link(base, "oabc") == "https://go.fast.io/shared/oabc"


class TestDistinctNames:
    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            (["a.pdf", "b.pdf"], ("a.pdf", "b.pdf")),
            (["a.pdf", "a.pdf", "a.pdf"], ("a.pdf", "a (2).pdf", "a (3).pdf")),
            (["a.pdf", "A.PDF"], ("a.pdf", "A (2).PDF")),
            (["a.pdf", "a.pdf", "a (2).pdf"], ("a.pdf", "a (3).pdf", "a (2).pdf")),  # A real name is never taken.
            (["README", "README"], ("README", "README (2)")),
            ([".env", ".env"], (".env", ".env (2)")),
            (["a.tar.gz", "a.tar.gz"], ("a.tar.gz", "a.tar (2).gz")),
        ],
    )
    def test_equal_names_are_numbered(self, names: list[str], expected: tuple[str, ...]) -> None:
        assert distinct_names(names) == expected

    @given(st.lists(st.sampled_from(["a", "A", "a (2)", "a (3)", "a.b", "a (2).b"])))
    def test_no_two_are_equal_in_any_case(self, names: list[str]) -> None:
        found = [name.casefold() for name in distinct_names(names)]
        assert len(set(found)) == len(names)
