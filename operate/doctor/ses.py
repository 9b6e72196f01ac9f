"""SES: that letters may leave, that mailboxes believe them, and that their fate is heard."""

from typing import Any

from operate.doctor.checks import Check, Found, Mend, Moot, care, good, wrong
from operate.setup import sender
from operate.stacks import Stack

_GROUP = "SES"
_QUOTA = 0.8
_VERIFY = "SES, Identities: verify the domain, and add the DNS records that it shows (docs/going-live.md)"


def _identity(to: Stack) -> dict[str, Any] | None:
    """The sender's own, where it may send, else its domain's; None where SES has neither."""
    return to.once.answer("SES identity", lambda: sender.identity(to))


def _account(to: Stack) -> dict[str, Any]:
    return to.once.answer("SES account", lambda: dict(to.client("sesv2").get_account()))


def _verified(to: Stack) -> Found:
    address, found = to.parameters["SenderAddress"], _identity(to)
    if found is None:
        mend = Mend(f"ask SES to verify {address}", sender.mended)
        return wrong(f"SES knows neither {address} nor its domain", _VERIFY, mend)
    if not found.get("VerifiedForSendingStatus"):
        return wrong(f"{address} is not verified: no letter leaves", _VERIFY)
    return good(f"letters leave from {address}")


def _known(to: Stack) -> dict[str, Any]:
    """Raises Moot where SES knows no sender."""
    found = _identity(to)
    if found is None:
        raise Moot
    return found


def _dkim(to: Stack) -> Found:
    signing = _known(to).get("DkimAttributes", {})
    if signing.get("SigningEnabled") and signing.get("Status") == "SUCCESS":
        return good("letters are signed (DKIM)")
    return care("letters are not signed (DKIM): many end among the spam", _VERIFY)


def _mail_from(to: Stack) -> Found:
    found = _known(to).get("MailFromAttributes", {})
    if found.get("MailFromDomainStatus") == "SUCCESS":
        return good("the envelope's sender is of the shop's own domain (SPF)")
    return care(
        "the envelope's sender is SES's: SPF does not speak for the shop", "SES, the identity, Custom MAIL FROM domain"
    )


def _sandbox(to: Stack) -> Found:
    if _account(to).get("ProductionAccessEnabled"):
        return good("letters reach everybody")
    words = "SES is in its sandbox: letters reach verified addresses alone"
    mend = "SES, Account dashboard, Request production access"
    return wrong(words, mend) if to.livemode else care(words, mend)


def _sending(to: Stack) -> Found:
    said = _account(to)
    if not said.get("SendingEnabled") or said.get("EnforcementStatus") == "SHUTDOWN":
        return wrong("SES has stopped this account's sending", "SES, Account dashboard: answer the review's case")
    if said.get("EnforcementStatus") == "PROBATION":
        return care("SES reviews this account", "SES, Reputation metrics: bounces and complaints have to go down")
    return good("SES sends")


def _quota(to: Stack) -> Found:
    quota = _account(to).get("SendQuota", {})
    most, sent = quota.get("Max24HourSend", 0.0), quota.get("SentLast24Hours", 0.0)
    words = f"{sent:.0f} of the {most:.0f} letters of a day have left"
    # An account without a limit says -1.
    return care(words, "Service Quotas, SES, Sending quota") if 0 <= most * _QUOTA < sent else good(words)


CHECKS = (
    Check(_GROUP, "sender", _verified),
    Check(_GROUP, "DKIM", _dkim, on_a_laptop=False),
    Check(_GROUP, "MAIL FROM", _mail_from, on_a_laptop=False),
    Check(_GROUP, "sandbox", _sandbox, on_a_laptop=False),
    Check(_GROUP, "sending", _sending, on_a_laptop=False),
    Check(_GROUP, "quota", _quota, on_a_laptop=False),
)
