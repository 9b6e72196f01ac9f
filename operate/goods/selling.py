"""The commands that say what Stripe's products deliver, and have them say so."""

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.filesize import decimal

from operate.answers import Answer, Code, Misasked
from operate.goods import products as catalogue
from operate.goods.browsing import Browser, at_path, named
from operate.goods.products import Product
from operate.goods.storage import storage
from operate.options import YesOption, confirm
from operate.orders import at_stripe, mending
from operate.orders.correction import unwarned
from operate.printing import aside, indented, printable, styled
from operate.stacks import Stack
from paidshare.delivering.catalog import FILES, LINK_DAYS, WORKSPACE
from paidshare.orders import Line
from paidshare.payments_stripe import StripeAccess
from paidshare.shares_fastio import Workspace

_PRODUCT = re.compile(r"prod_[A-Za-z0-9_]+")
_LONGEST_VALUE = 500  # docs.stripe.com/api/metadata


def listed(to: Stack) -> Answer:
    """
    Which of Stripe's products deliver what, and what is wrong with it.

    Changes nothing. Exits with 1 when a sale of one would not be delivered.
    """
    found = catalogue.looked_up(_read(to, _asked(to)), storage(to))
    code = Code.WRONG if catalogue.faults(found) else Code.GOOD
    return Answer({"products": [_data(one) for one in found]}, [*_words(found)], code)


def link(
    to: Stack,
    product: Annotated[str, typer.Argument(help="Its id (prod_…), its name, or the address of its page at Stripe.")],
    *,
    workspace: Annotated[str | None, typer.Option(help="At Fast.io, by id or name.")] = None,
    path: Annotated[
        list[str] | None, typer.Option(help="A folder or file in it: Guides/Birds; more than once.")
    ] = None,
    files: Annotated[str | None, typer.Option(help="Node ids in it, separated by commas.")] = None,
    link_days: Annotated[int | None, typer.Option(min=1, max=3650, help="How long a link works.")] = None,
    yes: YesOption = False,
) -> Answer:
    """
    Have a product deliver files of Fast.io: writes so into its metadata at Stripe.

    Without --workspace and --path or --files it shows what there is, and asks. A key that may write Products is taken
    from STRIPE_API_KEY.
    """
    line = _meant(_asked(to), product)
    chosen, nodes = _chosen(to, workspace, path, files)
    access = at_stripe.writing(to, "it is written into the product's metadata at Stripe")
    wanted = {WORKSPACE: chosen, FILES: ",".join(nodes)}
    if link_days is not None:
        wanted[LINK_DAYS] = str(link_days)
    # What was misspelt is taken away: beside what is right it would be told of for ever.
    metadata = dict.fromkeys(mending.nearly(line.metadata), "") | wanted
    if len(wanted[FILES]) > _LONGEST_VALUE:
        raise Misasked(
            f"{len(nodes)} files do not fit into a product's metadata: put them into a folder, and name that"
        )
    after = Line(line.product_id, line.product_name, 1, {**line.metadata, **wanted})
    [sold] = catalogue.looked_up(_read(to, [after]), storage(to))
    if sold.faults and sold.files is None:
        raise Misasked("nothing is written: " + "; ".join(sold.faults))
    confirm(f"Have {_called(sold)} deliver {_files(sold)} of {chosen}?", yes=yes)
    _write(access, line.product_id, metadata)
    words = f"{_called(sold)} delivers {_files(sold)} of {chosen}, from the next sale on."
    return Answer({"products": [_data(sold)]}, [words])


def _asked(to: Stack) -> list[Line]:
    """Raises NotKnown, StripeUnavailable."""
    at_stripe.check_base(to)
    return to.stripe_access.answer("the products", lambda client: catalogue.lines(client.v1))


def _read(to: Stack, lines: Sequence[Line]) -> list[Product]:
    return [catalogue.read(line, link_days=to.policy.link_days) for line in lines]


def _meant(lines: Sequence[Line], product: str) -> Line:
    """Raises Misasked."""
    ids = _PRODUCT.findall(product)
    found = [one for one in lines if one.product_id in ids or one.product_name.casefold() == product.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        raise Misasked("several products are called so: " + ", ".join(one.product_id for one in found))
    raise Misasked(f"Stripe has no product {printable(product)[:80]} that is for sale; `paidshare products` lists them")


def _chosen(to: Stack, workspace: str | None, path: list[str] | None, files: str | None) -> tuple[str, tuple[str, ...]]:
    """The workspace and the nodes. Raises Misasked where somebody would have to be asked, and nobody is there."""
    if path and files:
        raise Misasked("--path or --files, not both")
    browser = Browser(storage(to), _ask, aside)
    if not (workspace and (path or files)) and not sys.stdin.isatty():
        raise Misasked("this is no terminal to choose at: say --workspace, and --path or --files")
    there = browser.workspace() if workspace is None else _workspace(to, workspace)
    if files:
        return there.name, tuple(part for part in (each.strip() for each in files.split(",")) if part)
    picked = [at_path(storage(to), there.id, one) for one in path] if path else browser.nodes(there)
    aside(f"{there.name}: " + ", ".join(map(named, picked)))
    return there.name, tuple(one.id for one in picked)


def _workspace(to: Stack, wanted: str) -> Workspace:
    for one in storage(to).workspaces():
        if wanted in (one.id, one.name):
            return one
    raise Misasked(f"Fast.io shows the key's account no workspace {printable(wanted)[:80]}")


def _ask(question: str) -> str:
    return str(typer.prompt(question, default="", show_default=False, err=True))


def _write(access: StripeAccess, product: str, metadata: dict[str, str]) -> None:
    def asked(client: Any) -> None:
        with unwarned():
            client.v1.products.update(product, {"metadata": metadata})

    access.answer(f"{product}, which has to be written", asked)


def _words(products: Sequence[Product]) -> Iterator[RenderableType]:
    ours = [one for one in products if one.goods or one.faults]
    for one in ours:
        yield styled(("✗ " if one.faults else "✓ ") + _called(one), "bold")
        if one.goods and one.files is not None:
            yield indented(f"{_files(one)} of {one.goods.workspace}, for {one.goods.link_days} days")
        for fault in one.faults:
            yield indented(fault, "red")
    if others := len(products) - len(ours):
        yield styled(f"{others} more deliver nothing of ours.", "dim")
    wrong = sum(bool(one.faults) for one in ours)
    yield f"→ {wrong} to mend: paidshare products link PRODUCT" if wrong else "→ " + _good(len(ours))


def _good(ours: int) -> str:
    return "All that is for sale is there." if ours else "Nothing is for sale yet: paidshare products link PRODUCT"


def _called(one: Product) -> str:
    return f"{printable(one.name)} ({one.id})"


def _files(one: Product) -> str:
    files = one.files or ()
    size = sum(file.size or 0 for file in files)
    return f"{len(files)} file{'' if len(files) == 1 else 's'} ({decimal(size)})"


def _data(one: Product) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "workspace": one.goods.workspace if one.goods else None,
        "nodes": [*one.goods.nodes] if one.goods else [],
        "link_days": one.goods.link_days if one.goods else None,
        "files": None if one.files is None else [{"name": file.name, "size": file.size} for file in one.files],
        "faults": [*one.faults],
    }
