"""Fast.io: the shares that buyers open. Others import what is named here, and not the modules."""

from typing import TYPE_CHECKING

from paidshare import door

if TYPE_CHECKING:
    from paidshare.shares_fastio.listing import FastioShareListing
    from paidshare.shares_fastio.share_files import FastioShareFiles
    from paidshare.shares_fastio.shares import FastioShares
    from paidshare.shares_fastio.storage import Entry, FastioStorage, Workspace

__all__ = ["Entry", "FastioShareFiles", "FastioShareListing", "FastioShares", "FastioStorage", "Workspace"]

if not TYPE_CHECKING:
    __getattr__ = door(
        __name__,
        {
            "Entry": "storage",
            "FastioShareListing": "listing",
            "FastioShareFiles": "share_files",
            "FastioShares": "shares",
            "FastioStorage": "storage",
            "Workspace": "storage",
        },
    )
