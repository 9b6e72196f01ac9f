"""The files and folders that the Fast.io stand-in has, in a workspace or a share."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

INSTANT = "%Y-%m-%d %H:%M:%S"


def instant(moment: datetime) -> str:
    """*moment* in the API's own form, `INSTANT`: a share is listed much more often than made, and strftime is slow."""
    return moment.isoformat(" ", "seconds")[:19]


@dataclass(slots=True)
class Node:
    """
    A file or folder of a workspace or share. `content` is None for a folder. `busy`: it can not be looked up for a
    while; `lost`: nor ever again.
    """

    id: str
    parent: str
    name: str
    content: bytes | None
    created: datetime
    infected: bool = False
    trashed: bool = False
    hashed: bool = True
    busy: bool = False
    lost: bool = False

    def shown(self) -> dict[str, Any]:
        """As the API describes it."""
        raw: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "type": "folder" if self.content is None else "file",
            "parent": "trash" if self.trashed else self.parent,
            "created": instant(self.created),
            "modified": instant(self.created),
            "locked": False,
        }
        if self.content is not None:
            raw["size"] = len(self.content)
            raw["virus"] = {"status": "infected" if self.infected else "clean", "infected": self.infected}
            if self.hashed:
                raw |= {"hash": hashlib.sha256(self.content).hexdigest(), "hash_algo": "sha256"}
        return raw


@dataclass(slots=True)
class Storage:
    """The nodes of one workspace or share, by id."""

    nodes: dict[str, Node] = field(default_factory=dict)

    def inside(self, folder: str) -> list[Node]:
        """What lies directly in *folder* and not in the trash."""
        return [n for n in self.nodes.values() if n.parent == folder and not n.trashed]

    def reachable(self, node_id: str) -> Node | None:
        """The node, unless it or a folder above it is in the trash."""
        found = above = self.nodes.get(node_id)
        while above is not None:
            if above.trashed:
                return None
            above = self.nodes.get(above.parent)
        return found

    def named(self, folder: str, name: str) -> Node | None:
        return next((n for n in self.inside(folder) if n.name == name), None)
