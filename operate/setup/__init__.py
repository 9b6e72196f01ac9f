"""From nothing to a shop: the secret, Stripe's endpoint, the sender, and a purchase to try it all with."""
