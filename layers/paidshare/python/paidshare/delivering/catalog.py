"""What a product's metadata in Stripe says should be delivered. Pure. There is no second catalogue."""

import re

from paidshare.delivering.errors import MetadataBroken
from paidshare.orders import Goods, Line

WORKSPACE, FILES, LINK_DAYS = "fastio_workspace", "fastio_files", "fastio_link_days"
_FIELDS = frozenset({WORKSPACE, FILES, LINK_DAYS})
_DELETED = (
    "If the product was one of ours, deliver by hand: its metadata is gone. Archive products, do not delete them."
)

_LONGEST_LINK_DAYS = 3650  # Ten years: longer is a slip of the finger, and Fast.io's own limit is not published.
# Fast.io says only that node ids are opaque and about 30 characters, hyphenated (docs.fast.io/storage).
# What is refused here could change the meaning of a URL or of the comma-separated list.
_NODE = re.compile(r"[A-Za-z0-9_-]{1,128}")
_WORKSPACE = re.compile(r"[A-Za-z0-9-]{1,80}")


def is_ours(line: Line) -> bool:
    """
    Whether we deliver *line*: its product has any of our three fields.

    A deleted product may have been one of ours, and nobody can tell any more: `goods` makes it a case for a person.
    """
    return line.deleted or not _FIELDS.isdisjoint(line.metadata)


def goods(line: Line, *, default_link_days: int) -> Goods:
    """
    What a line of ours delivers.

    Raises MetadataBroken, naming the product and every field that is missing or malformed.
    """
    if line.deleted:
        raise MetadataBroken(f"product {line.product_id} was deleted in Stripe", advice=_DELETED)
    meta = {key: line.metadata[key].strip() for key in _FIELDS if key in line.metadata}
    nodes = tuple(dict.fromkeys(part for part in (p.strip() for p in meta.get(FILES, "").split(",")) if part))
    days = meta.get(LINK_DAYS) or str(default_link_days)
    faults = []
    if not _WORKSPACE.fullmatch(meta.get(WORKSPACE, "")):
        faults.append(f"{WORKSPACE} must be a workspace's id or name")
    if not nodes:
        faults.append(f"{FILES} names no file")
    elif not all(_NODE.fullmatch(node) for node in nodes):
        faults.append(f"{FILES} must be node ids separated by commas")
    if not re.fullmatch(r"[0-9]{1,5}", days) or not 1 <= int(days) <= _LONGEST_LINK_DAYS:
        faults.append(f"{LINK_DAYS} must be a whole number from 1 to {_LONGEST_LINK_DAYS}")
    if faults:
        raise MetadataBroken(f"product {line.product_id}: " + "; ".join(faults))
    return Goods(line.product_name, meta[WORKSPACE], nodes, int(days), line.product_id)
