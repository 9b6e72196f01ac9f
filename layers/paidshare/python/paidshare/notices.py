"""
What crosses the queue: “look at this order again”. Pure.

A notice carries ids only, no personal data, and stays far below SQS's 256 KiB.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from paidshare.errors import NoticeUnreadable

VERSION = 1

# Stripe's ids are far shorter; anything longer is not one, and would only fill the log.
_LONGEST_ID = 255


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
    event = _object(body)
    event_id, why = _text(event.get("id")), _text(event.get("type"))
    if event.get("object") != "event" or not event_id or not why:
        return NotForUs("no_snapshot_event")
    if why not in _CHECKOUT_EVENTS:
        return NotForUs("other_event_type", why)
    # Test events reach live Connect endpoints too (docs.stripe.com/connect/webhooks).
    if event.get("livemode") is not livemode:
        return NotForUs("other_mode", why)
    about = _text(_dict(_dict(event.get("data")).get("object")).get("id"))
    if not about.startswith("cs_"):
        return NotForUs("no_session_id", why)
    return Notice(
        source="stripe",
        event_id=event_id,
        why=why,
        about=about,
        at=_instant(event.get("created")),
        account=_text(event.get("account")) or None,
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
    raw = _object(text)
    if raw.get("version") != VERSION:
        raise NoticeUnreadable(f"queue message is not a notice of version {VERSION}")
    source, event_id = _text(raw.get("source")), _text(raw.get("event_id"))
    why, about, at, account = (
        _text(raw.get("why")),
        _text(raw.get("about")),
        raw.get("at"),
        raw.get("account"),
    )
    if not (source and event_id and why and about) or type(at) is not int:
        raise NoticeUnreadable("queue message lacks a field")
    if account is not None and not _text(account):
        raise NoticeUnreadable("queue message has a malformed account")
    return Notice(source=source, event_id=event_id, why=why, about=about, at=_instant(at), account=account)


def _object(text: str | bytes) -> dict[str, Any]:
    """The JSON object in *text*; empty for anything else. A UnicodeDecodeError is a ValueError."""
    try:
        return _dict(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST_ID and value.isascii() else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _instant(value: object) -> datetime:
    """Unix seconds → aware UTC. An absurd time is the epoch: it is only ever shown, never decided on."""
    if type(value) is int:
        try:
            return datetime.fromtimestamp(value, UTC)
        except (OverflowError, ValueError, OSError):
            pass
    return datetime.fromtimestamp(0, UTC)
