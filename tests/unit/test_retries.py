import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.retries import (
    ALONE_FROM_SECONDS,
    LONGEST_ASKED_SECONDS,
    LONGEST_SECONDS,
    MOST_RECEIVES,
    is_late,
    seconds_until_alone,
    seconds_until_retry,
)
from tests.template_file import properties

DAY = 24 * 3600
attempts = st.integers(min_value=-5, max_value=10**6)
jitters = st.floats(min_value=0, max_value=1, exclude_max=True)
# SQS's own limit for a message's visibility.
SQS_LONGEST = 12 * 3600


def waits(*, jitter: float, asked: float | None = None) -> list[int]:
    """The waits after each receive; the last one has none, the message is moved then."""
    return [seconds_until_retry(attempt, asked=asked, jitter=jitter) for attempt in range(1, MOST_RECEIVES)]


class TestSecondsUntilRetry:
    @pytest.mark.parametrize(
        ("attempt", "least", "most"),
        [
            # The first retries come quickly: most trouble is short, and a buyer is waiting.
            (1, 1, 2),
            (2, 2, 4),
            (3, 4, 8),
            (8, 128, 256),
            # Capped: a buyer does not wait longer than this after the outage is over.
            (10, 450, 900),
            (MOST_RECEIVES, 450, 900),
        ],
    )
    def test_the_wait_doubles_up_to_the_cap_and_its_upper_half_is_random(
        self, attempt: int, least: int, most: int
    ) -> None:
        assert seconds_until_retry(attempt, asked=None, jitter=0) == least
        assert seconds_until_retry(attempt, asked=None, jitter=0.999_999) == most

    @given(jitters)
    def test_waits_never_get_shorter(self, jitter: float) -> None:
        found = waits(jitter=jitter)
        assert found == sorted(found)

    @given(attempts, jitters)
    def test_without_a_wish_a_wait_is_between_a_second_and_the_cap(self, attempt: int, jitter: float) -> None:
        assert 1 <= seconds_until_retry(attempt, asked=None, jitter=jitter) <= LONGEST_SECONDS

    @given(attempts, st.floats(min_value=1, max_value=LONGEST_ASKED_SECONDS), jitters)
    def test_a_provider_s_wait_is_honoured(self, attempt: int, asked: float, jitter: float) -> None:
        # Whole seconds: half of one may be lost in the rounding.
        assert seconds_until_retry(attempt, asked=asked, jitter=jitter) >= asked - 0.5

    @given(attempts, st.none() | st.floats(), jitters)
    def test_whatever_is_asked_the_queue_can_do_it(self, attempt: int, asked: float | None, jitter: float) -> None:
        assert 1 <= seconds_until_retry(attempt, asked=asked, jitter=jitter) <= LONGEST_ASKED_SECONDS * 1.1
        assert LONGEST_ASKED_SECONDS * 1.1 < SQS_LONGEST

    @pytest.mark.parametrize("asked", [0, -1, None])
    def test_no_wish_leaves_the_wait_as_it_is(self, asked: float | None) -> None:
        assert seconds_until_retry(3, asked=asked, jitter=0) == 4


class TestMostReceives:
    def test_even_the_shortest_waits_outlast_a_day_without_a_provider(self) -> None:
        assert sum(waits(jitter=0)) > DAY

    def test_even_the_longest_waits_end_before_the_queue_forgets_the_message(self) -> None:
        # 14 days, MessageRetentionPeriod of the queue: what is forgotten reaches no dead-letter queue.
        assert sum(waits(jitter=1, asked=LONGEST_ASKED_SECONDS)) < 14 * DAY


class TestSecondsUntilAlone:
    def test_a_worker_that_lives_is_done_before_a_message_comes_again(self) -> None:
        assert properties("Deliver")["Timeout"] < ALONE_FROM_SECONDS

    @given(jitters)
    def test_the_waits_are_spread_over_a_quarter_of_an_hour(self, jitter: float) -> None:
        assert ALONE_FROM_SECONDS <= seconds_until_alone(jitter=jitter) <= 900

    def test_two_messages_come_apart_by_far_more_than_a_batch_takes_to_form(self) -> None:
        assert seconds_until_alone(jitter=0.9) - seconds_until_alone(jitter=0.1) > 600


class TestIsLate:
    @pytest.mark.parametrize(
        ("age", "wait", "late"),
        [
            (0, 2, False),
            (100, 79, False),
            (100, 80, True),
            # A refused key asks for five minutes, a used-up plan for fifteen.
            (1, 300, True),
            (0, 900, True),
            (10_000, 1, True),
        ],
    )
    def test_a_message_is_late_that_is_three_minutes_old_when_it_comes_again(
        self, age: float, wait: int, *, late: bool
    ) -> None:
        assert is_late(age, wait) is late

    @given(jitters)
    def test_a_short_outage_is_over_before_anybody_is_late(self, jitter: float) -> None:
        """Five retries, half a minute to a minute: a provider's restart wakes nobody."""
        found = waits(jitter=jitter)[:5]
        assert not any(is_late(sum(found[:done]), found[done]) for done in range(5))
