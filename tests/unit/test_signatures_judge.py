"""
Stripe's own SDK is the judge of `verify_stripe`.

Headers are built of right, nearly right and wrong parts, and then perhaps damaged. Whatever we accept, the SDK
accepts with the secret that matched and the same clock; whatever only we refuse is in ONLY_WE_REFUSE, which is
the list in docs/signatures.md.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import NamedTuple
from unittest.mock import patch

import pytest
import stripe
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from stripe import _webhook

from local.signing import sign_stripe
from paidshare.receiving.signatures import LONGEST_HEADER, MOST_PARTS, Reason, Refused, Verified, verify_stripe

AT = 1_790_000_000


class Try(NamedTuple):
    body: bytes
    header: str
    secrets: list[str]
    now: float


def sdk_accepts(body: bytes, header: str, secret: str, now: float) -> bool:
    with patch.object(_webhook, "time", SimpleNamespace(time=lambda: now)):
        try:
            return bool(stripe.WebhookSignature.verify_header(body, header, secret, tolerance=300))
        except Exception:  # noqa: BLE001  # It ends in TypeError and others too; all of them are a refusal.
            return False


def times_of(header: str) -> list[str]:
    return [part[2:] for part in header.split(",") if part.startswith("t=")]


def is_short(secret: str) -> bool:
    return len(secret.strip().encode()) < 16


# What only we refuse: the reason that we give, and how it shows in the request, written without our code.
ONLY_WE_REFUSE: dict[Reason, Callable[[Try], bool]] = {
    Reason.FROM_THE_FUTURE: lambda it: int(times_of(it.header)[0]) >= it.now + 300,
    # To the second: one moment later the SDK refuses too.
    Reason.TOO_OLD: lambda it: int(times_of(it.header)[0]) == it.now - 300,
    Reason.DOUBLED_HEADER: lambda it: len(times_of(it.header)) > 1,
    Reason.BAD_TIMESTAMP: lambda it: not re.fullmatch("[1-9][0-9]{0,11}", times_of(it.header)[0]),
    Reason.HEADER_TOO_LONG: lambda it: len(it.header) > LONGEST_HEADER,
    Reason.TOO_MANY_PARTS: lambda it: it.header.count(",") >= MOST_PARTS,
    Reason.MALFORMED_HEADER: lambda it: (
        not it.header.isascii() or any("=" not in part for part in it.header.split(","))
    ),
    # The SDK passes over a second “=” and what follows it.
    Reason.MISMATCH: lambda it: re.search("v1=[0-9a-f]{64}=", it.header) is not None or any(map(is_short, it.secrets)),
    Reason.NO_USABLE_SECRET: lambda it: all(map(is_short, it.secrets)),
}


def mostly[T](usual: st.SearchStrategy[T], rare: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """*usual* four times in five: a header is right only when all of its parts are."""
    return st.sampled_from([usual] * 4 + [rare]).flatmap(lambda chosen: chosen)


good_secrets = st.sampled_from(["whsec_" + letter * 32 for letter in "abc"])
secrets_of_any_kind = mostly(
    good_secrets,
    st.sampled_from(["", " ", "\u00a0" * 20, "whsec_", "short", "whsec_surrounded_by_space \n"]) | st.text(max_size=30),
)
# Small ages of both signs are the common case; the edges are where the SDK and we differ.
ages = mostly(st.integers(-290, 290), st.sampled_from([-(10**6), -301, -300, -299, 0, 299, 300, 301, 10**6]))
bodies = st.one_of(st.just(b'{"id":"evt_1"}'), st.binary(max_size=30), st.text(max_size=30).map(str.encode))


def spellings_of_the_time(at: int) -> st.SearchStrategy[str]:
    plain = f"t={at}"
    grouped = f"t={at:_}"
    arabic = "t=" + str(at).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    others = [f"t= {at} ", f"t=+{at}", f"t=00{at}", f"t={at}=x", f"t={at}\n", f"t={at}.0", "t=", "t", f"T={at}"]
    return mostly(st.just(plain), st.sampled_from([grouped, arabic, *others]))


def spellings_of_a_signature(v1: str) -> st.SearchStrategy[str]:
    right = f"v1={v1}"
    others = [f"{right}==", f"{right}=x", f"v1={v1.upper()}", f" {right}", f"v1= {v1}", f"v0={v1}", f"V1={v1}"]
    return mostly(st.just(right), st.sampled_from([*others, right[:-1], f"{right}0"]))


extras = mostly(
    st.sampled_from(["v0=abc", "v1=bad_signature", "v1=", "x=y=z", "\0="]),
    st.one_of(
        st.sampled_from(["", "v1", "v1=é", "é=1", "word", "t=1", "t"]),
        st.integers(0, 40).map(lambda count: ",".join(["v1=0"] * count)),
        st.sampled_from([3900, 4096, 5000]).map(lambda size: "x=" + "y" * size),
    ),
)


@st.composite
def tries(draw: st.DrawFn) -> Try:
    body, secrets = draw(bodies), draw(st.lists(secrets_of_any_kind, min_size=1, max_size=3))
    signer = draw(mostly(st.sampled_from(secrets), good_secrets))
    v1 = sign_stripe(body, signer, AT).partition("v1=")[2]
    parts = [draw(spellings_of_the_time(AT)), draw(spellings_of_a_signature(v1))]
    parts += draw(st.lists(extras, max_size=2))
    header = ",".join(draw(st.permutations(parts)) if draw(st.booleans()) else parts)
    now = AT + draw(ages) + draw(st.sampled_from([0, 0, 0.5, 0.001]))
    return Try(draw(mostly(st.just(body), bodies)), draw(mostly(st.just(header), damaged(header))), secrets, now)


@st.composite
def damaged(draw: st.DrawFn, header: str) -> str:
    """*header* with a few characters taken out and one put in."""
    at = draw(st.integers(0, len(header)))
    junk = draw(st.sampled_from(["", ",", "=", "t=1,", ",v1=x", " ", "0", "a", "é", "\ud800"]))
    return header[:at] + junk + header[at + draw(st.integers(0, 3)) :]


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tries())
def test_the_sdk_accepts_what_we_accept_and_we_refuse_more_only_as_written(it: Try) -> None:
    verdict = verify_stripe(it.body, {"Stripe-Signature": it.header}, it.secrets, it.now)
    if isinstance(verdict, Verified):
        event("both accept")
        assert sdk_accepts(it.body, it.header, it.secrets[verdict.secret_index], it.now)
    elif any(sdk_accepts(it.body, it.header, secret, it.now) for secret in it.secrets):
        event(f"only we refuse: {verdict.reason}")
        assert verdict.reason in ONLY_WE_REFUSE
        assert ONLY_WE_REFUSE[verdict.reason](it)
    else:
        event("both refuse")


@settings(max_examples=500, deadline=timedelta(seconds=1))
@given(body=st.text().map(str.encode), secrets=st.lists(good_secrets, min_size=1), age=st.floats(-299.9, 299.9))
def test_plainly_signed_is_accepted_by_both(body: bytes, secrets: list[str], age: float) -> None:
    header = sign_stripe(body, secrets[-1], AT)
    verdict = verify_stripe(body, {"Stripe-Signature": header}, secrets, AT + age)
    assert isinstance(verdict, Verified)
    assert secrets[verdict.secret_index] == secrets[-1]
    assert sdk_accepts(body, header, secrets[-1], AT + age)


SECRET = "whsec_" + "s" * 32
V1 = sign_stripe(b"{}", SECRET, AT)[len("t=1790000000,") :]
EACH: dict[Reason, Try] = {
    Reason.FROM_THE_FUTURE: Try(b"{}", f"t={AT},{V1}", [SECRET], AT - 300),
    Reason.TOO_OLD: Try(b"{}", f"t={AT},{V1}", [SECRET], AT + 300),
    Reason.DOUBLED_HEADER: Try(b"{}", f"t={AT},{V1},t=1,v1=x", [SECRET], AT),
    Reason.BAD_TIMESTAMP: Try(b"{}", f"t= +0{AT:_},{V1}", [SECRET], AT),
    Reason.HEADER_TOO_LONG: Try(b"{}", f"t={AT},{V1},x={'y' * 4096}", [SECRET], AT),
    Reason.TOO_MANY_PARTS: Try(b"{}", f"t={AT},{V1}" + ",v1=x" * 19, [SECRET], AT),
    Reason.MALFORMED_HEADER: Try(b"{}", f"t={AT},{V1},", [SECRET], AT),
    Reason.MISMATCH: Try(b"{}", f"t={AT},{V1}==", [SECRET], AT),
    Reason.NO_USABLE_SECRET: Try(b"{}", sign_stripe(b"{}", "short", AT), ["short"], AT),
}


@pytest.mark.parametrize("reason", ONLY_WE_REFUSE)
def test_each_of_them_is_a_case_that_the_sdk_accepts(reason: Reason) -> None:
    it = EACH[reason]
    assert verify_stripe(it.body, {"Stripe-Signature": it.header}, it.secrets, it.now) == Refused(reason)
    assert sdk_accepts(it.body, it.header, it.secrets[0], it.now)
    assert ONLY_WE_REFUSE[reason](it)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (f"t={AT},v1=é,{V1}", "a TypeError in the SDK"),
        (f"t={AT},v1,{V1}", "an IndexError in the SDK"),
        (f"t={'1' * 5000},{V1}", "more digits than Python makes an int of"),
    ],
)
def test_where_the_sdk_trips_we_refuse(header: str, why: str) -> None:
    assert not sdk_accepts(b"{}", header, SECRET, AT), why
    assert isinstance(verify_stripe(b"{}", {"Stripe-Signature": header}, [SECRET], AT), Refused)
