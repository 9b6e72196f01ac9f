"""A check, what it finds, and how all of them are made side by side."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from operate.answers import Refused
from operate.stacks import Stack
from paidshare.aws import summary
from paidshare.errors import PaidshareError, SecretUnavailable

_AT_ONCE = 16


class Mark(StrEnum):
    """What a check found."""

    GOOD = "good"
    CARE = "care"
    """It works, and will not for long, or not for everybody."""
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """Who has to be asked gave no answer, or may not be asked with these keys."""


class Moot(Exception):
    """Another check says what keeps this one from being made."""


@dataclass(frozen=True, slots=True)
class Mend:
    """*what* would be done, and *do* does it, and tells what it did; it may raise whatever a check may."""

    what: str
    do: Callable[[Stack], Sequence[str]] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Found:
    """
    In a sentence, and the way out of it: a command, or where to click; None where there is nothing to mend. `mend` is
    what `doctor --fix` can do about it without a person.
    """

    mark: Mark
    words: str
    way_out: str | None = None
    mend: Mend | None = None


def good(words: str) -> Found:
    return Found(Mark.GOOD, words)


def care(words: str, way_out: str) -> Found:
    return Found(Mark.CARE, words, way_out)


def wrong(words: str, way_out: str, mend: Mend | None = None) -> Found:
    return Found(Mark.WRONG, words, way_out, mend)


def unknown(words: str) -> Found:
    return Found(Mark.UNKNOWN, words)


@dataclass(frozen=True, slots=True)
class Check:
    """
    The question that *name* says, of *group*; *ask* may raise whatever AWS, Stripe and Fast.io raise, and Moot.
    *on_a_laptop*: whether the laptop has what it asks for.
    """

    group: str
    name: str
    ask: Callable[[Stack], Found]
    on_a_laptop: bool = True


@dataclass(frozen=True, slots=True)
class Checked:
    """A check, and what came of it."""

    check: Check
    found: Found


def all_of(checks: Iterable[Check], to: Stack) -> Sequence[Checked]:
    """Each of *checks* that makes sense for the stack, in their order; all are asked at once."""
    meant = [one for one in checks if one.on_a_laptop or not to.on_a_laptop]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = [*pool.map(lambda one: _asked(one, to), meant)]
    return [Checked(check, one) for check, one in zip(meant, found, strict=True) if one is not None]


def _asked(check: Check, to: Stack) -> Found | None:
    try:
        return check.ask(to)
    except ClientError as exc:
        # To the operator alone, and of calls that carry nobody's data.
        return unknown(f"{summary('AWS', exc)}: {exc.response.get('Error', {}).get('Message', '')}")
    except (Moot, SecretUnavailable):
        # That the secret is not readable is said once, by the check of that name.
        return None
    except (BotoCoreError, PaidshareError, Refused) as exc:
        return unknown(str(exc))
    except KeyError as exc:
        return unknown(f"the stack, or an answer about it, has no {exc}: is it of this version?")
