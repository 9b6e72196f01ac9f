"""What several use cases need from outside. Each port has one adapter, and one in-memory fake in tests/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

# For the type checker only: Receive takes one of these, and must not load the values of all the others when it starts.
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from paidshare.notices import Notice
    from paidshare.progress import Progress
    from paidshare.secret import Secret
    from paidshare.states import State

type Clock = Callable[[], datetime]
"""Now, aware UTC."""

type LinkKey = Callable[[], str]
"""The secret's `link_key`, which names the shares. Raises SecretUnavailable."""


class Vault(Protocol):
    """Where the one secret is."""

    def secret(self) -> Secret:
        """The secret, at most a minute old. Raises SecretUnavailable."""

    def reread(self) -> Secret | None:
        """
        The secret as it is now, or None when it was read afresh a moment ago. Raises SecretUnavailable.

        Asked for when a signature or a key is refused, so that a rotation needs no deploy and no waiting.
        """


class Ledger(Protocol):
    """What was done for each order, and who is working on it."""

    def claim(self, order_id: str, *, holder: str, now: datetime) -> Progress:
        """
        Take the order's lease and return what was done so far. *holder* may take it again while it has it.

        Raises OrderBusy, LedgerUnavailable.
        """

    def claim_unseen(self, order_id: str, *, since: datetime, holder: str, now: datetime) -> Progress | State:
        """
        As `claim`, unless nothing is left to do and the last look has seen (`Progress.seen_until`) *since* or more:
        then the order's state, and nothing is taken.
        """

    def paid_by(self, payment: str) -> tuple[str, ...]:
        """
        The ids of the orders that are known to be paid by *payment* (`pi_…`). May lag behind, and be empty for what is
        known: whoever has to be sure asks Stripe. Raises LedgerUnavailable.
        """

    def record(self, order_id: str, progress: Progress, *, holder: str, now: datetime) -> None:
        """Write *progress* while holding the lease. Raises OrderBusy if it was lost, LedgerUnavailable."""

    def release(self, order_id: str, progress: Progress, *, holder: str, now: datetime, done: bool = True) -> None:
        """
        Write *progress* and give the lease back. Unless all is *done*, the order stays one that the sweep asks for.

        Raises like `record`.
        """

    def spare(self, order_ids: Sequence[str]) -> Sequence[str]:
        """
        Those of the orders whose share no letter promises, the one that was asked for longest ago first. Raises
        LedgerUnavailable.
        """

    def live(self, order_ids: Sequence[str], *, now: datetime) -> Collection[str]:
        """
        Those of the orders that are not over: not settled, or with an open share. Raises LedgerUnavailable.
        """


class ReconcileQueue(Protocol):
    """Where looks at orders are asked for. Every call raises QueueUnavailable."""

    def backlog(self) -> int:
        """About how many messages wait for a worker. Not those that are in work, or put off."""

    def ask(self, notices: Sequence[Notice]) -> None:
        """Queue all of *notices*; when it raises, some of them may be queued."""
