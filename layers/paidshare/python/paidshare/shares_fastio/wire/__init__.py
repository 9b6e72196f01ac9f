"""
Fast.io's API as bytes: what we send, and how what comes back is read. Pure, and the one place to correct.

Fast.io publishes no complete reference. Documented, or read in the vendor's own client: base URL, bearer token, form
bodies, the trailing slash, the envelope, HTTP 406 for refused fields, the fields of a share and of a node, `addfile` by
hash, 1 to 25 ids per details call with `{node}` for one and `{nodes, errors}` for more, page sizes, `x-ve-…` headers.

Guesses, each read tolerantly and each in the function named:

- `share`           the answer to a create is `{"share": {"id": …}}`
- `order_of`        `owner_defined` comes back as it was sent, as text or already parsed
- `instant`         times are UTC, with or without saying so
- `nodes`           a listing has `nodes` (a list, or an object with `items`)
- `next_cursor`     an unfinished listing says `pagination.has_more` and `next_cursor`
- `shares`          a list of shares has `shares`, each perhaps without its `owner_defined`
- `share`           a share may say `archived` like `locked`, `suspended` and `deleted`, which are documented
- `amendment`       a name that was dropped at the create can be given afterwards, as `custom_url`
- `node`            a trashed node says `trashed` or `deleted`, or has the parent `trash`
- `file_form`       any kind of hash that a node has may be named; only sha256 is ever shown
- `token`           a guest's token is called `auth_token`, as a user's is, or `token`, `access_token` or `jwt`
- `is_free`         the check of a name says `available`
- `says_full`       a plan without a share left is told by 412, or by 402, 403 or 406 whose text says so
- `node_faults`     a look-up of several nodes says `errors`, each with `node_id` and `code`
- `wait`            `x-ve-limit-expires` is an instant; a small number would be seconds from now

What nobody knows is in no function: whether a share says that it is archived, takes an update while it is, or may be
archived twice. There the adapter acts, and looks what came of it.
"""

from paidshare.shares_fastio.wire.answers import (
    has_more,
    is_free,
    next_cursor,
    node,
    nodes,
    order_of,
    payload,
    share,
    shares,
    token,
)
from paidshare.shares_fastio.wire.asking import (
    MOST_IDS,
    PAGE_SIZE,
    amendment,
    confirmation,
    expiry_form,
    file_form,
    opening,
    path,
    share_form,
)
from paidshare.shares_fastio.wire.loose import instant
from paidshare.shares_fastio.wire.refused import (
    KEY_OR_MEMBERSHIP,
    NODE_BUSY,
    NODE_LOST,
    PERHAPS_TAKEN,
    barrier,
    is_about_money,
    node_faults,
    problem,
    says_full,
    wait,
)

__all__ = [
    "KEY_OR_MEMBERSHIP",
    "MOST_IDS",
    "NODE_BUSY",
    "NODE_LOST",
    "PAGE_SIZE",
    "PERHAPS_TAKEN",
    "amendment",
    "barrier",
    "confirmation",
    "expiry_form",
    "file_form",
    "has_more",
    "instant",
    "is_about_money",
    "is_free",
    "next_cursor",
    "node",
    "node_faults",
    "nodes",
    "opening",
    "order_of",
    "path",
    "payload",
    "problem",
    "says_full",
    "share",
    "share_form",
    "shares",
    "token",
    "wait",
]
