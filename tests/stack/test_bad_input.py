"""Bad input is normal input: the right answer, a clear log line, nothing lost, nothing sent that should not be."""

import contextlib
import json
import time
from collections.abc import Iterator

import pytest

from tests.stack.laptop import Laptop


@pytest.fixture
def node(laptop: Laptop) -> str:
    return str(laptop.file("bad-input.pdf")["node_id"])


class TestNothingToDeliver:
    """Closed or waiting, with the reason in the ledger; no dead letter, because nothing is wrong."""

    @pytest.mark.parametrize(
        ("fields", "state", "reason"),
        [
            ({"payment_status": "unpaid"}, "waiting", "not_paid"),
            ({"mode": "setup"}, "not_ours", "no_line_of_ours"),
        ],
    )
    def test_a_session_that_is_no_paid_purchase_delivers_nothing(
        self, laptop: Laptop, node: str, fields: dict[str, str], state: str, reason: str
    ) -> None:
        email = f"{reason}@example.com"
        sale = laptop.pay(email, laptop.ours(node), **fields)
        assert laptop.order_in(state, sale["session"])["reason"] == reason
        assert (laptop.share_of(sale["session"]), laptop.letters_to(email)) == (None, [])

    def test_a_product_without_metadata_is_not_ours(self, laptop: Laptop) -> None:
        sale = laptop.pay("mug@example.com", laptop.product())
        assert laptop.order_in("not_ours", sale["session"])["reason"] == "no_line_of_ours"
        assert laptop.letters_to("mug@example.com") == []

    def test_an_event_of_the_other_mode_is_answered_200_and_left_alone(self, laptop: Laptop) -> None:
        event = _event("cs_live_othermode", livemode=True)
        assert laptop.post(event).status_code == 200
        laptop.log_line("receive", message="not_for_us", reason="other_mode")
        assert laptop.order("cs_live_othermode") == {}


class TestAPersonIsNeeded:
    """On hold, with a dead letter that says which order, why and what to do; no share and no letter."""

    @pytest.mark.parametrize(
        ("metadata", "named"),
        [
            ({"fastio_workspace": "test-shop"}, "fastio_files"),
            ({"fastio_workspace": "test-shop", "fastio_files": "a b/c"}, "fastio_files"),
            ({"fastio_files": "abc"}, "fastio_workspace"),
            ({"fastio_workspace": "test-shop", "fastio_files": "abc", "fastio_link_days": "soon"}, "fastio_link_days"),
        ],
    )
    def test_broken_metadata_is_named_field_by_field(
        self, laptop: Laptop, metadata: dict[str, str], named: str
    ) -> None:
        product = laptop.product(**metadata)
        sale = laptop.pay("broken@example.com", product)
        dead = laptop.dead_letter(sale["session"])
        assert dead["reason"] == "metadata_broken"
        assert product in dead["what"]
        assert named in dead["what"]
        assert dead["advice"]
        assert laptop.order_in("on_hold", sale["session"])["reason"] == "metadata_broken"
        assert (laptop.share_of(sale["session"]), laptop.letters_to("broken@example.com")) == (None, [])

    def test_a_file_that_does_not_exist_leaves_no_share_behind(self, laptop: Laptop, node: str) -> None:
        sale = laptop.pay("no-file@example.com", laptop.ours(node, "nosuch-node0-00000-00000-00000"))
        assert laptop.dead_letter(sale["session"])["reason"] == "file_missing"
        laptop.order_in("on_hold", sale["session"])
        assert (laptop.share_of(sale["session"]), laptop.letters_to("no-file@example.com")) == (None, [])

    def test_an_order_that_stripe_does_not_know_goes_to_a_person(self, laptop: Laptop) -> None:
        assert laptop.post(_event("cs_test_nobodyknowsthis")).status_code == 200
        assert laptop.dead_letter("cs_test_nobodyknowsthis")["reason"] == "order_unknown"

    def test_an_order_without_an_address_goes_to_a_person(self, laptop: Laptop, node: str) -> None:
        sale = laptop.pay("unused@example.com", laptop.ours(node), email_none=True)
        assert laptop.dead_letter(sale["session"])["reason"] == "address_missing"
        assert laptop.share_of(sale["session"]) is None

    def test_an_address_that_ses_rejects_goes_to_a_person_and_after_mending_to_the_buyer(
        self, laptop: Laptop, node: str
    ) -> None:
        with _ses_sandbox(laptop):
            sale = laptop.pay("rejected@example.com", laptop.ours(node))
            assert laptop.dead_letter(sale["session"])["reason"] == "letter_rejected"
            laptop.order_in("on_hold", sale["session"])
        assert laptop.letters_to("rejected@example.com") == []
        assert "rejected@example.com" not in laptop.everything_logged()

        laptop.stripe("_send", session=sale["session"], new_event=True)

        laptop.letter_to("rejected@example.com")
        laptop.order_in("delivered", sale["session"])
        assert sum(sale["session"] in json.dumps(share["owner_defined"]) for share in laptop.shares()) == 1

    def test_mended_metadata_and_another_look_deliver(self, laptop: Laptop, node: str) -> None:
        product = laptop.product(fastio_workspace="test-shop")
        sale = laptop.pay("mended@example.com", product)
        laptop.order_in("on_hold", sale["session"])
        mended = laptop.http.post(
            f"{laptop.to.stripe_url}/v1/products/{product}",
            data={"metadata[fastio_files]": node},
            headers={"authorization": "Bearer sk_test_paidshare_local_only"},
        )
        assert mended.status_code == 200, mended.text

        laptop.stripe("_send", session=sale["session"], new_event=True)

        laptop.letter_to("mended@example.com")


class TestAProviderIsDown:
    @pytest.mark.parametrize(
        ("provider", "match"),
        [("stripe", "GET /v1/checkout/sessions/*"), ("fastio", "POST /workspace/*/create/share/")],
    )
    def test_the_order_waits_and_is_delivered_once_when_it_is_back(
        self, laptop: Laptop, node: str, provider: str, match: str
    ) -> None:
        url = laptop.to.stripe_url if provider == "stripe" else laptop.to.fastio_url
        laptop.http.post(f"{url}/_faults", json={"match": match, "status": 503, "times": 3})
        email = f"{provider}-down@example.com"

        sale = laptop.pay(email, laptop.ours(node))

        assert sale["delivery"]["status"] == 200
        laptop.order_in("delivered", sale["session"])
        assert len(laptop.letters_to(email)) == 1
        put_off = laptop.log_line("deliver", message="order_put_off", order_id=sale["session"])
        assert put_off["reason"] == f"{provider}_unavailable"


@contextlib.contextmanager
def _ses_sandbox(laptop: Laptop) -> Iterator[None]:
    """In the sandbox SES takes letters to verified addresses only."""
    ses = laptop.stack.aws.ses

    def production(*, enabled: bool) -> None:
        ses.put_account_details(
            MailType="TRANSACTIONAL", WebsiteURL="https://shop.example.com", ProductionAccessEnabled=enabled
        )

    production(enabled=False)
    try:
        yield
    finally:
        production(enabled=True)


def _event(session: str, *, livemode: bool = False) -> bytes:
    return json.dumps(
        {
            "id": f"evt_{session}",
            "object": "event",
            "type": "checkout.session.completed",
            "created": int(time.time()),
            "livemode": livemode,
            "data": {"object": {"id": session, "object": "checkout.session"}},
        }
    ).encode()
