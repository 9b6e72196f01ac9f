"""
AWS's published known answers.

The suite `aws-sig-v4-test-suite` (in github.com/awslabs/aws-c-auth, tests/aws-signing-test-suite/v4) and the example of
docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html: facts, and none of anybody's code.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from paidshare.aws.sigv4 import Keys, Scope, signed, signing_key

KEYS = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SCOPE = Scope("us-east-1", "service")
MOMENT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
HOST = {"host": "example.amazonaws.com"}
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7"
    "mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d"
    "+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)


@pytest.mark.parametrize(
    ("request_", "signature"),
    [
        ({"method": "GET"}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ({}, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            {"method": "GET", "query": "Param1=value1&Param2=value2"},
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        ({"more": {"my-header1": "value1"}}, "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"),
        ({"more": {"my-header1": "VALUE1"}}, "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
        (
            {"method": "GET", "more": {"my-header1": " value1", "my-header2": ' "a   b   c"'}},
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            {"more": {"content-type": "application/x-www-form-urlencoded"}, "body": b"Param1=value1"},
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        ({"token": TOKEN}, "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
    ],
    ids=[
        "get-vanilla",
        "post-vanilla",
        "get-vanilla-query-order-key-case",
        "post-header-key-sort",
        "post-header-value-case",
        "get-header-value-trim",
        "post-x-www-form-urlencoded",
        "post-sts-header-before",
    ],
)
def test_a_request_of_aws_s_suite_has_its_signature(request_: dict[str, object], signature: str) -> None:
    how: dict[str, Any] = dict(request_)
    keys = Keys(KEYS.access_key, KEYS.secret_key, how.pop("token", ""))
    made = signed(HOST | how.pop("more", {}), how.pop("body", b""), keys=keys, scope=SCOPE, moment=MOMENT, **how)
    assert made["authorization"].rpartition("=")[2] == signature


def test_the_documentation_s_request_has_its_whole_header() -> None:
    made = signed(
        {"content-type": "application/x-www-form-urlencoded; charset=utf-8", "host": "iam.amazonaws.com"},
        b"",
        keys=KEYS,
        scope=Scope("us-east-1", "iam"),
        moment=MOMENT,
        method="GET",
        query="Action=ListUsers&Version=2010-05-08",
    )
    assert made["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


def test_the_documentation_s_signing_key_is_ours() -> None:
    key = signing_key(KEYS.secret_key, "20120215", Scope("us-east-1", "iam"))
    assert key.hex() == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"


def test_no_key_is_ever_shown() -> None:
    assert KEYS.secret_key not in repr(Keys("AKID", KEYS.secret_key, TOKEN)) + str(Keys("AKID", "x", TOKEN))
    assert TOKEN not in repr(Keys("AKID", "x", TOKEN))
