"""What has to change in a share until it holds exactly the wanted files. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from paidshare.shares_fastio.values import Node


@dataclass(frozen=True, slots=True)
class Differences:
    """`surplus` must go; `missing`, by name, must be added afterwards, when the names are free."""

    surplus: tuple[Node, ...]
    missing: dict[str, Node]


def differences(wanted: Mapping[str, Node], listed: Iterable[Node]) -> Differences:
    """
    Between the files *wanted*, by the name each has in the share, and what Fast.io lists at the share's root.

    We make no folders in a share, so one that is there was not bought either. A file listed twice is surplus once.
    """
    missing, surplus = dict(wanted), []
    for node in listed:
        if node.gone:
            continue
        if node.name in missing and same(node, missing[node.name]):
            del missing[node.name]
        else:
            surplus.append(node)
    return Differences(tuple(surplus), missing)


def to_take_out(listed: Iterable[Node], *, gone: Iterable[Node] | None, kept: Iterable[Node]) -> tuple[Node, ...]:
    """
    Of the files *listed* in a share those that are among *gone* and not among *kept*. Where nobody can tell any more
    what went (None), those that are not among *kept*.
    """
    leaving, staying = None if gone is None else tuple(gone), tuple(kept)

    def leaves(node: Node) -> bool:
        return leaving is None or any(same(node, one) for one in leaving)

    there = (node for node in listed if not node.gone)
    return tuple(node for node in there if leaves(node) and not any(same(node, one) for one in staying))


def same(have: Node, want: Node) -> bool:
    """
    Whether both are one file's bytes.

    A hash that Fast.io does not tell, or that is of another kind, can not be compared. Then the size decides:
    the share is ours and was empty, and replacing every file in each run would keep a long order from ending.
    """
    if have.kind != "file":
        return False
    if have.hash and want.hash and have.hash_algo in (None, want.hash_algo):
        return have.hash.lower() == want.hash.lower()
    return have.size is not None and have.size == want.size
