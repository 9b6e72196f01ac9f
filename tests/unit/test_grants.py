"""What a buyer was given: at the very moment of an end, and of rows that know less."""

from datetime import datetime, timedelta

import pytest

from paidshare.grants import Grant, KnownShare, Promise, renewed, taken_back
from tests.builders import NOW, a_line

SOON, DAY = timedelta(seconds=1), timedelta(days=1)


def grant(line: str = "li_1", *, until: datetime = NOW + DAY, closed_at: datetime | None = None) -> Grant:
    return Grant(line, until, "shop", ("file",), closed_at)


@pytest.mark.parametrize(("until", "over"), [(NOW - SOON, True), (NOW, True), (NOW + SOON, False)])
def test_what_was_given_is_over_at_its_end(until: datetime, *, over: bool) -> None:
    assert Promise(("li_1",), until, grants=(grant(until=until),)).over(NOW) is over
    assert Promise(("li_1",), until).over(NOW) is over
    assert Promise(("li_1",), until, closed_at=NOW - DAY).over(NOW) is False
    taken = grant(until=until, closed_at=NOW - DAY)
    assert Promise(("li_1",), until, grants=(taken,)).over(NOW) is False


@pytest.mark.parametrize(("until", "taken"), [(NOW - SOON, False), (NOW, False), (NOW + SOON, True)])
def test_what_has_run_out_is_not_taken_back(until: datetime, *, taken: bool) -> None:
    [after] = taken_back((grant(until=until),), ["li_1"], now=NOW)
    assert (after.closed_at == NOW) is taken


@pytest.mark.parametrize(
    ("had", "again"),
    [
        (grant(until=NOW - SOON), True),
        (grant(until=NOW), True),
        (grant(until=NOW + SOON), False),
        # Its time stands still while it is taken back, however late it is.
        (grant(until=NOW - DAY, closed_at=NOW - 2 * DAY), False),
        (grant("li_2"), True),
    ],
)
def test_a_line_is_given_anew_once_its_own_time_is_over(had: Grant, *, again: bool) -> None:
    new = grant(until=NOW + 7 * DAY)
    assert (new in renewed((had,), [new], now=NOW)) is again


@pytest.mark.parametrize(
    ("had", "kept"),
    [
        (grant(until=NOW - SOON), False),
        (grant(until=NOW), False),
        (grant(until=NOW + SOON), True),
        (grant(until=NOW - DAY, closed_at=NOW - 2 * DAY), True),
    ],
)
def test_a_wish_renews_only_what_ran_out_by_itself(had: Grant, *, kept: bool) -> None:
    promise = Promise(("li_1",), had.until, grants=(had,)).without_what_ran_out([a_line(line_id="li_1")], NOW)
    assert (promise.grants == (had,)) is kept
    of_a_period = a_line(line_id="li_1", period_end=NOW - DAY)
    assert Promise(("li_1",), had.until, grants=(had,)).without_what_ran_out([of_a_period], NOW).grants == (had,)
    assert Promise(("li_1",), NOW, grants=()).without_what_ran_out([a_line(line_id="li_1")], NOW).grants == ()


def test_a_row_without_grants_has_the_same_for_each_line() -> None:
    promise = Promise(("li_1", "li_2"), NOW, closed_at=NOW - DAY)
    assert promise.of("li_2") == Grant("li_2", NOW, "", (), NOW - DAY)


def test_a_share_without_an_id_is_none() -> None:
    with pytest.raises(ValueError, match=r"^a share without an id$"):
        KnownShare("", NOW)
    with pytest.raises(ValueError, match=r"^a moment without a time zone$"):
        KnownShare("1", NOW.replace(tzinfo=None))
