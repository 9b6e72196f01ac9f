"""A notice → its orders as they should be: what a buyer is entitled to, the share that gives it, the letters."""
