"""`python -m local pay`: one sale, late or not, or the last one's event again, with what must come of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local import outcome, sale
from local.aws.letters import Letter
from local.hosting.endpoints import Endpoints
from local.sale import Attempt, Order, Sale, SaleFailed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to the order of *session*. `letter` is None where none was due, and none came."""

    session: str
    attempt: Attempt
    letter: Letter | None

    def facts(self) -> dict[str, Any]:
        """For a table or for JSON."""
        letter = self.letter
        return {
            "session": self.session,
            "event": self.attempt.event,
            "webhook_answer": self.attempt.status,
            "webhook_seconds": self.attempt.seconds,
            "events": self.attempt.told,
            "letter_to": ", ".join(letter.to) if letter else None,
            "letter_subject": letter.subject if letter else None,
            "letter_seconds": round(letter.at - self.attempt.at, 3) if letter else None,
        }


type Note = Callable[[Sale], None]
"""Told of a sale as soon as it is made: whatever comes of it, it is the last one."""


def pay_late(to: Endpoints, note: Note, *, email: str, product: str | None, **how: Any) -> Outcome:
    """An order that is not paid yet. Raises SaleFailed when the webhook refuses, or anything comes of it."""
    before = sale.letter_ids(to)
    made = sale.sell(to, email=email, product=product, late=True, **how)
    note(made)
    expect(made.attempt, 200)
    sale.nothing_comes(to, besides=before)
    return Outcome(made.session, made.attempt, None)


def pay(to: Endpoints, note: Note, *, email: str, product: str | None, late: bool, **how: Any) -> Outcome:
    """
    A sale, and the letter that comes of it; *late*, it is paid only after the order.

    Raises SaleFailed, naming the session and the reason, when the webhook refuses or no letter comes.
    """
    before = outcome.before(to)
    if late:
        ordered = pay_late(to, note, email=email, product=product, **how)
        made = sale.settle(to, Order(ordered.session, email))
    else:
        made = sale.sell(to, email=email, product=product, **how)
    note(made)
    expect(made.attempt, 200)
    return Outcome(made.session, made.attempt, outcome.letter(to, made, before))


def again(to: Endpoints, last: Sale, *, forged: bool) -> Outcome:
    """The last sale's event once more. Raises SaleFailed unless it is answered rightly and nothing is sent."""
    before = sale.letter_ids(to)
    attempt = sale.repeat(to, last.attempt.event, forged=forged)
    expect(attempt, 400 if forged else 200)
    sale.nothing_comes(to, besides=before)
    return Outcome(last.session, attempt, None)


def expect(attempt: Attempt, status: int) -> None:
    """Raises SaleFailed unless every event was answered so."""
    if attempt.status != status:
        said = f"{attempt.status} {attempt.body}".strip() if attempt.status else "nothing at all"
        raise SaleFailed(f"the webhook answered {said}, and {status} was due")
    for kind, answer in attempt.told.items():
        if answer != status:
            raise SaleFailed(f"the webhook answered {answer or 'nothing at all'} to {kind}, and {status} was due")
