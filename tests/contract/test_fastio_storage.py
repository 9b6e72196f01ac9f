"""What lies at Fast.io, through the real adapter and real HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.fastio.server import fastio_app
from local.hosting.serving import serving
from paidshare.errors import FastioUnavailable, FileMissing
from paidshare.shares_fastio import FastioStorage, Rights
from tests.fastio_world import FastioWorld, goods


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
def storage(world: FastioWorld) -> FastioStorage:
    return FastioStorage(world.over_http())


def test_all_workspaces_are_listed_that_the_key_sees(world: FastioWorld, storage: FastioStorage) -> None:
    names = [f"shop-{number:03}" for number in range(120)]
    for name in names:
        world.put("a.pdf", workspace=name)
    world.member(names[7], member=False)
    assert [one.name for one in storage.workspaces()] == [name for name in names if name != names[7]]


def test_a_folder_shows_what_can_be_sold_by_name(world: FastioWorld, storage: FastioStorage) -> None:
    node, [folder] = world.put("Guides/b.pdf", "12345")
    world.put("a.pdf")
    world.put("gone.pdf", flags={"trashed": True})
    inside = storage.inside("my-shop")
    assert [(one.name, one.kind) for one in inside] == [("Guides", "folder"), ("a.pdf", "file")]
    [file] = storage.inside("my-shop", folder)
    assert (file.id, file.size) == (node, 5)


def test_goods_are_what_a_buyer_gets_or_what_a_delivery_would_say(world: FastioWorld, storage: FastioStorage) -> None:
    _, [folder] = world.put("Guides/b.pdf")
    assert [one.name for one in storage.bought(goods(folder))] == ["b.pdf"]
    with pytest.raises(FileMissing):
        storage.bought(goods("gone-1"))


@pytest.mark.parametrize(
    ("said", "most"),
    [
        (None, 3),
        ({"result": True, "limits": {"shares": 100}}, 100),
        ({"result": True, "limits": {"shares": {"max": "1000"}}}, 1_000),
        ({"result": True, "shares": {"limit": 10}}, 10),
        ({"result": True, "limits": {"shares": "unlimited"}}, None),
        ({"result": True, "limits": {}}, None),
        ({"result": False}, None),
    ],
)
def test_the_plan_s_limit_is_told_where_fast_io_tells_it(
    world: FastioWorld, storage: FastioStorage, said: dict[str, Any] | None, most: int | None
) -> None:
    world.put("a.pdf")
    if said is not None:
        world.fault({"match": "GET /workspace/*/limits/", "status": 200, "body": said})
    assert storage.most_shares("my-shop") == most


def test_a_list_that_is_not_understood_is_no_empty_one(world: FastioWorld, storage: FastioStorage) -> None:
    world.fault({"match": "GET /workspaces/all/", "status": 200, "body": {"result": True, "workspaces": "none"}})
    with pytest.raises(FastioUnavailable):
        list(storage.workspaces())


@pytest.mark.parametrize(
    ("said", "rights"),
    [
        (None, Rights(writes=True, administers=True)),
        ({"scopes": ["org:1:r", "workspace:2:rwa"]}, Rights(writes=True, administers=True)),
        ({"scopes": ["user:*:rw"]}, Rights(writes=True, administers=False)),
        ({"scopes": ["workspace:2:rwa"], "admin": False}, Rights(writes=True, administers=False)),
        ({"scopes": ["user:*:r"]}, Rights(writes=False, administers=False)),
        ({"scopes": ["user:*:r"], "full_access": True}, Rights(writes=True, administers=True)),
        ({"scopes": {"user": "rw"}}, Rights(writes=None, administers=None)),
        ({"scopes": {"user": "rw"}, "admin": True}, Rights(writes=None, administers=True)),
    ],
)
def test_what_a_key_may_do_is_known_where_fast_io_says_so(
    world: FastioWorld, storage: FastioStorage, said: dict[str, Any] | None, rights: Rights
) -> None:
    if said is not None:
        world.fault({"match": "GET /auth/scopes/", "status": 200, "body": {"result": True, **said}})
    assert storage.rights() == rights
