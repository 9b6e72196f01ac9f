"""
SQS's law, of a standard queue: at least once and now and then twice, in no order; what was received is out of sight for
a while and comes back unless it is deleted; only so many may be out of sight; after so many receives it is a dead
letter, and after its retention it is gone. A group of messages that has more in flight than its share is noisy, and
those of the others are handed out before its own; within that there is no order.

docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html and sqs-fair-queues.html
"""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulation.aws.errors import refused, tried, unanswered
from simulation.chance import Chance
from simulation.clock import Clock
from simulation.outside import Outside

DAY_S = 24 * 3600


@dataclass(slots=True)
class Message:
    """`handle` is the receipt of its last receive; `sent_at` in Unix seconds."""

    id: str
    body: str
    attributes: dict[str, Any]
    sent_at: float
    visible_at: float
    receives: int = 0
    handle: str = ""
    group: str = ""
    in_flight: bool = False


@dataclass(slots=True)
class Queue:
    """`dead_letters` gets what was received `most_receives` times. `arrived` is told when something may be received."""

    name: str
    clock: Clock
    chance: Chance
    visibility_s: float = 360
    retention_s: float = 14 * DAY_S
    most_receives: int | None = None
    dead_letters: "Queue | None" = None
    most_in_flight: int = 120_000
    twice: float = 0.0
    watched: Callable[[Message], None] = lambda _message: None
    arrived: Callable[[float], None] = lambda _at: None
    messages: dict[str, Message] = field(default_factory=dict)
    sent: int = 0
    in_flight: Counter[str] = field(default_factory=Counter)
    """Of each group: how many were received, and are out of sight."""
    _hidden: list[tuple[float, str]] = field(default_factory=list)
    _in_sight: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    """By group, whose turn it is in front. A message that is gone by now may stand here still."""

    def send(
        self, body: str, attributes: dict[str, Any] | None = None, *, group: str = "", delay_s: float = 0.0
    ) -> str:
        self.sent += 1
        now = self.clock.now
        message = Message(f"{self.name}-{self.sent}", body, attributes or {}, now, now + delay_s, group=group)
        self.messages[message.id] = message
        heapq.heappush(self._hidden, (message.visible_at, message.id))
        self.watched(message)
        self.arrived(message.visible_at)
        return message.id

    def receive(self, most: int) -> list[Message]:
        """Up to *most* that are in sight; they are out of sight then."""
        self._forget_the_old()
        self._look_again()
        taken: list[Message] = []
        while len(taken) < most and self.in_flight.total() < self.most_in_flight:
            message = self._next()
            if message is None:
                break
            message.receives += 1
            message.handle = f"{message.id}#{message.receives}"
            message.in_flight = True
            self.in_flight[message.group] += 1
            self.hide(message, self.visibility_s)
            taken.append(message)
        return taken

    def hide(self, message: Message, seconds: float) -> None:
        message.visible_at = self.clock.now + seconds
        heapq.heappush(self._hidden, (message.visible_at, message.id))
        self.arrived(message.visible_at)

    def delete(self, handle: str) -> None:
        """Only the last receipt deletes for sure; one more copy may be on some server, and come again."""
        message = self.named(handle)
        if message is None:
            return
        if self.chance.happens(f"twice {message.id}", self.twice):
            self.hide(message, self.chance.between(f"twice again {message.id}", 1, 600))
            return
        self._landed(message)
        del self.messages[message.id]

    def named(self, handle: str) -> Message | None:
        """The message of its last receipt."""
        found = self.messages.get(handle.partition("#")[0])
        return found if found is not None and found.handle == handle else None

    def waiting(self) -> int:
        now = self.clock.now
        return sum(one.visible_at <= now for one in self.messages.values())

    def _forget_the_old(self) -> None:
        """What was kept for as long as the queue keeps anything is gone; the oldest stand first."""
        while self.messages:
            oldest = next(iter(self.messages.values()))
            if self.clock.now - oldest.sent_at <= self.retention_s:
                return
            self._landed(oldest)
            del self.messages[oldest.id]

    def _look_again(self) -> None:
        """Those that were hidden until now are in sight; who was received too often is a dead letter."""
        now, hidden = self.clock.now, self._hidden
        while hidden and hidden[0][0] <= now:
            at, name = heapq.heappop(hidden)
            message = self.messages.get(name)
            if message is None or message.visible_at != at:
                continue
            self._landed(message)
            if self.most_receives and message.receives >= self.most_receives:
                del self.messages[name]
                if self.dead_letters is not None:
                    self.dead_letters.send(message.body, message.attributes)
                continue
            turn = self.chance.fixed(f"{name} {message.receives}")
            heapq.heappush(self._in_sight.setdefault(message.group, []), (turn, name))

    def _next(self) -> Message | None:
        """The next to be handed out: of a group that is not noisy, as long as one of those has any."""
        there = {group: some[0] for group, some in self._in_sight.items() if self._is_there(some)}
        if not there:
            return None
        flying, groups = self.in_flight.total(), len(there.keys() | +self.in_flight)
        group = min(there, key=lambda one: (self.in_flight[one] * groups > flying, there[one]))
        _, name = heapq.heappop(self._in_sight[group])
        return self.messages[name]

    def _is_there(self, some: list[tuple[float, str]]) -> bool:
        """Whether any of *some* is in sight still; the first one is, then."""
        while some:
            message = self.messages.get(some[0][1])
            if message is not None and message.visible_at <= self.clock.now:
                return True
            heapq.heappop(some)
        return False

    def _landed(self, message: Message) -> None:
        if message.in_flight:
            message.in_flight = False
            self.in_flight[message.group] -= 1


class SQS:
    """What boto3's client of SQS is asked for, over *queues* by URL, tried *attempts* times."""

    def __init__(self, outside: Outside, queues: dict[str, Queue], *, attempts: int) -> None:
        self._outside = outside
        self._queues = queues
        self._attempts = attempts

    def send_message(
        self,
        *,
        QueueUrl: str,
        MessageBody: str,
        MessageAttributes: Any = None,
        MessageGroupId: str = "",
        DelaySeconds: int = 0,
    ) -> dict[str, Any]:
        queue = self._queues[QueueUrl]

        def do() -> dict[str, Any]:
            sent = queue.send(MessageBody, MessageAttributes, group=MessageGroupId, delay_s=DelaySeconds)
            return {"MessageId": sent}

        return self._call("SendMessage", queue.name, do)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        """Now and then SQS takes only some of a batch."""
        queue = self._queues[QueueUrl]

        def do() -> dict[str, Any]:
            taken = []
            for entry in Entries:
                queue.send(entry["MessageBody"], entry.get("MessageAttributes"), group=entry.get("MessageGroupId", ""))
                taken.append({"Id": entry["Id"]})
            return {"Successful": taken, "Failed": []}

        return self._call("SendMessageBatch", f"{queue.name} {len(Entries)}", do)

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int, **more: Any) -> dict[str, Any]:
        queue = self._queues[QueueUrl]
        hidden = more.get("VisibilityTimeout", queue.visibility_s)

        def do() -> dict[str, Any]:
            found = queue.receive(MaxNumberOfMessages)
            for message in found:
                queue.hide(message, hidden)
            return {"Messages": [_shown(message) for message in found]} if found else {}

        return self._call("ReceiveMessage", queue.name, do)

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        queue = self._queues[QueueUrl]

        def do() -> dict[str, Any]:
            for entry in Entries:
                queue.delete(entry["ReceiptHandle"])
            return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

        return self._call("DeleteMessageBatch", queue.name, do)

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> dict[str, Any]:
        queue = self._queues[QueueUrl]
        return self._call(
            "ChangeMessageVisibility", queue.name, lambda: _hidden(queue, ReceiptHandle, VisibilityTimeout)
        )

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        queue = self._queues[QueueUrl]

        def do() -> dict[str, Any]:
            for entry in Entries:
                _hidden(queue, entry["ReceiptHandle"], entry["VisibilityTimeout"])
            return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

        return self._call("ChangeMessageVisibilityBatch", queue.name, do)

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        queue = self._queues[QueueUrl]

        def do() -> dict[str, Any]:
            seen = queue.waiting()
            counts = {
                "ApproximateNumberOfMessages": str(seen),
                "ApproximateNumberOfMessagesNotVisible": str(len(queue.messages) - seen),
            }
            return {"Attributes": {name: counts[name] for name in AttributeNames}}

        return self._call("GetQueueAttributes", queue.name, do)

    def _call(self, operation: str, about: str, do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        def call() -> dict[str, Any]:
            return self._outside.call(
                "SQS",
                f"{operation} {about}",
                do,
                refused=lambda: refused("ServiceUnavailable", operation, status=503),
                lost=lambda: unanswered("SQS"),
                patience=4.0,
            )

        return tried(self._attempts, call)


def _hidden(queue: Queue, handle: str, seconds: float) -> dict[str, Any]:
    if (message := queue.named(handle)) is not None:
        queue.hide(message, seconds)
    return {}


def _shown(message: Message) -> dict[str, Any]:
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.handle,
        "Body": message.body,
        "Attributes": {
            "SentTimestamp": str(int(message.sent_at * 1000)),
            "ApproximateReceiveCount": str(message.receives),
        },
        "MessageAttributes": message.attributes,
    }


def record(message: Message) -> dict[str, Any]:
    """The message as Lambda's event has it."""
    return {
        "messageId": message.id,
        "receiptHandle": message.handle,
        "body": message.body,
        "attributes": _shown(message)["Attributes"],
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }
