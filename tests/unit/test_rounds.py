from datetime import datetime, timedelta

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from paidshare.states import State
from paidshare.sweeping.rounds import Fate, Known, ListedShare, Pass, Track, Unsettled, fate
from tests.builders import NOW, a_progress

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
WITHOUT_ACCESS = [State.ACCESS_ENDED, State.ACCESS_ON_HOLD]
times = st.datetimes(NOW.replace(tzinfo=None) - 90 * DAY, NOW.replace(tzinfo=None) + 90 * DAY).map(
    lambda naive: naive.replace(tzinfo=NOW.tzinfo)
)


def a_listed_share(*, expires_at: datetime | None = NOW + DAY, archived: bool | None = False) -> ListedShare:
    return ListedShare("77", "oabc", "cs_1", expires_at, archived)


def an_unsettled(*, age: timedelta, untouched: timedelta) -> Unsettled:
    return Unsettled("cs_1", None, since=NOW - age, touched_at=NOW - untouched)


class TestUnsettled:
    def test_a_young_order_is_due_when_nobody_touched_it_for_an_hour(self) -> None:
        assert not an_unsettled(age=2 * HOUR, untouched=59 * MINUTE).due(NOW)
        assert an_unsettled(age=2 * HOUR, untouched=HOUR).due(NOW)

    def test_a_new_order_is_due_a_quarter_of_an_hour_after_it_was_first_looked_at_and_once(self) -> None:
        assert not an_unsettled(age=14 * MINUTE, untouched=14 * MINUTE).due(NOW)
        assert an_unsettled(age=16 * MINUTE, untouched=15 * MINUTE).due(NOW)
        assert not an_unsettled(age=40 * MINUTE, untouched=20 * MINUTE).due(NOW)

    def test_an_old_order_is_due_when_nobody_touched_it_for_an_eighth_of_its_age(self) -> None:
        assert not an_unsettled(age=16 * DAY, untouched=2 * DAY - MINUTE).due(NOW)
        assert an_unsettled(age=16 * DAY, untouched=2 * DAY).due(NOW)

    def test_an_order_is_given_up_after_five_weeks(self) -> None:
        assert not an_unsettled(age=35 * DAY, untouched=HOUR).given_up(NOW)
        assert an_unsettled(age=35 * DAY + MINUTE, untouched=HOUR).given_up(NOW)

    def test_an_order_is_asked_for_some_fifty_times_in_all(self) -> None:
        first, touched, asked = NOW, NOW, 0
        now = NOW
        while not Unsettled("cs_1", None, first, touched).given_up(now):
            if Unsettled("cs_1", None, first, touched).due(now):
                touched, asked = now, asked + 1
            now += 15 * MINUTE
        assert 40 <= asked <= 60


class TestFate:
    @pytest.mark.parametrize("state", WITHOUT_ACCESS)
    def test_an_open_share_whose_order_has_no_access_is_closed(self, state: State) -> None:
        assert fate(a_listed_share(), Known(state, "77", NOW), now=NOW) is Fate.CLOSE

    @pytest.mark.parametrize("state", [state for state in State if state not in WITHOUT_ACCESS])
    def test_an_open_share_stays_open_otherwise(self, state: State) -> None:
        assert fate(a_listed_share(), Known(state, "77", None), now=NOW) is Fate.KEEP

    @pytest.mark.parametrize("state", [state for state in State if state is not State.ACCESS_ON_HOLD])
    def test_a_share_that_expired_more_than_ten_minutes_ago_is_deleted(self, state: State) -> None:
        def then(expired: timedelta) -> Fate:
            return fate(a_listed_share(expires_at=NOW - expired), Known(state, "77", None), now=NOW)

        assert then(10 * MINUTE) is Fate.KEEP
        assert then(11 * MINUTE) is Fate.DELETE

    def test_what_was_taken_back_is_kept_for_a_day_because_a_refund_can_fail(self) -> None:
        def then(closed: timedelta) -> Fate:
            share = a_listed_share(archived=True, expires_at=NOW - 50 * DAY)
            return fate(share, Known(State.ACCESS_ENDED, "77", NOW - closed), now=NOW)

        assert then(DAY) is Fate.KEEP
        assert then(DAY + MINUTE) is Fate.DELETE

    @pytest.mark.parametrize("state", WITHOUT_ACCESS)
    def test_of_a_share_that_does_not_say_whether_it_is_archived_the_ledger_does(self, state: State) -> None:
        share = a_listed_share(archived=None)
        assert fate(share, Known(state, "77", None), now=NOW) is Fate.CLOSE
        assert fate(share, Known(state, "77", NOW - DAY), now=NOW) is Fate.KEEP
        gone = Fate.DELETE if state is State.ACCESS_ENDED else Fate.KEEP
        assert fate(share, Known(state, "77", NOW - DAY - MINUTE), now=NOW) is gone

    def test_a_share_without_an_end_is_kept_while_there_is_access(self) -> None:
        assert fate(a_listed_share(expires_at=None), Known(State.DELIVERED, "77", None), now=NOW) is Fate.KEEP

    @given(expires_at=st.none() | times, archived=st.booleans(), closed_at=st.none() | times)
    def test_a_share_on_hold_is_never_deleted(
        self, expires_at: datetime | None, *, archived: bool, closed_at: datetime | None
    ) -> None:
        order = Known(State.ACCESS_ON_HOLD, "77", closed_at)
        assert fate(a_listed_share(expires_at=expires_at, archived=archived), order, now=NOW) is not Fate.DELETE

    @given(
        state=st.sampled_from(State),
        expires_at=st.none() | times,
        closed_at=st.none() | times,
        archived=st.sampled_from([False, None]),
    )
    def test_a_share_that_its_buyer_may_open_is_never_touched(
        self, state: State, expires_at: datetime | None, closed_at: datetime | None, *, archived: bool | None
    ) -> None:
        assume(expires_at is None or expires_at > NOW)
        assume(state not in WITHOUT_ACCESS)
        share = a_listed_share(expires_at=expires_at, archived=archived)
        assert fate(share, Known(state, "77", closed_at), now=NOW) is Fate.KEEP

    @given(
        state=st.sampled_from(State),
        expires_at=st.none() | times,
        archived=st.booleans(),
        closed_at=st.none() | times,
    )
    def test_what_is_shut_is_not_closed_once_more(
        self, state: State, expires_at: datetime | None, *, archived: bool, closed_at: datetime | None
    ) -> None:
        share = a_listed_share(expires_at=expires_at, archived=archived)
        assume(share.shut(NOW))
        assert fate(share, Known(state, "77", closed_at), now=NOW) is not Fate.CLOSE

    def test_what_the_ledger_says_is_read_from_the_progress(self) -> None:
        progress = a_progress(state=State.DELIVERED, share_id="77", closed_at=NOW)
        assert Known.of(progress) == Known(State.DELIVERED, "77", NOW, until=NOW)


class TestTrack:
    def test_the_first_pass_goes_back_as_far_as_it_may(self) -> None:
        assert Track().next_pass(now=NOW, reach=4 * DAY, overlap=HOUR) == Pass(NOW, NOW - 4 * DAY)

    def test_the_next_pass_goes_back_to_the_beginning_of_the_last_and_a_bit_further(self) -> None:
        track = Track(reached=NOW - HOUR)
        assert track.next_pass(now=NOW, reach=4 * DAY, overlap=HOUR) == Pass(NOW, NOW - 2 * HOUR)

    def test_after_a_long_pause_a_pass_goes_back_no_further_than_the_first(self) -> None:
        track = Track(reached=NOW - 30 * DAY)
        assert track.next_pass(now=NOW, reach=4 * DAY, overlap=HOUR) == Pass(NOW, NOW - 4 * DAY)

    def test_a_pass_under_way_goes_on(self) -> None:
        going = Pass(NOW - HOUR, NOW - DAY, "cs_7")
        track = Track().moved(Pass(NOW - HOUR, NOW - DAY), "cs_7")
        assert track.next_pass(now=NOW, reach=4 * DAY, overlap=HOUR) == going

    def test_a_pass_that_came_to_the_end_is_remembered_by_its_beginning(self) -> None:
        assert Track().moved(Pass(NOW, NOW - DAY, "cs_7"), None) == Track(reached=NOW)

    @given(
        pauses=st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=8),
        lasts=st.lists(st.integers(0, 600), min_size=8, max_size=8),
    )
    @example(pauses=[15, 15, 15], lasts=[0] * 8)
    def test_passes_leave_no_gap_between_them(self, pauses: list[int], lasts: list[int]) -> None:
        """What is made at any moment is within the first pass that begins after it, if that is within its reach."""
        track, now = Track(), NOW
        last_began: datetime | None = None
        for pause, last in zip(pauses, lasts, strict=False):
            now += pause * MINUTE
            going = track.next_pass(now=now, reach=4 * DAY, overlap=25 * HOUR)
            if last_began is not None:
                assert going.since <= last_began
            last_began = now
            now += last * MINUTE
            track = track.moved(going, None)
