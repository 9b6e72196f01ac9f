"""The order's share at Fast.io: found by its id or name, or made, with what it means that it could not be."""

from paidshare.delivering.errors import ShareTaken
from paidshare.errors import PaidshareError, PlanFull
from paidshare.orders import ShareRequest
from paidshare.shares_fastio import refusals, wire
from paidshare.shares_fastio.api import FastioApi
from paidshare.shares_fastio.refusals import check_id
from paidshare.shares_fastio.values import RemoteShare, Reply
from paidshare.shares_fastio.wire import path

_PERHAPS_FULL = frozenset({400, 403, 406, 409, 422})


def made(api: FastioApi, request: ShareRequest, share_limit: int) -> tuple[RemoteShare, bool]:
    """The order's share, and whether it was made by this very call, and so is surely empty."""
    workspace = request.goods[0].workspace
    doing = f"create share in workspace {workspace}"
    reply = api.post(path("workspace", workspace, "create", "share"), wire.share_form(request))
    if 200 <= reply.status < 300:
        share = wire.share(wire.payload(reply.body) or {})
        if share is not None:
            return share, True
        failure: PaidshareError = refusals.not_understood(reply, doing=doing)
    else:
        failure = api.refusal(reply, doing=doing)
        if not reply.in_doubt and not wire.names_the_name(reply):
            raise _full(api, reply, failure, share_limit) from reply.failure
    found = found_by_name(api, request, taken=reply.status == 409)
    if found is None:
        raise failure from reply.failure
    return found, False


def _full(api: FastioApi, reply: Reply, failure: PaidshareError, share_limit: int) -> PaidshareError:
    """
    *failure* to make a share, or that the plan is full, which Fast.io does not document how it says: by the status, or
    by how many shares there are.
    """
    if reply.status in refusals.PLAN:
        return PlanFull(str(failure), wait=refusals.PLAN_WAIT)
    if share_limit and reply.status in _PERHAPS_FULL:
        last = api.get(path("shares", "all"), {"limit": "1", "offset": str(share_limit - 1)})
        if wire.shares(wire.payload(last.body) or {}):
            return PlanFull(str(failure), wait=refusals.PLAN_WAIT)
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

    *taken*: Fast.io has just said that the name exists, so one we may not see is somebody else's.
    """
    doing = "look up share"
    reply = api.get(path("share", request.own_name, "details"))
    if taken and (reply.status == 404 or reply.hidden is not None):
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
