"""
Paid on Stripe, delivered from Fast.io.

The flow: `receiving` turns a verified webhook into a small notice on a queue; `delivering` takes the notice,
claims the order in the ledger, fetches the truth from Stripe, decides what the buyer should have and takes the
steps that are missing. An event only ever says “look at this order again”.

Pure          signatures  notices  orders  catalog  entitlement  progress  shares  letters  retries  errors  secret
              fastio_events  fastio_wire  fastio_refusals  fastio_contents  loose_json
Use cases     receiving  delivering
Ports         ports
Adapters      stripe_payments  fastio_shares (fastio_files, fastio_api)  ses_mailer  dynamo_ledger  sqs_intake
              sqs_messages  vault (aws_errors)
Environment   settings
"""
