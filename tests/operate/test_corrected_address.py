"""A buyer's corrected address: written at Stripe alone, and then the link is mailed."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from operate import stacks
from paidshare import notices
from tests.cloud import Cloud
from tests.operate.world import ORDER, Run, Seller, record, working
from tests.stripe_world import KEY

GOOD_ADDRESS = "ada.lovelace+books@example.org"


@dataclass(frozen=True, slots=True)
class Till:
    """The shop's Stripe, with the operator's key: a paid session and a paid invoice."""

    seller: Seller
    session: str
    invoice: str

    def corrected(self, order: str) -> str | None:
        v1 = self.seller.stripe.sdk().v1
        found = v1.invoices.retrieve(order) if order.startswith("in_") else v1.checkout.sessions.retrieve(order)
        metadata: dict[str, str] = found.to_dict()["metadata"] or {}
        return metadata.get("paidshare_email")


@pytest.fixture
def till(aws: Cloud, seller: Seller, monkeypatch: pytest.MonkeyPatch) -> Till:
    stripe = seller.stripe
    made = Till(seller, stripe.sell(("Guide", {})), stripe.bill(("Guide", {})))
    monkeypatch.setenv("STRIPE_API_KEY", KEY)
    for order in (made.session, made.invoice):
        record(aws, order_id=order, state="delivered")
    return made


class TestACorrectedAddress:
    @pytest.mark.parametrize("kind", ["session", "invoice"])
    def test_it_is_written_at_stripe_and_only_there_and_then_the_link_is_asked_for(
        self, aws: Cloud, run: Run, till: Till, kind: str
    ) -> None:
        order = str(getattr(till, kind))
        ran = run("resend", order, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, ran.err) == (0, "")
        assert till.corrected(order) == GOOD_ADDRESS
        [body] = working(aws)
        assert notices.from_json(body).why == notices.RESEND
        assert GOOD_ADDRESS not in body + ran.out + str(till.seller.row(order))

    def test_what_else_stands_in_the_metadata_stays(self, run: Run, till: Till) -> None:
        till.seller.stripe.sdk().v1.checkout.sessions.update(till.session, {"metadata": {"theirs": "1"}})
        run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        metadata = till.seller.stripe.sdk().v1.checkout.sessions.retrieve(till.session).metadata
        assert metadata is not None
        assert metadata.to_dict() == {"theirs": "1", "paidshare_email": GOOD_ADDRESS}

    def test_the_same_one_again_is_no_second_correction(self, aws: Cloud, run: Run, till: Till) -> None:
        for _ in range(2):
            assert run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0").code == 0
        assert len(working(aws)) == 2
        assert [call["method"] for call in till.seller.stripe.calls() if till.session in call["path"]] == [
            "GET",
            "POST",
            "GET",
        ]

    def test_another_one_is_refused_and_nothing_asked_for_unless_it_is_to_replace(
        self, aws: Cloud, run: Run, till: Till
    ) -> None:
        run("resend", till.session, "--to", "first@example.org", "--yes", "--wait", "0")
        working(aws)
        ran = run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, working(aws), till.corrected(till.session)) == (1, [], "first@example.org")
        assert "--replace" in ran.err
        assert "first@" not in ran.err
        assert run("resend", till.session, "--to", GOOD_ADDRESS, "--replace", "--yes", "--wait", "0").code == 0
        assert (len(working(aws)), till.corrected(till.session)) == (1, GOOD_ADDRESS)

    def test_it_is_written_on_the_order_that_the_purchase_is_kept_under(self, aws: Cloud, run: Run, till: Till) -> None:
        record(aws, order_id=till.session, state="elsewhere", reason=till.invoice)
        run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (till.corrected(till.session), till.corrected(till.invoice)) == (None, GOOD_ADDRESS)

    def test_a_connected_account_s_order_is_corrected_there(self, aws: Cloud, run: Run, till: Till) -> None:
        order = till.seller.stripe.sell(("Guide", {}), account="acct_1Other")
        record(aws, order_id=order, state="delivered", account="acct_1Other")
        assert run("resend", order, "--to", GOOD_ADDRESS, "--yes", "--wait", "0").code == 0

    @pytest.mark.parametrize("key", [None, "", " ", "sk_test_another", "sk_test_51\nKey", "rk_live_other"])
    def test_a_key_that_is_missing_or_refused_is_said_so_and_never_shown(
        self, aws: Cloud, run: Run, till: Till, monkeypatch: pytest.MonkeyPatch, key: str | None
    ) -> None:
        monkeypatch.delenv("STRIPE_API_KEY")
        if key is not None:
            monkeypatch.setenv("STRIPE_API_KEY", key)
        ran = run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, working(aws), till.corrected(till.session)) == (3, [], None)
        assert "STRIPE_API_KEY" in ran.err
        assert not any(part in ran.err for part in ("another", "51\nKey", "other"))

    def test_a_key_that_may_only_read_is_said_so(self, aws: Cloud, run: Run, till: Till) -> None:
        error = {"type": "invalid_request_error", "message": f"The provided key 'rk_test_***{KEY[-4:]}' may not"}
        till.seller.stripe.fault(403, match="POST /v1/checkout/sessions/*", body={"error": error}, times=9)
        ran = run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, working(aws)) == (3, [])
        assert "nothing was asked for" in ran.err
        assert "may write Checkout Sessions" in ran.err
        assert KEY[-4:] not in ran.err

    def test_an_order_that_stripe_does_not_have_for_the_key_is_said_so(self, aws: Cloud, run: Run, till: Till) -> None:
        record(aws, order_id=ORDER, state="delivered")
        ran = run("resend", ORDER, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, working(aws)) == (3, [])
        assert f"Stripe does not know {ORDER}" in ran.err

    def test_stripe_out_of_reach_is_said_so(self, aws: Cloud, run: Run, till: Till) -> None:
        till.seller.stripe.fault(503, match="GET /v1/checkout/sessions/*", times=9)
        ran = run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, working(aws)) == (3, [])
        assert "the address is not written" in ran.err

    def test_the_key_is_shown_to_no_plain_http_address_but_the_laptop_s(
        self, aws: Cloud, run: Run, till: Till, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        elsewhere = replace(till.seller.stack, parameters={"StripeApiBase": "http://api.example.com"})
        monkeypatch.setattr(stacks, "found", lambda _: elsewhere)
        ran = run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, working(aws)) == (3, [])
        assert "is not shown to http://api.example.com" in ran.err

    @pytest.mark.parametrize(("answer", "asked"), [("y", 1), ("n", 0), (None, 0)])
    def test_it_is_shown_and_confirmed_before_it_is_written(
        self, aws: Cloud, run: Run, till: Till, terminal: Callable[[str | None], None], answer: str | None, asked: int
    ) -> None:
        terminal(answer)
        ran = run("resend", till.session, "--to", GOOD_ADDRESS, "--wait", "0")
        assert (f"to {GOOD_ADDRESS}, and write that address at Stripe," in ran.err) is (answer is not None)
        assert (till.corrected(till.session), len(working(aws))) == (GOOD_ADDRESS if asked else None, asked)

    def test_on_the_laptop_the_stack_s_own_key_may(
        self, aws: Cloud, run: Run, till: Till, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("STRIPE_API_KEY")
        monkeypatch.setattr(stacks, "found", lambda _: replace(till.seller.stack, on_a_laptop=True))
        assert run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0").code == 0
        assert (till.corrected(till.session), len(working(aws))) == (GOOD_ADDRESS, 1)

    def test_nothing_is_replaced_without_an_address(self, aws: Cloud, run: Run, till: Till) -> None:
        assert (run("resend", till.session, "--replace", "--yes").code, working(aws)) == (2, [])

    @pytest.mark.parametrize(
        "wrong",
        [
            "", "ada", "ada@", "@example.com", "ada@example", "ada@@example.com", "a b@example.com", "ada@exa mple.com",
            "Ada <ada@example.com>", "ada@example.com,bob@example.com", ".ada@example.com", "ada.@example.com",
            "a..a@example.com", "ädä@example.com", "ada@-example.com", "ada@example-.com", "ada@.com",
            "ada@example.com.", "ada@example.com\nBcc: x@y.zz", "a" * 65 + "@example.com", "a@" + "b" * 64 + ".com",
            "a@" + "b.c" * 90, "ada@exa_mple.com", "ada@b\u00fc cher.example", "ada@\u2488.example", "ada@example.com@",
        ],
    )  # fmt: skip
    def test_what_no_letter_could_go_to_is_refused(self, aws: Cloud, run: Run, till: Till, wrong: str) -> None:
        assert run("resend", till.session, "--to", wrong, "--yes", "--wait", "0").code == 2
        assert (working(aws), till.corrected(till.session)) == ([], None)
