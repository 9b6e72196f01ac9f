"""The laptop: AWS, Stripe, Fast.io and the inbox on one machine. Never packaged, never deployed."""
