"""An order in hand: what is known to be done for it, and the lease under which that is written down."""

from dataclasses import replace
from typing import Any

from paidshare.ports import Clock, Ledger
from paidshare.progress import Progress


class Lease:
    """
    Of one order, for one worker. `progress` is what is known by now; what is only noted is written with the next
    `record` or `release`.
    """

    def __init__(self, order_id: str, progress: Progress, *, ledger: Ledger, holder: str, clock: Clock) -> None:
        self.order_id = order_id
        self.progress = progress
        self._ledger = ledger
        self._holder = holder
        self._clock = clock

    def note(self, **done: Any) -> None:
        """Know *done* (fields of `Progress`)."""
        self.progress = replace(self.progress, **done)

    def note_share(self, **done: Any) -> None:
        """Know *done* (fields of `KnownShare`) of the share, if there is one."""
        if self.progress.share is not None:
            self.note(share=replace(self.progress.share, **done))

    def begin(self, doubtful: Progress) -> None:
        """Write down what will be in doubt if the next call's answer is lost. Raises OrderBusy, LedgerUnavailable."""
        self.progress = doubtful
        self.record(doubtful)

    def record(self, progress: Progress) -> None:
        """Write *progress* down, and know it only where somebody says so. Raises OrderBusy, LedgerUnavailable."""
        self._ledger.record(self.order_id, progress, holder=self._holder, now=self._clock())

    def release(self, *, done: bool = True) -> None:
        """Write all down and give the order back. Raises OrderBusy, LedgerUnavailable."""
        self._ledger.release(self.order_id, self.progress, holder=self._holder, now=self._clock(), done=done)
