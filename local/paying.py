"""`python -m local pay`: one sale, late or not, or the last one's event again, with what must come of each."""

from dataclasses import dataclass

from local import sale
from local.endpoints import Endpoints
from local.letters import Letter
from local.sale import Attempt, Sale, SaleFailed


@dataclass(frozen=True, slots=True)
class Paid:
    """What happened. `letter` is None where none was due, and none came."""

    sale: Sale
    attempt: Attempt
    letter: Letter | None

    def facts(self) -> dict[str, str | int | float | None]:
        """For a table or for JSON."""
        letter = self.letter
        return {
            "session": self.sale.session,
            "event": self.attempt.event,
            "webhook_answer": self.attempt.status,
            "webhook_seconds": self.attempt.seconds,
            "letter_to": ", ".join(letter.to) if letter else None,
            "letter_subject": letter.subject if letter else None,
            "letter_seconds": round(letter.at - self.attempt.at, 3) if letter else None,
        }


def pay_once(to: Endpoints, *, email: str, product: str | None, late: bool) -> Paid:
    """A sale, and the letter that comes of it. Raises SaleFailed when the webhook refuses or no letter comes."""
    before = sale.letter_ids(to)
    made = sale.sell(to, email=email, product=product, late=late)
    _expect(made.attempt, 200)
    if late:
        # Ordered and not paid: nobody may get anything yet.
        sale.nothing_comes(to, besides=before)
        made = sale.settle(to, made)
        _expect(made.attempt, 200)
    letter = sale.wait_for_letter(to, email, besides=before)
    return Paid(made, made.attempt, letter)


def again(to: Endpoints, last: Sale, *, forged: bool) -> Paid:
    """The last sale's event once more. Raises SaleFailed unless it is answered rightly and nothing is sent."""
    before = sale.letter_ids(to)
    attempt = sale.repeat(to, last.attempt.event, forged=forged)
    _expect(attempt, 400 if forged else 200)
    sale.nothing_comes(to, besides=before)
    return Paid(last, attempt, None)


def _expect(attempt: Attempt, status: int) -> None:
    if attempt.status != status:
        said = f"{attempt.status} {attempt.body}".strip() if attempt.status else "nothing at all"
        raise SaleFailed(f"the webhook answered {said}, and {status} was due")
