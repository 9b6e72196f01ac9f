"""The command that shows how the shop is, on one screen."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from operate.answers import Answer, Code
from operate.orders.mending import Whose, whose
from operate.printing import ago, letters_of
from operate.stacks import Stack
from paidshare.aws import DeadLetters, DynamoCheckpoint, DynamoOrderIndex, SqsReconcileQueue, summary
from paidshare.errors import PaidshareError
from paidshare.states import State

_STUCK_AFTER = timedelta(minutes=10)
"""Deliver comes to the end of an order within seconds; after ten minutes of trying something is in the way."""
_SWEEP_LATE_AFTER = timedelta(minutes=30)
"""A round begins every five minutes (template.yaml)."""
_WHO = {Whose.SELLER: "you", Whose.PROVIDER: "a provider", Whose.PAIDSHARE: "Paidshare"}


@dataclass(frozen=True, slots=True)
class Dead:
    """The cases in the dead-letter queue: how many whom, and since when the oldest."""

    cases: Counter[Whose]
    oldest: datetime | None

    @property
    def total(self) -> int:
        return self.cases.total()


@dataclass(frozen=True, slots=True)
class Shop:
    """
    How a shop is at *now*. `queued` are notices that wait, `on_hold` orders that wait for a person, `stuck` those that
    nobody came to the end of for minutes; `swept_at` is when the sweep last came to the end of every list, `drift` what
    it found missing, and `late` how often this month an order had to wait for minutes; None where that is not known.
    `made_at` is when the stack was made: a young one need not be swept yet.
    """

    now: datetime
    queued: int
    on_hold: int
    stuck: tuple[str, ...]
    dead: Dead
    swept_at: datetime | None
    drift: int | None
    late: int | None
    made_at: datetime | None = None
    gaps: tuple[str, ...] = ()

    @property
    def is_swept(self) -> bool:
        since = self.swept_at or self.made_at
        return since is not None and self.now - since < _SWEEP_LATE_AFTER

    @property
    def next_command(self) -> tuple[str, str | None]:
        """The one thing to do next: in words, and the command that begins it. The words alone where all is well."""
        if self.dead.total:
            return f"{letters_of(self.dead.total)} to see to.", "paidshare dead"
        if self.stuck:
            return "An order does not come on.", f"paidshare why {self.stuck[0]}"
        if self.on_hold:
            return "Orders wait for a person, and their dead letters are gone.", "paidshare redrive --all"
        if self.drift:
            return "Orders were missing, and were asked for. Is the webhook at Stripe in order?", None
        if not self.is_swept:
            return "The sweep has not come to its end for half an hour: see its log.", None
        return "All is well.", None

    @property
    def wrong(self) -> bool:
        return bool(self.dead.total or self.on_hold or self.stuck or self.drift or not self.is_swept)


def status(to: Stack) -> Answer:
    """
    How the shop is, and the one thing to do next.

    What waits, for whom, since when. Changes nothing; exits with 1 when something is wrong.
    """
    shop = seen(to, now=datetime.now(UTC))
    code = Code.WRONG if shop.wrong else Code.NOT_KNOWN if shop.gaps else Code.GOOD
    return Answer(_data(to, shop), _words(to, shop), code, [f"? not known: {gap}" for gap in shop.gaps])


def seen(to: Stack, *, now: datetime) -> Shop:
    """Raises what AWS raises for queues and tables; its figures may stay unknown."""
    gaps: list[str] = []
    on_hold, stuck = _unsettled(to, now)
    return Shop(
        now=now,
        queued=SqsReconcileQueue(to.sqs, queue_url=to.queue_url).backlog(),
        on_hold=on_hold,
        stuck=stuck,
        dead=_dead(to),
        swept_at=_swept_at(to),
        drift=_figure(gaps, lambda: _last(to, "Drift", now)),
        late=_figure(gaps, lambda: _sum_of_month(to, "LateOrders", now)),
        made_at=to.made_at,
        gaps=tuple(dict.fromkeys(gaps)),
    )


def _unsettled(to: Stack, now: datetime) -> tuple[int, tuple[str, ...]]:
    index = DynamoOrderIndex(to.dynamodb, to.orders_table)
    # A moment ahead: orders are known by the second.
    orders = [*index.unsettled(before=now + timedelta(seconds=1))]
    known = index.known(one.order_id for one in orders)
    states = {one.order_id: known[one.order_id].state for one in orders if one.order_id in known}
    stuck = tuple(
        one.order_id
        for one in sorted(orders, key=lambda each: each.since)
        if states.get(one.order_id) is State.NEW and now - one.since > _STUCK_AFTER
    )
    return sum(state is State.ON_HOLD for state in states.values()), stuck


def _dead(to: Stack) -> Dead:
    with DeadLetters(to.sqs, dead_letter_url=to.dead_letter_url, queue_url=to.queue_url).held() as letters:
        cases = {one.case for one in letters}
        oldest = min((one.since for one in letters), default=None)
    return Dead(Counter(whose(reason) for _, reason in cases), oldest)


def _swept_at(to: Stack) -> datetime | None:
    """When the list began that the sweep came to the end of longest ago; Fast.io's, once an hour, is not counted."""
    place = DynamoCheckpoint(to.dynamodb, to.events_table).place()
    reached = [track.reached for name, track in place.items() if name != "shares"]
    return min((one for one in reached if one), default=None) if all(reached) else None


def _figure(gaps: list[str], ask: Callable[[], int | None]) -> int | None:
    """A figure of CloudWatch's. The shop's own health does not hang on it."""
    try:
        return ask()
    except ClientError as exc:
        gaps.append(summary("CloudWatch", exc))
    except (BotoCoreError, PaidshareError) as exc:
        gaps.append(f"CloudWatch: {type(exc).__name__}")
    return None


def _last(to: Stack, metric: str, now: datetime) -> int | None:
    points = _points(to, metric, since=now - timedelta(hours=1), now=now, period=300)
    return int(max(points, key=lambda one: one["Timestamp"])["Sum"]) if points else None


def _sum_of_month(to: Stack, metric: str, now: datetime) -> int:
    since = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return int(sum(one["Sum"] for one in _points(to, metric, since=since, now=now, period=86_400)))


def _points(to: Stack, metric: str, *, since: datetime, now: datetime, period: int) -> list[Any]:
    answer = to.cloudwatch.get_metric_statistics(
        Namespace="Paidshare",
        MetricName=metric,
        Dimensions=[{"Name": "stage", "Value": to.stage}],
        StartTime=since,
        EndTime=now,
        Period=period,
        Statistics=["Sum"],
    )
    return list(answer["Datapoints"])


def _words(to: Stack, shop: Shop) -> list[RenderableType]:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value, good in _lines(shop):
        table.add_row(name, Text(value, "" if good else "red"))
    words, command = shop.next_command
    head = Text.assemble((to.name, "bold"), f"  {shop.now:%Y-%m-%d %H:%M} UTC")
    step = Text.assemble(("→ ", "bold"), words, ("  " + command if command else "", "bold"))
    return [head, table, step]


def _lines(shop: Shop) -> list[tuple[str, str, bool]]:
    dead = ", ".join(f"{count} for {_WHO[who]}" for who, count in sorted(shop.dead.cases.items()))
    return [
        ("waiting in the queue", str(shop.queued), True),
        ("do not come on", str(len(shop.stuck)), not shop.stuck),
        ("wait for a person", str(shop.on_hold), not shop.on_hold),
        ("dead letters", dead or "none", not shop.dead.total),
        ("oldest dead letter", ago(shop.dead.oldest, shop.now) if shop.dead.oldest else "–", True),
        ("last full sweep", ago(shop.swept_at, shop.now), shop.is_swept),
        ("missing at the last round", "not known" if shop.drift is None else str(shop.drift), not shop.drift),
        ("late looks this month", "not known" if shop.late is None else str(shop.late), True),
    ]


def _data(to: Stack, shop: Shop) -> dict[str, Any]:
    words, command = shop.next_command
    return {
        "stack": to.name,
        "at": shop.now.isoformat(timespec="seconds"),
        "queued": shop.queued,
        "on_hold": shop.on_hold,
        "stuck": [*shop.stuck],
        "dead": {who.value: shop.dead.cases[who] for who in Whose},
        "oldest_dead": shop.dead.oldest.isoformat() if shop.dead.oldest else None,
        "swept_at": shop.swept_at.isoformat() if shop.swept_at else None,
        "drift": shop.drift,
        "late_this_month": shop.late,
        "next": {"words": words, "command": command},
        "gaps": [*shop.gaps],
    }
