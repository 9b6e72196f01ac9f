"""What has to change in a share until it holds exactly the wanted files. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from paidshare.fastio_wire import Node


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
        if node.name in missing and _same(node, missing[node.name]):
            del missing[node.name]
        else:
            surplus.append(node)
    return Differences(tuple(surplus), missing)


def _same(have: Node, want: Node) -> bool:
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
