"""The port Mailer: the same rules for the fake and for SES."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from paidshare.errors import LetterRejected, MailUnavailable
from paidshare.orders import Letter
from paidshare.ports import Mailer
from paidshare.ses_mailer import SesMailer
from tests.builders import BUYER, SENDER
from tests.cloud import Cloud, cloud
from tests.fakes import MemoryMailer

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

LETTER = Letter(to=BUYER, subject="Your download: Übung ☂", text="the text", html="<p>the html</p>")
ORDER_ID = "cs_test_1"


class World(Protocol):
    @property
    def mailer(self) -> Mailer: ...
    def refuse(self) -> None:
        """From now on letters are not accepted, and never will be."""


class MemoryWorld:
    def __init__(self) -> None:
        self.mailer = MemoryMailer()

    def refuse(self) -> None:
        self.mailer.refused.add(BUYER)


class SesWorld:
    def __init__(self, aws: Cloud) -> None:
        self.aws = aws
        self.mailer = SesMailer(aws.sesv2, sender=SENDER)

    def refuse(self) -> None:
        self.aws.sesv2.delete_email_identity(EmailIdentity=SENDER)


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture(params=["memory", "ses"])
def world(request: pytest.FixtureRequest) -> World:
    return MemoryWorld() if request.param == "memory" else SesWorld(request.getfixturevalue("aws"))


class TestSend:
    def test_every_letter_has_an_id_of_its_own(self, world: World) -> None:
        ids = [world.mailer.send(LETTER, order_id=ORDER_ID) for _ in range(3)]
        assert all(ids)
        assert len(set(ids)) == 3

    def test_a_letter_that_is_refused_for_good_is_a_case_for_a_person(self, world: World) -> None:
        world.refuse()
        with pytest.raises(LetterRejected):
            world.mailer.send(LETTER, order_id=ORDER_ID)


def ses() -> "SESV2Client":
    return boto3.client("sesv2", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


class TestSesMailer:
    def test_the_whole_letter_goes_out_with_the_order_as_a_tag(self) -> None:
        sesv2 = ses()
        with Stubber(sesv2) as stubber:
            stubber.add_response(
                "send_email",
                {"MessageId": "m-1"},
                {
                    "FromEmailAddress": SENDER,
                    "Destination": {"ToAddresses": [BUYER]},
                    "Content": {
                        "Simple": {
                            "Subject": {"Data": "Your download: Übung ☂", "Charset": "UTF-8"},
                            "Body": {
                                "Text": {"Data": "the text", "Charset": "UTF-8"},
                                "Html": {"Data": "<p>the html</p>", "Charset": "UTF-8"},
                            },
                        }
                    },
                    "EmailTags": [{"Name": "order", "Value": ORDER_ID}],
                },
            )
            assert SesMailer(sesv2, sender=SENDER).send(LETTER, order_id=ORDER_ID) == "m-1"
            stubber.assert_no_pending_responses()

    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            # SES would say the same again.
            ("MessageRejected", LetterRejected),
            ("BadRequestException", LetterRejected),
            # Stops all letters alike, so they wait together and go out together.
            ("TooManyRequestsException", MailUnavailable),
            ("LimitExceededException", MailUnavailable),
            ("SendingPausedException", MailUnavailable),
            ("AccountSuspendedException", MailUnavailable),
            ("MailFromDomainNotVerifiedException", MailUnavailable),
            ("AccessDeniedException", MailUnavailable),
            ("InternalServiceErrorException", MailUnavailable),
            ("SomethingNew", MailUnavailable),
        ],
    )
    def test_what_ses_says_decides_between_a_person_and_a_retry(self, code: str, expected: type[Exception]) -> None:
        sesv2 = ses()
        with Stubber(sesv2) as stubber:
            stubber.add_client_error("send_email", code, f"Email address is not verified: {BUYER}")
            with pytest.raises(expected) as caught:
                SesMailer(sesv2, sender=SENDER).send(LETTER, order_id=ORDER_ID)
        assert str(caught.value) == f"SES SendEmail: {code}"

    def test_an_ses_out_of_reach_is_tried_again(self) -> None:
        sesv2 = boto3.client(
            "sesv2",
            "us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            endpoint_url="http://127.0.0.1:9",
            config=Config(retries={"total_max_attempts": 1}),
        )
        with pytest.raises(MailUnavailable, match="SES: EndpointConnectionError"):
            SesMailer(sesv2, sender=SENDER).send(LETTER, order_id=ORDER_ID)
