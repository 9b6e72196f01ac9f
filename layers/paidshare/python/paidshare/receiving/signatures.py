"""
Who sent this request: exact bytes, headers, secrets and the time in; verified, or refused with a reason, out.

    stripe_v1      Stripe-Signature: t=<unix>,v1=<64 hex>[,v1=…]        stripe.com/docs/webhooks/signature
    fastio_pair    X-Fastio-Signature: sha256=<64 hex>, X-Timestamp: <unix>
    fastio_single  Fastio-Signature: t=<unix>,v1=<base64 of 32 bytes>

All three are HMAC-SHA256 over `<unix>.<body>`. docs/signatures.md says exactly what is accepted, what is
refused beyond Stripe's own SDK and why; docs/decisions/0001-our-own-signature-check.md says why this exists.

Needs the standard library only. No function here raises, whatever a request holds.
"""

import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from paidshare.receiving.signing_keys import base64_digest, fastio_keys, hex_digest, stripe_keys

type Headers = Iterable[tuple[str, object]] | Mapping[str, object]
"""Pairs, or a mapping such as Lambda's event or Starlette's headers. Names in any case, values any str."""

TOLERANCE = 300
"""Seconds, both ways; a signature exactly this old or this early is refused."""

LONGEST_HEADER = 4096
"""Characters. Stripe's longest real header (two secrets, test mode) has about 280."""

MOST_PARTS = 20
"""Comma-separated parts of one header. Stripe sends t, a v1 for each active secret, a v0 for test events."""


# [0-9], not \d, which takes Arabic digits; no leading zero, so that the text signed is the number checked.
_UNIX_TIME = re.compile(r"[1-9][0-9]{0,11}")
_ANY_HEX_DIGEST = re.compile(r"sha256=([0-9a-fA-F]{64})")


class Scheme(StrEnum):
    STRIPE_V1 = "stripe_v1"
    FASTIO_PAIR = "fastio_pair"
    FASTIO_SINGLE = "fastio_single"
    FASTIO_BOTH = "fastio_both"


class Reason(StrEnum):
    """Why not. For logs and metrics, never for the answer: it would help a forger."""

    MISSING_SIGNATURE = "missing_signature"
    DOUBLED_HEADER = "doubled_header"
    HEADER_TOO_LONG = "header_too_long"
    TOO_MANY_PARTS = "too_many_parts"
    MALFORMED_HEADER = "malformed_header"
    BAD_TIMESTAMP = "bad_timestamp"
    NO_KNOWN_SCHEME = "no_known_scheme"
    NO_USABLE_SECRET = "no_usable_secret"  # noqa: S105  # A reason's name.
    MISMATCH = "mismatch"
    BODY_NOT_UTF8 = "body_not_utf8"
    TOO_OLD = "too_old"
    FROM_THE_FUTURE = "from_the_future"


@dataclass(frozen=True, slots=True)
class Verified:
    """
    `secret_index` counts the secrets as they were given; 0 is the first. Never the secret's text.

    `at` is the signed time in Unix seconds; it says nothing of who signed, so verdicts are equal without it.
    """

    scheme: Scheme
    secret_index: int
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """`too_old` and `from_the_future` are said of true signatures only: a replay, or a wrong clock."""

    reason: Reason

    def __bool__(self) -> bool:
        """Always false, so that `if verify_stripe(…):` lets nobody in by mistake."""
        return False

    @property
    def missing(self) -> bool:
        """There was no signature at all; Fast.io's route answers 400 to this and 401 to the rest."""
        return self.reason is Reason.MISSING_SIGNATURE

    @property
    def new_secret_may_help(self) -> bool:
        """Well-formed, but none of our secrets made it: the secret may have been rotated a moment ago."""
        return self.reason in {Reason.MISMATCH, Reason.NO_USABLE_SECRET}


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says of itself. `digests` have 32 bytes each."""

    scheme: Scheme
    at: str
    digests: list[bytes]


def verify_stripe(body: bytes, headers: Headers, secrets: Sequence[str | None], now: float) -> Verified | Refused:
    """
    Judge a request to Stripe's route. `now` is in Unix seconds, whole or not.

    Accepts nothing that `stripe.WebhookSignature.verify_header` would refuse with the secret that matched and
    300 seconds. Secrets are used as they are: Stripe does not trim them either.
    """
    claim = _stripe_claim(_pairs(headers))
    verdict = _judge(body, claim, list(stripe_keys(secrets)), now)
    if isinstance(verdict, Verified) and not _is_utf8(body):
        return Refused(Reason.BODY_NOT_UTF8)
    return verdict


def verify_fastio(body: bytes, headers: Headers, secrets: Sequence[str | None], now: float) -> Verified | Refused:
    """
    Judge a request to Fast.io's route, signed either way. `now` is in Unix seconds, whole or not.

    Each secret may be raw text, hex or base64, with or without `whsec_`. A request with both schemes' headers
    needs both to be right; `secret_index` is then that of the later secret.
    """
    pairs, keys = _pairs(headers), list(fastio_keys(secrets))
    pair, single = _fastio_pair_claim(pairs), _fastio_single_claim(pairs)
    if isinstance(pair, Refused) and pair.missing:
        return _judge(body, single, keys, now)
    first = _judge(body, pair, keys, now)
    if isinstance(first, Refused) or (isinstance(single, Refused) and single.missing):
        return first
    # Two claims, one of them false: no sender that we know of does that, so somebody in between has.
    second = _judge(body, single, keys, now)
    if isinstance(second, Refused):
        return second
    return Verified(Scheme.FASTIO_BOTH, max(first.secret_index, second.secret_index), first.at)


def _stripe_claim(pairs: Sequence[tuple[str, object]]) -> _Claim | Refused:
    header = _find(pairs, "stripe-signature")
    if isinstance(header, Refused):
        return header
    return _split(Scheme.STRIPE_V1, header, hex_digest)


def _fastio_single_claim(pairs: Sequence[tuple[str, object]]) -> _Claim | Refused:
    header = _find(pairs, "fastio-signature")
    if isinstance(header, Refused):
        return header
    return _split(Scheme.FASTIO_SINGLE, header, base64_digest)


def _fastio_pair_claim(pairs: Sequence[tuple[str, object]]) -> _Claim | Refused:
    signature = _find(pairs, "x-fastio-signature")
    if isinstance(signature, Refused):
        return signature
    at = _find(pairs, "x-timestamp")
    if isinstance(at, Refused):
        return Refused(Reason.BAD_TIMESTAMP) if at.missing else at
    if not _UNIX_TIME.fullmatch(at):
        return Refused(Reason.BAD_TIMESTAMP)
    if not signature.startswith("sha256="):
        return Refused(Reason.NO_KNOWN_SCHEME)
    found = _ANY_HEX_DIGEST.fullmatch(signature)
    if not found:
        return Refused(Reason.MALFORMED_HEADER)
    return _Claim(Scheme.FASTIO_PAIR, at, [bytes.fromhex(found[1])])


def _pairs(headers: Headers) -> Sequence[tuple[str, object]]:
    return tuple(headers.items() if isinstance(headers, Mapping) else headers)


def _find(pairs: Sequence[tuple[str, object]], wanted: str) -> str | Refused:
    """The one value of the header *wanted* (a lower-case name): short, ASCII, not blank."""
    found: str | None = None
    for name, value in pairs:
        # The length first, so that a name of a megabyte is not put into lower case.
        if len(name) != len(wanted) or name.lower() != wanted or value is None:
            continue
        if not isinstance(value, str):
            return Refused(Reason.MALFORMED_HEADER)
        if len(value) > LONGEST_HEADER:
            return Refused(Reason.HEADER_TOO_LONG)
        if found is not None:
            return Refused(Reason.DOUBLED_HEADER)
        found = value
    if found is None or not found.strip():
        return Refused(Reason.MISSING_SIGNATURE)
    # Stripe's SDK ends in a TypeError when it compares a v1 that is not ASCII.
    return found if found.isascii() else Refused(Reason.MALFORMED_HEADER)


def _split(scheme: Scheme, header: str, read: Callable[[str], bytes | None]) -> _Claim | Refused:
    """Read `t=…,v1=…`. A v1 that *read* cannot make 32 bytes of is passed over, as in Stripe's SDKs."""
    parts = header.split(",", MOST_PARTS)
    if len(parts) > MOST_PARTS:
        return Refused(Reason.TOO_MANY_PARTS)
    fields = [part.partition("=") for part in parts]
    if not all(equals for _, equals, _ in fields):
        return Refused(Reason.MALFORMED_HEADER)
    times = [value for name, _, value in fields if name == "t"]
    # API Gateway joins two headers of one name with a comma. Which t belongs to which v1 is then a guess.
    if len(times) != 1:
        return Refused(Reason.DOUBLED_HEADER if times else Reason.MALFORMED_HEADER)
    if not _UNIX_TIME.fullmatch(times[0]):
        return Refused(Reason.BAD_TIMESTAMP)
    signatures = [value for name, _, value in fields if name == "v1"]
    if not signatures:
        return Refused(Reason.NO_KNOWN_SCHEME)
    return _Claim(scheme, times[0], [digest for text in signatures if (digest := read(text))])


def _judge(body: bytes, claim: _Claim | Refused, keys: Sequence[tuple[int, bytes]], now: float) -> Verified | Refused:
    """*keys* are a secret's index and one reading of it."""
    if isinstance(claim, Refused):
        return claim
    if not keys:
        return Refused(Reason.NO_USABLE_SECRET)
    signed = b"%b.%b" % (claim.at.encode(), body)
    for index, key in keys:
        expected = hmac.digest(key, signed, "sha256")
        if any(hmac.compare_digest(expected, digest) for digest in claim.digests):
            late = _out_of_time(int(claim.at), now)
            return Verified(claim.scheme, index, int(claim.at)) if late is None else late
    return Refused(Reason.MISMATCH)


def _out_of_time(at: int, now: float) -> Refused | None:
    age = now - at
    # Asked this way round, a clock that is not a number refuses everything.
    if not age > -TOLERANCE:
        return Refused(Reason.FROM_THE_FUTURE)
    # Not `<=`: our caller's clock may be cut to whole seconds while the SDK's is not, which refuses 300.1.
    return None if age < TOLERANCE else Refused(Reason.TOO_OLD)


def _is_utf8(body: bytes) -> bool:
    """Stripe signs JSON in UTF-8, and its SDK refuses the rest."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
