"""The FastAPI example in docs/signatures.md is run as it stands there."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.signing import sign_stripe
from paidshare.receiving.signatures import LONGEST_HEADER, MOST_PARTS, TOLERANCE, Reason
from paidshare.receiving.signing_keys import SHORTEST_SECRET

DOC = Path(__file__).parents[2] / "docs" / "signatures.md"
OLD, NEW = "whsec_" + "o" * 32, "whsec_" + "n" * 32
BODY = b'{"id":"evt_1","object":"event"}'


@pytest.fixture(scope="module")
def app() -> Any:
    text = DOC.read_text(encoding="utf-8").partition("## Use it without Lambda")[2]
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(compile(code, str(DOC), "exec"), namespace)  # noqa: S102  # Our own text.
    return namespace["app"]


@pytest.fixture(autouse=True)
def two_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", f"{NEW} {OLD}")


def post(app: Any, headers: list[tuple[str, str]], body: bytes = BODY) -> int:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.post("/webhook/stripe", content=body, headers=headers)

    return asyncio.run(send()).status_code


def signed(secret: str = NEW, *, ago: int = 0) -> tuple[str, str]:
    return "Stripe-Signature", sign_stripe(BODY, secret, int(time.time()) - ago)


def test_good_requests_come_in_by_either_secret(app: Any) -> None:
    assert post(app, [signed(NEW)]) == 200
    assert post(app, [signed(OLD)]) == 200


def test_forged_requests_stay_out(app: Any) -> None:
    assert post(app, []) == 400
    assert post(app, [signed("whsec_" + "f" * 32)]) == 400
    assert post(app, [signed()], body=BODY + b" ") == 400
    assert post(app, [signed(ago=301)]) == 400
    assert post(app, [signed(ago=-301)]) == 400
    assert post(app, [signed(), signed()]) == 400


def test_without_secrets_nobody_comes_in(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "")
    assert post(app, [signed()]) == 400


def test_the_page_says_the_numbers_and_reasons_that_the_code_has() -> None:
    page = DOC.read_text(encoding="utf-8")
    assert all(f"`{reason}`" in page for reason in Reason)
    for said in [
        f"at most {LONGEST_HEADER:,} ASCII characters",
        f"at most {MOST_PARTS} parts",
        f"less than {TOLERANCE} seconds",
        f"shorter than {SHORTEST_SECRET} bytes",
    ]:
        assert said in " ".join(page.split())
