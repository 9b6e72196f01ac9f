"""
A verified Fast.io webhook → a notice, or not for us. Pure.

Fast.io's API reference does not document its webhooks; three of its own articles each show another payload. So
every shape is read, and both families of event names are mapped to a few kinds of our own. No order depends on
any of this: a Fast.io webhook only speeds things up (docs/decisions/0010).
"""

import hashlib
from enum import StrEnum

from paidshare.loose_json import as_id, as_instant, as_object, object_in
from paidshare.notices import NotForUs, Notice


class Kind(StrEnum):
    """What happened, in our words."""

    FILE_ADDED = "file_added"
    FILE_CHANGED = "file_changed"
    FILE_OPENED = "file_opened"
    MEMBER_ADDED = "member_added"
    WORKSPACE_CREATED = "workspace_created"
    SHARE_CREATED = "share_created"
    UPLOAD_FINISHED = "upload_finished"


_WHERE = ("workspace", "share")
_PUTS_A_FILE_THERE = ("added", "copied", "moved", "restored")

_KINDS = {
    # The names in Fast.io's articles on webhooks.
    "file.uploaded": Kind.FILE_ADDED,
    "file.added": Kind.FILE_ADDED,
    "file.modified": Kind.FILE_CHANGED,
    "file.updated": Kind.FILE_CHANGED,
    "file.accessed": Kind.FILE_OPENED,
    "file.downloaded": Kind.FILE_OPENED,
    "workspace.member_added": Kind.MEMBER_ADDED,
    "share.member_added": Kind.MEMBER_ADDED,
    "workspace.created": Kind.WORKSPACE_CREATED,
    "share.created": Kind.SHARE_CREATED,
    "upload.completed": Kind.UPLOAD_FINISHED,
    "upload.finished": Kind.UPLOAD_FINISHED,
    # The names of the events API (`GET /events/search/`).
    **{f"{where}_storage_file_{how}": Kind.FILE_ADDED for where in _WHERE for how in _PUTS_A_FILE_THERE},
    **{f"{where}_storage_file_updated": Kind.FILE_CHANGED for where in _WHERE},
    **{f"{where}_storage_file_version_restored": Kind.FILE_CHANGED for where in _WHERE},
    "file_share_content_updated": Kind.FILE_CHANGED,
    **{f"{where}_storage_download_token_created": Kind.FILE_OPENED for where in _WHERE},
    **{f"{where}_storage_zip_downloaded": Kind.FILE_OPENED for where in _WHERE},
    "added_member_to_workspace": Kind.MEMBER_ADDED,
    "added_member_to_share": Kind.MEMBER_ADDED,
    "workspace_created": Kind.WORKSPACE_CREATED,
    "share_created": Kind.SHARE_CREATED,
    "file_share_created": Kind.SHARE_CREATED,
}

_ABOUT = ("file_id", "node_id", "object_id", "share_id", "workspace_id", "org_id")


def from_fastio(body: bytes, *, signed_at: int) -> Notice | NotForUs:
    """
    Read a *verified* webhook. *signed_at* is the signed time, Unix seconds.

    The three shapes: `event_type` + `data` + `id`; `type`; `event_id` + `event` + `created`. Without an id, a
    digest of the signed bytes is the key: the same request replayed is a repeat, the same news sent anew is not.
    """
    event = object_in(body)
    if not event:
        return NotForUs("no_json_object")
    name = next((n for key in ("event_type", "type", "event") if (n := as_id(event.get(key)))), "")
    kind = _KINDS.get(name)
    if kind is None:
        return NotForUs("unknown_kind", name)
    data = as_object(event.get("data"))
    digest = hashlib.sha256(b"%d.%b" % (signed_at, body)).hexdigest()
    return Notice(
        source="fastio",
        event_id=as_id(event.get("id")) or as_id(event.get("event_id")) or f"sha256:{digest}",
        why=kind,
        about=next((i for key in _ABOUT for where in (data, event) if (i := as_id(where.get(key)))), "unknown"),
        at=as_instant(data.get("timestamp", event.get("created"))),
    )
