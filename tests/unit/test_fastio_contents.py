from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.shares_fastio.contents import differences
from paidshare.shares_fastio.values import Node

GUIDE = Node("n-1", "guide.pdf", "file", 5, "ab", "sha256", gone=False, infected=False)


class TestDifferences:
    def test_a_share_with_just_what_is_wanted_needs_nothing(self) -> None:
        found = differences({"guide (2).pdf": GUIDE}, [replace(GUIDE, id="s-1", name="guide (2).pdf")])
        assert (found.surplus, found.missing) == ((), {})

    def test_an_empty_share_lacks_everything_in_the_order_bought(self) -> None:
        assert list(differences({"b": GUIDE, "a": GUIDE}, []).missing) == ["b", "a"]

    @pytest.mark.parametrize(
        ("listed", "same"),
        [
            (replace(GUIDE, hash="AB"), True),
            (replace(GUIDE, hash_algo=None), True),
            (replace(GUIDE, hash="cd"), False),
            (replace(GUIDE, name="Guide.pdf"), False),
            (replace(GUIDE, hash="00", hash_algo="md5"), True),  # Another kind of hash: the size decides.
            (replace(GUIDE, hash="00", hash_algo="md5", size=6), False),
            (replace(GUIDE, hash=None), True),  # Fast.io has not taken the file in yet.
            (replace(GUIDE, hash=None, size=6), False),
            (replace(GUIDE, hash=None, size=None), False),  # Nothing to know it by.
            (replace(GUIDE, kind="folder"), False),
            (replace(GUIDE, kind="other"), False),
        ],
    )
    def test_what_is_not_known_to_be_the_wanted_file_is_replaced(self, listed: Node, *, same: bool) -> None:
        found = differences({"guide.pdf": GUIDE}, [listed])
        assert found.surplus == (() if same else (listed,))
        assert found.missing == ({} if same else {"guide.pdf": GUIDE})

    def test_a_file_listed_twice_stays_once(self) -> None:
        twin = replace(GUIDE, id="n-2")
        found = differences({"guide.pdf": GUIDE}, [GUIDE, twin])
        assert (found.surplus, found.missing) == ((twin,), {})

    def test_what_is_in_the_trash_is_neither_there_nor_in_the_way(self) -> None:
        found = differences({"guide.pdf": GUIDE}, [replace(GUIDE, gone=True)])
        assert (found.surplus, found.missing) == ((), {"guide.pdf": GUIDE})

    @given(st.lists(st.sampled_from("abc")), st.sets(st.sampled_from("abcd")))
    def test_without_the_surplus_and_with_the_missing_it_is_exactly_what_is_wanted(
        self, listed: list[str], wanted: set[str]
    ) -> None:
        there = [replace(GUIDE, id=str(n), name=name) for n, name in enumerate(listed)]
        found = differences(dict.fromkeys(wanted, GUIDE), there)
        left = [node.name for node in there if node not in found.surplus]
        assert sorted([*left, *found.missing]) == sorted(wanted)
