"""Which share is an order's: by the id that the ledger has, or by the name that it was given."""

from paidshare.delivering.errors import ShareTaken
from paidshare.orders import ShareRequest
from paidshare.shares_fastio import refusals, wire
from paidshare.shares_fastio.api import FastioApi
from paidshare.shares_fastio.refusals import check_id
from paidshare.shares_fastio.values import RemoteShare, Reply
from paidshare.shares_fastio.wire import path


def known(api: FastioApi, request: ShareRequest) -> RemoteShare | None:
    """The share that the ledger has for the order, None when there is none, or it is gone."""
    if request.share_id is None:
        return None
    check_id(request.share_id)
    found = seen(api, request.share_id)
    if found is not None and found.order_id != request.order_id:
        raise ShareTaken(f"share {found.id} is not {request.order_id}'s, as the ledger says")
    return found


def named(api: FastioApi, request: ShareRequest, *, taken: bool) -> RemoteShare | None:
    """
    The share of the request's name, None when there is none. Raises ShareTaken when it is another's.

    *taken*: Fast.io has just said that the name exists, so one we may not see is somebody else's.
    """
    doing = "look up share"
    reply = api.get(path("share", request.name, "details"))
    if taken and (reply.status == 404 or reply.hidden is not None):
        raise ShareTaken(f"the name of {request.order_id}'s share exists, but we may not see it")
    if reply.status == 404:
        return None
    found = described(api, reply, doing=doing)
    if found.order_id != request.order_id:
        raise ShareTaken(f"share {found.id} has the name of {request.order_id}'s share")
    return found


def seen(api: FastioApi, share_id: str) -> RemoteShare | None:
    """The share of that id, None when it is gone."""
    reply = api.get(path("share", share_id, "details"))
    if reply.status == 404:
        return None
    found = described(api, reply, doing=f"look up share {share_id}")
    return None if "deleted" in found.barred else found


def described(api: FastioApi, reply: Reply, *, doing: str) -> RemoteShare:
    found = wire.share(api.data(reply, doing=doing))
    if found is None:
        raise refusals.not_understood(reply, doing=doing)
    return found
