"""The letters of an order in hand: each is written down before it leaves, and what the buyer believes after."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from paidshare.delivering import letters
from paidshare.delivering.entitlement import Due
from paidshare.delivering.errors import AddressMissing, LetterRejected, MailUnavailable, OutOfTime
from paidshare.delivering.lease import Lease
from paidshare.delivering.plan import Plan, Step
from paidshare.delivering.ports import Mailer
from paidshare.orders import Letter, Order, Share, ShareFile
from paidshare.ports import Clock
from paidshare.progress import LetterInFlight, Said
from paidshare.states import Kind

_SAME_END = timedelta(hours=1)
"""Ends that lie no further apart are one to a buyer."""


class Mailing:
    """
    Mails what changed. `mailed` are the kinds of the letters that left; none does after *deadline*. *page* is where the
    order's page is.
    """

    def __init__(
        self,
        lease: Lease,
        provider: Mailer,
        *,
        page: Callable[[], str],
        clock: Clock,
        now: datetime,
        deadline: datetime | None,
    ) -> None:
        self._lease = lease
        self._page = page
        self._provider = provider
        self._clock = clock
        self._now = now
        self._deadline = deadline
        self.mailed: list[str] = []

    def tell(self, order: Order, todo: Plan, share: Share | None = None) -> None:
        """
        Mail what the plan has to say; with a *share* its link.

        Raises AddressMissing, OutOfTime, and what `Mailer` and `Lease` raise.
        """
        if todo.letter is None:
            return
        progress = self._lease.progress
        if not order.email and (progress.delivered_at is not None or todo.step is Step.TELL_FAILURE):
            # There is nobody to tell; what the buyer has is as it should be all the same.
            self._count_as_told(todo.letter)
            return
        mailed = progress.delivered_at is not None
        page = self._page() if share is not None else ""
        self._mail(todo.letter, _written(todo.letter, address_of(order), order.id, todo, share, page, mailed=mailed))

    def tell_by_page(self, order: Order, todo: Plan, files: tuple[ShareFile, ...]) -> None:
        """Mail the page's link in the place of a share's. *files* are what it will have. Raises like `tell`."""
        self.tell(order, todo, Share("", "", self._page(), todo.until, files))

    def _count_as_told(self, said: Said) -> None:
        before = self._lease.progress.last_letter
        told = self._lease.progress.with_letter(said, now=self._now).after_letter()
        self._lease.progress = told
        if told.last_letter is not None:
            mailed_at = before.mailed_at if before else None
            self._lease.note(last_letter=replace(told.last_letter, mailed_at=mailed_at, unheard=False))

    def _mail(self, said: Said, letter: Letter) -> None:
        now = self._clock()
        if self._deadline is not None and now >= self._deadline:
            # A letter that leaves in the last seconds may not be written down, and would leave again.
            raise OutOfTime("too late in this invocation for the letter", wait=1)
        in_flight = LetterInFlight(said, now)
        leaving = replace(self._lease.progress, in_flight=in_flight)
        self._lease.record(leaving)
        # Only now: where this could not be written down, no letter leaves, and none is in doubt.
        self._lease.progress = leaving
        try:
            message_id = self._provider.send(replace(letter, mark=in_flight.mark), order_id=self._lease.order_id)
        except (LetterRejected, MailUnavailable) as error:
            if not (isinstance(error, MailUnavailable) and error.in_doubt):
                self._lease.note(in_flight=None)
            raise
        self.mailed.append(said.kind)
        self._lease.progress = leaving.after_letter(at=self._clock(), message_id=message_id)


def address_of(order: Order) -> str:
    """Where its letters go. Raises AddressMissing."""
    if not order.email:
        raise AddressMissing("Stripe has no e-mail address for this paid order")
    return order.email


def _written(said: Said, to: str, order_id: str, todo: Plan, share: Share | None, page: str, *, mailed: bool) -> Letter:
    """
    The letter that says so. With a *share* it is its link that is mailed, and the *page*'s; *mailed* is whether one was
    before.
    """
    products, why = _products(due for due in todo.dues if due.line.id in said.lines), said.why or ""
    if share is not None:
        earlier = [
            (due.line.product_name, due.until)
            for due in todo.access
            if due.until is not None and due.until < share.expires_at - _SAME_END
        ]
        return letters.delivery(to=to, order_id=order_id, products=products, share=share, earlier=earlier, page=page)
    match Kind(said.kind):
        case Kind.ACCESS_ON_HOLD:
            return letters.access_on_hold(to=to, order_id=order_id, products=products, why=why, mailed=mailed)
        case Kind.ACCESS_ENDED:
            return letters.access_ended(to=to, order_id=order_id, products=products, why=why, mailed=mailed)
        case Kind.ACCESS_BACK:
            return letters.access_back(to=to, order_id=order_id, products=products, until=todo.until)
        case Kind.ACCESS_CHANGED:
            return letters.access_changed(to=to, order_id=order_id, products=products, until=todo.until, why=why)
        case Kind.PAYMENT_FAILED:
            return letters.payment_failed(to=to, order_id=order_id, products=products)
        case Kind.DELIVERY:
            raise ValueError("a link is mailed of a share")


def _products(dues: Iterable[Due]) -> tuple[str, ...]:
    return tuple(due.line.product_name for due in dues)
