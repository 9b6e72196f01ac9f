import contextlib
import math
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.signing import sign_fastio_pair, sign_stripe
from paidshare.receiving import signatures
from paidshare.receiving.signatures import Reason, Refused, Scheme, Verified, verify_fastio, verify_stripe

SECRET = "whsec_5p1nmAk3rSfavourite5ecretF0rTests"
OTHER = "whsec_0therSecretThatSomebodyElseHasMade"
BODY = b'{"id":"evt_1","object":"event"}'
AT = 1_790_000_000
NAME = "Stripe-Signature"
GOOD = sign_stripe(BODY, SECRET, AT)
V1 = GOOD.partition(",")[2]


def judge(header: object, *secrets: str | None, body: bytes = BODY, now: float = AT) -> Verified | Refused:
    return verify_stripe(body, {NAME: header}, secrets or (SECRET,), now)


def test_the_signature_is_the_one_that_openssl_makes() -> None:
    # printf '1790000000.%s' '{"id":"evt_1","object":"event"}' |
    #   openssl dgst -sha256 -hmac whsec_known_answer_of_the_stripe_scheme
    known = "490a2058f38b69d2e9c5470ee80cf7b2935146ea0d5cd9cfa4314e158ce7d5d1"
    assert judge(f"t=1790000000,v1={known}", "whsec_known_answer_of_the_stripe_scheme") == Verified(Scheme.STRIPE_V1, 0)


def test_another_header_of_the_same_length_is_no_signature() -> None:
    other = "X" + NAME[1:]
    assert verify_stripe(BODY, {other: GOOD}, (SECRET,), AT) == Refused(Reason.MISSING_SIGNATURE)
    assert verify_stripe(BODY, {other: "t=1,v1=00", NAME: GOOD}, (SECRET,), AT) == Verified(Scheme.STRIPE_V1, 0)


def test_where_no_secret_is_usable_a_fresh_one_may_help() -> None:
    verdict = judge(GOOD, "")
    assert verdict == Refused(Reason.NO_USABLE_SECRET)
    assert isinstance(verdict, Refused)
    assert verdict.new_secret_may_help


class TestSecrets:
    def test_says_which_secret_matched(self) -> None:
        assert judge(GOOD, SECRET, OTHER) == Verified(Scheme.STRIPE_V1, 0)
        assert judge(GOOD, OTHER, SECRET) == Verified(Scheme.STRIPE_V1, 1)

    def test_counts_the_unusable_ones_too(self) -> None:
        assert judge(GOOD, "", None, "short", SECRET) == Verified(Scheme.STRIPE_V1, 3)

    def test_passes_over_what_is_no_text(self) -> None:
        assert judge(GOOD, 7, ["x"], b"y" * 20, SECRET) == Verified(Scheme.STRIPE_V1, 3)  # type: ignore[arg-type]  # On purpose.

    @pytest.mark.parametrize(
        "secret",
        [
            "",  # As the template makes it.
            " " * 40,
            "\u00a0" * 40,  # Which the SDK would take.
            "whsec_",
            "whsec_...",  # A page's placeholder.
            "a" * 15,
            "\ud800" * 40,  # Half a surrogate pair has no bytes in UTF-8.
        ],
    )
    def test_a_blank_or_short_secret_never_verifies(self, secret: str) -> None:
        header = f"t={AT},v1=" + "0" * 64
        with contextlib.suppress(UnicodeEncodeError):
            header = sign_stripe(BODY, secret, AT)
        assert judge(header, secret) == Refused(Reason.NO_USABLE_SECRET)

    def test_none_at_all_refuses(self) -> None:
        assert verify_stripe(BODY, {NAME: GOOD}, [], AT) == Refused(Reason.NO_USABLE_SECRET)

    def test_one_text_instead_of_a_list_is_no_list_of_secrets(self) -> None:
        assert verify_stripe(BODY, {NAME: GOOD}, SECRET, AT) == Refused(Reason.NO_USABLE_SECRET)

    def test_a_careless_caller_is_refused_too(self) -> None:
        assert judge(GOOD)
        assert not judge(GOOD, OTHER)

    def test_a_verdict_never_shows_a_secret(self) -> None:
        assert SECRET not in repr([judge(GOOD), judge(GOOD, OTHER), judge("")])


class TestHeaders:
    @pytest.mark.parametrize("name", ["stripe-signature", "STRIPE-SIGNATURE", "StRiPe-SiGnAtUrE"])
    def test_found_in_any_case(self, name: str) -> None:
        assert isinstance(verify_stripe(BODY, {name: GOOD}, [SECRET], AT), Verified)
        assert isinstance(verify_stripe(BODY, [("a", "b"), (name, GOOD)], [SECRET], AT), Verified)

    def test_pairs_may_come_from_an_iterator(self) -> None:
        headers = sign_fastio_pair(BODY, SECRET, AT).items()
        assert isinstance(verify_fastio(BODY, iter(headers), [SECRET], AT), Verified)

    @pytest.mark.parametrize(
        "headers",
        [
            [(NAME, GOOD), (NAME, GOOD)],
            [(NAME, GOOD), (NAME.lower(), "")],
            {NAME: GOOD, NAME.upper(): f"t={AT},v1=bad"},
            {NAME: f"{GOOD},{GOOD}"},  # API Gateway's HTTP API joins the two.
            {NAME: f"t={AT - 9999},v1=bad,{GOOD}"},
        ],
    )
    def test_refused_when_doubled(self, headers: signatures.Headers) -> None:
        assert verify_stripe(BODY, headers, [SECRET], AT) == Refused(Reason.DOUBLED_HEADER)

    @pytest.mark.parametrize("headers", [{}, [], {NAME: None}, {NAME: ""}, {NAME: " \t"}, {"Signature": GOOD}])
    def test_missing_is_told_from_wrong(self, headers: signatures.Headers) -> None:
        verdict = verify_stripe(BODY, headers, [SECRET], AT)
        assert verdict == Refused(Reason.MISSING_SIGNATURE)
        assert isinstance(verdict, Refused)
        assert verdict.missing
        assert not verdict.new_secret_may_help

    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            (GOOD + ",", Reason.MALFORMED_HEADER),  # The SDK passes over what has no “=”.
            (f"{V1}", Reason.MALFORMED_HEADER),  # No t.
            (f"t={AT}", Reason.NO_KNOWN_SCHEME),
            (f"t={AT},v1", Reason.MALFORMED_HEADER),
            (f"{V1},t={AT}", None),  # Order is nobody's promise.
            (f"{GOOD},v0=abc,x=y==", None),  # Other schemes and what may come later.
            (f"t={AT},v1=,{V1}", None),
            (f"t={AT},v1={'0' * 64},{V1}", None),
            (GOOD.replace("v1", "V1"), Reason.NO_KNOWN_SCHEME),
            (GOOD.upper().replace("T=", "t=").replace("V1=", "v1="), Reason.MISMATCH),
            (GOOD + "==", Reason.MISMATCH),
            (GOOD + "\n", Reason.MISMATCH),
            (f" {GOOD}", Reason.MALFORMED_HEADER),
            (GOOD + ",v1=é", Reason.MALFORMED_HEADER),  # In the SDK a TypeError, if it comes first.
            (GOOD + ",v1=\ud800", Reason.MALFORMED_HEADER),
            (GOOD + ",v1=\0", None),
            ("," * 100_000, Reason.HEADER_TOO_LONG),
            ("," * 4096, Reason.TOO_MANY_PARTS),
            (GOOD + ",v1=x" * (signatures.MOST_PARTS - 2), None),
            (GOOD + ",v1=x" * (signatures.MOST_PARTS - 1), Reason.TOO_MANY_PARTS),
            (GOOD + ",x=" + "y" * (signatures.LONGEST_HEADER - len(GOOD) - 3), None),
            (GOOD + ",x=" + "y" * (signatures.LONGEST_HEADER - len(GOOD) - 2), Reason.HEADER_TOO_LONG),
            (GOOD.encode(), Reason.MALFORMED_HEADER),
            ([GOOD], Reason.MALFORMED_HEADER),
            (7, Reason.MALFORMED_HEADER),
        ],
    )
    def test_the_grammar(self, header: object, reason: Reason | None) -> None:
        expected = Refused(reason) if reason else Verified(Scheme.STRIPE_V1, 0)
        assert judge(header) == expected


class TestTime:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "0",
            f"0{AT}",
            f"+{AT}",
            f"-{AT}",
            f" {AT}",
            f"{AT} ",
            f"{AT}\n",
            f"{AT}.0",
            "1_790_000_000",
            "0x6ab13b80",
            "1e9",
            "nan",
            "inf",
            f"{AT}000000",
            "9" * 3000,
            f"{AT}={AT}",
        ],
    )
    def test_only_a_plain_number_of_seconds(self, text: str) -> None:
        assert judge(f"t={text},{V1}") == Refused(Reason.BAD_TIMESTAMP)

    def test_arabic_digits_are_no_ascii(self) -> None:
        assert judge(f"t=١٧٩٠٠٠٠٠٠٠,{V1}") == Refused(Reason.MALFORMED_HEADER)

    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            (AT, None),
            (AT + 299, None),
            (AT + 299.999, None),
            (AT + 300, Reason.TOO_OLD),  # The SDK takes this one if its clock is just as round.
            (AT + 300.001, Reason.TOO_OLD),
            (AT - 299.999, None),
            (AT - 300, Reason.FROM_THE_FUTURE),
            (AT - 10**9, Reason.FROM_THE_FUTURE),
            (math.inf, Reason.TOO_OLD),
            (-math.inf, Reason.FROM_THE_FUTURE),
            (math.nan, Reason.FROM_THE_FUTURE),
        ],
    )
    def test_five_minutes_both_ways(self, now: float, expected: Reason | None) -> None:
        assert judge(GOOD, now=now) == (Refused(expected) if expected else Verified(Scheme.STRIPE_V1, 0))

    def test_only_a_true_signature_is_called_old(self) -> None:
        verdict = judge(GOOD, OTHER, now=AT + 9999)
        assert verdict == Refused(Reason.MISMATCH)
        assert isinstance(verdict, Refused)
        assert verdict.new_secret_may_help


class TestBody:
    @pytest.mark.parametrize(
        "body",
        [
            BODY + b"\n",
            b"\xef\xbb\xbf" + BODY,
            BODY.replace(b":", b": "),  # Read and written again.
            BODY[:-1],
            bytes([BODY[0] ^ 1]) + BODY[1:],
            b"",
        ],
    )
    def test_any_other_byte_is_another_body(self, body: bytes) -> None:
        assert judge(GOOD, body=body) == Refused(Reason.MISMATCH)

    @pytest.mark.parametrize("body", [b"", b"\0", b"\xef\xbb\xbf{}", "{“”}".encode(), b"[" * 100_000])
    def test_what_is_in_it_does_not_matter(self, body: bytes) -> None:
        assert judge(sign_stripe(body, SECRET, AT), body=body) == Verified(Scheme.STRIPE_V1, 0)

    @pytest.mark.parametrize("body", [b"\xff", b"\xed\xa0\x80", b"{\xc3}"])
    def test_signed_bytes_that_are_no_utf8_are_refused_as_the_sdk_does(self, body: bytes) -> None:
        assert judge(sign_stripe(body, SECRET, AT), body=body) == Refused(Reason.BODY_NOT_UTF8)


anything = st.one_of(
    st.none(),
    st.integers(),
    st.binary(),
    st.text(st.characters(codec=None)),  # Lone surrogates and NUL among them.
    st.text("tv10=,abc9 \0é", max_size=60),
)
names = st.sampled_from([NAME, "X-Fastio-Signature", "x-timestamp", "Fastio-Signature", "", "ſtripe-signature"])


@given(
    body=st.binary(),
    headers=st.lists(st.tuples(names | st.text(), anything), max_size=6),
    secrets=st.lists(st.none() | st.text(st.characters(codec=None)), max_size=3),
    now=st.floats() | st.integers(-(10**12), 10**12),
)
def test_nothing_raises_and_nothing_unsigned_verifies(
    body: bytes, headers: list[tuple[str, object]], secrets: list[str | None], now: float
) -> None:
    for verify in (verify_stripe, verify_fastio):
        assert isinstance(verify(body, headers, secrets, now), Refused)
        assert isinstance(verify(body, dict(headers), secrets, now), Refused)


MEBIBYTE = 1 << 20


@pytest.mark.parametrize("verify", [verify_stripe, verify_fastio])
@pytest.mark.parametrize(
    "header",
    [
        pytest.param(f"t={AT}" + ",v1=" * 100_000, id="100,000 empty v1"),
        pytest.param(f"t={AT}" + f",{V1}" * 100_000, id="100,000 right v1"),
        pytest.param("," * 100_000, id="100,000 commas"),
        pytest.param("é" * MEBIBYTE, id="1 MiB, not ASCII"),
        pytest.param(" " * MEBIBYTE, id="1 MiB of spaces"),
        pytest.param("9" * MEBIBYTE, id="1 MiB of nines"),
        pytest.param("," * signatures.LONGEST_HEADER, id="as long as allowed, all commas"),
        pytest.param("t=" * (signatures.LONGEST_HEADER // 2), id="as long as allowed, all t="),
        pytest.param((f"t={AT}" + ",v1=" + "0" * 64) * 18, id="as many parts as allowed"),
    ],
)
def test_a_monstrous_header_costs_less_than_a_millisecond(
    verify: Callable[..., Verified | Refused], header: str
) -> None:
    headers = [(NAME, header), ("Fastio-Signature", header), ("X-Fastio-Signature", header), ("X-Timestamp", header)]

    def cost() -> float:
        started = time.process_time()
        assert isinstance(verify(BODY, headers, [SECRET, OTHER], AT), Refused)
        return time.process_time() - started

    # The best of several: a busy machine adds time, and never takes any away.
    assert min(cost() for _ in range(20)) < 0.001


def test_a_header_name_of_a_megabyte_costs_nothing_either() -> None:
    headers = [("S" * MEBIBYTE, GOOD)] * 100
    started = time.process_time()
    verify_stripe(BODY, headers, [SECRET], AT)
    assert time.process_time() - started < 0.01
