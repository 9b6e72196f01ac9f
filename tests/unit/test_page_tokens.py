"""Tokens of the orders' pages, attacked: nobody makes one, reads one, or uses one for something else."""

import base64
import string
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.errors import SecretUnavailable
from paidshare.page import tokens
from paidshare.page.tokens import Purpose
from scripts.tokens import attacked
from tests.builders import LINK_KEY, PAGE_URL

ORDER, OTHER_STAGE = "cs_live_" + "a1" * 29, "s" * 64
orders = st.from_regex(r"(cs_test_|cs_live_|in_)[A-Za-z0-9]{1,64}", fullmatch=True)


@given(orders, st.sampled_from(Purpose))
def test_a_token_opens_its_order_and_is_always_the_same(order: str, purpose: Purpose) -> None:
    token = tokens.token(LINK_KEY, order, purpose)
    assert tokens.opened(LINK_KEY, token, purpose) == order
    assert tokens.token(LINK_KEY, order, purpose) == token


@given(orders)
def test_it_does_not_show_its_order(order: str) -> None:
    token = tokens.token(LINK_KEY, order)
    assert order not in token
    assert order.encode() not in base64.urlsafe_b64decode(token + "==")


def test_one_for_one_purpose_or_stage_is_none_for_another() -> None:
    for made, asked in product(Purpose, Purpose):
        opened = tokens.opened(LINK_KEY, tokens.token(LINK_KEY, ORDER, made), asked)
        assert opened == (ORDER if made is asked else None)
    assert tokens.opened(OTHER_STAGE, tokens.token(LINK_KEY, ORDER)) is None


@given(orders, st.integers(0, 500), st.sampled_from(string.ascii_letters + string.digits + "-_"))
def test_one_that_is_changed_anywhere_opens_nothing(order: str, place: int, other: str) -> None:
    token = tokens.token(LINK_KEY, order)
    place %= len(token)
    changed = token[:place] + other + token[place + 1 :]
    assert tokens.opened(LINK_KEY, changed) == (order if changed == token else None)


@given(orders, st.integers(0, 150))
def test_one_that_is_cut_or_longer_opens_nothing(order: str, at: int) -> None:
    token = tokens.token(LINK_KEY, order)
    for changed in (token[: at % len(token)], token[1:], token + "A", token + "=", f" {token}", f"{token}\n"):
        assert tokens.opened(LINK_KEY, changed) is None


@given(st.text(max_size=500) | st.binary(max_size=400).map(lambda b: base64.urlsafe_b64encode(b).decode()))
def test_whatever_else_opens_nothing_and_raises_nothing(text: str) -> None:
    assert tokens.opened(LINK_KEY, text) is None


def test_of_six_thousand_generated_ones_of_every_kind_none_opens_anything() -> None:
    """`python -m scripts.tokens` tries a million in the same way, which takes two minutes of a processor."""
    opened, _ = attacked(6_000, seed=7)
    assert opened == dict.fromkeys(opened, 0)
    assert len(opened) == 6


@pytest.mark.parametrize("key", ["", "k" * 31, " " * 64])
def test_a_key_that_could_be_guessed_seals_and_opens_nothing(key: str) -> None:
    with pytest.raises(SecretUnavailable):
        tokens.token(key, ORDER)
    with pytest.raises(SecretUnavailable):
        tokens.opened(key, "x" * 60)


@pytest.mark.parametrize("order", ["", "cs_", "pi_1", "cs_test_1:2", "in_ä", "cs_test_" + "a" * 300])
def test_what_no_order_is_called_is_never_sealed(order: str) -> None:
    with pytest.raises(ValueError, match="no order"):
        tokens.token(LINK_KEY, order)


def test_an_address_is_short_enough_for_a_letter() -> None:
    assert len(tokens.address(PAGE_URL, lambda: LINK_KEY, ORDER)) < 160


@pytest.mark.parametrize(("text", "is_one"), [(ORDER, True), ("cs_test_1", True), ("in_1", False), ("cs_1", False)])
def test_a_session_s_id_is_known_by_its_form(text: str, *, is_one: bool) -> None:
    assert tokens.is_session_id(text) is is_one
