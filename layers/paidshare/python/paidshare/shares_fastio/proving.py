"""The link as its buyer will find it: opened as a guest, before anybody is told of it."""

from collections.abc import Mapping

from paidshare.errors import FastioUnavailable, FileMissing, ShareRefused
from paidshare.shares_fastio import files, refusals, wire
from paidshare.shares_fastio.api import FastioApi
from paidshare.shares_fastio.values import Reply
from paidshare.shares_fastio.wire import path

_REFUSED = frozenset({400, 401, 403, 404, 405, 406, 409, 410, 422})


def prove(api: FastioApi, share_id: str, name: str, wanted: Mapping[str, int | None]) -> None:
    """
    Whether a guest with the link of *name*, the share's, gets in and sees the files *wanted*, by name and size (bytes,
    None where nobody knows).

    Raises FastioUnavailable when not: what keeps one guest out keeps all of them out, or passes. Two calls, one of them
    again for each 500 files more; one where no files are wanted.
    """
    token = _token(api, share_id, name)
    if token is None:
        raise FastioUnavailable(f"a guest with the link of share {share_id} is not let in")
    if not wanted:
        return
    try:
        seen = {node.name: node.size for node in files.listed(api.as_guest(token), "share", share_id, "root")}
    except (FileMissing, ShareRefused) as exc:
        raise FastioUnavailable(f"a guest with the link does not see the files: {exc}") from exc
    lacking = sum(name not in seen or not _same(seen[name], size) for name, size in wanted.items())
    if lacking:
        raise FastioUnavailable(f"a guest sees {len(wanted) - lacking} of {len(wanted)} files in share {share_id}")


def lets_in(api: FastioApi, share_id: str, name: str) -> bool:
    """Whether whoever has the link gets in. One call. Raises FastioUnavailable when nobody can tell."""
    return _token(api, share_id, name) is not None


def _token(api: FastioApi, share_id: str, name: str) -> str | None:
    """None for who is not let in. Asked for by name, as that is what the link has."""
    doing = f"open share {share_id} as a guest"
    reply = api.as_guest().post(path("share", name, "auth", "guest"), repeatable=True)
    if _is_shut(reply):
        return None
    found = wire.token(api.data(reply, doing=doing))
    if found is None:
        raise refusals.not_understood(reply, doing=doing)
    return found


def _is_shut(reply: Reply) -> bool:
    return reply.status in _REFUSED and wire.barrier(reply) is None


def _same(size: int | None, wanted: int | None) -> bool:
    return None in (size, wanted) or size == wanted
