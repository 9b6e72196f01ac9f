"""Who sends the letters, as SES knows them."""

from typing import Any

from botocore.exceptions import ClientError

from operate.stacks import Stack


def identity(to: Stack) -> dict[str, Any] | None:
    """The sender's own, where it may send, else its domain's; None where SES has neither. Raises AWS's own errors."""
    sender = to.parameters["SenderAddress"]
    found = []
    for name in (sender, domain(to)):
        try:
            found.append(dict(to.client("sesv2").get_email_identity(EmailIdentity=name)))
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "NotFoundException":
                raise
    return next((one for one in found if one.get("VerifiedForSendingStatus")), found[0] if found else None)


def domain(to: Stack) -> str:
    return to.parameters["SenderAddress"].rpartition("@")[2]


def mended(to: Stack, *, whole_domain: bool = False) -> list[str]:
    """
    What was done, so that SES knows the sender, and what a person has still to do. Nothing where it may send.

    Raises AWS's own errors.
    """
    found = identity(to)
    if found and found.get("VerifiedForSendingStatus"):
        return []
    name = domain(to) if whole_domain else to.parameters["SenderAddress"]
    if found is None:
        found = dict(to.client("sesv2").create_email_identity(EmailIdentity=name))
        done = [f"asked SES to verify {name}"]
    else:
        done = [f"SES waits for {name} to be verified"]
    if found.get("VerifiedForSendingStatus"):
        return [*done, "it may send already"]
    if tokens := found.get("DkimAttributes", {}).get("Tokens"):
        records = [f"{token}._domainkey.{domain(to)} CNAME {token}.dkim.amazonses.com" for token in tokens]
        return [*done, "add to the domain's DNS:", *records]
    return [*done, f"open the message of Amazon's in the mailbox of {name}, and follow its link"]
