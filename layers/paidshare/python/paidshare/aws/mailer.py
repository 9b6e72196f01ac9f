"""The port `Mailer` on SES v2."""

from threading import Lock
from typing import TYPE_CHECKING

import idna
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from paidshare.aws.errors import AWS_ERRORS, code, summary
from paidshare.delivering.errors import LetterRejected, MailUnavailable
from paidshare.feedback.mail_events import LETTER_TAG, MARK_TAG, ORDER_TAG, is_tag
from paidshare.orders import Letter

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sesv2.type_defs import MessageTagTypeDef

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
    Sends from one address, with the configuration set that tells what becomes of each letter (`mail_events`). The
    order's id and the letter's kind go along as tags, so that those events name them. Safe to use from several threads
    at once.
    """

    def __init__(self, sesv2: "SESV2Client", *, sender: str, configuration_set: str) -> None:
        self._sesv2 = sesv2
        self._sender = sender
        self._configuration_set = configuration_set
        self._rejected: set[str] = set()
        self._lock = Lock()

    def send(self, letter: Letter, *, order_id: str) -> str:
        try:
            answer = self._sesv2.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [_ascii(letter.to)]},
                Content={
                    "Simple": {
                        "Subject": {"Data": letter.subject, "Charset": "UTF-8"},
                        "Body": {
                            "Text": {"Data": letter.text, "Charset": "UTF-8"},
                            "Html": {"Data": letter.html, "Charset": "UTF-8"},
                        },
                    }
                },
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


def _tags(wanted: dict[str, str]) -> "list[MessageTagTypeDef]":
    """SES refuses a letter for a tag that it does not take, and the letter matters more."""
    return [{"Name": name, "Value": value} for name, value in wanted.items() if is_tag(value)]


def _in_doubt(exc: ClientError | BotoCoreError) -> bool:
    """Whether the request may have arrived: the connection stood, and no answer came that says what became of it."""
    if isinstance(exc, ClientError):
        return exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
    return isinstance(exc, HTTPClientError)
