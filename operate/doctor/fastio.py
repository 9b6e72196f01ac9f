"""Fast.io: that the key is taken, and how many shares are in use."""

from itertools import islice

from operate.doctor.checks import Check, Found, Moot, care, good, wrong
from operate.doctor.goods import for_sale
from operate.goods.storage import share_listing, storage
from operate.stacks import Stack
from paidshare.errors import Barrier, FastioUnavailable, PaidshareError
from paidshare.shares_fastio import FastioShareListing
from paidshare.sweeping.room import pages

_GROUP = "Fast.io"
_MOST_PAGES = 20
"""Two thousand shares: more than the largest plan has (docs.fast.io, plans)."""
_NEARLY = 90
"""Of a hundred, Starter's limit; of a thousand, Business's, a hundred are left then."""
_LIMITS = (100, 1_000)
_WITH_RWA = "make one whose scopes have rwa: paidshare secrets rotate fastio_api_key"
_BARRED = {
    Barrier.KEY: (
        "Fast.io refuses the key",
        "Fast.io, Settings, API keys: make one, and put it in as fastio_api_key",
    ),
    Barrier.SCOPE: ("the key's scopes do not go so far as to list shares", _WITH_RWA),
    Barrier.POLICY: (
        "a policy of the organisation keeps the key out",
        "have the organisation's owner allow API keys, and addresses that change, in Fast.io's settings",
    ),
}


def _shares(to: Stack) -> Found:
    if not to.secret.fastio_api_key:
        raise Moot
    try:
        return _counted(_used(share_listing(to)), _limit(to))
    except FastioUnavailable as error:
        if error.barrier is None:
            raise
        return wrong(*_BARRED[error.barrier])


def _used(listing: FastioShareListing) -> int:
    """Archived ones, too: whether they count is not documented, and a shop that runs out of room loses a sale."""
    return sum(page.size for page in islice(pages(listing), _MOST_PAGES))


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
        rights = storage(to).rights()
    except FastioUnavailable as error:
        if error.barrier is not None:
            raise Moot from error
        raise
    if rights.writes is False:
        return wrong("the key only reads: no share can be made", _WITH_RWA)
    if rights.administers is False:
        return care("the key may not administer: it may not be able to close a share after a refund", _WITH_RWA)
    if rights.administers is None:
        return good("Fast.io does not say what the key may do")
    return good("the key may make shares, and close them")


CHECKS = (Check(_GROUP, "key and shares", _shares), Check(_GROUP, "key's rights", _rights))
