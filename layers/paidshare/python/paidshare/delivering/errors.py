"""What only delivering raises, and what it delivers with: see paidshare.errors for the tree."""

from paidshare.errors import NeedsAPerson, TryAgain


class OrderNotThereYet(TryAgain):
    """Stripe knows the payment, and no order that it belongs to. After some minutes it is nobody's."""


class OutOfTime(TryAgain):
    """The invocation is about to end. What is done is kept; the next one carries on."""


class LetterInDoubt(TryAgain):
    """A crash or a lost answer left it open whether a letter was sent. SES's own event tells, within seconds."""


class MailUnavailable(TryAgain):
    """
    SES cannot be asked now, or sending is paused. Look at the account's sending status and quota.

    `in_doubt`: no answer came, so SES may have taken the letter all the same.
    """

    def __init__(self, message: str, *, wait: float | None = None, in_doubt: bool = False) -> None:
        super().__init__(message, wait=wait)
        self.in_doubt = in_doubt


class ModeMismatch(NeedsAPerson):
    """A test order on a live stage, or a live order on a test stage."""

    advice = "Give the stage the stripe_api_key of its own mode (parameter StripeMode). Nothing was delivered."


class AccountUnexpected(NeedsAPerson):
    """An event of a connected account (Stripe Connect). Its goods are not the seller's own."""

    advice = (
        "If connected accounts sell here, deploy with ConnectedAccounts=allow and redrive; else take the endpoint off."
    )


class PaymentUndone(NeedsAPerson):
    """
    Stripe says “not paid” of an order that was delivered as paid, without a refund or a dispute.

    The buyer keeps access: a word of Stripe's that this version does not know must not take it from everybody.
    """

    advice = "Look at the order in Stripe. If the money is gone, refund it there or archive its share in Fast.io."


class PaidLate(NeedsAPerson):
    """An invoice was paid for a subscription that is canceled or unpaid, and `LatePayments` is `ask`."""

    advice = "Refund it in Stripe, or deploy with LatePayments=deliver and redrive: the paid period is delivered then."


class PaidNothingGiven(NeedsAPerson):
    """
    The seller keeps money for the order, and for a day Stripe has said what gives the buyer nothing.

    A part of an invoice may be paid, or Stripe may have a word that this version does not know.
    """

    advice = "Look at the order in Stripe: wait for the rest and redrive, refund it, or deliver by hand."


class MetadataBroken(NeedsAPerson):
    """A paid line's product metadata is half-filled or malformed."""

    advice = "Correct the product's metadata in Stripe (README, “Say what to deliver”); then redrive."


class ShareTaken(NeedsAPerson):
    """The order's share name exists, and is not this order's share."""

    advice = "Look at the share in Fast.io. Names come from link_key: was it changed or copied from another stage?"


class AddressMissing(NeedsAPerson):
    """Stripe has no e-mail address for a paid order."""

    advice = (
        "Find the buyer through the payment in Stripe and ask for an address;"
        " `paidshare resend ORDER --to ADDRESS` writes it down and delivers."
    )


class LetterRejected(NeedsAPerson):
    """SES refuses the letter: the sender or the address is not accepted, or the account is in the sandbox."""

    advice = (
        "Check the SES identity and the sandbox, then redrive; or the buyer's address, and then"
        " `paidshare resend ORDER --to ADDRESS`."
    )
