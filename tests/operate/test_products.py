"""`products`: what each delivers and what is wrong with it; `products link`: a product that says what it delivers."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest
import typer

from operate.answers import Misasked
from operate.goods import selling
from operate.goods.browsing import Browser
from paidshare.shares_fastio import Entry, Workspace
from tests.operate.test_schemas import held
from tests.operate.world import Run, Seller
from tests.stripe_world import KEY

type Terminal = Callable[[str | None], None]


def metadata(seller: Seller, product: str) -> dict[str, str]:
    return dict(seller.stripe.sdk().v1.products.retrieve(product).to_dict()["metadata"])


@pytest.fixture(autouse=True)
def _may_write(run: Run, seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", KEY)


class TestList:
    def test_what_is_there_is_shown_with_its_files(self, run: Run, seller: Seller) -> None:
        product = seller.product("Field guide")
        seller.product("A mug", colour="red")
        ran = run("products")
        assert (ran.code, f"✓ Field guide ({product})" in ran.out, "1 more deliver nothing" in ran.out) == (
            0,
            True,
            True,
        )
        assert "1 file (1 bytes) of my-shop, for 7 days" in ran.out.replace("1 byte)", "1 bytes)")

    @pytest.mark.parametrize(
        ("product", "words"),
        [
            ({"fast_io_files": "1"}, "is fastio_files meant?"),
            ({"fastio_workspace": "my-shop"}, "fastio_files names no file"),
            ({"fastio_workspace": "my-shop", "fastio_files": "gone-1"}, "names cannot be delivered"),
            ({"fastio_workspace": "nowhere", "fastio_files": "gone-1"}, "names cannot be delivered"),
            ({"fastio_workspace": "my-shop", "fastio_files": "1", "fastio_link_days": "99999"}, "from 1 to 3650"),
        ],
    )
    def test_what_would_not_be_delivered_is_told(
        self, run: Run, seller: Seller, product: dict[str, str], words: str
    ) -> None:
        seller.fastio.put("a.pdf", workspace="my-shop")
        its_id = seller.product("Broken", **product)
        ran = run("products", "--json")
        assert ran.code == 1
        [said] = held("products", ran.out)["products"]
        assert (said["id"], len(said["faults"])) == (its_id, 1)
        assert words in said["faults"][0]
        assert "1 to mend" in run("products", "list").out

    def test_who_cannot_be_asked_is_no_fault_of_a_product(self, run: Run, seller: Seller) -> None:
        seller.product()
        seller.fastio.fault({"match": "GET /workspace/*/storage/*/details/", "status": 503, "times": 9})
        ran = run("products", "--json")
        assert (ran.code, ran.out) == (3, "")


class TestLink:
    def test_a_path_is_written_as_what_it_is_to_fast_io(self, run: Run, seller: Seller) -> None:
        _, [_guides, birds] = seller.fastio.put("Guides/Birds/a.pdf", workspace="my-shop")
        product = seller.product("Birds", fast_io_files="x", colour="red")
        ran = run("products", "link", product, "--workspace", "my-shop", "--path", "Guides/Birds", "--yes")
        assert (ran.code, "delivers 1 file" in ran.out) == (0, True)
        # What was misspelt is gone, what is not ours stays.
        assert metadata(seller, product) == {"fastio_workspace": "my-shop", "fastio_files": birds, "colour": "red"}
        assert seller.open_links() == 0
        seller.sells("ada@example.com", product)
        assert seller.open_links() == 1

    def test_a_product_is_called_by_its_name_or_its_page_too(self, run: Run, seller: Seller) -> None:
        node, _ = seller.fastio.put("a.pdf", workspace="my-shop")
        product = seller.product("Birds", colour="red")
        page = f"https://dashboard.stripe.com/test/products/{product}"
        for called in ("birds", page):
            words = ("--workspace", "my-shop", "--files", node, "--link-days", "30", "--yes", "--json")
            held("products", run("products", "link", called, *words).out)
        assert metadata(seller, product)["fastio_link_days"] == "30"

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ((), "this is no terminal to choose at"),
            (("--workspace", "my-shop"), "this is no terminal to choose at"),
            (("--workspace", "my-shop", "--path", "a.pdf", "--files", "1"), "not both"),
            (("--workspace", "other", "--path", "a.pdf"), "no workspace other"),
            (("--workspace", "my-shop", "--path", "b.pdf"), "is a.pdf meant?"),
            (("--workspace", "my-shop", "--path", "a.pdf/b.pdf"), "a.pdf is a file"),
            (("--workspace", "my-shop", "--path", "/"), "names a folder or a file"),
            (("--workspace", "my-shop", "--files", "gone-1"), "nothing is written"),
            (("--workspace", "my-shop", "--files", ",".join(f"{'n' * 29}{i}" for i in range(20))), "into a folder"),
            (("--workspace", "my-shop", "--path", "a.pdf"), "say --yes"),
        ],
    )
    def test_what_makes_no_sense_is_refused_and_nothing_is_written(
        self, run: Run, seller: Seller, terminal: Terminal, words: tuple[str, ...], said: str
    ) -> None:
        terminal(None)
        seller.fastio.put("a.pdf", workspace="my-shop")
        product = seller.product("Birds", colour="red")
        ran = run("products", "link", product, *words)
        assert (ran.code, said in ran.err) == (2, True), ran.err
        assert metadata(seller, product) == {"colour": "red"}

    def test_a_product_that_there_is_not_or_twice_is_refused(self, run: Run, seller: Seller) -> None:
        assert "no product Fungi" in run("products", "link", "Fungi", "--yes").err
        first, second = seller.product("Birds", colour="red"), seller.product("birds", colour="red")
        ran = run("products", "link", "Birds", "--yes")
        assert ran.code == 2
        assert {first, second} <= {*ran.err.replace(",", "").split()}

    def test_the_stack_s_own_key_does_not_write(
        self, run: Run, seller: Seller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("STRIPE_API_KEY")
        node, _ = seller.fastio.put("a.pdf", workspace="my-shop")
        product = seller.product("Birds", colour="red")
        ran = run("products", "link", product, "--workspace", "my-shop", "--files", node, "--yes")
        assert (ran.code, "STRIPE_API_KEY" in ran.err) == (3, True)

    def test_a_person_browses_and_picks(
        self, run: Run, seller: Seller, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        terminal("y")
        seller.fastio.put("Guides/Birds/a.pdf", workspace="my-shop")
        node, _ = seller.fastio.put("Guides/b.pdf", workspace="my-shop")
        product = seller.product("Birds", colour="red")
        # Into Guides, up, down again, the file in it, and the end.
        answers = iter(["1", "..", "guid", "1", "2", ""])
        monkeypatch.setattr(selling, "_ask", lambda _question: next(answers))
        ran = run("products", "link", product)
        assert (ran.code, [*answers]) == (0, []), ran.err
        assert metadata(seller, product)["fastio_files"] == node
        assert "b.pdf" in ran.err
        assert "b.pdf" not in ran.out


class Shelf:
    """A workspace in memory: two folders of many files."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def workspaces(self) -> Iterator[Workspace]:
        return (Workspace(str(at), name) for at, name in enumerate(self.names))

    def inside(self, _workspace: str, folder: str = "root") -> list[Entry]:
        if folder == "root":
            return [Entry("one", "One", "folder", None)]
        return [Entry(f"f{at}", f"file {at}.pdf", "file", at) for at in range(100)]


class TestBrowser:
    def browser(self, *answers: str, names: tuple[str, ...] = ("my-shop",)) -> tuple[Browser, list[str]]:
        said: list[str] = []
        given = chain(answers, self.no_more())
        storage: Any = Shelf(*names)
        return Browser(storage, lambda _question: next(given), said.append), said

    @staticmethod
    def no_more() -> Iterator[str]:
        raise typer.Abort
        yield ""

    def test_the_only_workspace_is_not_asked_for_and_one_of_several_is(self) -> None:
        browser, _ = self.browser()
        assert browser.workspace().name == "my-shop"
        browser, said = self.browser("0", "x", "2", names=("b-shop", "a-shop"))
        assert browser.workspace().name == "b-shop"
        assert said.count("A number from 1 to 2, please.") == 2

    def test_an_account_without_a_workspace_is_told_what_to_do(self) -> None:
        browser, _ = self.browser(names=())
        with pytest.raises(Misasked, match="make one there"):
            browser.workspace()

    def test_the_folder_that_is_open_is_picked_whole(self) -> None:
        browser, said = self.browser(".", "", "1", ".", "")
        assert [one.id for one in browser.nodes(Workspace("0", "my-shop"))] == ["one"]
        assert "Nothing is picked yet." in said
        assert any("All of a workspace cannot be sold" in line for line in said)

    def test_picked_twice_is_picked_no_more(self) -> None:
        browser, _ = self.browser("1", "1", "1", "2", "")
        assert [one.id for one in browser.nodes(Workspace("0", "my-shop"))] == ["f1"]

    def test_a_full_folder_is_narrowed_by_a_part_of_a_name(self) -> None:
        browser, said = self.browser("1", "FILE 9", "11", "")
        assert [one.id for one in browser.nodes(Workspace("0", "my-shop"))] == ["f99"]
        assert any("and 60 more" in line for line in said)
