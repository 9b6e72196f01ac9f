"""What an order may be called."""

import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operate.orders import handles
from operate.orders.handles import By, Handle
from paidshare.errors import OrderUnknown, StripeUnavailable
from paidshare.payments_stripe import StripePayments
from tests.builders import NOW

IDS = ["cs_test_1", "in_1", "pi_1", "ch_1", "py_1", "re_1", "pyr_1", "du_1", "dp_1", "issfr_1", "sub_1", "cn_1"]
KINDS = {"cs": By.ORDER, "in": By.ORDER, "cus": By.CUSTOMER} | dict.fromkeys(
    ("pi", "ch", "py", "re", "pyr", "du", "dp", "issfr", "sub", "cn"), By.LEADS_TO
)
tails = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=60)
prefixes = st.sampled_from(sorted(KINDS))


@given(prefixes, tails, st.sampled_from(["{}", " {}\n", "<{}>", "“{}”", "({}),", "`{}`"]))
def test_an_id_is_read_as_its_kind_whatever_was_pasted_round_it(prefix: str, tail: str, paste: str) -> None:
    an_id = f"{prefix}_{tail}"
    assert handles.read(paste.format(an_id)) == Handle(KINDS[prefix], an_id)


@given(
    prefixes, tails, st.sampled_from(["", "/test", "/acct_1Ab", "/acct_1Ab/test"]), st.sampled_from(["", "?a=b", "#x"])
)
def test_a_page_of_the_dashboard_is_about_the_last_id_in_its_path(
    prefix: str, tail: str, where: str, rest: str
) -> None:
    an_id = f"{prefix}_{tail}"
    page = f"https://dashboard.stripe.com{where}/some-list/{quote(an_id)}{rest}"
    assert handles.read(page) == Handle(KINDS[prefix], an_id)


@given(st.text(max_size=300))
def test_whatever_is_given_is_read_or_is_none_and_what_is_read_cannot_lead_elsewhere(given_: str) -> None:
    handle = handles.read(given_)
    if handle is not None and handle.by is not By.EMAIL:
        assert set(handle.name) <= set(string.ascii_letters + string.digits + "_")
        assert handle.name in given_


@pytest.mark.parametrize(
    "email", ["ada@example.com", "Ada.Lovelace+1@Example.org", "mailto:ada@example.com", "<a@b.co>"]
)
def test_an_address_is_an_address(email: str) -> None:
    assert handles.read(email) == Handle(By.EMAIL, email.removeprefix("mailto:").strip("<>"))


def test_eight_characters_are_a_letter_s_reference() -> None:
    assert handles.read("5K8gF0PU") == Handle(By.REFERENCE, "5K8gF0PU")


@pytest.mark.parametrize(
    "wrong",
    [
        "", "cs_", "cs_live_…", "evt_1", "../in_1", "cs_\x1b[2J", "x" * 400, "cs_" + "a" * 251, "in_1-2", "12345",
        "https://dashboard.stripe.com/", "https://dashboard.stripe.com/payments", "https://evil.example/payments/pi_1",
        "https://dashboard.stripe.com.evil.example/pi_1", "http://[", "ada@", "cs_1 in_1",
    ],
)  # fmt: skip
def test_what_names_no_order_is_none(wrong: str) -> None:
    assert handles.read(wrong) is None


def test_an_id_is_refused_here_just_when_the_adapter_refuses_it() -> None:
    # Else the operator hears of it by a dead letter.
    payments = StripePayments(api_key=lambda: "", api_base="http://127.0.0.1:1")
    for about in [*IDS, "evt_1", "cs_", "in_1-2", "cs_" + "a" * 251]:
        try:
            payments.orders_of(about, now=NOW)
            refused = False
        except StripeUnavailable:  # It would have asked, with a key.
            refused = False
        except OrderUnknown:
            refused = True
        assert refused is (handles.read(about) is None), about
    payments.close()
