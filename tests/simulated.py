"""The simulation's services at rest: no time passes, nothing goes wrong, every call is done at once."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import httpx

from local.fastio.state import standing
from paidshare.delivering.ports import Shares
from paidshare.sweeping.ports import ShareListing
from simulation.aws.dynamodb import DynamoDB, Table
from simulation.chance import Chance
from simulation.clock import Clock
from simulation.fastio import Client, FileHost, Reply
from simulation.faults import Faults, Rates
from simulation.outside import Outside
from simulation.wiring import listing_of, shares_of
from tests.cloud import EVENTS_TABLE, ORDERS_TABLE
from tests.fastio_world import now

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def an_outside(clock: Clock | None = None, rates: Rates | None = None) -> Outside:
    """The way to all providers, at *clock*'s time."""
    return Outside(clock or Clock(), Faults(Chance(1), rates or Rates()), trace=lambda _line: None)


def a_dynamodb(outside: Outside | None = None) -> "DynamoDBClient":
    """The simulated DynamoDB with both tables, empty, as boto3's client."""
    found = outside or an_outside()
    tables = {
        ORDERS_TABLE: Table("order_id", lambda: found.clock.now),
        EVENTS_TABLE: Table("id", lambda: found.clock.now, expires="expiration"),
    }
    return cast("DynamoDBClient", DynamoDB(found, tables, attempts=2))


class Unreliable:
    """
    A client of the simulated Fast.io. `faults` strike the next call of a method to a path that ends so: it never
    arrives (False), its answer is lost (True), or nothing goes wrong (None).
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.faults: list[tuple[str, str, bool | None]] = []
        self.made = 0

    def request(self, method: str, url: str, **more: Any) -> Reply:
        self.made += 1
        fault = next((one for one in self.faults if one[0] == method and url.endswith(one[1])), None)
        if fault is not None:
            self.faults.remove(fault)
        if fault is None or fault[2] is None:
            return self._client.request(method, url, **more)
        if fault[2]:
            self._client.request(method, url, **more)
        raise httpx.ReadError("simulated")


class SimulatedFiles:
    """The real adapters over the simulated Fast.io, as the contracts of both of its ports want it."""

    def __init__(self) -> None:
        clock = Clock()
        clock.now = now().timestamp()
        self.host = FileHost(clock, share_limit=1_000)
        self.client = Unreliable(Client(an_outside(clock), self.host, lambda: False))
        self.shares: Shares = shares_of(self.client, now)
        self.share_listing: ShareListing = listing_of(self.client, now)

    def put(self, path: str, content: str = "x") -> tuple[str, list[str]]:
        made = self.host.state.seed("my-shop", path, content.encode())
        return made["node_id"], made["folder_ids"]

    def infected(self, path: str) -> str:
        return str(self.host.state.seed("my-shop", path, b"x", infected=True)["node_id"])

    def files_made(self) -> dict[str, list[str]]:
        shares = self.host.state.shares.values()
        return {share.custom_name: [node.name for node in share.storage.inside("root")] for share in shares}

    def interrupt_after(self, adds: int) -> None:
        # Twice: a file is put there a second time by itself.
        self.client.faults += [("POST", "/addfile/", None)] * adds + [("POST", "/addfile/", False)] * 2

    def out_of_time_after(self, calls: int) -> datetime:
        deadline, made = now(), self.client.made
        self.shares = shares_of(
            self.client, lambda: deadline if self.client.made >= made + calls else deadline - timedelta(seconds=1)
        )
        return deadline

    def lose_create_answer(self) -> None:
        self.client.faults.append(("POST", "/create/share/", True))

    def lose_answer(self) -> None:
        self.client.faults += [("POST", "/archive/", True), ("POST", "/unarchive/", True), ("DELETE", "/delete/", True)]

    def down(self) -> None:
        self.client.faults += [("GET", "/shares/all/", False)] * 2

    def open_files(self, name: str, *, after: timedelta = timedelta()) -> tuple[str, ...] | None:
        share = self.host.state.share(name)
        if share is None or standing(share, now() + after) != "open":
            return None
        return tuple(node.name for node in share.storage.inside("root"))

    def delete(self, name: str) -> None:
        share = self.host.state.share(name)
        assert share is not None
        self.host.answer("DELETE", f"/share/{share.id}/delete/", {"confirm": share.id}, {})

    def open_a_file(self, name: str) -> None:
        share = self.host.state.share(name)
        assert share is not None
        self.host.state.note("share_storage_download_token_created", share, "node")

    def lock(self, name: str) -> None:
        share = self.host.state.share(name)
        assert share is not None
        share.locked = True
