"""
What became of a letter: SES's word as it comes through SNS → a mail event, or not for us. Pure.

Both of SES's formats are read (docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html):
event publishing (`eventType`, with the letter's tags), which our configuration set does, and an identity's older
notifications (`notificationType`); raw, or in SNS's envelope. They quote the buyer's address and the letter's subject:
nothing of that leaves this module.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from paidshare.errors import NeedsAPerson
from paidshare.feedback.errors import LetterBounced, LetterComplained, LetterRejectedLater
from paidshare.loose_json import as_id, as_instant, as_object, object_in
from paidshare.notices import LOOK, SWEEP, NotForUs, Notice

ORDER_TAG, LETTER_TAG, MARK_TAG = "order", "letter", "mark"
"""The tags that a letter is sent with: its order's id, the letter's kind, and what tells it from its order's others."""

# What SES takes in a tag: docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageTag.html
_TAG = re.compile(r"[A-Za-z0-9_.@-]{1,255}", re.ASCII)
# A letter's tags may also be given in this header of it, and notifications without tags may hold its headers.
_TAGS_HEADER = "x-ses-message-tags"
_BY_MAIL = "mail:"
# `General`, `OnAccountSuppressionList`, `not-spam`, `Bad content`: SES's own words, and never somebody's address.
_WORDS = re.compile(r"[A-Za-z -]{1,64}", re.ASCII)


class Fact(StrEnum):
    """What SES says of a letter."""

    SENT = "sent"
    """SES took it and goes about delivering it."""
    DELIVERED = "delivered"
    """The recipient's mail server took it."""
    DELAYED = "delayed"
    """It does not get through at the moment; SES goes on trying."""
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    """The recipient called it spam."""
    REJECTED = "rejected"
    """SES took it, found a virus in it, and does not send it."""


_FACTS = {
    "Send": Fact.SENT,
    "Delivery": Fact.DELIVERED,
    "DeliveryDelay": Fact.DELAYED,
    "Bounce": Fact.BOUNCED,
    "Complaint": Fact.COMPLAINED,
    "Reject": Fact.REJECTED,
}


@dataclass(frozen=True, slots=True)
class MailEvent:
    """
    *fact* became of the letter *message_id* (SES's id), of the kind *letter*, at *at*.

    `permanent`: no later news mends it, and a person has to. `cause` is SES's own word for why, empty when it has none.
    """

    order_id: str
    letter: str
    message_id: str
    fact: Fact
    at: datetime
    permanent: bool
    cause: str = ""
    mark: str = ""


def is_tag(value: str) -> bool:
    """Whether SES takes *value* as a tag's."""
    return _TAG.fullmatch(value) is not None


def read(body: str | bytes) -> MailEvent | NotForUs:
    """The event in a message's *body*. Anything else is not for us; nothing raises."""
    event = object_in(body)
    if event.get("Type") == "Notification" and isinstance(event.get("Message"), str):
        event = object_in(event["Message"])
    kind = as_id(event.get("eventType")) or as_id(event.get("notificationType"))
    mail = as_object(event.get("mail"))
    message_id = as_id(mail.get("messageId"))
    if not kind or not message_id:
        return NotForUs("no_mail_event", kind)
    fact = _FACTS.get(kind)
    if fact is None:
        return NotForUs("other_event_type", kind)
    order_id = _tag(mail, ORDER_TAG)
    if not order_id:
        return NotForUs("no_order", kind)
    # `DeliveryDelay` has its own facts in `deliveryDelay`, and so on.
    detail = as_object(event.get(kind[0].lower() + kind[1:]))
    return MailEvent(
        order_id=order_id,
        letter=_tag(mail, LETTER_TAG),
        message_id=message_id,
        fact=fact,
        at=_moment(detail.get("timestamp")) or _moment(mail.get("timestamp")) or as_instant(None),
        permanent=_permanent(fact, detail),
        cause=next(
            (c for key in ("bounceSubType", "complaintFeedbackType", "reason") if (c := _words(detail, key))), ""
        ),
        mark=_tag(mail, MARK_TAG),
    )


def case(event: MailEvent) -> NeedsAPerson | None:
    """What a person has to be told of, if anything."""
    if not event.permanent:
        return None
    made = _CASES[event.fact](f"the letter “{event.letter}” {event.fact}: {event.cause or 'no cause given'}")
    made.order_id = event.order_id
    return made


_CASES: dict[Fact, type[NeedsAPerson]] = {
    Fact.BOUNCED: LetterBounced,
    Fact.COMPLAINED: LetterComplained,
    Fact.REJECTED: LetterRejectedLater,
}


def notice(event: MailEvent) -> Notice:
    """The dead letter's body: redriven, it is a look at the order, which mails nothing (`case_again`)."""
    return Notice(
        source="stripe",
        event_id=as_id(f"{_BY_MAIL}{event.message_id}") or f"{_BY_MAIL}unknown",
        why=_why(event.fact),
        about=event.order_id,
        at=event.at,
    )


def case_again(notice: Notice) -> NeedsAPerson | None:
    """
    The case that *notice*, a dead letter's body, is of: a look at the order does not end it, so it must not vanish when
    it is redriven. None when *notice* is of no letter that failed.
    """
    for fact, made in _CASES.items():
        if notice.why == _why(fact):
            letter = notice.event_id.removeprefix(_BY_MAIL)
            case = made(f"the letter that SES calls {letter} {fact}; a redrive mailed nothing in its place")
            case.order_id = notice.about
            return case
    return None


def as_a_look(notice: Notice) -> Notice | None:
    """
    What a dead letter of *notice* is to be when it is redriven, if not itself: an operator's look, where it was the
    sweep that asked, whose looks at a known case write none; or where it was the dead letter of an order's letter,
    which has its own.
    """
    is_known = notice.why == SWEEP or case_again(notice) is not None
    return replace(notice, why=LOOK) if is_known else None


def _why(fact: Fact) -> str:
    return f"mail.{fact}"


def _permanent(fact: Fact, detail: dict[str, Any]) -> bool:
    match fact:
        case Fact.BOUNCED:
            # SES tells of a soft bounce when it has given up trying. Only a general one may be an absent person's
            # answer, with the letter in the box (docs.aws.amazon.com/ses/latest/dg/notification-contents.html).
            return (detail.get("bounceType"), detail.get("bounceSubType")) != ("Transient", "General")
        case Fact.COMPLAINED:
            # Some providers take a complaint back that way.
            return detail.get("complaintFeedbackType") != "not-spam"
        case _:
            return fact is Fact.REJECTED


def _tag(mail: dict[str, Any], name: str) -> str:
    values = as_object(mail.get("tags")).get(name)
    value = values[0] if isinstance(values, list) and values else _header_tags(mail).get(name)
    return value if isinstance(value, str) and is_tag(value) else ""


def _header_tags(mail: dict[str, Any]) -> dict[str, str]:
    """`[{"name": "X-SES-MESSAGE-TAGS", "value": "order=cs_…, letter=delivery"}]`, as the tags that it gives."""
    headers = mail.get("headers")
    found: dict[str, str] = {}
    for header in map(as_object, headers if isinstance(headers, list) else []):
        if as_id(header.get("name")).lower() == _TAGS_HEADER:
            pairs = (pair.partition("=") for pair in str(header.get("value")).split(","))
            found |= {name.strip(): value.strip() for name, _, value in pairs}
    return found


def _words(detail: dict[str, Any], key: str) -> str:
    words = as_id(detail.get(key))
    return words if _WORDS.fullmatch(words) else ""


def _moment(value: object) -> datetime | None:
    """`2026-11-22T12:00:00.123Z` → aware UTC; None for anything else."""
    try:
        return datetime.fromisoformat(as_id(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
