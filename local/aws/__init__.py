"""AWS on the laptop: MiniStack, the real template in it, and SES's own events."""
