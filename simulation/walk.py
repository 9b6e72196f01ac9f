"""
What the buyers and Stripe do in one run: a random walk over what can become of a purchase, written down beforehand.

It is a list of acts, so that a run can be told again with fewer of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from simulation.chance import Chance
from simulation.clock import START
from simulation.stripe.account import DAY_S, PERIOD_S
from simulation.stripe.acts import Act

ONCE = (("guide",), ("atlas",), ("guide", "atlas"), ("guide", "mug"), ("mug",), ("lamp",))
_HURRIED = 0.3
"""The share of runs in which everything happens at once."""
_WARNED, _RULED, _VISITS = 0.15, 0.15, 0.3
_HOWS = ("card", "card", "card", "bank", "free", "invoice", "subscription", "mixed")


@dataclass(frozen=True, slots=True)
class Season:
    """
    A run's length (days of trouble, seconds of peace after it) and how many buy in it.

    `round_s` lies between two rounds of the sweep: five minutes (template.yaml), or several of them were skipped.
    `quiet` is the share of buyers who never come back.
    """

    days: float
    buyers: int
    round_s: float
    peace_s: float = 6 * 3600.0
    quiet: float = 0.0

    @property
    def trouble_ends(self) -> float:
        return START + self.days * DAY_S


def season(chance: Chance) -> Season:
    """
    Half a day or two with much to happen to few buyers, or a crowd of whom hardly any comes back; now and then five
    weeks, in which subscriptions renew and links run out.

    Few buyers each: every run has its own faults, and ten runs of fifty see more than one of five hundred.
    """
    drawn, pace = chance.fixed("season"), chance.one_of("rounds", 300.0, 900.0, 1_800.0)
    if drawn < 0.35:
        return Season(0.1, 900, pace, peace_s=3 * 3600.0, quiet=0.97)
    if drawn < 0.95:
        return Season(0.5, 50, pace) if drawn < 0.85 else Season(2.0, 50, pace)
    return Season(35.0, 40, 1_800.0)


def acts(chance: Chance, found: Season) -> list[Act]:
    """All of the run, in the order of time. No purchase is number 0: an id of zeros only is one that was made up."""
    made = [act for number in range(1, found.buyers + 1) for act in _of_buyer(chance, found, number)]
    return sorted((act for act in made if act.at < found.trouble_ends), key=lambda act: (act.at, act.number))


def _of_buyer(chance: Chance, found: Season, number: int) -> Iterator[Act]:
    name = f"buyer {number}"
    at = START + chance.between(f"{name} when", 0.0, found.days * DAY_S * 0.8)
    how = chance.one_of(f"{name} how", *_HOWS)
    goods = _goods(chance, name, how)
    yield Act(at, number, "buys", f"{how} {','.join(goods)}")
    if how == "bank":
        at += chance.spread(f"{name} bank", 4 * 3600.0)
        yield Act(at, number, "fails" if chance.happens(f"{name} fails", 0.25) else "settles")
    if chance.happens(f"{name} visits", _VISITS):
        yield from _visits(chance, found, number, at)
    if chance.happens(f"{name} quiet", found.quiet):
        return
    if how in ("subscription", "mixed"):
        yield from _subscribed(chance, found, number, at)
    if chance.fixed("hurried") < _HURRIED and how not in ("subscription", "mixed"):
        yield from _back_and_forth(chance, number, at)
    else:
        yield from _money(chance, number, at)


def _visits(chance: Chance, found: Season, number: int, at: float) -> Iterator[Act]:
    """The buyer comes to the order's page: at once, and now and then again."""
    name = f"visits {number}"
    for _ in range(chance.one_of(f"{name} times", 1, 1, 2, 4)):
        at += chance.spread(f"{name} wait", chance.one_of(f"{name} pace", 2.0, 600.0, found.days * DAY_S / 4))
        yield Act(at, number, "visits")


def _goods(chance: Chance, name: str, how: str) -> tuple[str, ...]:
    if how == "subscription":
        return ("club",)
    if how == "mixed":
        return ("club", "atlas")
    return chance.one_of(f"{name} goods", *ONCE)


def _back_and_forth(chance: Chance, number: int, at: float) -> Iterator[Act]:
    """Money goes back, and does not, within the seconds in which somebody is at work on it."""
    name = f"hurried {number}"
    for _ in range(chance.whole(f"{name} times", 1, 6)):
        for what, detail in (("refunds", "all"), ("refund_fails", "")):
            at += chance.spread(f"{name} wait", chance.one_of(f"{name} pace", 1.0, 5.0, 30.0, 300.0))
            yield Act(at, number, what, detail)
    if chance.happens(f"{name} ends", 0.5):
        yield Act(at + chance.spread(f"{name} last", 20.0), number, "refunds", "all")


def _money(chance: Chance, number: int, at: float) -> Iterator[Act]:
    """Refunds and disputes: seconds apart, or days; and before them, now and then, a warning of fraud."""
    name = f"money {number}"
    if chance.happens(f"{name} warned", _WARNED):
        warned = at + chance.spread(f"{name} warning", chance.one_of(f"{name} warning pace", 10.0, 600.0, 6 * 3600.0))
        yield Act(warned, number, "is_warned_of")
        if chance.happens(f"{name} safe", 0.5):
            yield Act(warned + chance.spread(f"{name} safe after", 3_600.0), number, "is_called_safe")
    if chance.happens(f"{name} ruled", _RULED):
        yield from _ruled(chance, number, at)
    for _ in range(chance.one_of(f"{name} times", 0, 0, 0, 1, 1, 2, 3, 4)):
        at += chance.spread(f"{name} wait", chance.one_of(f"{name} pace", 10.0, 600.0, 6 * 3600.0))
        what, detail = chance.one_of(
            f"{name} what",
            ("refunds", "all"),
            ("refunds", "all"),
            ("refunds", "part"),
            ("refund_fails", ""),
            ("disputes", ""),
            ("disputes", "inquiry"),
            ("dispute_ends", "won"),
            ("dispute_ends", "lost"),
            ("credits", ""),
            ("wishes", "resend"),
        )
        yield Act(at, number, what, detail)
        if what == "disputes" and not detail:
            at += chance.spread(f"{name} bank", chance.one_of(f"{name} bank pace", 60.0, 3600.0, 2 * DAY_S))
            yield Act(at, number, "dispute_ends", chance.one_of(f"{name} verdict", "won", "won", "lost"))


def _ruled(chance: Chance, number: int, at: float) -> Iterator[Act]:
    """The operator ends or holds access, and now and then gives it back, at once or later."""
    name = f"ruled {number}"
    for _ in range(chance.one_of(f"{name} times", 1, 1, 2)):
        # A second apart: a notice's moment is known by the second, and the queue keeps no order.
        at += 1 + chance.spread(f"{name} wait", chance.one_of(f"{name} pace", 10.0, 600.0, 6 * 3600.0))
        yield Act(at, number, "wishes", chance.one_of(f"{name} what", "end", "hold"))
        if chance.happens(f"{name} restored", 0.7):
            at += 1 + chance.spread(f"{name} thinks", chance.one_of(f"{name} thinking", 5.0, 600.0, 3600.0))
            yield Act(at, number, "wishes", "restore")


def _subscribed(chance: Chance, found: Season, number: int, began: float) -> Iterator[Act]:
    name = f"subscription {number}"
    at = began
    for _ in range(chance.one_of(f"{name} changes", 0, 0, 1, 1, 2)):
        at += chance.spread(f"{name} wait", chance.one_of(f"{name} pace", 60.0, 3600.0, 2 * DAY_S))
        what, detail = chance.one_of(
            f"{name} what",
            ("switches", "canceled"),
            ("switches", "paused"),
            ("switches", "active"),
            ("changes_plan", "plus"),
            ("changes_plan", "plus at once"),
            ("changes_plan", "club at once"),
        )
        yield Act(at, number, what, detail)
        if detail == "paused":
            yield Act(at + chance.spread(f"{name} pause", 3600.0), number, "switches", "active")
    for period in range(1, int(found.days * DAY_S // PERIOD_S) + 1):
        start = began + period * PERIOD_S
        paid = not chance.happens(f"{name} refused", 0.25)
        yield Act(start, number, "renews", "paid" if paid else "open")
        if not paid:
            yield from _dunned(chance, name, number, start)


def _dunned(chance: Chance, name: str, number: int, start: float) -> Iterator[Act]:
    """The card was refused: it is tried again, and then it is over, one way or another."""
    at = start + chance.between(f"{name} tries", 1 * DAY_S, 5 * DAY_S)
    end = chance.one_of(f"{name} dunned", "paid", "unpaid", "canceled", "canceled")
    if end != "paid":
        yield Act(at, number, "switches", end)
        at += chance.between(f"{name} thinks", 3600.0, 3 * DAY_S)
    if end == "paid" or chance.happens(f"{name} pays", 0.6):
        yield Act(at, number, "pays_late")
