"""What the seller may choose."""

from dataclasses import dataclass
from typing import Self

from paidshare.settings import DeliverSettings


@dataclass(frozen=True, slots=True)
class Policy:
    """
    The seller's choices (parameters of template.yaml).

    `link_days` is for products that do not say their own; `grace_days` follow the end of a subscription's period.
    `end_on_partial_refund`: a refund of a part ends access to the lines that it covers; else only a full one does.
    `keep_canceled`: a subscription that is canceled at once keeps the time that was paid for; else access ends.
    `ask_when_paid_late`: what is paid for a subscription that is over, or unpaid, waits for a person; else the period
    that was paid for is delivered.
    """

    livemode: bool
    link_days: int
    grace_days: int = 3
    end_on_partial_refund: bool = False
    hold_on_fraud_warning: bool = False
    keep_canceled: bool = False
    ask_when_paid_late: bool = False

    @classmethod
    def of(cls, settings: DeliverSettings) -> Self:
        return cls(
            livemode=settings.livemode,
            link_days=settings.link_days,
            grace_days=settings.grace_days,
            end_on_partial_refund=settings.end_on_partial_refund,
            keep_canceled=settings.keep_canceled,
            ask_when_paid_late=settings.ask_when_paid_late,
            hold_on_fraud_warning=settings.hold_on_fraud_warning,
        )
