"""What letters there are. By itself, so that whoever reads an order's progress need not load the templates."""

from enum import StrEnum


class Kind(StrEnum):
    """What a letter is about. Every subject is its kind's headline, a colon, and the products."""

    DELIVERY = "delivery"
    PAYMENT_FAILED = "payment_failed"
    ACCESS_ON_HOLD = "access_on_hold"
    ACCESS_ENDED = "access_ended"
    ACCESS_BACK = "access_back"
    ACCESS_CHANGED = "access_changed"

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
}
