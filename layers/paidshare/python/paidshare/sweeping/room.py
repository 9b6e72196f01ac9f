"""Room for one more share where the Fast.io plan is full: the one that was asked for longest ago is deleted."""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock

from paidshare.errors import FileMissing, OrderBusy, ShareRefused
from paidshare.grants import KnownShare
from paidshare.ports import Ledger
from paidshare.sweeping.ports import ShareListing
from paidshare.sweeping.rounds import SharePage


def pages(listing: ShareListing, *, archived: bool = True) -> Iterator[SharePage]:
    """All of the list, *archived* ones too. A share may be shown twice."""
    workspace: str | None = None
    while True:
        start, more = 0, True
        while more:
            page = listing.page(start, workspace)
            yield page
            start, more = start + page.size, page.more
        workspace = listing.next_workspace(workspace) if archived else None
        if workspace is None:
            return


class Room:
    """
    The port `Room`: of the shares that no letter promises (`KnownShare.spare_since`). Their buyers still have access:
    whose share made room gets another one when it is asked for. Kept for the life of the process; safe to use from
    several threads.
    """

    def __init__(self, listing: ShareListing, ledger: Ledger) -> None:
        self._listing = listing
        self._ledger = ledger
        self._found: deque[str] = deque()
        self._listed_at = datetime.min.replace(tzinfo=UTC)
        self._lock = Lock()

    def make(self, order_id: str, *, now: datetime) -> bool:
        """See `delivering.ports.Room`."""
        for is_fresh in (False, True):
            if is_fresh:
                self._list(now)
            while (candidate := self._next(besides=order_id)) is not None:
                if self._gave_way(candidate, holder=f"room/{order_id}", now=now):
                    return True
        return False

    def _list(self, now: datetime) -> None:
        """The orders of spare shares, the longest unused first, which are used up one by one then."""
        found = self._ledger.spare(tuple(self._orders()))
        with self._lock:
            self._listed_at = now
            self._found = deque(found)

    def _next(self, *, besides: str) -> str | None:
        with self._lock:
            while self._found:
                if (candidate := self._found.popleft()) != besides:
                    return candidate
        return None

    def _orders(self) -> Iterator[str]:
        """Those that have a share, which only the share itself may say."""
        for page in pages(self._listing):
            for listed in page.shares:
                share = listed if listed.order_id is not None else self._listing.look(listed.id)
                if share is not None and share.order_id is not None:
                    yield share.order_id

    def _gave_way(self, order_id: str, *, holder: str, now: datetime) -> bool:
        """Whether the order's share was deleted: decided anew, with its lease in hand."""
        try:
            progress = self._ledger.claim(order_id, holder=holder, now=now)
        except OrderBusy:
            return False
        share = progress.share
        try:
            if share is None or share.gone or share.switching or not self._is_unused(share):
                return False
            progress = replace(progress, share=share.deleting())
            self._ledger.record(order_id, progress, holder=holder, now=now)
            self._listing.delete(share.id)
            progress = replace(progress, share=share.deleted())
        except (FileMissing, ShareRefused, OrderBusy):
            return False
        finally:
            # It stays marked: what a crash or a lost answer leaves in doubt, the order's next look sees to.
            with suppress(OrderBusy):
                self._ledger.release(order_id, progress, holder=holder, now=now, done=False)
        return True

    def _is_unused(self, share: KnownShare) -> bool:
        return share.spare_since is not None and share.spare_since <= self._listed_at
