import re

import pytest

from paidshare import errors
from paidshare.delivering.errors import MetadataBroken
from paidshare.errors import NeedsAPerson, SettingsIncomplete, TryAgain
from tests.every_error import EVERY

CLASSES = {made.__name__: made for made in EVERY}
FOR_A_PERSON = [made for made in CLASSES.values() if issubclass(made, NeedsAPerson) and made is not NeedsAPerson]
FOR_LATER = [made for made in CLASSES.values() if issubclass(made, TryAgain) and made is not TryAgain]


def drawn() -> list[tuple[int, str]]:
    """The tree of the docstring: how deep each class stands, and its name."""
    lines = re.findall(r"^    ([│ ├└─]*)([A-Z][A-Za-z]+)", errors.__doc__ or "", re.MULTILINE)
    return [(len(branch) // 4, name) for branch, name in lines]


class TestTree:
    def test_the_docstring_draws_exactly_the_classes_that_exist(self) -> None:
        assert sorted(name for _, name in drawn()) == sorted(CLASSES)

    def test_the_docstring_draws_each_class_under_its_base(self) -> None:
        above: list[str] = []
        for depth, name in drawn():
            above[depth:] = [name]
            expected = above[depth - 1] if depth else "Exception"
            assert CLASSES[name].__bases__[0].__name__ == expected

    def test_every_error_is_for_later_or_for_a_person_and_never_both(self) -> None:
        for made in [*FOR_A_PERSON, *FOR_LATER]:
            assert issubclass(made, TryAgain) is not issubclass(made, NeedsAPerson)


class TestNeedsAPerson:
    @pytest.mark.parametrize("made", FOR_A_PERSON)
    def test_every_kind_says_what_to_do_in_words_of_its_own(self, made: type[NeedsAPerson]) -> None:
        assert "advice" in vars(made)
        assert [other for other in FOR_A_PERSON if other.advice == made.advice] == [made]

    def test_advice_for_one_case_replaces_the_kind_s(self) -> None:
        assert errors.FileMissing("gone", advice="Look in the bin.").advice == "Look in the bin."
        assert errors.FileMissing("gone").advice == errors.FileMissing.advice

    def test_the_reason_is_the_fact_s_name(self) -> None:
        assert MetadataBroken("x").reason == "metadata_broken"

    def test_reasons_tell_all_kinds_apart(self) -> None:
        reasons = [made("x").reason for made in FOR_A_PERSON] + [made("x").reason for made in FOR_LATER]
        assert len(set(reasons)) == len(reasons)


class TestTryAgain:
    def test_the_reason_is_the_fact_s_name(self) -> None:
        assert errors.FastioUnavailable("x").reason == "fastio_unavailable"

    def test_a_provider_s_wish_goes_along(self) -> None:
        assert errors.FastioUnavailable("x", wait=30).wait == 30
        assert errors.FastioUnavailable("x").wait is None


class TestSettingsIncomplete:
    def test_the_message_names_every_gap(self) -> None:
        error = SettingsIncomplete(["A is not set", "B must be a number"])
        assert error.gaps == ["A is not set", "B must be a number"]
        assert "A is not set" in str(error)
        assert "B must be a number" in str(error)
