"""
An answer of Fast.io that is no success → what Paidshare does about it. Pure.

Decided on the HTTP status; for 403 on the reason that it names, and where it names none, as for 401, on whether the key
itself is good. A code's number may mean something else tomorrow: but for the few that are documented it is only told.
"""

from datetime import datetime
from typing import Literal

from paidshare.errors import Barrier, FastioUnavailable, FileMissing, PaidshareError, ShareRefused
from paidshare.shares_fastio import wire
from paidshare.shares_fastio.values import RemoteShare, Reply

# An operator has to act on these; asking every minute would only add to the log.
KEY_WAIT, PLAN_WAIT = 300.0, 900.0
_PLAN = frozenset({402, 412})
_LIMITED = frozenset({423, 429})
_PASSING = frozenset({0, 408})
_NOT_FOUND = 404
_HIDDEN_WORKSPACE = (
    "The workspace is not visible to our key, or may not be used by it: correct fastio_workspace in the product's "
    "metadata, or make the account of fastio_api_key a member; then redrive."
)
_HIDDEN_SHARE = (
    "The share is not visible to our key, or may not be changed by it: look at the rights of fastio_api_key's "
    "account in Fast.io; then redrive."
)


def refusal(reply: Reply, *, doing: str, now: datetime) -> PaidshareError:
    """The error that *reply* means. *doing* says what was asked for, with ids only."""
    status, said = reply.status, told(reply, doing)
    if (barrier := wire.barrier(reply)) is not None:
        return FastioUnavailable(f"{barrier.value}: {said}", wait=KEY_WAIT, barrier=barrier)
    if reply.hidden is not None:
        return _hidden(reply.hidden, said)
    if status in wire.KEY_OR_MEMBERSHIP:
        return FastioUnavailable(f"key refused: {said}", wait=KEY_WAIT, barrier=Barrier.KEY)
    if status in _PLAN:
        return FastioUnavailable(f"the plan's credits or shares are used up: {said}", wait=PLAN_WAIT)
    if 400 <= status < 500 and status not in _LIMITED | _PASSING:
        return FileMissing(said) if status == _NOT_FOUND else ShareRefused(said)
    return FastioUnavailable(said, wait=wire.wait(reply, now))


def _hidden(place: Literal["workspace", "share"], said: str) -> FileMissing | ShareRefused:
    if place == "workspace":
        return FileMissing(said, advice=_HIDDEN_WORKSPACE)
    return ShareRefused(said, advice=_HIDDEN_SHARE)


def not_understood(reply: Reply, *, doing: str) -> FastioUnavailable:
    """A 2xx that is not the answer we know: a proxy's page, or an API that has changed."""
    return FastioUnavailable(f"answer not understood: {told(reply, doing)}")


def told(reply: Reply, doing: str) -> str:
    """Status, code, reason, request id and the names of refused fields. Never a text or a value of theirs."""
    if reply.status == 0:
        return f"{doing}: no answer ({type(reply.failure).__name__})"
    problem = wire.problem(reply)
    words = [f"HTTP {reply.status}"]
    if problem.fields:
        words.append(f"fields {' '.join(problem.fields)}")
    if problem.code:
        words.append(f"code {problem.code}")
    if problem.reason:
        words.append(f"reason {problem.reason}")
    if problem.request_id:
        words.append(f"request {problem.request_id}")
    return f"{doing}: {', '.join(words)}"


_BARRED = "Find out in Fast.io why, and make the share usable again or delete it for good; then redrive."


_NO_ID = "Correct the order's share id in the ledger, or archive or unarchive its share by hand; then redrive."


def check_usable(remote: RemoteShare) -> None:
    if remote.barred:
        raise ShareRefused(f"share {remote.id} is {' and '.join(remote.barred)}", advice=_BARRED)


def check_id(share_id: str) -> None:
    """Fast.io takes a name where it takes an id, and a name is all that a link's secret is: it is not told."""
    if not (share_id.isascii() and share_id.isdecimal()):
        raise ShareRefused("the share's id in the ledger is no number", advice=_NO_ID)
