"""
What crosses the queue: “look at this order again”. Pure.

A notice carries ids only, no personal data, and stays far below SQS's 256 KiB.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from paidshare.errors import NoticeUnreadable
from paidshare.loose_json import as_id, as_instant, as_object, object_in

VERSION = 1


@dataclass(frozen=True, slots=True)
class Notice:
    """
    Look at *about* (an order id such as `cs_…`) again, because *why* (the event's type) happened at *at*.

    `source` and `event_id` together name the event: they are what makes a repeat a repeat. `account` is the
    connected account that the event belongs to, None for the seller's own.
    """

    source: str
    event_id: str
    why: str
    about: str
    at: datetime
    account: str | None = None

    @property
    def key(self) -> str:
        """What idempotency remembers."""
        return f"{self.source}:{self.event_id}"


@dataclass(frozen=True, slots=True)
class NotForUs:
    """A verified event that asks nothing of us. `reason` is for the log."""

    reason: str
    why: str = ""


# Payment Links end in the same events (docs.stripe.com/checkout/fulfillment).
_CHECKOUT_EVENTS = frozenset({"checkout.session.completed", "checkout.session.async_payment_succeeded"})


def from_stripe(body: bytes, *, livemode: bool) -> Notice | NotForUs:
    """
    Read a *verified* Stripe event.

    Only id, type, mode, account and the object's id are read: the rest of an event is a snapshot that may be
    old, and its shape depends on the endpoint's API version (docs.stripe.com/webhooks). A body that is no
    event is not for us rather than an error: Stripe signed it, and would only send it again for three days.
    """
    event = object_in(body)
    event_id, why = as_id(event.get("id")), as_id(event.get("type"))
    if event.get("object") != "event" or not event_id or not why:
        return NotForUs("no_snapshot_event")
    if why not in _CHECKOUT_EVENTS:
        return NotForUs("other_event_type", why)
    # Test events reach live Connect endpoints too (docs.stripe.com/connect/webhooks).
    if event.get("livemode") is not livemode:
        return NotForUs("other_mode", why)
    about = as_id(as_object(as_object(event.get("data")).get("object")).get("id"))
    if not about.startswith("cs_"):
        return NotForUs("no_session_id", why)
    return Notice(
        source="stripe",
        event_id=event_id,
        why=why,
        about=about,
        at=as_instant(event.get("created")),
        account=as_id(event.get("account")) or None,
    )


def to_json(notice: Notice) -> str:
    """The queue's message body."""
    return json.dumps(
        {
            "version": VERSION,
            "source": notice.source,
            "event_id": notice.event_id,
            "why": notice.why,
            "about": notice.about,
            "at": int(notice.at.timestamp()),
            "account": notice.account,
        }
    )


def from_json(text: str) -> Notice:
    """Raises NoticeUnreadable for anything that `to_json` of this version did not write."""
    raw = object_in(text)
    if type(raw.get("version")) is not int or raw["version"] != VERSION:  # True and 1.0 are 1, too.
        raise NoticeUnreadable(f"queue message is not a notice of version {VERSION}")
    source, event_id = as_id(raw.get("source")), as_id(raw.get("event_id"))
    why, about, at, account = (
        as_id(raw.get("why")),
        as_id(raw.get("about")),
        raw.get("at"),
        raw.get("account"),
    )
    if not (source and event_id and why and about) or type(at) is not int:
        raise NoticeUnreadable("queue message lacks a field")
    if account is not None and not as_id(account):
        raise NoticeUnreadable("queue message has a malformed account")
    return Notice(source=source, event_id=event_id, why=why, about=about, at=as_instant(at), account=account)
