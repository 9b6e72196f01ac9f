"""The steps that change what a buyer has, and say so: any call in them may be the last before a crash."""

from dataclasses import replace
from datetime import datetime

from paidshare.delivering.lease import Lease
from paidshare.delivering.mailing import Mailing
from paidshare.delivering.plan import Plan, Step, ids
from paidshare.delivering.sharing import Sharing
from paidshare.errors import PlanFull
from paidshare.orders import Order, Share, ShareRequest
from paidshare.progress import LastLetter, Said
from paidshare.states import Kind, Told, Why


class Steps:
    """
    For one order at *now*. With *by_page* letters hold the page's link, and a share is made when the buyer asks there.
    All of it raises what `Sharing`, `Mailing` and `Lease` raise. `plan_was_full`: there was no room for its share.
    """

    def __init__(self, lease: Lease, sharing: Sharing, mailing: Mailing, *, by_page: bool, now: datetime) -> None:
        self._lease = lease
        self._by_page = by_page
        self._sharing = sharing
        self._mailing = mailing
        self._now = now
        self.plan_was_full = False

    def deliver(self, order: Order, todo: Plan) -> None:
        """
        Open the share and mail its link; where there is none to be, the page's. Raises AddressMissing before anything
        is opened.
        """
        self._mailing.address_of(order)
        request = self._sharing.request(todo)
        found = self._sharing.found(request) if self._lease.progress.unseen else None
        if found is not None:
            self._adopt(todo, found, request)
            return
        if (share := self._made(request, todo)) is None:
            self._deliver_by_page(order, todo, request)
            return
        self._promise(todo)
        self._mailing.tell(order, todo, share)

    def _made(self, request: ShareRequest, todo: Plan) -> Share | None:
        """The share for a letter. None where letters hold the page's link, or no other share may make room for it."""
        if self._by_page:
            return None
        try:
            return self._sharing.fill(request, ids(todo.access))
        except PlanFull:
            # No order waits for the plan.
            self.plan_was_full = True
            return None

    def _deliver_by_page(self, order: Order, todo: Plan, request: ShareRequest) -> None:
        files = self._sharing.files(request)
        if self._lease.progress.share is None or self._sharing.is_gone:
            self._sharing.leave_unmade(todo.until)
        self._promise(todo)
        self._mailing.tell_by_page(order, todo, files)

    def open(self, todo: Plan) -> None:
        """Have a share be there, which no letter tells of. Raises PlanFull where there is no room for one."""
        todo = replace(todo, access=tuple(map(self._sharing.within_access, todo.access)))
        if self._sharing.gives(ids(todo.access)):
            self._sharing.use()
            return
        self._sharing.fill(self._sharing.request(todo), ids(todo.access), spare=True)
        self._sharing.grant(todo)
        self._lease.progress = self._lease.progress.opened(ids(todo.access), at=self._now)

    def _promise(self, todo: Plan) -> None:
        """Before the letter leaves: it may be all that is ever known of it."""
        # What another order gives, or had run out before it could be delivered, never comes to life with the others.
        settled = ids(due for due in todo.dues if due.why not in (Why.EXPIRED, Why.GIVEN_ALREADY))
        self._lease.note(lines=settled)
        self._sharing.grant(todo)

    def _adopt(self, todo: Plan, found: Share, request: ShareRequest) -> None:
        """
        The row was lost, and the share is there: nobody is mailed a second time because of that, and what the letter
        said of the share's end stands. An operator can ask for another letter.
        """
        access = ids(todo.access)
        self._sharing.take_over(found, request)
        self._promise(todo)
        progress = self._lease.progress
        until = progress.share.ends_at if progress.share else found.expires_at
        grants = tuple(replace(one, until=min(one.until, until), closed_at=None) for one in progress.grants)
        told = replace(progress.last_letter or LastLetter(Told.ACCESS), told=Told.ACCESS, given=access)
        self._lease.note(grants=grants, last_letter=told, delivered_at=self._now, unseen=False)
        self._lease.note_share(holds=access)

    def take_back(self, order: Order, todo: Plan) -> None:
        """Close the share, and mail why."""
        self._sharing.close(todo)
        self._mailing.tell(order, todo)

    def give(self, order: Order, todo: Plan) -> None:
        """
        What was given stays as it was then: only where other lines are due, or it is in doubt what the share holds, is
        it filled anew.
        """
        due = ids(todo.access)
        gone = [one for one in todo.dues if one.line.id not in due and one.why is not Why.EXPIRED]
        self._lease.progress = self._lease.progress.taken_back(ids(gone), now=self._now)
        if self._sharing.is_gone:
            # A letter with the link makes it anew.
            self._sharing.leave_unmade(todo.until)
        elif set(due) != set(self._lease.progress.holds):
            self._sharing.refill(todo)
        elif todo.step is Step.REOPEN:
            self._sharing.reopen(todo)
        self._sharing.grant(todo)
        # Before the letter: the sweep would close the share again of an order that says “on hold”.
        self._lease.note(state=todo.state, reason=todo.why)
        if todo.letter is None:
            self._have_without_a_word(due)
        elif todo.letter.kind == Kind.DELIVERY:
            self._mail_the_link(order, todo)
        else:
            self._mailing.tell(order, todo)

    def _mail_the_link(self, order: Order, todo: Plan) -> None:
        request = self._sharing.request(todo)
        found = None if self._by_page or self._sharing.is_gone else self._sharing.found(request)
        if (share := found or self._made(request, todo)) is None:
            self._deliver_by_page(order, todo, request)
        else:
            self._sharing.promise()
            self._mailing.tell(order, todo, share)

    def _have_without_a_word(self, due: tuple[str, ...]) -> None:
        """The buyer has *due*, and that is no news."""
        opened = self._lease.progress.opened(due, at=self._now)
        told = replace(opened.last_letter or LastLetter(Told.ACCESS), given=due)
        self._lease.progress = replace(opened, last_letter=told)

    def mail_again(self, order: Order, todo: Plan) -> None:
        """The link of the share that there is, whatever the products say by now; made anew if it is gone or over."""
        self._mailing.address_of(order)
        until = {due.line.id: due.until for due in todo.access if due.until is not None}
        self._lease.progress = self._lease.progress.prolonged(until, now=self._now)
        todo = replace(todo, letter=Said(Kind.DELIVERY, ids(todo.access)))
        request = self._sharing.request(todo)
        if self._by_page:
            self._deliver_by_page(order, todo, request)
            return
        found = None if self._sharing.is_gone else self._sharing.found(request)
        # By now it may be archived, or another one than the ledger's: whoever is mailed its link must get in.
        live = found is not None and found.expires_at > self._now
        share = self._sharing.reopened(found, until=todo.until) if found is not None and live else None
        if share is None and (share := self._made(request, todo)) is None:
            self._deliver_by_page(order, todo, request)
            return
        self._sharing.grant(todo)
        self._sharing.promise()
        self._mailing.tell(order, todo, share)
