"""What may happen to an order while a worker is killed, and every call that the worker makes for it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.crash.bed import Ending, Order, TestBed

BOUGHT = "events table: who bought it before"
CLAIM = "ledger: claim the order"
ABOUT_TO_SWITCH = "ledger: the share is about to change"
ABOUT_TO_MAIL = "ledger: a letter is about to leave"
DONE = "ledger: done"
SES = "SES: send the letter"
SECRET = "Secrets Manager: get secret"
CREATE = "Fast.io: create the share"
ADD = "Fast.io: add a file"
ARCHIVE = "Fast.io: archive the share"
UNARCHIVE = "Fast.io: unarchive the share"
GUEST = "Fast.io: open it as a guest"
TAKE, DELETE = "SQS: take the message", "SQS: delete the message"
PUT_OFF, PUT_OFF_ALL = "SQS: put the message off", "SQS: put the messages off"

_ENDS = (ABOUT_TO_MAIL, SES, DONE, DELETE)


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    `calls` are all that one untroubled worker makes, in order; `due` is what there has to be in the end, however often
    workers are killed. `before` is what had happened to the order, and was delivered, before `happens`.
    """

    name: str
    title: str
    calls: tuple[str, ...]
    due: Ending
    happens: Callable[[TestBed, Order], Order]
    before: tuple[Callable[[TestBed, Order], Order], ...] = ()

    @property
    def numbered(self) -> list[tuple[str, int]]:
        """Each call with how many of its name there were by then."""
        seen: Counter[str] = Counter()
        numbered = []
        for name in self.calls:
            seen[name] += 1
            numbered.append((name, seen[name]))
        return numbered

    def step(self, name: str, nth: int) -> str:
        """How the table calls it."""
        return f"{name} ({nth})" if self.calls.count(name) > 1 else name


def _paid(_site: TestBed, order: Order) -> Order:
    return order


def _refunded(bed: TestBed, order: Order) -> Order:
    return bed.happens(order, "/_refund")


def _disputed(bed: TestBed, order: Order) -> Order:
    return bed.happens(order, "/_dispute")


def _won(bed: TestBed, order: Order) -> Order:
    return bed.happens(order, "/_dispute_update", status="won")


DELIVERY = Scenario(
    name="delivery",
    title="A paid order of two files is delivered",
    calls=(
        TAKE,
        CLAIM,
        SECRET,
        "Stripe: get the session",
        BOUGHT,
        "Fast.io: look at the files",
        CREATE,
        ADD,
        ADD,
        GUEST,
        "Fast.io: list the share’s files",
        *_ENDS,
    ),
    due=Ending(state="delivered"),
    happens=_paid,
)
REFUND = Scenario(
    name="refund",
    title="It is refunded: the share closes",
    calls=(
        TAKE,
        SECRET,
        "Stripe: find the session",
        CLAIM,
        "Stripe: get the session",
        ABOUT_TO_SWITCH,
        ARCHIVE,
        *_ENDS,
    ),
    due=Ending(state="access_ended", shut=True, letters=2),
    happens=_refunded,
    before=(_paid,),
)
REOPENING = Scenario(
    name="reopening",
    title="A dispute is won: the share opens again",
    calls=(
        TAKE,
        SECRET,
        "Stripe: find the session",
        CLAIM,
        "Stripe: get the session",
        "Stripe: list the disputes",
        ABOUT_TO_SWITCH,
        "Fast.io: look at the share",
        UNARCHIVE,
        GUEST,
        *_ENDS,
    ),
    due=Ending(state="delivered", letters=3),
    happens=_won,
    before=(_paid, _disputed),
)
EVERY = (DELIVERY, REFUND, REOPENING)
