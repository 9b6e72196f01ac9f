"""What an order's goods are on Fast.io: its files, looked up in their workspaces before anything is made."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import batched
from typing import Any

from paidshare.errors import FastioUnavailable, FileMissing, ShareRefused
from paidshare.orders import Goods
from paidshare.shares_fastio import refusals, wire
from paidshare.shares_fastio.api import FastioApi
from paidshare.shares_fastio.values import Node, Reply
from paidshare.shares_fastio.wire import path

# Each is a call: beyond this a delivery takes minutes, and the buyer is better served by one archive.
_MOST_FILES = 1_000
# One call each, one after the other: at Fast.io's usual 200 ms that is an invocation and a bit.
_MOST_FOLDERS = 200


def bought(api: FastioApi, goods: tuple[Goods, ...]) -> list[Node]:
    """Every file of *goods* once, in the order bought. Raises FileMissing, ShareRefused."""
    wanted: dict[str, dict[str, str]] = {}
    for each in goods:
        for node_id in each.nodes:
            wanted.setdefault(each.workspace, {}).setdefault(node_id, each.product_id)
    found: dict[str, Node] = {}
    tickets = iter(range(_MOST_FOLDERS))
    for workspace, products in wanted.items():
        for node, product in _named(api, workspace, products):
            for file in _walk(api, workspace, node, product, tickets) if node.kind == "folder" else (node,):
                _check(file, product)
                found.setdefault(file.id, file)
                if len(found) > _MOST_FILES:
                    raise _too_many(_MOST_FILES, "files")
    return list(found.values())


def listed(api: FastioApi, where: str, where_id: str, folder: str) -> Iterator[Node]:
    """All pages of a folder of a workspace or share, by name. A list that may be cut short is not understood."""
    doing = f"list {folder} of {where} {where_id}"
    params = {"page_size": str(wire.PAGE_SIZE), "sort_by": "name", "sort_dir": "asc"}
    cursors: set[str] = set()
    while True:
        reply = api.get(path(where, where_id, "storage", folder, "list"), params)
        data = api.data(reply, doing=doing)
        yield from _nodes(reply, data, doing)
        cursor = wire.next_cursor(data)
        if cursor is None and wire.has_more(data):
            raise refusals.not_understood(reply, doing=f"{doing}: there is more, but not where")
        if cursor is None:
            return
        if cursor in cursors:
            raise refusals.not_understood(reply, doing=f"{doing}: the pages go round in a circle")
        cursors.add(cursor)
        params["cursor"] = cursor


def _named(api: FastioApi, workspace: str, products: Mapping[str, str]) -> Iterator[tuple[Node, str]]:
    """
    The nodes that the metadata of *products* names (a node's id → its product's), each with its product.

    Raises FileMissing naming all that are not there.
    """
    for some in batched(products, wire.MOST_IDS, strict=False):
        doing = f"look up nodes {', '.join(some)} in workspace {workspace}"
        reply = api.get(path("workspace", workspace, "storage", ",".join(some), "details"))
        # Where none of several is found the answer is 404, and says of each why.
        faults = wire.node_faults(reply.body) if reply.status == 404 else {}
        if not faults and reply.status == 404 and wire.problem(reply).code == wire.NODE_BUSY:
            faults = {some[0].lower(): wire.NODE_BUSY}
        nodes = () if faults else _nodes(reply, api.data(reply, doing=doing), doing)
        faults = faults or wire.node_faults(reply.body)
        # Fast.io takes ids in either case.
        by_id = {node.id.lower(): node for node in nodes}
        missing = [i for i in some if i.lower() not in by_id or by_id[i.lower()].gone]
        for_good = [i for i in missing if faults.get(i.lower()) != wire.NODE_BUSY]
        if for_good:
            names = ", ".join(f"{i}{_of(products[i])}{_why(faults.get(i.lower()))}" for i in for_good)
            raise FileMissing(f"not in workspace {workspace}, or in its trash: {names}")
        if missing:
            raise FastioUnavailable(f"{doing}: {len(missing)} of {len(some)} cannot be read now")
        yield from ((by_id[i.lower()], products[i]) for i in some)


def _why(code: str | None) -> str:
    return ", whose content Fast.io has lost" if code == wire.NODE_LOST else ""


def _of(product: str) -> str:
    return f" (product {product})" if product else ""


def resolved(api: FastioApi, goods: tuple[Goods, ...]) -> tuple[list[Node], bool]:
    """As much of *goods* as is still there, and whether that is all. Raises ShareRefused."""
    found: dict[str, Node] = {}
    whole = True
    for each in goods:
        for node_id in each.nodes:
            try:
                found |= {node.id: node for node in bought(api, (replace(each, nodes=(node_id,)),))}
            except FileMissing:
                whole = False
    return list(found.values()), whole


def _walk(api: FastioApi, workspace: str, top: Node, product: str, tickets: Iterator[int]) -> Iterator[Node]:
    """
    Every file in the folder *top* of *product* and below, each folder once and for one of *tickets*.

    Raises FileMissing when there is no file, ShareRefused when the tickets are used up.
    """
    waiting, seen, empty = [top.id], {top.id}, True
    _take(tickets)
    while waiting:
        for node in _inside(api, workspace, waiting.pop()):
            if node.kind == "folder" and node.id not in seen and not node.gone:
                _take(tickets)
                seen.add(node.id)
                waiting.append(node.id)
            elif node.kind == "file" and not node.gone:
                empty = False
                yield node
    # What the next delivery gets is looked at anew.
    api.walked.forget((workspace, folder) for folder in seen)
    if empty:
        raise FileMissing(
            f"folder {top.id}{_of(product)} of workspace {workspace} has no files",
            advice="Put files into the folder, or correct fastio_files in the metadata; then redrive.",
        )


def _inside(api: FastioApi, workspace: str, folder: str) -> tuple[Node, ...]:
    """What is in the folder. An attempt that ran out of time is gone on with, and not begun anew, by the next one."""
    known = api.walked.of((workspace, folder))
    if known is None:
        known = tuple(listed(api, "workspace", workspace, folder))
        api.walked.keep((workspace, folder), known)
    return known


def _take(tickets: Iterator[int]) -> None:
    # At the first sight of a folder, not when its turn comes: an hour's walk is refused in a second.
    if next(tickets, None) is None:
        raise _too_many(_MOST_FOLDERS, "folders")


def _too_many(most: int, what: str) -> ShareRefused:
    advice = "Pack the files into an archive, name that in fastio_files; then redrive."
    return ShareRefused(f"more than {most} {what}", advice=advice)


def _nodes(reply: Reply, data: dict[str, Any], doing: str) -> tuple[Node, ...]:
    nodes = wire.nodes(data)
    if nodes is None:
        raise refusals.not_understood(reply, doing=doing)
    return nodes


def _check(file: Node, product: str) -> None:
    """Raises FileMissing when *file*, which *product* names, cannot be put into a share."""
    name = f"node {file.id}{_of(product)}"
    if file.infected:
        raise FileMissing(
            f"{name} is infected, Fast.io says",
            advice="Replace the file in Fast.io by a clean one; then redrive.",
        )
    if file.kind == "other":
        raise FileMissing(f"{name} is neither a file nor a folder")
    if not file.hash or not file.hash_algo:
        raise FileMissing(
            f"{name} has no hash yet, and files are added to a share by hash",
            advice="Wait until Fast.io has finished taking the file in, or upload it again; then redrive.",
        )
