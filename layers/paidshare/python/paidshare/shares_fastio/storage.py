"""
What lies in Fast.io's workspaces: for who says what to sell, and for who makes sure that it is still there.

Three guesses beside those of `wire`: a key's `scopes` are texts that end in `:r`, `:rw` or `:rwa`; a list of
workspaces has `workspaces`, each with `id`, `folder_name` and perhaps `archived`; a workspace's limits have `shares`, a
number or an object with `limit` or `max`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from paidshare.loose_json import as_object
from paidshare.orders import Goods
from paidshare.shares_fastio import files, refusals, wire
from paidshare.shares_fastio.api import FastioApi
from paidshare.shares_fastio.wire import path

ROOT = "root"
_PAGE = 100
_MOST_WORKSPACES = 1_000


@dataclass(frozen=True, slots=True)
class Workspace:
    """`name` is what metadata may say instead of the id (Fast.io's `folder_name`)."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What lies in a folder. `size` is in bytes, None for a folder or where nobody knows."""

    id: str
    name: str
    kind: Literal["file", "folder"]
    size: int | None


@dataclass(frozen=True, slots=True)
class Rights:
    """
    Of a key: whether it `writes` anything, and `administers`, which is a scope with `rwa`; None where Fast.io does not
    say. A key that is made without scopes writes and does not administer.
    """

    writes: bool | None
    administers: bool | None


class FastioStorage:
    """*api* is the caller's. All of it raises FastioUnavailable, FileMissing and ShareRefused, as deliveries do."""

    def __init__(self, api: FastioApi) -> None:
        self._api = api

    def workspaces(self) -> Iterator[Workspace]:
        """All that the key's account sees, archived ones left out."""
        for start in range(0, _MOST_WORKSPACES, _PAGE):
            reply = self._api.get(path("workspaces", "all"), {"limit": str(_PAGE), "offset": str(start)})
            data = self._api.data(reply, doing="list workspaces")
            if not isinstance(listed := data.get("workspaces"), list):
                raise refusals.not_understood(reply, doing="list workspaces")
            for one in map(as_object, listed):
                if (its_id := str(one.get("id") or "")) and not one.get("archived"):
                    yield Workspace(its_id, str(one.get("folder_name") or its_id))
            if not wire.has_more(data):
                return

    def inside(self, workspace: str, folder: str = ROOT) -> list[Entry]:
        """What can be sold in *folder*, by name; without what is in the trash."""
        return [
            Entry(node.id, node.name, node.kind, node.size)
            for node in files.listed(self._api, "workspace", workspace, folder)
            if node.kind != "other" and not node.gone
        ]

    def bought(self, goods: Goods) -> list[Entry]:
        """The files that a buyer of *goods* gets; it raises what a delivery would."""
        return [Entry(node.id, node.name, "file", node.size) for node in files.bought(self._api, (goods,))]

    def rights(self) -> Rights:
        """What the key may do at all (`GET /auth/scopes/`). Raises FastioUnavailable when Fast.io refuses the key."""
        data = self._api.data(self._api.get(path("auth", "scopes")), doing="look up the key's rights")
        scopes, admin = data.get("scopes"), data.get("admin")
        if data.get("full_access") is True:
            return Rights(writes=True, administers=True)
        if not isinstance(scopes, list) or not all(isinstance(one, str) for one in scopes):
            return Rights(writes=None, administers=admin if isinstance(admin, bool) else None)
        administers = admin if isinstance(admin, bool) else any(one.endswith(":rwa") for one in scopes)
        return Rights(writes=any(one.endswith((":rw", ":rwa")) for one in scopes), administers=administers)

    def most_shares(self, workspace: str) -> int | None:
        """How many shares the plan has, where Fast.io tells (`GET /workspace/{id}/limits/`); None where it does not."""
        reply = self._api.get(path("workspace", workspace, "limits"))
        data = (wire.payload(reply.body) if 200 <= reply.status < 300 else None) or {}
        said = (as_object(data.get("limits")) or data).get("shares")
        told = str(as_object(said).get("limit") or as_object(said).get("max") or said)
        return int(told) if told.isdecimal() else None
