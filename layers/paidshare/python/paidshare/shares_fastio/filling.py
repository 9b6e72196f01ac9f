"""What is in a share: files are added by hash, and taken out, until it holds what is wanted and nothing else."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, wait
from itertools import batched
from typing import Protocol

from paidshare import shares
from paidshare.errors import FastioUnavailable
from paidshare.orders import Goods
from paidshare.shares_fastio import contents, files, wire
from paidshare.shares_fastio.api import FastioApi
from paidshare.shares_fastio.values import Node, RemoteShare
from paidshare.shares_fastio.wire import path


class Each(Protocol):
    """Does the same to each of some things."""

    def __call__[T, R](self, do: Callable[[T], R], some: Iterable[T]) -> list[R]:
        """
        What came of each, in their order. When one fails, no further ones are begun, those under way come to their
        end, and then its error is raised: nothing is under way any more when this is over.
        """


def one_by_one[T, R](do: Callable[[T], R], some: Iterable[T]) -> list[R]:
    """`Each`, one after the other."""
    return [do(one) for one in some]


class AtOnce:
    """`Each`, up to *most* at once, in *threads*, which all who call share."""

    def __init__(self, threads: Executor, *, most: int) -> None:
        self._threads = threads
        self._most = most

    def __call__[T, R](self, do: Callable[[T], R], some: Iterable[T]) -> list[R]:
        found: list[R] = []
        for part in batched(some, self._most, strict=False):
            begun = [self._threads.submit(do, one) for one in part]
            wait(begun)
            found += [one.result() for one in begun]
        return found


def wanted_files(api: FastioApi, goods: tuple[Goods, ...]) -> dict[str, Node]:
    """The files of *goods* by what they are called in a share."""
    bought = files.bought(api, goods)
    return dict(zip(shares.distinct_names(node.name for node in bought), bought, strict=True))


def fill(
    api: FastioApi, remote: RemoteShare, wanted: dict[str, Node], missing: dict[str, Node], *, each: Each = one_by_one
) -> None:
    """Add what is *missing* of the *wanted*, *each*. Raises FastioUnavailable when conflicts kept a file out."""
    # A conflict keeps no other file from being tried.
    added = each(lambda file: _added(api, remote, *file), missing.items())
    still = {} if all(added) else tidied(api, remote, wanted)
    if still:
        raise FastioUnavailable(f"share {remote.id} lacks {len(still)} of {len(wanted)} files after a conflict")


def tidied(api: FastioApi, remote: RemoteShare, wanted: dict[str, Node]) -> dict[str, Node]:
    """Take out of the share all that is not *wanted*; what is wanted and not in it."""
    # The whole list first: taking out while paging could make a page skip a file.
    found = contents.differences(wanted, tuple(files.listed(api, "share", remote.id, "root")))
    take_out(api, remote.id, found.surplus)
    return found.missing


def take_out(api: FastioApi, share_id: str, nodes: Iterable[Node]) -> None:
    for node in nodes:
        reply = api.delete(path("share", share_id, "storage", node.id, "delete"))
        if reply.status != 404:
            api.data(reply, doing=f"take node {node.id} out of share {share_id}")


def _added(api: FastioApi, remote: RemoteShare, name: str, node: Node) -> bool:
    """Whether Fast.io says that the file is in the share now. A conflict may mean yes or no."""
    add = path("share", remote.id, "storage", "root", "addfile")
    reply = api.post(add, wire.file_form(name, node), repeatable=True)
    if reply.status != 409:
        api.data(reply, doing=f"add node {node.id} to share {remote.id} by its {node.hash_algo}")
    return reply.status != 409
