"""The port `Mailer` on SES v2."""

import hashlib
from email.utils import formataddr
from threading import Lock
from typing import TYPE_CHECKING

import idna
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from paidshare.aws.errors import AWS_ERRORS, code, summary
from paidshare.delivering.errors import LetterRejected, MailUnavailable
from paidshare.feedback.mail_events import LETTER_TAG, MARK_TAG, ORDER_TAG, is_tag
from paidshare.orders import Letter
from paidshare.storefront.seller import PLAIN, Logo, Seller

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sesv2.type_defs import AttachmentTypeDef, MessageHeaderTypeDef, MessageTagTypeDef, MessageTypeDef

# What SES would refuse again. Everything else (throttles, a paused account, a missing permission) stops all
# letters alike and is tried again: docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
_REJECTED = "MessageRejected"
_FINAL = frozenset({_REJECTED, "BadRequestException"})

REFUSED_IN_A_ROW = 3
"""
`MessageRejected` is SES's word for one letter's content or address, and for a sender whose identity is not verified any
more: a DNS record was deleted, say. So many different orders in a row, and it is taken for the latter.
"""

_WAIT_FOR_A_SENDER_S = 300.0


class SesMailer:
    """
    Sends from one address in the *seller*'s name, with the configuration set that tells what becomes of each letter
    (`mail_events`). The order's id and the letter's kind go along as tags, so that those events name them. An order's
    letters are one conversation. Safe to use from several threads at once.
    """

    def __init__(self, sesv2: "SESV2Client", *, sender: str, configuration_set: str, seller: Seller = PLAIN) -> None:
        self._sesv2 = sesv2
        self._sender = sender
        # A name in another script than Latin goes in MIME's words: SES takes 7-bit ASCII only.
        self._from = formataddr((seller.name, sender))
        self._reply_to = [seller.reply_to] if seller.reply_to else []
        self._logo = [] if seller.logo is None else [_attached(seller.logo)]
        self._configuration_set = configuration_set
        self._rejected: set[str] = set()
        self._lock = Lock()

    def send(self, letter: Letter, *, order_id: str) -> str:
        try:
            answer = self._sesv2.send_email(
                FromEmailAddress=self._from,
                Destination={"ToAddresses": [_ascii(letter.to)]},
                ReplyToAddresses=self._reply_to,
                Content={"Simple": self._message(letter, order_id)},
                ConfigurationSetName=self._configuration_set,
                EmailTags=_tags({ORDER_TAG: order_id, LETTER_TAG: letter.kind, MARK_TAG: letter.mark}),
            )
        except AWS_ERRORS as exc:
            if self._rejects_every_letter(exc, order_id):
                raise MailUnavailable(
                    f"{summary('SES', exc)} for {REFUSED_IN_A_ROW} orders in a row: is the sender still verified?",
                    wait=_WAIT_FOR_A_SENDER_S,
                ) from exc
            if isinstance(exc, ClientError) and code(exc) in _FINAL:
                raise LetterRejected(summary("SES", exc)) from exc
            raise MailUnavailable(summary("SES", exc), in_doubt=_in_doubt(exc)) from exc
        with self._lock:
            self._rejected.clear()
        return answer["MessageId"]

    def _message(self, letter: Letter, order_id: str) -> "MessageTypeDef":
        return {
            "Subject": {"Data": letter.subject, "Charset": "UTF-8"},
            "Body": {
                "Text": {"Data": letter.text, "Charset": "UTF-8"},
                "Html": {"Data": letter.html, "Charset": "UTF-8"},
            },
            "Headers": self._headers(letter, order_id),
            "Attachments": self._logo,
        }

    def _headers(self, letter: Letter, order_id: str) -> "list[MessageHeaderTypeDef]":
        """
        Nobody is to answer it by machine (RFC 3834), and all of an order's letters refer to one that never was, so that
        they stand together (RFC 5322, 3.6.4). What SES calls a letter itself is not ours to choose
        (docs.aws.amazon.com/ses/latest/dg/header-fields.html).
        """
        thread = f"<{hashlib.sha256(order_id.encode()).hexdigest()[:32]}@{self._sender.rpartition('@')[2]}>"
        before = [self._as_mailed(letter.follows)] if letter.follows else []
        headers = {
            "Auto-Submitted": "auto-generated",
            "References": " ".join((thread, *before)),
            "In-Reply-To": (before or [thread])[0],
        }
        return [{"Name": name, "Value": value} for name, value in headers.items()]

    def _as_mailed(self, message_id: str) -> str:
        """What stands in a letter's Message-ID: SES answers only what is before the @."""
        region = self._sesv2.meta.region_name
        return f"<{message_id.partition('@')[0]}@{'email' if region == 'us-east-1' else region}.amazonses.com>"

    def _rejects_every_letter(self, exc: ClientError | BotoCoreError, order_id: str) -> bool:
        if not (isinstance(exc, ClientError) and code(exc) == _REJECTED):
            return False
        with self._lock:
            self._rejected.add(order_id)
            return len(self._rejected) >= REFUSED_IN_A_ROW


def _ascii(address: str) -> str:
    """
    The address with its domain in Punycode: SES takes 7-bit ASCII only
    (docs.aws.amazon.com/ses/latest/APIReference-V2/API_Destination.html). What no domain can be is left for SES to
    refuse, and so is another script before the @, which it cannot deliver to.
    """
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return local + at + idna.encode(domain, uts46=True, transitional=False).decode("ascii")
    except idna.IDNAError:
        return address


def _attached(logo: Logo) -> "AttachmentTypeDef":
    """The picture that a letter shows as `cid:logo`: what is in the letter is fetched from nowhere."""
    return {
        "FileName": "logo.png",
        "RawContent": logo.content,
        "ContentType": "image/png",
        "ContentDisposition": "INLINE",
        "ContentId": "logo",
        "ContentTransferEncoding": "BASE64",
    }


def _tags(wanted: dict[str, str]) -> "list[MessageTagTypeDef]":
    """SES refuses a letter for a tag that it does not take, and the letter matters more."""
    return [{"Name": name, "Value": value} for name, value in wanted.items() if is_tag(value)]


def _in_doubt(exc: ClientError | BotoCoreError) -> bool:
    """Whether the request may have arrived: the connection stood, and no answer came that says what became of it."""
    if isinstance(exc, ClientError):
        return exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
    return isinstance(exc, HTTPClientError)
