"""The port Mailer: the same rules for the fake and for SES."""

import email.utils
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from paidshare.aws import SesMailer
from paidshare.delivering.errors import LetterRejected, MailUnavailable
from paidshare.delivering.ports import Mailer
from paidshare.orders import Letter
from paidshare.states import Kind
from paidshare.storefront.seller import PLAIN, Logo, Seller
from tests.builders import BUYER, SENDER
from tests.cloud import Cloud, cloud
from tests.fakes import MemoryMailer

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

LETTER = Letter(BUYER, subject="Your download: Übung ☂", text="the text", html="<p>the html</p>", kind="delivery")
ORDER_ID = "cs_test_1"
THREAD = f"<{hashlib.sha256(ORDER_ID.encode()).hexdigest()[:32]}@example.com>"
LOGO = Logo(b"a picture", 48, 24)


def a_mailer(sesv2: "SESV2Client", seller: Seller = PLAIN) -> SesMailer:
    return SesMailer(sesv2, sender=SENDER, seller=seller, configuration_set="letters")


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
        self.mailer = a_mailer(aws.sesv2)

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


def ses(region: str = "us-east-1") -> "SESV2Client":
    return boto3.client("sesv2", region, aws_access_key_id="x", aws_secret_access_key="x")


def given_to_ses(
    letter: Letter, *, order_id: str = ORDER_ID, seller: Seller = PLAIN, region: str = "us-east-1"
) -> dict[str, Any]:
    """What SES is asked for."""
    sesv2, sent = ses(region), list[dict[str, Any]]()
    sesv2.meta.events.register("provide-client-params.sesv2.SendEmail", lambda params, **_: sent.append(params))
    with Stubber(sesv2) as stubber:
        stubber.add_response("send_email", {"MessageId": "m-1"})
        a_mailer(sesv2, seller).send(letter, order_id=order_id)
    return sent[0]


def headers_of(letter: Letter, **how: Any) -> dict[str, str]:
    """The headers of ours that it goes out with."""
    return {one["Name"]: one["Value"] for one in given_to_ses(letter, **how)["Content"]["Simple"]["Headers"]}


def tags_of(letter: Letter = LETTER, *, order_id: str, kind: str) -> dict[str, str]:
    """The tags that the letter goes out with."""
    asked = given_to_ses(replace(letter, kind=kind), order_id=order_id)
    return {tag["Name"]: tag["Value"] for tag in asked["EmailTags"]}


class TestSesMailer:
    def test_the_whole_letter_goes_out_with_its_order_and_kind_as_tags(self) -> None:
        sesv2 = ses()
        with Stubber(sesv2) as stubber:
            stubber.add_response(
                "send_email",
                {"MessageId": "m-1"},
                {
                    "FromEmailAddress": SENDER,
                    "ReplyToAddresses": [],
                    "Destination": {"ToAddresses": [BUYER]},
                    "Content": {
                        "Simple": {
                            "Subject": {"Data": "Your download: Übung ☂", "Charset": "UTF-8"},
                            "Body": {
                                "Text": {"Data": "the text", "Charset": "UTF-8"},
                                "Html": {"Data": "<p>the html</p>", "Charset": "UTF-8"},
                            },
                            "Headers": [
                                {"Name": "Auto-Submitted", "Value": "auto-generated"},
                                {"Name": "References", "Value": THREAD},
                                {"Name": "In-Reply-To", "Value": THREAD},
                            ],
                            "Attachments": [],
                        }
                    },
                    "ConfigurationSetName": "letters",
                    "EmailTags": [{"Name": "order", "Value": ORDER_ID}, {"Name": "letter", "Value": "delivery"}],
                },
            )
            assert a_mailer(sesv2).send(LETTER, order_id=ORDER_ID) == "m-1"
            stubber.assert_no_pending_responses()

    @pytest.mark.parametrize(
        ("name", "sender"),
        [
            ("", SENDER),
            ("Garden Press", f"Garden Press <{SENDER}>"),
            ('Tom "T." & Co., Ltd', f'"Tom \\"T.\\" & Co., Ltd" <{SENDER}>'),
            ("Gärtnerei", f"=?utf-8?q?G=C3=A4rtnerei?= <{SENDER}>"),
        ],
    )
    def test_the_seller_s_name_is_the_sender_s_in_ascii(self, name: str, sender: str) -> None:
        asked = given_to_ses(LETTER, seller=Seller(name=name))
        assert asked["FromEmailAddress"] == sender
        assert email.utils.parseaddr(sender)[1] == SENDER

    def test_answers_go_to_the_seller_s_own_address(self) -> None:
        assert given_to_ses(LETTER, seller=Seller(reply_to="help@example.com"))["ReplyToAddresses"] == [
            "help@example.com"
        ]

    def test_the_logo_goes_along_and_is_fetched_from_nowhere(self) -> None:
        [picture] = given_to_ses(LETTER, seller=Seller(name="Garden", logo=LOGO))["Content"]["Simple"]["Attachments"]
        assert (picture["ContentId"], picture["ContentDisposition"]) == ("logo", "INLINE")
        assert (picture["RawContent"], picture["ContentType"]) == (b"a picture", "image/png")

    def test_no_machine_is_to_answer_a_letter(self) -> None:
        assert headers_of(LETTER)["Auto-Submitted"] == "auto-generated"

    def test_all_letters_of_an_order_and_no_others_refer_to_one(self) -> None:
        first, second = headers_of(LETTER), headers_of(replace(LETTER, follows="0100-a"))
        other = headers_of(LETTER, order_id="cs_test_2")
        assert first["References"] == first["In-Reply-To"] == second["References"].split()[0]
        assert other["References"] != first["References"]
        # By the order's id somebody might ask for its page.
        assert ORDER_ID not in first["References"]

    @pytest.mark.parametrize(
        ("region", "message_id"),
        [
            ("us-east-1", "<0100-a@email.amazonses.com>"),
            ("eu-west-1", "<0100-a@eu-west-1.amazonses.com>"),
        ],
    )
    @pytest.mark.parametrize("follows", ["0100-a", "0100-a@email.amazonses.com"])
    def test_a_letter_answers_the_one_before_by_the_name_that_ses_gave_it(
        self, region: str, message_id: str, follows: str
    ) -> None:
        headers = headers_of(replace(LETTER, follows=follows), region=region)
        assert headers["In-Reply-To"] == message_id
        assert headers["References"] == f"{THREAD} {message_id}"

    @pytest.mark.parametrize("order_id", ["", "cs test", "cs_ü", "cs_1\n", "x" * 257])
    def test_a_tag_that_ses_would_not_take_is_left_out_and_the_letter_goes(self, order_id: str) -> None:
        assert tags_of(order_id=order_id, kind="delivery") == {"letter": "delivery"}

    def test_a_letter_of_no_kind_has_no_tag_for_it(self) -> None:
        assert tags_of(order_id=ORDER_ID, kind="") == {"order": ORDER_ID}

    def test_the_letter_s_mark_goes_along_so_that_ses_s_events_tell_it_from_others(self) -> None:
        marked = replace(LETTER, mark="1795348940")
        assert tags_of(marked, order_id=ORDER_ID, kind="delivery")["mark"] == "1795348940"

    @pytest.mark.parametrize(
        ("address", "sent"),
        [
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
            ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
            ("ada@faß.example", "ada@xn--fa-hia.example"),
            ("ada+shop@mail.bücher.example", "ada+shop@mail.xn--bcher-kva.example"),
            # Plain as it came, also where it is none that SES would take.
            (BUYER, BUYER),
            ("Ada@Example.COM", "Ada@Example.COM"),
            ("ädä@example.com", "ädä@example.com"),
            ("ada", "ada"),
            ("ada@..ü", "ada@..ü"),
        ],
    )
    def test_a_domain_in_another_script_goes_to_ses_in_punycode(self, address: str, sent: str) -> None:
        assert given_to_ses(replace(LETTER, to=address))["Destination"] == {"ToAddresses": [sent]}

    @pytest.mark.parametrize("kind", list(Kind))
    def test_every_kind_of_letter_is_a_tag(self, kind: Kind) -> None:
        assert tags_of(order_id=ORDER_ID, kind=kind) == {"order": ORDER_ID, "letter": kind.value}

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
                a_mailer(sesv2).send(LETTER, order_id=ORDER_ID)
        assert str(caught.value) == f"SES SendEmail: {code}"

    def test_letters_of_several_orders_rejected_in_a_row_wait_for_the_sender_to_be_verified_again(
        self, aws: Cloud
    ) -> None:
        mailer = a_mailer(aws.sesv2)
        aws.sesv2.delete_email_identity(EmailIdentity=SENDER)
        for order_id in ("cs_1", "cs_2", "cs_2"):
            with pytest.raises(LetterRejected):
                mailer.send(LETTER, order_id=order_id)
        for order_id in ("cs_3", "cs_4"):
            with pytest.raises(MailUnavailable, match="is the sender still verified") as caught:
                mailer.send(LETTER, order_id=order_id)
            assert caught.value.wait
            assert caught.value.in_doubt is False
        aws.sesv2.create_email_identity(EmailIdentity=SENDER)
        assert mailer.send(LETTER, order_id="cs_3")

    def test_a_letter_that_goes_shows_that_the_sender_is_verified(self, aws: Cloud) -> None:
        mailer = a_mailer(aws.sesv2)
        for order_id in ("cs_1", "cs_2", "cs_3"):
            aws.sesv2.delete_email_identity(EmailIdentity=SENDER)
            with pytest.raises(LetterRejected):
                mailer.send(LETTER, order_id=order_id)
            aws.sesv2.create_email_identity(EmailIdentity=SENDER)
            mailer.send(LETTER, order_id="cs_0")

    def test_bad_addresses_in_a_row_are_as_many_buyers_cases(self) -> None:
        sesv2 = ses()
        mailer = a_mailer(sesv2)
        with Stubber(sesv2) as stubber:
            for number in range(5):
                stubber.add_client_error("send_email", "BadRequestException")
                with pytest.raises(LetterRejected):
                    mailer.send(LETTER, order_id=f"cs_{number}")

    def test_an_ses_out_of_reach_is_tried_again(self) -> None:
        sesv2 = boto3.client(
            "sesv2",
            "us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            endpoint_url="http://127.0.0.1:9",
            config=Config(retries={"total_max_attempts": 1}),
        )
        with pytest.raises(MailUnavailable, match="SES: EndpointConnectionError") as caught:
            a_mailer(sesv2).send(LETTER, order_id=ORDER_ID)
        assert caught.value.in_doubt is False

    @pytest.mark.parametrize(
        ("status", "in_doubt"), [(400, False), (403, False), (429, False), (500, True), (503, True)]
    )
    def test_a_failure_of_ses_s_own_leaves_it_in_doubt_and_a_refusal_does_not(
        self, *, status: int, in_doubt: bool
    ) -> None:
        sesv2 = ses()
        with Stubber(sesv2) as stubber:
            stubber.add_client_error("send_email", "SomethingNew", http_status_code=status)
            with pytest.raises(MailUnavailable) as caught:
                a_mailer(sesv2).send(LETTER, order_id=ORDER_ID)
        assert caught.value.in_doubt is in_doubt

    def test_an_answer_that_is_lost_leaves_the_letter_in_doubt(self) -> None:
        sesv2 = ses()

        def lost(**_: object) -> None:
            raise ReadTimeoutError(endpoint_url="https://ses")

        sesv2.meta.events.register("before-send.sesv2.SendEmail", lost)
        with pytest.raises(MailUnavailable, match="SES: ReadTimeoutError") as caught:
            a_mailer(sesv2).send(LETTER, order_id=ORDER_ID)
        assert caught.value.in_doubt is True
