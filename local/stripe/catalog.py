"""What is for sale at the Stripe stand-in: the calls for products and prices, and lines made from them."""

import re

from local.stripe import objects
from local.stripe.form import Call, Params, StripeProblem
from local.stripe.objects import Json
from local.stripe.state import PAGE, StripeState, in_range, page

_MOST_LINES = 100  # docs.stripe.com/api/checkout/sessions/create


def create_product(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only("name", "id", "description", "active", "metadata", "default_price_data", "type", "url")
    name, metadata, wanted = p.needed("name"), p.metadata(), p.text("id")
    if wanted in state.objects:
        raise StripeProblem("Product already exists.", code="resource_already_exists")
    fields: Json = {"description": p.text("description"), "metadata": metadata, "url": p.text("url")}
    if p.boolean("active") is False:
        fields["active"] = False
    made = objects.product(name, livemode=state.livemode, now=state.now, **fields)
    made["id"] = wanted or made["id"]
    if priced := p.object("default_price_data"):
        priced.only("currency", "unit_amount", "recurring", "metadata")
        made["default_price"] = _price(state, priced, made["id"])["id"]
    return state.keep(made)


def update_product(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only("name", "description", "active", "metadata", "default_price", "url")
    found = state.find("product", call.id)
    metadata, active = p.metadata(found["metadata"]), p.boolean("active")
    if priced := p.text("default_price"):
        found["default_price"] = state.find("price", priced, param="default_price")["id"]
    texts = {key: p.text(key) for key in ("name", "description", "url") if p.text(key)}
    found.update(texts, metadata=metadata, updated=state.now)
    if active is not None:
        found["active"] = active
    return found


def delete_product(state: StripeState, call: Call) -> Json:
    """Stripe lets only a product without prices go."""
    call.params.only()
    found = state.find("product", call.id)
    if any(one["product"] == found["id"] for one in state.every("price")):
        raise StripeProblem("This product cannot be deleted because it has one or more user-created prices.")
    del state.objects[found["id"]]
    return {"id": found["id"], "object": "product", "deleted": True}


def list_products(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only(*PAGE, "active", "created", "ids")
    active, ids = p.boolean("active"), p.texts("ids")
    found = [
        one
        for one in state.every("product")
        if active in (None, one["active"]) and (not ids or one["id"] in ids) and in_range(one["created"], p)
    ]
    return page(found, p, url="/v1/products")


def create_price(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only("currency", "unit_amount", "product", "product_data", "recurring", "metadata", "nickname")
    return _price(state, p, _product_of(state, p))


def list_prices(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only(*PAGE, "product", "active", "created")
    product, active = p.text("product"), p.boolean("active")
    found = [
        one
        for one in state.every("price")
        if product in (None, one["product"]) and active in (None, one["active"]) and in_range(one["created"], p)
    ]
    return page(found, p, url="/v1/prices")


def create_payment_link(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only("line_items", "metadata")
    wanted = lines(state, p, "payment")
    made = objects.payment_link(currency=wanted[0]["currency"], livemode=state.livemode, metadata=p.metadata())
    state.lines[made["id"]] = wanted
    return state.keep(made)


def list_payment_links(state: StripeState, call: Call) -> Json:
    call.params.only(*PAGE)
    return page(state.every("payment_link"), call.params, url="/v1/payment_links")


def lines(state: StripeState, p: Params, mode: str) -> list[Json]:
    """The line items that `line_items[]` asks for. Raises StripeProblem."""
    return [_line(state, item, mode) for item in _wanted_lines(p, mode)]


def made_product(state: StripeState, raw: Json) -> tuple[Json, Json]:
    """
    A product with its default price: `{"name", "metadata", "unit_amount", "currency"}`, all optional.

    Raises ValueError for another field.
    """
    if set(raw) - {"name", "metadata", "unit_amount", "currency"}:
        raise ValueError("a product has name, metadata, unit_amount and currency")
    metadata = {str(k): str(v) for k, v in raw.get("metadata", {}).items()}
    return sample(
        state,
        str(raw.get("name", "Field guide (PDF)")),
        metadata,
        amount=int(raw.get("unit_amount", 1_900)),
        currency=str(raw.get("currency", "usd")),
    )


def sample(
    state: StripeState, name: str, metadata: dict[str, str], *, amount: int = 1_900, currency: str = "usd"
) -> tuple[Json, Json]:
    """A product and its default price, made without an API call."""
    product = state.keep(objects.product(name, livemode=state.livemode, now=state.now, metadata=metadata))
    price = state.keep(
        objects.price(product["id"], amount=amount, currency=currency, livemode=state.livemode, now=state.now)
    )
    product["default_price"] = price["id"]
    return product, price


def sold(state: StripeState, product: Json, quantity: int, *, repeating: bool = False, free: bool = False) -> Json:
    """A line at the product's default price, or at one that is made when that does not fit."""
    price = _fitting_price(state, product, repeating=repeating)
    return objects.line(price, product["name"], quantity=quantity, free=free)


def _wanted_lines(p: Params, mode: str) -> list[Params]:
    items = p.objects("line_items")
    if mode == "setup":
        if items:
            raise StripeProblem("`line_items` is not allowed in `setup` mode.", param="line_items")
    elif not items:
        raise StripeProblem("You must provide `line_items`.", code="parameter_missing", param="line_items")
    if len(items) > _MOST_LINES:
        raise StripeProblem(f"You may have up to {_MOST_LINES} line items.", param="line_items")
    return items


def _line(state: StripeState, item: Params, mode: str) -> Json:
    item.only("price", "price_data", "quantity")
    inline, named = item.object("price_data"), item.text("price")
    if (inline is None) is (named is None):
        raise StripeProblem("Give either `price` or `price_data`.", param=item.name("price"))
    if inline:
        inline.only("currency", "unit_amount", "product", "product_data", "recurring")
        price = _price(state, inline, _product_of(state, inline))
    else:
        price = state.find("price", named or "", param=item.name("price"))
    if (price["type"] == "recurring") is not (mode == "subscription"):
        raise StripeProblem(f"A price of type {price['type']} does not fit mode {mode}.", param="line_items")
    quantity = item.integer("quantity", 0, low=1)
    if not quantity:
        raise StripeProblem("Quantity is required.", param=item.name("quantity"))
    product = state.objects[price["product"]]
    return objects.line(price, product["name"], quantity=quantity)


def _product_of(state: StripeState, p: Params) -> str:
    """The product that a price names, or that is made for it."""
    inline = p.object("product_data")
    if inline is None:
        return str(state.find("product", p.needed("product"), param=p.name("product"))["id"])
    inline.only("name", "description", "metadata", "active")
    made = objects.product(
        inline.needed("name"),
        livemode=state.livemode,
        now=state.now,
        description=inline.text("description"),
        metadata=inline.metadata(),
    )
    return str(state.keep(made)["id"])


def _price(state: StripeState, p: Params, product_id: str) -> Json:
    currency = p.needed("currency").lower()
    p.needed("unit_amount")
    fields: Json = {"metadata": p.metadata(), "nickname": p.text("nickname")}
    if repeats := p.object("recurring"):
        repeats.only("interval", "interval_count")
        interval = repeats.choice("interval", "day", "week", "month", "year") or "month"
        fields |= {"type": "recurring", "recurring": objects.recurring(interval)}
    if not re.fullmatch("[a-z]{3}", currency):
        raise StripeProblem(f"Invalid currency: {currency}", param=p.name("currency"))
    return state.keep(
        objects.price(
            product_id,
            amount=p.integer("unit_amount", 0),
            currency=currency,
            livemode=state.livemode,
            now=state.now,
            **fields,
        )
    )


def _fitting_price(state: StripeState, product: Json, *, repeating: bool) -> Json:
    price = state.objects.get(product["default_price"] or "")
    if price is None or (price["type"] == "recurring") is not repeating:
        repeats = {"type": "recurring", "recurring": objects.recurring()}
        price = state.keep(
            objects.price(
                product["id"],
                amount=price["unit_amount"] if price else 1_900,
                currency=price["currency"] if price else "usd",
                livemode=product["livemode"],
                now=state.now,
                **(repeats if repeating else {}),
            )
        )
    return price
