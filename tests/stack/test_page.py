"""The order's page in the deployed system: from Checkout to the files, by the letter, and until the money goes back."""

import hashlib
import re

import httpx

from local.aws import pages
from tests.stack.laptop import Laptop, until


class TestThePage:
    def test_it_has_the_files_by_checkout_s_address_and_by_the_letter_s_until_a_refund(self, laptop: Laptop) -> None:
        guide = laptop.file("page/guide.pdf", "the guide")["node_id"]
        sale = laptop.pay("page@example.com", laptop.ours(guide))
        with pages.from_checkout(laptop.to, sale["session"]) as browser:
            seen = until(lambda: _with("Open your files", browser), "the files on the page")
            assert sale["session"] not in browser.url
            assert browser.url == laptop.to.page_url
            assert hashlib.sha256(b"the guide").hexdigest() in seen.html
            letter = laptop.letter_to("page@example.com")
            found = re.search(rf"{re.escape(laptop.to.page_url)}/\S+", letter.text)
            assert found is not None
            by_letter = laptop.http.get(found[0])
            assert (by_letter.status_code, by_letter.headers["cache-control"]) == (200, "no-store")
            links = re.findall(r'href="([^"]+/shared/[^"]+)"', by_letter.text)
            assert [laptop.http.get(link).status_code for link in links] == [200]
            laptop.stripe("_refund", session=sale["session"])
            laptop.order_in("access_ended", sale["session"])
            assert "Your access has ended" in browser.look().html
            assert "/shared/" not in laptop.http.get(found[0]).text

    def test_a_wrong_address_is_corrected_there_and_the_old_one_has_nothing_any_more(self, laptop: Laptop) -> None:
        guide = laptop.file("correct/guide.pdf", "the guide")["node_id"]
        sale = laptop.pay("page-wrong@example.com", laptop.ours(guide))
        laptop.order_in("delivered", sale["session"])
        with pages.from_checkout(laptop.to, sale["session"]) as browser:
            browser.look()
            assert "That is no e-mail address" in browser.ask(email="page-meant").html
            browser.ask(email="page-meant@example.com")
            until(lambda: _with("You corrected the address.", browser), "the correction on the page")
        old, new = laptop.letter_to("page-wrong@example.com"), laptop.letter_to("page-meant@example.com")
        links = [_links(letter.text, laptop.to.page_url) for letter in (old, new)]
        assert [[laptop.http.get(link).status_code for link in one] for one in links] == [[404, 404], [200, 200]]
        laptop.stripe("_refund", session=sale["session"])
        row = laptop.order_in("access_ended", sale["session"])
        logged = "\n".join([*laptop._messages("page"), *laptop._messages("deliver")])
        assert "page-meant" not in repr(row) + logged
        assert row["corrected_to"] not in logged

    def test_whatever_opens_nothing_gets_one_answer(self, laptop: Laptop) -> None:
        base = laptop.to.page_url
        asked = [
            f"{base}/{'x' * 60}",
            f"{base}/%00",
            f"{base}?session_id=cs_test_unknown",
            f"{base}?session_id=..",
            base,
        ]
        answers = [laptop.http.get(url) for url in asked]
        answers.append(laptop.http.post(base, data={"form": "x" * 60}))
        answers.append(laptop.http.post(base, content=b"\xff" * 5_000))
        assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}

    def test_it_says_nothing_of_the_buyer_in_its_log(self, laptop: Laptop) -> None:
        sale = laptop.pay("page-log@example.com", laptop.ours(laptop.file("page-log.pdf")["node_id"]))
        laptop.order_in("delivered", sale["session"])
        answer = laptop.http.get(f"{laptop.to.page_url}?session_id={sale['session']}")
        cookie = answer.cookies.get("order") or ""
        laptop.log_line("page", message="page_from_checkout", order_id=sale["session"])
        logged = "\n".join(laptop._messages("page"))
        assert cookie
        assert cookie not in logged
        assert "page-log@example.com" not in logged


def _links(text: str, page_url: str) -> list[str]:
    """The link to the files in a letter, and the one to the order's page."""
    return re.findall(rf"http\S+/shared/\S+|{re.escape(page_url)}/\S+", text)


def _with(words: str, browser: pages.Browser) -> pages.Seen | None:
    seen = browser.look()
    return seen if words in seen.html else None


def test_a_browser_is_not_led_elsewhere(laptop: Laptop) -> None:
    answer = httpx.get(f"{laptop.to.page_url}?session_id=//evil.example", trust_env=False)
    assert (answer.status_code, "location" in answer.headers) == (404, False)
