"""What only sweeping raises."""

from paidshare.errors import TryAgain


class RoundBusy(TryAgain):
    """Another round of the sweep is under way. It will finish, or its time will run out."""
