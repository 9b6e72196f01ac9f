from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare.delivering.breaker import ORDERS, SECONDS, Breaker, SparedMailer, SparedPayments, SparedShares
from paidshare.delivering.errors import LetterRejected, MailUnavailable
from paidshare.errors import FastioUnavailable, OrderUnknown, StripeUnavailable
from paidshare.orders import Letter
from tests.builders import BUYER, an_order
from tests.fakes import Clock, MemoryMailer
from tests.fakes_payments import MemoryPayments
from tests.fakes_shares import MemoryShares
from tests.fastio_world import goods, now, request


class Provider:
    """Something that is down or not, behind a breaker."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.breaker = Breaker(monotonic=lambda: self.clock().timestamp())
        self.down = True
        self.asked = 0

    def ask(self, order: str, error: Exception | None = None) -> str:
        """answered, down (asked, in vain) or spared (not asked)."""
        before = self.asked
        try:
            with self.breaker.asking(order, StripeUnavailable):
                self.asked += 1
                if self.down:
                    raise error or StripeUnavailable("down")
        except StripeUnavailable:
            return "down" if self.asked > before else "spared"
        return "answered"

    def fail(self, orders: int = ORDERS) -> None:
        for n in range(orders):
            assert self.ask(f"cs_{n}") == "down"


class TestBreaker:
    def test_after_several_orders_in_a_row_nobody_asks_for_a_while(self) -> None:
        provider = Provider()
        provider.fail()
        assert [provider.ask(f"cs_{n}") for n in range(20)] == ["spared"] * 20

    def test_whoever_is_spared_is_told_how_long(self) -> None:
        provider = Provider()
        provider.fail()
        provider.clock.advance(seconds=5)
        with pytest.raises(StripeUnavailable) as caught, provider.breaker.asking("cs_9", StripeUnavailable):
            pass
        assert caught.value.wait == pytest.approx(SECONDS - 5)

    def test_one_order_that_always_fails_holds_up_nobody(self) -> None:
        provider = Provider()
        assert [provider.ask("cs_poison") for _ in range(50)] == ["down"] * 50
        provider.down = False
        assert provider.ask("cs_1") == "answered"

    def test_an_answer_in_between_starts_the_count_anew(self) -> None:
        provider = Provider()
        provider.fail(ORDERS - 1)
        provider.down = False
        provider.ask("cs_good")
        provider.down = True
        provider.fail(ORDERS - 1)
        assert provider.ask("cs_last") == "down"

    def test_then_one_order_tries_and_the_others_wait_for_it(self) -> None:
        provider = Provider()
        provider.fail()
        provider.clock.advance(seconds=SECONDS)
        assert [provider.ask(f"cs_{n}") for n in range(5)] == ["down", *["spared"] * 4]

    def test_its_first_answer_opens_the_way_for_all(self) -> None:
        provider = Provider()
        provider.fail()
        provider.down = False
        provider.clock.advance(seconds=SECONDS)
        assert [provider.ask(f"cs_{n}") for n in range(5)] == ["answered"] * 5

    def test_a_refusal_is_an_answer(self) -> None:
        provider = Provider()
        provider.fail(ORDERS - 1)
        with pytest.raises(OrderUnknown):
            provider.ask("cs_unknown", OrderUnknown("no such order"))
        provider.fail(ORDERS - 1)
        assert provider.ask("cs_last") == "down"

    def test_of_many_threads_at_once_one_tries(self) -> None:
        provider = Provider()
        provider.fail()
        provider.clock.advance(seconds=SECONDS)
        start, seen = Barrier(10), []

        def ask(n: int) -> None:
            start.wait()
            seen.append(provider.ask(f"cs_{n}"))

        threads = [Thread(target=ask, args=(n,)) for n in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(seen) == ["down", *["spared"] * 9]

    @given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 30)), max_size=60))
    def test_a_provider_that_is_up_again_is_asked_again_within_the_time(
        self, past: list[tuple[int, bool, int]]
    ) -> None:
        provider = Provider()
        for order, down, seconds in past:
            provider.down = down
            provider.ask(f"cs_{order}")
            provider.clock.advance(seconds=seconds)
        provider.down = False
        provider.clock.advance(seconds=SECONDS)
        assert provider.ask("cs_new") == "answered"


class TestSparedPorts:
    def test_stripe_is_spared(self) -> None:
        payments = MemoryPayments(an_order())
        payments.failures += [StripeUnavailable("down")] * ORDERS
        spared = SparedPayments(payments, Breaker(monotonic=lambda: 0.0))
        for n in range(ORDERS):
            with pytest.raises(StripeUnavailable):
                spared.order(f"cs_{n}")
        asked = len(payments.asked)
        for ask in (lambda: spared.order("cs_test_1"), lambda: spared.orders_of("pi_1", now=now())):
            with pytest.raises(StripeUnavailable, match="not asked"):
                ask()
        assert len(payments.asked) == asked

    def test_fastio_is_spared(self) -> None:
        shares = MemoryShares()
        node, _ = shares.put("my-shop", "guide.pdf")
        spared = SparedShares(shares, Breaker(monotonic=lambda: 0.0))
        share = spared.open(request(goods(node)))
        assert spared.find(request(goods(node))) == share
        spared.close(share.id)
        assert spared.reopen(share.id, until=share.expires_at)
        shares.down = True
        for n in range(ORDERS):
            with pytest.raises(FastioUnavailable):
                spared.open(request(goods(node), order=f"cs_test_{n}"))
        shares.down = False
        for ask in (
            lambda: spared.open(request(goods(node))),
            lambda: spared.find(request(goods(node))),
            lambda: spared.close(share.id),
            lambda: spared.reopen(share.id, until=share.expires_at),
        ):
            with pytest.raises(FastioUnavailable, match="not asked"):
                ask()

    def test_ses_is_spared_and_a_letter_that_it_refuses_is_an_answer(self) -> None:
        mailer = MemoryMailer()
        spared = SparedMailer(mailer, Breaker(monotonic=lambda: 0.0))
        letter = Letter(to=BUYER, subject="s", text="t", html="h")
        assert spared.send(letter, order_id="cs_1")
        mailer.refused.add(BUYER)
        for n in range(ORDERS + 1):
            with pytest.raises(LetterRejected):
                spared.send(letter, order_id=f"cs_{n}")

        class Down:
            def send(self, letter: Letter, *, order_id: str) -> str:
                del letter, order_id
                raise MailUnavailable("down")

        spared = SparedMailer(Down(), Breaker(monotonic=lambda: 0.0))
        for n in range(ORDERS):
            with pytest.raises(MailUnavailable, match=r"^down"):
                spared.send(letter, order_id=f"cs_{n}")
        with pytest.raises(MailUnavailable, match="not asked"):
            spared.send(letter, order_id="cs_9")
