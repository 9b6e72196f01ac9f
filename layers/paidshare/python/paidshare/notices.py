"""
What crosses the queue: “look at this order again”. Pure.

A notice carries ids only, no personal data, and stays far below SQS's 256 KiB.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from paidshare.errors import NoticeUnreadable
from paidshare.loose_json import as_id, as_instant, as_object, object_in

VERSION = 1

_THIN = "v2.core.event"
_EPOCH = as_instant(0)


@dataclass(frozen=True, slots=True)
class Notice:
    """
    Look at the orders of *about* (an order's id such as `cs_…`, or a payment's or subscription's) again, because *why*
    (the event's type) happened at *at*.

    `source` and `event_id` together name the event: they are what makes a repeat a repeat. `account` is the
    connected account that the event belongs to, None for the seller's own.

    `created` is Stripe's own moment of an event that Stripe itself brought, in whole seconds: what was read at Stripe
    after it need not be read for it again. None where that is not known, or a look is wanted whatever was read before:
    by the sweep, by an operator.
    """

    source: str
    event_id: str
    why: str
    about: str
    at: datetime
    account: str | None = None
    created: datetime | None = None

    @property
    def key(self) -> str:
        """What idempotency remembers."""
        return f"{self.source}:{self.event_id}"


@dataclass(frozen=True, slots=True)
class NotForUs:
    """A verified event that asks nothing of us. `reason` is for the log."""

    reason: str
    why: str = ""


NEEDED = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "charge.refunded",
        "refund.updated",
        "refund.failed",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "invoice.paid",
        # Money that goes back to a balance, or outside of Stripe, is no refund.
        "credit_note.created",
        "credit_note.voided",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
    }
)
"""The types of Stripe's events that README tells sellers to have sent: at least one for whatever happens."""

# The last one such as when the seller marks a payment as safe.
OF_WARNINGS = frozenset({"radar.early_fraud_warning.created", "radar.early_fraud_warning.updated", "charge.updated"})
"""Those that are needed, too, where fraud warnings hold access."""

# The last one of a payment that was only reserved at Checkout.
ECHOES = frozenset({"payment_intent.succeeded", "charge.succeeded", "charge.updated", "charge.captured"})
"""Those that come with each sale beside one that is needed. They stand in for it, and have time until then."""

# What can change what a buyer should have. More than is needed for it: Stripe leaves out an event now and then, and
# any other of the same order does as well (docs.stripe.com/api/events/types). Payment Links end in the same events.
EVENTS = (
    NEEDED
    | OF_WARNINGS
    | ECHOES
    | {
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "invoice.payment_succeeded",
        "credit_note.updated",
        "charge.refund.updated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "refund.created",
    }
)
"""The types that are noticed."""

SWEEP, RESEND = "sweep", "operator.resend"
"""Why our own notices ask for a look. No event of Stripe's has such a type."""

LOOK = "operator.look"
"""Why an operator asks for one. Nor has any event this type."""

_ECHOES_WAIT_S = 10
"""Longer than the look takes that the sale's own event asks for; that look sees to most of what they tell."""

_ORDERS = ("cs_", "in_", "sub_", "pi_")


def from_stripe(body: bytes, *, livemode: bool) -> Notice | NotForUs:
    """
    Read a *verified* Stripe event.

    Only id, type, mode, account and ids that never change are read: the rest of an event is a snapshot that may be
    old, and its shape depends on the endpoint's API version (docs.stripe.com/webhooks). A body that is no
    event is not for us rather than an error: Stripe signed it, and would only send it again for three days.
    """
    event = object_in(body)
    notice = from_event(event, livemode=livemode)
    created = as_instant(event.get("created"))
    return replace(notice, created=created) if isinstance(notice, Notice) and created > _EPOCH else notice


def from_event(event: Mapping[str, Any], *, livemode: bool) -> Notice | NotForUs:
    """
    Read an event that Stripe's own API showed, like a verified one: with a snapshot of its object, or a thin one, which
    only names it (docs.stripe.com/event-destinations).
    """
    is_thin = event.get("object") == _THIN
    event_id, why = as_id(event.get("id")), as_id(event.get("type")).removeprefix("v1." if is_thin else "")
    if not (is_thin or event.get("object") == "event") or not event_id or not why:
        return NotForUs("no_event")
    if why not in EVENTS:
        return NotForUs("other_event_type", why)
    # Test events reach live Connect endpoints too (docs.stripe.com/connect/webhooks).
    if event.get("livemode") is not livemode:
        return NotForUs("other_mode", why)
    snapshot = as_object(as_object(event.get("data")).get("object"))
    about = _about(as_object(event.get("related_object")) if is_thin else snapshot)
    if not about or _is_invented(event_id) or _is_invented(about):
        return NotForUs("made_up_object" if about else "no_object_id", why)
    return Notice(
        source="stripe",
        event_id=event_id,
        why=why,
        about=about,
        at=as_instant(event.get("created")),
        account=as_id(event.get("account")) or _account_in(as_id(event.get("context"))),
    )


def _about(thing: dict[str, Any]) -> str:
    """
    An order's or subscription's own id; of charges, refunds, disputes and warnings the payment's.

    All of them name their payment by the same field in every API version, so Stripe need not be asked for it. A credit
    note's order is its invoice, and a dispute of an old version has no id, but names its charge.
    """
    own = as_id(thing.get("id"))
    if own.startswith(_ORDERS):
        return own
    fields = ("invoice",) if own.startswith("cn_") else ("payment_intent",)
    return next(filter(None, (_id_in(thing, field) for field in fields)), "") or own or _id_in(thing, "charge")


def _id_in(thing: dict[str, Any], field: str) -> str:
    """The id in a field that has it, or the whole object."""
    return as_id(thing.get(field)) or as_id(as_object(thing.get(field)).get("id"))


def _is_invented(an_id: str) -> bool:
    """
    Whether Stripe made the id up for an event that only tries out an endpoint: `cs_00000000000000`. Nobody has to see
    to what never was.
    """
    return re.fullmatch(r"[a-z]+_(test_|live_)?0+", an_id) is not None


def _account_in(context: str) -> str | None:
    """
    The account that an organisation's event belongs to; None for the seller's own. A context is an account, or a path
    that ends in one (docs.stripe.com/context).
    """
    account = context.rpartition("/")[2]
    return account if account.startswith("acct_") else None


def group(notice: Notice) -> str:
    """
    The group of messages that has its share of the workers, however many another one has (docs/decisions/0048):
    `purchase`, `sweep`, `replay`, or a connected account's own.
    """
    if notice.account is not None:
        return notice.account
    if notice.why == LOOK:
        return "replay"
    # Events that the sweep read off Stripe's list, too: only the front door knows when they were created.
    return "sweep" if notice.why == SWEEP or (notice.why in EVENTS and notice.created is None) else "purchase"


def delay(notice: Notice) -> int:
    """How long (whole seconds) the notice waits before anybody sees to it."""
    return _ECHOES_WAIT_S if notice.created is not None and notice.why in ECHOES else 0


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
            "created": None if notice.created is None else int(notice.created.timestamp()),
        }
    )


def from_json(text: str) -> Notice:
    """Raises NoticeUnreadable for anything that `to_json` of this version did not write."""
    raw = object_in(text)
    if type(raw.get("version")) is not int or raw["version"] != VERSION:  # True and 1.0 are 1, too.
        raise NoticeUnreadable(f"queue message is not a notice of version {VERSION}")
    source, event_id = as_id(raw.get("source")), as_id(raw.get("event_id"))
    why, about, at, account = as_id(raw.get("why")), as_id(raw.get("about")), raw.get("at"), raw.get("account")
    created = raw.get("created")  # Versions before this one did not write it.
    if not (source and event_id and why and about) or type(at) is not int:
        raise NoticeUnreadable("queue message lacks a field")
    if account is not None and not as_id(account):
        raise NoticeUnreadable("queue message has a malformed account")
    if created is not None and type(created) is not int:
        raise NoticeUnreadable("queue message has a malformed moment")
    made = None if created is None else as_instant(created)
    return Notice(source, event_id, why, about, as_instant(at), account, made)
