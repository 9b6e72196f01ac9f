"""
A share as it was asked for: open, until when it should be, to whoever has the link. What Fast.io does not know it drops
in silence, so its answer is compared with what was asked.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from paidshare.errors import FileMissing, PaidshareError, ShareRefused
from paidshare.orders import ShareRequest
from paidshare.shares_fastio import wire
from paidshare.shares_fastio.api import FastioApi
from paidshare.shares_fastio.making import seen
from paidshare.shares_fastio.values import RemoteShare
from paidshare.shares_fastio.wire import path

_HARDLY_WAITED = timedelta(minutes=1)
"""What an end may differ by and is still the same: from the request to Fast.io's answer."""

_NOT_AS_ASKED = "Set it in Fast.io by hand, or delete the share, which holds no files yet; then redrive."
_NOT_ENDED = "Set the share's end in Fast.io by hand, or archive it; then redrive."


def change(api: FastioApi, share_id: str, call: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Have one of Fast.io's calls change the share; the answer's data. Raises what `FastioApi.data` raises."""
    return api.data(api.post(path("share", share_id, call), form), doing=f"{call} share {share_id}")


def as_asked(api: FastioApi, made: RemoteShare, request: ShareRequest) -> RemoteShare:
    """
    The share that was just *made* for *request*, with its name, its end, and open to whoever has the link: whatever is
    not so is set once. Nobody knows its link yet. Raises ShareRefused when Fast.io does not take it.

    No call where the answer to the create said all of that.
    """
    share = made
    if None in (share.name, share.expires_at, share.access, share.downloads):
        share = seen(api, made.id) or made
    if wrong := _wrong(share, request):
        change(api, share.id, "update", wrong)
        share = seen(api, made.id) or made
    if wrong := _wrong(share, request):
        fields = ", ".join(sorted(wrong))
        raise ShareRefused(f"share {share.id} is not as asked for: {fields}", advice=_NOT_AS_ASKED)
    return share


def _wrong(share: RemoteShare, request: ShareRequest) -> dict[str, str]:
    ended = share.expires_at is not None and share.expires_at <= request.expires_at + _HARDLY_WAITED
    return wire.amendment(share, request) | ({} if ended else wire.expiry_form(request.expires_at))


def let_in(api: FastioApi, share: RemoteShare) -> None:
    """Have whoever has the link get in, and get the files. No call where that is so, as far as the share says."""
    if wrong := wire.opening(share):
        change(api, share.id, "update", wrong)


def end_due(remote: RemoteShare, request: ShareRequest) -> datetime:
    """
    When the share should end: the days count from the letter, and a letter may be late. What a person prolonged is not
    cut short again.
    """
    ends_at, last = remote.expires_at, request.last_end
    if ends_at is not None and last is not None and ends_at > max(request.expires_at, last + _HARDLY_WAITED):
        return ends_at
    return request.expires_at


def opened_until(api: FastioApi, remote: RemoteShare, until: datetime) -> datetime:
    """
    Unarchive the share and have it end at *until*; when it ends, as Fast.io says.

    Whatever breaks in between, it is never open for longer than is due: what shortens comes first, and where an
    archived share takes no change it is archived again unless it could be shortened after all. Where it does not say
    whether it is archived, a refusal to unarchive it means that it was open: a guest is sent to look then.
    """
    shortens = remote.expires_at is None or remote.expires_at > until + _HARDLY_WAITED
    if remote.archived is False:
        return _end_set(api, remote, until)
    if not shortens:
        _unarchive(api, remote)
        return _end_set(api, remote, until)
    try:
        ends_at = _end_set(api, remote, until)
    except (FileMissing, ShareRefused):
        return _opened_and_ended(api, remote, until)
    _unarchive(api, remote)
    return ends_at


def _opened_and_ended(api: FastioApi, remote: RemoteShare, until: datetime) -> datetime:
    try:
        _unarchive(api, remote)
        return _end_set(api, remote, until)
    except PaidshareError:
        with suppress(PaidshareError):
            change(api, remote.id, "archive")
        raise


def _unarchive(api: FastioApi, remote: RemoteShare) -> None:
    try:
        change(api, remote.id, "unarchive")
    except (FileMissing, ShareRefused):
        # Of one that does not say what it is, `proving` finds out.
        if remote.archived:
            raise


def _end_set(api: FastioApi, remote: RemoteShare, until: datetime) -> datetime:
    """The share's end, set to *until* if it is another; a plan may allow less, and then Fast.io's word counts."""
    if remote.expires_at is not None and abs(remote.expires_at - until) <= _HARDLY_WAITED:
        return remote.expires_at
    answered = wire.share(change(api, remote.id, "update", wire.expiry_form(until)))
    if answered is None or answered.expires_at is None:
        answered = seen(api, remote.id)
    ends_at = None if answered is None else answered.expires_at
    if ends_at is None or ends_at > until + _HARDLY_WAITED:
        raise ShareRefused(f"share {remote.id} was not given its end", advice=_NOT_ENDED)
    return ends_at
