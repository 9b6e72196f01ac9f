"""
Both Fast.io schemes. The known answers were made with openssl, in a file `m`:

    printf '1790000000.%s' '{"id":"evt_1","event_type":"file.uploaded"}' > m
    openssl dgst -sha256 -hmac fastio-signing-secret-for-known-answers m
    openssl dgst -sha256 -hmac fastio-signing-secret-for-known-answers -binary m | openssl base64
    openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1e1f m
    openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1e1f -binary m | openssl base64
    printf 000102…1e1f | xxd -r -p | openssl base64
"""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.signing import sign_fastio_pair, sign_fastio_single
from paidshare.receiving.signatures import Headers, Reason, Refused, Scheme, Verified, verify_fastio

AT = 1_790_000_000
BODY = b'{"id":"evt_1","event_type":"file.uploaded"}'
TEXT_SECRET = "fastio-signing-secret-for-known-answers"
TEXT_HEX = "1713743679518cace11ac4f23544b83a8fa3c84bfda31db71fdbeff062fedaaa"
TEXT_BASE64 = "FxN0NnlRjKzhGsTyNUS4Oo+jyEv9ox23H9vv8GL+2qo="
HEX_SECRET = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
BASE64_SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
BYTES_HEX = "d8403944f0177ff38d1f9339e344b05716571c99645a9e4d9909fb8179cad849"
BYTES_BASE64 = "2EA5RPAXf/ONH5M540SwVxZXHJlkWp5NmQn7gXnK2Ek="


def pair(signature: str, at: object = AT) -> dict[str, object]:
    return {"X-Fastio-Signature": f"sha256={signature}", "X-Timestamp": str(at)}


def single(signature: str, at: object = AT) -> dict[str, object]:
    return {"Fastio-Signature": f"t={at},v1={signature}"}


def judge(headers: Headers, *secrets: str, now: float = AT) -> Verified | Refused:
    return verify_fastio(BODY, headers, secrets or (TEXT_SECRET,), now)


PAIR = Verified(Scheme.FASTIO_PAIR, 0)
SINGLE = Verified(Scheme.FASTIO_SINGLE, 0)


class TestKnownAnswers:
    @pytest.mark.parametrize(
        ("headers", "secret", "expected"),
        [
            (pair(TEXT_HEX), TEXT_SECRET, PAIR),
            (single(TEXT_BASE64), TEXT_SECRET, SINGLE),
            # Page 001's own code loses the padding; a sender written like it may never have any.
            (single(TEXT_BASE64.rstrip("=")), TEXT_SECRET, SINGLE),
            # “base64”, says the page, and not which.
            (single(TEXT_BASE64.replace("+", "-").replace("/", "_")), TEXT_SECRET, SINGLE),
            (pair(TEXT_HEX.upper()), TEXT_SECRET, PAIR),
            (pair(BYTES_HEX), HEX_SECRET, PAIR),
            (pair(BYTES_HEX), HEX_SECRET.upper(), PAIR),
            (pair(BYTES_HEX), f"whsec_{HEX_SECRET}", PAIR),
            (pair(BYTES_HEX), BASE64_SECRET, PAIR),
            (pair(BYTES_HEX), BASE64_SECRET.rstrip("="), PAIR),
            (single(BYTES_BASE64), f"whsec_{BASE64_SECRET}", SINGLE),
            # Pasted with the line's end.
            (single(BYTES_BASE64), f"{BASE64_SECRET}\n", SINGLE),
        ],
    )
    def test_verified(self, headers: Headers, secret: str, expected: Verified) -> None:
        assert judge(headers, secret) == expected

    def test_the_signers_make_them(self) -> None:
        assert sign_fastio_pair(BODY, TEXT_SECRET, AT) == pair(TEXT_HEX)
        assert sign_fastio_single(BODY, bytes.fromhex(HEX_SECRET), AT) == single(BYTES_BASE64)


class TestSecrets:
    @pytest.mark.parametrize("sign", [sign_fastio_pair, sign_fastio_single])
    @pytest.mark.parametrize(
        ("secret", "key"),
        [
            (TEXT_SECRET, TEXT_SECRET.encode()),
            (f"whsec_{TEXT_SECRET}", TEXT_SECRET.encode()),
            (f"whsec_{TEXT_SECRET}", f"whsec_{TEXT_SECRET}".encode()),  # As Stripe does it.
            (HEX_SECRET, HEX_SECRET.encode()),  # Hex by its looks, used as text.
            (BASE64_SECRET, BASE64_SECRET.encode()),
            (f"whsec_{BASE64_SECRET}", f"whsec_{BASE64_SECRET}".encode()),
            (base64.urlsafe_b64encode(b"\xff\xfe" * 16).decode(), b"\xff\xfe" * 16),
            ("pässword-of-an-operator", "pässword-of-an-operator".encode()),
        ],
    )
    def test_every_reading_that_makes_sense(self, sign: object, secret: str, key: bytes) -> None:
        headers = sign(BODY, key, AT)  # type: ignore[operator]  # One of two functions.
        assert judge(headers, "another-secret-of-enough-length", secret) == Verified(
            Scheme.FASTIO_PAIR if len(headers) == 2 else Scheme.FASTIO_SINGLE, 1
        )

    @pytest.mark.parametrize(
        ("secret", "key"),
        [
            ("", b""),
            ("whsec_", b""),
            ("whsec_" + "=" * 20, b""),  # Base64 of nothing.
            ("whsec_" + "ab" * 7, b"\xab" * 7),  # Long enough as text, too short as hex.
            ("ab" * 10, b"\xab" * 10),
            ("A" * 20, bytes(15)),
            (" " * 40, b" " * 40),
        ],
    )
    def test_no_reading_makes_an_empty_or_short_key(self, secret: str, key: bytes) -> None:
        assert isinstance(judge(sign_fastio_pair(BODY, key, AT), secret), Refused)
        assert isinstance(judge(sign_fastio_single(BODY, key, AT), secret), Refused)

    @given(st.text(st.characters(codec=None)))
    def test_no_text_makes_the_empty_key_work(self, secret: str) -> None:
        assert isinstance(judge(sign_fastio_pair(BODY, b"", AT), secret, f"whsec_{secret}"), Refused)

    @given(key=st.binary(min_size=16), body=st.binary(), age=st.integers(-299, 299))
    def test_any_long_key_works_in_hex_and_base64(self, key: bytes, body: bytes, age: int) -> None:
        for sign in (sign_fastio_pair, sign_fastio_single):
            for secret in (key.hex(), base64.b64encode(key).decode()):
                assert isinstance(verify_fastio(body, sign(body, key, AT), [secret], AT + age), Verified)

    def test_blank_ones_are_told_apart(self) -> None:
        assert judge(pair(TEXT_HEX), "", " ", "whsec_") == Refused(Reason.NO_USABLE_SECRET)


class TestRefusals:
    @pytest.mark.parametrize(
        ("headers", "reason"),
        [
            ({}, Reason.MISSING_SIGNATURE),
            ({"X-Timestamp": str(AT)}, Reason.MISSING_SIGNATURE),
            ({"X-Fastio-Signature": "", "X-Timestamp": str(AT)}, Reason.MISSING_SIGNATURE),
            # Page 000's code takes a missing or garbled time for a good one.
            ({"X-Fastio-Signature": f"sha256={TEXT_HEX}"}, Reason.BAD_TIMESTAMP),
            (pair(TEXT_HEX, "soon"), Reason.BAD_TIMESTAMP),
            (pair(TEXT_HEX, f"{AT}000"), Reason.BAD_TIMESTAMP),
            (pair(TEXT_HEX, f"0{AT}"), Reason.BAD_TIMESTAMP),
            (pair(TEXT_HEX, "١٧٩٠٠٠٠٠٠٠"), Reason.MALFORMED_HEADER),
            (pair(TEXT_HEX, "9" * 5000), Reason.HEADER_TOO_LONG),
            (pair(TEXT_HEX, f"{AT},{AT}"), Reason.BAD_TIMESTAMP),
            (pair(TEXT_HEX, AT + 1), Reason.MISMATCH),
            # … and throws at any other length.
            (pair(TEXT_HEX[:-1]), Reason.MALFORMED_HEADER),
            (pair(TEXT_HEX + "00"), Reason.MALFORMED_HEADER),
            (pair(f"{TEXT_HEX},sha256={TEXT_HEX}"), Reason.MALFORMED_HEADER),
            (pair(""), Reason.MALFORMED_HEADER),
            (pair("é" * 64), Reason.MALFORMED_HEADER),
            (pair(TEXT_HEX) | {"X-Fastio-Signature": f"sha1={TEXT_HEX}"}, Reason.NO_KNOWN_SCHEME),
            (pair(TEXT_HEX) | {"X-Fastio-Signature": TEXT_HEX}, Reason.NO_KNOWN_SCHEME),
            (pair(BYTES_HEX), Reason.MISMATCH),
            ([*pair(TEXT_HEX).items(), ("x-timestamp", str(AT))], Reason.DOUBLED_HEADER),
            ([*pair(TEXT_HEX).items(), ("x-fastio-signature", TEXT_HEX)], Reason.DOUBLED_HEADER),
            (single(TEXT_HEX), Reason.MISMATCH),
            (single(TEXT_BASE64 + "="), Reason.MISMATCH),
            (single(TEXT_BASE64[:-2] + "p="), Reason.MISMATCH),  # The same 32 bytes to a careless decoder.
            (single("*" * 44), Reason.MISMATCH),
            (single(BYTES_BASE64), Reason.MISMATCH),
            (single(TEXT_BASE64, ""), Reason.BAD_TIMESTAMP),
            ({"Fastio-Signature": f"t={AT},t={AT},v1={TEXT_BASE64}"}, Reason.DOUBLED_HEADER),
            ({"Fastio-Signature": f"t={AT},v0={TEXT_BASE64}"}, Reason.NO_KNOWN_SCHEME),
            ({"Fastio-Signature": TEXT_BASE64}, Reason.MALFORMED_HEADER),
        ],
    )
    def test_says_why(self, headers: Headers, reason: Reason) -> None:
        verdict = judge(headers)
        assert verdict == Refused(reason)
        assert isinstance(verdict, Refused)
        assert verdict.missing == (reason is Reason.MISSING_SIGNATURE)

    @pytest.mark.parametrize("headers", [pair(TEXT_HEX), single(TEXT_BASE64)])
    def test_five_minutes_both_ways(self, headers: Headers) -> None:
        assert judge(headers, now=AT + 300) == Refused(Reason.TOO_OLD)
        assert judge(headers, now=AT - 300) == Refused(Reason.FROM_THE_FUTURE)
        assert judge(headers, now=AT + 299.9)
        assert judge(headers, now=AT - 299.9)


class TestBothSchemes:
    def test_verified_when_both_are_right(self) -> None:
        assert judge(pair(TEXT_HEX) | single(TEXT_BASE64)) == Verified(Scheme.FASTIO_BOTH, 0)

    def test_the_later_secret_is_the_one_that_is_told(self) -> None:
        both = pair(TEXT_HEX) | single(BYTES_BASE64)
        assert judge(both, TEXT_SECRET, HEX_SECRET) == Verified(Scheme.FASTIO_BOTH, 1)

    @pytest.mark.parametrize(
        ("headers", "reason"),
        [
            (pair(TEXT_HEX) | single(BYTES_BASE64), Reason.MISMATCH),
            (pair(BYTES_HEX) | single(TEXT_BASE64), Reason.MISMATCH),
            (pair(TEXT_HEX) | single(TEXT_BASE64, "soon"), Reason.BAD_TIMESTAMP),
            (pair(TEXT_HEX, "soon") | single(TEXT_BASE64), Reason.BAD_TIMESTAMP),
            ({"X-Fastio-Signature": "rubbish"} | single(TEXT_BASE64), Reason.BAD_TIMESTAMP),
        ],
    )
    def test_refused_when_one_is_wrong(self, headers: Headers, reason: Reason) -> None:
        assert judge(headers) == Refused(reason)

    def test_a_time_stamp_alone_is_no_second_scheme(self) -> None:
        assert judge(single(TEXT_BASE64) | {"X-Timestamp": "somebody’s own"}) == SINGLE
