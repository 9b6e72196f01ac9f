"""Fast.io: that the key is taken, and how many shares are in use."""

from operate.doctor.checks import Check, Found, Moot, care, good, wrong
from operate.doctor.goods import for_sale
from operate.goods.storage import share_listing, storage
from operate.stacks import Stack
from paidshare.errors import FastioUnavailable, PaidshareError
from paidshare.shares_fastio import FastioShareListing

_GROUP = "Fast.io"
_MOST_PAGES = 20
"""Two thousand shares: more than the largest plan has (docs.fast.io, plans)."""
_NEARLY = 90
"""Of a hundred, Starter's limit; of a thousand, Business's, a hundred are left then."""
_LIMITS = (100, 1_000)


def _shares(to: Stack) -> Found:
    if not to.secret.fastio_api_key:
        raise Moot
    try:
        return _counted(_used(share_listing(to)), _limit(to))
    except FastioUnavailable as error:
        if "key" not in str(error):
            raise
        return wrong(
            "Fast.io refuses the key", "Fast.io, Settings, API keys: make one, and put it in as fastio_api_key"
        )


def _used(listing: FastioShareListing) -> int:
    used = 0
    for _ in range(_MOST_PAGES):
        page = listing.page(used)
        used += page.size
        if not page.more:
            break
    return used


def _limit(to: Stack) -> int | None:
    """What Fast.io says of the plan of the first workspace that something is sold from."""
    try:
        found = for_sale(to)
    except (Moot, PaidshareError):
        # Stripe's checks say so.
        return None
    sold = [] if isinstance(found, Found) else [one.goods for one in found if one.goods]
    return storage(to).most_shares(sold[0].workspace) if sold else None


def _counted(used: int, plan: int | None) -> Found:
    """Where nobody says what the plan has, the smallest one that has room is meant."""
    limit = plan or next((one for one in _LIMITS if used <= one), _LIMITS[-1])
    if used * 100 >= limit * _NEARLY:
        return care(
            f"the key is taken; {used} shares are in use, and {'the' if plan else 'a'} plan has {limit}",
            "shorten the links' days, delete shares that nobody needs, or take a larger plan",
        )
    return good(f"the key is taken; {used} shares are in use" + (f" of the plan's {plan}" if plan else ""))


def _rights(to: Stack) -> Found:
    if not to.secret.fastio_api_key:
        raise Moot
    try:
        may_write = storage(to).may_write()
    except FastioUnavailable as error:
        if "key" in str(error):
            raise Moot from error
        raise
    if may_write is None:
        return good("Fast.io does not say what the key may do")
    if may_write:
        return good("the key may make shares")
    return wrong(
        "the key only reads: no share can be made", "make one that writes, too: paidshare secrets rotate fastio_api_key"
    )


CHECKS = (Check(_GROUP, "key and shares", _shares), Check(_GROUP, "key's rights", _rights))
