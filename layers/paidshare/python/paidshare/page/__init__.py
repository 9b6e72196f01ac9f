"""Use case: the page of an order, for its buyer."""
