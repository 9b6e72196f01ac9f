"""Stripe as a small state machine: what is bought, what becomes of it, and what Stripe tells of that."""
