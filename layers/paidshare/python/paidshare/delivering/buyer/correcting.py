"""The buyer's own word on where letters go: what the old address got opens nothing then, and all is said anew."""

from dataclasses import dataclass, replace
from datetime import datetime

from paidshare.delivering.lease import Lease
from paidshare.delivering.sharing import Sharing
from paidshare.grants import UNMADE
from paidshare.orders import Order
from paidshare.ports import LinkKey
from paidshare.storefront import addresses
from paidshare.wishes import Correction, Refused, Wants, Wish


@dataclass(frozen=True, slots=True)
class Correcting:
    """
    For one order at *now*. It comes before anything is decided, and whoever finds it half done goes on with it. All of
    it raises what `Sharing` and `Lease` raise.
    """

    _lease: Lease
    _sharing: Sharing
    _link_key: LinkKey
    _now: datetime

    def heed(self, wish: Wish | None, order: Order) -> None:
        """
        What *wish* says of the address, once, unless the seller corrected it: theirs counts. The share that there is
        goes, and no letter counts as told any more, so that what is due is mailed anew.
        """
        before = self._lease.progress.correction
        if before is None and wish is not None and wish.wants is Wants.CORRECT and not order.corrected:
            self._correct(wish, order)
        self._withdraw()

    def _correct(self, wish: Wish, order: Order) -> None:
        address = addresses.opened(self._link_key(), self._lease.order_id, wish.sealed or "")
        if address is None or address == order.email:
            return
        if (refused := self._refused()) is not None:
            self._lease.note(correction=Correction(self._now, refused=refused))
            return
        # A letter that may have left for the old address: whether it did is no matter any more.
        progress = self._lease.progress.after_letter()
        last, share = progress.last_letter, progress.share
        told = None if last is None else replace(last, unheard=True, unsure=True)
        correction = Correction(self._now, to=wish.sealed, withdrawing=share is not None and not share.gone)
        self._lease.begin(replace(progress, last_letter=told, correction=correction))

    def _refused(self) -> Refused | None:
        share = self._lease.progress.share
        if share is None or share.id == UNMADE:
            return None
        was_opened = self._sharing.was_opened(share.id)
        return Refused.NOT_KNOWN if was_opened is None else Refused.OPENED if was_opened else None

    def _withdraw(self) -> None:
        correction = self._lease.progress.correction
        if correction is not None and correction.withdrawing:
            self._sharing.withdraw()
            self._lease.note(correction=replace(correction, withdrawing=False))
