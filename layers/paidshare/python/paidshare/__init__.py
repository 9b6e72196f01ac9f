"""
Paid on Stripe, delivered from Fast.io.

The flow: `receiving` turns a verified webhook into a small notice on a queue; `delivering` takes the notice, claims the
order in the ledger, fetches the truth from Stripe, decides what the buyer should have and takes the steps that are
missing. `feedback` hears what became of the letters; `sweeping` finds what no event told of. An event only ever says
“look at this order again”.

`aws`, `payments_stripe` and `shares_fastio` are the providers, each behind one door. What lies beside them here are the
values and rules that all share. docs/architecture.md draws it.
"""
