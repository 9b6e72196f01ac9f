"""What the diagnosis makes of a function's log line."""

import json

import pytest

from local.aws.diagnosis import complaint, worth_telling


def line(**words: object) -> str:
    return json.dumps({"level": "ERROR", "message": "order_put_off", **words})


class TestComplaint:
    @pytest.mark.parametrize(
        ("what", "action"),
        [
            ("SES SendEmail: AccessDeniedException", "ses:SendEmail"),
            ("DynamoDB UpdateItem: AccessDeniedException", "dynamodb:UpdateItem"),
            ("SQS SendMessage: AccessDenied", "sqs:SendMessage"),
            ("Secrets Manager GetSecretValue: AccessDeniedException", "secretsmanager:GetSecretValue"),
        ],
    )
    def test_a_refusal_of_iams_names_the_function_and_the_action(self, what: str, action: str) -> None:
        assert (complaint(line(what=what), "Deliver") or "").startswith(f"Deliver is not allowed {action}:")

    def test_another_error_is_told_as_it_was_logged(self) -> None:
        said = complaint(line(reason="file_missing", what="no such node"), "Deliver")

        assert said == "Deliver: order_put_off, file_missing, no such node"

    @pytest.mark.parametrize(
        "message",
        [
            line(level="INFO"),  # All is well.
            json.dumps({"_aws": {}, "Orders": [1.0]}),  # A metric.
            json.dumps(["level"]),  # No object.
            "START RequestId: 1 Version: $LATEST",  # Lambda's own.
        ],
    )
    def test_what_is_no_complaint_is_left_out(self, message: str) -> None:
        assert complaint(message, "Deliver") is None

    @pytest.mark.parametrize(
        "message", ["ModuleNotFoundError: No module named 'httpx'", "2026-11-22 Task timed out after 60.00 seconds"]
    )
    def test_what_python_or_lambda_says_itself_is_told(self, message: str) -> None:
        assert complaint(message, "Receive") == f"Receive: {message}"


class TestWorthTelling:
    PROBE = complaint(
        line(level="WARNING", message="signature_refused", source="stripe", status=400, reason="missing_signature"),
        "Receive",
    )

    def test_start_ups_own_unsigned_request_is_no_complaint(self) -> None:
        assert worth_telling([str(self.PROBE), "Deliver: order_put_off"]) == ["Deliver: order_put_off"]

    def test_a_second_unsigned_request_is_one(self) -> None:
        assert worth_telling([str(self.PROBE), str(self.PROBE)]) == [self.PROBE]

    def test_each_complaint_is_told_once_and_in_order(self) -> None:
        assert worth_telling(["b", "a", "b"]) == ["b", "a"]
