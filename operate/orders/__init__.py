"""One order: how it is called, who knows what of it, and its story."""
