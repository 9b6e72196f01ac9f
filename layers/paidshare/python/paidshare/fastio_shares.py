"""Shares on Fast.io: one Send share per order, filled by hash, so that no file's bytes pass through us."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import batched
from typing import Any, Self

import httpx

from paidshare import fastio_refusals, fastio_wire, shares
from paidshare.errors import FileMissing, OutOfTime, PaidshareError, ShareRefused, ShareTaken
from paidshare.fastio_api import FastioApi, http_client
from paidshare.fastio_wire import Node, RemoteShare, Reply, path
from paidshare.orders import Goods, Share, ShareFile, ShareRequest
from paidshare.ports import Clock

API_BASE = "https://api.fast.io/current"
WEB_BASE = "https://go.fast.io"

# Each file is a call: beyond this a delivery takes minutes, and the buyer is better served by one archive.
_MOST_FILES = 1_000
_HARDLY_WAITED = timedelta(days=1)


class FastioShares:
    """
    The port `Shares`. Safe to use from several threads at once.

    *api_key* is called for every request, so that a rotated key is used at once. *client* is the caller's to
    close.
    """

    def __init__(
        self,
        *,
        client: httpx.Client,
        api_key: Callable[[], str],
        clock: Clock,
        api_base: str = API_BASE,
        web_base: str = WEB_BASE,
    ) -> None:
        self._api = FastioApi(client=client, api_key=api_key, api_base=api_base, clock=clock)
        self._clock = clock
        self._web_base = web_base

    @classmethod
    def over_https(
        cls, *, api_key: Callable[[], str], clock: Clock, api_base: str = API_BASE, web_base: str = WEB_BASE
    ) -> Self:
        """With a client of its own, kept for the life of the process."""
        return cls(client=http_client(), api_key=api_key, clock=clock, api_base=api_base, web_base=web_base)

    def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
        """See `ports.Shares`. Untroubled: one details call, one create, one call per file."""
        files = self._files(request.goods)
        names = shares.distinct_names(node.name for node in files)
        remote, fresh = self._create(request)
        present = frozenset() if fresh else self._present(remote)
        for name, node in zip(names, files, strict=True):
            if (name, node.hash) in present or (name, None) in present:
                continue
            if deadline is not None and self._clock() >= deadline:
                raise OutOfTime(f"share {remote.id} is not complete yet", wait=1)
            self._add(remote, name, node)
        return Share(
            id=remote.id,
            name=request.name,
            link=shares.link(self._web_base, request.name),
            expires_at=self._prolonged(remote, request),
            files=tuple(ShareFile(name, node.size) for name, node in zip(names, files, strict=True)),
        )

    # --- The share --------------------------------------------------------------------------------------

    def _create(self, request: ShareRequest) -> tuple[RemoteShare, bool]:
        """The order's share, and whether it was made by this very call, and so is surely empty."""
        workspace = request.goods[0].workspace
        doing = f"create share in workspace {workspace}"
        reply = self._api.post(path("workspace", workspace, "create", "share"), fastio_wire.share_form(request))
        if 200 <= reply.status < 300:
            made = fastio_wire.share(fastio_wire.payload(reply.body) or {})
            if made is not None:
                return made, True
            failure: PaidshareError = fastio_refusals.not_understood(reply, doing=doing)
        else:
            failure = fastio_refusals.refusal(reply, doing=doing, now=self._clock())
            if not reply.in_doubt and not fastio_wire.names_the_name(reply):
                raise failure from reply.failure
        found = self._find(request, taken=reply.status == 409)
        if found is None:
            raise failure from reply.failure
        return found, False

    def _find(self, request: ShareRequest, *, taken: bool) -> RemoteShare | None:
        """
        The share of the request's name, None when there is none. Raises ShareTaken when it is another's.

        *taken*: Fast.io has just said that the name exists, so one we may not see is somebody else's.
        """
        doing = "look up share"
        reply = self._api.get(path("share", request.name, "details"))
        if taken and reply.status in (401, 403, 404):
            raise ShareTaken(f"the name of {request.order_id}'s share exists, but we may not see it")
        if reply.status == 404:
            return None
        found = fastio_wire.share(self._api.data(reply, doing=doing))
        if found is None:
            raise fastio_refusals.not_understood(reply, doing=doing)
        if found.order_id != request.order_id:
            raise ShareTaken(f"share {found.id} has the name of {request.order_id}'s share")
        return found

    def _prolonged(self, remote: RemoteShare, request: ShareRequest) -> datetime:
        """
        When the share ends; put off first if it waited for its letter for more than a day.

        An outage or a dead letter is not the buyer's: without this, a redrive after a week mails a dead link.
        """
        if remote.expires_at is None or request.expires_at - remote.expires_at <= _HARDLY_WAITED:
            return remote.expires_at or request.expires_at
        doing = f"prolong share {remote.id}"
        self._api.data(
            self._api.post(path("share", remote.id, "update"), fastio_wire.expiry_form(request)), doing=doing
        )
        return request.expires_at

    def _present(self, remote: RemoteShare) -> frozenset[tuple[str, str | None]]:
        """Name and hash of what is in the share already; the hash is None when Fast.io does not tell it."""
        listed = self._listed("share", remote.id, "root")
        return frozenset((node.name, node.hash) for node in listed if node.kind == "file" and not node.gone)

    def _add(self, remote: RemoteShare, name: str, node: Node) -> None:
        doing = f"add node {node.id} to share {remote.id}"
        reply = self._api.post(
            path("share", remote.id, "storage", "root", "addfile"), fastio_wire.file_form(name, node)
        )
        # It exists: an earlier run added it, and its answer was lost.
        if reply.status != 409:
            self._api.data(reply, doing=doing)

    # --- The files --------------------------------------------------------------------------------------

    def _files(self, goods: tuple[Goods, ...]) -> list[Node]:
        """Every file of *goods* once, in the order bought. Raises FileMissing, ShareRefused."""
        wanted: dict[str, dict[str, None]] = {}
        for each in goods:
            wanted.setdefault(each.workspace, {}).update(dict.fromkeys(each.nodes))
        found: dict[str, Node] = {}
        for workspace, ids in wanted.items():
            for node in self._named(workspace, tuple(ids)):
                for file in self._walk(workspace, node) if node.kind == "folder" else (node,):
                    _check(file)
                    found.setdefault(file.id, file)
                    if len(found) > _MOST_FILES:
                        raise ShareRefused(
                            f"more than {_MOST_FILES} files",
                            advice="Pack the files into an archive, name that in fastio_files; then redrive.",
                        )
        return list(found.values())

    def _named(self, workspace: str, ids: tuple[str, ...]) -> Iterator[Node]:
        """The nodes that the metadata names. Raises FileMissing naming all that are not there."""
        for some in batched(ids, fastio_wire.MOST_IDS, strict=False):
            doing = f"look up nodes {', '.join(some)} in workspace {workspace}"
            reply = self._api.get(path("workspace", workspace, "storage", ",".join(some), "details"))
            nodes = self._nodes(reply, self._api.data(reply, doing=doing), doing)
            # Fast.io takes ids in either case.
            by_id = {node.id.lower(): node for node in nodes}
            missing = [i for i in some if i.lower() not in by_id or by_id[i.lower()].gone]
            if missing:
                raise FileMissing(f"not in workspace {workspace}, or in its trash: {', '.join(missing)}")
            yield from (by_id[i.lower()] for i in some)

    def _walk(self, workspace: str, folder: Node) -> Iterator[Node]:
        """Every file in *folder* and below, each folder once. Raises FileMissing when there is none."""
        waiting, seen, empty = [folder.id], {folder.id}, True
        while waiting:
            for node in self._listed("workspace", workspace, waiting.pop()):
                if node.kind == "folder" and node.id not in seen and not node.gone:
                    seen.add(node.id)
                    waiting.append(node.id)
                elif node.kind == "file" and not node.gone:
                    empty = False
                    yield node
        if empty:
            raise FileMissing(
                f"folder {folder.id} of workspace {workspace} has no files",
                advice="Put files into the folder, or correct fastio_files in the metadata; then redrive.",
            )

    def _listed(self, where: str, where_id: str, folder: str) -> Iterator[Node]:
        """All pages of a folder of a workspace or share, by name."""
        doing = f"list {folder} of {where} {where_id}"
        params = {"page_size": str(fastio_wire.PAGE_SIZE), "sort_by": "name", "sort_dir": "asc"}
        cursors: set[str] = set()
        while True:
            reply = self._api.get(path(where, where_id, "storage", folder, "list"), params)
            data = self._api.data(reply, doing=doing)
            yield from self._nodes(reply, data, doing)
            cursor = fastio_wire.next_cursor(data)
            if cursor is None:
                return
            if cursor in cursors:
                raise fastio_refusals.not_understood(reply, doing=f"{doing}: the pages go round in a circle")
            cursors.add(cursor)
            params["cursor"] = cursor

    def _nodes(self, reply: Reply, data: dict[str, Any], doing: str) -> tuple[Node, ...]:
        nodes = fastio_wire.nodes(data)
        if nodes is None:
            raise fastio_refusals.not_understood(reply, doing=doing)
        return nodes


def _check(file: Node) -> None:
    """Raises FileMissing when *file* cannot be put into a share."""
    if file.infected:
        raise FileMissing(
            f"node {file.id} is infected, Fast.io says",
            advice="Replace the file in Fast.io by a clean one; then redrive.",
        )
    if file.kind == "other":
        raise FileMissing(f"node {file.id} is neither a file nor a folder")
    if not file.hash or not file.hash_algo:
        raise FileMissing(
            f"node {file.id} has no hash yet, and files are added to a share by hash",
            advice="Wait until Fast.io has finished taking the file in, or upload it again; then redrive.",
        )
