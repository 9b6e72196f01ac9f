"""A webhook's request → verified, and a notice on the queue."""
