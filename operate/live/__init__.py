"""What goes on until it is ended: the shop watched, and an assistant that asks about it."""
