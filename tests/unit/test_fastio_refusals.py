import json
from datetime import UTC, datetime
from typing import Literal

import pytest

from paidshare.errors import FastioUnavailable, FileMissing, NeedsAPerson, PaidshareError, ShareRefused
from paidshare.shares_fastio.refusals import KEY_WAIT, PLAN_WAIT, not_understood, refusal
from paidshare.shares_fastio.values import Reply

NOW = datetime(2026, 2, 1, tzinfo=UTC)


class TestRefusal:
    @pytest.mark.parametrize(
        ("status", "kind", "wait"),
        [
            (0, FastioUnavailable, None),
            (302, FastioUnavailable, None),  # Not documented, so not followed.
            (400, ShareRefused, None),
            (401, FastioUnavailable, KEY_WAIT),
            (402, FastioUnavailable, PLAN_WAIT),
            (403, FastioUnavailable, KEY_WAIT),
            (404, FileMissing, None),
            (405, ShareRefused, None),
            (406, ShareRefused, None),
            (408, FastioUnavailable, None),
            (409, ShareRefused, None),  # Where a conflict means “go on”, the adapter asks before it comes here.
            (412, FastioUnavailable, PLAN_WAIT),
            (413, ShareRefused, None),
            (422, ShareRefused, None),
            (423, FastioUnavailable, None),
            (429, FastioUnavailable, 60.0),
            (500, FastioUnavailable, None),
            (503, FastioUnavailable, None),
        ],
    )
    def test_the_status_decides_and_never_the_code(
        self, status: int, kind: type[PaidshareError], wait: float | None
    ) -> None:
        for code in (1605, 1667, 1650):
            body = json.dumps({"result": False, "error": {"code": code}}).encode()
            error = refusal(Reply(status, body=body), doing="x", now=NOW)
            assert type(error) is kind
            assert getattr(error, "wait", None) == wait

    @pytest.mark.parametrize("status", [401, 403])
    @pytest.mark.parametrize(("place", "kind"), [("workspace", FileMissing), ("share", ShareRefused)])
    def test_a_place_hidden_from_a_good_key_needs_a_person(
        self, status: int, place: Literal["workspace", "share"], kind: type[NeedsAPerson]
    ) -> None:
        error = refusal(Reply(status, hidden=place), doing="x", now=NOW)
        assert type(error) is kind
        assert isinstance(error, NeedsAPerson)
        assert f"The {place} is not visible to our key" in error.advice
        assert error.advice.endswith("then redrive.")

    def test_it_tells_fields_code_and_request_but_no_text_or_value(self) -> None:
        error = {"code": "1605", "text": "jenny@example.com", "params": [{"name": "title", "message": "jenny"}]}
        reply = Reply(406, {"x-ve-reqid": "r-7"}, json.dumps({"error": error}).encode())
        said = str(refusal(reply, doing="create share", now=NOW))
        assert said == "create share: HTTP 406, fields title, code 1605, request r-7"

    def test_no_answer_tells_what_kind_of_failure_it_was(self) -> None:
        assert (
            str(refusal(Reply(0, failure=TimeoutError("secret")), doing="x", now=NOW)) == "x: no answer (TimeoutError)"
        )


class TestNotUnderstood:
    def test_it_is_tried_again_and_names_the_request(self) -> None:
        said = str(not_understood(Reply(200, {"x-ve-reqid": "r-7"}, b"<html>"), doing="list x"))
        assert said == "answer not understood: list x: HTTP 200, request r-7"
