"""
SQS's law, of a standard queue: at least once and now and then twice, in no order; what was received is out of sight for
a while and comes back unless it is deleted; only so many may be out of sight; after so many receives it is a dead
letter, and after its retention it is gone.

docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues.html
"""

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

    def send(
        self, body: str, attributes: dict[str, Any] | None = None, *, group: str = "", delay_s: float = 0.0
    ) -> str:
        self.sent += 1
        now = self.clock.now
        message = Message(f"{self.name}-{self.sent}", body, attributes or {}, now, now + delay_s, group=group)
        self.messages[message.id] = message
        self.watched(message)
        self.arrived(message.visible_at)
        return message.id

    def receive(self, most: int) -> list[Message]:
        """Up to *most* that are in sight, in no order; they are out of sight then."""
        now = self.clock.now
        self._give_up(now)
        there = [one for one in self.messages.values() if one.visible_at <= now]
        room = self.most_in_flight - (len(self.messages) - len(there))
        there.sort(key=lambda one: self.chance.fixed(f"{one.id} {one.receives}"))
        taken = there[: max(0, min(most, room))]
        for message in taken:
            message.receives += 1
            message.handle = f"{message.id}#{message.receives}"
            self.hide(message, self.visibility_s)
        return taken

    def hide(self, message: Message, seconds: float) -> None:
        message.visible_at = self.clock.now + seconds
        self.arrived(message.visible_at)

    def delete(self, handle: str) -> None:
        """Only the last receipt deletes for sure; one more copy may be on some server, and come again."""
        message = self.named(handle)
        if message is None:
            return
        if self.chance.happens(f"twice {message.id}", self.twice):
            self.hide(message, self.chance.between(f"twice again {message.id}", 1, 600))
            return
        del self.messages[message.id]

    def named(self, handle: str) -> Message | None:
        """The message of its last receipt."""
        found = self.messages.get(handle.partition("#")[0])
        return found if found is not None and found.handle == handle else None

    def waiting(self) -> int:
        now = self.clock.now
        return sum(one.visible_at <= now for one in self.messages.values())

    def _give_up(self, now: float) -> None:
        for message in tuple(self.messages.values()):
            if now - message.sent_at > self.retention_s:
                del self.messages[message.id]
            elif self.most_receives and message.visible_at <= now and message.receives >= self.most_receives:
                del self.messages[message.id]
                if self.dead_letters is not None:
                    self.dead_letters.send(message.body, message.attributes)


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
