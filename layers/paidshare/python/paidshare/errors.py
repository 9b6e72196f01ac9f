"""
What can go wrong, cut by what the queue should do about it.

    PaidshareError
    ├── SettingsIncomplete     configuration: every gap in one message
    ├── TryAgain               leave it on the queue; it mends itself, or an operator mends it for all orders
    │   ├── OrderBusy              another worker holds the order
    │   ├── RoundBusy              another round of the sweep is under way
    │   ├── OrderNotThereYet       the order that an event belongs to is not at Stripe yet
    │   ├── OutOfTime              this invocation ends soon; the next one carries on
    │   ├── LedgerUnavailable      DynamoDB
    │   ├── QueueUnavailable       SQS
    │   ├── SecretUnavailable      Secrets Manager
    │   ├── StripeUnavailable      Stripe is down, slow, limiting us, or refuses our key
    │   ├── FastioUnavailable      Fast.io is down, slow, limiting us, out of credits, or refuses our key
    │   │   └── PlanFull               the plan's shares are used up
    │   ├── MailUnavailable        SES is down, limiting us, or paused
    │   └── LetterInDoubt          a letter may have left, and SES has not said so yet
    └── NeedsAPerson           no retry mends it: dead-letter at once, the order on hold, an alarm
        ├── NoticeUnreadable       a queue message that this version cannot read
        ├── OrderUnknown           Stripe does not know the order
        ├── ModeMismatch           a test order on a live stage, or the other way round
        ├── AccountUnexpected      an event of a connected account, which this shop does not expect
        ├── PaidLate               paid for a subscription that is over or unpaid, and the seller wants to be asked
        ├── PaidNothingGiven       money is kept, and the buyer has neither the goods nor a word
        ├── PaymentUndone          an order that was paid and delivered is not paid any more
        ├── MetadataBroken         a product's metadata does not say what to deliver
        ├── FileMissing            a file or workspace is not in Fast.io
        ├── ShareRefused           Fast.io refuses what we asked for
        ├── ShareTaken             the order's share name belongs to something else
        ├── AddressMissing         Stripe has no e-mail address for the buyer
        ├── LetterRejected         SES refuses the letter or the address
        ├── LetterBounced          SES took a letter, and the buyer's mail server refused it for good
        ├── LetterComplained       the buyer called a letter spam
        ├── LetterRejectedLater    SES took a letter, and then did not send it
        └── PatienceExhausted      tried for more than a day

Why a refused API key is TryAgain: it stops every order alike, so the cure is one new key, and the orders
should then go out by themselves instead of being redriven one by one. LateOrdersAlarm pages.
"""

import os
import traceback
from enum import Enum


class PaidshareError(Exception):
    """Base of everything Paidshare raises on purpose. `order_id` names the order it is about, where that is known."""

    order_id: str | None = None


class SettingsIncomplete(PaidshareError):
    """
    The environment does not say all that a function needs.

    Set what `gaps` names in template.yaml and deploy again.
    """

    def __init__(self, gaps: list[str]) -> None:
        super().__init__("settings missing or wrong: " + "; ".join(gaps))
        self.gaps = gaps


class TryAgain(PaidshareError):
    """
    Not now. `wait` is the provider's own wish in seconds, None when it has none.

    Messages never carry personal data, links or secrets: they are logged.
    """

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait

    @property
    def reason(self) -> str:
        """The fact's name for logs and metrics, such as `fastio_unavailable`."""
        return _snake_case(type(self).__name__)


class OrderBusy(TryAgain):
    """Another worker holds the order's lease. It will finish, or its lease will run out."""


class LedgerUnavailable(TryAgain):
    """DynamoDB did not answer, or refused. Look at the function's role and the table's throttles."""


class QueueUnavailable(TryAgain):
    """SQS did not take the notice. The sender is told 503 and sends it again."""


class SecretUnavailable(TryAgain):
    """The secret could not be read, or is no JSON object of the documented shape (README, "The secret")."""


class StripeUnavailable(TryAgain):
    """Stripe cannot be asked now. If it says the key is refused, put a working `stripe_api_key` in the secret."""


class Barrier(Enum):
    """What keeps our key from all orders alike, until a person has acted."""

    KEY = "the key is refused"
    SCOPE = "the key's scopes do not go so far"
    POLICY = "a policy of the organisation forbids it"


class FastioUnavailable(TryAgain):
    """
    Fast.io cannot be asked now.

    If it says the key is refused, or its scopes (`barrier`), put a working `fastio_api_key` in the secret, one with
    `rwa`; if a policy forbids it, have the organisation's owner allow it; if it says 402 or 412, the plan's credits or
    shares are used up.
    """

    def __init__(self, message: str, *, wait: float | None = None, barrier: Barrier | None = None) -> None:
        super().__init__(message, wait=wait)
        self.barrier = barrier


class PlanFull(FastioUnavailable):
    """
    The Fast.io plan's shares are used up, and none can make room: what letters promised is not taken away.

    No order waits for it: it is served by its page. Take a larger plan, or deploy with Delivery=page.
    """


class NeedsAPerson(PaidshareError):
    """
    No retry mends this. `advice` tells the operator what to mend; then redrive the message.

    `known`: the order was on hold for the same reason before, so a person was told already. `others` are further cases
    of the same look.
    """

    known = False
    others: tuple["NeedsAPerson", ...] = ()

    advice = "Read the log line of this order, mend the cause, redrive the message."

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        if advice is not None:
            self.advice = advice

    @property
    def reason(self) -> str:
        """The fact's name for logs, metrics and the dead letter, such as `metadata_broken`."""
        return _snake_case(type(self).__name__)


class NoticeUnreadable(NeedsAPerson):
    """A queue message that is no notice of a version we know."""

    advice = "Find out who wrote it; if a newer version did, deploy that version and redrive the message."


class OrderUnknown(NeedsAPerson):
    """Stripe does not know the order that a verified event named."""

    advice = "Check that stripe_api_key belongs to the account and mode whose events arrive here; then redrive."


class FileMissing(NeedsAPerson):
    """A file, folder or workspace that a product names is not in Fast.io, or not visible to our key."""

    advice = "Correct fastio_workspace or fastio_files in the product's metadata, or restore the file; then redrive."


class ShareRefused(NeedsAPerson):
    """Fast.io refuses the share or a file in it, and would refuse it again."""

    advice = "The log names the fields that Fast.io refused; mend the product or report a bug; then redrive."


class PatienceExhausted(NeedsAPerson):
    """What should have mended itself did not, in more than a day of trying."""

    advice = "Mend what the last attempt names (a provider, a key, a quota, a permission); then redrive."


def _snake_case(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


def where(error: BaseException) -> list[str]:
    """The last files and lines that a bug went through. Not its words: an unknown message might quote a person."""
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    return [f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in frames]  # noqa: PTH119
