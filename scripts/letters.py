"""`python scripts/letters.py FOLDER` writes every kind of letter in every language there, HTML and text, to look at."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from paidshare.delivering.letters.desk import Desk
from paidshare.delivering.letters.purchase import Purchase
from paidshare.orders import Letter, Sale, Share, ShareFile
from paidshare.states import Kind
from paidshare.storefront import seller
from paidshare.storefront.languages import LANGUAGES
from paidshare.storefront.seller import Seller

_NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
_FILES = (ShareFile("Garden birds.pdf", 48_000_000), ShareFile("Checklist.csv", 120_000))
_SHARE = Share("1", "o234567", "https://go.fast.io/shared/o234567abcdefghijklm", _NOW + timedelta(days=7), _FILES)


def every(language: str, shop: Seller) -> dict[str, Letter]:
    """Each kind of letter about one purchase of *shop*'s, and the delivery of a renewal."""
    names = ("Garden Birds, a field guide", "Birdsong")

    def at(*, renewal: bool = False) -> Desk:
        receipt = "https://pay.stripe.com/receipts/payment/ch_1"
        sale = Sale(_NOW, "jpy" if language == "ja" else "eur", receipt, renewal, (language,))
        return Desk(Purchase("ada@example.com", "cs_test_a1b2c3d4e5f6", names, sale, 1_900), shop)

    desk, until = at(), _SHARE.expires_at
    return {
        Kind.DELIVERY: desk.delivery(_SHARE, [("Birdsong", _NOW + timedelta(days=2))]),
        "renewal": at(renewal=True).delivery(_SHARE),
        Kind.PAYMENT_FAILED: desk.payment_failed(),
        Kind.ACCESS_ON_HOLD: desk.access_on_hold("disputed"),
        Kind.ACCESS_ENDED: desk.access_ended("refunded"),
        Kind.ACCESS_BACK: desk.access_back(until),
        Kind.ACCESS_CHANGED: desk.access_changed(until, "partly_refunded"),
        Kind.DELAYED: desk.delayed(by_a_person=False),
    }


if __name__ == "__main__":
    folder, ours = Path(sys.argv[1]), seller.from_file(Path(__file__).parents[1] / "shop.toml")
    folder.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        for name, letter in every(language, ours).items():
            (folder / f"{name}.{language}.html").write_text(letter.html, encoding="utf-8")
            (folder / f"{name}.{language}.txt").write_text(f"{letter.subject}\n\n{letter.text}", encoding="utf-8")
