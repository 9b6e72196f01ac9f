"""The order's share at Fast.io: found by its id or name, or made, with what it means that it could not be."""

from paidshare.delivering.errors import ShareTaken
from paidshare.errors import FastioUnavailable, PaidshareError, PlanFull
from paidshare.orders import ShareRequest
from paidshare.shares_fastio import refusals, wire
from paidshare.shares_fastio.api import FastioApi
from paidshare.shares_fastio.refusals import check_id
from paidshare.shares_fastio.values import RemoteShare, Reply
from paidshare.shares_fastio.wire import path

_ROOM_WAIT = 30.0  # A buyer waits for it, and nobody else.
_PERHAPS_FULL = frozenset({400, 402, 403, 406, 422})
_CONFLICT = 409


def made(api: FastioApi, request: ShareRequest, share_limit: int) -> tuple[RemoteShare, bool]:
    """The order's share, and whether it was made by this very call, and so is surely empty."""
    workspace = request.goods[0].workspace
    doing = f"create share in workspace {workspace}"
    reply = api.post(path("workspace", workspace, "create", "share"), wire.share_form(request))
    answered = 200 <= reply.status < 300
    if answered and (share := wire.share(wire.payload(reply.body) or {})) is not None:
        return share, True
    failure: PaidshareError = refusals.not_understood(reply, doing=doing)
    if not answered:
        failure = api.refusal(reply, doing=doing)
    # Whatever it was refused with: a name that exists may be told in the text alone.
    if answered or reply.in_doubt or reply.status in wire.PERHAPS_TAKEN:
        found = found_by_name(api, request, taken=reply.status == _CONFLICT)
        if found is not None:
            return found, False
    if reply.status == _CONFLICT:
        raise _conflict(api, request, failure)
    raise _full(api, reply, failure, share_limit) from reply.failure


def _conflict(api: FastioApi, request: ShareRequest, failure: PaidshareError) -> PaidshareError:
    """
    What a 409 means where the order has no share: the name is another's, or somebody else's request was in our way.
    """
    doing = f"check the name of {request.order_id}'s share"
    reply = api.get(path("shares", "check", "name", request.own_name))
    free = wire.is_free(api.data(reply, doing=doing))
    if free is None:
        return refusals.not_understood(reply, doing=doing)
    if free:
        return FastioUnavailable(f"its name is free, so it passes: {failure}")
    return ShareTaken(f"the name of {request.order_id}'s share exists, but we may not see it")


def _full(api: FastioApi, reply: Reply, failure: PaidshareError, share_limit: int) -> PaidshareError:
    """
    *failure* to make a share, or that the plan is full, which Fast.io does not document how it says: by the status or
    the text, or by how many shares there are. Credits that are used up are no reason to have another share make room.
    """
    if wire.says_full(reply):
        return PlanFull(str(failure), wait=_ROOM_WAIT)
    if share_limit and reply.status in _PERHAPS_FULL and not wire.is_about_money(reply):
        last = api.get(path("shares", "all"), {"limit": "1", "offset": str(share_limit - 1)})
        if wire.shares(wire.payload(last.body) or {}):
            return PlanFull(str(failure), wait=_ROOM_WAIT)
    return failure


def found_by_id(api: FastioApi, request: ShareRequest) -> RemoteShare | None:
    """The share that the ledger has for the order, None when there is none, or it is gone."""
    if request.share_id is None:
        return None
    check_id(request.share_id)
    found = seen(api, request.share_id)
    if found is not None and found.order_id != request.order_id:
        raise ShareTaken(f"share {found.id} is not {request.order_id}'s, as the ledger says")
    return found


def found_by_name(api: FastioApi, request: ShareRequest, *, taken: bool) -> RemoteShare | None:
    """
    The share of the request's name, None when there is none. Raises ShareTaken when it is another's.

    *taken*: Fast.io may just have said that the name exists, so one we may not see is somebody else's.
    """
    doing = "look up share"
    reply = api.get(path("share", request.own_name, "details"))
    if taken and reply.hidden is not None:
        raise ShareTaken(f"the name of {request.order_id}'s share exists, but we may not see it")
    if reply.status == 404:
        return None
    found = _described(api, reply, doing=doing)
    if found.order_id != request.order_id:
        raise ShareTaken(f"share {found.id} has the name of {request.order_id}'s share")
    return found


def seen(api: FastioApi, share_id: str) -> RemoteShare | None:
    """The share of that id, None when it is gone."""
    reply = api.get(path("share", share_id, "details"))
    if reply.status == 404:
        return None
    found = _described(api, reply, doing=f"look up share {share_id}")
    return None if "deleted" in found.barred else found


def _described(api: FastioApi, reply: Reply, *, doing: str) -> RemoteShare:
    found = wire.share(api.data(reply, doing=doing))
    if found is None:
        raise refusals.not_understood(reply, doing=doing)
    return found
