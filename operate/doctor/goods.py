"""What is for sale: that each product's metadata says what Deliver understands, and that Fast.io has the files."""

from operate.doctor.checks import Check, Found, Moot, good, wrong
from operate.doctor.stripe import answer
from operate.goods import products
from operate.goods.products import Product
from operate.goods.storage import storage
from operate.stacks import Stack
from paidshare.errors import FastioUnavailable

_GROUP = "goods"
_MEND = "paidshare products link PRODUCT"


def for_sale(to: Stack) -> list[Product] | Found:
    """As their metadata has them; nobody has looked for their files."""

    def asked() -> list[Product] | Found:
        found = answer(to, "Products", products.lines)
        if isinstance(found, Found):
            return found
        return [products.read(line, link_days=to.policy.link_days) for line in found]

    return to.once.answer("products", asked)


def _metadata(to: Stack) -> Found:
    found = for_sale(to)
    if isinstance(found, Found):
        raise Moot
    if faults := products.faults(found):
        return wrong("; ".join(faults), _MEND)
    ours = sum(one.goods is not None for one in found)
    return good(f"{ours} of {len(found)} products are delivered, and say what")


def _files(to: Stack) -> Found:
    found = for_sale(to)
    if isinstance(found, Found):
        raise Moot
    said = [one for one in found if one.goods and not one.faults]
    try:
        looked_up = products.looked_up(said, storage(to))
    except FastioUnavailable as error:
        if error.barrier is not None:
            raise Moot from error
        raise
    if faults := products.faults(looked_up):
        return wrong("; ".join(faults), _MEND)
    return good("the files of all products are there")


CHECKS = (Check(_GROUP, "metadata", _metadata), Check(_GROUP, "files", _files))
