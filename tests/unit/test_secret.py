import json
import traceback
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.errors import SecretUnavailable
from paidshare.secret import Secret

HIDDEN = "sk_live_0123456789"


def read(**changes: Any) -> Secret:
    return Secret.read(json.dumps(changes))


class TestRead:
    def test_every_field_is_read(self) -> None:
        secret = read(
            stripe_api_key="sk",
            stripe_webhook_secrets=["new", "old"],
            fastio_api_key="fk",
            fastio_webhook_secrets=["f"],
            link_key="lk",
        )
        assert secret == Secret("sk", ("new", "old"), "fk", ("f",), "lk")

    def test_what_is_missing_is_empty_and_so_refuses_everything(self) -> None:
        assert Secret.read("{}") == Secret("", (), "", (), "")

    @pytest.mark.parametrize("pasted", ["\n", " ", "\t", "\r\n", "\u00a0"])
    def test_a_blank_or_a_line_s_end_that_was_pasted_along_is_none_of_a_key(self, pasted: str) -> None:
        secret = read(
            stripe_api_key=f"sk{pasted}",
            stripe_webhook_secrets=[f"{pasted}whsec{pasted}"],
            fastio_api_key=f"{pasted}fk",
            fastio_webhook_secrets=[f"f{pasted}"],
            link_key=f"lk{pasted}",
        )
        # The names of shares that exist are made of all of link_key.
        assert secret == Secret("sk", ("whsec",), "fk", ("f",), f"lk{pasted}")

    def test_a_field_of_a_newer_version_is_left_alone(self) -> None:
        assert read(link_key="lk", later="x") == Secret(link_key="lk")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            HIDDEN,
            "[]",
            "null",
            json.dumps(HIDDEN),
            json.dumps({"stripe_api_key": [HIDDEN]}),
            json.dumps({"link_key": None}),
            # One secret, put there as text: each of its letters would be a secret.
            json.dumps({"stripe_webhook_secrets": HIDDEN}),
            json.dumps({"stripe_webhook_secrets": {"a": HIDDEN}}),
            json.dumps({"fastio_webhook_secrets": [HIDDEN, None]}),
            json.dumps({"fastio_webhook_secrets": None}),
            '{"stripe_api_key": "' + HIDDEN,
        ],
    )
    def test_another_shape_is_refused_without_a_word_of_the_secret(self, text: str) -> None:
        with pytest.raises(SecretUnavailable) as caught:
            Secret.read(text)
        assert HIDDEN not in "".join(traceback.format_exception(caught.value))

    @given(st.text())
    def test_any_text_is_refused_or_an_empty_secret(self, text: str) -> None:
        with suppress(SecretUnavailable):
            assert Secret.read(text) == Secret()

    def test_deep_json_is_refused_like_any_other_wrong_shape(self) -> None:
        with pytest.raises(SecretUnavailable):
            Secret.read("[" * 200_000)


class TestRepr:
    def test_no_way_of_showing_a_secret_shows_it(self) -> None:
        secret = Secret(HIDDEN, (HIDDEN,), HIDDEN, (HIDDEN,), HIDDEN)
        assert HIDDEN not in repr(secret) + str(secret) + f"{secret}"
