"""The port Shares in memory. Held against the real adapter by tests/contract/test_shares_port.py."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from paidshare import shares
from paidshare.delivering.errors import OutOfTime, ShareTaken
from paidshare.errors import FastioUnavailable, FileMissing, PlanFull, ShareRefused
from paidshare.orders import Goods, Share, ShareFile, ShareRequest


@dataclass(slots=True)
class MemoryNode:
    name: str
    size: int | None = None
    """None for a folder."""
    children: list[str] = field(default_factory=list)
    deliverable: bool = True


_SAME = timedelta(minutes=1)


@dataclass(slots=True)
class MemoryShares:
    """
    `made` is what exists, `orders` whose it is, both by share name; `archived`, `locked` and `opened` hold share ids.
    `fail_after_adds`, `lose_create_answer` and `lose_answer` (of a close or reopen) each interrupt one run; `down`,
    while True, every run. Without a clock it is out of time when the next run with a deadline has made
    `calls_in_time` calls.
    """

    web_base: str = "https://go.example"
    nodes: dict[tuple[str, str], MemoryNode] = field(default_factory=dict)
    made: dict[str, Share] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    locked: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    hides_events: bool = False
    down: bool = False
    fail_after_adds: int | None = None
    lose_create_answer: bool = False
    lose_answer: bool = False
    limit: int | None = None
    calls_in_time: int | None = None
    _calls_left: int | None = None
    _ids: int = 4_800_000_000_000_000_000

    def put(self, workspace: str, path: str, size: int = 1, *, deliverable: bool = True) -> tuple[str, list[str]]:
        """A file at *path*, its folders made as needed; the file's id and its folders'."""
        *folders, name = path.split("/")
        above: str | None = None
        folder_ids = []
        for depth in range(len(folders)):
            folder_id = "folder-" + "-".join(folders[: depth + 1])
            folder_ids.append(folder_id)
            self._hang(workspace, above, folder_id, MemoryNode(folders[depth]))
            above = folder_id
        node_id = "file-" + "-".join([*folders, name])
        self._hang(workspace, above, node_id, MemoryNode(name, size, deliverable=deliverable))
        return node_id, folder_ids

    def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
        if self.down:
            raise FastioUnavailable("the fake is down")
        self._calls_left, self.calls_in_time = (self.calls_in_time if deadline else None), None
        files = self._files(request.goods)
        self._call()
        found = self._found(request)
        if found is None and self.limit is not None and len(self.made) >= self.limit:
            raise PlanFull("the fake's plan is full", wait=900)
        if found is None:
            self.orders[request.own_name] = request.order_id
        share = found or self._made(request)
        self._check_usable(share.id)
        share = self._put(replace(share, files=tuple(f for f in share.files if f in files)))
        prolonged = request.last_end is not None and share.expires_at > max(
            request.expires_at, request.last_end + _SAME
        )
        if not prolonged and abs(request.expires_at - share.expires_at) > _SAME:
            share = self._put(replace(share, expires_at=request.expires_at))
        self.archived.discard(share.id)
        # Found by its name, as the real one is, so the same run goes on.
        self.lose_create_answer = False
        for done, file in enumerate(files):
            self._call()
            if self.fail_after_adds == done:
                self.fail_after_adds = None
                raise FastioUnavailable("the fake was interrupted")
            if file not in share.files:
                share = self._put(_with(share, file))
        return self._put(replace(share, files=tuple(files)))

    def find(self, request: ShareRequest) -> Share | None:
        if self.down:
            raise FastioUnavailable("the fake is down")
        found = self._found(request)
        if found is not None:
            self._check_usable(found.id)
        return found

    def _found(self, request: ShareRequest) -> Share | None:
        by_id = None if request.share_id is None else self._asked_for(request.share_id)
        found = by_id or self.made.get(request.own_name)
        if found is not None and self.orders[found.name] != request.order_id:
            raise ShareTaken(f"the name of {request.order_id}'s share is another's")
        return found

    def _put(self, share: Share) -> Share:
        self.made[share.name] = share
        return share

    def close(self, share_id: str) -> None:
        if self._asked_for(share_id) is not None:
            self.archived.add(share_id)
        self._answer()

    def withdraw(self, share_id: str) -> None:
        if (share := self._asked_for(share_id)) is not None:
            self.delete(share.name)
        self._answer()

    def was_opened(self, share_id: str) -> bool | None:
        self._asked_for(share_id)
        return None if self.hides_events else share_id in self.opened

    def reopen(self, share_id: str, *, until: datetime) -> datetime | None:
        share = self._asked_for(share_id)
        if share is None:
            return None
        self._check_usable(share_id)
        if abs(share.expires_at - until) > _SAME:
            share = self._put(replace(share, expires_at=until.astimezone(UTC).replace(microsecond=0)))
        self.archived.discard(share_id)
        self._answer()
        return share.expires_at

    def files(self, goods: tuple[Goods, ...], *, deadline: datetime | None = None) -> tuple[ShareFile, ...]:
        del deadline
        if self.down:
            raise FastioUnavailable("the fake is down")
        return tuple(self._files(goods))

    def strip(
        self, share_id: str, *, gone: tuple[Goods, ...], kept: tuple[Goods, ...], deadline: datetime | None = None
    ) -> None:
        self._calls_left, self.calls_in_time = (self.calls_in_time if deadline else None), None
        share = self._asked_for(share_id)
        if share is None:
            raise ShareRefused("there is no such share")
        staying, all_that_stay = self._resolved(kept)
        leaving, all_that_leave = self._resolved(gone)
        if not all_that_stay and not all_that_leave:
            self.close(share_id)
            return
        out = [file for file in share.files if file not in staying and (file in leaving or not all_that_leave)]
        self._put(replace(share, files=tuple(file for file in share.files if file not in out)))

    def _resolved(self, goods: tuple[Goods, ...]) -> tuple[list[ShareFile], bool]:
        found: list[ShareFile] = []
        whole = True
        for each in goods:
            for node_id in each.nodes:
                try:
                    found += self._files((replace(each, nodes=(node_id,)),))
                except FileMissing:
                    whole = False
        return found, whole

    def open_files(self, order_id_or_name: str, now: datetime) -> tuple[str, ...] | None:
        """What a buyer with the link can have at *now*: the files' names, None when the link is dead."""
        for name, share in self.made.items():
            if order_id_or_name in (name, self.orders[name]):
                closed = share.id in self.archived | self.locked or share.expires_at <= now
                return None if closed else tuple(file.name for file in share.files)
        return None

    def delete(self, name: str) -> None:
        """As a person deletes a share in Fast.io for good."""
        del self.made[name], self.orders[name]

    def _asked_for(self, share_id: str) -> Share | None:
        if not (share_id.isascii() and share_id.isdecimal()):
            raise ShareRefused("the fake's share ids are numbers")
        if self.down:
            raise FastioUnavailable("the fake is down")
        return next((share for share in self.made.values() if share.id == share_id), None)

    def _check_usable(self, share_id: str) -> None:
        if share_id in self.locked:
            raise ShareRefused(f"share {share_id} is locked")

    def _answer(self) -> None:
        if self.lose_answer:
            self.lose_answer = False
            raise FastioUnavailable("the fake's answer was lost")

    def _call(self) -> None:
        if self._calls_left == 0:
            raise OutOfTime("the fake is out of time", wait=1)
        if self._calls_left is not None:
            self._calls_left -= 1

    def _made(self, request: ShareRequest) -> Share:
        self._ids += 1
        name = request.own_name
        link = shares.link(self.web_base, name)
        self.made[name] = Share(str(self._ids), name, link, request.expires_at, ())
        return self.made[name]

    def _hang(self, workspace: str, above: str | None, node_id: str, node: MemoryNode) -> None:
        self.nodes.setdefault((workspace, node_id), node)
        if above is not None and node_id not in (siblings := self.nodes[workspace, above].children):
            siblings.append(node_id)

    def _files(self, goods: tuple[Goods, ...]) -> list[ShareFile]:
        found: dict[str, MemoryNode] = {}
        for each in goods:
            for node_id in each.nodes:
                if (inside := self._inside(each.workspace, node_id)) == {}:
                    raise FileMissing(f"folder {node_id} has no files")
                found.update(inside)
        names = shares.distinct_names(node.name for node in found.values())
        return [ShareFile(name, node.size) for name, node in zip(names, found.values(), strict=True)]

    def _inside(self, workspace: str, node_id: str) -> dict[str, MemoryNode]:
        self._call()
        node = self.nodes.get((workspace, node_id))
        if node is None or not node.deliverable:
            raise FileMissing(f"node {node_id} is not in workspace {workspace}")
        if node.size is not None:
            return {node_id: node}
        by_name = sorted(node.children, key=lambda child: self.nodes[workspace, child].name)
        return {k: v for child in by_name for k, v in self._inside(workspace, child).items()}


def _with(share: Share, file: ShareFile) -> Share:
    return Share(share.id, share.name, share.link, share.expires_at, (*share.files, file))
