"""What is an address that a letter could go to, and how a corrected one is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare import wishes
from paidshare.loose_json import as_id
from paidshare.storefront import addresses
from paidshare.wishes import Wants
from tests.builders import LINK_KEY
from tests.template_file import template

SENDER_ADDRESS = template()["Parameters"]["SenderAddress"]["AllowedPattern"]


@pytest.mark.parametrize(
    "good",
    [
        "a@b.cc",
        " ada@example.com\n",
        "o'hara=x@sub.example.co.uk",
        "ada@bücher.example",
        "ada@例え.テスト",
        "ada@हिन्दी.भारत",
    ],
)
def test_what_ses_takes_is_taken(good: str) -> None:
    assert addresses.is_address(good.strip())


@given(st.from_regex(SENDER_ADDRESS, fullmatch=True))
def test_what_it_takes_of_the_plain_ones_is_what_the_template_takes_of_a_sender(address: str) -> None:
    local, _, domain = address.partition("@")
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    labels = domain.split(".")
    hyphens = any(label.startswith("-") or label.endswith("-") for label in labels)
    long = len(address) > 254 or len(local) > 64 or any(len(label) > 63 for label in labels)
    assert addresses.is_address(address) is not (dots or hyphens or long)


ORDER = "cs_live_" + "a1" * 29
kept = st.from_regex(SENDER_ADDRESS, fullmatch=True).filter(addresses.is_correction)


@given(kept)
def test_a_corrected_one_is_read_with_the_key_and_for_its_order_alone(address: str) -> None:
    sealed = addresses.sealed(LINK_KEY, ORDER, address)
    assert addresses.opened(LINK_KEY, ORDER, sealed) == address
    assert addresses.opened(LINK_KEY, "cs_live_2", sealed) is None
    assert addresses.opened("s" * 64, ORDER, sealed) is None


def test_it_does_not_show_how_long_it_is_or_that_two_orders_have_the_same() -> None:
    short, longer = (addresses.sealed(LINK_KEY, ORDER, f"{name}@example.com") for name in ("a", "ada.lovelace"))
    assert len(short) == len(longer)
    assert short != addresses.sealed(LINK_KEY, "cs_live_2", "a@example.com")


def test_the_longest_fits_into_a_notice_and_a_longer_one_is_none() -> None:
    longest = "a" * 64 + "@" + "b" * 63 + "." + "c" * 28 + ".de"
    assert len(longest) == addresses.LONGEST_CORRECTED
    why = wishes.why(Wants.CORRECT, sealed=addresses.sealed(LINK_KEY, ORDER, longest))
    assert as_id(why) == why
    assert not addresses.is_correction(f"a.{longest}")
    with pytest.raises(ValueError, match="no address"):
        addresses.sealed(LINK_KEY, ORDER, f"a.{longest}")


@pytest.mark.parametrize(("address", "shown"), [("ada@example.com", "a…@example.com"), ("@x", "…@x"), ("", "…@")])
def test_enough_of_it_is_shown_for_its_owner(address: str, shown: str) -> None:
    assert addresses.masked(address) == shown
