"""The port Shares: the same rules for the fake and for the adapter over real HTTP to the stand-in."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

import pytest

from local.fastio_server import fastio_app
from local.serving import serving
from paidshare.errors import FastioUnavailable, FileMissing, OutOfTime, ShareTaken
from paidshare.orders import ShareRequest
from paidshare.ports import Shares
from tests.fakes_shares import MemoryShares
from tests.fastio_world import FastioWorld, goods, now, request


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


class HttpWorld(FastioWorld):
    def infected(self, path: str) -> str:
        return self.put(path, flags={"infected": True})[0]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(fastio_app()) as served:
        yield served


@pytest.fixture(params=["fake", "fastio"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "fake":
        yield MemoryWorld()
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

    def test_a_share_that_waited_longer_than_a_day_gets_the_days_the_letter_will_promise(self, world: World) -> None:
        file, _ = world.put("guide.pdf")
        wanted = request(goods(file))
        world.shares.open(wanted)

        later = ShareRequest(
            wanted.order_id, wanted.name, wanted.title, wanted.expires_at + timedelta(days=3), wanted.goods
        )

        assert world.shares.open(later).expires_at == later.expires_at
        assert world.shares.open(later).expires_at == later.expires_at

    def test_a_share_that_exists_keeps_its_own_expiry(self, world: World) -> None:
        guide, _ = world.put("guide.pdf")
        wanted = request(goods(guide))
        first = world.shares.open(wanted)
        later = type(wanted)(
            wanted.order_id, wanted.name, wanted.title, wanted.expires_at + timedelta(days=1), wanted.goods
        )
        assert world.shares.open(later).expires_at == first.expires_at

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
