"""The letters of an order in hand: each is written down before it leaves, and what the buyer believes after."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from paidshare.delivering.errors import AddressMissing, LetterRejected, MailUnavailable, OutOfTime
from paidshare.delivering.lease import Lease
from paidshare.delivering.letters.desk import Desk
from paidshare.delivering.letters.purchase import Purchase
from paidshare.delivering.plan import Plan, Step
from paidshare.delivering.ports import Mailer
from paidshare.orders import Letter, Order, Share, ShareFile
from paidshare.ports import Clock, LinkKey
from paidshare.progress import LetterInFlight, Progress, Said
from paidshare.retries import Late
from paidshare.states import Kind
from paidshare.storefront import addresses
from paidshare.storefront.seller import Seller
from paidshare.wishes import edition

_SAME_END = timedelta(hours=1)
"""Ends that lie no further apart are one to a buyer."""


class Mailing:
    """
    Mails in the *seller*'s name what changed. `mailed` are the kinds of the letters that left; none does after
    *deadline*. *page* is where an edition of the order's page is; *link_key* opens an address that the buyer corrected.
    """

    def __init__(
        self,
        lease: Lease,
        provider: Mailer,
        seller: Seller,
        *,
        page: Callable[[int], str],
        link_key: LinkKey,
        clock: Clock,
        now: datetime,
        deadline: datetime | None,
    ) -> None:
        self._lease = lease
        self._page = page
        self._link_key = link_key
        self._provider = provider
        self._seller = seller
        self._clock = clock
        self._now = now
        self._deadline = deadline
        self.late_after = seller.late_after
        self.mailed: list[str] = []

    def address_of(self, order: Order) -> str:
        """Where the order's letters go. Raises AddressMissing, SecretUnavailable."""
        if (address := self.found_address(order)) is None:
            raise AddressMissing("Stripe has no e-mail address for this paid order")
        return address

    def found_address(self, order: Order) -> str | None:
        """Like `address_of`; None where Stripe has none. Never the old one of an address that was corrected."""
        correction = self._lease.progress.correction
        if correction is None or correction.to is None or order.corrected:
            return order.email or None
        address = addresses.opened(self._link_key(), self._lease.order_id, correction.to)
        if address is None:
            raise AddressMissing("the address that its buyer corrected cannot be read: was link_key changed?")
        return address

    def tell(self, order: Order, todo: Plan, share: Share | None = None) -> None:
        """
        Mail what the plan has to say; with a *share* its link.

        Raises AddressMissing, OutOfTime, and what `Mailer` and `Lease` raise.
        """
        if todo.letter is None:
            return
        progress = self._lease.progress
        if self.found_address(order) is None and (progress.delivered_at is not None or todo.step is Step.TELL_FAILURE):
            # There is nobody to tell; what the buyer has is as it should be all the same.
            self._count_as_told(todo.letter)
            return
        mailed = progress.delivered_at is not None
        about = [due.line.product_name for due in todo.dues if due.line.id in todo.letter.lines]
        page = self._page_now() if share is not None else ""
        self._mail(todo.letter, _written(todo.letter, self._desk(order, about), todo, share, page, mailed=mailed))

    def tell_by_page(self, order: Order, todo: Plan, files: tuple[ShareFile, ...]) -> None:
        """Mail the page's link in the place of a share's. *files* are what it will have. Raises like `tell`."""
        self.tell(order, todo, Share("", "", self._page_now(), todo.until, files))

    def _page_now(self) -> str:
        return self._page(edition(self._lease.progress.correction))

    def _count_as_told(self, said: Said) -> None:
        before = self._lease.progress.last_letter
        told = self._lease.progress.with_letter(said, now=self._now).after_letter()
        self._lease.progress = told
        if told.last_letter is not None:
            mailed_at = before.mailed_at if before else None
            self._lease.note(last_letter=replace(told.last_letter, mailed_at=mailed_at, unheard=False))

    def tell_of_delay(self, order: Order, products: Iterable[str], *, by_a_person: bool) -> None:
        """
        Mail, once for an order, that its *products* are late; *by_a_person* as in `Desk.delayed`.

        Written down before it leaves, and never in doubt after: where nobody knows whether it left, none follows. It is
        the link that the buyer waits for. Raises like `tell`.
        """
        unsaid = self._lease.progress
        late = replace(unsaid.late or Late(self._now), told_at=self._time_for_a_letter())
        letter = replace(self._desk(order, products).delayed(by_a_person=by_a_person), mark=late.mark)
        message_id = self._send(letter, leaving=replace(unsaid, late=late), if_not={"late": unsaid.late})
        self._lease.note(late=replace(late, message_id=message_id))

    def _desk(self, order: Order, products: Iterable[str]) -> Desk:
        purchase = Purchase(self.address_of(order), order.id, tuple(products), order.sale, order.total)
        return Desk(purchase, self._seller)

    def _time_for_a_letter(self) -> datetime:
        now = self._clock()
        if self._deadline is not None and now >= self._deadline:
            # A letter that leaves in the last seconds may not be written down, and would leave again.
            raise OutOfTime("too late in this invocation for the letter", wait=1)
        return now

    def _mail(self, said: Said, letter: Letter) -> None:
        in_flight = LetterInFlight(said, self._time_for_a_letter())
        leaving = replace(self._lease.progress, in_flight=in_flight)
        message_id = self._send(replace(letter, mark=in_flight.mark), leaving=leaving, if_not={"in_flight": None})
        self._lease.progress = leaving.after_letter(at=self._clock(), message_id=message_id)

    def _send(self, letter: Letter, *, leaving: Progress, if_not: dict[str, Any]) -> str:
        """Its message id; *if_not* are the fields of `Progress` where it certainly did not leave."""
        before = leaving.last_message_id
        self._lease.record(leaving)
        # Only now: where this could not be written down, no letter leaves, and none is in doubt.
        self._lease.progress = leaving
        try:
            message_id = self._provider.send(replace(letter, follows=before), order_id=self._lease.order_id)
        except (LetterRejected, MailUnavailable) as error:
            if not (isinstance(error, MailUnavailable) and error.in_doubt):
                self._lease.note(**if_not)
            raise
        self.mailed.append(letter.kind)
        return message_id


def _written(said: Said, desk: Desk, todo: Plan, share: Share | None, page: str, *, mailed: bool) -> Letter:
    """
    The letter that says so. With a *share* it is its link that is mailed, and the *page*'s; *mailed* is whether one was
    before.
    """
    why = said.why or ""
    if share is not None:
        earlier = tuple(
            (due.line.product_name, due.until)
            for due in todo.access
            if due.until is not None and due.until < share.expires_at - _SAME_END
        )
        return desk.delivery(share, earlier, page=page)
    match Kind(said.kind):
        case Kind.ACCESS_ON_HOLD:
            return desk.access_on_hold(why, mailed=mailed)
        case Kind.ACCESS_ENDED:
            return desk.access_ended(why, mailed=mailed)
        case Kind.ACCESS_BACK:
            return desk.access_back(todo.until)
        case Kind.ACCESS_CHANGED:
            return desk.access_changed(todo.until, why)
        case Kind.PAYMENT_FAILED:
            return desk.payment_failed()
        case Kind.DELIVERY | Kind.DELAYED:
            raise ValueError("a link is mailed of a share, and of a delay no plan tells")
