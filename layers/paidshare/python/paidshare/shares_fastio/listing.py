"""Fast.io's list of our account's shares: what the sweep looks through, and takes away from."""

from paidshare import shares
from paidshare.shares_fastio import refusals, wire
from paidshare.shares_fastio.api import FastioApi
from paidshare.shares_fastio.storage import FastioStorage
from paidshare.shares_fastio.values import RemoteShare
from paidshare.shares_fastio.wire import path
from paidshare.sweeping.rounds import ListedShare, SharePage

_PAGE = 100


class FastioShareListing:
    """The port `ShareListing`. *api* is the caller's."""

    def __init__(self, api: FastioApi) -> None:
        self._api = api

    def page(self, start: int, workspace: str | None = None) -> SharePage:
        """
        See `ports.ShareListing`. One call. A workspace's list hides archived ones unless it is asked for them. Whether
        the list of all does is not known: where not, a share is in both.
        """
        place = {"limit": str(_PAGE), "offset": str(start)}
        if workspace is None:
            doing, reply = "list shares", self._api.get(path("shares", "all"), place)
        else:
            doing = f"list archived shares of workspace {workspace}"
            where = path("workspace", workspace, "list", "shares")
            reply = self._api.get(where, place | {"archived": "true"})
        data = self._api.data(reply, doing=doing)
        listed = wire.shares(data)
        if listed is None:
            raise refusals.not_understood(reply, doing=doing)
        found = (_listed(share, at) for at, share in enumerate(listed) if share is not None)
        shown = tuple(share for share in found if share is not None)
        return SharePage(shown, size=len(listed), more=bool(listed) and wire.has_more(data))

    def next_workspace(self, after: str | None = None) -> str | None:
        """See `ports.ShareListing`. A call for each hundred workspaces of the account."""
        ids = (one.id for one in FastioStorage(self._api).workspaces())
        return min((one for one in ids if after is None or one > after), default=None)

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
