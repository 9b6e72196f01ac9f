"""What becomes of letters that needs a person."""

from paidshare.errors import NeedsAPerson


class LetterBounced(NeedsAPerson):
    """SES took the letter, and the buyer's mail server refused it for good: the buyer has no link, or no news."""

    advice = (
        "Find the buyer through the payment in Stripe and ask for another address, then `paidshare resend ORDER"
        " --to ADDRESS`. If SES only suppresses the address, take it off that list and `paidshare resend ORDER`."
        " Then `paidshare dismiss ORDER`: a redrive mails nothing."
    )


class LetterComplained(NeedsAPerson):
    """The buyer called a letter spam. SES sends no more to an address that is on its suppression list."""

    advice = (
        "Ask the buyer in another way whether they have the goods; `paidshare resend ORDER --to ADDRESS` mails"
        " them elsewhere. Then `paidshare dismiss ORDER`: a redrive mails nothing."
    )


class LetterRejectedLater(NeedsAPerson):
    """SES took the letter, found what it takes for a virus, and did not send it."""

    advice = (
        "Look for a link or a name in the product that SES could take for malware; mended, `paidshare resend"
        " ORDER` mails it again. Then `paidshare dismiss ORDER`: a redrive mails nothing."
    )
