"""
Where Paidshare took Fast.io for another: each of the twelve, through the real adapters and over real HTTP. (That the
list of shares hides archived ones is in `test_share_listing_port.py`, how strict the stand-in is in its own tests.)

Several of them nobody knows for sure. There each way that Fast.io could be has its turn (`local.fastio.rules.Rules`).
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.fastio.server import fastio_app
from local.hosting.serving import serving
from paidshare.delivering.errors import ShareTaken
from paidshare.errors import Barrier, FastioUnavailable, FileMissing, PlanFull, ShareRefused
from paidshare.shares_fastio import FastioStorage
from tests.fastio_world import (
    ADD,
    ARCHIVE,
    AUTH,
    CREATE,
    DETAILS,
    GUEST,
    LIST,
    LOOK_UP,
    UNARCHIVE,
    UPDATE,
    FastioWorld,
    goods,
    now,
    request,
)

WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(fastio_app(share_limit=3)) as served:
        yield served


@pytest.fixture
def world(url: str) -> Iterator[FastioWorld]:
    world = FastioWorld(url)
    yield world
    world.close()


@pytest.fixture
def guide(world: FastioWorld) -> str:
    return world.put("secret-title.pdf", "12345")[0]


def refused(status: int, **error: Any) -> dict[str, Any]:
    return {"status": status, "body": {"result": False, "error": error}}


class TestA403HasAReason:
    """1: what keeps the key out of every order is a key's trouble: tried again, and nobody's order."""

    def test_a_key_that_may_not_administer_closes_nothing_until_one_may(self, world: FastioWorld, guide: str) -> None:
        share = world.shares.open(request(goods(guide)))
        world.rules(mode="rw")
        before = len(world.calls())
        with pytest.raises(FastioUnavailable, match="scopes") as caught:
            world.shares.close(share.id)
        assert (caught.value.barrier, caught.value.wait) == (Barrier.SCOPE, 300.0)
        assert "reason scope_admin_required" in str(caught.value)
        # It says of itself what it is: the key is not asked for.
        assert world.calls()[before:] == [f"POST /share/{share.id}/archive/"]
        world.rules(mode="rwa")
        world.shares.close(share.id)
        assert world.open_files(share.name) is None

    def test_a_key_that_only_reads_makes_no_share_until_one_writes(self, world: FastioWorld, guide: str) -> None:
        world.rules(mode="r")
        with pytest.raises(FastioUnavailable) as caught:
            world.shares.open(request(goods(guide)))
        assert caught.value.barrier is Barrier.SCOPE
        world.rules(mode="rw")
        world.shares.open(request(goods(guide)))

    @pytest.mark.parametrize(
        "reason",
        ["credential_policy_org", "geo_restricted", "external_invites_denied", "mcp_access_denied"],
    )
    def test_what_the_organisation_forbids_waits_for_its_owner(
        self, world: FastioWorld, guide: str, reason: str
    ) -> None:
        world.rules(policy=reason)
        with pytest.raises(FastioUnavailable, match=f"policy.*reason {reason}") as caught:
            world.shares.open(request(goods(guide)))
        assert (caught.value.barrier, caught.value.wait) == (Barrier.POLICY, 300.0)
        world.rules(policy=None)
        world.shares.open(request(goods(guide)))

    @pytest.mark.parametrize("code", [10175, 10545, 10560, 10574, 10753, 10767, 10769, "10767"])
    def test_the_codes_of_scopes_are_known_where_no_reason_is_said(
        self, world: FastioWorld, guide: str, code: object
    ) -> None:
        world.fault({"match": CREATE, **refused(403, code=code)})
        with pytest.raises(FastioUnavailable) as caught:
            world.shares.open(request(goods(guide)))
        assert caught.value.barrier is Barrier.SCOPE

    @pytest.mark.parametrize("error", [{}, {"code": 171234}, {"code": 1, "params": {"reason": "something_new"}}])
    def test_any_other_403_is_about_what_was_asked_for(
        self, world: FastioWorld, guide: str, error: dict[str, Any]
    ) -> None:
        world.fault({"match": DETAILS, **refused(403, **error)})
        with pytest.raises(FileMissing):
            world.shares.open(request(goods(guide)))
        assert world.calls()[-1] == AUTH


class TestRwa:
    """2: a key is made without the right to administer, unless it is asked for."""

    @pytest.mark.parametrize(("mode", "may"), [("r", False), ("rw", False), ("rwa", True)])
    def test_whether_the_key_may_administer_is_asked_for(self, world: FastioWorld, mode: str, *, may: bool) -> None:
        world.rules(mode=mode)
        assert FastioStorage(world.over_http()).rights().administers is may


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("changes", [True, False])
class TestArchived:
    """
    3: whether a share says that it is archived, and takes an update while it is, is not known: it is opened, and a
    guest is sent to look.
    """

    @pytest.fixture(autouse=True)
    def _ways(self, world: FastioWorld, *, told: bool, changes: bool) -> None:
        world.rules(archived_told=told, archived_changes=changes)

    @pytest.mark.parametrize("days", [-3, 0, 30])
    def test_a_closed_share_is_reopened_with_its_end(self, world: FastioWorld, guide: str, days: int) -> None:
        share = world.shares.open(request(goods(guide)))
        world.shares.close(share.id)
        until = share.expires_at + timedelta(days=days)
        assert world.shares.reopen(share.id, until=until) == until
        assert world.open_files(share.name, after=until - now() - timedelta(minutes=1)) == ("secret-title.pdf",)
        assert world.open_files(share.name, after=until - now() + timedelta(minutes=1)) is None

    @pytest.mark.parametrize("days", [-3, 0, 30])
    def test_an_order_s_share_that_was_closed_is_opened(self, world: FastioWorld, guide: str, days: int) -> None:
        share = world.shares.open(request(goods(guide)))
        world.shares.close(share.id)
        wanted = replace(request(goods(guide)), expires_at=share.expires_at + timedelta(days=days))
        assert world.shares.open(wanted).expires_at == wanted.expires_at
        assert world.open_files(share.name) == ("secret-title.pdf",)

    def test_an_open_share_stays_open(self, world: FastioWorld, guide: str) -> None:
        share = world.shares.open(request(goods(guide)))
        assert world.shares.reopen(share.id, until=share.expires_at) == share.expires_at
        assert world.open_files(share.name) == ("secret-title.pdf",)

    def test_nobody_hears_that_it_is_open_while_it_is_not(self, world: FastioWorld, guide: str) -> None:
        share = world.shares.open(request(goods(guide)))
        world.shares.close(share.id)
        world.fault({"match": UNARCHIVE, "status": 409, "times": 9})
        with pytest.raises((FastioUnavailable, ShareRefused)):
            world.shares.reopen(share.id, until=share.expires_at)
        with pytest.raises((FastioUnavailable, ShareRefused)):
            world.shares.open(request(goods(guide)))
        assert world.open_files(share.name) is None

    @pytest.mark.parametrize("where", [UNARCHIVE, UPDATE])
    @pytest.mark.parametrize("status", [0, 409, 500])
    def test_it_is_never_open_for_longer_than_is_due(
        self, world: FastioWorld, guide: str, where: str, status: int
    ) -> None:
        share = world.shares.open(request(goods(guide)))
        world.shares.close(share.id)
        world.fault({"match": where, "status": status, "times": 2, "after": status != 409})
        until, later = now() + timedelta(days=1), timedelta(days=1, minutes=1)
        with suppress(FastioUnavailable, ShareRefused):
            world.shares.reopen(share.id, until=until)
        assert world.open_files(share.name, after=later) is None

    def test_a_share_that_is_closed_already_is_closed(self, world: FastioWorld, guide: str) -> None:
        share = world.shares.open(request(goods(guide)))
        world.shares.close(share.id)
        world.shares.close(share.id)
        assert world.open_files(share.name) is None

    def test_one_that_does_not_let_itself_be_closed_is_not_called_closed(self, world: FastioWorld, guide: str) -> None:
        share = world.shares.open(request(goods(guide)))
        world.fault({"match": ARCHIVE, "status": 409})
        with pytest.raises(ShareRefused):
            world.shares.close(share.id)


class TestTheAnswerToACreate:
    """4: what Fast.io drops in silence is seen before a letter tells of it."""

    @pytest.mark.parametrize("field", ["custom_name", "expires", "access_options"])
    def test_what_was_dropped_is_set_afterwards(self, world: FastioWorld, guide: str, field: str) -> None:
        world.rules(drops=[field])
        wanted = request(goods(guide))
        share = world.shares.open(wanted)
        assert share.link.endswith(f"/shared/{wanted.name}")
        assert world.open_files(wanted.name) == ("secret-title.pdf",)
        assert world.open_files(wanted.name, after=WEEK) is None

    @pytest.mark.parametrize(
        ("field", "told"), [("custom_name", "custom_url"), ("expires", "expires"), ("access_options", "access_options")]
    )
    def test_what_cannot_be_set_is_for_a_person_and_the_share_empty(
        self, world: FastioWorld, guide: str, field: str, told: str
    ) -> None:
        world.rules(drops=[field], update_drops=[told])
        with pytest.raises(ShareRefused, match=f"not as asked for: {told}"):
            world.shares.open(request(goods(guide)))
        assert [share["files"] for share in world.made()] == [[]]

    def test_downloads_that_were_forbidden_are_allowed(self, world: FastioWorld, guide: str) -> None:
        wanted = request(goods(guide))
        share = world.shares.open(wanted)
        world.api("POST", f"/share/{share.id}/update/", data={"download_security": "high"}).raise_for_status()
        assert world.open_files(wanted.name) == ()
        world.shares.open(wanted)
        assert world.open_files(wanted.name) == ("secret-title.pdf",)

    def test_an_end_that_is_not_taken_is_not_promised(self, world: FastioWorld, guide: str) -> None:
        share = world.shares.open(request(goods(guide)))
        world.rules(update_drops=["expires"])
        with pytest.raises(ShareRefused, match="not given its end"):
            world.shares.reopen(share.id, until=share.expires_at - timedelta(days=1))

    def test_an_answer_that_says_nothing_of_it_costs_a_look(self, world: FastioWorld, guide: str) -> None:
        wanted = request(goods(guide))
        world.fault({"match": CREATE, "status": 200, "after": True, "body": {"result": True, "share": {"id": "1"}}})
        made = {"result": True, "share": {"id": "1", "custom_name": wanted.name, "expires": "2099-01-01 00:00:00"}}
        world.fault({"match": LOOK_UP, "status": 200, "body": made, "times": 2})
        world.fault({"match": UPDATE, "status": 200, "body": {"result": True}})
        with pytest.raises(ShareRefused, match="expires"):
            world.shares.open(wanted)
        assert world.calls().count("GET /share/1/details/") == 2


class TestANameThatExists:
    """5: however it is told, the share that has it is looked up."""

    @pytest.mark.parametrize("taken", ["409", "406", "10566"])
    def test_our_own_is_found(self, world: FastioWorld, guide: str, taken: str) -> None:
        wanted = request(goods(guide))
        first = world.shares.open(wanted)
        world.rules(taken=taken)
        assert world.shares.open(wanted) == first
        assert len(world.made()) == 1

    @pytest.mark.parametrize("taken", ["409", "406", "10566"])
    def test_a_create_that_is_done_after_a_504_is_found_by_the_next_run(
        self, world: FastioWorld, guide: str, taken: str
    ) -> None:
        world.rules(taken=taken)
        wanted = request(goods(guide))
        world.fault({"match": CREATE, "status": 504, "after": True, "late_s": 0.2})
        with pytest.raises(FastioUnavailable, match="504"):
            world.shares.open(wanted)
        while not world.made():
            time.sleep(0.02)
        world.shares.open(wanted)
        assert world.files_made() == {wanted.name: ["secret-title.pdf"]}

    def test_a_field_that_is_refused_is_no_name_that_exists(self, world: FastioWorld, guide: str) -> None:
        world.fault({"match": CREATE, **refused(406, code=10566, text="The title is not allowed")})
        with pytest.raises(ShareRefused, match="code 10566"):
            world.shares.open(request(goods(guide)))


class TestContention:
    """6: a 409 may be somebody else's request in the way, and then it passes."""

    def test_it_passes(self, world: FastioWorld, guide: str) -> None:
        world.rules(contended=1)
        with pytest.raises(FastioUnavailable, match="its name is free"):
            world.shares.open(request(goods(guide)))
        world.shares.open(request(goods(guide)))

    def test_a_name_that_stays_taken_though_nobody_shows_its_share_is_another_s(
        self, world: FastioWorld, guide: str
    ) -> None:
        wanted = request(goods(guide))
        world.shares.open(wanted)
        world.delete(wanted.name)
        with pytest.raises(ShareTaken):
            world.shares.open(wanted)

    def test_a_check_that_says_nothing_is_no_answer(self, world: FastioWorld, guide: str) -> None:
        world.rules(contended=1)
        world.fault({"match": "GET /shares/check/name/*/", "status": 200, "body": {"result": True}})
        with pytest.raises(FastioUnavailable, match="not understood"):
            world.shares.open(request(goods(guide)))


class TestThePlansLimit:
    """7: by whatever status it is told."""

    @pytest.mark.parametrize("status", [402, 403, 406, 412])
    def test_it_is_known_without_a_count(self, world: FastioWorld, guide: str, status: int) -> None:
        world.rules(full=status)
        for n in range(3):
            world.shares.open(request(goods(guide), order=f"cs_{n}"))
        with pytest.raises(PlanFull):
            world.shares.open(request(goods(guide), order="cs_3"))

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (402, {"text": "The credits are used up", "params": {"reason": "credits_exhausted"}}),
            (402, {"text": "Choose a plan", "params": {"reason": "subscription_required"}}),
            (402, {"text": "The maximum of shares needs credits", "params": {"reason": "trial_conversion_lapsed"}}),
            (406, {"text": "Its length exceeds the limit of share titles", "params": [{"name": "title"}]}),
            (403, {"text": "You may not read the limit of shares", "code": 10767}),
        ],
    )
    def test_nothing_else_makes_another_share_give_way(
        self, world: FastioWorld, guide: str, status: int, error: dict[str, Any]
    ) -> None:
        world.shares.open(request(goods(guide), order="cs_1"))
        world.fault({"match": CREATE, **refused(status, **error)})
        with pytest.raises((FastioUnavailable, ShareRefused)) as caught:
            # As many shares as this plan has; that alone decides where nothing is said.
            world.adapter(share_limit=1 if status == 402 else 0).open(request(goods(guide)))
        assert not isinstance(caught.value, PlanFull)


class TestWhatARefusalSays:
    """8 and 9: `params` may be an object, and the wait may be in it alone."""

    def test_its_reason_is_told(self, world: FastioWorld, guide: str) -> None:
        world.fault({"match": ADD, **refused(402, code=129764, params={"reason": "credits_exhausted"})})
        with pytest.raises(FastioUnavailable, match="code 129764, reason credits_exhausted"):
            world.shares.open(request(goods(guide)))

    @pytest.mark.parametrize(
        ("asked", "wait"), [(1790, 1790.0), ("1790", 1790.0), (0, 1.0), (99_999, 3600.0), ("soon", 60.0), (-5, 60.0)]
    )
    def test_a_limit_s_wait_is_read_from_the_body(
        self, world: FastioWorld, guide: str, asked: object, wait: float
    ) -> None:
        world.fault({"match": CREATE, **refused(429, code=1, params={"retry_after_seconds": asked})})
        with pytest.raises(FastioUnavailable) as caught:
            world.shares.open(request(goods(guide)))
        assert caught.value.wait == wait

    def test_the_body_s_word_comes_before_the_header_s(self, world: FastioWorld, guide: str) -> None:
        limit = refused(429, code=1, params={"retry_after_seconds": 7})
        world.fault({"match": CREATE, **limit, "headers": {"x-ve-limit-expires": "30"}})
        with pytest.raises(FastioUnavailable) as caught:
            world.shares.open(request(goods(guide)))
        assert caught.value.wait == 7.0


class TestNodesThatAreNotFound:
    """10: a look-up of several tells of each why, and some of it passes."""

    @pytest.mark.parametrize("beside", [True, False])
    def test_one_that_cannot_be_read_now_is_waited_for(self, world: FastioWorld, guide: str, *, beside: bool) -> None:
        busy = world.put("busy.pdf", flags={"busy": True})[0]
        bought = goods(*([guide] if beside else []), busy)
        with pytest.raises(FastioUnavailable):
            world.shares.open(request(bought))
        world.put("busy.pdf", flags={"busy": False})
        world.shares.open(request(bought))

    @pytest.mark.parametrize("beside", [True, False])
    def test_one_whose_content_is_lost_is_for_a_person(self, world: FastioWorld, guide: str, *, beside: bool) -> None:
        lost = world.put("lost.pdf", flags={"lost": True})[0]
        with pytest.raises(FileMissing, match=lost):
            world.shares.open(request(goods(*([guide] if beside else []), lost)))

    def test_where_none_of_several_is_found_all_are_named(self, world: FastioWorld, guide: str) -> None:
        lost = world.put("lost.pdf", flags={"lost": True})[0]
        with pytest.raises(FileMissing, match=f"n-1, n-2, {lost}, whose content Fast.io has lost"):
            world.shares.open(request(goods("n-1", "n-2", lost)))

    def test_one_that_is_missing_for_good_is_told_though_another_only_waits(
        self, world: FastioWorld, guide: str
    ) -> None:
        busy = world.put("busy.pdf", flags={"busy": True})[0]
        with pytest.raises(FileMissing, match="n-1") as caught:
            world.shares.open(request(goods(guide, busy, "n-1")))
        assert busy not in str(caught.value)


class TestTheLinkIsProven:
    """11: nobody is mailed a link that a guest has not opened."""

    @pytest.mark.parametrize("status", [401, 403, 404, 406, 410])
    def test_a_guest_who_is_not_let_in_holds_the_letter_back(self, world: FastioWorld, guide: str, status: int) -> None:
        world.fault({"match": GUEST, "status": status})
        with pytest.raises(FastioUnavailable, match="not let in"):
            world.shares.open(request(goods(guide)))
        world.shares.open(request(goods(guide)))

    @pytest.mark.parametrize(
        "seen",
        [
            [],
            [{"id": "1", "name": "another.pdf", "type": "file", "size": 5}],
            [{"id": "1", "name": "secret-title.pdf", "type": "file", "size": 4}],
        ],
    )
    def test_each_file_is_seen_by_name_and_size(
        self, world: FastioWorld, guide: str, seen: list[dict[str, Any]]
    ) -> None:
        world.fault({"match": LIST, "status": 200, "body": {"result": True, "nodes": seen}})
        with pytest.raises(FastioUnavailable, match="sees 0 of 1 files") as caught:
            world.shares.open(request(goods(guide)))
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_a_guest_who_may_not_list_is_no_trouble_with_the_key(
        self, world: FastioWorld, guide: str, status: int
    ) -> None:
        world.fault({"match": LIST, "status": status})
        with pytest.raises(FastioUnavailable, match="does not see the files") as caught:
            world.shares.open(request(goods(guide)))
        assert caught.value.barrier is None
        assert AUTH not in world.calls()

    def test_an_answer_without_a_token_is_not_understood(self, world: FastioWorld, guide: str) -> None:
        world.fault({"match": GUEST, "status": 200, "body": {"result": True}})
        with pytest.raises(FastioUnavailable, match="not understood"):
            world.shares.open(request(goods(guide)))

    def test_our_key_is_not_shown_to_prove_it(self, world: FastioWorld, guide: str) -> None:
        world.shares.open(request(goods(guide)))
        asked = [call for call in world.http.get("/_calls").json() if call["path"].endswith("/auth/guest/")]
        assert [call["headers"].get("authorization") for call in asked] == [None]
