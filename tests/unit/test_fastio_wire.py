import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paidshare.orders import ShareRequest
from paidshare.shares_fastio import values, wire
from paidshare.shares_fastio.values import Reply

AT = datetime(2026, 4, 24, 23, 49, 4, tzinfo=UTC)
FILE = {"id": "n-1", "name": "a.pdf", "type": "file", "size": "12", "hash": "ab", "hash_algo": "sha256"}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class TestPath:
    def test_it_ends_in_a_slash_and_quotes_what_could_change_it(self) -> None:
        assert wire.path("workspace", "my-shop", "storage", "a,b", "details") == (
            "/workspace/my-shop/storage/a,b/details/"
        )
        assert wire.path("share", "../x?y", "details") == "/share/..%2Fx%3Fy/details/"


class TestForms:
    def test_a_share_is_one_that_a_guest_can_open_and_that_ends(self) -> None:
        request = ShareRequest("cs_test_1", "o123456789", "Field Guide", AT, ())
        form = wire.share_form(request)
        assert json.loads(form.pop("owner_defined")) == {"paidshare_order": "cs_test_1"}
        assert form == {
            "title": "Field Guide",
            "custom_name": "o123456789",
            "share_type": "send",
            "storage_mode": "independent",
            "access_options": "Anyone with the link",
            "download_security": "off",
            "intelligence": "false",
            "comments_enabled": "false",
            "notify": "never",
            "expires": "2026-04-24 23:49:04",
        }

    def test_a_file_is_named_by_its_own_kind_of_hash(self) -> None:
        node = wire.node({"id": "n-1", "name": "a.pdf", "type": "file", "hash": "ab12", "hash_algo": "md5"})
        form = wire.file_form("b.pdf", node)
        assert form["name"] == "b.pdf"
        assert json.loads(form["from"]) == {"type": "hash", "hash": {"hash": "ab12", "hash_type": "md5"}}


class TestPayload:
    @pytest.mark.parametrize(
        ("body", "data"),
        [
            ({"result": True, "status": "ok", "a": 1}, {"result": True, "status": "ok", "a": 1}),
            ({"result": "yes", "response": {"a": 1}}, {"a": 1}),
            ({"result": False, "a": 1}, None),
            ({"result": "no"}, None),
            ({"a": 1}, None),
            ([], None),
        ],
    )
    def test_the_data_are_at_the_root_or_in_response(self, body: Any, data: Any) -> None:
        assert wire.payload(json.dumps(body).encode()) == data

    @pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000])
    def test_what_is_no_json_has_no_data(self, body: bytes) -> None:
        assert wire.payload(body) is None


class TestProblem:
    @pytest.mark.parametrize(
        ("body", "code", "fields"),
        [
            ({"error": {"code": 195654, "text": "no"}}, "195654", ()),
            ({"error": {"code": "1605", "message": "no"}}, "1605", ()),
            ({"error_id": 1605, "error_message": "no"}, "1605", ()),  # The flat variant.
            (
                {"error": {"code": 1, "params": [{"name": "title"}, {"name": "title"}, {"kind": "x"}, 7]}},
                "1",
                ("title",),
            ),
            ({"error": {"params": [{"name": "jenny@example.com said: <b>"}]}}, None, ()),  # Not a field's name.
            ({"error": "no"}, None, ()),
            ({"error": {"code": True, "params": "title"}}, None, ()),
        ],
    )
    def test_it_is_read_in_every_shape_that_is_known(
        self, body: dict[str, Any], code: str | None, fields: tuple[str, ...]
    ) -> None:
        problem = wire.problem(Reply(406, {"x-ve-reqid": "r-1"}, json.dumps({"result": False} | body).encode()))
        assert problem == values.Problem(code, fields, "r-1")

    def test_a_request_id_that_is_none_is_left_out(self) -> None:
        assert wire.problem(Reply(500, {"x-ve-reqid": "a b\nc"}, b"")).request_id is None


class TestToken:
    @pytest.mark.parametrize(
        ("data", "token"),
        [
            ({"auth_token": "a.b-c", "expires_in": 3600}, "a.b-c"),
            ({"result": True, "share": {"token": "t"}}, "t"),
            ({"auth_token": "", "jwt": "j"}, "j"),
            ({"auth_token": "two words"}, None),
            ({"auth_token": "schlüssel"}, None),
            ({"auth_token": 7}, None),
            ({}, None),
        ],
    )
    def test_it_is_one_word_wherever_it_is(self, data: dict[str, Any], token: str | None) -> None:
        assert wire.token(data) == token


class TestInDoubt:
    @pytest.mark.parametrize(
        ("reply", "doubt"),
        [
            (Reply(0, failure=TimeoutError()), True),
            (Reply(0, failure=OSError(), sent=False), False),
            (Reply(500), True),
            (Reply(503), True),
            (Reply(409), False),
            (Reply(429), False),
            (Reply(200), False),
        ],
    )
    def test_only_an_answer_that_says_no_is_free_of_doubt(self, reply: Reply, *, doubt: bool) -> None:
        assert reply.in_doubt is doubt


class TestNodes:
    @pytest.mark.parametrize(
        "data",
        [{"node": FILE}, {"nodes": [FILE], "errors": []}, {"nodes": {"items": [FILE]}}, {"nodes": [FILE, {}, None]}],
    )
    def test_one_or_many_are_read(self, data: dict[str, Any]) -> None:
        assert wire.nodes(data) == (
            values.Node("n-1", "a.pdf", "file", 12, "ab", "sha256", gone=False, infected=False),
        )

    @pytest.mark.parametrize("data", [{}, {"items": []}, {"nodes": "none"}, {"nodes": {"n-1": FILE}}])
    def test_an_answer_without_nodes_is_not_an_empty_one(self, data: dict[str, Any]) -> None:
        assert wire.nodes(data) is None

    @pytest.mark.parametrize(
        ("more", "gone", "infected"),
        [
            ({}, False, False),
            ({"trashed": True}, True, False),
            ({"deleted": "2026-01-01 00:00:00"}, True, False),
            ({"deleted": "false"}, False, False),
            ({"parent": "trash"}, True, False),
            ({"virus": {"status": "infected"}}, False, True),
            ({"virus": {"infected": "true"}}, False, True),
            ({"virus": {"status": "clean", "infected": False}}, False, False),
            ({"virus": None}, False, False),
        ],
    )
    def test_trash_and_infection_are_seen(self, more: dict[str, Any], *, gone: bool, infected: bool) -> None:
        node = wire.node(FILE | more)
        assert (node.gone, node.infected) == (gone, infected)

    def test_a_name_that_no_form_can_carry_is_mended(self) -> None:
        assert wire.node(FILE | {"name": json.loads('"a\\ud800.pdf"')}).name == "a?.pdf"

    @pytest.mark.parametrize(
        ("kind", "read_as"),
        [("file", "file"), ("note", "file"), ("folder", "folder"), ("link", "other"), (None, "other")],
    )
    def test_a_kind_that_we_do_not_know_is_never_a_file(self, kind: str | None, read_as: str) -> None:
        assert wire.node(FILE | {"type": kind}).kind == read_as

    @settings(deadline=None)  # Making the cases takes longer than reading them.
    @given(st.dictionaries(st.sampled_from(["node", "nodes", "pagination", "share", "id", "expires"]), anything))
    def test_no_answer_makes_the_reader_fail(self, data: dict[str, Any]) -> None:
        wire.nodes(data)
        wire.next_cursor(data)
        wire.has_more(data)
        wire.share(data)
        wire.token(data)
        wire.is_free(data)

    @settings(deadline=None)  # Making the cases takes longer than reading them.
    @given(st.dictionaries(st.sampled_from(["name", "type", "size", "hash", "virus", "deleted", "parent"]), anything))
    def test_no_node_makes_the_reader_fail(self, raw: dict[str, Any]) -> None:
        assert wire.node({"id": "n-1"} | raw).id == "n-1"


class TestNextCursor:
    @pytest.mark.parametrize(
        ("pagination", "cursor"),
        [
            ({"has_more": True, "next_cursor": "c"}, "c"),
            ({"next_cursor": "c"}, "c"),
            ({"has_more": False, "next_cursor": "c"}, None),
            ({"has_more": True, "next_cursor": None}, None),
            (None, None),
        ],
    )
    def test_the_last_page_has_none(self, pagination: Any, cursor: str | None) -> None:
        assert wire.next_cursor({"pagination": pagination}) == cursor


class TestHasMore:
    @pytest.mark.parametrize(
        ("pagination", "more"),
        [
            ({"has_more": True}, True),
            ({"has_more": "true"}, True),
            ({"has_more": False}, False),
            ({}, False),
            (7, False),
        ],
    )
    def test_only_a_page_that_says_so_is_not_the_last(self, pagination: Any, *, more: bool) -> None:
        assert wire.has_more({"pagination": pagination}) is more


class TestShare:
    @pytest.mark.parametrize("owner_defined", ['{"paidshare_order": "cs_1"}', {"paidshare_order": "cs_1"}])
    def test_it_is_read_from_share_or_from_the_root(self, owner_defined: Any) -> None:
        raw = {"id": 4800000000000007919, "expires": "2026-04-24 23:49:04", "owner_defined": owner_defined}
        expected = values.RemoteShare("4800000000000007919", AT, "cs_1")
        assert wire.share({"share": raw}) == wire.share(raw) == expected

    @pytest.mark.parametrize("data", [{}, {"share": {"custom_name": "o"}}, {"id": None}, {"share": {"id": ""}}])
    def test_without_an_id_there_is_none(self, data: dict[str, Any]) -> None:
        assert wire.share(data) is None

    @pytest.mark.parametrize(
        ("flags", "archived", "barred"),
        [
            ({}, None, ()),
            ({"archived": False, "locked": 0, "deleted": None, "suspended": "false"}, False, ()),
            ({"archived": True}, True, ()),
            ({"archived": "2026-01-01 00:00:00"}, True, ()),
            ({"locked": True}, None, ("locked",)),
            ({"suspended": "true", "deleted": "2026-01-01 00:00:00"}, None, ("deleted", "suspended")),
        ],
    )
    def test_what_keeps_a_guest_out_is_seen(
        self, flags: dict[str, Any], barred: tuple[str, ...], *, archived: bool | None
    ) -> None:
        assert wire.share({"share": {"id": "7"} | flags}) == values.RemoteShare("7", None, None, archived, barred)

    @pytest.mark.parametrize("value", [None, "", "no JSON", "[]", {}, {"paidshare_order": 7}, {"order": "cs_1"}])
    def test_what_is_not_ours_has_no_order(self, value: Any) -> None:
        assert wire.order_of(value) is None


class TestInstant:
    @pytest.mark.parametrize(
        "value",
        [
            "2026-04-24 23:49:04",
            "2026-04-24 23:49:04 UTC",
            "2026-04-24T23:49:04Z",
            "2026-04-25T01:49:04+02:00",
            1777074544,
            "1777074544",
        ],
    )
    def test_every_known_form_is_the_same_moment_in_utc(self, value: Any) -> None:
        found = wire.instant(value)
        assert found == AT
        assert found.utcoffset() == AT.utcoffset()

    @pytest.mark.parametrize("value", [None, "", "soon", "2026-13-01 00:00:00", 30, "30", True, [], "9" * 12])
    def test_anything_else_is_no_moment(self, value: Any) -> None:
        assert wire.instant(value) is None

    @given(st.text() | st.integers() | st.floats())
    def test_no_value_makes_the_reader_fail(self, value: Any) -> None:
        wire.instant(value)


class TestWait:
    def test_without_a_header_only_a_limit_has_a_wait(self) -> None:
        assert wire.wait(Reply(429), AT) == 60.0
        assert wire.wait(Reply(503), AT) is None

    def test_the_end_of_the_limit_is_told_by_either_header(self) -> None:
        for name in ("x-ve-limit-expires", "x-rate-limit-expiry"):
            assert wire.wait(Reply(429, {name: "2026-04-24 23:49:34 UTC"}), AT) == 30.0


class TestARefusal:
    """Whatever Fast.io answers, something is read out of it, and nothing of its words is told."""

    said = (
        st.none() | st.booleans() | st.integers() | st.sampled_from(["", "10767", "geo_restricted", "é\udc80", "1e9"])
    )
    params = st.dictionaries(st.sampled_from(["name", "reason", "retry_after_seconds"]), said)
    errors = st.dictionaries(
        st.sampled_from(["code", "text", "message", "params", "node_id", "id"]), said | params | st.lists(params | said)
    )

    @given(st.sampled_from([400, 402, 403, 404, 406, 409, 412, 429, 500]), errors)
    def test_no_refusal_makes_the_reader_fail(self, status: int, error: dict[str, Any]) -> None:
        reply = Reply(status, body=json.dumps({"result": False, "error": error, "errors": [error]}).encode())
        wire.problem(reply)
        wire.barrier(reply)
        wire.says_full(reply)
        wire.node_faults(reply.body)
        seconds = wire.wait(reply, AT)
        assert seconds is None or 1.0 <= seconds <= 3600.0

    @given(st.sampled_from([401, 404, 406, 409, 429]), st.sampled_from(["scope_admin_required", "geo_restricted"]))
    def test_only_a_403_is_a_barrier(self, status: int, reason: str) -> None:
        body = json.dumps({"error": {"code": 10767, "params": {"reason": reason}}}).encode()
        assert wire.barrier(Reply(status, body=body)) is None
        assert wire.barrier(Reply(403, body=body)) is not None
