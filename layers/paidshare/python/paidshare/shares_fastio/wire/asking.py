"""What we send: paths, and forms."""

import json
from datetime import UTC, datetime
from urllib.parse import quote

from paidshare.orders import ShareRequest
from paidshare.shares_fastio.values import Node, RemoteShare
from paidshare.shares_fastio.wire.answers import ORDER

MOST_IDS = 25  # In one details call.
PAGE_SIZE = 500

_ANYONE, _DOWNLOADS_ALLOWED = "Anyone with the link", "off"
_INSTANT = "%Y-%m-%d %H:%M:%S"


def path(*parts: str) -> str:
    """`path("share", id, "details")` → `/share/{id}/details/`. The slash at the end is not optional."""
    return "/" + "/".join(quote(part, safe=",", errors="replace") for part in parts) + "/"


def share_form(request: ShareRequest) -> dict[str, str]:
    """
    A Send share of its own storage: the kind that can expire and that a guest can open with the link alone.

    `download_security` is off because its other settings keep a guest from downloading, and `intelligence`
    because it costs credits for every page.
    """
    return {
        "title": request.title,
        "custom_name": request.own_name,
        "share_type": "send",
        "storage_mode": "independent",
        "access_options": _ANYONE,
        "download_security": _DOWNLOADS_ALLOWED,
        "intelligence": "false",
        "comments_enabled": "false",
        "notify": "never",
        **expiry_form(request.expires_at),
        "owner_defined": json.dumps({ORDER: request.order_id}),
    }


def amendment(share: RemoteShare, request: ShareRequest) -> dict[str, str]:
    """What has to be changed in *share*, which was just made for *request*, until it is as asked; empty: nothing."""
    called = {} if request.own_name in (share.name, share.url) else {"custom_url": request.own_name}
    return called | opening(share)


def opening(share: RemoteShare) -> dict[str, str]:
    """What has to be changed in *share* for whoever has the link to get in, and to get its files; empty: nothing."""
    wanted = {
        "access_options": (_ANYONE, share.access),
        "download_security": (_DOWNLOADS_ALLOWED, share.downloads),
    }
    return {field: asked for field, (asked, is_so) in wanted.items() if is_so not in (None, asked)}


def expiry_form(until: datetime) -> dict[str, str]:
    return {"expires": until.astimezone(UTC).strftime(_INSTANT)}


def confirmation(share_id: str) -> dict[str, str]:
    """What makes a deletion one that was meant."""
    return {"confirm": share_id}


def file_form(name: str, content: Node) -> dict[str, str]:
    """A file of that *name* with the bytes of *content*, which Fast.io already has: nothing is uploaded."""
    source = {"type": "hash", "hash": {"hash": content.hash, "hash_type": content.hash_algo}}
    return {"name": name, "from": json.dumps(source)}
