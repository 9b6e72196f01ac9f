"""Every purchase story: the tests play them, docs/stories.md shows them."""

from typing import Any

from paidshare.states import Kind, State, Why
from tests.stories.story import Ending, Product, Step, Story

PRODUCTS = {
    "guide": Product("Field guide", 1_900, files=("stories/guide",)),
    "atlas": Product("Atlas", 2_500, files=("stories/atlas",)),
    "course": Product(
        "Course", 4_900, files=("stories/workbook",), folder=("stories/lessons/one", "stories/lessons/two")
    ),
    "mug": Product("Mug", 1_200),
}

BUYING = "Buying"
LATER = "Payments that take days"
INVOICES = "Subscriptions and invoices"
REFUNDS = "Refunds"
DISPUTES = "Disputes and warnings"
OTHERS = "Other people's events"

GUIDE, ATLAS = ("guide",), ("atlas",)
BOTH = (*ATLAS, *GUIDE)
LINK, FAILED = Kind.DELIVERY, Kind.PAYMENT_FAILED
HOLD, OVER, BACK, CHANGED = Kind.ACCESS_ON_HOLD, Kind.ACCESS_ENDED, Kind.ACCESS_BACK, Kind.ACCESS_CHANGED
END_ON_PART = {"end_on_partial_refund": True}
KEEP_CANCELED = {"keep_canceled": True}
HOLD_ON_WARNING = {"hold_on_fraud_warning": True}
ACCOUNT = "acct_1Gallery"
KEPT_UNDER_INVOICE = Ending("session", State.ELSEWHERE)


def pay(*products: str, then: tuple[Kind, ...] = (LINK,), **fields: Any) -> Step:
    """A buyer ends a Checkout."""
    return Step("/_pay", fields={"products": products, **fields} if products else fields, letters=then)


def subscribe(*products: str, then: tuple[Kind, ...] = (LINK,), **fields: Any) -> Step:
    return pay(*products, then=then, mode="subscription", **fields)


def act(route: str, *of: str, then: tuple[Kind, ...] = (), **fields: Any) -> Step:
    """Something happens to what *of* names."""
    return Step(f"/_{route}", of, fields, then)


def open_(files: tuple[str, ...], of: str = "session", why: Why | None = None) -> Ending:
    return Ending(of, State.DELIVERED, why, files)


def held(why: Why, of: str = "session") -> Ending:
    return Ending(of, State.ACCESS_ON_HOLD, why)


def over(why: Why, of: str = "session") -> Ending:
    return Ending(of, State.ACCESS_ENDED, why)


EVERY = (
    # --- Buying -------------------------------------------------------------------------------------------
    Story("card", BUYING, "Somebody pays by card.", (pay("guide"),), (open_(GUIDE),)),
    Story(
        "several-products",
        BUYING,
        "Several products in one cart, three of each. One link opens them all.",
        (pay("guide", "atlas", quantity=3),),
        (open_(BOTH),),
    ),
    Story(
        "mixed-cart",
        BUYING,
        "A mug is in the cart as well. We see to the files, and leave the mug to you.",
        (pay("mug", "guide"),),
        (open_(GUIDE),),
    ),
    Story(
        "bundle",
        BUYING,
        "One product that is a file and a folder: every file of the folder comes along.",
        (pay("course"),),
        (open_(("one", "two", "workbook")),),
    ),
    Story(
        "payment-link",
        BUYING,
        "Somebody pays through a Payment Link.",
        (pay("guide", payment_link=True),),
        (open_(GUIDE),),
    ),
    Story(
        "coupon",
        BUYING,
        "A coupon takes off the whole price, so Stripe asks for no payment.",
        (pay("guide", payment_status="no_payment_required"),),
        (open_(GUIDE),),
    ),
    Story(
        "discount",
        BUYING,
        "A coupon takes off a part of the price.",
        (pay("guide", "atlas", discount=1_000),),
        (open_(BOTH),),
    ),
    Story(
        "receipt",
        BUYING,
        "Checkout writes an invoice for a single payment. That is one purchase: one link, one letter.",
        (pay("guide", invoice_creation=True),),
        (open_(GUIDE), Ending("invoice", State.ELSEWHERE)),
    ),
    Story(
        "setup",
        BUYING,
        "A card is only saved for later, and nothing is bought.",
        (pay(mode="setup", then=()),),
        (Ending("session", State.NOT_OURS, Why.NO_LINE_OF_OURS),),
    ),
    Story(
        "nothing-of-ours",
        BUYING,
        "Only a mug is bought.",
        (pay("mug", then=()),),
        (Ending("session", State.NOT_OURS, Why.NO_LINE_OF_OURS),),
    ),
    # --- Payments that take days --------------------------------------------------------------------------
    Story(
        "late-settled",
        LATER,
        "Somebody pays by bank debit. The link goes out when the money has come, days later.",
        (pay("guide", late=True, then=()), act("settle", "session", then=(LINK,))),
        (open_(GUIDE),),
    ),
    Story(
        "late-pending",
        LATER,
        "Somebody pays by bank debit, and the bank is still at work.",
        (pay("guide", late=True, then=()),),
        (Ending("session", State.WAITING, Why.NOT_PAID),),
    ),
    Story(
        "late-failed",
        LATER,
        "Somebody pays by bank debit, and the bank refuses.",
        (pay("guide", late=True, then=()), act("fail", "session", then=(FAILED,))),
        (Ending("session", State.WAITING, Why.PAYMENT_FAILED),),
    ),
    Story(
        "late-receipt",
        LATER,
        "The money comes days later, and only then does Checkout write its invoice.",
        (pay("guide", late=True, invoice_creation=True, then=()), act("settle", "session", then=(LINK,))),
        (open_(GUIDE), Ending("invoice", State.ELSEWHERE)),
    ),
    Story(
        "late-subscription",
        LATER,
        "A subscription is paid by bank debit, and its first payment comes days later.",
        (subscribe("guide", late=True, then=()), act("settle", "session", then=(LINK,))),
        (KEPT_UNDER_INVOICE, open_(GUIDE, "invoice")),
    ),
    # --- Subscriptions and invoices -----------------------------------------------------------------------
    Story(
        "subscription",
        INVOICES,
        "Somebody subscribes. The link works until the period ends, and the days of grace after it.",
        (subscribe("guide"),),
        (KEPT_UNDER_INVOICE, open_(GUIDE, "invoice")),
    ),
    Story(
        "trial",
        INVOICES,
        "A subscription begins with a free trial. The link works until the trial ends, and the days of grace after it.",
        (subscribe("guide", trial_days=14),),
        (KEPT_UNDER_INVOICE, open_(GUIDE, "invoice")),
    ),
    Story(
        "trial-paid",
        INVOICES,
        "The free trial is over, and the first period is paid.",
        (subscribe("guide", trial_days=14), act("renew", "subscription", then=(LINK,))),
        (KEPT_UNDER_INVOICE, open_(GUIDE, "invoice"), open_(GUIDE, "second invoice")),
    ),
    Story(
        "renewal",
        INVOICES,
        "A subscription is renewed. Each period has a link of its own.",
        (subscribe("guide"), act("renew", "subscription", then=(LINK,))),
        (KEPT_UNDER_INVOICE, open_(GUIDE, "invoice"), open_(GUIDE, "second invoice")),
    ),
    Story(
        "renewal-past-due",
        INVOICES,
        "A renewal is not paid, and Stripe goes on trying. The period that was paid for is not touched.",
        (subscribe("guide"), act("renew", "subscription", paid=False)),
        (
            KEPT_UNDER_INVOICE,
            open_(GUIDE, "invoice"),
            Ending("second invoice", State.WAITING, Why.NOT_PAID),
        ),
    ),
    Story(
        "renewal-unpaid",
        INVOICES,
        "A renewal is not paid, and Stripe gives up: the subscription is unpaid.",
        (
            subscribe("guide"),
            act("renew", "subscription", paid=False),
            act("subscription", "subscription", status="unpaid", then=(HOLD,)),
        ),
        (
            KEPT_UNDER_INVOICE,
            held(Why.SUBSCRIPTION_UNPAID, "invoice"),
            Ending("second invoice", State.WAITING, Why.NOT_PAID),
        ),
    ),
    Story(
        "renewal-paid-after-all",
        INVOICES,
        "A renewal is not paid, the subscription is unpaid, and then the buyer pays after all.",
        (
            subscribe("guide"),
            act("renew", "subscription", paid=False),
            act("subscription", "subscription", status="unpaid", then=(HOLD,)),
            act("pay_invoice", "invoice", then=(BACK, LINK)),
        ),
        (KEPT_UNDER_INVOICE, open_(GUIDE, "invoice"), open_(GUIDE, "second invoice")),
    ),
    Story(
        "renewal-never-paid",
        INVOICES,
        "A renewal is not paid, the subscription is unpaid, and in the end canceled.",
        (
            subscribe("guide"),
            act("renew", "subscription", paid=False),
            act("subscription", "subscription", status="unpaid", then=(HOLD,)),
            act("cancel", "subscription", then=(OVER,)),
        ),
        (
            KEPT_UNDER_INVOICE,
            over(Why.SUBSCRIPTION_CANCELED, "invoice"),
            Ending("second invoice", State.WAITING, Why.NOT_PAID),
        ),
    ),
    Story(
        "canceled",
        INVOICES,
        "A subscription is canceled at once.",
        (subscribe("guide"), act("cancel", "subscription", then=(OVER,))),
        (KEPT_UNDER_INVOICE, over(Why.SUBSCRIPTION_CANCELED, "invoice")),
    ),
    Story(
        "canceled-at-period-end",
        INVOICES,
        "A subscription is canceled, and ends with the period that was paid for.",
        (subscribe("guide"), act("cancel", "subscription", at_period_end=True)),
        (KEPT_UNDER_INVOICE, open_(GUIDE, "invoice")),
    ),
    Story(
        "plan-changed",
        INVOICES,
        "The plan is changed within a period, and Stripe bills it with the next one, as it does by default. "
        "What is new is there at once; what was paid for stays until its period ends.",
        (subscribe("guide"), act("plan", "subscription", product="atlas", then=(CHANGED,))),
        (KEPT_UNDER_INVOICE, open_(BOTH, "invoice")),
    ),
    Story(
        "invoice-credited",
        INVOICES,
        "An invoice is credited in full to the customer's balance.",
        (
            Step("/_invoice", fields={"products": ("guide",)}, letters=(LINK,)),
            act("credit_note", "invoice", then=(OVER,)),
        ),
        (over(Why.REFUNDED, "invoice"),),
    ),
    Story(
        "invoice-line-credited",
        INVOICES,
        "Of an invoice the guide is credited, and goes back to the card.",
        (
            Step("/_invoice", fields={"products": ("guide", "atlas")}, letters=(LINK,)),
            act("credit_note", "invoice", to_card=True, then=(CHANGED,)),
        ),
        (open_(ATLAS, "invoice", Why.PARTLY_REFUNDED),),
        policy=END_ON_PART,
    ),
    Story(
        "canceled-and-kept",
        INVOICES,
        "A subscription is canceled at once, and keeps the time that was paid for.",
        (subscribe("guide"), act("cancel", "subscription")),
        (KEPT_UNDER_INVOICE, open_(GUIDE, "invoice")),
        policy=KEEP_CANCELED,
    ),
    Story(
        "renewal-paid-after-the-cancellation",
        INVOICES,
        "A renewal is not paid, the subscription is canceled, and then the buyer pays after all. Paid is paid.",
        (
            subscribe("guide"),
            act("renew", "subscription", paid=False),
            act("cancel", "subscription", then=(OVER,)),
            act("pay_invoice", "invoice", then=(LINK,)),
        ),
        (
            KEPT_UNDER_INVOICE,
            over(Why.SUBSCRIPTION_CANCELED, "invoice"),
            open_(GUIDE, "second invoice"),
        ),
    ),
    Story(
        "canceled-with-something-bought-once",
        INVOICES,
        "An atlas is bought together with a subscription, which is then canceled. The atlas was bought for good.",
        (
            subscribe("guide", once_products=("atlas",)),
            act("cancel", "subscription", then=(CHANGED,)),
        ),
        (KEPT_UNDER_INVOICE, open_(ATLAS, "invoice", Why.SUBSCRIPTION_CANCELED)),
    ),
    Story(
        "paused",
        INVOICES,
        "A subscription is paused.",
        (subscribe("guide"), act("subscription", "subscription", status="paused", then=(HOLD,))),
        (KEPT_UNDER_INVOICE, held(Why.SUBSCRIPTION_PAUSED, "invoice")),
    ),
    Story(
        "resumed",
        INVOICES,
        "A subscription is paused, and goes on later.",
        (
            subscribe("guide"),
            act("subscription", "subscription", status="paused", then=(HOLD,)),
            act("subscription", "subscription", status="active", then=(BACK,)),
        ),
        (KEPT_UNDER_INVOICE, open_(GUIDE, "invoice")),
    ),
    Story(
        "collection-paused",
        INVOICES,
        "You stop collecting the payments of a subscription for a while. The buyer keeps what was paid for.",
        (subscribe("guide"), act("subscription", "subscription", pause_collection="void")),
        (KEPT_UNDER_INVOICE, open_(GUIDE, "invoice")),
    ),
    Story(
        "invoice",
        INVOICES,
        "You write an invoice by hand, and it is paid.",
        (act("invoice", products=("guide",), then=(LINK,)),),
        (open_(GUIDE, "invoice"),),
    ),
    Story(
        "invoice-out-of-band",
        INVOICES,
        "You mark an invoice as paid, because the money came another way.",
        (act("invoice", products=("guide",), paid_out_of_band=True, then=(LINK,)),),
        (open_(GUIDE, "invoice"),),
    ),
    Story(
        "subscription-refunded",
        INVOICES,
        "A renewal is refunded. The first period stands.",
        (
            subscribe("guide"),
            act("renew", "subscription", then=(LINK,)),
            act("refund", "invoice", then=(OVER,)),
        ),
        (KEPT_UNDER_INVOICE, open_(GUIDE, "invoice"), over(Why.REFUNDED, "second invoice")),
    ),
    # --- Refunds ------------------------------------------------------------------------------------------
    Story(
        "refunded",
        REFUNDS,
        "All of the payment is refunded.",
        (pay("guide"), act("refund", "session", then=(OVER,))),
        (over(Why.REFUNDED),),
    ),
    Story(
        "refunded-in-two",
        REFUNDS,
        "All of the payment is refunded, in two pieces. Access ends with the second.",
        (pay("guide"), act("refund", "session", amount=900), act("refund", "session", then=(OVER,))),
        (over(Why.REFUNDED),),
    ),
    Story(
        "refunded-in-part",
        REFUNDS,
        "A part is refunded, as much as the guide cost.",
        (pay("guide", "atlas"), act("refund", "session", amount=1_900)),
        (open_(BOTH),),
    ),
    Story(
        "refunded-line",
        REFUNDS,
        "A part is refunded, as much as the guide cost. Access to the guide ends.",
        (pay("guide", "atlas"), act("refund", "session", amount=1_900, then=(CHANGED,))),
        (open_(ATLAS, why=Why.PARTLY_REFUNDED),),
        policy=END_ON_PART,
    ),
    Story(
        "refunded-less-than-a-line",
        REFUNDS,
        "A part is refunded that covers nothing in the cart, as a rebate does.",
        (pay("guide", "atlas"), act("refund", "session", amount=500)),
        (open_(BOTH),),
        policy=END_ON_PART,
    ),
    Story(
        "refunded-line-by-line",
        REFUNDS,
        "First the guide is refunded, then the atlas.",
        (
            pay("guide", "atlas"),
            act("refund", "session", amount=1_900, then=(CHANGED,)),
            act("refund", "session", amount=2_500, then=(OVER,)),
        ),
        (over(Why.REFUNDED),),
        policy=END_ON_PART,
    ),
    Story(
        "refunded-line-failed",
        REFUNDS,
        "The guide is refunded, and the refund fails later. The guide comes back.",
        (
            pay("guide", "atlas"),
            act("refund", "session", amount=1_900, then=(CHANGED,)),
            act("refund_update", "refund", status="failed", then=(CHANGED,)),
        ),
        (open_(BOTH),),
        policy=END_ON_PART,
    ),
    Story(
        "refund-failed",
        REFUNDS,
        "All of the payment is refunded, and the refund fails later: the money is back with you.",
        (
            pay("guide"),
            act("refund", "session", then=(OVER,)),
            act("refund_update", "refund", status="failed", then=(BACK,)),
        ),
        (open_(GUIDE),),
    ),
    Story(
        "refunded-but-a-fee",
        REFUNDS,
        "All but Stripe's fee is refunded.",
        (pay("guide"), act("refund", "session", amount=1_815, then=(OVER,))),
        (over(Why.REFUNDED),),
        policy=END_ON_PART,
    ),
    Story(
        "refund-canceled",
        REFUNDS,
        "A refund waits for the buyer's bank details, and is canceled.",
        (
            pay("guide"),
            act("refund", "session", status="requires_action", then=(OVER,)),
            act("refund_update", "refund", status="canceled", then=(BACK,)),
        ),
        (open_(GUIDE),),
    ),
    Story(
        "subscription-line-refunded",
        REFUNDS,
        "Of a subscription and an atlas that was bought with it, the atlas is refunded.",
        (
            subscribe("guide", once_products=("atlas",)),
            act("refund", "invoice", amount=2_500, then=(CHANGED,)),
        ),
        (KEPT_UNDER_INVOICE, open_(GUIDE, "invoice", Why.PARTLY_REFUNDED)),
        policy=END_ON_PART,
    ),
    Story(
        "receipt-refunded",
        REFUNDS,
        "A single payment that Checkout wrote an invoice for is refunded.",
        (pay("guide", invoice_creation=True), act("refund", "invoice", then=(OVER,))),
        (over(Why.REFUNDED), Ending("invoice", State.ELSEWHERE)),
    ),
    # --- Disputes and warnings ----------------------------------------------------------------------------
    Story(
        "inquiry",
        DISPUTES,
        "The buyer's bank asks a question about the payment, and closes the matter.",
        (
            pay("guide"),
            act("dispute", "session", status="warning_needs_response"),
            act("dispute_update", "dispute", status="warning_closed"),
        ),
        (open_(GUIDE),),
    ),
    Story(
        "inquiry-becomes-a-dispute",
        DISPUTES,
        "The buyer's bank asks a question, and then takes the money back.",
        (
            pay("guide"),
            act("dispute", "session", status="warning_needs_response"),
            act("dispute_update", "dispute", status="needs_response", then=(HOLD,)),
        ),
        (held(Why.DISPUTED),),
    ),
    Story(
        "inquiry-refunded",
        DISPUTES,
        "The buyer's bank asks a question, and you answer with a refund.",
        (
            pay("guide"),
            act("dispute", "session", status="warning_needs_response"),
            act("refund", "session", then=(OVER,)),
            act("dispute_update", "dispute", status="warning_closed"),
        ),
        (over(Why.REFUNDED),),
    ),
    Story(
        "dispute",
        DISPUTES,
        "The payment is disputed, and the bank is looking into it.",
        (pay("guide"), act("dispute", "session", then=(HOLD,))),
        (held(Why.DISPUTED),),
    ),
    Story(
        "dispute-won",
        DISPUTES,
        "The payment is disputed, and you win. The buyer gets back the time that was left.",
        (
            pay("guide"),
            act("dispute", "session", then=(HOLD,)),
            act("dispute_update", "dispute", status="under_review"),
            act("dispute_update", "dispute", status="won", then=(BACK,)),
        ),
        (open_(GUIDE),),
    ),
    Story(
        "dispute-withdrawn",
        DISPUTES,
        "The payment is disputed, and the buyer takes the dispute back. Stripe calls that won, too.",
        (
            pay("guide"),
            act("dispute", "session", then=(HOLD,)),
            act("dispute_update", "dispute", status="won", then=(BACK,)),
        ),
        (open_(GUIDE),),
    ),
    Story(
        "dispute-lost",
        DISPUTES,
        "The payment is disputed, and you lose.",
        (
            pay("guide"),
            act("dispute", "session", then=(HOLD,)),
            act("dispute_update", "dispute", status="lost", then=(OVER,)),
        ),
        (over(Why.DISPUTE_LOST),),
    ),
    Story(
        "refunded-and-disputed",
        DISPUTES,
        "All of the payment is refunded, and then disputed as well. Winning the dispute undoes no refund.",
        (
            pay("guide"),
            act("refund", "session", then=(OVER,)),
            act("dispute", "session"),
            act("dispute_update", "dispute", status="won"),
        ),
        (over(Why.REFUNDED),),
    ),
    Story(
        "dispute-won-then-refunded",
        DISPUTES,
        "You win a dispute, and refund the payment all the same.",
        (
            pay("guide"),
            act("dispute", "session", then=(HOLD,)),
            act("dispute_update", "dispute", status="won", then=(BACK,)),
            act("refund", "session", then=(OVER,)),
        ),
        (over(Why.REFUNDED),),
    ),
    Story(
        "dispute-won-after-a-refund-failed",
        DISPUTES,
        "The guide is refunded, the payment is disputed, the refund fails, and you win: both files come back.",
        (
            pay("guide", "atlas"),
            act("refund", "session", amount=1_900, then=(CHANGED,)),
            act("dispute", "session", then=(HOLD,)),
            act("refund_update", "refund", status="failed"),
            act("dispute_update", "dispute", status="won", then=(BACK,)),
        ),
        (open_(BOTH),),
        policy=END_ON_PART,
    ),
    Story(
        "renewal-disputed",
        DISPUTES,
        "The payment of a renewal is disputed. The period before it is not touched.",
        (
            subscribe("guide"),
            act("renew", "subscription", then=(LINK,)),
            act("dispute", "invoice", then=(HOLD,)),
        ),
        (KEPT_UNDER_INVOICE, open_(GUIDE, "invoice"), held(Why.DISPUTED, "second invoice")),
    ),
    Story(
        "warning-ignored",
        DISPUTES,
        "The card's issuer warns of fraud, and nothing comes of it.",
        (pay("guide"), act("warn", "session")),
        (open_(GUIDE),),
    ),
    Story(
        "warning",
        DISPUTES,
        "The card's issuer warns of fraud. Access waits until the warning is settled.",
        (pay("guide"), act("warn", "session", then=(HOLD,))),
        (held(Why.FRAUD_WARNING),),
        policy=HOLD_ON_WARNING,
    ),
    Story(
        "warning-then-safe",
        DISPUTES,
        "The card's issuer warns of fraud, and you mark the payment as safe in Stripe.",
        (
            pay("guide"),
            act("warn", "session", then=(HOLD,)),
            Step("/v1/charges/{charge}", fields={"fraud_details[user_report]": "safe"}, letters=(BACK,)),
        ),
        (open_(GUIDE),),
        policy=HOLD_ON_WARNING,
    ),
    Story(
        "warning-then-dispute-won",
        DISPUTES,
        "The card's issuer warns of fraud, the payment is disputed, and you win.",
        (
            pay("guide"),
            act("warn", "session", then=(HOLD,)),
            act("dispute", "session"),
            act("dispute_update", "dispute", status="won", then=(BACK,)),
        ),
        (open_(GUIDE),),
        policy=HOLD_ON_WARNING,
    ),
    Story(
        "warning-then-refund",
        DISPUTES,
        "The card's issuer warns of fraud, and you refund the payment.",
        (pay("guide"), act("warn", "session", then=(HOLD,)), act("refund", "session", then=(OVER,))),
        (over(Why.REFUNDED),),
        policy=HOLD_ON_WARNING,
    ),
    # --- Other people's events ----------------------------------------------------------------------------
    Story(
        "connected-parked",
        OTHERS,
        "A connected account sells something.",
        (pay("guide", account=ACCOUNT, then=()),),
        (Ending("session", State.NEW),),
        person="account_unexpected",
    ),
    Story(
        "connected-allowed",
        OTHERS,
        "A connected account sells something, and you deliver for it.",
        (pay("guide", account=ACCOUNT),),
        (open_(GUIDE),),
        connected_accounts=True,
    ),
    Story(
        "connected-subscription",
        OTHERS,
        "A connected account sells a subscription, which is renewed and then canceled.",
        (
            subscribe("guide", account=ACCOUNT),
            act("renew", "subscription", then=(LINK,)),
            act("cancel", "subscription", then=(OVER, OVER)),
        ),
        (
            KEPT_UNDER_INVOICE,
            over(Why.SUBSCRIPTION_CANCELED, "invoice"),
            over(Why.SUBSCRIPTION_CANCELED, "second invoice"),
        ),
        connected_accounts=True,
    ),
    Story(
        "connected-refunded",
        OTHERS,
        "A connected account's sale that you delivered is refunded.",
        (pay("guide", account=ACCOUNT), act("refund", "session", then=(OVER,))),
        (over(Why.REFUNDED),),
        connected_accounts=True,
    ),
    Story(
        "other-mode",
        OTHERS,
        "A live payment is reported to a stage for tests, or the other way round.",
        (pay("guide", livemode=True, then=()),),
        (Ending("session", State.NEW),),
    ),
)
