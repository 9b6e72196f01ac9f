"""
`doctor`: nothing is said where all is well, and of each thing that is broken exactly that, with the way out.

AWS's services answer as they do for a shop in order, through boto3's own clients; Stripe and Fast.io are the stand-ins.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

import boto3
import pytest
import stripe
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from jsonschema import Draft202012Validator

from operate import stacks
from operate.doctoring import CHECKS
from operate.stacks import Name, Stack
from paidshare.notices import NEEDED
from tests.builders import LINK_KEY
from tests.cloud import SECRET_NAME
from tests.operate.test_schemas import SCHEMAS
from tests.operate.world import Ran, Run, Seller

URL = "https://shop.example/webhook/stripe"
OUTPUTS = {f"{name}Function": f"paidshare-{name}" for name in ("Receive", "Deliver", "Feedback", "Sweep")}
TOPICS = {name: f"arn:aws:sns:us-east-1:123456789012:{name}" for name in ("AlarmsTopic", "PagerTopic")}
RULE = "paidshare-round"


def healthy() -> dict[str, dict[str, Any]]:
    """What each operation answers for a shop in order."""
    return {
        "cloudformation.DescribeStacks": {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]},
        "lambda.GetFunctionConfiguration": {
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:one",
        },
        "lambda.ListEventSourceMappings": {
            "EventSourceMappings": [{"UUID": "11111111-2222-4333-8444-555555555555", "State": "Enabled"}]
        },
        "lambda.GetAccountSettings": {"AccountLimit": {"ConcurrentExecutions": 1000}},
        "events.ListRuleNamesByTarget": {"RuleNames": [RULE]},
        "events.DescribeRule": {"Name": RULE, "State": "ENABLED"},
        "sns.ListSubscriptionsByTopic": {"Subscriptions": [{"SubscriptionArn": "arn:aws:sns:us-east-1:1:one:two"}]},
        "sts.GetCallerIdentity": {"Account": "123456789012"},
        "sesv2.GetEmailIdentity": {
            "VerifiedForSendingStatus": True,
            "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS"},
            "MailFromAttributes": {"MailFromDomainStatus": "SUCCESS"},
        },
        "sesv2.GetAccount": {
            "ProductionAccessEnabled": True,
            "SendingEnabled": True,
            "EnforcementStatus": "HEALTHY",
            "SendQuota": {"Max24HourSend": 50_000.0, "SentLast24Hours": 12.0},
        },
    }


@dataclass
class Shop:
    """A shop in order. `answers` are AWS's, `secret` what the secret has, `web` what the endpoint answers."""

    seller: Seller
    stack: Stack
    run: Run
    answers: dict[str, dict[str, Any]] = field(default_factory=healthy)
    web: int | None = 400
    heard: Callable[[str], object] = id
    clients: dict[str, Any] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def client(self, service: str) -> Any:
        with self.lock:
            if service not in self.clients:
                self.clients[service] = self._client(service)
            return self.clients[service]

    def _client(self, service: str) -> Any:
        made = boto3.client(service)  # type: ignore[call-overload]

        def answered(model: Any, **_: Any) -> Any:
            self.heard(f"{service}.{model.name}")
            found, empty = self.answers.get(f"{service}.{model.name}"), HTTPHeaders()
            metadata = {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}
            if found is None:
                refused = {"Error": {"Code": "AccessDeniedException", "Message": "may not"}}
                return AWSResponse("", 403, empty, None), refused | metadata
            status = 404 if "Error" in found else 200
            return AWSResponse("", status, empty, None), found | metadata

        made.meta.events.register(f"before-call.{service}", answered)
        return made

    def writes(self, **changed: Any) -> None:
        """Into the secret."""
        manager = self.seller.aws.secretsmanager
        text = manager.get_secret_value(SecretId=SECRET_NAME)["SecretString"]
        manager.put_secret_value(SecretId=SECRET_NAME, SecretString=json.dumps(json.loads(text) | changed))

    def endpoint(self, *events: str, url: str = URL) -> None:
        self.seller.stripe.sdk().v1.webhook_endpoints.create({"url": url, "enabled_events": [*events]})  # type: ignore[list-item]

    def no_endpoint(self) -> None:
        v1 = self.seller.stripe.sdk().v1
        for one in v1.webhook_endpoints.list().data:
            v1.webhook_endpoints.delete(one.id)

    def disable(self) -> None:
        """As Stripe does when nobody answered for days."""
        v1 = self.seller.stripe.sdk().v1
        [one] = v1.webhook_endpoints.list().data
        v1.webhook_endpoints.update(one.id, {"disabled": True})

    def sees(self, *words: str) -> tuple[Ran, dict[str, dict[str, Any]]]:
        """What is not good, by the check's name."""
        ran = self.run("doctor", "--json", *words)
        said = json.loads(ran.out)
        Draft202012Validator(SCHEMAS["doctor"]).validate(said)
        return ran, {one["name"]: one for one in said["checks"] if one["mark"] != "good"}


@pytest.fixture
def shop(seller: Seller, run: Run, monkeypatch: pytest.MonkeyPatch) -> Shop:
    for name in ("AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    made = Shop(seller, seller.stack, run)
    parameters = {"StripeMode": "test", "SenderAddress": "shop@example.com", "DeliverConcurrency": "5"}
    outputs = {**OUTPUTS, **TOPICS, "StripeWebhookUrl": URL}

    def found(name: Name) -> Stack:
        asked = {**seller.stack.parameters, **parameters}
        return replace(seller.stack, name=name.stack, parameters=asked, outputs=outputs, client=made.client)

    def post(_url: str, **_: Any) -> Any:
        import httpx

        if made.web is None:
            raise httpx.ConnectError("nobody")
        return httpx.Response(made.web)

    monkeypatch.setattr(stacks, "found", found)
    monkeypatch.setattr("operate.doctor.stripe.httpx.post", post)
    seller.aws.dynamodb.update_continuous_backups(
        TableName=seller.stack.orders_table,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    made.writes(stripe_webhook_secrets=["whsec_0123456789abcdef"], stripe_api_key=seller.stripe.key, link_key=LINK_KEY)
    made.endpoint(*sorted(NEEDED))
    seller.product()
    return made


def test_of_a_shop_in_order_nothing_is_said_but_that(shop: Shop) -> None:
    ran, found = shop.sees()
    assert found == {}
    assert ran.code == 0
    said = shop.run("doctor").out.splitlines()
    assert all(line.startswith(("paidshare-prod", "✓", "→ Nothing is wrong.")) for line in said)


def test_there_are_thirty_checks_in_six_groups_and_no_two_of_one_name() -> None:
    assert len(CHECKS) >= 30
    assert len(SABOTAGES) + len(MANY) >= 40
    assert len({one.group for one in CHECKS}) == 6
    assert len({one.name for one in CHECKS}) == len(CHECKS)


def _answers(operation: str, **changed: Any) -> Callable[[Shop], None]:
    def sabotage(shop: Shop) -> None:
        shop.answers[operation] = shop.answers[operation] | changed

    return sabotage


def _in_secret(**changed: Any) -> Callable[[Shop], None]:
    return lambda shop: shop.writes(**changed)


def _forbidden(match: str, *, times: int = 1) -> Callable[[Shop], None]:
    error = {"type": "invalid_request_error", "message": "The provided key does not have the required permissions."}
    return lambda shop: shop.seller.stripe.fault(403, match=match, body={"error": error}, times=times)


def _web(status: int | None) -> Callable[[Shop], None]:
    def sabotage(shop: Shop) -> None:
        shop.web = status

    return sabotage


def _endpoint(*events: str) -> Callable[[Shop], None]:
    def sabotage(shop: Shop) -> None:
        shop.no_endpoint()
        if events:
            shop.endpoint(*events)

    return sabotage


def _endpoint_of(url: str) -> Callable[[Shop], None]:
    def sabotage(shop: Shop) -> None:
        shop.no_endpoint()
        shop.endpoint(*NEEDED, url=url)

    return sabotage


LIMITS = {
    "match": "GET /workspace/*/limits/",
    "status": 200,
    "body": {"result": True, "limits": {"shares": {"limit": 1}}},
    "times": 9,
}


def _plan(shop: Shop) -> None:
    shop.seller.sells("ada@example.com")
    shop.seller.fastio.fault(LIMITS)


def _backups(shop: Shop) -> None:
    shop.seller.aws.dynamodb.update_continuous_backups(
        TableName=shop.stack.orders_table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )


def _alarm(shop: Shop) -> None:
    watch = shop.stack.cloudwatch
    watch.put_metric_alarm(
        AlarmName="paidshare-prod-DeadLettersAlarm-1A2B",
        Namespace="N",
        MetricName="M",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    watch.set_alarm_state(AlarmName="paidshare-prod-DeadLettersAlarm-1A2B", StateValue="ALARM", StateReason="test")


SABOTAGES: dict[str, tuple[Callable[[Shop], object], str, str]] = {
    "a deploy was rolled back": (
        _answers("cloudformation.DescribeStacks", Stacks=[{"StackStatus": "UPDATE_ROLLBACK_COMPLETE"}]),
        "stack",
        "UPDATE_ROLLBACK_COMPLETE",
    ),
    "a deploy is going on": (
        _answers("cloudformation.DescribeStacks", Stacks=[{"StackStatus": "UPDATE_IN_PROGRESS"}]),
        "stack",
        "being changed",
    ),
    "the sweep's rule is off": (_answers("events.DescribeRule", State="DISABLED"), "schedule", "disabled"),
    "the sweep's rule is gone": (_answers("events.ListRuleNamesByTarget", RuleNames=[]), "schedule", "gone"),
    "a new account's concurrency": (
        _answers("lambda.GetAccountSettings", AccountLimit={"ConcurrentExecutions": 9}),
        "concurrency",
        "throttled",
    ),
    "no backups": (_backups, "backups", "cannot be restored"),
    "an alarm rings": (_alarm, "alarms", "DeadLettersAlarm"),
    "a misspelt name in the secret": (_in_secret(stripe_key="x"), "readable", "stripe_key"),
    "a short link key": (_in_secret(link_key="short"), "link key", "guessed"),
    "no webhook secret": (_in_secret(stripe_webhook_secrets=[]), "webhook secrets", "every webhook is refused"),
    "a webhook secret that is none": (_in_secret(stripe_webhook_secrets=["we_1"]), "webhook secrets", "whsec_"),
    "no key of Stripe's": (_in_secret(stripe_api_key=""), "Stripe's key", "stripe_api_key is empty"),
    "a key of the other mode": (_in_secret(stripe_api_key="rk_live_51Key"), "Stripe's key", "no key of the test mode"),
    "a revoked key of Stripe's": (_in_secret(stripe_api_key="rk_test_51Revoked"), "key", "Stripe refuses the key"),
    "no key of Fast.io's": (_in_secret(fastio_api_key=""), "Fast.io's key", "fastio_api_key is empty"),
    "a text where a list belongs": (
        _in_secret(stripe_webhook_secrets="whsec_0123456789abcdef"),
        "readable",
        "must be a list",
    ),
    "the plan is nearly full": (
        _plan,
        "key and shares",
        "the plan has 1",
    ),
    "the sender is known to nobody": (
        _answers("sesv2.GetEmailIdentity", Error={"Code": "NotFoundException", "Message": "no"}),
        "sender",
        "neither",
    ),
    "two webhook secrets": (
        _in_secret(stripe_webhook_secrets=["whsec_0123456789abcdef", "whsec_fedcba9876543210"]),
        "webhook secrets",
        "2 webhook secrets",
    ),
    "no right to Disputes": (_forbidden("GET /v1/disputes"), "Disputes", "may not read Disputes"),
    "no right to Products": (_forbidden("GET /v1/products", times=9), "Products", "may not read Products"),
    "no right to Sessions": (_forbidden("GET /v1/checkout/sessions"), "Checkout Sessions", "may not read"),
    "no right to PaymentIntents": (_forbidden("GET /v1/payment_intents/*"), "PaymentIntents", "may not read"),
    "no right to Charges": (_forbidden("GET /v1/charges/*"), "Charges", "may not read"),
    "no right to Refunds": (_forbidden("GET /v1/refunds"), "Refunds", "may not read"),
    "no right to Invoices": (_forbidden("GET /v1/invoices"), "Invoices", "may not read"),
    "no right to Credit notes": (_forbidden("GET /v1/credit_notes"), "Credit notes", "may not read"),
    "no right to Subscriptions": (_forbidden("GET /v1/subscriptions/*"), "Subscriptions", "may not read"),
    "no right to Events": (_forbidden("GET /v1/events"), "Events", "may not read"),
    "events are missing": (_endpoint("checkout.session.completed"), "events", "charge.refunded"),
    "no endpoint": (_endpoint(), "endpoint", "Stripe knows no endpoint"),
    "the endpoint is disabled": (lambda shop: shop.disable(), "endpoint", "is disabled"),
    "the endpoint leads elsewhere": (_endpoint_of("https://old.example/webhook/stripe"), "endpoint", "no endpoint"),
    "the sender is not verified": (
        _answers("sesv2.GetEmailIdentity", VerifiedForSendingStatus=False),
        "sender",
        "no letter leaves",
    ),
    "two endpoints": (lambda shop: shop.endpoint(*NEEDED), "endpoint", "2 endpoints"),
    "the endpoint redirects": (_web(307), "reachable", "no redirect"),
    "the endpoint is not there": (_web(None), "reachable", "cannot be reached"),
    "the endpoint fails": (_web(500), "reachable", "500"),
    "Fast.io refuses the key": (_in_secret(fastio_api_key="wrong"), "key and shares", "refuses the key"),
    "a key of Fast.io's that only reads": (
        lambda shop: shop.seller.fastio.rules(mode="r"),
        "key's rights",
        "no share can be made",
    ),
    "a key of Fast.io's that may not administer": (
        lambda shop: shop.seller.fastio.rules(mode="rw"),
        "key's rights",
        "close a share after a refund",
    ),
    "a policy at Fast.io's": (
        lambda shop: shop.seller.fastio.rules(policy="geo_restricted"),
        "key and shares",
        "a policy of the organisation",
    ),
    "letters are not signed": (
        _answers("sesv2.GetEmailIdentity", DkimAttributes={"SigningEnabled": False, "Status": "NOT_STARTED"}),
        "DKIM",
        "spam",
    ),
    "no MAIL FROM": (_answers("sesv2.GetEmailIdentity", MailFromAttributes={}), "MAIL FROM", "SPF"),
    "the sandbox": (_answers("sesv2.GetAccount", ProductionAccessEnabled=False), "sandbox", "verified addresses alone"),
    "sending is stopped": (_answers("sesv2.GetAccount", SendingEnabled=False), "sending", "stopped"),
    "SES reviews the account": (_answers("sesv2.GetAccount", EnforcementStatus="PROBATION"), "sending", "reviews"),
    "the day's letters are nearly gone": (
        _answers("sesv2.GetAccount", SendQuota={"Max24HourSend": 200.0, "SentLast24Hours": 190.0}),
        "quota",
        "190 of the 200",
    ),
    "metadata is misspelt": (
        lambda shop: shop.seller.product(fast_io_files="1", name="x"),
        "metadata",
        "is fastio_files meant?",
    ),
    "a file is gone at Fast.io": (
        lambda shop: shop.seller.product(fastio_workspace="my-shop", fastio_files="gone-1"),
        "files",
        "names cannot be delivered",
    ),
    "a workspace is hidden from the key": (
        lambda shop: shop.seller.fastio.member("my-shop", member=False),
        "files",
        "workspace",
    ),
    "link days out of range": (
        lambda shop: shop.seller.product(fastio_workspace="my-shop", fastio_files="1", fastio_link_days="0"),
        "metadata",
        "from 1 to 3650",
    ),
    "metadata names no file": (
        lambda shop: shop.seller.product(fastio_workspace="my-shop"),
        "metadata",
        "fastio_files names no file",
    ),
}


@pytest.mark.parametrize("name", SABOTAGES)
def test_what_is_broken_is_named_alone_with_the_way_out(shop: Shop, name: str) -> None:
    sabotage, check, words = SABOTAGES[name]
    sabotage(shop)
    ran, found = shop.sees()
    assert list(found) == [check], found
    assert words in found[check]["words"]
    assert found[check]["way_out"]
    assert ran.code == (1 if found[check]["mark"] == "wrong" else 0)


MANY: dict[str, tuple[Callable[[Shop], None], set[str]]] = {
    "all functions are broken": (
        _answers("lambda.GetFunctionConfiguration", State="Failed"),
        {"receive", "deliver", "feedback", "sweep"},
    ),
    "both triggers are off": (
        _answers(
            "lambda.ListEventSourceMappings",
            EventSourceMappings=[{"UUID": "11111111-2222-4333-8444-555555555555", "State": "Disabled"}],
        ),
        {"deliver's queue", "feedback's queue"},
    ),
    "nobody confirmed the alarms": (
        _answers("sns.ListSubscriptionsByTopic", Subscriptions=[{"SubscriptionArn": "PendingConfirmation"}]),
        {"alarms topic", "pager topic"},
    ),
}


@pytest.mark.parametrize("name", MANY)
def test_what_concerns_several_is_said_of_each_of_them(shop: Shop, name: str) -> None:
    sabotage, checks = MANY[name]
    sabotage(shop)
    ran, found = shop.sees()
    assert set(found) == checks
    assert ran.code == 1


class TestFix:
    @pytest.fixture(autouse=True)
    def _may_write(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STRIPE_API_KEY", shop.seller.stripe.key)

    @pytest.mark.parametrize(
        ("name", "done"),
        [
            ("no endpoint", "made the endpoint"),
            ("the endpoint is disabled", "enabled the endpoint"),
            ("events are missing", "kinds of events"),
            ("no webhook secret", "made the endpoint"),
            ("a text where a list belongs", "the kind of value"),
            ("no backups", "is backed up"),
        ],
    )
    def test_what_can_be_mended_without_a_person_is_and_is_well_afterwards(
        self, shop: Shop, name: str, done: str
    ) -> None:
        SABOTAGES[name][0](shop)
        ran, found = shop.sees("--fix", "--yes")
        assert found.keys() <= {"webhook secrets"}, found
        [said] = json.loads(ran.out)["mended"]
        assert done in said
        assert shop.sees("--fix", "--yes")[1].keys() <= {"webhook secrets"}
        assert len(shop.seller.stripe.sdk().v1.webhook_endpoints.list().data) == 1

    def test_a_new_endpoint_s_secret_is_kept_and_the_one_nobody_has_is_gone(self, shop: Shop) -> None:
        shop.writes(stripe_webhook_secrets=[])
        shop.sees("--fix", "--yes")
        [endpoint] = shop.seller.stripe.sdk().v1.webhook_endpoints.list().data
        text = shop.seller.aws.secretsmanager.get_secret_value(SecretId=SECRET_NAME)["SecretString"]
        [secret] = json.loads(text)["stripe_webhook_secrets"]
        assert secret.startswith("whsec_")
        assert endpoint.api_version == stripe.api_version
        assert {*endpoint.enabled_events} == NEEDED

    def test_events_that_somebody_added_stay(self, shop: Shop) -> None:
        _endpoint("customer.created")(shop)
        shop.sees("--fix", "--yes")
        [endpoint] = shop.seller.stripe.sdk().v1.webhook_endpoints.list().data
        assert {*endpoint.enabled_events} == NEEDED | {"customer.created"}

    @pytest.mark.parametrize("name", ["both triggers are off", "the sweep's rule is off"])
    def test_what_aws_has_switched_off_is_switched_on(self, shop: Shop, name: str) -> None:
        (MANY | SABOTAGES)[name][0](shop)
        switched: list[str] = []
        for call in ("lambda.UpdateEventSourceMapping", "events.EnableRule"):
            shop.answers[call] = {}
        shop.heard = switched.append
        ran, _ = shop.sees("--fix", "--yes")
        assert len(json.loads(ran.out)["mended"]) == len(MANY.get(name, ((), "1"))[1]), ran.err
        assert {*switched} & {"lambda.UpdateEventSourceMapping", "events.EnableRule"}

    def test_nothing_is_done_unasked(self, shop: Shop, terminal: Callable[[str | None], None]) -> None:
        shop.no_endpoint()
        terminal(None)
        assert shop.run("doctor", "--fix").code == 2
        terminal("n")
        ran = shop.run("doctor", "--fix")
        assert (ran.code, "make Stripe's endpoint" in ran.err) == (1, True)
        assert shop.seller.stripe.sdk().v1.webhook_endpoints.list().data == []

    def test_a_key_that_may_not_write_is_told_and_nothing_else_stops(self, shop: Shop) -> None:
        shop.no_endpoint()
        _backups(shop)
        error = {"type": "invalid_request_error", "message": "no"}
        shop.seller.stripe.fault(403, match="POST /v1/webhook_endpoints", body={"error": error})
        ran, found = shop.sees("--fix", "--yes")
        assert [*found] == ["endpoint"]
        assert "has to be let write Webhook endpoints" in ran.err

    def test_where_all_is_well_nothing_is_asked_or_done(self, shop: Shop) -> None:
        ran, found = shop.sees("--fix")
        assert (ran.code, found, json.loads(ran.out)["mended"]) == (0, {}, [])


def test_who_may_not_ask_is_told_so_and_it_is_no_fault_of_the_shop(shop: Shop) -> None:
    del shop.answers["sesv2.GetAccount"]
    ran, found = shop.sees()
    assert set(found) == {"sandbox", "sending", "quota"}
    assert {one["mark"] for one in found.values()} == {"unknown"}
    assert ran.code == 3


def test_the_region_that_is_asked_is_told_where_two_are_said(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    _, found = shop.sees()
    assert list(found) == ["region"]


def test_no_secret_is_shown(shop: Shop) -> None:
    shop.writes(stripe_api_key="sk_live_0123456789abcdef", fastio_api_key="fastio-wrong-0123456789")
    said = shop.run("doctor").out + shop.run("doctor", "--json").out
    assert "0123456789" not in said
