"""SES's feedback: the port `MailLog` in memory, and SES's own words in both of its formats."""

from datetime import UTC, datetime, timedelta
from typing import Any

from paidshare.feedback.mail_events import Fact, MailEvent
from tests.builders import BUYER, NOW, SENDER

ORDER_ID = "cs_test_1"
MESSAGE_ID = "0100018f-0000-4000-8000-000000000001-000000"


class MemoryMailLog:
    """
    `orders` is what each order that is known says of its letters; like the real log it keeps whole seconds. `corrected`
    is when an order's address was.
    """

    def __init__(self, *known: str) -> None:
        self.orders: dict[str, dict[str, datetime]] = {order_id: {} for order_id in known}
        self.corrected: dict[str, datetime] = {}
        self._cases: set[tuple[str, str, Fact]] = set()

    def note(self, event: MailEvent) -> bool:
        corrected = self.corrected.get(event.order_id)
        if corrected is not None and event.mark and int(event.mark) < corrected.timestamp():
            return False
        if event.order_id in self.orders:
            moments, at = self.orders[event.order_id], event.at.replace(microsecond=0)
            moments[event.fact] = max(at, moments.get(event.fact, at))
        return (event.order_id, event.message_id, event.fact) not in self._cases

    def told(self, event: MailEvent) -> None:
        if event.order_id in self.orders:
            self._cases.add((event.order_id, event.message_id, event.fact))


def a_mail_event(
    *,
    order_id: str = ORDER_ID,
    letter: str = "delivery",
    message_id: str = MESSAGE_ID,
    fact: Fact = Fact.SENT,
    at: datetime = NOW,
    permanent: bool = False,
    cause: str = "",
    mark: str = "",
) -> MailEvent:
    return MailEvent(order_id, letter, message_id, fact, at, permanent, cause, mark)


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def mail(*, tags: dict[str, list[str]] | None = None, headers: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """The part on the letter itself, which every event has, with all that is personal in it."""
    said: dict[str, Any] = {
        "timestamp": iso(NOW - timedelta(seconds=5)),
        "source": SENDER,
        "sendingAccountId": "123456789012",
        "messageId": MESSAGE_ID,
        "destination": [BUYER],
        "commonHeaders": {"from": [SENDER], "to": [BUYER], "subject": f"Your download, {BUYER}"},
    }
    if headers is not None:
        said |= {"headersTruncated": False, "headers": headers}
    return said if tags is None else said | {"tags": dict(tags)}


TAGS = {"ses:configuration-set": ["paidshare-test"], "order": [ORDER_ID], "letter": ["delivery"]}

# The parts that differ: docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
DETAILS: dict[str, dict[str, Any]] = {
    "Send": {"send": {}},
    "Delivery": {"delivery": {"timestamp": iso(NOW), "recipients": [BUYER], "smtpResponse": f"250 ok <{BUYER}>"}},
    "DeliveryDelay": {
        "deliveryDelay": {
            "timestamp": iso(NOW),
            "delayType": "MailboxFull",
            "delayedRecipients": [{"emailAddress": BUYER, "status": "4.2.2"}],
        }
    },
    "Bounce": {
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": BUYER, "diagnosticCode": f"550 5.1.1 {BUYER} unknown"}],
            "timestamp": iso(NOW),
        }
    },
    "Complaint": {
        "complaint": {
            "complainedRecipients": [{"emailAddress": BUYER}],
            "complaintFeedbackType": "abuse",
            "timestamp": iso(NOW),
        }
    },
    "Reject": {"reject": {"reason": "Bad content"}},
}


def published(kind: str, **detail: object) -> dict[str, Any]:
    """What a configuration set's event destination gets. *detail* changes the part that is *kind*'s own."""
    return {"eventType": kind, "mail": mail(tags=TAGS), **_detail(kind, detail)}


def notified(kind: str, *, headers: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """What an identity's notification topic gets: no tags, and the letter's headers only if they are asked for."""
    return {"notificationType": kind, "mail": mail(headers=headers), **_detail(kind, {})}


def _detail(kind: str, changes: dict[str, object]) -> dict[str, Any]:
    [(name, detail)] = DETAILS[kind].items()
    return {name: detail | changes}
