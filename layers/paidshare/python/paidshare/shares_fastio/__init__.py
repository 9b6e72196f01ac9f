"""Fast.io: the shares that buyers open. Others import what is named here, and not the modules."""

from typing import TYPE_CHECKING

from paidshare import door

if TYPE_CHECKING:
    from paidshare.shares_fastio.api import FastioApi
    from paidshare.shares_fastio.listing import FastioShareListing
    from paidshare.shares_fastio.share_files import FastioShareFiles
    from paidshare.shares_fastio.shares import FastioShares
    from paidshare.shares_fastio.storage import Entry, FastioStorage, Rights, Workspace

__all__ = [
    "Entry",
    "FastioApi",
    "FastioShareFiles",
    "FastioShareListing",
    "FastioShares",
    "FastioStorage",
    "Rights",
    "Workspace",
]

if not TYPE_CHECKING:
    __getattr__ = door(
        __name__,
        {
            "Entry": "storage",
            "FastioApi": "api",
            "FastioShareListing": "listing",
            "FastioShareFiles": "share_files",
            "FastioShares": "shares",
            "FastioStorage": "storage",
            "Rights": "storage",
            "Workspace": "storage",
        },
    )
