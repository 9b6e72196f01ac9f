"""The port `Mailer` on SES v2."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from paidshare.aws_errors import AWS_ERRORS, code, summary
from paidshare.errors import LetterRejected, MailUnavailable
from paidshare.orders import Letter

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

# What SES would refuse again. Everything else (throttles, a paused account, a missing permission) stops all
# letters alike and is tried again: docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
_FINAL = frozenset({"MessageRejected", "BadRequestException"})


class SesMailer:
    """Sends from one address. The order's id goes along as a tag, so that SES's own events name the order."""

    def __init__(self, sesv2: "SESV2Client", *, sender: str) -> None:
        self._sesv2 = sesv2
        self._sender = sender

    def send(self, letter: Letter, *, order_id: str) -> str:
        try:
            answer = self._sesv2.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [letter.to]},
                Content={
                    "Simple": {
                        "Subject": {"Data": letter.subject, "Charset": "UTF-8"},
                        "Body": {
                            "Text": {"Data": letter.text, "Charset": "UTF-8"},
                            "Html": {"Data": letter.html, "Charset": "UTF-8"},
                        },
                    }
                },
                EmailTags=[{"Name": "order", "Value": order_id}],
            )
        except AWS_ERRORS as exc:
            if isinstance(exc, ClientError) and code(exc) in _FINAL:
                raise LetterRejected(summary("SES", exc)) from exc
            raise MailUnavailable(summary("SES", exc)) from exc
        return answer["MessageId"]
