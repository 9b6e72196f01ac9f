"""
Fast.io's law: what is done stays done where the answer is lost; a list shows late what was made; a limit is refused for
a while, and a plan's limit of shares until one is deleted.

The state and the strict forms are the stand-in's (`local.fastio`); this is its front without a network, spoken to as
httpx's client is.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from local.fastio import codes, rulings
from local.fastio.forms import ADDABLE, CREATABLE, CREATE_NEEDS, UPDATABLE, Refused, check
from local.fastio.nodes import INSTANT, Storage
from local.fastio.rules import Rules
from local.fastio.state import Fastio, Share, standing
from simulation.chance import Chance
from simulation.clock import Clock, aware
from simulation.keys import Keys
from simulation.outside import Outside

BASE = "https://fastio.simulated/current"
WEB_BASE = "https://go.simulated"

type _Answer = dict[str, Any]

_DEFAULTS = {"share_type": "exchange", "storage_mode": "independent"}


@dataclass(frozen=True, slots=True)
class Reply:
    """As much of httpx's answer as the adapter reads."""

    status_code: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def drawn(chance: Chance) -> Rules:
    """A Fast.io as it could be, as far as nobody knows."""
    return Rules(
        taken=chance.one_of("fastio taken", "409", "406", "10566"),
        full=chance.one_of("fastio full", 402, 403, 406, 412),
        archived_told=chance.happens("fastio archived told", 0.5),
        archived_changes=chance.happens("fastio archived changes", 0.5),
        names_kept=chance.happens("fastio names kept", 0.5),
    )


class FileHost:
    """
    Fast.io's account. `watched` is told of a share that was changed. `by_order` are the orders' shares, `tells` sends a
    webhook, and `keys` has those that are taken.
    """

    def __init__(self, clock: Clock, *, share_limit: int, list_late_s: float = 0.0, apart_s: float = 0.0) -> None:
        self.state = Fastio(clock=lambda: aware(clock.now + apart_s), share_limit=share_limit)
        self.list_late_s = list_late_s
        self.watched: Callable[[Share], None] = lambda _share: None
        self.by_order: dict[str, list[Share]] = {}
        self.tells: Callable[[str, Share], None] = lambda _what, _share: None
        self.keys = Keys()

    def answer(  # noqa: C901, PLR0911, PLR0912  # A table of its calls, one line each.
        self, method: str, path: str, params: Mapping[str, str], form: Mapping[str, str], guest: str | None = None
    ) -> _Answer:
        """*guest* is a guest's token, empty for one who has none yet. Raises Refused."""
        if guest is not None:
            return self._guest(guest, method, path)
        match method, path.strip("/").split("/"):
            case "GET", ["user", "auth", "check"]:
                return {"id": "1"}
            case "GET", ["shares", "all"]:
                return self._listed(params)
            case "GET", ["workspaces", "all"]:
                return {"workspaces": [{"id": one} for one in self.state.workspaces], "pagination": {"has_more": False}}
            case "GET", ["workspace", name, "list", "shares"]:
                return self._listed(params, workspace=name)
            case "GET", ["shares", "check", "name", name]:
                return {"available": name not in self.state.names}
            case "POST", ["workspace", name, "create", "share"]:
                return self._create(name, form)
            case "GET", [owner, name, "storage", nodes, "details"]:
                return rulings.nodes(self._storage(owner, name), nodes.split(","))
            case "GET", [owner, name, "storage", folder, "list"]:
                return _inside(self._storage(owner, name), folder)
            case "POST", ["share", name, "storage", "root", "addfile"]:
                return self._add(self._share(name), form)
            case "DELETE", ["share", name, "storage", node, "delete"]:
                return self._take_out(self._share(name), node)
            case "GET", ["share", name, "details"]:
                return self._shown(self._share(name))
            case "POST", ["share", name, "update"]:
                return self._update(self._share(name), form)
            case "POST", ["share", name, ("archive" | "unarchive") as how]:
                share = self._share(name)
                rulings.archive(share, archived=how == "archive")
                return self._changed(share)
            case "DELETE", ["share", name, "delete"]:
                return self._delete(self._share(name), params.get("confirm"))
            case "GET", ["events", "search"]:
                return self._happened(params)
        raise Refused(404, codes.UNKNOWN_ROUTE, "There is no such call")

    def _guest(self, token: str, method: str, path: str) -> _Answer:
        """What whoever has a link may do."""
        admitted = rulings.admitted(self.state, token)
        match method, path.strip("/").split("/"):
            case "POST", ["share", name, "auth", "guest"]:
                return {"auth_token": rulings.admit(self.state, self.state.share(name))}
            case "GET", ["share", share_id, "storage", folder, "list"] if share_id == admitted:
                share = self._share(share_id)
                rulings.admit(self.state, share)
                return _inside(share.storage, folder)
        raise Refused(401, codes.TOKEN, "The token is missing or not valid")

    def open_files(self, order_id: str) -> tuple[str, ...]:
        """What whoever has a link of the order can have now: the files' names."""
        now = self.state.now()
        return tuple(
            node.name
            for share in self.by_order.get(order_id, ())
            if standing(share, now) == "open"
            for node in share.storage.inside("root")
        )

    def open_shares(self, order_id: str) -> list[Share]:
        now = self.state.now()
        return [share for share in self.by_order.get(order_id, ()) if standing(share, now) == "open"]

    def _create(self, workspace: str, form: Mapping[str, str]) -> _Answer:
        state, home = self.state, self.state.workspace(workspace)
        if home is None:
            raise Refused(404, codes.NOT_FOUND, "There is no such workspace")
        check(form, CREATABLE, state.now(), needed=CREATE_NEEDS)
        rulings.check_new(state, form["custom_name"])
        fields = {**_DEFAULTS, **form}
        name, ends = fields.pop("custom_name"), _moment(fields.pop("expires"))
        share = Share(state.number(), home.id, name, ends, state.now(), fields)
        state.add_share(share)
        self.by_order.setdefault(order_of(share), []).append(share)
        self.tells("share_created", share)
        return self._changed(share)

    def _update(self, share: Share, form: Mapping[str, str]) -> _Answer:
        rulings.check_change(self.state, share)
        check(form, UPDATABLE, self.state.now(), context=share.fields)
        share.expires = _moment(form["expires"])
        return self._changed(share)

    def _add(self, share: Share, form: Mapping[str, str]) -> _Answer:
        check(form, ADDABLE, self.state.now(), needed=("name", "from"))
        source = json.loads(form["from"])["hash"]
        content = self.state.content(source["hash_type"], source["hash"])
        if content is None:
            raise Refused(404, codes.NOT_FOUND, "No stored file has that hash")
        node = self.state.put(share.storage, "root", form["name"], content)
        self.watched(share)
        return {"node": node.shown()}

    def _take_out(self, share: Share, node_id: str) -> _Answer:
        node = share.storage.reachable(node_id)
        if node is None:
            raise Refused(404, codes.NOT_FOUND, "There is no such node")
        node.trashed = True
        self.watched(share)
        return {}

    def _delete(self, share: Share, confirm: str | None) -> _Answer:
        rulings.confirmed(share, confirm)
        self.state.drop_share(share)
        self.by_order[order_of(share)].remove(share)
        return {}

    def _happened(self, asked: Mapping[str, str]) -> _Answer:
        named = {name: asked[name] for name in ("share_id", "event")}
        return {"events": [one for one in self.state.events if named.items() <= one.items()], "pagination": {}}

    def _listed(self, params: Mapping[str, str], *, workspace: str | None = None) -> _Answer:
        """Archived ones are in a workspace's list alone."""
        offset, limit, archived = int(params["offset"]), int(params["limit"]), params.get("archived") == "true"
        shown = self.state.now() - timedelta(seconds=self.list_late_s)
        found = [
            share
            for share in self.state.shares.values()
            if share.created <= shown and share.archived is archived and workspace in (None, share.workspace)
        ]
        page = found[offset : offset + limit]
        told = self.state.rules.archived_told
        shares = [{k: v for k, v in share.shown(archived=told).items() if k != "owner_defined"} for share in page]
        return {"shares": shares, "pagination": {"has_more": offset + limit < len(found)}}

    def _changed(self, share: Share) -> _Answer:
        self.watched(share)
        return self._shown(share)

    def _shown(self, share: Share) -> _Answer:
        return {"share": share.shown(archived=self.state.rules.archived_told)}

    def _share(self, name: str) -> Share:
        share = self.state.share(name)
        if share is None:
            raise Refused(404, codes.NOT_FOUND, "There is no such share")
        return share

    def _storage(self, owner: str, name: str) -> Storage:
        home = self.state.workspace(name) if owner == "workspace" else self._share(name)
        if home is None:
            raise Refused(404, codes.NOT_FOUND, "There is no such workspace")
        return home.storage


class Client:
    """httpx's client, as far as `FastioApi` asks it."""

    def __init__(self, outside: Outside, host: FileHost, limited: Callable[[], bool]) -> None:
        self._outside = outside
        self._host = host
        self._limited = limited

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        json: Any = None,
    ) -> Reply:
        del json
        path = url.removeprefix(BASE)

        def do() -> Reply:
            key = headers.get("authorization", "").removeprefix("Bearer ")
            guest = key if not key or key.startswith("guest-") else None
            if guest is None and key not in self._host.keys.fastio:
                self._outside.strike()
                return _refused(Refused(401, codes.TOKEN, "The token is missing or not valid"))
            try:
                return _reply(200, {"result": True, **self._host.answer(method, path, params or {}, data or {}, guest)})
            except Refused as refusal:
                return _refused(refusal)

        try:
            return self._outside.call(
                "Fast.io",
                f"{method} {_told(path)}",
                do,
                refused=lambda: httpx.ConnectError("simulated"),
                lost=lambda: httpx.ReadTimeout("simulated"),
            )
        except httpx.ConnectError:
            if not self._limited():
                raise
            # Its other way to refuse: a limit, which says when it ends.
            ends = self._host.state.now() + timedelta(seconds=30)
            return Reply(429, b"{}", {"x-ve-limit-expires": str(int(ends.timestamp()))})


def order_of(share: Share) -> str:
    return str(json.loads(share.fields["owner_defined"])["paidshare_order"])


def _inside(storage: Storage, folder: str) -> _Answer:
    if folder != "root" and folder not in storage.nodes:
        raise Refused(404, codes.NOT_FOUND, "There is no such folder")
    inside = sorted(storage.inside(folder), key=lambda node: (node.name, node.id))
    return {"nodes": [node.shown() for node in inside], "pagination": {"has_more": False, "next_cursor": None}}


def _told(path: str) -> str:
    """The path without the name of a share, which is all that a link's secret is."""
    return "/".join("*" if part.startswith("o") and len(part) > 30 else part for part in path.split("/"))


def _moment(text: str) -> datetime:
    return datetime.strptime(f"{text} +0000", f"{INSTANT} %z")


def _reply(status: int, data: _Answer) -> Reply:
    return Reply(status, json.dumps(data).encode())


def _refused(refusal: Refused) -> Reply:
    return _reply(refusal.status, refusal.body())
