"""What the Fast.io stand-in's account is like, as far as accounts differ or nobody knows."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Rules:
    """
    What an account's key may do, and what nobody knows of Fast.io, as hard as it could be until it is told otherwise.

    `mode` is the key's: one of `rw` may not administer. A `policy` of the organisation (its reason) refuses every call.
    `credits` are there. `taken` is how a name that exists is refused, `full` how a share more than the plan has.
    `archived_told`: whether a share says that it is archived; `archived_changes`: whether an archived one takes an
    update; `names_kept`: whether the name of a deleted share stays taken. The next `contended` creates meet a lock.
    `drops` are the fields of a create that are dropped in silence, `update_drops` those of an update.
    """

    mode: Literal["r", "rw", "rwa"] = "rwa"
    policy: str | None = None
    credits: bool = True
    taken: Literal["409", "406", "10566"] = "409"
    full: Literal[402, 403, 406, 412] = 412
    archived_told: bool = True
    archived_changes: bool = False
    names_kept: bool = True
    contended: int = 0
    drops: tuple[str, ...] = ()
    update_drops: tuple[str, ...] = ()
