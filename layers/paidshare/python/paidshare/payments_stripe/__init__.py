"""Stripe: the truth about orders, and its lists. Others import what is named here, and not the modules."""

from typing import TYPE_CHECKING

from paidshare import door

if TYPE_CHECKING:
    from paidshare.payments_stripe.access import StripeAccess
    from paidshare.payments_stripe.lists import StripeListing
    from paidshare.payments_stripe.orders import CORRECTED_ADDRESS
    from paidshare.payments_stripe.payments import StripePayments

__all__ = ["CORRECTED_ADDRESS", "StripeAccess", "StripeListing", "StripePayments"]

if not TYPE_CHECKING:
    __getattr__ = door(
        __name__,
        {
            "StripeAccess": "access",
            "StripeListing": "lists",
            "CORRECTED_ADDRESS": "orders",
            "StripePayments": "payments",
        },
    )
