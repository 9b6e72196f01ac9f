"""The calls of Stripe's API about invoices: what was billed, and how it was paid."""

from local.stripe.billing.invoices import subscription_of
from local.stripe.form import Call
from local.stripe.objects import Json
from local.stripe.state import PAGE, StripeState, in_range, page


def list_invoices(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only(*PAGE, "subscription", "customer", "status", "created")
    status = p.choice("status", "draft", "open", "paid", "uncollectible", "void")
    wanted = state.filters(p, call.account, subscription="subscription", customer="customer")
    found = [
        one
        for one in state.every("invoice", account=call.account)
        if wanted.get("subscription") in (None, (subscription_of(state, one) or {}).get("id"))
        and wanted.get("customer") in (None, one["customer"])
        and status in (None, one["status"])
        and in_range(one["created"], p)
    ]
    return page(found, p, url="/v1/invoices")


def list_credit_notes(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only(*PAGE, "invoice", "customer", "customer_account", "created")
    wanted = state.filters(p, call.account, invoice="invoice", customer="customer")
    found = [
        one
        for one in state.every("credit_note", account=call.account)
        if all(one[key] == value for key, value in wanted.items()) and in_range(one["created"], p)
    ]
    return page(found, p, url="/v1/credit_notes")


def update_invoice(state: StripeState, call: Call) -> Json:
    """Only the metadata, which a finalized invoice still takes (docs.stripe.com/api/invoices/update)."""
    call.params.only("metadata")
    found = state.find("invoice", call.id, account=call.account)
    found["metadata"] = call.params.metadata(found["metadata"])
    state.tell("invoice.updated", found)
    return found


def list_lines(state: StripeState, call: Call) -> Json:
    call.params.only(*PAGE)
    found = state.find("invoice", call.id, account=call.account)
    return state.lines_of(found["id"], call.params)


def list_payments(state: StripeState, call: Call) -> Json:
    p = call.params
    p.only(*PAGE, "invoice", "payment", "status", "created")
    status = p.choice("status", "open", "paid", "canceled")
    wanted = state.filters(p, call.account, invoice="invoice")
    intent_id = None
    if payment := p.object("payment"):
        payment.only("type", "payment_intent")
        payment.needed("type")
        payment.choice("type", "payment_intent")
        intent_id = payment.text("payment_intent")
        if intent_id:
            state.find("payment_intent", intent_id, param=payment.name("payment_intent"), account=call.account)
    found = [
        one
        for one in state.every("invoice_payment", account=call.account)
        if wanted.get("invoice") in (None, one["invoice"])
        and intent_id in (None, one["payment"]["payment_intent"])
        and status in (None, one["status"])
        and in_range(one["created"], p)
    ]
    return page(found, p, url="/v1/invoice_payments")
