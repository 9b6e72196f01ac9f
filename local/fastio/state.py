"""What the Fast.io stand-in remembers: workspaces, files, shares, events, and its own clock."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from local.fastio.nodes import Node, Storage, instant
from local.fastio.rules import Rules

HASHES = ("md5", "sha1", "sha256", "sha384")


@dataclass(slots=True)
class Workspace:
    """`member` is False when the key's account may not see it, though it exists."""

    id: str
    folder_name: str
    member: bool = True
    storage: Storage = field(default_factory=Storage)


@dataclass(slots=True)
class Share:
    """`fields` holds what was sent at creation and in updates, under the API's own names."""

    id: str
    workspace: str
    custom_name: str
    expires: datetime | None
    created: datetime
    fields: dict[str, str]
    custom_url: str = ""
    archived: bool = False
    locked: bool = False
    suspended: bool = False
    deleted: bool = False
    storage: Storage = field(default_factory=Storage)

    def shown(self, *, archived: bool = True) -> dict[str, Any]:
        """As the API describes it; whether that says so of one that is *archived* is not known."""
        expires = instant(self.expires) if self.expires else None
        told = {"archived": self.archived} if archived else {}
        return self.fields | {
            "id": self.id,
            "custom_name": self.custom_name,
            "custom_url": self.custom_url or self.custom_name,
            "share_category": "portal",
            "expires": expires,
            **told,
            "locked": self.locked,
            "suspended": self.suspended,
            "deleted": self.deleted,
            "created": instant(self.created),
            "parents": {"workspace": self.workspace},
        }


@dataclass(slots=True)
class Fastio:
    """All of it. `clock` gives now, aware UTC; `/_clock` moves it on."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    share_limit: int = 1000
    offset: timedelta = timedelta()
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    shares: dict[str, Share] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    by_hash: dict[tuple[str, str], bytes] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    made: int = 0

    def now(self) -> datetime:
        return (self.clock() + self.offset).replace(microsecond=0)

    def reset(self) -> None:
        """Forget everything, the clock's offset too. Ids go on, so that no id means two things."""
        self.offset = timedelta()
        self.workspaces.clear()
        self.shares.clear()
        self.events.clear()
        self.by_hash.clear()
        self.names.clear()
        self.rules = Rules()

    def number(self) -> str:
        """A new id of an organisation, workspace, share or event: 19 digits, beyond 2^53."""
        self.made += 1
        return str(4_800_000_000_000_000_000 + self.made * 7_919)

    def opaque(self) -> str:
        """A new id of a node: opaque, hyphenated, 29 characters."""
        digest = hashlib.sha256(self.number().encode()).hexdigest()
        return "-".join(digest[i : i + 5] for i in range(0, 25, 5))

    def workspace(self, id_or_name: str) -> Workspace | None:
        return self.workspaces.get(id_or_name) or next(
            (w for w in self.workspaces.values() if w.folder_name == id_or_name), None
        )

    def share(self, id_or_name: str) -> Share | None:
        return self.shares.get(self.names.get(id_or_name, id_or_name))

    def add_share(self, share: Share) -> None:
        self.shares[share.id] = share
        self.names[share.custom_name] = share.id

    def rename_share(self, share: Share, url: str) -> None:
        """*url* leads to it from now on, beside its name."""
        self.names.pop(share.custom_url, None)
        share.custom_url = url
        self.names[url] = share.id

    def drop_share(self, share: Share) -> None:
        del self.shares[share.id]
        if not self.rules.names_kept:
            for name in (share.custom_name, share.custom_url):
                self.names.pop(name, None)

    def content(self, algorithm: str, digest: str) -> bytes | None:
        """Bytes that were ever stored, found by their hash: what `addfile` by hash needs."""
        return self.by_hash.get((algorithm, digest.lower()))

    def _remember(self, content: bytes) -> None:
        if ("md5", hashlib.md5(content, usedforsecurity=False).hexdigest()) not in self.by_hash:
            for algorithm in HASHES:
                digest = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
                self.by_hash[algorithm, digest] = content

    def put(self, storage: Storage, folder: str, name: str, content: bytes | None) -> Node:
        """A node in *folder*; one of the same name is overwritten and keeps its id, as Fast.io does it."""
        node = storage.named(folder, name)
        if node is None:
            node = Node(self.opaque(), folder, name, content, self.now())
            storage.nodes[node.id] = node
        node.content = content
        if content is not None:
            self._remember(content)
        return node

    def seed(self, workspace: str, path: str, content: bytes, **flags: bool) -> dict[str, Any]:
        """A file at *path* of the workspace named *workspace*, both made as needed; answers with the ids."""
        home = self.workspace(workspace)
        if home is None:
            home = Workspace(self.number(), workspace)
            self.workspaces[home.id] = home
        *folders, name = [part for part in path.split("/") if part]
        parent, folder_ids = "root", []
        for folder in folders:
            parent = self.put(home.storage, parent, folder, None).id
            folder_ids.append(parent)
        node = self.put(home.storage, parent, name, content)
        for flag, value in flags.items():
            setattr(node, flag, value)
        return {"workspace_id": home.id, "node_id": node.id, "folder_ids": folder_ids}

    def note(self, event: str, share: Share, object_id: str) -> None:
        """Remember that *event* happened, for `events/search`."""
        self.events.append(
            {
                "event_id": self.opaque(),
                "event": event,
                "category": "share",
                "sub_category": _sub_category(event),
                "object_id": object_id,
                "share_id": share.id,
                "workspace_id": share.workspace,
                "created": instant(self.now()),
                "acknowledged": False,
            }
        )


def _sub_category(event: str) -> str:
    if "storage" not in event:
        return "lifecycle"
    return "transfer" if event.endswith(("_added", "_updated", "_token_created", "_zip_downloaded")) else "storage"


type Standing = Literal["open", "gone", "archived", "expired", "closed"]


def standing(share: Share | None, now: datetime) -> Standing:
    """What a guest with the link meets."""
    if share is None or share.deleted:
        return "gone"
    if share.locked or share.suspended:
        return "closed"
    if share.archived:
        return "archived"
    if share.expires is not None and share.expires <= now:
        return "expired"
    return "open" if share.fields.get("access_options") == "Anyone with the link" else "closed"
