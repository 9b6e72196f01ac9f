"""What a product's metadata in Stripe says should be delivered. Pure. There is no second catalogue."""

import re

from paidshare.delivering.errors import MetadataBroken
from paidshare.orders import Goods, Line
from paidshare.settings import Policy
from paidshare.settings.reading import ACCESS_RULE, MOST_DAYS, access_days, is_access

WORKSPACE, FILES, LINK_DAYS = "fastio_workspace", "fastio_files", "fastio_link_days"
ACCESS = "paidshare_access"
_FIELDS = frozenset({WORKSPACE, FILES, LINK_DAYS})
_DELETED = (
    "If the product was one of ours, deliver by hand: its metadata is gone. Archive products, do not delete them."
)

# Fast.io says only that node ids are opaque and about 30 characters, hyphenated (docs.fast.io/storage).
# What is refused here could change the meaning of a URL or of the comma-separated list.
_NODE = re.compile(r"[A-Za-z0-9_-]{1,128}")
_WORKSPACE = re.compile(r"[A-Za-z0-9-]{1,80}")


def share_days(line: Line, policy: Policy, *, settled: bool) -> int:
    """
    How many days a share of the line works: never longer than there is access. Raises like `goods`, unless it is
    *settled* what the line delivers.
    """
    try:
        found = goods(line, default_link_days=policy.link_days, default_access_days=policy.access_days)
    except MetadataBroken:
        if settled:
            return policy.link_days
        raise
    return found.link_days if found.access_days is None else min(found.link_days, found.access_days)


def is_ours(line: Line) -> bool:
    """
    Whether we deliver *line*: its product has any of our three fields.

    A deleted product may have been one of ours, and nobody can tell any more: `goods` makes it a case for a person.
    """
    return line.deleted or not _FIELDS.isdisjoint(line.metadata)


def goods(line: Line, *, default_link_days: int, default_access_days: int | None = None) -> Goods:
    """
    What a line of ours delivers, for how long where its product does not say (None: access for life).

    Raises MetadataBroken, naming the product and every field that is missing or malformed.
    """
    if line.deleted:
        raise MetadataBroken(f"product {line.product_id} was deleted in Stripe", advice=_DELETED)
    meta = {key: line.metadata[key].strip() for key in (*_FIELDS, ACCESS) if key in line.metadata}
    nodes = tuple(dict.fromkeys(part for part in (p.strip() for p in meta.get(FILES, "").split(",")) if part))
    days = meta.get(LINK_DAYS) or str(default_link_days)
    faults = []
    if not _WORKSPACE.fullmatch(meta.get(WORKSPACE, "")):
        faults.append(f"{WORKSPACE} must be a workspace's id or name")
    if not nodes:
        faults.append(f"{FILES} names no file")
    elif not all(_NODE.fullmatch(node) for node in nodes):
        faults.append(f"{FILES} must be node ids separated by commas")
    if not re.fullmatch(r"[0-9]{1,5}", days) or not 1 <= int(days) <= MOST_DAYS:
        faults.append(f"{LINK_DAYS} must be a whole number from 1 to {MOST_DAYS}")
    if (access := meta.get(ACCESS)) and not is_access(access):
        faults.append(f"{ACCESS} must be {ACCESS_RULE}")
    if faults:
        raise MetadataBroken(f"product {line.product_id}: " + "; ".join(faults))
    lasts = access_days(access) if access else default_access_days
    return Goods(line.product_name, meta[WORKSPACE], nodes, int(days), line.product_id, lasts)
