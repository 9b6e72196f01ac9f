"""
Coverage-guided fuzzing of `signatures.py`, with Stripe's SDK as the judge.

    python tests/fuzz/fuzz_signatures.py -max_total_time=60

Needs atheris, which has wheels for Linux on x86-64. What it looks for: anything raised; anything verified that
was not signed with a secret we gave; anything that verify_stripe takes and the SDK does not.
tests/unit/test_fuzz_signatures.py runs it for a moment, and `one_input` over random bytes everywhere.
"""

import contextlib
import hmac
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import stripe
from stripe import _webhook

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "layers/paidshare/python")]

try:
    import atheris
except ImportError:
    atheris = None

# Instrumented: the fuzzer sees which of our branches an input reaches. Only in its own process, for it is slow.
with atheris.instrument_imports() if atheris and __name__ == "__main__" else contextlib.nullcontext():
    from local.signing import sign_fastio_pair, sign_fastio_single, sign_stripe
    from paidshare.receiving.signatures import Verified, verify_fastio, verify_stripe

AT = 1_790_000_000
OURS = ["whsec_" + "o" * 32, "0123456789abcdef" * 4]
THEIRS = "whsec_" + "t" * 32
NAMES = ["Stripe-Signature", "fastio-signature", "X-FASTIO-SIGNATURE", "x-timestamp", "Stripe-Signature"]


class Bites:
    """Small values off the front of the fuzzer's bytes; when those are used up, zeros."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def take(self, count: int) -> bytes:
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(1))

    def text(self) -> str:
        # Latin-1, as a server hands on the bytes of a header; UTF-8 and lone surrogates now and then.
        how = self.number() % 8
        taken = self.take(self.number())
        return taken.decode("latin-1") if how else taken.decode("utf-8", "surrogateescape")


def one_input(data: bytes) -> None:
    """Raises AssertionError, or whatever escapes, when *data* shows a fault."""
    bites = Bites(data)
    body, now = bites.take(bites.number() % 32), AT + bites.number() - 128 + bites.number() * 8
    signed_by = [OURS[0], OURS[1], THEIRS, None][bites.number() % 4]
    headers = _headers(bites, body, signed_by)
    for secrets in ([], ["", bites.text()[:15]], OURS):
        _check_stripe(body, headers, secrets, now, signed_by)
        _check_fastio(body, headers, secrets, now, signed_by)


def _headers(bites: Bites, body: bytes, signed_by: str | None) -> list[tuple[str, object]]:
    """True headers, spliced with the fuzzer's text; and the fuzzer's own."""
    headers: list[tuple[str, object]] = []
    if signed_by:
        true = {"Stripe-Signature": sign_stripe(body, signed_by, AT)}
        true |= sign_fastio_pair(body, signed_by, AT) | sign_fastio_single(body, signed_by, AT)
        for name, value in true.items():
            splice, at = bites.number(), bites.number()
            if splice < 200:
                junk = bites.text() if splice < 100 else ""
                headers.append((name, value[:at] + junk + value[at + splice % 3 :]))
    for _ in range(bites.number() % 4):
        kind = bites.number()
        headers.append((NAMES[kind % 5], bites.text() if kind < 240 else [None, 7, b"x", []][kind % 4]))
    return headers


def _check_stripe(
    body: bytes, headers: list[tuple[str, object]], secrets: list[str], now: float, signed_by: str | None
) -> None:
    verdict = verify_stripe(body, headers, secrets, now)
    if not isinstance(verdict, Verified):
        return
    secret = secrets[verdict.secret_index]
    assert secret == signed_by
    (header,) = [value for name, value in headers if name == "Stripe-Signature" and value is not None]
    assert isinstance(header, str)
    assert hmac.digest(secret.encode(), b"%d.%b" % (AT, body), "sha256").hex() in header
    with patch.object(_webhook, "time", SimpleNamespace(time=lambda: now)):
        assert stripe.WebhookSignature.verify_header(body, header, secret, tolerance=300)


def _check_fastio(
    body: bytes, headers: list[tuple[str, object]], secrets: list[str], now: float, signed_by: str | None
) -> None:
    verdict = verify_fastio(body, headers, secrets, now)
    if isinstance(verdict, Verified):
        assert secrets[verdict.secret_index] == signed_by
        assert abs(now - AT) < 300


def main(arguments: list[str]) -> None:
    if atheris is None:
        sys.exit("atheris is not installed: it has wheels for Linux on x86-64 only (requirements/dev.in)")
    fuzzer: Any = atheris
    fuzzer.Setup([sys.argv[0], "-max_len=600", *arguments], one_input)
    fuzzer.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
