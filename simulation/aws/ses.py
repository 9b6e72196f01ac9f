"""
SES's law: what it takes leaves, even where its answer is lost; its word of that comes late, twice, or never, through
SNS and a queue; some letters bounce.

docs.aws.amazon.com/ses/latest/dg/monitor-using-event-publishing.html
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

from simulation.aws.errors import refused, unanswered, unheard
from simulation.aws.sqs import Queue
from simulation.chance import Chance
from simulation.clock import Clock, aware
from simulation.faults import Faults
from simulation.outside import Outside


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter that left, at `at` (Unix seconds)."""

    at: float
    to: str
    order_id: str
    kind: str
    mark: str
    text: str
    message_id: str


@dataclass(slots=True)
class PostOffice:
    """All letters that left, and the word of them. `watched` sees each as it leaves, `worded` each word that it did."""

    clock: Clock
    chance: Chance
    faults: Faults
    words: Queue
    watched: Callable[[Sent], None] = lambda _letter: None
    worded: Callable[[Sent], None] = lambda _letter: None
    sent: list[Sent] = field(default_factory=list)

    def take(self, to: str, text: str, tags: dict[str, str]) -> str:
        number = len(self.sent) + 1
        letter = Sent(
            self.clock.now, to, tags["order"], tags.get("letter", ""), tags.get("mark", ""), text, f"ses-{number}"
        )
        self.sent.append(letter)
        self.watched(letter)
        self._tell(letter)
        return letter.message_id

    def _tell(self, letter: Sent) -> None:
        rates, name = self.faults.rates, f"word {letter.order_id} {letter.mark}"
        bounces = not self.faults.peace and self.chance.happens(f"{name} bounces", rates.bounced)
        for kind, detail in (("Send", {}), ("Bounce", _BOUNCE) if bounces else ("Delivery", {})):
            if not self.faults.peace and kind == "Send" and self.chance.happens(f"{name} never", rates.word_never):
                continue
            times = 2 if self.chance.happens(f"{name} {kind} twice", rates.word_twice) else 1
            for _ in range(times):
                wait = self.chance.spread(f"{name} {kind} late", 1.0 if self.faults.peace else rates.word_late_s)
                body = _event(kind, letter, detail, self.clock.now)
                self.clock.at(self.clock.now + wait, partial(self._word, body, letter, kind))

    def _word(self, body: str, letter: Sent, kind: str) -> None:
        self.words.send(body)
        if kind == "Send":
            self.worded(letter)


_BOUNCE = {"bounceType": "Permanent", "bounceSubType": "General"}


def _event(kind: str, letter: Sent, detail: dict[str, Any], now: float) -> str:
    at = aware(now).isoformat(timespec="milliseconds")
    tags = {"order": [letter.order_id], "letter": [letter.kind], "mark": [letter.mark]}
    mail = {"timestamp": at, "messageId": letter.message_id, "destination": [letter.to], "tags": tags}
    return json.dumps({"eventType": kind, "mail": mail, kind.lower(): {"timestamp": at, **detail}})


class SESv2:
    """What boto3's client of SES v2 is asked for."""

    meta = SimpleNamespace(region_name="us-east-1")

    def __init__(self, outside: Outside, office: PostOffice, limited: Callable[[], bool]) -> None:
        self._outside = outside
        self._office = office
        self._limited = limited

    def send_email(
        self,
        *,
        FromEmailAddress: str,
        Destination: Any,
        Content: Any,
        ConfigurationSetName: str,
        EmailTags: list[dict[str, str]],
        ReplyToAddresses: Sequence[str] = (),
    ) -> dict[str, Any]:
        del FromEmailAddress, ConfigurationSetName, ReplyToAddresses
        tags = {tag["Name"]: tag["Value"] for tag in EmailTags}
        [to] = Destination["ToAddresses"]
        text = Content["Simple"]["Body"]["Text"]["Data"]

        def failed() -> Exception:
            # A throttle is an answer: the letter did not leave. No connection: neither.
            return refused("TooManyRequestsException", "SendEmail", status=429) if self._limited() else unheard("SES")

        return self._outside.call(
            "SES",
            f"SendEmail {tags['order']} {tags.get('letter', '')}",
            lambda: {"MessageId": self._office.take(to, text, tags)},
            refused=failed,
            lost=lambda: unanswered("SES"),
            patience=7.0,
        )
