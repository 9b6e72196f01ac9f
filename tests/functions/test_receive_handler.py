"""Receive on moto, from the HTTP API's event to the answer and the log."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.receive import handler as receive
from local.signing import sign_fastio_pair, sign_stripe
from paidshare import notices
from tests.builders import WEBHOOK_SECRET
from tests.cloud import EVENTS_TABLE, SECRET_NAME, Cloud, cloud
from tests.own_client import moto_over_http
from tests.printed import Printed
from tests.template_file import resources

FASTIO_SECRET = "fastio_5p1nmAk3rSfavourite5ecret"
LINK_KEY = "k" * 64


@dataclass
class Context:
    aws_request_id: str = "request-1"
    function_name: str = "receive"

    def get_remaining_time_in_millis(self) -> int:
        return 15_000


@dataclass
class Front:
    """The function with its AWS, and everything it printed."""

    aws: Cloud
    printed: Printed

    def post(self, event: dict[str, Any]) -> dict[str, Any]:
        return receive.handler(event, cast("LambdaContext", Context()))

    def queued(self) -> list[str]:
        return [notices.from_json(message["Body"]).about for message in self.aws.queued()]


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    with moto_over_http() as url:
        yield url


@pytest.fixture
def front(aws_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Front]:
    with cloud() as aws:
        aws.make_secret(
            json.dumps(
                {
                    "stripe_webhook_secrets": [WEBHOOK_SECRET],
                    "fastio_webhook_secrets": [FASTIO_SECRET],
                    "link_key": LINK_KEY,
                }
            )
        )
        for name, value in {
            "AWS_ENDPOINT_URL": aws_url,
            "STAGE": "test",
            "STRIPE_MODE": "test",
            "SECRET_NAME": SECRET_NAME,
            "QUEUE_URL": aws.queue_url,
            "EVENTS_TABLE": EVENTS_TABLE,
            "STRIPE_ALLOWED_CIDRS": "",
            "FASTIO_ALLOWED_CIDRS": "",
        }.items():
            monkeypatch.setenv(name, value)
        receive._container.cache_clear()
        yield Front(aws, Printed("receive", capsys))
        receive._container.cache_clear()


def a_checkout(**changes: Any) -> bytes:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "livemode": False,
        "created": 1_790_000_000,
        "data": {"object": {"id": "cs_test_1", "customer_details": {"email": "ada@example.com"}}},
    }
    return json.dumps(event | changes).encode()


def now() -> int:
    return int(time.time())


def an_http_event(
    body: bytes | str | None,
    headers: dict[str, str],
    *,
    base64_encoded: bool = False,
    route: str = "POST /webhook/stripe",
    address: str = "192.0.2.1",
) -> dict[str, Any]:
    """As API Gateway makes it, payload format 2.0."""
    text = body.decode() if isinstance(body, bytes) and not base64_encoded else body
    if isinstance(body, bytes) and base64_encoded:
        text = base64.b64encode(body).decode()
    path = route.partition(" ")[2]
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "user-agent": "Stripe/1.0", **headers},
        "requestContext": {
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": address},
            "requestId": "r-1",
            "routeKey": route,
            "stage": "$default",
        },
        "isBase64Encoded": base64_encoded,
    }
    return event if text is None else event | {"body": text}


def signed(body: bytes | None = None, *, secret: str = WEBHOOK_SECRET, **how: Any) -> dict[str, Any]:
    body = a_checkout() if body is None else body
    return an_http_event(body, {"stripe-signature": sign_stripe(body, secret, now())}, **how)


class TestStripe:
    def test_a_sale_is_in_the_queue_when_stripe_is_told(self, front: Front) -> None:
        assert front.post(signed()) == {
            "statusCode": 200,
            "headers": {"content-type": "application/json"},
            "body": '{"received": true}',
        }
        assert front.queued() == ["cs_test_1"]

    def test_a_base64_body_is_the_bytes_in_it(self, front: Front) -> None:
        assert front.post(signed(base64_encoded=True))["statusCode"] == 200
        assert front.queued() == ["cs_test_1"]

    def test_a_body_is_verified_byte_by_byte_with_its_spaces_and_its_umlauts(self, front: Front) -> None:
        body = json.dumps(json.loads(a_checkout()) | {"note": "Übung ☂"}, indent=2, ensure_ascii=False).encode()
        assert front.post(signed(body))["statusCode"] == 200

    @pytest.mark.parametrize("name", ["Stripe-Signature", "stripe-signature", "STRIPE-SIGNATURE"])
    def test_the_header_s_case_does_not_matter(self, front: Front, name: str) -> None:
        event = an_http_event(a_checkout(), {name: sign_stripe(a_checkout(), WEBHOOK_SECRET, now())})
        assert front.post(event)["statusCode"] == 200

    def test_the_same_event_again_is_acknowledged_and_not_queued_again(self, front: Front) -> None:
        assert [front.post(signed())["statusCode"] for _ in range(3)] == [200, 200, 200]
        assert front.queued() == ["cs_test_1"]
        assert [line["message"] for line in front.printed.log()] == [
            "notice_queued",
            "notice_repeated",
            "notice_repeated",
        ]

    @pytest.mark.parametrize("kind", ["forged", "unsigned", "no body", "no headers"])
    def test_what_is_not_stripe_s_is_400_and_told_nothing(self, front: Front, kind: str) -> None:
        event = {
            "forged": signed(secret="whsec_aSecretThatOnlyTheForgerKnows"),
            "unsigned": an_http_event(a_checkout(), {}),
            "no body": an_http_event(None, {"stripe-signature": sign_stripe(b"x", WEBHOOK_SECRET, now())}),
            "no headers": {k: v for k, v in an_http_event(a_checkout(), {}).items() if k != "headers"},
        }[kind]
        answer = front.post(event)
        assert (answer["statusCode"], answer["body"]) == (400, '{"received": false}')
        assert front.queued() == []

    @pytest.mark.parametrize("text", ["%%%", "ab", "abc=d", "Übung"])
    def test_a_body_that_is_no_base64_is_400(self, front: Front, text: str) -> None:
        event = signed() | {"isBase64Encoded": True, "body": text}
        assert front.post(event)["statusCode"] == 400

    def test_a_body_with_a_lone_surrogate_is_400(self, front: Front) -> None:
        assert front.post(signed() | {"body": "\ud800"})["statusCode"] == 400

    def test_a_body_over_a_mebibyte_is_413(self, front: Front) -> None:
        assert front.post(signed(b"x" * (1024 * 1024 + 1), base64_encoded=True))["statusCode"] == 413

    def test_an_address_that_is_not_listed_is_403(self, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STRIPE_ALLOWED_CIDRS", "198.51.100.0/24")
        assert front.post(signed())["statusCode"] == 403
        assert front.post(signed(address="198.51.100.7"))["statusCode"] == 200

    def test_a_queue_that_is_gone_is_503_and_the_event_is_taken_when_it_is_back(
        self, front: Front, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("QUEUE_URL", front.aws.queue_url + "-gone")
        assert front.post(signed())["statusCode"] == 503
        monkeypatch.setenv("QUEUE_URL", front.aws.queue_url)
        receive._container.cache_clear()
        assert front.post(signed())["statusCode"] == 200
        assert front.queued() == ["cs_test_1"]

    @pytest.mark.parametrize("name", ["EVENTS_TABLE", "SECRET_NAME"])
    def test_a_table_or_a_secret_that_is_gone_is_503(
        self, front: Front, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setenv(name, "elsewhere")
        assert front.post(signed())["statusCode"] == 503
        assert front.queued() == []

    def test_a_rotated_secret_needs_no_deploy_and_no_waiting(self, front: Front) -> None:
        rotated = "whsec_theSecretThatWasMadeAMomentAgo"
        assert front.post(signed())["statusCode"] == 200
        front.aws.secretsmanager.put_secret_value(
            SecretId=SECRET_NAME, SecretString=json.dumps({"stripe_webhook_secrets": [rotated]})
        )
        assert front.post(signed(a_checkout(id="evt_2"), secret=rotated))["statusCode"] == 200


class TestFastio:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [({}, 400), ({"x-fastio-signature": "sha256=" + "0" * 64, "x-timestamp": "1790000000"}, 401)],
    )
    def test_unsigned_and_wrongly_signed_are_told_apart(
        self, front: Front, headers: dict[str, str], status: int
    ) -> None:
        assert front.post(an_http_event(b"{}", headers, route="POST /webhook/fastio"))["statusCode"] == status

    def test_a_verified_event_is_acknowledged(self, front: Front) -> None:
        body = b'{"id":"evt_f1","event_type":"file.uploaded","data":{"file_id":"f3a-1"}}'
        headers = sign_fastio_pair(body, FASTIO_SECRET, now())
        assert front.post(an_http_event(body, headers, route="POST /webhook/fastio"))["statusCode"] == 200


class TestSettings:
    def test_gaps_are_503_and_one_line_names_them_all(self, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("EVENTS_TABLE")
        monkeypatch.setenv("STRIPE_MODE", "both")
        monkeypatch.setenv("FASTIO_ALLOWED_CIDRS", "everybody")
        assert front.post(signed())["statusCode"] == 503
        [line] = front.printed.log()
        assert line["message"] == "settings_incomplete"
        assert [gap.split()[0] for gap in line["gaps"]] == ["STRIPE_MODE", "EVENTS_TABLE", "FASTIO_ALLOWED_CIDRS"]

    def test_once_they_are_mended_nothing_of_the_gap_is_kept(
        self, front: Front, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("EVENTS_TABLE")
        assert front.post(signed())["statusCode"] == 503
        monkeypatch.setenv("EVENTS_TABLE", EVENTS_TABLE)
        assert front.post(signed())["statusCode"] == 200


class TestLog:
    def test_a_sale_is_one_line_with_its_ids(self, front: Front) -> None:
        front.post(signed())
        [line] = front.printed.log()
        assert line["message"] == "notice_queued"
        assert line["level"] == "INFO"
        assert (line["source"], line["event_id"], line["about"]) == ("stripe", "evt_1", "cs_test_1")

    @pytest.mark.parametrize(
        ("event", "level"),
        [
            (lambda: signed(a_checkout(type="customer.created")), "INFO"),
            (lambda: an_http_event(a_checkout(), {}), "WARNING"),
        ],
    )
    def test_a_line_is_as_loud_as_its_fact(self, front: Front, event: Callable[[], dict[str, Any]], level: str) -> None:
        front.post(event())
        assert [line["level"] for line in front.printed.log()] == [level]

    def test_what_we_could_not_take_is_an_error_that_says_why(
        self, front: Front, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EVENTS_TABLE", "elsewhere")
        front.post(signed())
        [line] = front.printed.log()
        assert (line["level"], line["message"], line["reason"]) == ("ERROR", "not_taken", "queue_unavailable")
        assert "ResourceNotFoundException" in line["what"]

    def test_nothing_personal_no_secret_and_no_signature_is_ever_printed(
        self, front: Front, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        events = [
            signed(),
            signed(),
            signed(base64_encoded=True),
            signed(a_checkout(type="customer.created")),
            signed(secret="whsec_aSecretThatOnlyTheForgerKnows"),
            an_http_event(a_checkout(), {"stripe-signature": "t=1,v1=ada@example.com"}),
            an_http_event(b"ada@example.com" * 100_000, {}),
        ]
        for event in events:
            front.post(event)
        monkeypatch.setenv("SECRET_NAME", "elsewhere")
        receive._container.cache_clear()
        front.post(signed())
        front.printed.lines()
        signature = events[0]["headers"]["stripe-signature"].partition("v1=")[2]
        for hidden in ("ada@", WEBHOOK_SECRET, "TheForgerKnows", signature, LINK_KEY, "customer_details"):
            assert hidden not in front.printed.everything
        assert "notice_queued" in front.printed.everything


class TestMetrics:
    def test_every_webhook_is_counted_under_its_stage_source_and_fact(self, front: Front) -> None:
        front.post(signed())
        [line] = front.printed.metrics("Webhooks")
        assert line["Webhooks"] == [1.0]
        assert (line["stage"], line["source"], line["fact"]) == ("test", "stripe", "notice_queued")
        assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Paidshare"

    @pytest.mark.parametrize(
        ("event", "verified", "refused"),
        [
            (signed, 1.0, 0.0),
            (lambda: signed(b'{"id": "evt_1", "object": "event", "type": "other", "livemode": false}'), 1.0, 0.0),
            (lambda: signed(secret="whsec_of_somebody_else"), 0.0, 1.0),
            # A scanner's: it says nothing of our secrets.
            (lambda: an_http_event(b"{}", {}), 0.0, 0.0),
        ],
    )
    def test_what_the_alarms_compare_is_counted_with_every_webhook_noughts_too(
        self, front: Front, event: Callable[[], dict[str, Any]], verified: float, refused: float
    ) -> None:
        front.post(event())
        [line] = front.printed.metrics("WebhooksVerified")
        assert (line["WebhooksVerified"], line["WebhooksRefused"]) == ([verified], [refused])
        assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["stage", "source"]]

    def test_a_caller_who_is_not_on_the_list_is_counted_as_refused(
        self, front: Front, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STRIPE_ALLOWED_CIDRS", "198.51.100.0/24")
        receive._container.cache_clear()
        assert front.post(signed())["statusCode"] == 403
        [line] = front.printed.metrics("WebhooksRefused")
        assert (line["WebhooksVerified"], line["WebhooksRefused"]) == ([0.0], [1.0])

    def test_which_secret_matched_is_counted_so_that_the_old_one_may_go(self, front: Front) -> None:
        front.post(signed())
        [line] = front.printed.metrics("Signatures")
        assert (line["scheme"], line["secret"]) == ("stripe_v1", "1")


class TestRoutes:
    def test_every_route_of_the_template_that_leads_here_is_answered(self, front: Front) -> None:
        every = [body["Properties"] for body in resources("AWS::ApiGatewayV2::Route").values()]
        routes = [one["RouteKey"] for one in every if "ReceiveIntegration" in one["Target"]["Fn::Sub"]]
        assert routes
        for route in routes:
            assert front.post(an_http_event(b"{}", {}, route=route))["statusCode"] == 400


ANYTHING = st.text(max_size=200) | st.sampled_from(["[" * 50_000, "\x00", "\udc80", "9" * 5000, "not-base64!"])
HOSTILE_HEADERS = st.dictionaries(
    st.sampled_from(
        ["stripe-signature", "Stripe-Signature", "x-fastio-signature", "x-timestamp", "fastio-signature", "other"]
    ),
    st.sampled_from(["t=1,v1=" + "," * 100_000, "t=" + "9" * 5000 + ",v1=0", "\udc80", "sha256=\x00", "t=,v1="])
    | st.text(max_size=50),
)


class TestAnyRequest:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
    @given(
        body=ANYTHING | st.none(),
        headers=HOSTILE_HEADERS,
        encoded=st.booleans(),
        route=st.sampled_from(["POST /webhook/stripe", "POST /webhook/fastio"]),
        address=st.sampled_from(["192.0.2.1", "::1", "", "nowhere"]),
        signed=st.booleans(),
    )
    def test_no_request_gets_a_5xx_and_none_without_a_signature_a_200(
        self,
        front: Front,
        body: str | None,
        headers: dict[str, str],
        encoded: bool,  # noqa: FBT001
        route: str,
        address: str,
        signed: bool,  # noqa: FBT001
    ) -> None:
        text = (body or "").encode("utf-8", "surrogatepass")
        if signed:
            headers = {"stripe-signature": sign_stripe(text, WEBHOOK_SECRET, now())} | sign_fastio_pair(
                text, FASTIO_SECRET, now()
            )
        event = an_http_event(body, headers, route=route, address=address) | {"isBase64Encoded": encoded}
        answer = front.post(event)
        assert answer["statusCode"] in ({200, 400, 401} if signed else {400, 401})
        assert json.loads(answer["body"]) == {"received": answer["statusCode"] == 200}


@cache
def loaded() -> list[str]:
    """The modules that there are when the function has been imported."""
    return subprocess.run(
        [sys.executable, "-c", "import sys, handler; print(*sys.modules)"],
        cwd=Path(__file__).parents[2] / "functions" / "receive",
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split()


def test_it_loads_nothing_of_what_deliver_decides() -> None:
    """A buyer waits at Checkout for Receive's cold start: ports are types, and their values stay unloaded."""
    rooms = {".".join(module.split(".")[1:2]) for module in loaded() if module.startswith("paidshare.")}
    assert "receiving" in rooms
    assert not {"delivering", "feedback", "sweeping", "orders", "progress", "letter_kinds"} & rooms
    assert {module for module in loaded() if module.startswith("paidshare.aws.")} == {
        f"paidshare.aws.{module}"
        for module in (
            "direct",
            "direct.connection",
            "direct.endpoints",
            "direct.idempotency",
            "direct.json_client",
            "direct.remembered",
            "direct.roots",
            "direct.sigv4",
            "errors",
            "intake",
            "metrics",
            "vault",
        )
    }
    assert not {"stripe", "httpx", "jinja2"} & set(loaded())


def test_it_loads_none_of_boto3_though_powertools_would() -> None:
    """What Powertools imports is its own affair: when this fails, look at `paidshare.aws.direct.idempotency`."""
    assert not {"boto3", "botocore.session", "botocore.exceptions", "urllib3", "requests"} & set(loaded())
