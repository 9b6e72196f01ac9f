"""The port ShareListing: the same rules for the fake and for the adapter over real HTTP to the stand-in."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import httpx
import pytest

from local.fastio.server import API_KEY, fastio_app
from local.hosting.serving import serving
from paidshare.delivering.ports import Shares
from paidshare.errors import FastioUnavailable, FileMissing, ShareRefused
from paidshare.orders import Share
from paidshare.shares_fastio import FastioShareListing
from paidshare.shares_fastio.api import FastioApi
from paidshare.sweeping.ports import ShareListing
from paidshare.sweeping.rounds import ListedShare, SharePage
from tests.fakes_shares import MemoryShares
from tests.fakes_sweep import MemoryShareListing
from tests.fastio_world import LINK_KEY, FastioWorld, goods, now, request
from tests.simulated import SimulatedFiles


class World(Protocol):
    @property
    def shares(self) -> Shares: ...
    @property
    def share_listing(self) -> ShareListing: ...
    def put(self, path: str) -> tuple[str, list[str]]: ...
    def open_files(self, name: str) -> tuple[str, ...] | None: ...
    def down(self) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.shares = MemoryShares()
        self.share_listing = MemoryShareListing(self.shares)

    def put(self, path: str) -> tuple[str, list[str]]:
        return self.shares.put("my-shop", path)

    def open_files(self, name: str) -> tuple[str, ...] | None:
        return self.shares.open_files(name, now())

    def down(self) -> None:
        self.shares.down = True


def adapter(client: httpx.Client, url: str) -> FastioShareListing:
    return FastioShareListing(FastioApi(client=client, api_key=lambda: API_KEY, api_base=f"{url}/current", clock=now))


class HttpWorld(FastioWorld):
    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.share_listing = self.listing()

    def down(self) -> None:
        self.fault({"match": "GET /shares/all/", "status": 503, "times": 2})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(fastio_app()) as served:
        yield served


@pytest.fixture
def http(url: str) -> Iterator[HttpWorld]:
    world = HttpWorld(url)
    yield world
    world.close()


@pytest.fixture(params=["memory", "simulated", "fastio"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return MemoryWorld()
    if request.param == "simulated":
        return SimulatedFiles()
    found: HttpWorld = request.getfixturevalue("http")
    return found


def opened(world: World, *orders: str) -> list[Share]:
    guide, _ = world.put("guide.pdf")
    return [world.shares.open(request(goods(guide), order=order)) for order in orders]


class TestEveryShareListing:
    def test_a_share_says_whose_it_is_and_when_it_ends(self, world: World) -> None:
        [share] = opened(world, "cs_1")
        expected = ListedShare(share.id, share.name, "cs_1", share.expires_at, archived=False)
        page = world.share_listing.page(0)
        assert (page.size, page.more) == (1, False)
        [listed] = page.shares
        # The list may leave it to the share itself to say whose it is.
        assert replace(listed, order_id="cs_1") == expected
        assert listed.order_id in ("cs_1", None)
        assert world.share_listing.look(share.id) == expected

    def test_a_closed_share_is_listed_as_one_in_its_workspace(self, world: World) -> None:
        shut, still_open = opened(world, "cs_1", "cs_2")
        world.shares.close(shut.id)
        workspace = world.share_listing.next_workspace()
        assert workspace is not None
        [listed] = world.share_listing.page(0, workspace).shares
        assert (listed.id, listed.archived) == (shut.id, True)
        assert [one.id for one in world.share_listing.page(0).shares] == [still_open.id]
        assert world.share_listing.next_workspace(workspace) is None

    def test_every_share_is_on_one_page(self, world: World) -> None:
        opened(world, *(f"cs_{n}" for n in range(103)))
        first = world.share_listing.page(0)
        assert (first.size, first.more) == (100, True)
        last = world.share_listing.page(100)
        assert (last.size, last.more) == (3, False)
        shown = (*first.shares, *last.shares)
        assert len({one.id for one in shown}) == 103
        assert [one.at for one in shown] == [*range(100), *range(3)]

    def test_there_is_nothing_beyond_the_last_page(self, world: World) -> None:
        assert world.share_listing.page(0) == SharePage((), size=0, more=False)
        assert world.share_listing.page(100) == SharePage((), size=0, more=False)

    def test_a_deleted_share_is_gone_and_its_link_dead(self, world: World) -> None:
        kept, gone = opened(world, "cs_1", "cs_2")
        world.share_listing.delete(gone.id)
        assert [one.id for one in world.share_listing.page(0).shares] == [kept.id]
        assert world.share_listing.look(gone.id) is None
        assert world.open_files(gone.name) is None
        assert world.open_files(kept.name) is not None

    def test_deleting_twice_is_deleting_once(self, world: World) -> None:
        [share] = opened(world, "cs_1")
        world.share_listing.delete(share.id)
        world.share_listing.delete(share.id)

    def test_a_share_that_never_was_is_not_there(self, world: World) -> None:
        assert world.share_listing.look("4800000000000000001") is None

    def test_a_fastio_that_is_down_is_tried_again(self, world: World) -> None:
        world.down()
        with pytest.raises(FastioUnavailable):
            world.share_listing.page(0)


class TestFastioShareListing:
    def test_every_workspace_has_its_turn_once(self, http: HttpWorld) -> None:
        for name in ("b-shop", "a-shop", "c-shop"):
            http.put("guide.pdf", workspace=name)
        turns = [http.share_listing.next_workspace()]
        while turns[-1] is not None:
            turns.append(http.share_listing.next_workspace(turns[-1]))
        assert len(set(turns)) == len(turns) == 4
        assert http.share_listing.page(0, turns[0]) == SharePage((), size=0, more=False)

    def test_somebody_else_s_shares_are_counted_and_left_alone(self, http: HttpWorld) -> None:
        http.put("guide.pdf")
        http.create().raise_for_status()
        http.create(custom_name="omyownholidaypictures", owner_defined='{"album": 7}').raise_for_status()
        assert http.share_listing.page(0) == SharePage((), size=2, more=False)

    def test_what_looks_like_ours_is_shown_and_nobody_asked_about_it_yet(self, http: HttpWorld) -> None:
        opened(http, "cs_1")
        http.create().raise_for_status()
        before = len(http.calls())
        [listed] = http.share_listing.page(0).shares
        assert (listed.order_id, listed.at) == (None, 0)
        assert len(http.calls()) == before + 1

    def test_a_share_that_fastio_s_people_deleted_is_not_there(self, http: HttpWorld) -> None:
        [share] = opened(http, "cs_1")
        http.flag(share.name, deleted=True)
        assert all(one.order_id is None for one in http.share_listing.page(0).shares)
        assert http.share_listing.look(share.id) is None

    def test_a_deletion_that_is_refused_is_told(self, http: HttpWorld) -> None:
        [share] = opened(http, "cs_1")
        http.fault({"match": "DELETE /share/*/delete/", "status": 403})
        with pytest.raises((ShareRefused, FileMissing), match=f"delete share {share.id}: HTTP 403"):
            http.share_listing.delete(share.id)


def listing(answer: Any) -> SharePage:
    """What is made of *answer*, and nobody asked about anything."""
    body = {"result": True, **answer}
    seen: list[str] = []

    def reply(asked: httpx.Request) -> httpx.Response:
        seen.append(asked.url.path)
        return httpx.Response(200, content=json.dumps(body))

    with httpx.Client(transport=httpx.MockTransport(reply)) as client:
        found = adapter(client, "https://fastio.example").page(0)
    assert seen == ["/current/shares/all/"]
    return found


class TestShapesThatAreGuesses:
    def test_a_list_that_tells_the_order_spares_a_call(self) -> None:
        raw = {
            "id": 7,
            "custom_name": "o" + 32 * "a",
            "expires": "2026-11-22 12:00:00",
            "archived": 1,
            "owner_defined": {"paidshare_order": "cs_1"},
        }
        [share] = listing({"shares": [raw]}).shares
        assert (share.id, share.name, share.order_id, share.archived) == ("7", "o" + 32 * "a", "cs_1", True)

    def test_what_is_no_share_is_counted(self) -> None:
        assert listing({"shares": [None, {}, {"id": ""}]}) == SharePage((), size=3, more=False)

    def test_an_empty_page_is_the_last_whatever_it_says(self) -> None:
        assert listing({"shares": [], "pagination": {"has_more": True}}) == SharePage((), size=0, more=False)

    def test_an_answer_without_shares_is_not_an_empty_list(self) -> None:
        with pytest.raises(FastioUnavailable, match="not understood"):
            listing({"items": []})

    def test_a_name_is_ours_by_its_form(self) -> None:
        from paidshare import shares

        assert shares.is_share_name(shares.share_name(LINK_KEY, "cs_1"))
        for other in ("", "o", "o" + 31 * "a", "o" + 33 * "a", "p" + 32 * "a", "o" + 31 * "a" + "1", "o" + 32 * "A"):
            assert not shares.is_share_name(other)
