"""Fast.io's list of our account's shares: what the sweep looks through, and takes away from."""

from collections.abc import Callable
from typing import Self

from paidshare import shares
from paidshare.ports import Clock
from paidshare.shares_fastio import refusals, wire
from paidshare.shares_fastio.api import API_BASE, FastioApi, http_client
from paidshare.shares_fastio.values import RemoteShare
from paidshare.shares_fastio.wire import path
from paidshare.sweeping.rounds import ListedShare, SharePage

_PAGE = 100


class FastioShareListing:
    """The port `ShareListing`. *api* is the caller's."""

    def __init__(self, api: FastioApi) -> None:
        self._api = api

    @classmethod
    def over_https(cls, *, api_key: Callable[[], str], clock: Clock, api_base: str = API_BASE) -> Self:
        """With a client of its own, kept for the life of the process."""
        return cls(FastioApi(client=http_client(), api_key=api_key, api_base=api_base, clock=clock))

    def close(self) -> None:
        """Give the connections back."""
        self._api.close()

    def page(self, start: int) -> SharePage:
        """See `ports.ShareListing`. One call."""
        doing = "list shares"
        reply = self._api.get(path("shares", "all"), {"limit": str(_PAGE), "offset": str(start)})
        data = self._api.data(reply, doing=doing)
        listed = wire.shares(data)
        if listed is None:
            raise refusals.not_understood(reply, doing=doing)
        found = (_listed(share, at) for at, share in enumerate(listed) if share is not None)
        shown = tuple(share for share in found if share is not None)
        return SharePage(shown, size=len(listed), more=bool(listed) and wire.has_more(data))

    def look(self, share_id: str) -> ListedShare | None:
        """See `ports.ShareListing`. One call."""
        doing = f"look up share {share_id}"
        reply = self._api.get(path("share", share_id, "details"))
        if reply.status == 404:
            return None
        found = wire.share(self._api.data(reply, doing=doing))
        if found is None:
            raise refusals.not_understood(reply, doing=doing)
        return _of_an_order(found)

    def delete(self, share_id: str) -> None:
        """See `ports.ShareListing`. One call."""
        reply = self._api.delete(path("share", share_id, "delete"), wire.confirmation(share_id))
        if reply.status != 404:
            self._api.data(reply, doing=f"delete share {share_id}")


def _listed(share: RemoteShare, at: int) -> ListedShare | None:
    """The properties that name the order are documented for the details only: a name like ours may be one of ours."""
    if share.order_id is None and share.name is not None and shares.is_share_name(share.name):
        return ListedShare(share.id, share.name, None, share.expires_at, share.archived, at)
    return _of_an_order(share, at)


def _of_an_order(share: RemoteShare, at: int = 0) -> ListedShare | None:
    if share.order_id is None or "deleted" in share.barred:
        return None
    return ListedShare(share.id, share.name, share.order_id, share.expires_at, share.archived, at)
