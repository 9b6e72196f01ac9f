"""The adapter alone: what it costs, and what it makes of everything that Fast.io and the network do wrong."""

import contextlib
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from local.fastio.server import API_KEY, fastio_app
from local.hosting.serving import serving
from paidshare.delivering.errors import OutOfTime, ShareTaken
from paidshare.errors import FastioUnavailable, FileMissing, NeedsAPerson, PaidshareError, PlanFull, ShareRefused
from paidshare.orders import Share
from paidshare.shares_fastio import FastioShares, files
from paidshare.shares_fastio.api import API_BASE, FastioApi, Walked, http_client
from tests.fastio_world import (
    ADD,
    ARCHIVE,
    AUTH,
    CREATE,
    DELETE,
    DETAILS,
    LIST,
    LOOK_UP,
    UNARCHIVE,
    UPDATE,
    FastioWorld,
    goods,
    now,
    request,
)

NAME_TAKEN = {"result": False, "error": {"code": "1607", "params": [{"name": "custom_name", "kind": "invalid"}]}}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(fastio_app(share_limit=12)) as served:
        yield served


@pytest.fixture
def world(url: str) -> Iterator[FastioWorld]:
    world = FastioWorld(url)
    yield world
    world.close()


@pytest.fixture
def guide(world: FastioWorld) -> str:
    return world.put("secret-title.pdf", "12345")[0]


class TestCost:
    def test_an_order_costs_one_look_one_create_and_one_call_per_file(self, world: FastioWorld) -> None:
        nodes = [world.put(f"{n}.pdf", str(n))[0] for n in range(3)]
        share = world.shares.open(request(goods(*nodes)))
        assert world.calls() == [
            f"GET /workspace/my-shop/storage/{','.join(nodes)}/details/",
            "POST /workspace/my-shop/create/share/",
            *[f"POST /share/{share.id}/storage/root/addfile/"] * 3,
            *as_a_guest(share),
        ]

    def test_a_repeat_of_a_complete_order_adds_nothing(self, world: FastioWorld, guide: str) -> None:
        wanted = request(goods(guide))
        share = world.shares.open(wanted)
        before = len(world.calls())
        world.shares.open(wanted)
        assert world.calls()[before:] == [
            f"GET /workspace/my-shop/storage/{guide}/details/",
            "POST /workspace/my-shop/create/share/",
            f"GET /share/{wanted.name}/details/",
            f"GET /share/{share.id}/storage/root/list/",
            *as_a_guest(share),
        ]

    def test_a_share_that_should_hold_less_costs_one_call_per_file_that_goes(self, world: FastioWorld) -> None:
        nodes = [world.put(f"{n}.pdf", str(n))[0] for n in range(3)]
        wanted = request(goods(*nodes))
        share = world.shares.open(wanted)
        before = len(world.calls())
        world.shares.open(replace(wanted, goods=(goods(nodes[1]),)))
        changes = changes_in(world.calls()[before:])
        assert len(changes) == 2
        assert all(call.startswith(f"DELETE /share/{share.id}/storage/") for call in changes)

    def test_a_share_that_should_hold_more_costs_one_call_per_file_that_comes(self, world: FastioWorld) -> None:
        nodes = [world.put(f"{n}.pdf", str(n))[0] for n in range(3)]
        wanted = request(goods(nodes[1]))
        share = world.shares.open(wanted)
        before = len(world.calls())
        world.shares.open(replace(wanted, goods=(goods(*nodes),)))
        changes = changes_in(world.calls()[before:])
        assert changes == [f"POST /share/{share.id}/storage/root/addfile/"] * 2

    def test_a_close_costs_one_call(self, world: FastioWorld, guide: str) -> None:
        share = world.shares.open(request(goods(guide)))
        before = len(world.calls())
        world.shares.close(share.id)
        assert world.calls()[before:] == [f"POST /share/{share.id}/archive/"]

    @pytest.mark.parametrize(("later", "changes"), [(0, ["unarchive"]), (7, ["unarchive", "update"])])
    def test_a_reopening_costs_a_look_and_one_call_per_change(
        self, world: FastioWorld, guide: str, later: int, changes: list[str]
    ) -> None:
        share = world.shares.open(request(goods(guide)))
        world.shares.close(share.id)
        before = len(world.calls())
        world.shares.reopen(share.id, until=share.expires_at + timedelta(days=later))
        assert world.calls()[before:] == [
            f"GET /share/{share.id}/details/",
            *[f"POST /share/{share.id}/{change}/" for change in changes],
            as_a_guest(share)[0],
        ]

    def test_what_is_no_share_id_costs_nothing(self, world: FastioWorld) -> None:
        name = request(goods("n-1")).name
        with pytest.raises(ShareRefused) as closing:
            world.shares.close(name)
        with pytest.raises(ShareRefused) as reopening:
            world.shares.reopen(name, until=now())
        assert world.calls() == []
        assert name not in f"{closing.value!r} {reopening.value!r}"

    @pytest.mark.parametrize("calls", range(6))
    def test_past_the_deadline_no_call_is_begun_and_the_next_run_carries_on(
        self, world: FastioWorld, calls: int
    ) -> None:
        _, [folder] = world.put("Course/0.pdf", "0")
        world.put("Course/1.pdf", "1")
        wanted = request(goods(folder, world.put("2.pdf", "2")[0]))
        deadline = world.out_of_time_after(calls)
        with pytest.raises(OutOfTime) as caught:
            world.shares.open(wanted, deadline=deadline)
        assert (len(world.calls()), caught.value.wait) == (calls, 1)
        world.adapter().open(wanted, deadline=now() + timedelta(minutes=1))
        assert world.files_made() == {wanted.name: ["0.pdf", "1.pdf", "2.pdf"]}

    @pytest.mark.parametrize("calls", range(9))
    def test_a_share_that_is_found_is_not_gone_on_with_past_the_deadline_either(
        self, world: FastioWorld, calls: int
    ) -> None:
        """The calls: details, create, look-up, unarchive, list, delete, two adds, prolong."""
        wrong, one, two = (world.put(f"{n}.pdf", str(n))[0] for n in range(3))
        old = replace(request(goods(wrong)), expires_at=now().replace(microsecond=0) + timedelta(days=1))
        world.shares.open(old)
        world.api("POST", f"/share/{old.name}/archive/", json={}).raise_for_status()
        wanted, before = request(goods(one, two)), len(world.calls())
        deadline = world.out_of_time_after(calls)
        with pytest.raises(OutOfTime):
            world.shares.open(wanted, deadline=deadline)
        assert len(world.calls()) == before + calls
        assert world.adapter().open(wanted).expires_at == wanted.expires_at
        assert world.files_made() == {wanted.name: ["1.pdf", "2.pdf"]}

    def test_a_read_is_not_tried_a_second_time_past_the_deadline(self, world: FastioWorld, guide: str) -> None:
        world.fault({"match": DETAILS, "status": 503, "times": 2})
        deadline = world.out_of_time_after(1)
        with pytest.raises(OutOfTime):
            world.shares.open(request(goods(guide)), deadline=deadline)
        assert len(world.calls()) == 1

    def test_one_order_s_deadline_is_not_another_s(self, world: FastioWorld, guide: str) -> None:
        def attempt(n: int) -> bool:
            late = n % 2 == 1
            with contextlib.suppress(OutOfTime):
                world.shares.open(
                    request(goods(guide), order=f"cs_test_{n}"),
                    deadline=now() + timedelta(seconds=-1 if late else 60),
                )
                return not late
            return late

        with ThreadPoolExecutor(10) as pool:
            assert all(pool.map(attempt, range(20)))
        assert len(world.made()) == 10

    def test_no_answer_is_waited_for_longer_than_ten_seconds(self) -> None:
        with http_client() as client:
            assert client.timeout.read == 10.0

    def test_more_than_25_files_are_looked_up_25_at_a_time(self, world: FastioWorld) -> None:
        nodes = [world.put(f"{n:03}.pdf", str(n))[0] for n in range(51)]
        share = world.shares.open(request(goods(*nodes)))
        assert len(share.files) == 51
        assert len([call for call in world.calls() if call.endswith("/details/")]) == 3

    def test_a_folder_of_more_than_a_page_is_delivered_whole(self, world: FastioWorld) -> None:
        for n in range(501):
            _, [folder] = world.put(f"Many/{n:03}.txt", str(n))
        share = world.shares.open(request(goods(folder)))
        assert len({file.name for file in share.files}) == 501
        assert world.calls().count(f"GET /workspace/my-shop/storage/{folder}/list/") == 2
        # And looked at by a guest.
        assert world.calls()[-3:] == [*as_a_guest(share), as_a_guest(share)[1]]

    def test_ten_orders_at_once_share_one_adapter(self, world: FastioWorld, guide: str) -> None:
        wanted = [request(goods(guide), order=f"cs_test_{n}") for n in range(10)]
        with ThreadPoolExecutor(10) as pool:
            made = list(pool.map(world.shares.open, wanted))
        assert [share.name for share in made] == [each.name for each in wanted]
        assert world.files_made() == {each.name: ["secret-title.pdf"] for each in made}


class TestAddingTwice:
    """Putting a file into the share may be done twice: the share's list, not the answer, says what is there."""

    @pytest.mark.parametrize("fault", [{"status": 0}, {"status": 503}, {"status": 0, "after": True}])
    def test_a_dropped_connection_costs_one_more_call_and_no_attempt(
        self, world: FastioWorld, fault: dict[str, Any]
    ) -> None:
        node, _ = world.put("guide.pdf")
        world.fault({"match": ADD, **fault})
        share = world.shares.open(request(goods(node)))
        assert world.files_made() == {share.name: ["guide.pdf"]}

    def test_a_share_is_never_made_twice(self, world: FastioWorld) -> None:
        node, _ = world.put("guide.pdf")
        world.fault({"match": CREATE, "status": 503})
        with pytest.raises(FastioUnavailable):
            world.shares.open(request(goods(node)))
        assert [call for call in world.calls() if "create" in call] == ["POST /workspace/my-shop/create/share/"]


class TestWhatTheBuyerGets:
    def test_the_link_opens_a_page_with_the_files(self, world: FastioWorld, guide: str) -> None:
        share = world.shares.open(request(goods(guide)))
        assert "secret-title.pdf" in world.http.get(share.link).raise_for_status().text

    def test_goods_of_two_workspaces_are_in_one_share(self, world: FastioWorld, guide: str) -> None:
        map_, _ = world.put("map.pdf", "m", workspace="my-maps")
        share = world.shares.open(request(goods(guide), goods(map_, workspace="my-maps")))
        assert [file.name for file in share.files] == ["secret-title.pdf", "map.pdf"]

    def test_equal_names_that_changed_places_are_delivered_as_they_are_now(self, world: FastioWorld) -> None:
        short, long = world.put("A/guide.pdf", "a")[0], world.put("B/guide.pdf", "bb")[0]
        world.shares.open(request(goods(short, long)))
        wanted = request(goods(long, short))
        share = world.shares.open(wanted)
        assert [(f.name, f.size) for f in share.files] == [("guide.pdf", 2), ("guide (2).pdf", 1)]
        assert [(f["name"], f["size"]) for f in world.made()[0]["files"]] == [("guide.pdf", 2), ("guide (2).pdf", 1)]

    def test_a_file_taken_out_is_not_to_be_had_by_its_address_either(self, world: FastioWorld, guide: str) -> None:
        wanted = request(goods(guide))
        share = world.shares.open(wanted)
        node = world.api("GET", f"/share/{share.id}/storage/root/list/").json()["nodes"][0]["id"]
        world.shares.open(request(goods(world.put("right.pdf", "right")[0])))
        assert "secret-title.pdf" not in world.http.get(share.link).raise_for_status().text
        assert world.http.get(f"/shared/{wanted.name}/files/{node}").status_code == 404

    def test_a_file_that_is_gone_before_we_take_it_out_is_no_trouble(self, world: FastioWorld, guide: str) -> None:
        world.shares.open(request(goods(guide)))
        world.fault({"match": DELETE, "status": 404, "after": True})
        wanted = request(goods(world.put("right.pdf", "right")[0]))
        world.shares.open(wanted)
        assert world.files_made() == {wanted.name: ["right.pdf"]}

    @pytest.mark.parametrize("status", [0, 500])
    def test_a_file_that_cannot_be_taken_out_now_is_taken_out_by_the_next_run(
        self, world: FastioWorld, guide: str, status: int
    ) -> None:
        world.shares.open(request(goods(guide)))
        wanted = request(goods(world.put("right.pdf", "right")[0]))
        world.fault({"match": DELETE, "status": status})
        with pytest.raises(FastioUnavailable):
            world.shares.open(wanted)
        world.shares.open(wanted)
        assert world.files_made() == {wanted.name: ["right.pdf"]}

    def test_a_file_that_changed_between_two_runs_is_delivered_as_it_is_now(self, world: FastioWorld) -> None:
        first, _ = world.put("guide.pdf", "old")
        wanted = request(goods(first, world.put("other.pdf", "other")[0]))
        world.interrupt_after(1)
        with pytest.raises(FastioUnavailable):
            world.shares.open(wanted)
        world.put("guide.pdf", "newer")
        world.shares.open(wanted)
        assert [(f["name"], f["size"]) for f in world.made()[0]["files"]] == [("guide.pdf", 5), ("other.pdf", 5)]

    def test_a_closed_link_gives_neither_page_nor_file_and_a_reopened_one_the_same_again(
        self, world: FastioWorld, guide: str
    ) -> None:
        share = world.shares.open(request(goods(guide, world.put("map.pdf", "m")[0])))
        nodes = world.api("GET", f"/share/{share.id}/storage/root/list/").json()["nodes"]
        links = [share.link, *[f"/shared/{share.name}/files/{node['id']}" for node in nodes]]

        def answers() -> list[tuple[int, bytes]]:
            return [(answer.status_code, answer.content) for answer in map(world.http.get, links)]

        opened = answers()
        assert [status for status, _ in opened] == [200, 200, 200]
        world.shares.close(share.id)
        assert [status for status, _ in answers()] == [403, 403, 403]
        world.shares.reopen(share.id, until=share.expires_at)
        assert answers() == opened

    def test_a_link_that_ran_out_while_it_was_closed_is_reopened_with_the_time_it_is_given(
        self, world: FastioWorld, guide: str
    ) -> None:
        share = world.shares.open(request(goods(guide)))
        world.shares.close(share.id)
        world.http.post("/_clock", json={"advance_s": 30 * 86400})
        assert world.shares.reopen(share.id, until=now() + timedelta(days=35)) is not None
        assert world.http.get(share.link).status_code == 200

    def test_a_share_that_never_ends_is_given_an_end_when_it_is_reopened(self, world: FastioWorld) -> None:
        world.put("guide.pdf")  # The workspace is made with it.
        share = world.create().json()["share"]
        world.shares.reopen(share["id"], until=datetime(2099, 1, 1, tzinfo=UTC))
        assert world.made()[0]["expires"] == "2099-01-01 00:00:00"


class TestMissing:
    @pytest.mark.parametrize(("flag", "value"), [("trashed", True), ("infected", True), ("hashed", False)])
    def test_a_file_that_cannot_be_delivered_leaves_no_share(
        self, world: FastioWorld, flag: str, *, value: bool
    ) -> None:
        node, _ = world.put("secret-title.pdf", flags={flag: value})
        with pytest.raises(FileMissing, match=node) as caught:
            world.shares.open(request(goods(node)))
        assert world.made() == []
        assert caught.value.advice.endswith("then redrive.")

    def test_a_folder_without_files_leaves_no_share(self, world: FastioWorld) -> None:
        _, [folder] = world.put("Empty/trashed.pdf", flags={"trashed": True})
        with pytest.raises(FileMissing, match="has no files"):
            world.shares.open(request(goods(folder)))
        assert world.made() == []

    @pytest.mark.parametrize("flag", ["trashed", "infected"])
    def test_the_product_that_names_it_is_named_too_and_no_other(
        self, world: FastioWorld, guide: str, flag: str
    ) -> None:
        bad, _ = world.put("bad.pdf", flags={flag: True})
        good, broken = replace(goods(guide), product_id="prod_good"), replace(goods(bad), product_id="prod_broken")
        with pytest.raises(FileMissing) as caught:
            world.shares.open(request(good, broken))
        assert f"{bad} (product prod_broken)" in str(caught.value)
        assert "prod_good" not in str(caught.value)

    def test_every_missing_node_is_named_at_once(self, world: FastioWorld, guide: str) -> None:
        with pytest.raises(FileMissing, match="no-1, no-2"):
            world.shares.open(request(goods(guide, "no-1", "no-2")))

    def test_a_file_that_cannot_be_added_by_its_hash_needs_a_person(self, world: FastioWorld, guide: str) -> None:
        world.fault({"match": ADD, "status": 404})
        with pytest.raises(FileMissing, match=guide):
            world.shares.open(request(goods(guide)))


class TestTaken:
    def test_a_name_refused_as_a_field_is_looked_up(self, world: FastioWorld, guide: str) -> None:
        wanted = request(goods(guide))
        first = world.shares.open(wanted)
        world.fault({"match": CREATE, "status": 406, "body": NAME_TAKEN})
        assert world.shares.open(wanted) == first

    def test_a_name_refused_though_nobody_has_it_is_a_refused_field(self, world: FastioWorld, guide: str) -> None:
        world.fault({"match": CREATE, "status": 406, "body": NAME_TAKEN})
        with pytest.raises(ShareRefused, match="custom_name"):
            world.shares.open(request(goods(guide)))

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_a_taken_name_that_we_may_not_see_is_another_s(self, world: FastioWorld, guide: str, status: int) -> None:
        world.create(custom_name=request(goods(guide)).name).raise_for_status()
        world.fault({"match": LOOK_UP, "status": status})
        with pytest.raises(ShareTaken):
            world.shares.open(request(goods(guide)))

    @pytest.mark.parametrize("owner_defined", [None, "{}", '{"paidshare_order": "cs_other"}', '{"paidshare_order": 1}'])
    def test_a_share_without_our_order_in_it_is_left_alone(
        self, world: FastioWorld, guide: str, owner_defined: str | None
    ) -> None:
        wanted = request(goods(guide))
        world.create(custom_name=wanted.name, owner_defined=owner_defined).raise_for_status()
        with pytest.raises(ShareTaken):
            world.shares.open(wanted)
        assert world.files_made() == {wanted.name: []}


class TestConflict:
    """A file answered 409 may be there already, or not at all: the share's list decides."""

    def test_a_file_that_is_there_already_is_no_error(self, world: FastioWorld, guide: str) -> None:
        world.fault({"match": ADD, "status": 409, "after": True})
        assert len(world.shares.open(request(goods(guide))).files) == 1

    def test_a_file_that_is_not_there_is_tried_again(self, world: FastioWorld, guide: str) -> None:
        wanted = request(goods(guide, world.put("other.pdf", "other")[0]))
        world.fault({"match": ADD, "status": 409})
        with pytest.raises(FastioUnavailable, match="1 of 2 files"):
            world.shares.open(wanted)
        assert world.files_made() == {wanted.name: ["other.pdf"]}
        world.shares.open(wanted)
        assert sorted(world.files_made()[wanted.name]) == ["other.pdf", "secret-title.pdf"]

    def test_the_list_is_looked_at_once_for_any_number_of_conflicts(self, world: FastioWorld) -> None:
        world.fault({"match": ADD, "status": 409, "after": True, "times": 3})
        world.shares.open(request(goods(*[world.put(f"{n}.pdf", str(n))[0] for n in range(4)])))
        # The second one is the guest's.
        assert [call for call in world.calls() if call.endswith("/root/list/")] == [world.calls()[-1]] * 2


class TestClosed:
    """A share of ours that is found, but that a buyer could not open."""

    def test_an_archived_share_is_opened_again(self, world: FastioWorld, guide: str) -> None:
        wanted = request(goods(guide))
        share = world.shares.open(wanted)
        world.api("POST", f"/share/{share.id}/archive/", json={}).raise_for_status()
        assert world.shares.open(wanted) == share
        assert world.http.get(share.link).status_code == 200

    def test_an_archived_share_of_another_s_is_left_archived(self, world: FastioWorld, guide: str) -> None:
        wanted = request(goods(guide))
        world.create(custom_name=wanted.name).raise_for_status()
        world.api("POST", f"/share/{wanted.name}/archive/", json={}).raise_for_status()
        with pytest.raises(ShareTaken):
            world.shares.open(wanted)
        assert world.made()[0]["archived"] is True

    @pytest.mark.parametrize("flag", ["locked", "suspended", "deleted"])
    def test_a_share_that_we_cannot_open_again_needs_a_person(self, world: FastioWorld, guide: str, flag: str) -> None:
        wanted = request(goods(guide))
        share = world.shares.open(wanted)
        world.flag(wanted.name, **{flag: True})
        with pytest.raises(ShareRefused, match=f"share {share.id} is {flag}") as caught:
            world.shares.open(wanted)
        assert "Fast.io" in caught.value.advice
        assert caught.value.advice.endswith("then redrive.")


class TestClose:
    """However Fast.io answers for a share that is archived or gone already: the look-up decides."""

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 409, 410, 422])
    def test_a_refusal_for_a_share_that_is_closed_already_is_no_error(
        self, world: FastioWorld, guide: str, status: int
    ) -> None:
        share = world.shares.open(request(goods(guide)))
        world.shares.close(share.id)
        world.fault({"match": ARCHIVE, "status": status})
        world.shares.close(share.id)
        assert world.calls()[-1] == f"GET /share/{share.id}/details/"

    @pytest.mark.parametrize("status", [404, 409])
    def test_a_refusal_for_a_share_that_is_deleted_is_no_error(
        self, world: FastioWorld, guide: str, status: int
    ) -> None:
        share = world.shares.open(request(goods(guide)))
        world.flag(share.name, deleted=True)
        world.fault({"match": ARCHIVE, "status": status})
        world.shares.close(share.id)
        assert world.http.get(share.link).status_code == 404

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 409, 410, 422])
    def test_a_refusal_for_a_share_that_is_open_needs_a_person(
        self, world: FastioWorld, guide: str, status: int
    ) -> None:
        share = world.shares.open(request(goods(guide)))
        world.fault({"match": ARCHIVE, "status": status})
        with pytest.raises(ShareRefused, match=f"archive share {share.id}: HTTP {status}") as caught:
            world.shares.close(share.id)
        assert "archive it in Fast.io by hand" in caught.value.advice
        assert caught.value.advice.endswith("then redrive.")

    def test_a_share_that_our_key_may_not_even_see_is_closed_by_hand(self, world: FastioWorld, guide: str) -> None:
        share = world.shares.open(request(goods(guide)))
        world.fault({"match": ARCHIVE, "status": 403}, {"match": LOOK_UP, "status": 403})
        with pytest.raises(ShareRefused, match=f"look up share {share.id}") as caught:
            world.shares.close(share.id)
        assert "archive it in Fast.io by hand" in caught.value.advice

    @pytest.mark.parametrize(
        ("status", "wait"), [(0, None), (402, 900.0), (408, None), (423, None), (429, 60.0), (500, None), (503, None)]
    )
    @pytest.mark.parametrize("after", [True, False])
    def test_a_passing_trouble_is_not_looked_into_and_the_next_run_closes(
        self, world: FastioWorld, guide: str, status: int, wait: float | None, *, after: bool
    ) -> None:
        share = world.shares.open(request(goods(guide)))
        world.fault({"match": ARCHIVE, "status": status, "after": after})
        with pytest.raises(FastioUnavailable) as caught:
            world.shares.close(share.id)
        assert (caught.value.wait, world.calls()[-1]) == (wait, f"POST /share/{share.id}/archive/")
        world.shares.close(share.id)
        assert world.http.get(share.link).status_code == 403


class TestWhatNarrowsComesFirst:
    """A closed share that comes back with less: at no moment does its link open what was taken back."""

    TAKE_OUT = "DELETE /share/*/storage/*/delete/"

    @pytest.mark.parametrize("where", [TAKE_OUT, UPDATE, UNARCHIVE, ADD, "GET /share/*/storage/*/list/"])
    @pytest.mark.parametrize("after", [True, False])
    def test_whatever_breaks(self, world: FastioWorld, where: str, *, after: bool) -> None:
        guide, chart, plan = (world.put(f"{name}.pdf", name)[0] for name in ("guide", "map", "plan"))
        share = world.shares.open(request(goods(guide, chart)))
        world.shares.close(share.id)
        less = replace(request(goods(chart, plan)), share_id=share.id, expires_at=now() + timedelta(days=1))
        world.fault({"match": where, "status": 503, "after": after, "times": 2})
        for _ in range(2):
            with suppress(FastioUnavailable):
                world.shares.open(less)
            assert "guide.pdf" not in (world.open_files(share.name) or ())
            assert world.open_files(share.name, after=timedelta(days=1, minutes=1)) is None
        world.shares.open(less)
        assert world.open_files(share.name) == ("map.pdf", "plan.pdf")


class TestBigFolders:
    """A walk that does not fit into one attempt is gone on with by the next."""

    def attempts(self, folders: int, seconds: float) -> list[str]:
        at = [datetime(2026, 11, 22, 12, tzinfo=UTC)]

        def answer(call: httpx.Request) -> httpx.Response:
            at[0] += timedelta(seconds=seconds)
            here = call.url.path.split("/")[-3]
            if call.url.path.endswith("/details/"):
                return _ok(node={"id": "f0", "name": "top", "type": "folder"})
            inside = [{"id": f"f{n}", "name": f"{n}", "type": "folder"} for n in range(1, folders) if here == "f0"]
            file = {"id": f"x{here}", "name": f"{here}.pdf", "type": "file", "hash": "00", "hash_algo": "md5"}
            return _ok(nodes=[*inside, file])

        with httpx.Client(transport=httpx.MockTransport(answer)) as client:
            api = FastioApi(client=client, api_key=lambda: "key", api_base="http://127.0.0.1:9", clock=lambda: at[0])
            said = []
            for _ in range(6):
                try:
                    bought = files.bought(api.until(at[0] + timedelta(seconds=35)), (goods("f0"),))
                    said.append(str(len({node.id for node in bought})))
                except (OutOfTime, ShareRefused) as error:
                    said.append(error.reason)
        return said

    @pytest.mark.parametrize(("folders", "seconds"), [(30, 1.1), (80, 0.5), (170, 0.2), (200, 0.2), (200, 0.6)])
    def test_as_many_folders_as_are_allowed_are_walked_in_the_end(self, folders: int, seconds: float) -> None:
        assert str(folders) in self.attempts(folders, seconds)

    def test_one_more_is_refused_at_once(self) -> None:
        assert self.attempts(201, 0.2) == ["share_refused"] * 6

    def test_what_was_walked_is_not_kept_for_longer_than_minutes(self) -> None:
        at = [datetime(2026, 11, 22, 12, tzinfo=UTC)]
        walked = Walked(lambda: at[0])
        walked.keep(("shop", "f0"), ())
        at[0] += timedelta(minutes=5)
        assert walked.of(("shop", "f0")) == ()
        at[0] += timedelta(seconds=1)
        assert walked.of(("shop", "f0")) is None


class TestReopen:
    @pytest.mark.parametrize("status", [0, 500])
    @pytest.mark.parametrize("after", [True, False])
    @pytest.mark.parametrize("where", [UPDATE, UNARCHIVE])
    def test_a_break_between_the_steps_leaves_the_link_dead_or_ending_in_time_and_the_next_run_opens_it(
        self, world: FastioWorld, guide: str, where: str, status: int, *, after: bool
    ) -> None:
        share = world.shares.open(request(goods(guide)))
        world.shares.close(share.id)
        until, a_day = now() + timedelta(days=1), timedelta(days=1, minutes=1)
        world.fault({"match": where, "status": status, "after": after})
        with pytest.raises(FastioUnavailable):
            world.shares.reopen(share.id, until=until)
        assert world.open_files(share.name, after=a_day) is None
        assert world.shares.reopen(share.id, until=until) == until.replace(microsecond=0)
        assert world.open_files(share.name) == ("secret-title.pdf",)
        assert world.open_files(share.name, after=a_day) is None

    @pytest.mark.parametrize("where", [UPDATE, UNARCHIVE])
    @pytest.mark.parametrize("status", [403, 404, 406, 409])
    def test_a_refusal_leaves_the_link_dead_and_needs_a_person(
        self, world: FastioWorld, guide: str, where: str, status: int
    ) -> None:
        share = world.shares.open(request(goods(guide)))
        world.shares.close(share.id)
        # Twice: an archived share may refuse what an open one takes.
        world.fault({"match": where, "status": status, "times": 2})
        with pytest.raises(ShareRefused, match=f"share {share.id}: HTTP {status}") as caught:
            world.shares.reopen(share.id, until=now() + timedelta(days=1))
        assert "unarchive it in Fast.io by hand" in caught.value.advice
        assert world.open_files(share.name) is None

    @pytest.mark.parametrize("flag", ["locked", "suspended"])
    def test_a_share_that_fast_io_has_closed_is_not_touched(self, world: FastioWorld, guide: str, flag: str) -> None:
        share = world.shares.open(request(goods(guide)))
        world.shares.close(share.id)
        world.flag(share.name, **{flag: True})
        before = world.made()
        with pytest.raises(ShareRefused, match=f"share {share.id} is {flag}") as caught:
            world.shares.reopen(share.id, until=now() + timedelta(days=1))
        assert caught.value.advice.endswith("then redrive.")
        assert world.made() == before

    def test_a_deleted_share_that_can_still_be_seen_is_gone(self, world: FastioWorld, guide: str) -> None:
        share = world.shares.open(request(goods(guide)))
        world.flag(share.name, deleted=True)
        assert world.shares.reopen(share.id, until=share.expires_at) is None

    def test_a_share_that_our_key_may_not_see_is_not_taken_for_gone(self, world: FastioWorld, guide: str) -> None:
        share = world.shares.open(request(goods(guide)))
        world.fault({"match": LOOK_UP, "status": 401})
        with pytest.raises(ShareRefused) as caught:
            world.shares.reopen(share.id, until=share.expires_at)
        assert "our key" in caught.value.advice

    def test_a_look_up_that_has_no_share_in_it_is_a_trouble_for_later(self) -> None:
        with (
            httpx.Client(transport=httpx.MockTransport(lambda _: _ok())) as client,
            pytest.raises(FastioUnavailable, match="not understood"),
        ):
            _over(client).reopen("7", until=now())


class TestTroubles:
    """Table: what Fast.io answers, where, and the seconds that the error asks for."""

    @pytest.mark.parametrize("where", [DETAILS, CREATE, ADD])
    @pytest.mark.parametrize(
        ("status", "wait"),
        [
            (402, 900.0),  # Credits are used up.
            (412, 900.0),  # The plan's shares are used up.
            (423, None),  # Locked, for nobody knows how long.
            (429, 60.0),  # A limit that does not say when it ends.
            (408, None),
            (500, None),
            (503, None),
        ],
    )
    def test_a_passing_trouble_is_tried_again_and_then_converges(
        self, world: FastioWorld, guide: str, where: str, status: int, wait: float | None
    ) -> None:
        world.fault({"match": where, "status": status, "times": 2})
        wanted = request(goods(guide))
        with pytest.raises(FastioUnavailable) as caught:
            world.shares.open(wanted)
        # For room in the plan a buyer waits at the page, and no order.
        assert caught.value.wait == (30.0 if isinstance(caught.value, PlanFull) else wait)
        world.http.post("/_faults", json=[])
        world.shares.open(wanted)
        assert world.files_made() == {wanted.name: ["secret-title.pdf"]}

    @pytest.mark.parametrize(
        ("headers", "wait"),
        [
            ({"x-ve-limit-expires": "1769904042"}, 42.0),
            ({"x-ve-limit-expires": "2026-02-01 00:00:42 UTC"}, 42.0),
            ({"X-Rate-Limit-Expiry": "1769904042"}, 42.0),
            ({"x-ve-limit-expires": "42"}, 42.0),
            ({"x-ve-limit-expires": "2026-01-31 00:00:00 UTC"}, 1.0),  # Over already.
            ({"x-ve-limit-expires": "2027-01-01 00:00:00 UTC"}, 3600.0),  # No limit lasts that long.
            ({"x-ve-limit-expires": "soon"}, 60.0),
        ],
    )
    def test_a_limit_s_end_is_waited_for(
        self, world: FastioWorld, guide: str, headers: dict[str, str], wait: float
    ) -> None:
        world.fault({"match": CREATE, "status": 429, "headers": headers})
        shares = world.adapter(clock=lambda: datetime(2026, 2, 1, tzinfo=UTC))
        with pytest.raises(FastioUnavailable) as caught:
            shares.open(request(goods(guide)))
        assert caught.value.wait == wait

    @pytest.mark.parametrize("status", [400, 405, 406, 413, 422])
    def test_a_refusal_names_the_fields_the_code_and_the_request(
        self, world: FastioWorld, guide: str, status: int
    ) -> None:
        error = {"code": 195654, "text": "not 'secret-title'", "params": [{"name": "title"}, {"name": "expires"}]}
        headers = {"x-ve-reqid": "req-7"}
        world.fault({"match": CREATE, "status": status, "headers": headers, "body": {"result": False, "error": error}})
        with pytest.raises(ShareRefused, match=r"fields title expires, code 195654, request req-7") as caught:
            world.shares.open(request(goods(guide)))
        assert "secret" not in str(caught.value)

    def test_the_plan_s_last_share_is_a_trouble_for_later(self, world: FastioWorld, guide: str) -> None:
        for n in range(12):
            world.shares.open(request(goods(guide), order=f"cs_test_{n}"))
        with pytest.raises(FastioUnavailable, match="412"):
            world.shares.open(request(goods(guide), order="cs_test_13"))

    def test_a_read_is_tried_twice_at_once(self, world: FastioWorld, guide: str) -> None:
        world.fault({"match": DETAILS, "status": 0}, {"match": DETAILS, "status": 503})
        with pytest.raises(FastioUnavailable):
            world.shares.open(request(goods(guide)))
        world.fault({"match": DETAILS, "status": 502})
        world.shares.open(request(goods(guide)))

    @pytest.mark.parametrize("status", [0, 500, 502, 504])
    @pytest.mark.parametrize(
        ("after", "ends"), [(True, contextlib.nullcontext()), (False, pytest.raises(FastioUnavailable))]
    )
    def test_a_create_in_doubt_is_looked_up_and_never_repeated_blindly(
        self, world: FastioWorld, guide: str, status: int, *, after: bool, ends: AbstractContextManager[object]
    ) -> None:
        world.fault({"match": CREATE, "status": status, "after": after})
        wanted = request(goods(guide))
        with ends:
            world.shares.open(wanted)
        calls = world.calls()
        assert calls.count("POST /workspace/my-shop/create/share/") == 1
        assert calls.count(f"GET /share/{wanted.name}/details/") == 1

    def test_a_create_that_fast_io_does_after_we_gave_up_ends_in_one_share(self) -> None:
        # A server of its own: the late call must not arrive in another test.
        with serving(fastio_app()) as url, contextlib.closing(FastioWorld(url, timeout_s=1)) as world:
            wanted = request(goods(world.put("guide.pdf")[0]))
            world.fault({"match": CREATE, "status": None, "delay_s": 2})
            with pytest.raises(FastioUnavailable, match="ReadTimeout"):
                world.shares.open(wanted)
            world.shares.open(wanted)
            while None in world.statuses():
                time.sleep(0.01)
            assert 409 in world.statuses()
            assert world.files_made() == {wanted.name: ["guide.pdf"]}

    def test_a_server_that_is_not_there_is_a_trouble_for_later(self) -> None:
        with httpx.Client(trust_env=False) as client:
            shares = _over(client, api_base="http://127.0.0.1:9")
            with pytest.raises(FastioUnavailable, match="ConnectError"):
                shares.open(request(goods("n-1")))


class TestStrangeAnswers:
    """Answers that the stand-in never gives, from a transport."""

    @pytest.mark.parametrize(
        "answer",
        [
            httpx.Response(200, text="<html>Please log in to the Wi-Fi</html>"),
            httpx.Response(200, json=["no", "object"]),
            httpx.Response(200, json={"result": False}),
            httpx.Response(200, json={"result": True, "items": []}),
            httpx.Response(302, headers={"location": "https://elsewhere.example/"}),
        ],
    )
    def test_an_answer_that_is_not_fast_io_s_is_a_trouble_for_later(self, answer: httpx.Response) -> None:
        with (
            httpx.Client(transport=httpx.MockTransport(lambda _: answer)) as client,
            pytest.raises(FastioUnavailable),
        ):
            _over(client).open(request(goods("n-1")))

    def test_a_create_answered_without_an_id_is_looked_up(self) -> None:
        wanted = request(goods("n-1"))
        ends = wanted.expires_at.strftime("%Y-%m-%d %H:%M:%S")
        asked: list[str] = []

        def answer(call: httpx.Request) -> httpx.Response:
            asked.append(f"{call.method} {call.url.path}")
            if "/workspace/" in call.url.path and call.method == "GET":
                return _ok(node={"id": "n-1", "name": "a", "type": "file", "hash": "00", "hash_algo": "md5"})
            if call.url.path.endswith("/details/"):
                return _ok(share={"id": 7, "expires": ends, "owner_defined": {"paidshare_order": wanted.order_id}})
            if call.headers.get("authorization") == "Bearer a-guest-s":
                return _ok(nodes=[{"id": "n-9", "name": "a", "type": "file"}])
            return _ok(nodes=[]) if call.method == "GET" else _ok(auth_token="a-guest-s")

        with httpx.Client(transport=httpx.MockTransport(answer)) as client:
            share = _over(client).open(wanted)
        assert (share.id, share.expires_at) == ("7", wanted.expires_at)
        assert asked[2:] == [
            f"GET /current/share/{wanted.name}/details/",
            "GET /current/share/7/storage/root/list/",
            # It does not say whether it is archived.
            "POST /current/share/7/unarchive/",
            "POST /current/share/7/storage/root/addfile/",
            f"POST /current/share/{wanted.name}/auth/guest/",
            "GET /current/share/7/storage/root/list/",
        ]

    def test_folders_and_pages_that_go_round_in_circles_end(self) -> None:
        def answer(call: httpx.Request) -> httpx.Response:
            if call.url.path.endswith("/details/"):
                return _ok(node={"id": "n-1", "name": "a", "type": "folder"})
            again = {"has_more": True, "next_cursor": "c"} if "n-2" in call.url.path else {}
            inside = [{"id": n, "name": n, "type": "folder"} for n in ("n-1", "n-2")]
            return _ok(nodes=inside, pagination=again)

        with (
            httpx.Client(transport=httpx.MockTransport(answer)) as client,
            pytest.raises(FastioUnavailable, match="circle"),
        ):
            _over(client).open(request(goods("n-1")))

    def test_a_list_that_goes_on_without_saying_where_is_not_taken_for_a_whole_one(self) -> None:
        def answer(call: httpx.Request) -> httpx.Response:
            if call.url.path.endswith("/details/"):
                return _ok(node={"id": "n-1", "name": "a", "type": "folder"})
            file = {"id": "n-2", "name": "b", "type": "file", "hash": "00", "hash_algo": "md5"}
            return _ok(nodes=[file], pagination={"has_more": True, "limit": 1, "offset": 0})

        with (
            httpx.Client(transport=httpx.MockTransport(answer)) as client,
            pytest.raises(FastioUnavailable, match="not understood"),
        ):
            _over(client).open(request(goods("n-1")))

    @pytest.mark.parametrize("shape", ["wide", "deep", "many"])
    def test_two_hundred_folders_are_walked_and_no_more(self, shape: str) -> None:
        """Each folder is a call. *wide*: all in one; *deep*: each in the one before; *many*: named one by one."""
        asked: list[str] = []

        def answer(call: httpx.Request) -> httpx.Response:
            asked.append(call.url.path)
            *_, node, what, _ = call.url.path.split("/")
            if what == "details":
                return _ok(nodes=[{"id": n, "name": n, "type": "folder"} for n in node.split(",")])
            number = int(node[1:])
            below = {"wide": range(1, 201) if number == 0 else (), "deep": [number + 1]}.get(shape, ())
            file = {"id": "f", "name": "f", "type": "file", "hash": "00", "hash_algo": "md5"}
            return _ok(nodes=[file, *({"id": f"d{n}", "name": "d", "type": "folder"} for n in below)])

        named = [f"d{n}" for n in range(201 if shape == "many" else 1)]
        with (
            httpx.Client(transport=httpx.MockTransport(answer)) as client,
            pytest.raises(ShareRefused, match="more than 200 folders") as caught,
        ):
            _over(client).open(request(goods(*named)))
        assert sum(path.endswith("/list/") for path in asked) == {"wide": 1}.get(shape, 200)
        assert "archive" in caught.value.advice


class TestKey:
    @pytest.mark.parametrize("where", [DETAILS, CREATE, ADD, LIST])
    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_key_is_a_trouble_until_an_operator_has_acted(
        self, world: FastioWorld, guide: str, where: str, status: int
    ) -> None:
        wanted = request(goods(guide))
        if where == LIST:
            world.shares.open(wanted)
        world.fault({"match": where, "status": status}, {"match": AUTH, "status": 401})
        with pytest.raises(FastioUnavailable, match="key refused") as caught:
            world.shares.open(wanted)
        assert caught.value.wait == 300.0
        world.shares.open(wanted)
        assert world.files_made() == {wanted.name: ["secret-title.pdf"]}

    @pytest.mark.parametrize("where", [ARCHIVE, LOOK_UP, UPDATE, UNARCHIVE])
    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_key_neither_closes_nor_reopens_and_needs_nobody_per_order(
        self, world: FastioWorld, guide: str, where: str, status: int
    ) -> None:
        share = world.shares.open(request(goods(guide)))
        world.fault({"match": where, "status": status}, {"match": AUTH, "status": 401})
        with pytest.raises(FastioUnavailable, match="key refused"):
            _close_and_reopen(world, share.id)
        world.shares.close(share.id)
        assert world.http.get(share.link).status_code == 403

    @pytest.mark.parametrize("status", [0, 403, 404, 500])
    def test_a_key_that_cannot_be_checked_counts_as_refused(self, world: FastioWorld, guide: str, status: int) -> None:
        world.fault({"match": DETAILS, "status": 401}, {"match": AUTH, "status": status})
        with pytest.raises(FastioUnavailable, match="key refused"):
            world.shares.open(request(goods(guide)))
        assert world.calls().count(AUTH) == 1

    def test_a_workspace_that_a_good_key_may_not_see_needs_a_person(self, world: FastioWorld, guide: str) -> None:
        world.member("my-shop", member=False)
        with pytest.raises(FileMissing, match="code 10545") as caught:
            world.shares.open(request(goods(guide)))
        assert "not visible to our key" in caught.value.advice
        assert world.calls()[1:] == [AUTH]

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_share_that_a_good_key_may_not_change_needs_a_person(
        self, world: FastioWorld, guide: str, status: int
    ) -> None:
        world.fault({"match": ADD, "status": status})
        with pytest.raises(ShareRefused) as caught:
            world.shares.open(request(goods(guide)))
        assert "our key" in caught.value.advice
        assert world.calls()[-1] == AUTH

    def test_a_taken_name_is_another_s_only_to_a_good_key(self, world: FastioWorld, guide: str) -> None:
        world.fault({"match": CREATE, "status": 409}, {"match": LOOK_UP, "status": 401}, {"match": AUTH, "status": 401})
        with pytest.raises(FastioUnavailable, match="key refused"):
            world.shares.open(request(goods(guide)))

    def test_the_key_that_was_refused_is_the_one_that_is_checked(self, world: FastioWorld, guide: str) -> None:
        """A key rotated between the two calls would say that the old one is good."""
        keys = iter(["an-old-key"])
        shares = world.adapter(api_key=lambda: next(keys, API_KEY))
        with pytest.raises(FastioUnavailable, match="key refused"):
            shares.open(request(goods(guide)))

    def test_a_rotated_key_is_used_at_the_next_call(self, world: FastioWorld, guide: str) -> None:
        keys = ["an-old-key"]
        shares = world.adapter(api_key=lambda: keys[0])
        with pytest.raises(FastioUnavailable, match="key refused"):
            shares.open(request(goods(guide)))
        keys[0] = API_KEY
        shares.open(request(goods(guide)))

    @pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
    def test_a_key_that_cannot_be_one_is_never_sent(self, world: FastioWorld, guide: str, key: str) -> None:
        with pytest.raises(FastioUnavailable, match="key refused"):
            world.adapter(api_key=lambda: key).open(request(goods(guide)))
        assert world.calls() == []


class TestSilence:
    """A share's name is all that a link's secret is; a file's name may say what somebody bought."""

    def test_a_delivery_logs_no_link_no_file_name_and_no_key(
        self, world: FastioWorld, guide: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        wanted = request(goods(guide))
        world.shares.open(wanted)
        world.shares.open(wanted)
        assert not any(secret in caplog.text for secret in (wanted.name, "secret-title", API_KEY))

    @pytest.mark.parametrize("where", [ARCHIVE, LOOK_UP, UPDATE, UNARCHIVE])
    @pytest.mark.parametrize("status", [0, 401, 406, 500])
    def test_no_message_of_a_close_or_reopening_has_the_link(
        self, world: FastioWorld, guide: str, caplog: pytest.LogCaptureFixture, where: str, status: int
    ) -> None:
        caplog.set_level(logging.DEBUG)
        share = world.shares.open(request(goods(guide)))
        world.fault({"match": where, "status": status, "times": 2})
        with pytest.raises(PaidshareError) as caught:
            _close_and_reopen(world, share.id)
        told = f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"
        assert not any(secret in told for secret in (share.name, "secret-title", API_KEY))

    @pytest.mark.parametrize("where", [DETAILS, LOOK_UP, LIST, ADD])
    @pytest.mark.parametrize("status", [0, 401, 404, 406, 500])
    def test_no_message_has_a_link_a_file_name_or_the_key(
        self, world: FastioWorld, guide: str, where: str, status: int
    ) -> None:
        wanted = request(goods(guide))
        owner_defined = f'{{"paidshare_order": "{wanted.order_id}"}}'
        world.create(custom_name=wanted.name, owner_defined=owner_defined).raise_for_status()
        world.fault({"match": where, "status": status, "times": 2})
        with pytest.raises(PaidshareError) as caught:
            world.shares.open(wanted)
        told = f"{caught.value!r} {caught.value.__cause__!r}"
        assert not any(secret in told for secret in (wanted.name, "secret-title", API_KEY))


def as_a_guest(share: Share) -> list[str]:
    """The calls that prove a link."""
    return [f"POST /share/{share.name}/auth/guest/", f"GET /share/{share.id}/storage/root/list/"]


def changes_in(calls: list[str]) -> list[str]:
    changes = [call for call in calls if call.startswith(("POST /share", "DELETE"))]
    return [call for call in changes if not call.endswith("/auth/guest/")]


def _close_and_reopen(world: FastioWorld, share_id: str) -> None:
    """One call of each kind there is."""
    world.shares.close(share_id)
    world.shares.reopen(share_id, until=now() + timedelta(days=1))


def _over(client: httpx.Client, api_base: str = API_BASE) -> FastioShares:
    return FastioShares(FastioApi(client=client, api_key=lambda: API_KEY, api_base=api_base, clock=now))


def _ok(**data: Any) -> httpx.Response:
    return httpx.Response(200, json={"result": "yes", "response": data})


class TestThePlanIsFull:
    """How Fast.io says so is not documented: by 412, or by a refusal while there are as many shares as the plan has."""

    @pytest.mark.parametrize(
        ("status", "limit", "is_full"),
        [(412, 0, True), (402, 0, False), (402, 1, True), (403, 1, True), (402, 9, False)],
    )
    def test_it_is_told_from_other_refusals(
        self, world: FastioWorld, status: int, limit: int, *, is_full: bool
    ) -> None:
        node, _ = world.put("guide.pdf")
        world.shares.open(request(goods(node), order="cs_test_first"))
        world.fault({"match": CREATE, "status": status, "times": 1})
        with pytest.raises((FastioUnavailable, NeedsAPerson)) as caught:
            world.adapter(share_limit=limit).open(request(goods(node)))
        assert isinstance(caught.value, PlanFull) is is_full
