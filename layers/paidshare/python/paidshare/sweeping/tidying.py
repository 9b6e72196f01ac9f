"""Tidying Fast.io's shares: those that are over are closed or deleted, under their order's lease."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from itertools import batched, takewhile

from paidshare import shares
from paidshare.errors import FastioUnavailable, FileMissing, OrderBusy, ShareRefused
from paidshare.grants import KnownShare
from paidshare.states import State
from paidshare.sweeping.asking import ask, ask_for_unknown, look
from paidshare.sweeping.ports import SweepPorts
from paidshare.sweeping.report import Part
from paidshare.sweeping.rounds import Fate, Known, ListedShare, fate

_AT_A_TIME = 25
"""So many are asked of the ledger in one call. A round that has to stop does so between them."""

_UNREADABLE_IN_A_ROW = 3
"""So many shares, one after the other, that cannot be looked at are Fast.io's trouble, and not theirs."""


class Tidying:
    """One round's, by *holder*."""

    def __init__(self, ports: SweepPorts, holder: str) -> None:
        self._ports = ports
        self._holder = holder
        self._unreadable = 0

    def tidy(self, part: Part, end: datetime, place: str | None) -> str | None:
        """
        The page at *place* (`OFFSET` in the list of all shares, then `OFFSET WORKSPACE` in each workspace's list of
        archived ones; None, and what is neither: the beginning). Where the next page begins, None after the last; the
        first share that is left of this one when the time is up.
        """
        start, workspace = _read(place)
        page, gone = self._ports.share_listing.page(start, workspace), part.deleted + part.closed

        def at(place: int) -> str:
            # What was deleted is on no list any more, nor, perhaps, what was archived: rather seen twice than not.
            return _written(start + place - (part.deleted + part.closed - gone), workspace)

        link_key = shares.checked_link_key(self._ports.link_key())
        for some in batched(page.shares, _AT_A_TIME, strict=False):
            # What of them there is time for; where that is up, the next round begins with the first that is left.
            in_time = tuple(takewhile(lambda _: self._ports.clock() < end, some))
            found = {share.id: self._looked_at(part, share) for share in in_time}
            known = self._ports.index.known(share.order_id for share in found.values() if share and share.order_id)
            for share in some:
                if share.id not in found or self._ports.clock() >= end:
                    part.saw += share.at
                    return at(share.at)
                with self._troubled(part):
                    self._see_to(part, found[share.id], known, link_key)
        part.saw += page.size
        if page.more:
            return at(page.size)
        following = self._ports.share_listing.next_workspace(workspace)
        return None if following is None else _written(0, following)

    def _looked_at(self, part: Part, listed: ListedShare) -> ListedShare | None:
        """With its order, which only the share itself may say; None for one that is gone, or cannot be looked at."""
        if listed.order_id is not None:
            return listed
        with self._troubled(part):
            return self._ports.share_listing.look(listed.id)
        return None

    @contextmanager
    def _troubled(self, part: Part) -> Iterator[None]:
        """One share's trouble keeps no other from its turn, unless it is Fast.io's."""
        try:
            yield
        except (FileMissing, ShareRefused, FastioUnavailable) as error:
            self._unreadable += 1
            part.refused += (str(error),)
            if self._unreadable >= _UNREADABLE_IN_A_ROW and isinstance(error, FastioUnavailable):
                raise
        else:
            self._unreadable = 0

    def _see_to(self, part: Part, share: ListedShare | None, known: Mapping[str, Known], link_key: str) -> None:
        """One share: whose it is, whether its order is to be looked at, and whether it is to be tidied."""
        if share is None or share.order_id is None:
            return
        order_id, now = share.order_id, self._ports.clock()
        order = known.get(order_id)
        if not _is_ours(share, order_id, order, link_key):
            return
        if order is None:
            ask_for_unknown(self._ports, part, [order_id])
        elif fate(share, order, now=now) is not Fate.KEEP:
            self._tidy_share(part, share, order_id)
        elif order.state is State.DELIVERED and not share.shut(now) and order.is_due(now):
            ask(self._ports, part, [look(order_id, now)])

    def _tidy_share(self, part: Part, share: ListedShare, order_id: str) -> None:
        """Decided anew with the order's lease in hand: a worker may just be giving its buyer access again."""
        ledger, now = self._ports.ledger, self._ports.clock()
        try:
            progress = ledger.claim(order_id, holder=self._holder, now=now)
        except OrderBusy:
            return
        try:
            found = self._ports.share_listing.look(share.id)
            if found is None or found.order_id != order_id:
                return
            # Fast.io's answer may have taken longer than the lease lasts: whoever lost it writes nothing, and does
            # nothing to the share.
            match fate(found, Known.of(progress), now=now):
                case Fate.CLOSE:
                    # As Deliver does it: written down first, so that it knows what it finds.
                    known = progress.share or KnownShare(share.id, share.expires_at or now)
                    progress = replace(progress, share=known).closing(now=now)
                    ledger.record(order_id, progress, holder=self._holder, now=self._ports.clock())
                    self._ports.shares.close(share.id)
                    progress = progress.closed()
                    part.closed += 1
                case Fate.DELETE:
                    ours = progress.share if progress.share and progress.share.id == share.id else None
                    if ours is not None:
                        progress = replace(progress, share=ours.deleting())
                    ledger.record(order_id, progress, holder=self._holder, now=self._ports.clock())
                    self._ports.share_listing.delete(share.id)
                    if ours is not None:
                        progress = replace(progress, share=ours.deleted())
                    part.deleted += 1
                case Fate.KEEP:
                    pass
        except OrderBusy:
            return
        finally:
            # Whatever a crash may have left undone is for Deliver to see: it stays marked.
            with suppress(OrderBusy):
                ledger.release(order_id, progress, holder=self._holder, now=self._ports.clock(), done=False)


def _read(place: str | None) -> tuple[int, str | None]:
    start, _, workspace = (place or "").partition(" ")
    return (int(start), workspace or None) if start.isdecimal() else (0, None)


def _written(start: int, workspace: str | None) -> str:
    return str(start) if workspace is None else f"{start} {workspace}"


def _is_ours(share: ListedShare, order_id: str, order: Known | None, link_key: str) -> bool:
    """
    Whether this installation made *share*: another one with the same Fast.io account has another link_key, and other
    orders.
    """
    recorded = order is not None and order.share_id == share.id
    return recorded or shares.is_named_for(share.name or "", order_id, link_key)
