"""The Stripe stand-in: the SDK's own requests, Stripe's own shapes."""
