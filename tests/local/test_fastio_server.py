"""The stand-in is as strict as Fast.io is documented to be: else our tests would prove nothing."""

import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.fastio.server import fastio_app
from local.hosting.serving import serving
from tests.fastio_world import FastioWorld

NAME = "o123456789"
DIGEST = hashlib.sha256(b"12345").hexdigest()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(fastio_app(share_limit=3)) as served:
        yield served


@pytest.fixture
def world(url: str) -> Iterator[FastioWorld]:
    world = FastioWorld(url)
    world.put("Guides/guide.pdf", "12345")
    yield world
    world.close()


def refused_fields(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 406
    body = answer.json()
    assert body["result"] is False
    return sorted(param["name"] for param in body["error"].get("params", []))


class TestEveryCall:
    @pytest.mark.parametrize(
        "header", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic fastio_test_key"}]
    )
    def test_without_the_right_token_nothing_is_answered(self, world: FastioWorld, header: dict[str, str]) -> None:
        answer = world.http.get("/current/user/auth/check/", headers=header)
        assert answer.status_code == 401
        assert answer.json()["result"] is False

    @pytest.mark.parametrize("path", ["/user/auth/check", "/workspace/my-shop/details", "/no/such/call/"])
    def test_a_path_without_its_slash_or_unknown_is_not_found(self, world: FastioWorld, path: str) -> None:
        assert world.api("GET", path).status_code == 404

    def test_another_method_is_not_allowed(self, world: FastioWorld) -> None:
        assert world.api("GET", "/workspace/my-shop/create/share/").status_code == 405

    def test_an_answer_carries_a_request_id_and_the_limits(self, world: FastioWorld) -> None:
        for answer in (world.api("GET", "/user/auth/check/"), world.api("GET", "/nothing/"), world.create(title=None)):
            for name in ("x-ve-reqid", "x-ve-limit-max", "x-ve-limit-avail", "x-ve-limit-expires"):
                assert answer.headers[name]

    def test_data_are_at_the_root_of_the_envelope(self, world: FastioWorld) -> None:
        body = world.api("GET", "/user/auth/check/").json()
        assert (body["result"], body["status"]) == (True, "ok")
        assert isinstance(body["id"], str)

    def test_a_body_that_is_no_form_is_refused(self, world: FastioWorld) -> None:
        answer = world.api("POST", "/workspace/my-shop/create/share/", json={"title": "Field Guide"})
        assert refused_fields(answer) == []


class TestCreateShare:
    def test_a_share_is_made_empty_with_a_number_too_long_for_a_float(self, world: FastioWorld) -> None:
        share = world.create().raise_for_status().json()["share"]
        assert (len(share["id"]), share["custom_name"]) == (19, NAME)
        assert int(share["id"]) > 2**53
        assert world.files_made() == {NAME: []}

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"title": None, "intelligence": None}, ["intelligence", "title"]),
            ({"title": "X"}, ["title"]),
            ({"title": "X" * 81}, ["title"]),
            ({"title": "two\nlines"}, ["title"]),
            ({"custom_name": "abc"}, ["custom_name"]),
            ({"custom_name": "with-hyphen-1"}, ["custom_name"]),
            ({"custom_name": "x" * 81}, ["custom_name"]),
            ({"expires": "2020-01-01 00:00:00"}, ["expires"]),
            ({"expires": "2099-01-01T00:00:00Z"}, ["expires"]),
            ({"expires": "2099-01-01 00:00:00", "storage_mode": "workspace_folder"}, ["expires"]),
            ({"access_options": "anyone with the link"}, ["access_options"]),
            # An Exchange share is not open to anyone with the link; a portal is none.
            ({"share_type": None, "storage_mode": "workspace_folder"}, ["access_options"]),
            ({"share_type": "gift"}, ["share_type"]),
            ({"custom_url": "o123456789"}, ["custom_url"]),  # For later only.
            ({"download_security": "none"}, ["download_security"]),
            ({"description": "too short"}, ["description"]),
            ({"owner_defined": "cs_test_1"}, ["owner_defined"]),
            ({"owner_defined": "[1]"}, ["owner_defined"]),
            ({"notify": "always"}, ["notify"]),
            ({"intelligence": "no"}, ["intelligence"]),
            ({"expiry": "2099-01-01 00:00:00"}, ["expiry"]),  # Not a field at all.
        ],
    )
    def test_every_wrong_field_is_named(self, world: FastioWorld, fields: dict[str, Any], named: list[str]) -> None:
        assert refused_fields(world.create(**fields)) == named
        assert world.made() == []

    @pytest.mark.parametrize("asked", ["send", "receive", "exchange", None])
    def test_a_portal_is_a_send_share_whatever_was_asked_for(self, world: FastioWorld, asked: str | None) -> None:
        assert world.create(share_type=asked).json()["share"]["share_type"] == "send"

    def test_a_share_without_a_name_is_given_one(self, world: FastioWorld) -> None:
        made = world.create(custom_name=None).json()["share"]
        assert len(made["custom_name"]) >= 4
        assert world.api("GET", f"/share/{made['custom_name']}/details/").json()["share"] == made

    def test_a_name_exists_once(self, world: FastioWorld) -> None:
        world.create()
        assert world.create(title="Another").status_code == 409
        assert len(world.made()) == 1

    def test_the_plan_has_a_limit(self, world: FastioWorld) -> None:
        for n in range(3):
            world.create(custom_name=f"{NAME}{n}").raise_for_status()
        assert world.create(custom_name=f"{NAME}9").status_code == 412

    def test_a_workspace_is_found_by_name_or_id_only(self, world: FastioWorld) -> None:
        found = world.api("GET", "/workspace/my-shop/details/").json()["workspace"]
        assert world.api("GET", f"/workspace/{found['id']}/details/").json()["workspace"] == found
        assert world.api("POST", "/workspace/no-such/create/share/", data={}).status_code == 404


class TestLifeOfAShare:
    def test_details_are_found_by_id_and_by_name(self, world: FastioWorld) -> None:
        share = world.create(owner_defined='{"a": 1}', expires="2099-01-01 00:00:00").json()["share"]
        for key in (share["id"], NAME):
            found = world.api("GET", f"/share/{key}/details/").json()["share"]
            assert (found["expires"], found["owner_defined"]) == ("2099-01-01 00:00:00", '{"a": 1}')
        assert world.api("GET", "/share/o000000000/details/").status_code == 404

    def test_an_update_changes_only_what_is_sent(self, world: FastioWorld) -> None:
        world.create(expires="2099-01-01 00:00:00")
        world.api("POST", f"/share/{NAME}/update/", data={"title": "New title"}).raise_for_status()
        assert (world.made()[0]["title"], world.made()[0]["expires"]) == ("New title", "2099-01-01 00:00:00")
        world.api("POST", f"/share/{NAME}/update/", data={"expires": "null"}).raise_for_status()
        assert world.made()[0]["expires"] is None
        assert refused_fields(world.api("POST", f"/share/{NAME}/update/", data={"expires": "soon"})) == ["expires"]
        assert refused_fields(world.api("POST", f"/share/{NAME}/update/", data={"storage_mode": "independent"})) == [
            "storage_mode"
        ]

    def test_it_is_reached_by_another_name_too_once_that_is_set(self, world: FastioWorld) -> None:
        world.create()
        world.create(custom_name="o222222222")
        path = f"/share/{NAME}/update/"
        assert world.api("POST", path, data={"custom_url": "o222222222"}).status_code == 409
        assert refused_fields(world.api("POST", path, data={"custom_name": "o333333333"})) == ["custom_name"]
        world.api("POST", path, data={"custom_url": "o333333333"}).raise_for_status()
        assert world.http.get("/shared/o333333333").status_code == 200
        assert [world.is_free(name) for name in (NAME, "o333333333", "o444444444")] == [False, False, True]

    def test_it_is_deleted_only_when_the_query_confirms_it_and_its_name_stays_taken(self, world: FastioWorld) -> None:
        share = world.create().json()["share"]
        path = f"/share/{share['id']}/delete/"
        # No body is read.
        refused = world.api("DELETE", path, data={"confirm": NAME})
        assert (refused_fields(refused), refused.json()["error"]["code"]) == (["confirm"], 130987)
        world.api("DELETE", path, params={"confirm": NAME}).raise_for_status()
        assert world.made() == []
        assert not world.is_free(NAME)
        assert world.create().status_code == 409

    def test_an_archived_share_takes_no_update_unless_told_so(self, world: FastioWorld) -> None:
        world.create()
        archive, update = f"/share/{NAME}/archive/", f"/share/{NAME}/update/"
        assert [world.api("POST", archive, json={}).status_code for _ in range(2)] == [200, 409]
        assert world.api("POST", update, data={"title": "New title"}).status_code == 409
        world.rules(archived_changes=True)
        assert world.api("POST", update, data={"title": "New title"}).status_code == 200

    def test_what_is_archived_is_in_its_workspace_s_list_alone_and_only_when_asked_for(
        self, world: FastioWorld
    ) -> None:
        shut = world.create().json()["share"]["id"]
        still_open = world.create(custom_name="o222222222").json()["share"]["id"]
        world.api("POST", f"/share/{NAME}/archive/", json={}).raise_for_status()
        of_workspace = "/workspace/my-shop/list/shares/"

        def ids(path: str, **params: str) -> list[str]:
            return [one["id"] for one in world.api("GET", path, params=params).json()["shares"]]

        assert [ids("/shares/all/"), ids(of_workspace)] == [[still_open]] * 2
        assert ids(of_workspace, archived="true") == [shut]
        assert refused_fields(world.api("GET", "/shares/all/", params={"archived": "true"})) == ["archived"]

    def test_shares_are_listed_in_pages(self, world: FastioWorld) -> None:
        for n in range(3):
            world.create(custom_name=f"{NAME}{n}")
        for path in ("/shares/all/", "/workspace/my-shop/list/shares/"):
            answer = world.api("GET", path, params={"limit": 2, "offset": 1}).json()
            assert [share["custom_name"] for share in answer["shares"]] == [f"{NAME}1", f"{NAME}2"]
            assert answer["pagination"] == {"total": 3, "limit": 2, "offset": 1, "has_more": False}
        assert refused_fields(world.api("GET", "/shares/all/", params={"limit": 501})) == ["limit"]


class TestFiles:
    def test_a_file_is_added_by_the_hash_of_a_stored_one(self, world: FastioWorld) -> None:
        world.create()
        node = world.add(NAME, "guide.pdf", DIGEST).raise_for_status().json()["node"]
        assert (node["name"], node["size"], node["hash"], node["hash_algo"]) == ("guide.pdf", 5, DIGEST, "sha256")
        again = world.add(NAME, "guide.pdf", hashlib.md5(b"12345").hexdigest(), kind="md5")  # noqa: S324
        assert again.json()["node"]["id"] == node["id"]
        assert world.files_made() == {NAME: ["guide.pdf"]}

    def test_a_hash_of_nothing_stored_adds_nothing(self, world: FastioWorld) -> None:
        world.create()
        assert world.add(NAME, "guide.pdf", "00" * 32).status_code == 404
        assert refused_fields(world.add(NAME, "guide.pdf", DIGEST, kind="crc32")) == ["from"]
        assert refused_fields(world.add(NAME, "", DIGEST)) == ["name"]
        assert world.files_made() == {NAME: []}

    def test_details_of_one_node_and_of_many_have_their_own_shapes(self, world: FastioWorld) -> None:
        one, [folder] = world.put("Guides/guide.pdf", "12345")
        path = "/workspace/my-shop/storage/{}/details/"
        assert world.api("GET", path.format(one)).json()["node"]["type"] == "file"
        assert world.api("GET", path.format("n-1")).status_code == 404
        many = world.api("GET", path.format(f"{one},{folder},n-1")).json()
        assert {node["id"] for node in many["nodes"]} == {one, folder}
        assert [(error["node_id"], error["code"]) for error in many["errors"]] == [("n-1", 133123)]
        assert world.api("GET", path.format(one.upper())).json()["node"]["id"] == one
        none = world.api("GET", path.format("n-1,n-2"))
        assert (none.status_code, none.json()["nodes"], len(none.json()["errors"])) == (404, [], 2)
        assert world.api("GET", path.format(",".join(["n"] * 26))).status_code == 406
        assert world.api("GET", "/fileshare/my-shop/storage/n-1/details/").status_code == 404

    def test_a_folder_is_listed_in_pages_of_its_own_sizes_only(self, world: FastioWorld) -> None:
        for n in range(101):
            _, [folder] = world.put(f"Many/{n:03}.txt")
        path = f"/workspace/my-shop/storage/{folder}/list/"
        first = world.api("GET", path, params={"page_size": 100, "sort_by": "name"}).json()
        cursor = first["pagination"]["next_cursor"]
        second = world.api("GET", path, params={"page_size": 100, "sort_by": "name", "cursor": cursor}).json()
        names = [node["name"] for node in first["nodes"] + second["nodes"]]
        assert names == [f"{n:03}.txt" for n in range(101)]
        assert second["pagination"] == {"has_more": False, "next_cursor": None, "page_size": 100}
        for wrong in ({"page_size": 50}, {"sort_by": "size"}, {"sort_dir": "up"}, {"cursor": "x"}, {"limit": 5}):
            assert refused_fields(world.api("GET", path, params=wrong)) == list(wrong)
        assert world.api("GET", "/workspace/my-shop/storage/n-1/list/").status_code == 404

    def test_what_is_in_the_trash_is_not_listed(self, world: FastioWorld) -> None:
        node, _ = world.put("old.pdf", flags={"trashed": True})
        listed = world.api("GET", "/workspace/my-shop/storage/root/list/").json()["nodes"]
        assert [entry["name"] for entry in listed] == ["Guides"]
        assert world.api("GET", f"/workspace/my-shop/storage/{node}/details/").json()["node"]["parent"] == "trash"


class TestTrash:
    def test_a_file_that_was_deleted_is_in_no_listing_and_not_given_to_guests(self, world: FastioWorld) -> None:
        world.create(expires="2099-01-01 00:00:00")
        node = world.add(NAME, "guide.pdf", DIGEST).json()["node"]["id"]
        world.api("DELETE", f"/share/{NAME}/storage/{node}/delete/").raise_for_status()
        assert world.api("GET", f"/share/{NAME}/storage/root/list/").json()["nodes"] == []
        assert world.files_made() == {NAME: []}
        assert "guide.pdf" not in world.http.get(f"/shared/{NAME}").raise_for_status().text
        assert world.http.get(f"/shared/{NAME}/files/{node}").status_code == 404

    def test_it_is_not_found_a_second_time_and_its_name_is_free(self, world: FastioWorld) -> None:
        world.create()
        node = world.add(NAME, "guide.pdf", DIGEST).json()["node"]["id"]
        path = f"/share/{NAME}/storage/{node}/delete/"
        assert [world.api("DELETE", path).status_code for _ in range(2)] == [200, 404]
        assert world.add(NAME, "guide.pdf", DIGEST).json()["node"]["id"] != node

    def test_a_folder_takes_what_is_in_it_along(self, world: FastioWorld) -> None:
        node, [folder] = world.put("Guides/guide.pdf", "12345")
        world.api("DELETE", f"/workspace/my-shop/storage/{folder}/delete/").raise_for_status()
        assert world.api("DELETE", f"/workspace/my-shop/storage/{node}/delete/").status_code == 404


class TestMembership:
    def test_a_workspace_that_the_key_may_not_see_is_refused_though_the_key_is_good(self, world: FastioWorld) -> None:
        node, _ = world.put("guide.pdf")
        world.member("my-shop", member=False)
        for answer in (
            world.create(),
            world.api("GET", "/workspace/my-shop/details/"),
            world.api("GET", f"/workspace/my-shop/storage/{node}/details/"),
            world.api("GET", "/workspace/my-shop/storage/root/list/"),
        ):
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, 10545)
        assert world.api("GET", "/user/auth/check/").status_code == 200
        world.member("my-shop", member=True)
        assert world.create().status_code == 200


class TestKey:
    """Which calls need `rwa` is not documented: here those that change a share as a whole."""

    def test_what_the_key_may_do_is_told_and_the_rest_refused(self, world: FastioWorld) -> None:
        world.create().raise_for_status()
        calls = [("GET", f"/share/{NAME}/details/"), ("POST", f"/share/{NAME}/archive/")]

        def answers() -> list[tuple[int, object, object]]:
            found = [world.api(method, path, **({"json": {}} if method == "POST" else {})) for method, path in calls]
            errors = [one.json().get("error", {}) for one in found]
            reasons = [error.get("params", {}).get("reason") for error in errors]
            return [(one.status_code, e.get("code"), r) for one, e, r in zip(found, errors, reasons, strict=True)]

        world.rules(mode="rw")
        assert world.api("GET", "/auth/scopes/").json()["admin"] is False
        assert answers() == [(200, None, None), (403, 10767, "scope_admin_required")]
        world.rules(mode="r")
        assert world.create(custom_name="o222222222").json()["error"]["code"] == 10560
        world.rules(mode="rwa", policy="geo_restricted")
        assert [(status, reason) for status, _, reason in answers()] == [(403, "geo_restricted")] * 2
        assert world.api("GET", "/user/auth/check/").status_code == 200
        world.rules(policy=None)
        assert [status for status, _, _ in answers()] == [200, 200]

    def test_without_credits_nothing_is_made_and_guests_get_no_files(self, world: FastioWorld) -> None:
        world.create(expires="2099-01-01 00:00:00").raise_for_status()
        node = world.add(NAME, "guide.pdf", DIGEST).json()["node"]["id"]
        world.rules(credits=False)
        assert world.create(custom_name="o222222222").status_code == 402
        assert world.http.get(f"/shared/{NAME}/files/{node}").status_code == 402


class TestGuestsOfTheApi:
    def token(self, world: FastioWorld, name: str = NAME) -> httpx.Response:
        return world.http.post(f"/current/share/{name}/auth/guest/", json={})

    def test_whoever_has_the_link_lists_its_files_and_no_other_s(self, world: FastioWorld) -> None:
        share = world.create().json()["share"]["id"]
        other = world.create(custom_name="o222222222").json()["share"]["id"]
        world.add(NAME, "guide.pdf", DIGEST).raise_for_status()
        headers = {"authorization": f"Bearer {self.token(world).json()['auth_token']}"}
        listed = world.api("GET", f"/share/{share}/storage/root/list/", headers=headers)
        assert [(node["name"], node["size"]) for node in listed.json()["nodes"]] == [("guide.pdf", 5)]
        assert world.api("GET", f"/share/{other}/storage/root/list/", headers=headers).status_code == 403
        assert world.api("GET", f"/share/{share}/details/", headers=headers).status_code == 401
        assert world.api("GET", "/workspace/my-shop/storage/root/list/", headers=headers).status_code == 403

    def test_a_share_that_is_not_open_lets_nobody_in_and_puts_out_who_was(self, world: FastioWorld) -> None:
        share = world.create(expires="2099-01-01 00:00:00").json()["share"]["id"]
        headers = {"authorization": f"Bearer {self.token(world).json()['auth_token']}"}
        world.api("POST", f"/share/{NAME}/archive/", json={}).raise_for_status()
        assert self.token(world).status_code == 403
        assert world.api("GET", f"/share/{share}/storage/root/list/", headers=headers).status_code == 403
        world.api("DELETE", f"/share/{NAME}/delete/", params={"confirm": NAME}).raise_for_status()
        assert [self.token(world, name).status_code for name in (NAME, "o999999999")] == [404, 404]


class TestEvents:
    def test_what_happened_to_a_share_is_found_by_its_id(self, world: FastioWorld) -> None:
        share = world.create().json()["share"]["id"]
        node = world.add(NAME, "guide.pdf", DIGEST).json()["node"]["id"]
        world.http.get(f"/shared/{NAME}/files/{node}").raise_for_status()
        found = world.api("GET", "/events/search/", params={"share_id": share}).json()["events"]
        assert [event["event"] for event in found] == [
            "share_created",
            "share_storage_file_added",
            "share_storage_download_token_created",
        ]
        wanted = {"share_id": share, "event": "share_created", "limit": 1}
        assert len(world.api("GET", "/events/search/", params=wanted).json()["events"]) == 1

    def test_a_search_needs_a_scope_and_takes_known_filters_only(self, world: FastioWorld) -> None:
        assert refused_fields(world.api("GET", "/events/search/")) == ["share_id"]
        assert refused_fields(world.api("GET", "/events/search/", params={"share_id": "1", "colour": "red"})) == [
            "colour"
        ]


class TestGuest:
    def open_share(self, world: FastioWorld, **fields: str) -> str:
        world.create(expires="2099-01-01 00:00:00", **fields).raise_for_status()
        node: str = world.add(NAME, "guide & <b>.pdf", DIGEST).json()["node"]["id"]
        return node

    def test_the_link_shows_the_files_and_gives_their_bytes(self, world: FastioWorld) -> None:
        node = self.open_share(world, title="<script>alert(1)</script>")
        for path in (f"/shared/{NAME}", f"/shared/{NAME}/field-guide"):
            page = world.http.get(path).raise_for_status().text
            assert f'href="/shared/{NAME}/files/{node}"' in page
            assert "guide &amp; &lt;b&gt;.pdf" in page
            assert "<script>" not in page
        answer = world.http.get(f"/shared/{NAME}/files/{node}").raise_for_status()
        assert (answer.content, answer.headers["content-type"]) == (b"12345", "application/pdf")

    def test_an_ended_share_gives_nothing(self, world: FastioWorld) -> None:
        node = self.open_share(world)
        page, file = f"/shared/{NAME}", f"/shared/{NAME}/files/{node}"

        def answers() -> list[int]:
            return [world.http.get(path).status_code for path in (page, file)]

        world.api("POST", f"/share/{NAME}/archive/", json={}).raise_for_status()
        assert answers() == [403, 403]
        world.api("POST", f"/share/{NAME}/unarchive/", json={}).raise_for_status()
        assert answers() == [200, 200]
        world.http.post("/_clock", json={"advance_s": 100 * 365 * 86400})
        assert answers() == [410, 410]
        assert world.made()[0]["standing"] == "expired"
        world.api("DELETE", f"/share/{NAME}/delete/", params={"confirm": NAME}).raise_for_status()
        assert answers() == [404, 404]

    @pytest.mark.parametrize("security", ["medium", "high"])
    def test_download_security_lists_the_files_and_keeps_them(self, world: FastioWorld, security: str) -> None:
        node = self.open_share(world, download_security=security)
        page = world.http.get(f"/shared/{NAME}")
        assert page.status_code == 200
        assert "href" not in page.text
        assert world.http.get(f"/shared/{NAME}/files/{node}").status_code == 403

    def test_a_share_for_members_is_closed_to_guests(self, world: FastioWorld) -> None:
        self.open_share(world, access_options="Anyone with a registered account")
        assert world.http.get(f"/shared/{NAME}").status_code == 403

    @pytest.mark.parametrize(("flag", "status"), [("locked", 403), ("suspended", 403), ("deleted", 404)])
    def test_a_share_that_fast_io_has_closed_is_closed_to_guests(
        self, world: FastioWorld, flag: str, status: int
    ) -> None:
        self.open_share(world)
        world.flag(NAME, **{flag: True})
        assert world.http.get(f"/shared/{NAME}").status_code == status
        assert world.api("GET", f"/share/{NAME}/details/").json()["share"][flag] is True

    def test_a_file_that_is_not_in_the_share_is_not_given(self, world: FastioWorld) -> None:
        self.open_share(world)
        node, _ = world.put("not-bought.pdf")
        assert world.http.get(f"/shared/{NAME}/files/{node}").status_code == 404


class TestControl:
    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/_files", {"workspace": "w"}),
            ("/_files", {"workspace": "w", "path": "/", "content": ""}),
            ("/_files", {"workspace": "w", "path": "a", "content": "", "colour": "red"}),
            ("/_clock", {"advance": 1}),
            ("/_workspaces", {"workspace": "no-such-shop", "member": False}),
            ("/_workspaces", {"workspace": "my-shop"}),
            ("/_shares", {"share": "o000000000", "locked": True}),
            ("/_shares", {"share": "o000000000", "colour": "red"}),
            ("/_rules", {"colour": "red"}),
            ("/_rules", ["mode"]),
        ],
    )
    def test_a_misspelt_order_is_refused(self, world: FastioWorld, path: str, body: dict[str, Any]) -> None:
        assert world.http.post(path, json=body).status_code == 400

    def test_a_reset_forgets_files_shares_and_the_clock(self, world: FastioWorld) -> None:
        world.create()
        before = world.http.post("/_clock", json={"advance_s": 86400}).json()["now"]
        world.http.post("/_reset")
        assert world.made() == []
        assert world.create().status_code == 404
        assert world.http.post("/_clock", json={"advance_s": 0}).json()["now"] < before
