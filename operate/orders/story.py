"""An order's story in sentences, each with who says so, and what to do about it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from operate.orders import mending, outcome
from operate.orders.at_stripe import Happened
from operate.orders.ledger import Row
from paidshare.delivering.catalog import FILES, WORKSPACE
from paidshare.orders import Order
from paidshare.states import State, Why
from paidshare.sweeping.rounds import ListedShare
from paidshare.wishes import Refused

_SOON = timedelta(minutes=5)
_TWICE_WITHIN = timedelta(hours=24)
_OF_A_LETTER = {
    "sent": "took the letter",
    "delivered": "the buyer's mail server took the letter",
    "delayed": "the letter does not get through at the moment; SES goes on trying",
    "bounced": "the letter bounced: the address does not exist, or takes no mail",
    "complained": "the buyer called the letter spam",
    "rejected": "took something in the letter for malware, and did not send it",
}
_CORRECTED = {
    "": "the buyer corrected the address; what the old one got is void",
    Refused.OPENED: "the buyer wished for another address: refused, the files had been opened",
    Refused.NOT_KNOWN: "the buyer wished for another address: refused, Fast.io hides who opened files",
}
_FAILED = ("bounced", "complained", "rejected")


@dataclass(frozen=True, slots=True)
class Facts:
    """
    What is known of an order: the ledger's *row*, Stripe's *order* and *history*, Fast.io's *share*; None for what
    there is not. *gaps* say who could not be asked, and why.
    """

    order_id: str
    row: Row | None = None
    order: Order | None = None
    history: Sequence[Happened] = ()
    share: ListedShare | None = None
    gaps: Sequence[str] = ()

    @property
    def paid_at(self) -> datetime | None:
        return min((one.at for one in self.history if one.words.startswith("paid")), default=None)

    @property
    def products(self) -> tuple[str, ...]:
        return tuple(line.product_name for line in self.order.lines) if self.order else ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """*source* (Stripe, us, Fast.io, SES) says so, of *at*; None for what holds now."""

    at: datetime | None
    source: str
    words: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do: in words, and the *command* that does it, if one does. *wrong*: something is not as it should be."""

    words: str
    command: str | None = None
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    order_id: str
    state: str
    reason: str | None
    products: tuple[str, ...]
    sentences: tuple[Sentence, ...]
    advice: tuple[Advice, ...]
    gaps: tuple[str, ...]


def told(facts: Facts, *, now: datetime) -> Story:
    """The order's story, oldest first, what holds now last."""
    row = facts.row
    dated = [*_of_stripe(facts), *_of_us(row), *_of_letters(row)]
    dated.sort(key=lambda one: one.at.timestamp() if one.at else 0.0)
    return Story(
        order_id=facts.order_id,
        state=row.state if row else "unknown",
        reason=row.reason if row else None,
        products=facts.products,
        sentences=(*dated, *_now(facts, now)),
        advice=tuple(_advice(facts, now)),
        gaps=tuple(facts.gaps),
    )


def bought_twice(all_facts: Sequence[Facts]) -> list[tuple[str, str]]:
    """Pairs of orders (their ids) of the same products, paid within a day of each other, and both kept."""
    paid = [(one.paid_at, one) for one in all_facts if one.order and one.order.payments]
    kept = [(at, one) for at, one in paid if at and one.order and not any(p.refunded for p in one.order.payments)]
    kept.sort(key=lambda pair: pair[0])
    return [
        (first.order_id, second.order_id)
        for i, (at, first) in enumerate(kept)
        for later, second in kept[i + 1 :]
        if first.products == second.products and later - at < _TWICE_WITHIN
    ]


def _of_stripe(facts: Facts) -> Iterator[Sentence]:
    for one in facts.history:
        yield Sentence(one.at, "Stripe", one.words)


def _of_us(row: Row | None) -> Iterator[Sentence]:
    if row is None:
        return
    for name, words in (
        ("first_seen_at", "heard of the order"),
        ("late_told_at", "the buyer was told that the files are late"),
        ("delivered_at", "the link was mailed for the first time"),
        ("mailed_at", "the last letter left"),
        ("closed_at", "access was closed"),
        ("case_told_at", "a person was told"),
        ("dismissed_at", "the case was ended by `dismiss`"),
    ):
        at = row.moment(name)
        # The first letter is the last one, too.
        if at is not None and not (name == "mailed_at" and at == row.moment("delivered_at")):
            yield Sentence(at, "us", words)
    if (corrected_at := row.moment("corrected_at")) is not None:
        yield Sentence(corrected_at, "us", _CORRECTED.get(row.text("correction_refused"), "no other address"))
    if (ruled_at := row.moment("ruled_at")) is not None:
        ruled = {"ended": "the seller ended access", "on_hold": "the seller put access on hold"}
        yield Sentence(ruled_at, "us", ruled.get(row.text("ruled"), "the seller restored access"))
    if (at := row.moment("put_off_at")) is not None:
        yield Sentence(at, "us", f"could not come on: {row.text('put_off')}")


def _of_letters(row: Row | None) -> Iterator[Sentence]:
    for fact, words in _OF_A_LETTER.items():
        at = row.moment(f"letter_{fact}_at") if row else None
        if at is not None:
            yield Sentence(at, "SES", words)


def _now(facts: Facts, now: datetime) -> Iterator[Sentence]:
    row = facts.row
    if row is not None:
        state = f"{row.state}:{row.reason}" if row.reason and row.state != State.ELSEWHERE else f"{row.state}:"
        yield Sentence(None, "us", outcome.in_words(state))
    if facts.share is not None:
        yield Sentence(None, "Fast.io", _of_the_share(facts.share, now))
    elif (ends := row.moment("share_expires_at") if row else None) is not None:
        yield Sentence(None, "us", f"the link's end: {ends:%Y-%m-%d %H:%M} UTC")


def _of_the_share(share: ListedShare, now: datetime) -> str:
    if share.archived:
        return "the link is closed"
    if share.expires_at is None:
        return "the link works"
    word = "works until" if share.expires_at > now else "ran out on"
    return f"the link {word} {share.expires_at:%Y-%m-%d %H:%M} UTC"


def _advice(facts: Facts, now: datetime) -> Iterator[Advice]:
    row, name = facts.row, facts.order_id
    if row is None:
        yield Advice(
            "The ledger has never heard of it. To deliver what is due:", f"paidshare resend {name}", wrong=True
        )
        return
    if (put_off := row.text("put_off")) and row.state != State.ON_HOLD:
        yield Advice(f"It waits for: {put_off}. When that is mended, it goes on by itself, or at once by a look.",
                     f"paidshare look {name}", wrong=True)  # fmt: skip
    match row.state:
        case State.ON_HOLD:
            yield Advice(_case(row, facts.order), f"paidshare redrive {name}", wrong=True)
        case State.NEW if not put_off:
            yield Advice("Nobody has come to the end of a look at it yet.", f"paidshare look {name}", wrong=True)
        case State.NOT_OURS:
            yield from _not_ours(facts.order)
        case State.ACCESS_ENDED | State.ACCESS_ON_HOLD:
            yield _without_access(row)
        case State.DELIVERED:
            yield from _delivered(row, facts.share, now)
        case State.WAITING:
            yield Advice("It is not paid, as far as Stripe says. When it is, it is delivered by itself.")


def _case(row: Row, order: Order | None) -> str:
    words = mending.advice(row.reason) or "See `paidshare dead`."
    return " ".join([words, *mending.misspelt(order.lines if order else ())])


def _not_ours(order: Order | None) -> Iterator[Advice]:
    misspelt = [*mending.misspelt(order.lines if order else ())]
    words = f"No product in it says what to deliver: {WORKSPACE} and {FILES} in its metadata do."
    yield Advice(" ".join([words, *misspelt]), wrong=bool(misspelt))


def _without_access(row: Row) -> Advice:
    name = row.order_id
    match row.reason:
        case Why.EXPIRED:
            return Advice("The link ran out by itself. To give it some days more:", f"paidshare extend {name} --days 7")
        case Why.ENDED_BY_SELLER | Why.HELD_BY_SELLER:
            return Advice("That was the seller's word. To give access back:", f"paidshare restore {name}")
        case _:
            reason = (row.reason or "no reason").replace("_", " ")
            return Advice(f"That is as Stripe has it ({reason}), and changes when that does. Nothing to do.")


def _delivered(row: Row, share: ListedShare | None, now: datetime) -> Iterator[Advice]:
    name = row.order_id
    if (failed := _failed_letter(row)) is not None:
        words = f"The buyer has no letter ({failed}). With an address that works:"
        yield Advice(words, f"paidshare resend {name} --to ADDRESS", wrong=True)
        return
    ends = (share.expires_at if share else None) or row.moment("share_expires_at")
    if ends is not None and ends <= now:
        yield Advice("The link ran out by itself. To give it some days more:", f"paidshare extend {name} --days 7")
        return
    if share is not None and share.archived:
        yield Advice(
            "Somebody closed the link in Fast.io. To open it and mail it:", f"paidshare resend {name}", wrong=True
        )
        return
    sent, there = row.moment("letter_sent_at"), row.moment("letter_delivered_at")
    if sent and (there is None or there < sent) and now - sent > _SOON:
        yield Advice("SES has not heard from the buyer's mail server yet; it goes on trying.", f"paidshare why {name}")
        return
    yield Advice("All is as it should be. If the buyer has no letter, or gave a wrong address:",
                 f"paidshare resend {name} [--to ADDRESS]")  # fmt: skip


def _failed_letter(row: Row) -> str | None:
    """What became of the last letter, if that was the end of it."""
    sent = row.moment("letter_sent_at")
    for fact in _FAILED:
        at = row.moment(f"letter_{fact}_at")
        if at is not None and (sent is None or at >= sent):
            return fact
    return None
