"""The calls with which an invoice is written, finalized and paid through the API, item by item."""

from local.stripe import objects
from local.stripe.billing import invoices
from local.stripe.form import Call, StripeProblem
from local.stripe.objects import Json
from local.stripe.state import PAGE, StripeState, page

_TEST_CARD = "pm_card_visa"  # docs.stripe.com/testing


def list_customers(state: StripeState, call: Call) -> Json:
    """Customers are only names mostly: those that invoices were billed to, with the address that these have."""
    p = call.params
    p.only(*PAGE, "email", "created")
    email = p.text("email")
    billed = {
        one["customer"]: one["customer_email"]
        for one in state.every("invoice", account=call.account)
        if one["customer"]
    }
    found = [
        {"id": customer, "object": "customer", "email": its, "livemode": state.livemode, "created": state.now}
        for customer, its in billed.items()
        if email in (None, its)
    ]
    return page(found, p, url="/v1/customers")


def create_customer(state: StripeState, call: Call) -> Json:
    """With Stripe's test card, or with none."""
    p = call.params
    p.only("email", "name", "description", "payment_method", "invoice_settings", "metadata")
    card = p.choice("payment_method", _TEST_CARD)
    if settings := p.object("invoice_settings"):
        settings.only("default_payment_method")
        if settings.text("default_payment_method") != card:
            raise StripeProblem("The customer does not have that payment method.", param="invoice_settings")
    made = {
        "id": objects.new_id("cus", 14),
        "object": "customer",
        "created": state.now,
        "email": p.text("email"),
        "invoice_settings": {"default_payment_method": objects.new_id("pm") if card else None},
        "livemode": state.livemode,
        "metadata": p.metadata(),
        "name": p.text("name"),
    }
    return state.keep(made, account=call.account)


def create_invoice(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only("customer", "auto_advance", "collection_method", "currency", "description", "metadata")
    p.choice("collection_method", "charge_automatically")
    p.boolean("auto_advance")
    customer = state.find("customer", p.needed("customer"), param="customer", account=call.account)
    of = {
        "customer": customer["id"],
        "customer_details": {"email": customer["email"]},
        "currency": (p.text("currency") or "usd").lower(),
        "livemode": state.livemode,
    }
    made = invoices.written(state, [], of=of, reason="manual", account=call.account)
    return made | _kept(made, status="draft", metadata=p.metadata())


def create_item(state: StripeState, call: Call) -> Json:
    """Of a product, for a price of its own."""
    p = call.params
    p.only("customer", "invoice", "price_data", "quantity", "description")
    invoice = _in(state, call, p.needed("invoice"), "draft", param="invoice")
    if p.needed("customer") != invoice["customer"]:
        raise StripeProblem("The invoice is of another customer.", param="invoice")
    priced = p.object("price_data")
    if priced is None:
        raise StripeProblem("Missing required param: price_data.", code="parameter_missing", param="price_data")
    priced.only("currency", "product", "unit_amount")
    product = state.find("product", priced.needed("product"), param="price_data[product]")
    if priced.needed("currency").lower() != invoice["currency"]:
        raise StripeProblem("The currency is not the invoice's.", param="price_data[currency]")
    price = objects.price(
        product["id"],
        amount=priced.integer("unit_amount", 0),
        currency=invoice["currency"],
        livemode=state.livemode,
        now=state.now,
    )
    item = objects.line(state.keep(price), product["name"], quantity=p.integer("quantity", 1, low=1))
    invoices.added(state, invoice, item)
    return {"id": objects.new_id("ii"), "object": "invoiceitem", "invoice": invoice["id"], "livemode": state.livemode}


def finalize(state: StripeState, call: Call) -> Json:
    call.params.only("auto_advance")
    invoice = _in(state, call, call.id, "draft")
    invoice["status"] = "open"
    return invoice


def pay(state: StripeState, call: Call) -> Json:
    """With the customer's own card."""
    call.params.only()
    invoice = _in(state, call, call.id, "open")
    customer = state.find("customer", invoice["customer"], account=call.account)
    if invoice["total"] and not customer["invoice_settings"]["default_payment_method"]:
        raise StripeProblem("There is no `default_payment_method` set on this Customer or Invoice.")
    invoices.charged(state, invoice, "succeeded")
    state.tell("invoice.paid", invoice)
    return invoice


def _in(state: StripeState, call: Call, wanted: str, status: str, *, param: str | None = None) -> Json:
    found = state.find("invoice", wanted, param=param, account=call.account)
    if found["status"] != status:
        raise StripeProblem(f"This invoice is {found['status']}, and has to be {status}.", code="invoice_not_editable")
    return found


def _kept(invoice: Json, **fields: object) -> Json:
    invoice.update(fields)
    return invoice
