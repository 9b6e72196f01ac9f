"""A wish as a notice carries it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare import wishes
from paidshare.states import Standing
from paidshare.wishes import MOST_DAYS, Wants, Wish
from tests.builders import NOW, a_notice

SEALED = "Ab-_" * 16


@given(st.sampled_from(Wants), st.integers(1, MOST_DAYS))
def test_what_is_written_is_read(wants: Wants, days: int) -> None:
    wanted = days if wants is Wants.EXTEND else None
    sealed = SEALED if wants is Wants.CORRECT else None
    found = wishes.of(a_notice(event_id="operator:1", why=wishes.why(wants, wanted, sealed)))
    assert found == Wish("operator:1", wants, NOW, wanted, sealed)


@pytest.mark.parametrize(
    "why",
    [
        "operator.look", "sweep", "invoice.paid", "operator.extend", "operator.extend:0", "operator.extend:366",
        f"operator.extend:{SEALED}", "buyer.correct", "buyer.correct:7", "buyer.correct:ada@example.com",
        "operator.extend:-1", "operator.extend:\u0663", "operator.end:3", "operator.resend:7", "operator.end ", "",
    ],
)  # fmt: skip
def test_what_no_wish_is_is_none(why: str) -> None:
    assert wishes.of(a_notice(why=why)) is None


@pytest.mark.parametrize(
    ("wants", "days"), [(Wants.EXTEND, None), (Wants.EXTEND, 0), (Wants.EXTEND, 366), (Wants.END, 3)]
)
def test_days_that_no_wish_has_are_not_written(wants: Wants, days: int | None) -> None:
    with pytest.raises(ValueError, match=wants.value):
        wishes.why(wants, days)


@pytest.mark.parametrize(
    ("wants", "standing"),
    [
        (Wants.END, Standing.ENDED),
        (Wants.HOLD, Standing.ON_HOLD),
        (Wants.RESTORE, Standing.ACCESS),
        (Wants.RESEND, None),
    ],
)
def test_what_it_rules(wants: Wants, standing: Standing | None) -> None:
    found = wishes.of(a_notice(why=wants))
    assert found is not None
    assert (found.ruling and found.ruling.standing) == standing
