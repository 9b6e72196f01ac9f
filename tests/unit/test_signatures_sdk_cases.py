"""
Every case of the four official SDKs' webhook test suites, under the name it has there.

Read in stripe-python tests/test_webhook.py, stripe-node test/Webhook.spec.ts, stripe-go webhook/client_test.go and
stripe-ruby test/stripe/webhook_test.rb. The suites vary the tolerance; ours is fixed, so their “15 seconds old,
10 allowed” is “305 old, 300 allowed” here. What they check after the signature (JSON, thin events, API
versions) is no business of `signatures`: such a row only says that the signature of such a body is right.
"""

from typing import NamedTuple

import pytest

from local.signing import sign_stripe
from paidshare.receiving.signatures import Reason, Refused, Scheme, Verified, verify_stripe

SECRET = "whsec_test_secret"  # The four suites' own.
BODY = b'{\n  "id": "evt_test_webhook",\n  "object": "event"\n}'
NOT_JSON = b"this is not valid JSON"
THIN = b'{"id": "evt_234", "object": "v2.core.event", "created": "2022-02-15T00:27:45.330Z"}'
AT = 1_790_000_000
GOOD = sign_stripe(BODY, SECRET, AT)
OLD_KEY = SECRET
NEW_KEY = SECRET + "_rolled_key"


class Case(NamedTuple):
    name: str
    header: object
    expected: Reason | None
    """None: verified."""
    body: bytes = BODY
    secrets: tuple[str | None, ...] = (SECRET,)


PYTHON = [
    # TestWebhook, and again through the client in TestStripeClientConstructEvent.
    Case("test_construct_event", GOOD, None),
    # Signed all right; Receive finds out that it is no JSON.
    Case("test_raise_on_json_error", sign_stripe(NOT_JSON, SECRET, AT), None, body=NOT_JSON),
    Case("test_raise_on_invalid_header", "bad_header", Reason.MALFORMED_HEADER),
    Case("test_construct_event_from_bytearray", GOOD, None, body=bytearray(BODY)),  # type: ignore[arg-type]  # On purpose.
    Case("test_construct_event_from_bytes", GOOD, None),
    # Signed all right; Receive knows no thin events.
    Case("test_raise_on_v2_payload", sign_stripe(THIN, SECRET, AT), None, body=THIN),
    # TestWebhookSignature
    Case(
        "test_raise_on_malformed_header",
        "i'm not even a real signature header",
        Reason.MALFORMED_HEADER,
    ),
    Case(
        "test_raise_on_no_signatures_with_expected_scheme",
        GOOD.replace("v1=", "v0="),
        Reason.NO_KNOWN_SCHEME,
    ),
    Case("test_raise_on_no_valid_signatures_for_payload", f"t={AT},v1=bad_signature", Reason.MISMATCH),
    Case("test_raise_on_timestamp_outside_tolerance", sign_stripe(BODY, SECRET, AT - 305), Reason.TOO_OLD),
    Case("test_valid_header_and_signature", GOOD, None),
    Case("test_header_contains_valid_signature", GOOD + ",v1=bad_signature", None),
    # The SDK takes it when told to; we cannot be told to.
    Case("test_timestamp_off_but_no_tolerance", sign_stripe(BODY, SECRET, 12345), Reason.TOO_OLD),
    # Added in 15.6 and 16: headers and secrets that are not there.
    Case("header is None", None, Reason.MISSING_SIGNATURE),
    Case("header is empty", "", Reason.MISSING_SIGNATURE),
    Case("secret is None", GOOD, Reason.NO_USABLE_SECRET, secrets=(None,)),
    Case("secret is empty", sign_stripe(BODY, "", AT), Reason.NO_USABLE_SECRET, secrets=("",)),
    *(
        Case(
            f"secret is whitespace only, {blank!r}",
            sign_stripe(BODY, blank, AT),
            Reason.NO_USABLE_SECRET,
            secrets=(blank,),
        )
        for blank in [" ", "\t", "\r", "\n", "\f", "\v", " \t\r\n\f\v ", " " * 40]
    ),
    # Used as it is: whoever signs with the space is right, and whoever signs without it is not.
    Case(
        "secret with surrounding whitespace is not trimmed",
        sign_stripe(BODY, f" {SECRET}\n", AT),
        None,
        secrets=(f" {SECRET}\n",),
    ),
    Case("secret with whitespace, signed without", GOOD, Reason.MISMATCH, secrets=(f"{SECRET}\n",)),
    Case(
        "secret with a no-break space is used as it is",
        sign_stripe(BODY, f"{SECRET}\u00a0", AT),
        None,
        secrets=(f"{SECRET}\u00a0",),
    ),
]

NODE = [
    Case(".generateTestHeaderString should correctly construct a webhook header", GOOD, None),
    Case("should return an Event instance from a valid JSON payload and valid signature header", GOOD, None),
    # Node takes a Buffer or Uint8Array for a header. No Python server makes bytes of one; refused, not decoded.
    Case("… payload and header with type Buffer", GOOD.encode(), Reason.MALFORMED_HEADER),
    Case("… payload and header with type Uint8Array", bytearray(GOOD.encode()), Reason.MALFORMED_HEADER),
    Case(
        "should raise a JSON error from invalid JSON payload",
        sign_stripe(b"} I am not valid JSON; 123][", SECRET, AT),
        None,
        body=b"} I am not valid JSON; 123][",
    ),
    Case("… a valid JSON payload and an invalid signature header", "bad_header", Reason.MALFORMED_HEADER),
    Case("… payload null, undefined or empty", "bad_header", Reason.MALFORMED_HEADER, body=b""),
    Case("should error if you pass a signature which is an array", [GOOD], Reason.MALFORMED_HEADER),
    Case("should invoke a custom CryptoProvider", f"t={AT},v1=fake signature", Reason.MISMATCH),
    Case("should throw when a v2 webhook payload is passed", sign_stripe(THIN, SECRET, AT), None, body=THIN),
    Case(
        "… when the header does not have the expected format",
        "I'm not even a real signature header",
        Reason.MALFORMED_HEADER,
    ),
    Case("… when the header is null", None, Reason.MISSING_SIGNATURE),
    Case("… when the header is empty", "", Reason.MISSING_SIGNATURE),
    Case(
        "… when there are no signatures with the expected scheme",
        GOOD.replace("v1=", "v0="),
        Reason.NO_KNOWN_SCHEME,
    ),
    Case(
        "… when there are no valid signatures for the payload",
        f"t={AT},v1=bad_signature",
        Reason.MISMATCH,
    ),
    Case(
        "… when the timestamp is not within the tolerance of the provided timestamp",
        sign_stripe(BODY, SECRET, AT - 305),
        Reason.TOO_OLD,
    ),
    # With Date.now() instead of a time passed in; 100 beyond the default tolerance.
    Case("… not within the tolerance of Date.now()", sign_stripe(BODY, SECRET, AT - 400), Reason.TOO_OLD),
    Case("… the timestamp is within the tolerance of Date.now()", GOOD, None),
    Case(
        "… the timestamp is within the tolerance of the provided timestamp",
        sign_stripe(BODY, SECRET, AT - 9),
        None,
    ),
    Case("… when the header contains at least one valid signature", GOOD + ",v1=potato", None),
    # Node checks no age unless told to; we always do.
    Case(
        "… the timestamp is off but no tolerance is provided",
        sign_stripe(BODY, SECRET, 12345),
        Reason.TOO_OLD,
    ),
    Case("should accept Buffer instances for the payload and header", GOOD, None),
    Case(
        "… when the signing secret contains whitespace",
        GOOD,
        Reason.MISMATCH,
        secrets=(SECRET + " ",),
    ),
    Case("custom CryptoProvider (mismatch)", f"t={AT},v1=different fake signature", Reason.MISMATCH),
    Case("custom CryptoProvider (success)", GOOD, None),
]

GO = [
    Case("TestTokenNew: valid", GOOD, None),
    Case("TestTokenNew: trailing [", sign_stripe(BODY + b"[", SECRET, AT), None, body=BODY + b"["),
    Case("TestTokenNew: empty header, ErrNotSigned", "", Reason.MISSING_SIGNATURE),
    Case("TestTokenNew: v1,t=1, ErrInvalidHeader", "v1,t=1", Reason.MALFORMED_HEADER),
    Case("TestTokenNew: t=, ErrInvalidHeader", "t=", Reason.BAD_TIMESTAMP),
    Case("TestTokenNew: unreadable signature is ignored", GOOD + ",v1=bad_signature", None),
    Case("TestTokenNew: mismatched scheme", GOOD.replace("v1=", "v0="), Reason.NO_KNOWN_SCHEME),
    Case("TestTokenNew: fake signature", f"t={AT},v1={b'deadbeef'.hex()}", Reason.MISMATCH),
    *(
        Case(
            f"TestTokenNew: rolled key, we have the {which}",
            f"{sign_stripe(BODY, OLD_KEY, AT)},{sign_stripe(BODY, NEW_KEY, AT).split(',')[1]}",
            None,
            secrets=(key,),
        )
        for which, key in [("old", OLD_KEY), ("new", NEW_KEY)]
    ),
    Case("TestTokenNew: outside the window", sign_stripe(BODY, SECRET, AT - 305), Reason.TOO_OLD),
    Case("TestTokenNew: inside the window", sign_stripe(BODY, SECRET, AT - 295), None),
    Case("TestTokenNew: ignoring tolerance", sign_stripe(BODY, SECRET, 12345), Reason.TOO_OLD),
    # Their rows on API versions all have a right signature; we fetch the truth at our own version.
    Case("TestConstructEvent_SuccessOnExpectedAPIVersion", GOOD, None),
    Case("TestConstructEvent_SuccessOnNewAPIVersionInExpectedReleaseTrain", GOOD, None),
    Case("TestConstructEvent_ErrorOnLegacyAPIVersionMismatch", GOOD, None),
    Case("TestConstructEvent_ErrorOnReleaseTrainMismatch", GOOD, None),
    Case("TestConstructEventWithOptions_IgnoreAPIVersionMismatch", GOOD, None),
    Case(
        "TestConstructEventWithOptions_UsesDefaultToleranceWhenNoneProvided: 299 s",
        sign_stripe(BODY, SECRET, AT - 299),
        None,
    ),
    Case(
        "TestConstructEventWithOptions_UsesDefaultToleranceWhenNoneProvided: over 300 s",
        sign_stripe(BODY, SECRET, AT - 300),
        Reason.TOO_OLD,
    ),
    Case("TestConstructEvent_ErrorOnEventNotification", sign_stripe(THIN, SECRET, AT), None, body=THIN),
]

RUBY = [
    Case(".compute_signature should compute a signature which can then be verified", GOOD, None),
    Case(".generate_header should generate a header in valid format", GOOD, None),
    Case("should return an Event instance from a valid JSON payload and valid signature header", GOOD, None),
    Case(
        "should raise a JSON::ParserError from an invalid JSON payload",
        sign_stripe(NOT_JSON, SECRET, AT),
        None,
        body=NOT_JSON,
    ),
    Case("… a valid JSON payload and an invalid signature header", "bad_header", Reason.MALFORMED_HEADER),
    Case(
        "… when the header does not have the expected format",
        "i'm not even a real signature header",
        Reason.MALFORMED_HEADER,
    ),
    Case(
        "… when there are no signatures with the expected scheme",
        GOOD.replace("v1=", "v0="),
        Reason.NO_KNOWN_SCHEME,
    ),
    Case(
        "… when there are no valid signatures for the payload",
        f"t={AT},v1=bad_signature",
        Reason.MISMATCH,
    ),
    Case(
        "… when the timestamp is not within the tolerance",
        sign_stripe(BODY, SECRET, AT - 305),
        Reason.TOO_OLD,
    ),
    Case("… a valid signature and the timestamp is within the tolerance", GOOD, None),
    Case("… when the header contains at least one valid signature", GOOD + ",v1=bad_signature", None),
    Case(
        "… the timestamp is off but no tolerance is provided",
        sign_stripe(BODY, SECRET, 12345),
        Reason.TOO_OLD,
    ),
    # Not in their suite, in their parser alone: a space after a comma. Python, Node and Go refuse it too.
    Case("(parser) space after the comma", GOOD.replace(",", ", "), Reason.NO_KNOWN_SCHEME),
]

SUITES = {"python": PYTHON, "node": NODE, "go": GO, "ruby": RUBY}


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=f"{suite}: {case.name}") for suite, cases in SUITES.items() for case in cases],
)
def test_the_sdk_suites_case(case: Case) -> None:
    verdict = verify_stripe(case.body, {"Stripe-Signature": case.header}, case.secrets, AT + 0.5)
    if case.expected is None:
        assert verdict == Verified(Scheme.STRIPE_V1, 0)
    else:
        assert verdict == Refused(case.expected)


def test_the_signer_makes_the_header_that_the_sdk_makes() -> None:
    import stripe

    assert stripe.WebhookSignature.generate_signature_header(BODY.decode(), SECRET, AT) == GOOD
