"""What Fast.io's answers come to. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What came back for one call. Header names are lower-case.

    `status` 0 means that no answer came and `failure` says why; `sent` is False when the request cannot have
    reached Fast.io. `hidden` names the place that the call was about when it was refused although the key is good.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    failure: Exception | None = None
    sent: bool = True
    hidden: Literal["workspace", "share"] | None = None

    @property
    def in_doubt(self) -> bool:
        """Whether Fast.io may have done what it was asked without our knowing."""
        return self.sent and (self.status == 0 or self.status >= 500)


@dataclass(frozen=True, slots=True)
class Problem:
    """
    What a refusal says about itself, fit for a log: a number, field names, Fast.io's request id, and its `reason`, the
    one word of it that does not change.
    """

    code: str | None
    fields: tuple[str, ...]
    request_id: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A file or folder. `size` is in bytes. `gone`: trashed or deleted."""

    id: str
    name: str
    kind: Literal["file", "folder", "other"]
    size: int | None
    hash: str | None
    hash_algo: str | None
    gone: bool
    infected: bool


@dataclass(frozen=True, slots=True)
class RemoteShare:
    """
    A share as Fast.io describes it. `order_id` is None when it is not one of ours. `name` is its `custom_name`, `url`
    what else leads to it; `access` is who gets in, `downloads` what is kept from a guest; None where it is not said.

    `archived`: closed to guests until it is unarchived; None: it does not say. `barred`: why it can not be opened to
    them at all.
    """

    id: str
    expires_at: datetime | None
    order_id: str | None
    archived: bool | None = None
    barred: tuple[str, ...] = ()
    name: str | None = None
    url: str | None = None
    access: str | None = None
    downloads: str | None = None
