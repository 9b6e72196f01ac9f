"""
How long a message that could not be worked off now stays out of sight, and what is known of an order that was put off.
Pure.

The numbers are sized together with `maxReceiveCount` of the queue (template.yaml): a day without Stripe,
Fast.io or SES ends in deliveries, not in dead letters. tests/unit/test_retries.py holds them to it.
"""

from dataclasses import dataclass
from datetime import datetime

from paidshare.grants import check_aware

FIRST_SECONDS = 2.0
LONGEST_SECONDS = 900.0
"""A buyer should not wait longer than this after the outage is over."""

LONGEST_ASKED_SECONDS = 3600.0
"""A provider's own wish is honoured up to here; its clock may be wrong."""

MOST_RECEIVES = 250
"""`maxReceiveCount`: even at the shortest waits these last more than 24 hours."""

LONGEST_AGE_SECONDS = 4 * 24 * 3600.0
"""
Whoever asks for an hour between two looks is asked for days, and the queue forgets after five (template.yaml). A person
is told before.
"""

ALONE_FROM_SECONDS, ALONE_TO_SECONDS = 90, 900
"""From above Deliver's time-out: a worker that lives is done with its messages by then."""


LATE_AFTER_SECONDS = 180.0
"""Three minutes after it came into the queue somebody waits who should not, and LateOrdersAlarm rings."""


@dataclass(frozen=True, slots=True)
class Late:
    """
    An order that could not be delivered: `since` when, `told_at` when the buyer was mailed so, with the letter's
    `message_id`. Written down before that letter leaves; without an id it may not have.

    Raises ValueError for a naive moment.
    """

    since: datetime
    told_at: datetime | None = None
    message_id: str | None = None

    def __post_init__(self) -> None:
        check_aware(self.since)
        if self.told_at is not None:
            check_aware(self.told_at)

    @property
    def mark(self) -> str:
        """What SES's events call the letter; empty before there is one."""
        return "" if self.told_at is None else str(int(self.told_at.timestamp()))


@dataclass(frozen=True, slots=True)
class PutOff:
    """Why the last look at the order came to no end, for a person to read: the error's reason and words, and when."""

    why: str
    at: datetime


def seconds_until_alone(*, jitter: float) -> int:
    """
    Whole seconds after which a message should come again if its worker dies of it or of another one of its batch.

    Each message of a batch gets its own *jitter* (0 ≤ j < 1), so they do not come back together: one that ends the
    process would otherwise take the same nine others along every time.
    """
    return ALONE_FROM_SECONDS + int(jitter * (ALONE_TO_SECONDS - ALONE_FROM_SECONDS))


def is_last(attempt: int, age: float) -> bool:
    """Whether nobody will look at a message of *age* seconds again after this receive: now a person is told."""
    return attempt >= MOST_RECEIVES or age >= LONGEST_AGE_SECONDS


def is_late(age: float, wait: int) -> bool:
    """
    Whether a message of *age* seconds that comes again in *wait* seconds is late then. It is known now: a refused key
    asks for minutes at once, a used-up plan for a quarter of an hour, and the next look would tell that much later.
    """
    return age + wait >= LATE_AFTER_SECONDS


def seconds_until_retry(attempt: int, *, asked: float | None, jitter: float) -> int:
    """
    Whole seconds to wait after the *attempt*-th receive (counted from 1).

    Exponential, capped, the upper half of it random (*jitter* is 0 ≤ j < 1), so that orders which failed together
    do not come back together. A provider's own wait (*asked*, seconds) is a lower bound.
    """
    doubled = FIRST_SECONDS * 2.0 ** min(max(attempt, 1) - 1, 30)
    most = min(doubled, LONGEST_SECONDS)
    wait = most * (0.5 + 0.5 * jitter)
    if asked is not None and asked > 0:
        wait = max(wait, min(asked, LONGEST_ASKED_SECONDS) * (1.0 + 0.1 * jitter))
    return max(1, round(wait))
