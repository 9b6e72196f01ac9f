"""The operator's commands on the deployed system, as a shell runs them."""

import json
import subprocess

from local.aws import environs
from local.settings import ROOT
from tests.stack.laptop import Laptop, until

STRIPE_KEY = "sk_test_paidshare_local_only"


def operate(laptop: Laptop, command: str, *words: str, code: int = 0) -> str:
    """What it prints."""
    ran = run(laptop, command, *words)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def run(laptop: Laptop, command: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / ".venv" / "bin" / "paidshare", command, "--stack", laptop.to.stack_name, *words],
        cwd="/",
        env=environs.deploying(laptop.to.aws_endpoint_url) | {"STRIPE_API_KEY": STRIPE_KEY},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def dead(laptop: Laptop, order: str) -> list[dict[str, str]]:
    ran = run(laptop, "dead", "--json")
    assert ran.returncode in (0, 1), ran.stderr
    return [letter for letter in json.loads(ran.stdout) if letter["order"] == order]


def sold_without_its_files(laptop: Laptop, email: str) -> tuple[str, str]:
    """The order's id, which is a dead letter, and the id of its product."""
    product = laptop.product(fastio_workspace="test-shop")
    session = str(laptop.pay(email, product)["session"])
    laptop.dead_letter(session)
    return session, product


def mend(laptop: Laptop, product: str) -> None:
    node = str(laptop.file("operate.pdf")["node_id"])
    mended = laptop.http.post(
        f"{laptop.to.stripe_url}/v1/products/{product}",
        data={"metadata[fastio_files]": node},
        headers={"authorization": f"Bearer {STRIPE_KEY}"},
    )
    assert mended.status_code == 200, mended.text


def test_one_command_puts_one_dead_letter_back_and_its_buyer_gets_the_goods(laptop: Laptop) -> None:
    session, product = sold_without_its_files(laptop, "redriven@example.com")
    other, _ = sold_without_its_files(laptop, "not-redriven@example.com")
    [letter] = dead(laptop, session)
    assert letter["reason"] == "metadata_broken"
    mend(laptop, product)

    operate(laptop, "redrive", session)

    laptop.letter_to("redriven@example.com")
    laptop.order_in("delivered", session)
    assert (dead(laptop, session), len(dead(laptop, other))) == ([], 1)
    assert f"no dead letter of {session}" in operate(laptop, "redrive", session, code=2)


def test_one_command_puts_all_back_and_what_is_not_mended_is_a_dead_letter_again(laptop: Laptop) -> None:
    mended = [sold_without_its_files(laptop, f"all-{number}@example.com") for number in range(2)]
    broken, _ = sold_without_its_files(laptop, "all-broken@example.com")
    [before] = dead(laptop, broken)
    for _, product in mended:
        mend(laptop, product)

    operate(laptop, "redrive", "--all", "--reason", "metadata_broken")

    for number in range(2):
        laptop.letter_to(f"all-{number}@example.com")
    [again] = until(lambda: dead(laptop, broken), "the dead letter of what is not mended")
    assert again["reason"] == "metadata_broken"
    assert again["message_id"] != before["message_id"]


def test_an_order_whose_event_never_came_is_delivered_by_a_look(laptop: Laptop) -> None:
    product = laptop.ours(laptop.file("looked-at.pdf")["node_id"])
    session = str(laptop.pay("looked-at@example.com", product, quiet=True)["session"])
    assert "never heard of it" in operate(laptop, "why", "looked-at@example.com", code=1)

    operate(laptop, "look", "looked-at@example.com")

    laptop.letter_to("looked-at@example.com")
    laptop.order_that_was("delivered", session)
    shown = operate(laptop, "why", session)
    assert "the buyer's mail server took the letter" in shown
    assert "the link works until" in shown


def test_a_resend_mails_the_same_link_once_more(laptop: Laptop) -> None:
    product = laptop.ours(laptop.file("resent.pdf", "resent")["node_id"])
    session = laptop.pay("resent@example.com", product)["session"]
    laptop.order_in("delivered", session)

    said = operate(laptop, "resend", session, "--yes")

    assert "The link was mailed." in said
    letters = laptop.letters_to("resent@example.com")
    assert [laptop.downloaded(letter) for letter in letters] == [{"resent.pdf": "resent"}] * 2


def test_a_corrected_address_is_written_at_stripe_and_gets_the_link(laptop: Laptop) -> None:
    product = laptop.ours(laptop.file("corrected.pdf", "corrected")["node_id"])
    session = str(laptop.pay("mistyped@example.com", product)["session"])
    laptop.order_in("delivered", session)

    said = operate(laptop, "resend", session, "--to", "corrected@example.com", "--yes")

    assert "The address is written at Stripe." in said
    assert "The link was mailed." in said
    shown = laptop.http.get(
        f"{laptop.to.stripe_url}/v1/checkout/sessions/{session}", headers={"authorization": f"Bearer {STRIPE_KEY}"}
    )
    assert shown.json()["metadata"] == {"paidshare_email": "corrected@example.com"}
    assert laptop.downloaded(laptop.letter_to("corrected@example.com")) == {"corrected.pdf": "corrected"}
    assert len(laptop.letters_to("mistyped@example.com")) == 1


def test_a_dismissed_case_is_gone_and_a_letter_that_failed_is_not_redriven(laptop: Laptop) -> None:
    product = laptop.ours(laptop.file("bounced.pdf")["node_id"])
    session = str(laptop.pay("bounce@simulator.amazonses.com", product)["session"])
    laptop.dead_letter(session)

    assert "resend ORDER --to ADDRESS" in operate(laptop, "redrive", session, code=1)
    [letter] = until(lambda: dead(laptop, session), "the dead letter that was not redriven")
    assert letter["reason"] == "letter_bounced"

    operate(laptop, "dismiss", session, "--yes")
    assert dead(laptop, session) == []


def test_a_stack_that_is_not_there_is_one_line(laptop: Laptop) -> None:
    said = operate(laptop, "dead", "--stack", "paidshare-nowhere", code=3)
    assert said == "✗ no stack paidshare-nowhere in us-east-1 in the account of your credentials\n"


def test_access_is_ended_restored_and_extended(laptop: Laptop) -> None:
    product = laptop.ours(laptop.file("ruled.pdf", "ruled")["node_id"])
    session = str(laptop.pay("ruled@example.com", product)["session"])
    laptop.order_in("delivered", session)

    assert "Done: access has ended (ended by seller)." in operate(laptop, "end", "ruled@example.com", "--yes")
    share = laptop.share_of(session)
    assert share is not None
    assert share["archived"]
    operate(laptop, "restore", session[-8:], "--yes")
    operate(laptop, "extend", session, "--days", "30", "--yes")

    subjects = [letter.subject.split(":")[0] for letter in laptop.letters_to("ruled@example.com")]
    assert subjects == ["Your download", "Your access has ended", "Your access is back", "Your download"]
    assert laptop.downloaded(laptop.letters_to("ruled@example.com")[-1]) == {"ruled.pdf": "ruled"}
    row = laptop.order(session)
    assert int(row["share_expires_at"]) - int(row["mailed_at"]) >= 30 * 86_400 - 60


def test_how_the_shop_is_is_one_screen(laptop: Laptop) -> None:
    ran = run(laptop, "status", "--json")
    assert ran.returncode in (0, 1, 3), ran.stderr
    assert json.loads(ran.stdout)["stack"] == laptop.to.stack_name
