"""What a reason to wait for a person means: who can mend it, and how. Pure."""

import difflib
from collections.abc import Iterable, Iterator
from enum import StrEnum

import paidshare.delivering.errors
import paidshare.feedback.errors
from paidshare.delivering.catalog import FILES, LINK_DAYS, WORKSPACE
from paidshare.errors import NeedsAPerson
from paidshare.orders import Line


class Whose(StrEnum):
    """Who can mend what an order waits for."""

    SELLER = "seller"
    """In Stripe, Fast.io or the stack's parameters, or with the buyer."""
    PROVIDER = "provider"
    """Stripe, Fast.io or SES, or the key, the plan or the quota that we have there."""
    PAIDSHARE = "paidshare"
    """A fault in the code, or in what was deployed."""


_FIELDS = (WORKSPACE, FILES, LINK_DAYS)
_PROVIDERS = frozenset({"share_refused", "patience_exhausted"})
_OURS = frozenset({"notice_unreadable"})


def whose(reason: str | None) -> Whose:
    """*reason* is None for what SQS gave up by itself: Deliver crashed on it."""
    if reason is None or reason in _OURS or reason not in _ADVICE:
        return Whose.PAIDSHARE
    return Whose.PROVIDER if reason in _PROVIDERS else Whose.SELLER


def advice(reason: str | None) -> str:
    """What to mend; empty for a reason of another version's."""
    return _ADVICE.get(reason or "", "")


def misspelt(lines: Iterable[Line]) -> Iterator[str]:
    """A field that a product has, and that is nearly one of ours: a sale of it would be nobody's, in silence."""
    for line in lines:
        for key, meant in nearly(line.metadata).items():
            yield f"Product {line.product_id} has {key}: is {meant} meant?"


def nearly(metadata: Iterable[str]) -> dict[str, str]:
    """The keys that are nearly one of ours, and which."""
    found = {}
    for key in metadata:
        near = difflib.get_close_matches(key.lower().replace("-", "_"), _FIELDS, n=1, cutoff=0.8)
        if near and key not in _FIELDS:
            found[key] = near[0]
    return found


def _every() -> Iterator[type[NeedsAPerson]]:
    for module in (paidshare.errors, paidshare.delivering.errors, paidshare.feedback.errors):
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, NeedsAPerson) and each is not NeedsAPerson:
                yield each


_ADVICE = {each("").reason: each.advice for each in _every()}
