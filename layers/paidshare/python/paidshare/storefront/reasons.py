"""Why something happened to an order, in a sentence. They are keys of the catalogues (`storefront/catalogs`)."""

# By the value of entitlement.Why. None of Stripe's says whose doing it was: we do not know, and it may be a mistake.
BECAUSE = {
    "disputed": "The payment for this order was disputed with the bank or card company, and they are looking into it.",
    "fraud_warning": "The card issuer asked for the payment for this order to be checked.",
    "subscription_paused": "The subscription that this order belongs to is paused.",
    "subscription_unpaid": "A payment for the subscription that this order belongs to has not come through yet.",
    "refunded": "The payment for this order was refunded.",
    "partly_refunded": "Part of the payment was refunded, and that part covers what you cannot open any more.",
    "payment_failed": "The payment for this order did not go through.",
    "dispute_lost": "The payment for this order was reversed after a dispute with the bank or card company.",
    "credited": "Your subscription was changed, and what was not used of this was credited.",
    "subscription_canceled": "The subscription that this order belongs to has ended.",
    "subscription_changed": "Your subscription was changed.",
    "held_by_seller": "We are looking into something about this order.",
    "ended_by_seller": "We have closed this order. If you think that is a mistake, please answer this letter.",
}
OF_SOMETHING = "Something about the payment for this order has changed."
