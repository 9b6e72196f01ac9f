"""What no linter knows about template.yaml: the numbers and names that have to fit the code and each other."""

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

from paidshare import retries
from paidshare.aws import dead_letters
from paidshare.aws.ledger import LEASE, OF_A_PAYMENT
from paidshare.errors import SettingsIncomplete
from paidshare.feedback import mail_events
from paidshare.feedback.mail_events import Fact, MailEvent
from paidshare.settings import DeliverSettings, FeedbackSettings, PageSettings, ReceiveSettings, SweepSettings
from paidshare.shares_fastio import api, shares
from tests.fakes_mail import published
from tests.template_file import ROOT, properties, resources, template

FUNCTIONS = resources("AWS::Serverless::Function")
ROLES = resources("AWS::IAM::Role")
LOG_GROUPS = resources("AWS::Logs::LogGroup")
LAYERS = resources("AWS::Serverless::LayerVersion")
GLOBALS = template()["Globals"]["Function"]
SETTINGS: dict[str, Callable[[Mapping[str, str]], object]] = {
    "Receive": ReceiveSettings.from_environ,
    "Deliver": DeliverSettings.from_environ,
    "Feedback": FeedbackSettings.from_environ,
    "Sweep": SweepSettings.from_environ,
    "Page": PageSettings.from_environ,
}


def texts(value: Any) -> Iterator[str]:
    """Every text in *value*, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def _on_aws(value: Any) -> Any:
    """What a deployed stage gets of an `!If [Cloud, …]`."""
    chosen = value.get("Fn::If") if isinstance(value, dict) else None
    return chosen[1] if chosen and chosen[0] == "Cloud" else value


def default(parameter: str) -> Any:
    return template()["Parameters"][parameter].get("Default")


class Asked(dict[str, str]):
    """An environment in which nothing is set, and which remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default


def variables(function: str) -> Mapping[str, Any]:
    own: dict[str, Any] = FUNCTIONS[function]["Properties"]["Environment"]["Variables"]
    shared: dict[str, Any] = GLOBALS["Environment"]["Variables"]
    return shared | own


class TestQueue:
    def test_a_message_in_work_is_out_of_sight_for_six_time_outs_of_deliver(self) -> None:
        assert properties("Queue")["VisibilityTimeout"] >= 6 * properties("Deliver")["Timeout"]

    def test_what_fails_for_ever_ends_in_the_dead_letter_queue(self) -> None:
        redrive = properties("Queue")["RedrivePolicy"]
        assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}

    def test_a_message_is_given_up_after_the_receives_that_the_waits_are_sized_for(self) -> None:
        assert properties("Queue")["RedrivePolicy"]["maxReceiveCount"] == retries.MOST_RECEIVES

    @pytest.mark.parametrize("name", ["DeadLetterQueue", "MailDeadLetterQueue"])
    def test_dead_letters_are_kept_as_long_as_sqs_can(self, name: str) -> None:
        assert properties(name)["MessageRetentionPeriod"] == 14 * 24 * 3600

    @pytest.mark.parametrize("name", ["Queue", "MailQueue"])
    def test_a_message_is_a_person_s_before_its_queue_forgets_it(self, name: str) -> None:
        longest = retries.seconds_until_retry(250, asked=float("inf"), jitter=0.999_999)
        assert retries.LONGEST_AGE_SECONDS + longest < properties(name)["MessageRetentionPeriod"]

    @pytest.mark.parametrize("name", ["Queue", "MailQueue"])
    def test_what_sqs_gives_up_has_a_week_left_as_a_dead_letter(self, name: str) -> None:
        """It keeps its age there (docs.aws.amazon.com/AWSSimpleQueueService, "dead-letter queues")."""
        kept = properties("DeadLetterQueue")["MessageRetentionPeriod"] - properties(name)["MessageRetentionPeriod"]
        assert kept >= 7 * 24 * 3600

    @pytest.mark.parametrize("name", ["Queue", "MailQueue"])
    def test_no_other_queue_gives_up_messages_into_our_work(self, name: str) -> None:
        assert properties(name)["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}

    @pytest.mark.parametrize("name", [*resources("AWS::SQS::Queue"), *resources("AWS::SNS::Topic")])
    def test_nobody_talks_to_a_queue_or_a_topic_without_tls(self, name: str) -> None:
        policies = resources("AWS::SQS::QueuePolicy") | resources("AWS::SNS::TopicPolicy")
        [policy] = [
            one["Properties"]
            for one in policies.values()
            if {"Ref": name} in one["Properties"].get("Queues", one["Properties"].get("Topics"))
        ]
        statements = [_on_aws(one) for one in policy["PolicyDocument"]["Statement"]]
        [deny] = [one for one in statements if one["Effect"] == "Deny"]
        assert (deny["Principal"], deny["Condition"]) == ("*", {"Bool": {"aws:SecureTransport": "false"}})
        named = deny["Resource"] if isinstance(deny["Resource"], list) else [deny["Resource"]]
        assert {"Ref": name} in named or {"Fn::GetAtt": [name, "Arn"]} in named

    @pytest.mark.parametrize("name", resources("AWS::SQS::Queue"))
    def test_messages_are_encrypted(self, name: str) -> None:
        assert properties(name)["SqsManagedSseEnabled"] is True

    def test_the_longest_wait_put_on_a_message_is_one_that_sqs_allows(self) -> None:
        longest = retries.seconds_until_retry(250, asked=float("inf"), jitter=0.999_999)
        assert longest <= 12 * 3600


class TestMail:
    """SES → topic → queue → Feedback."""

    QUEUE = properties("MailQueue")
    DESTINATION = properties("MailEventDestination")["EventDestination"]

    def test_deliver_sends_with_the_configuration_set_whose_events_are_published(self) -> None:
        assert variables("Deliver")["MAIL_CONFIGURATION_SET"] == {"Ref": "MailConfigurationSet"}
        assert properties("MailEventDestination")["ConfigurationSetName"] == {"Ref": "MailConfigurationSet"}
        assert self.DESTINATION["Enabled"] is True

    def test_the_set_is_this_stage_s_own(self) -> None:
        assert properties("MailConfigurationSet")["Name"] == {"Fn::Sub": "paidshare-${Stage}"}

    def test_everything_that_is_noted_of_a_letter_is_published_and_nothing_else(self) -> None:
        kinds = {kind[0].upper() + kind[1:] for kind in self.DESTINATION["MatchingEventTypes"]}
        found = {kind: mail_events.read(json.dumps(published(kind))) for kind in kinds}
        assert {event.fact for event in found.values() if isinstance(event, MailEvent)} == set(Fact)
        assert len(kinds) == len(Fact)

    def test_only_ses_may_publish_and_only_for_this_account_s_set(self) -> None:
        assert self.DESTINATION["SnsDestination"] == {"TopicARN": {"Ref": "MailTopic"}}
        statement, _ = properties("MailTopicPolicy")["PolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "ses.amazonaws.com"}
        assert (statement["Action"], statement["Resource"]) == ("sns:Publish", {"Ref": "MailTopic"})
        condition = statement["Condition"]["StringEquals"]
        assert condition["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
        assert condition["aws:SourceArn"]["Fn::Sub"].endswith(":configuration-set/${MailConfigurationSet}")

    def test_a_key_of_the_shop_s_own_encrypts_what_the_topic_holds(self) -> None:
        key = properties("MailTopic")["KmsMasterKeyId"]
        assert key == {"Fn::If": ["HasMailTopicKey", {"Ref": "MailTopicKey"}, {"Ref": "AWS::NoValue"}]}

    def test_ses_finds_the_permission_when_it_tries_the_topic(self) -> None:
        assert resources()["MailEventDestination"]["DependsOn"] == "MailTopicPolicy"

    @pytest.mark.parametrize("queue", ["MailQueue", "MailDeadLetterQueue"])
    def test_only_the_topic_may_write_into_the_queue_or_what_it_could_not(self, queue: str) -> None:
        policy = properties(f"{queue}Policy")
        statement, _ = policy["PolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
        assert statement["Resource"] == {"Fn::GetAtt": [queue, "Arn"]}
        assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "MailTopic"}}}
        assert policy["Queues"] == [{"Ref": queue}]
        assert f"{queue}Policy" in resources()["MailSubscription"]["DependsOn"]

    def test_reputation_is_measured_for_letters_of_this_stage(self) -> None:
        assert properties("MailConfigurationSet")["ReputationOptions"] == {"ReputationMetricsEnabled": True}

    def test_the_topic_s_messages_come_into_the_queue_as_ses_wrote_them(self) -> None:
        assert properties("MailSubscription") == {
            "TopicArn": {"Ref": "MailTopic"},
            "Protocol": "sqs",
            "Endpoint": {"Fn::GetAtt": ["MailQueue", "Arn"]},
            "RawMessageDelivery": True,
            # Where SQS refuses SNS, nobody tries again.
            "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["MailDeadLetterQueue", "Arn"]}},
        }

    def test_an_event_in_work_is_out_of_sight_for_six_time_outs_of_feedback(self) -> None:
        assert self.QUEUE["VisibilityTimeout"] >= 6 * properties("Feedback")["Timeout"]

    def test_an_event_is_given_up_after_the_receives_that_the_waits_are_sized_for(self) -> None:
        assert self.QUEUE["RedrivePolicy"] == {
            "deadLetterTargetArn": {"Fn::GetAtt": ["MailDeadLetterQueue", "Arn"]},
            "maxReceiveCount": retries.MOST_RECEIVES,
        }

    def test_feedback_works_on_the_queue_and_one_failed_event_brings_back_no_other(self) -> None:
        event = properties("Feedback")["Events"]["MailEvents"]
        assert event["Type"] == "SQS"
        assert event["Properties"]["Queue"] == {"Fn::GetAtt": ["MailQueue", "Arn"]}
        assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert event["Properties"]["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "FeedbackConcurrency"}}

    def test_old_dead_letters_are_looked_for_often_enough_before_sqs_drops_them(self) -> None:
        event = properties("Feedback")["Events"]["Reminder"]
        assert (event["Type"], event["Properties"]) == ("Schedule", {"Schedule": "rate(1 day)"})
        kept = timedelta(seconds=properties("DeadLetterQueue")["MessageRetentionPeriod"])
        assert kept - dead_letters._OLD >= timedelta(days=3)


class TestDeliver:
    EVENT = properties("Deliver")["Events"]["Notices"]

    def test_it_works_on_the_queue(self) -> None:
        assert self.EVENT["Type"] == "SQS"
        assert self.EVENT["Properties"]["Queue"] == {"Fn::GetAtt": ["Queue", "Arn"]}

    def test_one_failed_message_does_not_bring_back_the_whole_batch(self) -> None:
        assert self.EVENT["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    def test_its_concurrency_is_the_parameter_s(self) -> None:
        assert self.EVENT["Properties"]["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "DeliverConcurrency"}}

    def test_a_lease_outlives_the_worker_and_ends_before_the_message_is_back(self) -> None:
        timeout, visibility = properties("Deliver")["Timeout"], properties("Queue")["VisibilityTimeout"]
        assert timeout < LEASE.total_seconds() < visibility

    def test_every_message_of_a_batch_has_a_thread(self) -> None:
        source = (ROOT / "functions/deliver/handler.py").read_text()
        threads = re.search(r"^_BATCH = ([0-9]+)$", source, re.MULTILINE)
        assert threads is not None
        assert self.EVENT["Properties"]["BatchSize"] == int(threads[1])


class TestSweep:
    def test_it_runs_every_five_minutes_and_a_round_ends_before_the_next_begins(self) -> None:
        [event] = properties("Sweep")["Events"].values()
        assert (event["Type"], event["Properties"]) == ("Schedule", {"Schedule": "rate(5 minutes)"})
        assert properties("Sweep")["Timeout"] < 5 * 60

    def test_a_round_that_failed_is_not_run_again_by_lambda(self) -> None:
        assert properties("Sweep")["EventInvokeConfig"]["MaximumRetryAttempts"] == 0

    def test_a_round_that_could_not_begin_is_dropped_when_the_next_one_is_due(self) -> None:
        assert properties("Sweep")["EventInvokeConfig"]["MaximumEventAgeInSeconds"] == 5 * 60

    def test_the_index_holds_only_unsettled_orders_and_all_that_the_sweep_reads_of_them(self) -> None:
        index, _ = properties("OrdersTable")["GlobalSecondaryIndexes"]
        assert index["KeySchema"][0] == {"AttributeName": "unsettled", "KeyType": "HASH"}
        assert index["Projection"] == {
            "ProjectionType": "INCLUDE",
            "NonKeyAttributes": ["account", "unsettled_at"],
        }

    def test_what_an_order_was_paid_by_is_written_to_its_index_once(self) -> None:
        _, index = properties("OrdersTable")["GlobalSecondaryIndexes"]
        assert index["IndexName"] == OF_A_PAYMENT
        assert [one["AttributeName"] for one in index["KeySchema"]] == ["payment_intent", "order_id"]
        assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}


class TestFunctions:
    def test_every_folder_of_functions_is_deployed(self) -> None:
        folders = {path.parent.name for path in ROOT.glob("functions/*/handler.py")}
        assert {name.lower() for name in FUNCTIONS} == folders

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_a_function_s_artifact_holds_its_handler_and_our_package_which_so_change_together(self, name: str) -> None:
        folder = ROOT / properties(name)["CodeUri"]
        assert (folder / "functions" / name.lower() / "handler.py").is_file()
        assert (folder / "python" / "paidshare" / "__init__.py").is_file()
        assert "build-%:" in (folder / "Makefile").read_text()
        assert resources()[name]["Metadata"] == {"BuildMethod": "makefile"}

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_a_function_sets_every_variable_that_it_reads_and_no_other(self, name: str) -> None:
        asked = Asked()
        with pytest.raises(SettingsIncomplete):
            SETTINGS[name](asked)
        assert set(variables(name)) == asked.names

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_only_settings_py_reads_the_environment(self, name: str) -> None:
        source = (ROOT / "functions" / name.lower() / "handler.py").read_text()
        assert re.findall(r"os\.environ(?!\))|getenv", source) == []

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_a_function_writes_to_a_log_of_its_own(self, name: str) -> None:
        group = FUNCTIONS[name]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        assert group in LOG_GROUPS
        others = [f["Properties"]["LoggingConfig"]["LogGroup"]["Ref"] for n, f in FUNCTIONS.items() if n != name]
        assert group not in others

    @pytest.mark.parametrize("name", LOG_GROUPS)
    def test_a_log_is_kept_for_as_long_as_the_parameter_says(self, name: str) -> None:
        assert properties(name)["RetentionInDays"] == {"Ref": "LogRetentionDays"}

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_a_function_has_a_role_of_its_own(self, name: str) -> None:
        role = FUNCTIONS[name]["Properties"]["Role"]["Fn::GetAtt"]
        assert role[0] in ROLES
        assert role[1] == "Arn"
        others = [f["Properties"]["Role"]["Fn::GetAtt"][0] for n, f in FUNCTIONS.items() if n != name]
        assert role[0] not in others

    def test_receive_answers_long_before_stripe_gives_up(self) -> None:
        # API Gateway's own limit is 30 seconds.
        assert properties("Receive")["Timeout"] < 30


STATEMENTS = [
    pytest.param(role, statement, id=f"{role}-{statement['Action']}-{number}")
    for role, body in ROLES.items()
    for policy in body["Properties"].get("Policies", [])
    for number, statement in enumerate(policy["PolicyDocument"]["Statement"])
]


class TestPermissions:
    @pytest.mark.parametrize(("role", "statement"), STATEMENTS)
    def test_a_statement_allows_one_action_on_one_arn_or_letters_of_our_sender(
        self, role: str, statement: dict[str, Any]
    ) -> None:
        del role
        assert statement["Effect"] == "Allow"
        assert isinstance(statement["Action"], str)
        if statement["Action"] == "ses:SendEmail":
            # docs/decisions/0011: no ARN names what SES asks for, the sender does.
            assert statement["Resource"] == "*"
            assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "SenderAddress"}}}
            return
        assert isinstance(statement["Resource"], dict)
        assert "*" not in "".join(texts(statement))

    @pytest.mark.parametrize("role", ROLES)
    def test_a_role_has_no_ready_made_policy_and_only_lambda_may_take_it(self, role: str) -> None:
        assert "ManagedPolicyArns" not in properties(role)
        [statement] = properties(role)["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}

    @pytest.mark.parametrize("role", ROLES)
    def test_no_permission_is_given_twice(self, role: str) -> None:
        [policy] = properties(role)["Policies"]
        given = [(s["Action"], str(s["Resource"])) for s in policy["PolicyDocument"]["Statement"]]
        assert len(set(given)) == len(given)

    @pytest.mark.parametrize(
        ("role", "queue", "more"),
        # An event of very many orders becomes a notice for each.
        [("DeliverRole", "Queue", {"sqs:SendMessage"}), ("FeedbackRole", "MailQueue", set())],
    )
    def test_a_worker_may_do_to_its_queue_what_lambdas_poller_needs_and_put_messages_off(
        self, role: str, queue: str, more: set[str]
    ) -> None:
        """The poller works with the function's role, and the laptop's AWS does not ask whether it may."""
        [policy] = properties(role)["Policies"]
        arn = {"Fn::GetAtt": [queue, "Arn"]}
        allowed = {s["Action"] for s in policy["PolicyDocument"]["Statement"] if s["Resource"] == arn}
        assert (
            allowed
            == {
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ChangeMessageVisibility",
            }
            | more
        )

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_a_function_may_write_to_its_own_log_and_to_no_other(self, name: str) -> None:
        """Lambda writes it with the function's role, and the laptop's AWS does not ask whether it may."""
        [policy] = properties(f"{name}Role")["Policies"]
        statements = policy["PolicyDocument"]["Statement"]
        logs = {(s["Action"], str(s["Resource"])) for s in statements if s["Action"].startswith("logs:")}
        own = str({"Fn::GetAtt": [f"{name}Logs", "Arn"]})
        assert logs == {("logs:CreateLogStream", own), ("logs:PutLogEvents", own)}

    def test_the_api_may_call_a_function_through_its_own_routes_only(self) -> None:
        given = [one["Properties"] for one in resources("AWS::Lambda::Permission").values()]
        through = {one["FunctionName"]["Ref"]: one["SourceArn"]["Fn::Sub"].partition("${Api}")[2] for one in given}
        assert through == {"Receive": "/*/POST/webhook/*", "Page": "/*/*/order*"}
        assert len(given) == 2


class TestMemory:
    def test_the_events_table_forgets_by_powertools_own_attribute(self) -> None:
        ttl = properties("EventsTable")["TimeToLiveSpecification"]
        powertools = inspect.signature(DynamoDBPersistenceLayer.__init__).parameters["expiry_attr"].default
        assert ttl == {"AttributeName": powertools, "Enabled": True}

    def test_the_events_table_has_powertools_own_key(self) -> None:
        powertools = inspect.signature(DynamoDBPersistenceLayer.__init__).parameters["key_attr"].default
        assert properties("EventsTable")["KeySchema"] == [{"AttributeName": powertools, "KeyType": "HASH"}]

    def test_the_ledger_can_be_put_back_to_any_second(self) -> None:
        specification = properties("OrdersTable")["PointInTimeRecoverySpecification"]
        assert specification == {"PointInTimeRecoveryEnabled": True}

    def test_the_ledger_is_not_deleted_by_a_slip(self) -> None:
        assert properties("OrdersTable")["DeletionProtectionEnabled"] is True

    @pytest.mark.parametrize(
        ("name", "policy"),
        # The secret's name is fixed: kept after a first creation that failed, it would block the next.
        [("OrdersTable", "Retain"), ("Secret", "RetainExceptOnCreate")],
    )
    def test_what_cannot_be_made_again_stays_when_the_stack_goes(self, name: str, policy: str) -> None:
        assert resources()[name]["DeletionPolicy"] == policy
        assert resources()[name]["UpdateReplacePolicy"] == "Retain"

    def test_orders_never_expire(self) -> None:
        assert "TimeToLiveSpecification" not in properties("OrdersTable")


class TestSecret:
    def test_what_generates_it_is_never_changed(self) -> None:
        """CloudFormation would generate the value anew, over the seller's keys and over link_key."""
        assert properties("Secret")["GenerateSecretString"] == {
            "SecretStringTemplate": (
                '{"stripe_api_key": "", "stripe_webhook_secrets": [],'
                ' "fastio_api_key": "", "fastio_webhook_secrets": []}'
            ),
            "GenerateStringKey": "link_key",
            "PasswordLength": 64,
            "ExcludePunctuation": True,
        }

    def test_it_is_made_empty_and_so_refuses_everything(self) -> None:
        from paidshare.secret import Secret

        made = properties("Secret")["GenerateSecretString"]
        assert Secret.read(made["SecretStringTemplate"]) == Secret()

    def test_its_link_key_is_random_and_longer_than_shares_need(self) -> None:
        made = properties("Secret")["GenerateSecretString"]
        assert made["GenerateStringKey"] == "link_key"
        assert made["PasswordLength"] >= 32

    def test_it_is_named_after_the_stage(self) -> None:
        assert properties("Secret")["Name"] == {"Fn::Sub": "paidshare/${Stage}"}


class TestParameters:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            # Nobody makes a live shop by leaving something out.
            ("Stage", None),
            ("StripeMode", None),
            ("LinkDays", 7),
            ("StripeApiBase", "https://api.stripe.com"),
            ("FastioApiBase", "https://api.fast.io/current"),
            ("FastioWebBase", "https://go.fast.io"),
            # Empty: any address.
            ("StripeAllowedCidrs", ""),
            ("FastioAllowedCidrs", ""),
            # Empty: what the stack makes, or what AWS has.
            ("ExistingOrdersTable", ""),
            ("ExistingSecret", ""),
            ("DomainName", ""),
            # Nobody else's address can be a default.
            ("SenderAddress", None),
            ("AlarmEmail", None),
        ],
    )
    def test_a_parameter_of_the_contract_has_its_default(self, name: str, expected: object) -> None:
        assert default(name) == expected

    @pytest.mark.parametrize("name", ["DeliverConcurrency", "LogRetentionDays"])
    def test_a_parameter_of_the_contract_exists_with_a_default(self, name: str) -> None:
        assert default(name) is not None

    def test_the_default_services_are_the_adapters_own(self) -> None:
        assert default("FastioApiBase") == api.API_BASE
        assert default("FastioWebBase") == shares.WEB_BASE

    @pytest.mark.parametrize(
        ("rule", "stages", "mode"), [("ProdIsLive", {"prod"}, "live"), ("TestIsTest", {"test", "local"}, "test")]
    )
    def test_a_stage_and_the_mode_that_its_name_promises_go_together(
        self, rule: str, stages: set[str], mode: str
    ) -> None:
        body = template()["Rules"][rule]
        assert set(texts(body["RuleCondition"])) - {"Fn::Or", "Fn::Equals", "Ref", "Stage"} == stages
        assert [each["Assert"] for each in body["Assertions"]] == [{"Fn::Equals": [{"Ref": "StripeMode"}, mode]}]

    def test_the_mode_is_test_or_live_and_nothing_else(self) -> None:
        assert template()["Parameters"]["StripeMode"]["AllowedValues"] == ["test", "live"]

    def test_every_parameter_is_used(self) -> None:
        body = {"Globals": template()["Globals"], "Resources": resources()}
        used = " ".join(texts(body))
        assert [name for name in template()["Parameters"] if not re.search(rf"\b{name}\b", used)] == []


class TestOutputs:
    @pytest.mark.parametrize(
        "name",
        [
            "StripeWebhookUrl",
            "FastioWebhookUrl",
            "EventsTable",
            "OrdersTable",
            "QueueName",
            "DeadLetterQueueName",
            "SecretArn",
        ],
    )
    def test_an_output_of_the_contract_exists(self, name: str) -> None:
        assert name in template()["Outputs"]


class TestFrontDoor:
    def test_the_routes_are_the_contract_s(self) -> None:
        routes = {route["Properties"]["RouteKey"] for route in resources("AWS::ApiGatewayV2::Route").values()}
        assert routes == {
            "POST /webhook/stripe",
            "POST /webhook/fastio",
            "GET /order",
            "GET /order/{token}",
            "POST /order",
        }

    def test_a_flood_is_throttled_and_every_call_is_logged(self) -> None:
        stage = properties("ApiStage")
        assert stage["DefaultRouteSettings"] == {
            "ThrottlingRateLimit": {"Ref": "ThrottleRate"},
            "ThrottlingBurstLimit": {"Ref": "ThrottleBurst"},
        }
        assert 0 < default("ThrottleRate") <= default("ThrottleBurst")
        assert stage["AccessLogSettings"]["DestinationArn"] == {"Fn::GetAtt": ["ApiLogs", "Arn"]}

    def test_a_host_of_one_s_own_leads_to_the_webhooks_over_tls_and_needs_a_certificate(self) -> None:
        [configuration] = properties("ApiDomain")["DomainNameConfigurations"]
        assert configuration["SecurityPolicy"] == "TLS_1_2"
        assert properties("ApiDomainMapping")["Stage"] == {"Ref": "ApiStage"}
        assert "CertificateArn" in set(texts(template()["Rules"]["DomainHasCertificate"]["Assertions"]))
        for name, path in (("StripeWebhookUrl", "stripe"), ("FastioWebhookUrl", "fastio")):
            condition, own, aws = template()["Outputs"][name]["Value"]["Fn::If"]
            assert (condition, own) == ("HasDomain", {"Fn::Sub": f"https://${{DomainName}}/webhook/{path}"})
            assert aws["Fn::Sub"].endswith(f"/webhook/{path}")

    def test_the_access_log_holds_nobody_s_address(self) -> None:
        assert "sourceIp" not in properties("ApiStage")["AccessLogSettings"]["Format"]["Fn::Sub"]

    def test_the_access_log_needs_no_entry_of_its_own_in_the_account_s_resource_policy(self) -> None:
        assert properties("ApiLogs")["LogGroupName"]["Fn::Sub"].startswith("/aws/vendedlogs/")

    def test_a_throttled_request_is_counted_from_the_access_log(self) -> None:
        line = json.loads(properties("ApiStage")["AccessLogSettings"]["Format"]["Fn::Sub"])
        [counted] = properties("ThrottledRequests")["MetricTransformations"]
        assert properties("ThrottledRequests")["FilterPattern"] == '{ $.status = "429" }'
        assert line["status"] == "$context.status"
        assert line["stage"] == "${Stage}"
        assert counted["Dimensions"] == [{"Key": "stage", "Value": "$.stage"}]

    def test_a_new_account_of_ten_leaves_receive_half_of_them(self) -> None:
        assert default("DeliverConcurrency") + default("FeedbackConcurrency") + 1 <= 5

    def test_receive_gets_the_event_format_that_it_reads(self) -> None:
        assert properties("ReceiveIntegration")["PayloadFormatVersion"] == "2.0"


class TestArtifacts:
    def test_nothing_of_the_laptop_or_the_tests_is_deployed(self) -> None:
        packaged = [
            body["Properties"].get("CodeUri") or body["Properties"]["ContentUri"]
            for body in (FUNCTIONS | LAYERS).values()
        ]
        for folder in packaged:
            assert Path(folder).parts[0] in {"functions", "layers"}
        assert [text for text in texts(template()) if re.search(r"\b(local|tests)/", text)] == []

    @pytest.mark.parametrize("path", [*ROOT.glob("functions/*/*.py"), *ROOT.glob("layers/**/*.py")], ids=str)
    def test_nothing_that_is_deployed_imports_the_laptop_or_the_tests(self, path: Path) -> None:
        found = re.findall(r"^\s*(?:from|import) (local|tests|moto|pytest)\b", path.read_text(), re.MULTILINE)
        assert found == []

    @pytest.mark.parametrize("name", LAYERS)
    def test_a_layer_is_this_stage_s_own_and_goes_with_it(self, name: str) -> None:
        assert properties(name)["LayerName"]["Fn::Sub"].startswith("paidshare-${Stage}-")
        assert properties(name)["RetentionPolicy"] == "Delete"

    @pytest.mark.parametrize("name", LAYERS)
    def test_a_layer_is_built_by_its_makefile(self, name: str) -> None:
        makefile = ROOT / properties(name)["ContentUri"] / "Makefile"
        assert f"build-{name}:" in makefile.read_text()
        assert resources()[name]["Metadata"] == {"BuildMethod": "makefile"}

    def test_python_is_the_one_of_the_repository(self) -> None:
        version = (ROOT / ".python-version").read_text().strip()
        assert GLOBALS["Runtime"] == "python" + ".".join(version.split(".")[:2])
