"""What Fast.io says has happened to a share (`GET /events/search/`)."""

from paidshare.errors import FileMissing, ShareRefused
from paidshare.shares_fastio import refusals, wire
from paidshare.shares_fastio.api import FastioApi
from paidshare.shares_fastio.wire import path

# A guess, as Fast.io says so of the category only: a preview may have the first one, too.
_OF_OPENING = ("share_storage_download_token_created", "share_storage_zip_downloaded")
_PAGE = 250


def was_opened(api: FastioApi, share_id: str) -> bool | None:
    """
    Whether a file of the share was downloaded (or looked at), as far as it can be searched for by now; None where our
    key may not search. Raises FastioUnavailable.
    """
    try:
        return any(_happened(api, share_id, event) for event in _OF_OPENING)
    except (FileMissing, ShareRefused):
        return None


def _happened(api: FastioApi, share_id: str, event: str) -> bool:
    doing, start = f"look for {event} of share {share_id}", 0
    while True:
        asked = {"share_id": share_id, "event": event, "limit": str(_PAGE), "offset": str(start)}
        reply = api.get(path("events", "search"), asked)
        data = api.data(reply, doing=doing)
        found = data.get("events")
        if not isinstance(found, list):
            raise refusals.not_understood(reply, doing=doing)
        if found:
            return True
        # What one may not see is taken out of a page: an empty one is not the end.
        if not wire.has_more(data):
            return False
        start += _PAGE
