"""Paid to inbox, through the deployed template."""

import json
from datetime import UTC, datetime, timedelta

from local import seeds
from tests.stack.laptop import Laptop


class TestOneSale:
    def test_it_ends_in_one_share_with_exactly_the_bought_files_and_one_letter_whose_link_opens_them(
        self, laptop: Laptop
    ) -> None:
        guide = laptop.file("one-sale/guide.pdf", "the guide")["node_id"]
        atlas = laptop.file("one-sale/atlas.pdf", "the atlas")["node_id"]
        laptop.file("one-sale/not-bought.pdf", "another's")
        sale = laptop.pay("one-sale@example.com", laptop.ours(guide, atlas))
        assert (sale["delivery"]["status"], json.loads(sale["delivery"]["body"])) == (200, {"received": True})

        letter = laptop.letter_to("one-sale@example.com")

        assert laptop.downloaded(letter) == {"guide.pdf": "the guide", "atlas.pdf": "the atlas"}
        assert [letter.sender] == ["shop@example.com"]
        order = laptop.order_in("delivered", sale["session"])
        share = laptop.share_of(sale["session"])
        assert share is not None
        assert order["share_id"] == share["id"]
        assert share["custom_name"] not in json.dumps(order)
        expires = datetime.strptime(share["expires"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        assert abs(expires - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=2)

    def test_the_letter_is_in_the_language_that_the_buyer_reads(self, laptop: Laptop) -> None:
        goods = laptop.ours(laptop.file("languages.pdf")["node_id"])
        laptop.pay("arabic@example.com", goods, locale="ar")
        laptop.pay("german@example.com", goods, mode="subscription", locale="de-AT")
        arabic, german = laptop.letter_to("arabic@example.com"), laptop.letter_to("german@example.com")
        assert 'lang="ar" dir="rtl"' in arabic.html
        assert arabic.subject.startswith("تنزيلك")
        assert german.subject.startswith("Ihr Download")

    def test_the_same_event_again_changes_nothing(self, laptop: Laptop) -> None:
        sale = laptop.pay("again@example.com", laptop.ours(laptop.file("again.pdf")["node_id"]))
        laptop.order_in("delivered", sale["session"])
        before = laptop.order_that_was("delivered", sale["session"])

        again = laptop.stripe("_send", event=sale["event"])

        assert again["delivery"]["status"] == 200
        laptop.log_line("receive", message="notice_repeated", event_id=sale["event"])
        assert laptop.order(sale["session"]) == before
        assert len(laptop.letters_to("again@example.com")) == 1

    def test_two_event_objects_for_one_session_make_one_share_and_one_letter(self, laptop: Laptop) -> None:
        sale = laptop.pay("two-events@example.com", laptop.ours(laptop.file("two-events.pdf")["node_id"]))
        laptop.order_in("delivered", sale["session"])

        second = laptop.stripe("_send", session=sale["session"], new_event=True)

        assert second["event"] != sale["event"]
        laptop.log_line("deliver", message="order_looked_at", event_id=second["event"], step="nothing")
        assert len(laptop.letters_to("two-events@example.com")) == 1
        assert sum(sale["session"] in json.dumps(share["owner_defined"]) for share in laptop.shares()) == 1

    def test_a_payment_link_is_delivered_like_any_checkout(self, laptop: Laptop) -> None:
        product = laptop.ours(laptop.file("payment-link.pdf", "by link")["node_id"])
        laptop.pay("payment-link@example.com", product, payment_link=True)
        assert laptop.downloaded(laptop.letter_to("payment-link@example.com")) == {"payment-link.pdf": "by link"}

    def test_an_order_that_a_coupon_made_free_is_delivered(self, laptop: Laptop) -> None:
        product = laptop.ours(laptop.file("coupon.pdf", "free")["node_id"])
        laptop.pay("coupon@example.com", product, payment_status="no_payment_required")
        assert laptop.downloaded(laptop.letter_to("coupon@example.com")) == {"coupon.pdf": "free"}

    def test_a_delayed_payment_waits_and_is_delivered_when_it_comes(self, laptop: Laptop) -> None:
        sale = laptop.pay("late@example.com", laptop.ours(laptop.file("late.pdf", "late")["node_id"]), late=True)
        assert laptop.order_in("waiting", sale["session"])["reason"] == "not_paid"
        assert laptop.share_of(sale["session"]) is None

        laptop.stripe("_settle", session=sale["session"])

        assert laptop.downloaded(laptop.letter_to("late@example.com")) == {"late.pdf": "late"}


class TestWhatIsDelivered:
    def test_a_folder_means_every_file_in_it(self, laptop: Laptop) -> None:
        laptop.file("course/readme.txt", "first")
        folder = laptop.file("course/lessons/one.mp4", "second")["folder_ids"][0]
        laptop.pay("folder@example.com", laptop.ours(folder))
        got = laptop.downloaded(laptop.letter_to("folder@example.com"))
        assert got == {"readme.txt": "first", "one.mp4": "second"}

    def test_an_order_of_more_lines_than_a_page_is_delivered_whole(self, laptop: Laptop) -> None:
        nodes = [laptop.file(f"many/{n:02}.txt", str(n))["node_id"] for n in range(25)]
        laptop.pay("many@example.com", *[laptop.ours(node) for node in nodes])
        assert len(laptop.downloaded(laptop.letter_to("many@example.com"))) == 25

    def test_the_link_lasts_as_long_as_the_product_says(self, laptop: Laptop) -> None:
        node = laptop.file("a-month.pdf")["node_id"]
        sale = laptop.pay("a-month@example.com", laptop.ours(node, fastio_link_days="30"))
        until = int(laptop.order_in("delivered", sale["session"])["share_expires_at"])
        assert abs(until - datetime.now(UTC).timestamp() - 30 * 86400) < 120

    def test_lines_that_are_not_ours_are_left_alone(self, laptop: Laptop) -> None:
        mug = laptop.product(colour="blue")
        laptop.pay("mixed@example.com", mug, laptop.ours(laptop.file("mixed.pdf", "ours")["node_id"]))
        assert laptop.downloaded(laptop.letter_to("mixed@example.com")) == {"mixed.pdf": "ours"}


def test_the_product_that_make_local_comes_with_can_be_bought(laptop: Laptop) -> None:
    laptop.pay("seeded@example.com", *laptop.to.product_ids)
    assert set(laptop.downloaded(laptop.letter_to("seeded@example.com"))) == seeds.FILE_NAMES


def test_no_log_holds_a_persons_address_a_link_or_a_secret(laptop: Laptop) -> None:
    sale = laptop.pay("private@example.com", laptop.ours(laptop.file("private.pdf")["node_id"]))
    laptop.order_in("delivered", sale["session"])
    laptop.order_that_was("delivered", sale["session"])
    logged = laptop.everything_logged()
    assert sale["session"] in logged
    for secret in ("private@example.com", "/shared/", "private.pdf", laptop.to.stripe_webhook_secret, "sk_test_"):
        assert secret not in logged
