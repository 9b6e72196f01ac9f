"""The share of an order in hand: filled, taken from, closed, opened again, and what each line is granted by it."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from paidshare import shares
from paidshare.delivering import catalog
from paidshare.delivering.entitlement import Due
from paidshare.delivering.errors import MetadataBroken
from paidshare.delivering.lease import Lease
from paidshare.delivering.plan import Plan, ids
from paidshare.delivering.ports import Room, Shares
from paidshare.errors import FileMissing, PlanFull
from paidshare.grants import Grant, KnownShare, unmade
from paidshare.orders import Goods, Share, ShareFile, ShareRequest
from paidshare.ports import LinkKey
from paidshare.progress import Progress
from paidshare.settings import Policy

_TRIES_FOR_ROOM = 3


@dataclass(frozen=True, slots=True)
class Sharing:
    """
    What is done to the share at *now*, each step written down in the lease around it. Nothing long is begun after
    *deadline*. All of it raises what `Shares` and `Lease` raise.
    """

    _lease: Lease
    _provider: Shares
    _link_key: LinkKey
    _policy: Policy
    _room: Room
    _now: datetime
    _deadline: datetime | None

    @property
    def is_gone(self) -> bool:
        """Whether the order's share is to be made when it is asked for."""
        known = self._lease.progress.share
        return known is not None and known.gone

    def gives(self, lines: Iterable[str]) -> bool:
        """Whether the buyer has *lines* in a share that is there, as far as anybody knows."""
        known = self._lease.progress.share
        return known is not None and known.works(self._now) and set(lines) <= set(self._lease.progress.holds)

    def within_access(self, due: Due) -> Due:
        """*due*, no longer than the buyer has access."""
        ends = next((one.access_until for one in self._lease.progress.grants if one.line == due.line.id), None)
        return replace(due, until=min(due.until, ends)) if due.until and ends else due

    def request(self, todo: Plan) -> ShareRequest:
        """The share that the plan asks for. Raises MetadataBroken, SecretUnavailable."""
        known, order_id = self._lease.progress.share, self._lease.order_id
        goods = tuple(self._goods(due) for due in todo.access)
        link_key = shares.checked_link_key(self._link_key())
        if known is None:
            return shares.share_request(order_id, goods, todo.until, link_key)
        if known.gone:
            return shares.share_request(order_id, goods, todo.until, link_key, known.next_generation)
        request = shares.share_request(order_id, goods, todo.until, link_key, known.generation)
        return replace(request, share_id=known.id, last_end=known.ends_at)

    def files(self, request: ShareRequest) -> tuple[ShareFile, ...]:
        """The files that a share would have, without one. Raises FileMissing, ShareRefused, FastioUnavailable."""
        return self._provider.files(request.goods, deadline=self._deadline)

    def found(self, request: ShareRequest) -> Share | None:
        """The share that there is already."""
        return self._provider.find(request)

    def fill(self, request: ShareRequest, lines: tuple[str, ...], *, spare: bool = False) -> Share:
        """
        The order's share, open, with exactly the files of *lines*, to the moment that *request* says. *spare*: no
        letter promises it, and it may make room for another; where the plan is full another one does for it. Raises
        PlanFull when none can.
        """
        if self._lease.progress.unseen:
            # From here on a share under the order's name is one that we began ourselves.
            self._lease.begin(replace(self._lease.progress, unseen=False))
        if (known := self._lease.progress.share) is not None:
            # One that is gone is in no doubt: the next one has a name of its own, and is found by that.
            self._begin(replace(known, switching=not known.gone, holds=()))
        share = self._opened(request)
        spare_since = self._now if spare else None
        self._lease.note(share=KnownShare(share.id, share.expires_at, lines, spare_since=spare_since))
        self._lease.note_share(generation=_generation(share, request, known))
        return share

    def _opened(self, request: ShareRequest) -> Share:
        """The share; as often as it takes, another one makes room first, which a third one may have taken."""
        for _ in range(_TRIES_FOR_ROOM):
            try:
                return self._provider.open(request, deadline=self._deadline)
            except PlanFull:
                if not self._room.make(self._lease.order_id, now=self._now):
                    raise
        return self._provider.open(request, deadline=self._deadline)

    def use(self) -> None:
        """The buyer asks for the share that is there."""
        known = self._lease.progress.share
        if known is not None and known.spare_since is not None:
            self._lease.note_share(spare_since=self._now)

    def promise(self) -> None:
        """A letter is about to promise the share: it makes room for no other until its end."""
        self._lease.note_share(spare_since=None)

    def leave_unmade(self, until: datetime) -> None:
        """There is no share, and the buyer has access all the same: one is made when it is asked for."""
        known = self._lease.progress.share
        self._lease.note(share=unmade(until) if known is None else replace(known, ends_at=until))
        self._lease.note_share(closed_at=None, switching=False)

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
        self._lease.note(share=self._known(share, ends_at))
        return replace(share, expires_at=ends_at)

    def close(self, todo: Plan) -> None:
        """Archive the share, unless it is known to be: the lines' time stops."""
        progress = self._lease.progress.taken_back(ids(todo.dues), now=self._now)
        self._lease.progress = progress
        if progress.share is not None and progress.share.may_be_open:
            self._lease.begin(progress.closing(now=self._now))
            self._provider.close(progress.share.id)
            self._lease.progress = self._lease.progress.closed()

    def was_opened(self, share_id: str) -> bool | None:
        """Whether somebody has opened a file of it; None where nobody can tell."""
        return self._provider.was_opened(share_id)

    def withdraw(self) -> None:
        """Delete the share: its link opens nothing any more. The next one, of the next generation, has another."""
        known = self._lease.progress.share
        if known is not None and not known.gone:
            self._begin(known.deleting())
            self._provider.withdraw(known.id)
            self._lease.note(share=known.deleted())

    def take_over(self, share: Share, request: ShareRequest) -> None:
        """Have *share*, which an earlier worker filled, be the order's, with the end that its buyer was told."""
        # Until all is written down the row says `unseen`: whoever comes after a crash takes the share over, too.
        known = self._known(share, share.expires_at)
        self._lease.begin(replace(self._lease.progress, unseen=True, share=known))
        if share.expires_at > self._now:
            kept = replace(request, share_id=share.id, expires_at=share.expires_at, last_end=share.expires_at)
            self._lease.note_share(ends_at=self._provider.open(kept, deadline=self._deadline).expires_at)

    def grant(self, todo: Plan) -> None:
        """What the lines are given that had nothing yet. It counts from the letter that tells of it."""
        new = [self._grant(due, due.until or self._now) for due in todo.access]
        self._lease.progress = self._lease.progress.granting(new, now=self._now)

    def _grant(self, due: Due, until: datetime) -> Grant:
        goods, at = self._goods(due), self._now
        before = next((one for one in self._lease.progress.grants if one.line == due.line.id), None)
        if due.line.period_end is not None:
            ends: datetime | None = until
        elif before is not None and self._lease.progress.delivered_at is not None:
            ends = before.access_until and max(before.access_until, until)
        else:
            ends = None if goods.access_days is None else max(until, at + timedelta(days=goods.access_days))
        return Grant(due.line.id, until, goods.workspace, goods.nodes, closed_at=at, access_until=ends)

    def _known(self, share: Share, ends_at: datetime) -> KnownShare:
        """*share*, which is there, with what is known of the order's."""
        progress = self._lease.progress
        known = KnownShare(share.id, ends_at, holds=progress.holds)
        return known if progress.share is None else replace(known, generation=progress.share.generation)

    def _goods(self, due: Due) -> Goods:
        return _goods(due, self._lease.progress, self._policy)

    def _begin(self, share: KnownShare) -> None:
        self._lease.begin(replace(self._lease.progress, share=share))

    def _stripped(self, todo: Plan) -> bool:
        """Whether the share holds nothing any more but what is due. Where nobody can tell, it is closed."""
        share = self._lease.progress.share
        if share is None:
            return False
        kept = tuple(_known(todo.access, self._lease.progress, self._policy))
        rest = [due for due in todo.dues if due not in todo.access]
        gone = tuple(_known(rest, self._lease.progress, self._policy))
        if len(gone) < len(rest):
            self.close(todo)
            return False
        self._provider.strip(share.id, gone=gone, kept=kept, deadline=self._deadline)
        return True


def _generation(share: Share, request: ShareRequest, known: KnownShare | None) -> int:
    """Of the share that came of *request*: by its name, as one that was deleted by hand is followed by the next."""
    if known is None:
        return 0
    return known.next_generation if known.gone or share.name == request.next_name else known.generation


def _goods(due: Due, progress: Progress, policy: Policy) -> Goods:
    """What was given of the line, else what its product says now. Raises MetadataBroken."""
    grants = progress.grants if progress.delivered_at is not None else ()
    given = next((grant for grant in grants if grant.line == due.line.id), None)
    if given is None:
        days, access_days = policy.link_days, policy.access_days
        return catalog.goods(due.line, default_link_days=days, default_access_days=access_days)
    return Goods(due.line.product_name, given.workspace, given.nodes, policy.link_days, due.line.product_id)


def _known(dues: Iterable[Due], progress: Progress, policy: Policy) -> Iterator[Goods]:
    """The goods of those whose goods are known."""
    for due in dues:
        with suppress(MetadataBroken):
            yield _goods(due, progress, policy)
