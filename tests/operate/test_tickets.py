"""Ten tickets, each answered in at most two commands: docs/cli/tickets.md shows them as they print."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from paidshare.feedback.mail_events import Fact
from tests.operate.world import Run, Seller
from tests.stripe_world import KEY

PAGE = Path(__file__).parents[2] / "docs" / "cli" / "tickets.md"
ADA = "ada@example.com"
_HEAD = """# Ten tickets

What a buyer writes or a seller asks, and the commands that answer it, as they print. A test plays each one in a shop
in memory, and holds this page to what is printed; only ids and times are put in their place. A command that changes
something asks first, which is left out here.
"""


@dataclass
class Desk:
    """Where a ticket is answered: what is typed and printed is recorded, with ids and times in their place."""

    run: Run
    seller: Seller
    said: list[str] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    commands: int = 0

    def sells(self, *products: str, **sale: Any) -> str:
        order = self.seller.sells(ADA, *products, **sale)
        # As long as Stripe's own, and whole.
        number = len(self.ids) + 1
        self.ids[order] = (
            f"cs_test_{number}{'a1B2c3D4e5F6g7H8i9J0' * 3}{number}Kk9"[: len(order) - 8] + f"Ref{number:05}"
        )
        return order

    def types(self, *words: str, code: int = 0) -> str:
        self.commands += 1
        ran = self.run(*words)
        assert ran.code == code, ran.out + ran.err
        typed = " ".join(["paidshare", *words]).replace(" --yes", "")
        lines = [line.rstrip() for line in (ran.out + ran.err).splitlines()]
        self.said.append(self._in_place("\n".join([f"$ {typed}", *lines]).rstrip()))
        return ran.out + ran.err

    def _in_place(self, text: str) -> str:
        for order, shown in self.ids.items():
            text = text.replace(order, shown).replace(order[-8:], shown[-8:])
        text = re.sub(r"request req_\w+", "request req_1", text)
        text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-11-22 12:00:00", text)
        text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "2026-11-29 12:00", text)
        return re.sub(r"product prod_\w+", "product prod_1", text)


@pytest.fixture
def desk(run: Run, seller: Seller) -> Desk:
    return Desk(run, seller)


def never_came(desk: Desk) -> None:
    """“I paid, and my files never came.”"""
    desk.sells(heard_of=False)
    desk.types("why", ADA, code=1)
    desk.types("resend", ADA, "--yes")
    assert len(desk.seller.mailer.sent) == 1


def nothing_is_wrong(desk: Desk) -> None:
    """“I paid, and there is no letter.” (It is among the spam.)"""
    order = desk.sells()
    desk.seller.hears_from_ses(order, Fact.SENT, Fact.DELIVERED)
    desk.types("why", ADA)


def wrong_address(desk: Desk) -> None:
    """“I mistyped my address.”"""
    order = desk.sells()
    desk.seller.hears_from_ses(order, Fact.SENT, Fact.BOUNCED, permanent=True)
    desk.types("why", ADA, code=1)
    desk.types("resend", order, "--to", "ada@example.org", "--yes")
    assert desk.seller.mailer.sent[-1].to == "ada@example.org"


def ran_out(desk: Desk) -> None:
    """“My link has run out.”"""
    desk.sells()
    desk.seller.skew = timedelta(days=30)
    desk.types("extend", ADA, "--days", "14", "--yes")
    assert len(desk.seller.mailer.sent) == 2


def lost_the_letter(desk: Desk) -> None:
    """“I deleted the letter; I only know that it said order …” (its last eight characters)"""
    order = desk.sells()
    desk.types("resend", order[-8:], "--yes")
    assert len(desk.seller.mailer.sent) == 2


def charged_twice(desk: Desk) -> None:
    """“I was charged twice.”"""
    product = desk.seller.product()
    for seconds in (0, 60):
        desk.seller.stripe.control("/_clock", {"advance_s": seconds})
        desk.sells(product)
    assert "refund the other" in " ".join(desk.types("why", ADA).split())


def passed_on(desk: Desk) -> None:
    """The seller: “The link is on a forum. Close it.”"""
    order = desk.sells()
    desk.types("end", order, "--yes")
    assert desk.seller.open_links() == 0


def suspicious(desk: Desk) -> None:
    """The seller: “That order looks odd. Nothing goes out until I know.”"""
    order = desk.sells()
    desk.types("hold", order, "--yes")
    desk.types("restore", order, "--yes")
    assert desk.seller.open_links() == 1


def disputed(desk: Desk) -> None:
    """The seller: “The bank asks for proof of delivery.”"""
    order = desk.sells()
    desk.seller.hears_from_ses(order, Fact.SENT, Fact.DELIVERED)
    desk.types("evidence", order)


def a_product_was_broken(desk: Desk) -> None:
    """The pager: “An order needs a person.”"""
    product = desk.seller.product(fastio_workspace="my-shop")
    order = desk.sells(product)
    desk.types("dead", code=1)
    node, _ = desk.seller.fastio.put("Field guide.pdf", workspace="my-shop")
    v1 = desk.seller.stripe.sdk().v1
    v1.products.update(product, {"metadata": {"fastio_files": node}})
    desk.types("redrive", order)
    desk.seller.works()
    assert len(desk.seller.mailer.sent) == 1


TICKETS: tuple[Callable[[Desk], None], ...] = (
    never_came,
    nothing_is_wrong,
    wrong_address,
    ran_out,
    lost_the_letter,
    charged_twice,
    passed_on,
    suspicious,
    disputed,
    a_product_was_broken,
)


def section(ticket: Callable[[Desk], None], desk: Desk) -> str:
    shown = "\n\n".join(desk.said)
    return f"\n## {ticket.__doc__}\n\n```console\n{shown}\n```\n"


def recorded() -> Iterator[str]:
    """The page's sections, each as `section` makes it."""
    parts = re.split(r"(?m)^(?=## )", PAGE.read_text() if PAGE.exists() else "")
    yield from (f"\n{part.rstrip()}\n" for part in parts[1:])


@pytest.mark.parametrize("number", range(len(TICKETS)), ids=lambda number: TICKETS[number].__name__)
def test_a_ticket_is_answered_in_two_commands_and_the_page_shows_what_is_printed(
    desk: Desk, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", KEY)
    TICKETS[number](desk)
    assert 1 <= desk.commands <= 2
    printed = section(TICKETS[number], desk)
    (tmp_path / "printed.md").write_text(printed)
    assert [*recorded()][number : number + 1] == [printed], f"what is printed now: {tmp_path / 'printed.md'}"


def test_the_page_has_these_tickets_and_nothing_else() -> None:
    assert PAGE.read_text().startswith(_HEAD)
    titles = re.findall(r"(?m)^## (.*)$", PAGE.read_text())
    assert titles == [ticket.__doc__ for ticket in TICKETS]
