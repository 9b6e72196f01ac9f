"""The operator's way to a shop, on the deployed system: from an empty secret to a delivered sale."""

import io
import json
from collections.abc import Iterator

import pytest

from local.settings import FASTIO_API_KEY, STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET
from operate import __main__ as operate
from operate import stacks
from operate.setup.trying import HOPS
from operate.stacks import Name
from scripts.record import emptied
from tests.stack.laptop import Laptop, until


@pytest.fixture
def emptied_shop(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    """As after a first deploy; the others have their own shop back afterwards."""
    to = laptop.to
    there = Name(to.stack_name, to.region, to.aws_endpoint_url, to.stripe_webhook_url, on_a_laptop=True)
    monkeypatch.setattr(stacks, "named", lambda _env: there)
    monkeypatch.setenv("STRIPE_API_KEY", STRIPE_API_KEY)
    secrets = laptop.stack.aws.secrets
    before = secrets.get_secret_value(SecretId=to.secret_name)["SecretString"]
    emptied(laptop.stack)
    yield laptop
    secrets.put_secret_value(SecretId=to.secret_name, SecretString=before)
    headers = {"authorization": f"Bearer {STRIPE_API_KEY}"}
    endpoints = f"{to.stripe_url}/v1/webhook_endpoints"
    for one in laptop.http.get(endpoints, headers=headers).json()["data"]:
        laptop.http.delete(f"{endpoints}/{one['id']}", headers=headers)
    # A function that took the new secret reads afresh when it refuses a signature, at most once in 15 seconds.
    until(lambda: laptop.post(b"{}", secret=STRIPE_WEBHOOK_SECRET).status_code == 200 or None, "its own secret again")


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object], str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        operate.main([*words, "--env", "laptop", "--json"])
    said = capsys.readouterr()
    return int(ended.value.code or 0), json.loads(said.out), said.err


def test_from_an_empty_secret_to_a_delivered_sale(
    emptied_shop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    laptop = emptied_shop
    given = json.dumps({"stripe_api_key": STRIPE_API_KEY, "fastio_api_key": FASTIO_API_KEY})
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    _, begun, words = ran(capsys, "init")
    assert "made the endpoint" in words
    # Other tests have products of their own, some of which are broken: what doctor says of those is not asked.
    assert begun["steps"]

    product = laptop.ours(laptop.file("begun.pdf", "begun")["node_id"])
    code, tried, words = ran(capsys, "try", product, "--to", "begun@example.com", "--wait", "120")

    assert (code, tried["open"]) == (0, True), words
    assert len(str(tried["hops"]).split("'what'")) == len(HOPS) + 1
    assert laptop.downloaded(laptop.letter_to("begun@example.com")) == {"begun.pdf": "begun"}

    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    _, again, _ = ran(capsys, "init")
    assert "'did': True" not in str(again["steps"])
