"""The port Shares in memory. Held against the real adapter by tests/contract/test_shares_port.py."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from paidshare import shares
from paidshare.errors import FastioUnavailable, FileMissing, OutOfTime, ShareTaken
from paidshare.orders import Goods, Share, ShareFile, ShareRequest


@dataclass(slots=True)
class MemoryNode:
    name: str
    size: int | None = None
    """None for a folder."""
    children: list[str] = field(default_factory=list)
    deliverable: bool = True


@dataclass(slots=True)
class MemoryShares:
    """
    `made` is what exists, by share name. `fail_after_adds` and `lose_create_answer` each interrupt one run;
    `down`, while True, every run. Without a clock it is out of time when the next run with a deadline has made
    `calls_in_time` calls.
    """

    web_base: str = "https://go.example"
    nodes: dict[tuple[str, str], MemoryNode] = field(default_factory=dict)
    made: dict[str, Share] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    down: bool = False
    fail_after_adds: int | None = None
    lose_create_answer: bool = False
    calls_in_time: int | None = None
    _calls_left: int | None = None

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
        if self.orders.setdefault(request.name, request.order_id) != request.order_id:
            raise ShareTaken(f"the name of {request.order_id}'s share is another's")
        share = self.made.setdefault(request.name, self._empty(request))
        if request.expires_at - share.expires_at > timedelta(days=1):
            share = self.made[request.name] = replace(share, expires_at=request.expires_at)
        # Found by its name, as the real one is, so the same run goes on.
        self.lose_create_answer = False
        share = self.made[request.name] = replace(share, files=tuple(f for f in share.files if f in files))
        for done, file in enumerate(files):
            self._call()
            if self.fail_after_adds == done:
                self.fail_after_adds = None
                raise FastioUnavailable("the fake was interrupted")
            if file not in share.files:
                share = self.made[request.name] = _with(share, file)
        return replace(share, files=tuple(files))

    def _call(self) -> None:
        if self._calls_left == 0:
            raise OutOfTime("the fake is out of time", wait=1)
        if self._calls_left is not None:
            self._calls_left -= 1

    def _empty(self, request: ShareRequest) -> Share:
        return Share(
            id=str(4_800_000_000_000_000_000 + len(self.made)),
            name=request.name,
            link=shares.link(self.web_base, request.name),
            expires_at=request.expires_at,
            files=(),
        )

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
