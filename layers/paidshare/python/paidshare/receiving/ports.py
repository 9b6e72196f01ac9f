"""What receiving needs from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from paidshare.notices import Notice


class Intake(Protocol):
    """Where verified events become notices on the queue."""

    def take(self, notice: Notice) -> bool:
        """Queue *notice*; False when this event's notice was queued before. Raises QueueUnavailable."""
