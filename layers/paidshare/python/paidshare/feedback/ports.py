"""What feedback needs from outside."""

from typing import Protocol

from paidshare.feedback.mail_events import MailEvent


class MailLog(Protocol):
    """What became of each order's letters. Every call raises LedgerUnavailable."""

    def note(self, event: MailEvent) -> bool:
        """
        Write *event* down on its order, if the ledger knows the order. False when a person was told of it (`told`).

        What becomes of a letter that left before its buyer corrected the address is no news, and not written down.

        Safe to call any number of times and in any order: the newest moment of each fact stays.
        """

    def told(self, event: MailEvent) -> None:
        """Remember that a person was told of *event*."""
