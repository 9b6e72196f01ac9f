"""A station: a queue, a proxy and workers that see to one case after the other."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from paidshare.feedback.mail_events import Fact, MailEvent
from tests.crash import proxy, scenarios
from tests.crash.bed import Queue, TestBed
from tests.crash.proxy import Call, Proxy, Strike
from tests.crash.workers import End, Worker, Workers, workers

_BATCH = 10
_MOST_LOOKS = 60
_HIDDEN_SECONDS = 6 * 3600


class Station:
    """
    At `bed`, with `queue` for its messages. Nobody waits for the queue's time to pass: a message comes again as soon
    as the test shows it, and `wait` says how long it would have taken.
    """

    def __init__(self, bed: TestBed, queue: Queue, between: Proxy, fleet: Workers) -> None:
        self.bed = bed
        self.queue = queue
        self.proxy = between
        self._fleet = fleet
        self._worker = Worker()
        self._now_s = 0.0

    def deliver(self, *, now_s: float = 0.0, wrong_by_s: float = 0.0, most: int = _BATCH) -> None:
        """At *now_s* from the beginning, a worker whose clock is *wrong_by_s* ahead takes up to *most* messages."""
        self._start("deliver", now_s, wrong_by_s, most)

    def receive(self, event: dict[str, Any], *, now_s: float) -> End:
        """At *now_s* from the beginning, a worker is invoked with *event*."""
        self._start("receive", now_s, 0.0, event)
        return self._worker.wait()

    def _start(self, role: str, now_s: float, wrong_by_s: float, event: object) -> None:
        self._now_s = now_s
        self.proxy.calls.clear()
        self._worker = self._fleet.start(role, ahead_s=now_s + wrong_by_s, event=event)
        self.proxy.victim = self._worker.pid

    def wait(self, *, ses_tells: bool = True) -> tuple[End, dict[str, float]]:
        """
        How the worker ended, and in how many seconds the queue would show each message again that it did not finish,
        by receipt handle. Until the test shows them they stay hidden.

        *ses_tells*: SES's event of each letter that it took has arrived when this returns.
        """
        end = self._worker.wait()
        calls = [call for call in self.proxy.calls if call.status == 200]
        for call in calls if ses_tells else ():
            if call.name == scenarios.SES:
                tags = {tag["Name"]: tag["Value"] for tag in call.told["EmailTags"]}
                at = datetime.now(UTC) + timedelta(seconds=self._now_s)
                self.bed.ses_tells(
                    MailEvent(tags["order"], tags["letter"], call.heard["MessageId"], Fact.SENT, at, permanent=False)
                )
        waits = _waits(calls, usual=self.bed.visibility_s)
        for handle in waits:
            self._show_in(_HIDDEN_SECONDS, handle)
        return end, waits

    def show(self, handle: str) -> None:
        """The message of that receipt handle is there again."""
        self._show_in(0, handle)

    def _show_in(self, seconds: int, handle: str) -> None:
        self.bed.stack.aws.sqs.change_message_visibility(
            QueueUrl=self.queue.url, ReceiptHandle=handle, VisibilityTimeout=seconds
        )


def _waits(calls: list[Call], *, usual: float) -> dict[str, float]:
    """Lambda's poller deletes what is done; SQS hides the rest for its *usual* time, or for what was set last."""
    waits: dict[str, float] = {}
    for call in calls:
        match call.name:
            case scenarios.TAKE:
                waits |= {message["ReceiptHandle"]: usual for message in call.heard.get("Messages", [])}
            case scenarios.DELETE:
                waits.pop(call.told["ReceiptHandle"], None)
            case scenarios.PUT_OFF:
                waits[call.told["ReceiptHandle"]] = float(call.told["VisibilityTimeout"])
            case scenarios.PUT_OFF_ALL:
                refused = {entry["Id"] for entry in call.heard.get("Failed", [])}
                waits |= {
                    entry["ReceiptHandle"]: float(entry["VisibilityTimeout"])
                    for entry in call.told["Entries"]
                    if entry["Id"] not in refused
                }
    return waits


@contextlib.contextmanager
def station(bed: TestBed, log: Path, *, queue: Queue | None = None) -> Iterator[Station]:
    """One, while the block runs, with a queue of its own or at *queue*."""
    queue = queue or bed.queue()
    with (
        proxy.proxy(aws_url=bed.stack.aws.url, stripe_url=bed.stripe_url, fastio_url=bed.fastio_url) as between,
        workers(log, bed.environ(queue) | between.environ()) as fleet,
    ):
        yield Station(bed, queue, between, fleet)


@dataclass(slots=True)
class Way:
    """What it took: how many workers, how many of them were killed, and the queue's waits, added up."""

    workers: int = 0
    killed: int = 0
    seconds: float = 0.0


class Case:
    """
    Messages on a station's queue, and the workers that see to them, one after the other.

    `names` are all calls that reached whom they were for. The station is the case's alone until it ends.
    """

    def __init__(self, on: Station, *bodies: str, ses_tells: bool = True) -> None:
        self.station = on
        self._ses_tells = ses_tells
        self.way = Way()
        self.names: list[str] = []
        self._hidden: dict[str, float] = {}
        sqs = on.bed.stack.aws.sqs
        for url in (on.queue.url, on.queue.dead_url):
            sqs.purge_queue(QueueUrl=url)  # What a failed case before this one left.
        on.proxy.arm()
        for body in bodies:
            sqs.send_message(QueueUrl=on.queue.url, MessageBody=body)

    def arm(self, *strikes: Strike) -> None:
        self.station.proxy.arm(*strikes)

    def look(self, *, wrong_by_s: float = 0.0) -> End:
        """One worker, whose clock is *wrong_by_s* ahead, when there is a message for it."""
        self._until_a_message_shows()
        self.station.deliver(now_s=self.way.seconds, wrong_by_s=wrong_by_s)
        return self.finish()

    def finish(self, on: Station | None = None) -> End:
        """Wait for the station's worker, or the one *on* another station at the same queue."""
        at = on or self.station
        end, waits = at.wait(ses_tells=self._ses_tells)
        self._hidden |= {handle: self.way.seconds + wait for handle, wait in waits.items()}
        self.names += [call.name for call in at.proxy.calls]
        self.way.workers += 1
        self.way.killed += end.killed
        return end

    def come_again(self, at_s: float) -> None:
        """It is *at_s* seconds after the beginning, and every message is there: somebody sent it once more."""
        self.way.seconds = at_s
        self._hidden = dict.fromkeys(self._hidden, at_s)

    def _until_a_message_shows(self) -> None:
        """Pass the time until the next one is due, if there is none."""
        if self._hidden and not self.station.bed.visible(self.station.queue.url):
            self.way.seconds = max(self.way.seconds, min(self._hidden.values()))
        for handle, due in list(self._hidden.items()):
            if due <= self.way.seconds:
                self.station.show(handle)
                del self._hidden[handle]

    def play(self) -> Way:
        """Workers, until nothing is on the queue."""
        while self.station.bed.waiting(self.station.queue.url):
            assert self.way.workers < _MOST_LOOKS, f"{self.way}: {self.names[-12:]}"
            self.look()
        return self.way

    def left(self) -> tuple[int, int]:
        """How many messages are on the queue, and on the dead-letter queue."""
        return self.station.bed.waiting(self.station.queue.url), self.station.bed.waiting(self.station.queue.dead_url)
