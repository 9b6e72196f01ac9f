"""What is an address that a letter could go to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operate.orders import correction
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
    assert correction.is_address(good.strip())


@given(st.from_regex(SENDER_ADDRESS, fullmatch=True))
def test_what_it_takes_of_the_plain_ones_is_what_the_template_takes_of_a_sender(address: str) -> None:
    local, _, domain = address.partition("@")
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    labels = domain.split(".")
    hyphens = any(label.startswith("-") or label.endswith("-") for label in labels)
    long = len(address) > 254 or len(local) > 64 or any(len(label) > 63 for label in labels)
    assert correction.is_address(address) is not (dots or hyphens or long)
