"""The words for how an order stands: in the ledger, the log and the letters."""

from enum import StrEnum


class State(StrEnum):
    """The order as the ledger's reader sees it. `Progress.reason` says why; what is done is in the other fields."""

    NEW = "new"
    WAITING = "waiting"
    """Known, but there is nothing to deliver yet."""
    NOT_OURS = "not_ours"
    """Nothing in it is delivered by us."""
    ELSEWHERE = "elsewhere"
    """The same purchase as the order that `Progress.reason` names, and kept under that."""
    DELIVERED = "delivered"
    ACCESS_ON_HOLD = "access_on_hold"
    ACCESS_ENDED = "access_ended"
    ON_HOLD = "on_hold"
    """Needs a person."""

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do until Stripe has news; the sweep looks at the others again and again."""
        return self in (State.NOT_OURS, State.ELSEWHERE, State.DELIVERED, State.ACCESS_ENDED)


class Why(StrEnum):
    """The reason, for the log, the ledger and the letter."""

    NO_LINE_OF_OURS = "no_line_of_ours"

    CHECKOUT_OPEN = "checkout_open"
    NO_INVOICE = "no_invoice"
    NOT_PAID = "not_paid"
    PAYMENT_FAILED = "payment_failed"
    SUBSCRIPTION_NOT_ACTIVE = "subscription_not_active"

    PAID = "paid"

    DISPUTED = "disputed"
    FRAUD_WARNING = "fraud_warning"
    SUBSCRIPTION_PAUSED = "subscription_paused"
    SUBSCRIPTION_UNPAID = "subscription_unpaid"

    GIVEN_ALREADY = "given_already"
    """Another order of the same subscription gives it, for the same time: one more seat, say."""

    EXPIRED = "expired"
    REFUNDED = "refunded"
    PARTLY_REFUNDED = "partly_refunded"
    CREDITED = "credited"
    """The plan was changed, and what was not used of this one was given back."""
    SUBSCRIPTION_CHANGED = "subscription_changed"
    """The plan was changed, and what is new of it is there already."""
    DISPUTE_LOST = "dispute_lost"
    SUBSCRIPTION_CANCELED = "subscription_canceled"

    HELD_BY_SELLER = "held_by_seller"
    ENDED_BY_SELLER = "ended_by_seller"


class Kind(StrEnum):
    """What a letter is about. Every subject begins with its kind's headline, in the buyer's language."""

    DELIVERY = "delivery"
    PAYMENT_FAILED = "payment_failed"
    ACCESS_ON_HOLD = "access_on_hold"
    ACCESS_ENDED = "access_ended"
    ACCESS_BACK = "access_back"
    ACCESS_CHANGED = "access_changed"
    DELAYED = "delayed"

    @property
    def headline(self) -> str:
        """What happened, in a few words. No kind's headline begins with another's: a subject tells its kind."""
        return _HEADLINES[self]


_HEADLINES = {
    Kind.DELIVERY: "Your download",
    Kind.PAYMENT_FAILED: "Your payment did not go through",
    Kind.ACCESS_ON_HOLD: "Your access is on hold",
    Kind.ACCESS_ENDED: "Your access has ended",
    Kind.ACCESS_BACK: "Your access is back",
    Kind.ACCESS_CHANGED: "Your access has changed",
    Kind.DELAYED: "Your files are late",
}


class Told(StrEnum):
    """What the buyer believes after our last letter."""

    PAYMENT_FAILED = "payment_failed"
    ACCESS = "access"
    ON_HOLD = "on_hold"
    ENDED = "ended"


TELLS = {
    Kind.DELIVERY: Told.ACCESS,
    Kind.PAYMENT_FAILED: Told.PAYMENT_FAILED,
    Kind.ACCESS_ON_HOLD: Told.ON_HOLD,
    Kind.ACCESS_ENDED: Told.ENDED,
    Kind.ACCESS_BACK: Told.ACCESS,
    Kind.ACCESS_CHANGED: Told.ACCESS,
}


class Standing(StrEnum):
    """What the buyer should have of a line."""

    NOTHING_YET = "nothing_yet"
    ACCESS = "access"
    ON_HOLD = "on_hold"
    """Access that is closed for now, and opens again by itself when what is in the way is gone."""
    ENDED = "ended"
