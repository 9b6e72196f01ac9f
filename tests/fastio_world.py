"""The stand-in for Fast.io over real HTTP, and the adapter that talks to it, as tests want them."""

import html
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from local.fastio.server import API_KEY
from paidshare import shares
from paidshare.orders import Goods, ShareRequest
from paidshare.shares_fastio import FastioShareListing, FastioShares
from paidshare.shares_fastio.api import FastioApi

LINK_KEY = "a-link-key-for-tests-of-32-letters"
CREATE = "POST /workspace/*/create/share/"
ADD = "POST /share/*/storage/root/addfile/"
DETAILS = "GET /workspace/*/storage/*/details/"
LOOK_UP = "GET /share/*/details/"
ARCHIVE = "POST /share/*/archive/"
UNARCHIVE = "POST /share/*/unarchive/"
UPDATE = "POST /share/*/update/"
LIST = "GET /share/*/storage/root/list/"
AUTH = "GET /user/auth/check/"
GUEST = "POST /share/*/auth/guest/"
DELETE = "DELETE /share/*/storage/*/delete/"
WITHDRAW = "DELETE /share/*/delete/"
EVENTS = "GET /events/search/"


def now() -> datetime:
    return datetime.now(UTC)


def goods(*nodes: str, workspace: str = "my-shop", name: str = "Field Guide") -> Goods:
    return Goods(product_name=name, workspace=workspace, nodes=nodes, link_days=7)


def request(*bought: Goods, order: str = "cs_test_1", link_key: str = LINK_KEY) -> ShareRequest:
    return shares.share_request(order, bought, now() + timedelta(days=7), link_key)


class FastioWorld:
    """*url* is a running stand-in's. `close` it."""

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, trust_env=False)
        self.client = httpx.Client(timeout=timeout_s, trust_env=False)
        self.shares = self.adapter()
        self.http.post("/_reset")

    def adapter(self, *, api_key: Any = lambda: API_KEY, clock: Any = now, share_limit: int = 0) -> FastioShares:
        return FastioShares(self.over_http(api_key, clock), web_base=self.url, share_limit=share_limit)

    def listing(self) -> FastioShareListing:
        return FastioShareListing(self.over_http())

    def over_http(self, api_key: Any = lambda: API_KEY, clock: Any = now) -> FastioApi:
        """The API as our adapters call it."""
        return FastioApi.over_https(api_key=api_key, clock=clock, api_base=f"{self.url}/current", client=self.client)

    def rules(self, **rules: Any) -> None:
        """What the key may do, and what is not known of Fast.io: see `local.fastio.rules.Rules`."""
        self.http.post("/_rules", json=rules).raise_for_status()

    def close(self) -> None:
        self.client.close()
        self.http.close()

    def put(
        self, path: str, content: str = "x", *, workspace: str = "my-shop", flags: dict[str, bool] | None = None
    ) -> tuple[str, list[str]]:
        wanted = {"workspace": workspace, "path": path, "content": content, **(flags or {})}
        made = self.http.post("/_files", json=wanted).raise_for_status().json()
        return made["node_id"], made["folder_ids"]

    def fault(self, *rules: dict[str, Any]) -> None:
        for rule in rules:
            self.http.post("/_faults", json=rule).raise_for_status()

    def interrupt_after(self, adds: int) -> None:
        """The next run that adds more than *adds* files loses its connection."""
        if adds:
            self.fault({"match": ADD, "status": None, "times": adds})
        # Twice: a file is put there a second time by itself.
        self.fault({"match": ADD, "status": 0, "times": 2})

    def out_of_time_after(self, calls: int) -> datetime:
        """The deadline of a run whose time is up when it has made *calls* calls."""
        deadline, made = now(), len(self.calls())
        self.shares = self.adapter(
            clock=lambda: deadline if len(self.calls()) >= made + calls else deadline - timedelta(seconds=1)
        )
        return deadline

    def member(self, workspace: str, *, member: bool) -> None:
        self.http.post("/_workspaces", json={"workspace": workspace, "member": member}).raise_for_status()

    def flag(self, share: str, **flags: bool) -> None:
        """Lock, suspend or delete *share*, as Fast.io's own people do it."""
        self.http.post("/_shares", json={"share": share, **flags}).raise_for_status()

    def lose_create_answer(self) -> None:
        self.fault({"match": CREATE, "status": 0, "after": True})

    def made(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get("/_shares").json()["shares"]
        return found

    def files_made(self) -> dict[str, list[str]]:
        return {share["custom_name"]: [f["name"] for f in share["files"]] for share in self.made()}

    def open_files(self, name: str, *, after: timedelta = timedelta()) -> tuple[str, ...] | None:
        """What a guest finds at the link when *after* has passed: the files' names, None when the link is dead."""
        self._pass(after)
        answer = self.http.get(f"/shared/{name}")
        self._pass(-after)
        if answer.status_code in (403, 404, 410):
            return None
        page = answer.raise_for_status().text
        return tuple(html.unescape(file) for file in re.findall(r"download>(.*?)</a>", page))

    def open_a_file(self, name: str) -> None:
        """As whoever has the link."""
        [file, *_] = re.findall(r'href="(.*?)"', self.http.get(f"/shared/{name}").text)
        self.http.get(file).raise_for_status()

    def delete(self, name: str) -> None:
        """As a person deletes a share in Fast.io for good."""
        self.api("DELETE", f"/share/{name}/delete/", params={"confirm": name}).raise_for_status()

    def _pass(self, time: timedelta) -> None:
        self.http.post("/_clock", json={"advance_s": time.total_seconds()}).raise_for_status()

    def calls(self) -> list[str]:
        return [f"{call['method']} {call['path']}" for call in self.http.get("/_calls").json()]

    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {API_KEY}"} | more.pop("headers", {})
        return self.http.request(method, f"/current{path}", headers=headers, **more)

    def is_free(self, name: str) -> bool:
        """Whether no share is called *name*, says the check of names."""
        return bool(self.api("GET", f"/shares/check/name/{name}/").json()["available"])

    def statuses(self) -> list[int | None]:
        """Of all calls, in order; None while one is under way."""
        return [call["status"] for call in self.http.get("/_calls").json()]

    def create(self, **fields: str | None) -> httpx.Response:
        """A share that is right but for *fields*; None leaves one out."""
        form = {
            "title": "Field Guide",
            "custom_name": "o123456789",
            "intelligence": "false",
            "share_type": "send",
            "access_options": "Anyone with the link",
        } | fields
        return self.api(
            "POST", "/workspace/my-shop/create/share/", data={k: v for k, v in form.items() if v is not None}
        )

    def add(self, share: str, name: str, digest: str, *, kind: str = "sha256") -> httpx.Response:
        source = json.dumps({"type": "hash", "hash": {"hash": digest, "hash_type": kind}})
        return self.api("POST", f"/share/{share}/storage/root/addfile/", data={"name": name, "from": source})
