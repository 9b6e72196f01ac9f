"""The share of an order in hand: filled, taken from, closed, opened again, and what each line is granted by it."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from paidshare import shares
from paidshare.delivering import catalog
from paidshare.delivering.entitlement import Due
from paidshare.delivering.errors import MetadataBroken
from paidshare.delivering.lease import Lease
from paidshare.delivering.plan import Plan, ids
from paidshare.delivering.ports import Shares
from paidshare.errors import FileMissing
from paidshare.grants import Grant, KnownShare
from paidshare.orders import Goods, Share, ShareRequest
from paidshare.ports import LinkKey
from paidshare.progress import Progress


@dataclass(frozen=True, slots=True)
class Sharing:
    """
    What is done to the share at *now*, each step written down in the lease around it. Nothing long is begun after
    *deadline*. All of it raises what `Shares` and `Lease` raise.
    """

    _lease: Lease
    _provider: Shares
    _link_key: LinkKey
    _link_days: int
    _now: datetime
    _deadline: datetime | None

    def request(self, todo: Plan) -> ShareRequest:
        """The share that the plan asks for. Raises MetadataBroken, SecretUnavailable."""
        known = self._lease.progress.share
        goods = tuple(self._goods(due) for due in todo.access)
        link_key = shares.checked_link_key(self._link_key())
        request = shares.share_request(self._lease.order_id, goods, todo.until, link_key)
        if known is None:
            return request
        return replace(request, share_id=known.id, last_end=known.ends_at)

    def found(self, request: ShareRequest) -> Share | None:
        """The share that there is already."""
        return self._provider.find(request)

    def fill(self, request: ShareRequest, lines: tuple[str, ...]) -> Share:
        """The order's share, open, with exactly the files of *lines*, to the moment that *request* says."""
        if self._lease.progress.unseen:
            # From here on a share under the order's name is one that we began ourselves.
            self._lease.begin(replace(self._lease.progress, unseen=False))
        if (known := self._lease.progress.share) is not None:
            self._begin(replace(known, switching=True, holds=()))
        share = self._provider.open(request, deadline=self._deadline)
        self._lease.note(share=KnownShare(share.id, share.expires_at, holds=lines))
        return share

    def refill(self, todo: Plan) -> None:
        """Make the share hold what the plan gives. A file that is gone must not keep open what was taken back."""
        due = ids(todo.access)
        held = self._lease.progress.holds or self._lease.progress.given
        try:
            self.fill(self.request(todo), due)
        except (FileMissing, MetadataBroken):
            if not self._stripped(todo) or not set(due) <= set(held):
                raise
            self._lease.note_share(holds=due)
            self.reopen(todo)

    def reopen(self, todo: Plan) -> None:
        """Un-archive the share as it was left; made anew where it is gone."""
        known, ends_at = self._lease.progress.share, None
        if known is not None:
            self._begin(replace(known, switching=True))
            ends_at = self._provider.reopen(known.id, until=todo.until)
        if ends_at is None:
            self.fill(self.request(todo), ids(todo.access))
        else:
            self._lease.note_share(switching=False, closed_at=None, ends_at=ends_at)

    def reopened(self, share: Share, *, until: datetime) -> Share | None:
        """*share* as it was left, open until *until*, or until when it would have been; None when it is gone."""
        ends_at = self._provider.reopen(share.id, until=max(share.expires_at, until))
        if ends_at is None:
            return None
        self._lease.note(share=KnownShare(share.id, ends_at, holds=self._lease.progress.holds))
        return replace(share, expires_at=ends_at)

    def close(self, todo: Plan) -> None:
        """Archive the share, unless it is known to be: the lines' time stops."""
        progress = self._lease.progress.taken_back(ids(todo.dues), now=self._now)
        self._lease.progress = progress
        if progress.share is not None and progress.share.may_be_open:
            self._lease.begin(progress.closing(now=self._now))
            self._provider.close(progress.share.id)
            self._lease.progress = self._lease.progress.closed()

    def take_over(self, share: Share, request: ShareRequest) -> None:
        """Have *share*, which an earlier worker filled, be the order's, with the end that its buyer was told."""
        # Until all is written down the row says `unseen`: whoever comes after a crash takes the share over, too.
        known = KnownShare(share.id, share.expires_at, holds=self._lease.progress.holds)
        self._lease.begin(replace(self._lease.progress, unseen=True, share=known))
        if share.expires_at > self._now:
            kept = replace(request, share_id=share.id, expires_at=share.expires_at, last_end=share.expires_at)
            self._lease.note_share(ends_at=self._provider.open(kept, deadline=self._deadline).expires_at)

    def grant(self, todo: Plan) -> None:
        """What the lines are given that had nothing yet. It counts from the letter that tells of it."""
        at = self._now
        self._lease.progress = self._lease.progress.granting(
            (
                Grant(due.line.id, due.until or at, (goods := self._goods(due)).workspace, goods.nodes, closed_at=at)
                for due in todo.access
            ),
            now=at,
        )

    def _goods(self, due: Due) -> Goods:
        return _goods(due, self._lease.progress, self._link_days)

    def _begin(self, share: KnownShare) -> None:
        self._lease.begin(replace(self._lease.progress, share=share))

    def _stripped(self, todo: Plan) -> bool:
        """Whether the share holds nothing any more but what is due. Where nobody can tell, it is closed."""
        share = self._lease.progress.share
        if share is None:
            return False
        kept = tuple(_known(todo.access, self._lease.progress, self._link_days))
        rest = [due for due in todo.dues if due not in todo.access]
        gone = tuple(_known(rest, self._lease.progress, self._link_days))
        if len(gone) < len(rest):
            self.close(todo)
            return False
        self._provider.strip(share.id, gone=gone, kept=kept, deadline=self._deadline)
        return True


def _goods(due: Due, progress: Progress, link_days: int) -> Goods:
    """What was given of the line, else what its product says now. Raises MetadataBroken."""
    grants = progress.grants if progress.delivered_at is not None else ()
    given = next((grant for grant in grants if grant.line == due.line.id), None)
    if given is None:
        return catalog.goods(due.line, default_link_days=link_days)
    return Goods(due.line.product_name, given.workspace, given.nodes, link_days, due.line.product_id)


def _known(dues: Iterable[Due], progress: Progress, link_days: int) -> Iterator[Goods]:
    """The goods of those whose goods are known."""
    for due in dues:
        with suppress(MetadataBroken):
            yield _goods(due, progress, link_days)
