"""The port Shares: the same rules for the fake and for the adapter over real HTTP to the stand-in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import pytest

from local.fastio.server import fastio_app
from local.hosting.serving import serving
from paidshare.delivering.errors import OutOfTime, ShareTaken
from paidshare.delivering.ports import Shares
from paidshare.errors import FastioUnavailable, FileMissing, ShareRefused
from paidshare.orders import Share
from tests.fakes_shares import MemoryShares
from tests.fastio_world import ARCHIVE, UNARCHIVE, WITHDRAW, FastioWorld, goods, now, request
from tests.simulated import SimulatedFiles

WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)


class World(Protocol):
    """What a test may do to the other side of the port."""

    @property
    def shares(self) -> Shares: ...
    def put(self, path: str, content: str = "x") -> tuple[str, list[str]]: ...
    def infected(self, path: str) -> str: ...
    def files_made(self) -> dict[str, list[str]]: ...
    def interrupt_after(self, adds: int) -> None: ...
    def out_of_time_after(self, calls: int) -> datetime: ...
    def lose_create_answer(self) -> None: ...
    def lose_answer(self) -> None: ...
    def open_files(self, name: str, *, after: timedelta = ...) -> tuple[str, ...] | None: ...
    def delete(self, name: str) -> None: ...
    def lock(self, name: str) -> None: ...
    def open_a_file(self, name: str) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.shares = MemoryShares()

    def put(self, path: str, content: str = "x") -> tuple[str, list[str]]:
        return self.shares.put("my-shop", path, len(content))

    def infected(self, path: str) -> str:
        return self.shares.put("my-shop", path, deliverable=False)[0]

    def files_made(self) -> dict[str, list[str]]:
        return {name: [file.name for file in share.files] for name, share in self.shares.made.items()}

    def interrupt_after(self, adds: int) -> None:
        self.shares.fail_after_adds = adds

    def out_of_time_after(self, calls: int) -> datetime:
        self.shares.calls_in_time = calls
        return now()

    def lose_create_answer(self) -> None:
        self.shares.lose_create_answer = True

    def lose_answer(self) -> None:
        self.shares.lose_answer = True

    def open_files(self, name: str, *, after: timedelta = timedelta()) -> tuple[str, ...] | None:
        return self.shares.open_files(name, now() + after)

    def delete(self, name: str) -> None:
        self.shares.delete(name)

    def lock(self, name: str) -> None:
        self.shares.locked.add(self.shares.made[name].id)

    def open_a_file(self, name: str) -> None:
        self.shares.opened.add(self.shares.made[name].id)


class HttpWorld(FastioWorld):
    def infected(self, path: str) -> str:
        return self.put(path, flags={"infected": True})[0]

    def lose_answer(self) -> None:
        for call in (ARCHIVE, UNARCHIVE, WITHDRAW):
            self.fault({"match": call, "status": 0, "after": True})

    def lock(self, name: str) -> None:
        self.flag(name, locked=True)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(fastio_app()) as served:
        yield served


@pytest.fixture(params=["fake", "simulated", "fastio"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "fake":
        yield MemoryWorld()
        return
    if request.param == "simulated":
        yield SimulatedFiles()
        return
    http = HttpWorld(request.getfixturevalue("url"))
    yield http
    http.close()


class TestOpen:
    def test_an_order_gets_one_share_with_exactly_its_files(self, world: World) -> None:
        guide, _ = world.put("Guides/field-guide.pdf", "12345")
        atlas, _ = world.put("atlas.pdf", "123")
        world.put("Guides/not-bought.pdf")
        wanted = request(goods(guide, atlas))

        share = world.shares.open(wanted)

        assert world.files_made() == {wanted.name: ["field-guide.pdf", "atlas.pdf"]}
        assert [(f.name, f.size) for f in share.files] == [("field-guide.pdf", 5), ("atlas.pdf", 3)]
        assert (share.name, share.expires_at) == (wanted.name, wanted.expires_at)
        assert share.link.endswith(f"/shared/{wanted.name}")
        assert share.id

    def test_a_repeat_finds_the_share_and_makes_nothing_new(self, world: World) -> None:
        guide, _ = world.put("guide.pdf")
        wanted = request(goods(guide))
        first = world.shares.open(wanted)
        assert world.shares.open(wanted) == first
        assert world.files_made() == {wanted.name: ["guide.pdf"]}

    @pytest.mark.parametrize("waited", [timedelta(hours=1), timedelta(days=1), timedelta(days=20)])
    def test_the_days_count_from_the_letter_however_long_the_share_waited_for_it(
        self, world: World, waited: timedelta
    ) -> None:
        wanted = request(goods(world.put("guide.pdf")[0]))
        world.shares.open(wanted)
        later = replace(wanted, expires_at=wanted.expires_at + waited)
        assert world.shares.open(later).expires_at == later.expires_at
        assert world.open_files(wanted.name, after=later.expires_at - now() - MINUTE) == ("guide.pdf",)
        assert world.open_files(wanted.name, after=later.expires_at - now() + MINUTE) is None

    def test_a_share_is_shortened_unless_a_person_prolonged_it(self, world: World) -> None:
        wanted = request(goods(world.put("guide.pdf")[0]))
        first = world.shares.open(wanted)
        sooner = replace(wanted, share_id=first.id, expires_at=wanted.expires_at - timedelta(days=3))
        longer = world.shares.reopen(first.id, until=wanted.expires_at + timedelta(days=30))
        assert world.shares.open(replace(sooner, last_end=wanted.expires_at)).expires_at == longer
        assert world.shares.open(replace(sooner, last_end=longer)).expires_at == sooner.expires_at

    def test_the_ledger_s_share_is_the_order_s_whatever_it_is_called(self, world: World) -> None:
        guide = world.put("guide.pdf")[0]
        old = world.shares.open(request(goods(guide)))
        renamed = replace(request(goods(guide)), name="o" + "z" * 32, share_id=old.id)
        for found in (world.shares.find(renamed), world.shares.open(renamed)):
            assert found is not None
            assert (found.id, found.name, found.link) == (old.id, old.name, old.link)
        assert list(world.files_made()) == [old.name]

    def test_where_it_is_gone_one_is_made_anew(self, world: World) -> None:
        guide = world.put("guide.pdf")[0]
        old = world.shares.open(request(goods(guide)))
        world.delete(old.name)
        wanted = replace(request(goods(guide)), share_id=old.id)
        assert world.shares.find(wanted) is None
        assert world.shares.open(wanted).id != old.id

    def test_another_order_s_share_is_never_taken_by_its_id(self, world: World) -> None:
        guide = world.put("guide.pdf")[0]
        theirs = world.shares.open(request(goods(guide), order="cs_test_2"))
        with pytest.raises(ShareTaken):
            world.shares.open(replace(request(goods(guide)), share_id=theirs.id))

    @pytest.mark.parametrize("adds", [0, 1, 2])
    def test_a_run_interrupted_between_files_is_completed_by_the_next(self, world: World, adds: int) -> None:
        nodes = [world.put(f"part-{n}.pdf", str(n))[0] for n in range(3)]
        wanted = request(goods(*nodes))
        world.interrupt_after(adds)
        with pytest.raises(FastioUnavailable):
            world.shares.open(wanted)
        assert world.files_made() == {wanted.name: [f"part-{n}.pdf" for n in range(adds)]}

        share = world.shares.open(wanted)

        assert world.files_made() == {wanted.name: ["part-0.pdf", "part-1.pdf", "part-2.pdf"]}
        assert [f.name for f in share.files] == ["part-0.pdf", "part-1.pdf", "part-2.pdf"]

    def test_a_share_begun_with_files_that_were_not_bought_is_left_with_those_that_were(self, world: World) -> None:
        wrong, kept, right = (world.put(f"{name}.pdf", name)[0] for name in ("wrong", "kept", "right"))
        world.interrupt_after(2)
        with pytest.raises(FastioUnavailable):
            world.shares.open(request(goods(wrong, kept, world.put("never.pdf")[0])))
        corrected = request(goods(kept, right))

        share = world.shares.open(corrected)

        assert world.files_made() == {corrected.name: ["kept.pdf", "right.pdf"]}
        assert [file.name for file in share.files] == ["kept.pdf", "right.pdf"]

    def test_a_folder_walk_stops_at_its_deadline_before_the_share_is_made(self, world: World) -> None:
        _, [folder] = world.put("Course/intro.pdf")
        world.put("Course/Week 1/lesson.pdf")
        world.put("Course/Week 2/lesson.pdf")
        wanted = request(goods(folder))
        deadline = world.out_of_time_after(2)  # The look at the folder, and its own list.
        with pytest.raises(OutOfTime) as caught:
            world.shares.open(wanted, deadline=deadline)
        assert caught.value.wait == 1
        assert world.files_made() == {}
        assert len(world.shares.open(wanted).files) == 3

    def test_a_create_whose_answer_was_lost_is_found_again(self, world: World) -> None:
        guide, _ = world.put("guide.pdf")
        wanted = request(goods(guide))
        world.lose_create_answer()
        assert world.shares.open(wanted).name == wanted.name
        assert world.files_made() == {wanted.name: ["guide.pdf"]}

    def test_a_missing_file_leaves_no_share_behind(self, world: World) -> None:
        guide, _ = world.put("guide.pdf")
        with pytest.raises(FileMissing):
            world.shares.open(request(goods(guide, "2yxh5-nosuch")))
        with pytest.raises(FileMissing):
            world.shares.open(request(goods("2yxh5-nosuch")))
        assert world.files_made() == {}

    def test_a_missing_workspace_leaves_no_share_behind(self, world: World) -> None:
        guide, _ = world.put("guide.pdf")
        with pytest.raises(FileMissing):
            world.shares.open(request(goods(guide, workspace="no-such-shop")))
        assert world.files_made() == {}

    def test_an_infected_file_is_not_delivered(self, world: World) -> None:
        guide, _ = world.put("guide.pdf")
        with pytest.raises(FileMissing):
            world.shares.open(request(goods(guide, world.infected("bad.pdf"))))
        assert world.files_made() == {}

    def test_a_name_that_another_order_has_is_not_taken_over(self, world: World) -> None:
        guide, _ = world.put("guide.pdf")
        first = request(goods(guide))
        world.shares.open(first)
        second = type(first)("cs_test_2", first.name, first.title, first.expires_at, first.goods)
        with pytest.raises(ShareTaken):
            world.shares.open(second)
        assert world.files_made() == {first.name: ["guide.pdf"]}

    def test_a_folder_means_all_files_in_it_and_below(self, world: World) -> None:
        _, [folder] = world.put("Course/intro.pdf")
        world.put("Course/Week 1/lesson.pdf")
        world.put("Course/Week 1/Extras/notes.pdf")
        world.put("elsewhere.pdf")
        share = world.shares.open(request(goods(folder)))
        assert sorted(f.name for f in share.files) == ["intro.pdf", "lesson.pdf", "notes.pdf"]

    def test_files_of_the_same_name_are_told_apart(self, world: World) -> None:
        first, _ = world.put("A/guide.pdf", "a")
        second, _ = world.put("B/guide.pdf", "bb")
        share = world.shares.open(request(goods(first, second)))
        assert [(f.name, f.size) for f in share.files] == [("guide.pdf", 1), ("guide (2).pdf", 2)]

    def test_a_file_bought_twice_is_delivered_once(self, world: World) -> None:
        guide, [folder] = world.put("Course/guide.pdf")
        share = world.shares.open(request(goods(guide), goods(folder, name="The whole course")))
        assert [f.name for f in share.files] == ["guide.pdf"]

    def test_two_orders_have_two_shares(self, world: World) -> None:
        guide, _ = world.put("guide.pdf")
        one, two = request(goods(guide), order="cs_test_1"), request(goods(guide), order="cs_test_2")
        assert world.shares.open(one).link != world.shares.open(two).link
        assert world.files_made() == {one.name: ["guide.pdf"], two.name: ["guide.pdf"]}

    def test_a_share_that_should_hold_less_is_rid_of_exactly_the_rest(self, world: World) -> None:
        nodes = [world.put(f"{n}.pdf", str(n))[0] for n in range(3)]
        wanted = request(goods(*nodes))
        share = world.shares.open(wanted)
        narrowed = world.shares.open(replace(wanted, goods=(goods(nodes[1]),)))
        assert world.open_files(wanted.name) == ("1.pdf",)
        assert narrowed == replace(share, files=share.files[1:2])

    def test_a_share_that_should_hold_more_is_given_exactly_what_it_lacks(self, world: World) -> None:
        nodes = [world.put(f"{n}.pdf", str(n))[0] for n in range(3)]
        wanted = request(goods(*nodes[:1]))
        share = world.shares.open(wanted)
        widened = world.shares.open(replace(wanted, goods=(goods(*nodes),)))
        assert world.open_files(wanted.name) == ("0.pdf", "1.pdf", "2.pdf")
        assert (widened.id, widened.expires_at) == (share.id, share.expires_at)

    def test_a_share_that_was_closed_is_opened(self, world: World) -> None:
        wanted = request(goods(world.put("guide.pdf")[0]))
        share = world.shares.open(wanted)
        world.shares.close(share.id)
        assert world.shares.open(wanted) == share
        assert world.open_files(wanted.name) == ("guide.pdf",)

    def test_a_share_that_is_locked_needs_a_person(self, world: World) -> None:
        wanted = request(goods(world.put("guide.pdf")[0]))
        world.shares.open(wanted)
        world.lock(wanted.name)
        with pytest.raises(ShareRefused):
            world.shares.open(wanted)

    def test_the_link_ends_when_the_share_says(self, world: World) -> None:
        share = delivered(world)
        assert world.open_files(share.name, after=WEEK - MINUTE) is not None
        assert world.open_files(share.name, after=WEEK + MINUTE) is None


class TestFind:
    def test_what_nobody_made_is_not_there(self, world: World) -> None:
        node, _ = world.put("guide.pdf")
        assert world.shares.find(request(goods(node))) is None
        assert world.files_made() == {}

    def test_a_share_is_found_as_it_is(self, world: World) -> None:
        first, _ = world.put("guide.pdf", "12345")
        other, _ = world.put("atlas.pdf")
        made = world.shares.open(request(goods(first)))
        assert world.shares.find(request(goods(other))) == made
        assert world.files_made() == {made.name: ["guide.pdf"]}

    def test_a_closed_share_is_found_and_stays_closed(self, world: World) -> None:
        node, _ = world.put("guide.pdf")
        made = world.shares.open(request(goods(node)))
        world.shares.close(made.id)
        assert world.shares.find(request(goods(node))) == made
        assert world.open_files(made.name) is None

    def test_one_that_is_gone_is_not_there(self, world: World) -> None:
        node, _ = world.put("guide.pdf")
        world.delete(world.shares.open(request(goods(node))).name)
        assert world.shares.find(request(goods(node))) is None

    def test_another_order_s_share_is_not_taken_for_it(self, world: World) -> None:
        node, _ = world.put("guide.pdf")
        made = world.shares.open(request(goods(node)))
        with pytest.raises(ShareTaken):
            world.shares.find(replace(request(goods(node), order="cs_test_2"), name=made.name))


class TestClose:
    def test_the_link_is_dead_and_the_files_are_kept(self, world: World) -> None:
        share = delivered(world)
        world.shares.close(share.id)
        assert world.open_files(share.name) is None
        assert world.files_made() == {share.name: ["guide.pdf", "map.pdf"]}

    def test_another_order_s_link_stays_alive(self, world: World) -> None:
        one, other = delivered(world), delivered(world, order="cs_test_2")
        world.shares.close(one.id)
        assert world.open_files(other.name) == ("guide.pdf", "map.pdf")

    def test_a_share_that_is_closed_already_stays_closed(self, world: World) -> None:
        share = delivered(world)
        world.shares.close(share.id)
        world.shares.close(share.id)
        assert world.open_files(share.name) is None

    def test_a_share_that_is_gone_is_closed(self, world: World) -> None:
        share = delivered(world)
        world.delete(share.name)
        world.shares.close(share.id)
        assert world.files_made() == {}

    def test_a_close_whose_answer_was_lost_is_asked_for_again(self, world: World) -> None:
        share = delivered(world)
        world.lose_answer()
        with pytest.raises(FastioUnavailable):
            world.shares.close(share.id)
        world.shares.close(share.id)
        assert world.open_files(share.name) is None


class TestReopen:
    def test_the_same_link_gives_the_same_files_until_then(self, world: World) -> None:
        share = delivered(world)
        world.shares.close(share.id)
        assert world.shares.reopen(share.id, until=(until := now() + 2 * WEEK)) == whole(until)
        assert world.open_files(share.name) == ("guide.pdf", "map.pdf")
        assert world.open_files(share.name, after=2 * WEEK - MINUTE) == ("guide.pdf", "map.pdf")
        assert world.open_files(share.name, after=2 * WEEK + MINUTE) is None

    def test_a_share_is_open_no_longer_than_until_then(self, world: World) -> None:
        share = delivered(world)
        world.shares.close(share.id)
        world.shares.reopen(share.id, until=now() + timedelta(days=1))
        assert world.open_files(share.name, after=timedelta(days=1) + MINUTE) is None

    def test_a_share_that_is_open_is_left_open(self, world: World) -> None:
        share = delivered(world)
        for _ in range(2):
            assert world.shares.reopen(share.id, until=share.expires_at) == share.expires_at
            assert world.open_files(share.name) == ("guide.pdf", "map.pdf")

    def test_an_end_within_a_minute_is_the_end_that_it_has(self, world: World) -> None:
        share = delivered(world)
        world.shares.close(share.id)
        world.shares.reopen(share.id, until=share.expires_at + MINUTE)
        wanted = request(goods(world.put("guide.pdf")[0], world.put("map.pdf")[0]))
        found = world.shares.find(wanted)
        assert found is not None
        assert found.expires_at == share.expires_at

    def test_a_share_that_is_gone_is_told_and_not_made_again(self, world: World) -> None:
        share = delivered(world)
        world.delete(share.name)
        assert world.shares.reopen(share.id, until=now() + WEEK) is None
        assert world.files_made() == {}

    def test_a_share_that_is_locked_needs_a_person(self, world: World) -> None:
        share = delivered(world)
        world.shares.close(share.id)
        world.lock(share.name)
        with pytest.raises(ShareRefused):
            world.shares.reopen(share.id, until=share.expires_at)

    def test_a_reopening_whose_answer_was_lost_is_asked_for_again(self, world: World) -> None:
        share = delivered(world)
        world.shares.close(share.id)
        world.lose_answer()
        with pytest.raises(FastioUnavailable):
            world.shares.reopen(share.id, until=share.expires_at)
        assert world.shares.reopen(share.id, until=share.expires_at) == share.expires_at
        assert world.open_files(share.name) == ("guide.pdf", "map.pdf")


class TestWithdraw:
    def test_its_link_opens_nothing_for_good_and_the_next_one_has_another(self, world: World) -> None:
        share = delivered(world)
        world.shares.withdraw(share.id)
        assert world.open_files(share.name) is None
        assert world.shares.reopen(share.id, until=share.expires_at) is None
        guide = goods(world.put("guide.pdf")[0])
        later = world.shares.open(replace(request(guide), share_id=share.id))
        assert later.name == request(guide).next_name

    @pytest.mark.parametrize("archived", [True, False])
    def test_it_can_be_repeated_after_an_answer_that_was_lost_too(self, world: World, *, archived: bool) -> None:
        share = delivered(world)
        if archived:
            world.shares.close(share.id)
        world.lose_answer()
        with pytest.raises(FastioUnavailable):
            world.shares.withdraw(share.id)
        world.shares.withdraw(share.id)
        assert world.open_files(share.name) is None


class TestWasOpened:
    def test_it_is_known_of_the_share_whose_file_somebody_opened(self, world: World) -> None:
        share, other = delivered(world), delivered(world, order="cs_test_2")
        assert world.open_files(share.name)
        assert not world.shares.was_opened(share.id)
        world.open_a_file(share.name)
        assert (world.shares.was_opened(share.id), world.shares.was_opened(other.id)) == (True, False)


class TestStrip:
    """What was taken back goes out of the share, though what stays cannot be looked up any more."""

    def kept(
        self, world: World, *, gone: bool = False, stays: bool = False, extra: bool = False
    ) -> tuple[str, ...] | None:
        """What the link opens after `guide.pdf` was taken back; whether its node, and the other's, can be found."""
        guide, chart = world.put("guide.pdf", "1")[0], world.put("map.pdf", "22")[0]
        share = world.shares.open(request(goods(guide, chart)))
        leaving = goods(guide if gone else "n-unknown")
        staying = goods(*([chart] if stays else ["n-unknown"]), *([guide] if extra else []))
        for _ in range(2):
            world.shares.strip(share.id, gone=(leaving,), kept=(staying,))
        return world.open_files(share.name)

    def test_what_is_gone_goes_and_everything_else_stays(self, world: World) -> None:
        assert self.kept(world, gone=True) == ("map.pdf",)
        assert self.kept(world, gone=True, stays=True) == ("map.pdf",)

    def test_a_file_that_another_product_still_gives_stays(self, world: World) -> None:
        assert self.kept(world, gone=True, stays=True, extra=True) == ("guide.pdf", "map.pdf")

    def test_where_nobody_knows_what_went_only_what_is_known_to_stay_stays(self, world: World) -> None:
        assert self.kept(world, stays=True) == ("map.pdf",)

    def test_where_nobody_knows_either_the_link_is_closed(self, world: World) -> None:
        assert self.kept(world) is None


def whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


@pytest.mark.parametrize("text", ["", "o123456789", "1/../2", "-1", "1.5", "٣"])  # The last is an Arabic three.
def test_what_is_no_share_id_is_refused(world: World, text: str) -> None:
    with pytest.raises(ShareRefused):
        world.shares.close(text)
    with pytest.raises(ShareRefused):
        world.shares.reopen(text, until=now() + WEEK)
    with pytest.raises(ShareRefused):
        world.shares.withdraw(text)
    with pytest.raises(ShareRefused):
        world.shares.was_opened(text)


def delivered(world: World, *, order: str = "cs_test_1") -> Share:
    """A share of two files, open for a week."""
    bought = goods(world.put("guide.pdf")[0], world.put("map.pdf")[0])
    return world.shares.open(request(bought, order=order))
