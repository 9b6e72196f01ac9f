"""The dead-letter queue: what is in it, the way back to the work queue, and what is kept in it beyond SQS's 14 days."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from paidshare import notices
from paidshare.aws.errors import AWS_ERRORS
from paidshare.errors import NoticeUnreadable
from paidshare.feedback import mail_events
from paidshare.loose_json import as_instant
from paidshare.notices import Notice

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        DeleteMessageBatchRequestEntryTypeDef,
        MessageTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

# SQS's most for one call.
_BATCH = 10
# A read that waits asks every one of SQS's servers, one that does not only some of them.
_WAIT_S = 1
# Enough to read and move some ten thousand. What a killed command leaves hidden comes back after it.
_HIDDEN_S = 120

# With a look a day there are three tries before SQS drops it.
_OLD = timedelta(days=10)
_SINCE = "since"

_GIVEN_UP = "Deliver crashed or timed out on it until SQS gave it up."
_GIVEN_UP_ADVICE = "Deliver's log says where it happened; mend that, then redrive."


type Case = tuple[str, str | None]
"""What waits for a person (an order, or the message where there is none), and the reason."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """
    A message that waits for a person. `notice` is None when it is none of ours.

    `order`, `reason`, `what` and `advice` are what Deliver wrote beside it. SQS writes nothing beside a message that
    it gave up itself: the order is then the notice's, and there is no `reason`. `sent_at` is when the message was sent,
    and `since` when the one was that it was written anew from, with the same `attributes`.
    """

    message_id: str
    body: str
    notice: Notice | None
    order: str | None
    reason: str | None
    what: str
    advice: str
    since: datetime
    receipt_handle: str
    sent_at: datetime
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def about(self, order: str) -> bool:
        """Whether it is of *order*, or was made by an event about it (a payment's `pi_…`, say)."""
        return order == self.order or (self.notice is not None and order == self.notice.about)

    def is_meant(self, names: Sequence[str]) -> bool:
        """Whether one of *names* is its order's, its event's or its own."""
        return self.message_id in names or any(self.about(name) for name in names)

    @property
    def stays(self) -> str | None:
        """Why a redrive leaves it where it is; None when it would bring the order on."""
        if self.notice is None:
            return "no notice of ours"
        return "a letter that failed" if mail_events.case_again(self.notice) else None

    @property
    def case(self) -> Case:
        """What later copies have in common with it: one is written every week until somebody ends the case."""
        return (self.order or self.message_id, self.reason)


def forgotten_soon(letters: Iterable[DeadLetter], *, now: datetime) -> list[DeadLetter]:
    """
    Those of *letters* that SQS drops before long, with no younger one to tell of the same case. Pure.

    Not what SQS gave up and no version of ours wrote: it may be anything, and hold anybody's data.
    """
    youngest: dict[Case, DeadLetter] = {}
    for letter in sorted(letters, key=lambda each: each.sent_at):
        youngest[letter.case] = letter
    return [
        letter
        for letter in youngest.values()
        if now - letter.sent_at > _OLD and (letter.notice is not None or letter.reason is not None)
    ]


class DeadLetters:
    """The dead-letter queue at *dead_letter_url*, and the work queue at *queue_url*."""

    def __init__(self, sqs: "SQSClient", *, dead_letter_url: str, queue_url: str) -> None:
        self._sqs = sqs
        self._dead_letter_url = dead_letter_url
        self._queue_url = queue_url
        self._held: dict[str, DeadLetter] = {}

    @contextlib.contextmanager
    def held(self) -> Iterator[list[DeadLetter]]:
        """
        All dead letters that SQS shows, newest first, hidden from everybody else while the block runs.

        Hidden, because SQS would show the same ten again and again. Those that `moved` did not move are back
        afterwards, as they were.
        """
        try:
            while shown := self._more():
                self._held |= shown
            yield sorted(self._held.values(), key=lambda letter: letter.since, reverse=True)
        finally:
            self._put_back()

    def count(self) -> int:
        """How many there are, by SQS's own count, which lags by up to a minute."""
        counts = self._sqs.get_queue_attributes(
            QueueUrl=self._dead_letter_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return sum(int(each) for each in counts.values())

    def moved(self, letters: Sequence[DeadLetter]) -> Iterator[DeadLetter]:
        """
        Put *letters*, held, on the work queue, without what was written beside them → each that is there.

        Each is deleted only after it was sent: a crash between leaves it in both queues, and a second look is
        harmless.
        """
        for batch in batched(letters, _BATCH, strict=False):
            by_place = {str(place): letter for place, letter in enumerate(batch)}
            sent = self._sqs.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[{"Id": place, "MessageBody": letter.body} for place, letter in by_place.items()],
            ).get("Successful", [])
            taken = [by_place[entry["Id"]] for entry in sent]
            if taken:
                self._delete(taken)
            yield from taken

    def renewed(self, letters: Sequence[DeadLetter]) -> Iterator[DeadLetter]:
        """
        Write *letters*, held, anew, so that SQS keeps them for another 14 days → each that is.

        Each is deleted only after it was sent: a crash between leaves two of it.
        """
        for batch in batched(letters, _BATCH, strict=False):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(place), "MessageBody": each.body, "MessageAttributes": _with_since(each)}
                for place, each in enumerate(batch)
            ]
            sent = self._sqs.send_message_batch(QueueUrl=self._dead_letter_url, Entries=entries).get("Successful", [])
            if sent:
                yield from self._delete([batch[int(entry["Id"])] for entry in sent])

    def ended(self, letters: Sequence[DeadLetter]) -> Iterator[DeadLetter]:
        """Delete *letters*, held → each that is gone."""
        for batch in batched(letters, _BATCH, strict=False):
            yield from self._delete(batch)

    def _delete(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """At most ten → those that are gone."""
        entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
            {"Id": str(place), "ReceiptHandle": each.receipt_handle} for place, each in enumerate(letters)
        ]
        answer = self._sqs.delete_message_batch(QueueUrl=self._dead_letter_url, Entries=entries)
        gone = [letters[int(entry["Id"])] for entry in answer.get("Successful", [])]
        for letter in gone:
            del self._held[letter.message_id]
        return gone

    def _more(self) -> dict[str, DeadLetter]:
        """Those of the next read. SQS may hand one over twice, and then the younger handle counts."""
        answer = self._sqs.receive_message(
            QueueUrl=self._dead_letter_url,
            MaxNumberOfMessages=_BATCH,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["SentTimestamp"],
            VisibilityTimeout=_HIDDEN_S,
            WaitTimeSeconds=_WAIT_S,
        )
        letters = [_letter(message) for message in answer.get("Messages", [])]
        return {letter.message_id: letter for letter in letters}

    def _put_back(self) -> None:
        for batch in batched(self._held.values(), _BATCH, strict=False):
            # Failing that, they come back by themselves.
            with contextlib.suppress(*AWS_ERRORS):
                self._sqs.change_message_visibility_batch(
                    QueueUrl=self._dead_letter_url,
                    Entries=[
                        {"Id": str(place), "ReceiptHandle": letter.receipt_handle, "VisibilityTimeout": 0}
                        for place, letter in enumerate(batch)
                    ],
                )
        self._held.clear()


def _letter(message: "MessageTypeDef") -> DeadLetter:
    words = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
    try:
        notice = notices.from_json(message["Body"])
        what, advice = _GIVEN_UP, _GIVEN_UP_ADVICE
    except NoticeUnreadable as exc:
        notice = None
        what, advice = str(exc), exc.advice
    sent_at = as_instant(int(message["Attributes"]["SentTimestamp"]) // 1000)
    since = words.get(_SINCE, "")
    return DeadLetter(
        message_id=message["MessageId"],
        body=message["Body"],
        notice=notice,
        order=words.get("order") or (notice.about if notice else None),
        reason=words.get("reason") or None,
        # A reason without them is Deliver's all the same, and SQS did not give it up.
        what=words.get("what", "" if "reason" in words else what),
        advice=words.get("advice", "" if "reason" in words else advice),
        since=as_instant(int(since)) if since.isdecimal() else sent_at,
        receipt_handle=message["ReceiptHandle"],
        sent_at=sent_at,
        attributes=message.get("MessageAttributes", {}),
    )


def _with_since(letter: DeadLetter) -> dict[str, Any]:
    """The letter's attributes as SQS takes them, which is not quite as it gives them."""
    words = {name: each["StringValue"] for name, each in letter.attributes.items() if "StringValue" in each}
    words[_SINCE] = str(int(letter.since.timestamp()))
    return {name: {"DataType": "String", "StringValue": text} for name, text in words.items()}
