"""
A shop in simulated time, and what CloudWatch gets to see of it: the lines that the real functions print, and the counts
that AWS's services keep of themselves.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError

from functions.deliver import handler as deliver
from paidshare.aws import DynamoMailLog, SqsIntake
from paidshare.errors import LedgerUnavailable, QueueUnavailable
from paidshare.settings import Policy
from simulation import shop as shops
from simulation.aws.ses import SESv2
from simulation.aws.sqs import Message, Queue
from simulation.chance import Chance
from simulation.clock import START
from simulation.faults import Faults, Rates
from simulation.functions import Lambda, answering, simulated_time
from simulation.shop import Simulated
from simulation.stripe.account import Event, Purchase
from simulation.stripe.acts import buys
from simulation.wiring import DEAD, WORDS, WORK, Delivering, Wiring
from tests.cloudwatch import Metrics

STAGE = "simulated"
MINUTE_S, HOUR_S = 60.0, 3600.0
_ROUND_S = 300.0
# SQS keeps no metrics of a queue that was empty, and asked for nothing, for so long.
_QUEUE_RESTS_AFTER_S = 6 * HOUR_S
_QUEUES = {WORK: "Queue", WORDS: "MailQueue", DEAD: "DeadLetterQueue"}


class _Lines:
    """Standard output: each line in the embedded format is a metric of that moment."""

    def __init__(self, take: Callable[[dict[str, Any]], None]) -> None:
        self._take = take
        self._text = ""

    def write(self, text: str) -> int:
        *lines, self._text = (self._text + text).split("\n")
        for line in lines:
            self._take(json.loads(line))
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""


class _Told(Delivering):
    """A container of Deliver that prints what it counted, as the handler does at the end of a batch."""

    def begin(self, messages: list[Message], request_id: str, left: timedelta) -> Callable[[Any], None]:
        del messages

        def work(one: Any) -> None:
            deadline = self.container.shop.clock() + left - deliver.TO_FINISH
            invocation = deliver.Invocation(self.container, request_id, deadline)
            try:
                deliver.work(one, invocation)
            finally:
                invocation.tally.publish(self.container.stage)

        return work


class _Wiring(Wiring):
    def deliver(self) -> Delivering:
        made = super().deliver()
        return _Told(made.container, made.is_earlier)


@dataclass(slots=True)
class WatchedShop:
    """`sells` at these moments; `metrics` are what CloudWatch has. Times are seconds since the beginning."""

    metrics: Metrics = field(default_factory=Metrics)
    is_sweeping: bool = True
    shop: Simulated = field(init=False)
    _last_message: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        policy = Policy(livemode=False, link_days=7)
        self.shop = Simulated(
            Chance(0), Faults(Chance(0), Rates()), policy, share_limit=1_000, most_at_once=2, trace=lambda _line: None
        )
        self.shop.wiring = _Wiring(self.shop)

    def sale(self, number: int, goods: str = "guide", *, by: int | None = None) -> None:
        """Somebody buys now, buyer *by* else one of their own. The endpoint is sent the one event that tells of it."""
        account, now = self.shop.account, self.shop.clock.now
        buyer = Purchase(number, f"buyer-{number if by is None else by}@buyers.simulated", now)
        for place, (kind, about, thing) in enumerate(buys(account, buyer, [self.shop.products[goods]], "card", now)):
            event = Event(f"evt_{number}x{place}", kind, about, now, thing)
            account.events.append(event)
            if kind == "checkout.session.completed":
                self.shop.told(number, event)

    def at(self, seconds: float, what: Callable[[], object]) -> None:
        self.shop.clock.at(START + seconds, what)

    def run(self, hours: float) -> Metrics:
        """So many hours, and what was seen of them."""
        clock, end = self.shop.clock, START + hours * HOUR_S
        self._every(MINUTE_S, self._sample)
        self._every(_ROUND_S, self._round)
        with self._watched():
            clock.run(until=end)
            clock.end()
        return self.metrics

    # --- What AWS counts of itself --------------------------------------------------------------------------

    def count(self, namespace: str, name: str, value: float, **dimensions: str) -> None:
        self.metrics.put(namespace, name, dimensions, value, self.shop.clock.now)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        receive, begin = Queue.receive, Lambda.begin
        webhook: Callable[..., None] = answering

        def received(queue: Queue, most: int) -> list[Message]:
            found = receive(queue, most)
            self._of_queue(queue.name, "NumberOfMessagesReceived", len(found))
            return found

        def begun(one: Lambda, work: Any, *, scope: str, after: Callable[[bool], None]) -> Any:
            name = one.name.capitalize()

            def ended(came_to_its_end: bool) -> None:  # noqa: FBT001
                self.count("AWS/Lambda", "Errors", float(not came_to_its_end), FunctionName=name)
                after(came_to_its_end)

            return begin(one, work, scope=scope, after=ended)

        def answered(*given: Any) -> None:
            *most, told = given

            def seen(status: int) -> None:
                of_stage = {"ApiId": "Api", "Stage": "$default"}
                self.count("AWS/ApiGateway", "Count", 1, **of_stage)
                self.count("AWS/ApiGateway", "4xx", float(400 <= status < 500), **of_stage)
                self.count("AWS/ApiGateway", "5xx", float(status >= 500), **of_stage)
                told(status)

            webhook(*most, seen)

        with ExitStack() as patched:
            for target, name, new in (
                (Queue, "receive", received),
                (Lambda, "begin", begun),
                (shops, "answering", answered),
            ):
                patched.enter_context(mock.patch.object(target, name, new))
            patched.enter_context(simulated_time(self.shop.clock))
            patched.enter_context(redirect_stdout(_Lines(self._printed)))
            yield

    def _printed(self, line: dict[str, Any]) -> None:
        self.metrics.take(line, self.shop.clock.now)

    def _every(self, seconds: float, what: Callable[[], None]) -> None:
        def again() -> None:
            what()
            self.shop.clock.at(self.shop.clock.now + seconds, again)

        self.shop.clock.at(START, again)

    def _round(self) -> None:
        if self.is_sweeping:
            self.shop.round()

    def _sample(self) -> None:
        now = self.shop.clock.now
        for name in _QUEUES:
            queue = self.shop.queues[name]
            if queue.messages:
                self._last_message[name] = now
            if now - self._last_message.get(name, -1e9) < _QUEUE_RESTS_AFTER_S:
                visible = queue.waiting()
                self._of_queue(name, "NumberOfMessagesReceived", 0)
                self._of_queue(name, "ApproximateNumberOfMessagesVisible", visible)
                self._of_queue(name, "ApproximateNumberOfMessagesNotVisible", len(queue.messages) - visible)

    def _of_queue(self, name: str, metric: str, value: float) -> None:
        self.count("AWS/SQS", metric, value, QueueName=f"{_QUEUES[name]}.QueueName")


# --- What goes wrong --------------------------------------------------------------------------------------------


@contextmanager
def queue_out_of_reach(_watched: WatchedShop) -> Iterator[None]:
    """Receive answers 503 to everything."""

    def out_of_reach(*_given: object) -> Any:
        raise QueueUnavailable("SQS SendMessage: AccessDenied")

    with mock.patch.object(SqsIntake, "take", out_of_reach):
        yield


@contextmanager
def another_signing_secret(watched: WatchedShop) -> Iterator[None]:
    """The endpoint's secret was rolled at Stripe, and not put into ours."""
    keys = watched.shop.keys
    before = keys.signing
    keys.signs("whsec_of_tomorrow")
    yield
    keys.signs(*before)


@contextmanager
def plan_full(watched: WatchedShop) -> Iterator[None]:
    """Fast.io makes no share more."""
    state = watched.shop.host.state
    before, state.share_limit = state.share_limit, 0
    yield
    state.share_limit = before


@contextmanager
def bought_twice(watched: WatchedShop) -> Iterator[None]:
    """A buyer pays once more for the same, at once."""
    for number in (1_000, 1_001):
        watched.sale(number, by=1_000)
    yield


@contextmanager
def stripe_key_revoked(watched: WatchedShop) -> Iterator[None]:
    keys = watched.shop.keys
    before = keys.stripe
    keys.takes("stripe")
    yield
    keys.takes("stripe", *before)


@contextmanager
def sender_not_verified(_watched: WatchedShop) -> Iterator[None]:
    def rejected(*_given: object, **_more: object) -> Any:
        error: Any = {"Error": {"Code": "MessageRejected"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        raise ClientError(error, "SendEmail")

    with mock.patch.object(SESv2, "send_email", rejected):
        yield


@contextmanager
def deliver_crashes(_watched: WatchedShop) -> Iterator[None]:
    """As a broken deploy does, at every start."""

    def crashes(*_given: object, **_more: object) -> Any:
        raise ImportError("paidshare")

    with mock.patch.object(_Told, "begin", crashes):
        yield


@contextmanager
def mail_log_out_of_reach(_watched: WatchedShop) -> Iterator[None]:
    """Feedback's role may not write to the Orders table any more."""

    def denied(*_given: object) -> Any:
        raise LedgerUnavailable("DynamoDB UpdateItem: AccessDeniedException")

    with mock.patch.object(DynamoMailLog, "note", denied):
        yield


@contextmanager
def sweep_switched_off(watched: WatchedShop) -> Iterator[None]:
    watched.is_sweeping = False
    yield
    watched.is_sweeping = True


@contextmanager
def events_lost(watched: WatchedShop) -> Iterator[None]:
    """The endpoint is disabled at Stripe."""
    del watched
    with mock.patch.object(Simulated, "told", return_value=None):
        yield


def _trigger_off(watched: WatchedShop, queue: str) -> Iterator[None]:
    found = watched.shop.queues[queue]
    before, found.arrived = found.arrived, lambda _at: None
    yield
    found.arrived = before
    before(watched.shop.clock.now)


@contextmanager
def deliver_switched_off(watched: WatchedShop) -> Iterator[None]:
    yield from _trigger_off(watched, WORK)


@contextmanager
def feedback_switched_off(watched: WatchedShop) -> Iterator[None]:
    yield from _trigger_off(watched, WORDS)
