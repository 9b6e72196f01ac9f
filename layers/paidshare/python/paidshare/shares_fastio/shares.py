"""Shares on Fast.io: one Send share per order, filled by hash, so that no file's bytes pass through us."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from ssl import SSLContext
from typing import Self

from paidshare import shares
from paidshare.errors import FileMissing, ShareRefused
from paidshare.orders import Goods, Share, ShareFile, ShareRequest
from paidshare.ports import Clock
from paidshare.shares_fastio import contents, events, files
from paidshare.shares_fastio.api import API_BASE, FastioApi, http_client
from paidshare.shares_fastio.filling import AtOnce, Each, fill, one_by_one, take_out, tidied, wanted_files
from paidshare.shares_fastio.listing import FastioShareListing
from paidshare.shares_fastio.making import found_by_id, found_by_name, made, seen
from paidshare.shares_fastio.opening import as_asked, change, end_due, let_in, opened_until
from paidshare.shares_fastio.proving import lets_in, prove
from paidshare.shares_fastio.refusals import check_id, check_usable
from paidshare.shares_fastio.values import RemoteShare

WEB_BASE = "https://go.fast.io"

_FILES_OF_AN_ORDER = 8
"""Fast.io publishes no limit of its rate; one that it has stops an order's files after these (docs/decisions/0047)."""
_ORDERS, _FILES = 10, 20
"""What is asked at once: a batch's orders, and two files of each."""

_NOT_CLOSED = (
    "The buyer can still open the share: archive it in Fast.io by hand. If the log has HTTP 401 or 403, let the "
    "account of fastio_api_key do so; then redrive."
)
_NOT_DELETED = (
    "Its buyer corrected the address, and the letter's old reader can still open the share: delete it in Fast.io by "
    "hand. If the log has HTTP 401 or 403, let the account of fastio_api_key do so. Then redrive."
)
_NOT_REOPENED = (
    "The buyer cannot open the share: unarchive it in Fast.io by hand. If the log has HTTP 401 or 403, let the "
    "account of fastio_api_key do so. Then redrive: that sets when it expires."
)


class FastioShares:
    """
    The port `Shares`. Safe to use from several threads at once. *share_limit* is how many shares the plan has, 0 where
    nobody says: it tells a refusal that means “the plan is full” from others.

    *api* is the caller's to close. *each* says how many files are put into a share at once.
    """

    def __init__(
        self, api: FastioApi, *, web_base: str = WEB_BASE, share_limit: int = 0, each: Each = one_by_one
    ) -> None:
        self._api = api
        self._web_base = web_base
        self._share_limit = share_limit
        self._each = each

    @classmethod
    def over_https(
        cls,
        *,
        api_key: Callable[[], str],
        clock: Clock,
        tls: SSLContext | None = None,
        api_base: str = API_BASE,
        web_base: str = WEB_BASE,
        share_limit: int = 0,
    ) -> Self:
        """For ten orders at once and eight files of each, with a client of its own for the life of the process."""
        threads = ThreadPoolExecutor(max_workers=_FILES, thread_name_prefix="file")
        client = http_client(tls=tls, connections=_ORDERS + _FILES)
        return cls(
            FastioApi.over_https(api_key=api_key, clock=clock, api_base=api_base, client=client),
            web_base=web_base,
            each=AtOnce(threads, most=_FILES_OF_AN_ORDER),
            share_limit=share_limit,
        )

    def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
        """See `ports.Shares`. Untroubled: one details call, one create, one call per file, two as a guest."""
        api = self._api.until(deadline)
        wanted = wanted_files(api, request.goods)
        remote, fresh = found_by_id(api, request), False
        if remote is None:
            remote, fresh = made(api, request, self._share_limit)
        if fresh:
            remote, missing = as_asked(api, remote, request), wanted
            ends_at = remote.expires_at or request.expires_at
        else:
            check_usable(remote)
            # What narrows comes first: whatever breaks in between, the link never opens what it should not.
            missing = tidied(api, remote, wanted)
            ends_at = opened_until(api, remote, end_due(remote, request))
            let_in(api, remote)
        fill(api, remote, wanted, missing, each=self._each)
        share = self._share(request, remote, ends_at, ((name, node.size) for name, node in wanted.items()))
        prove(api, share.id, share.name, {file.name: file.size for file in share.files})
        return share

    def files(self, goods: tuple[Goods, ...], *, deadline: datetime | None = None) -> tuple[ShareFile, ...]:
        """See `ports.Shares`. Untroubled: one details call, and one for each folder."""
        wanted = wanted_files(self._api.until(deadline), goods)
        return tuple(ShareFile(name, node.size) for name, node in wanted.items())

    def find(self, request: ShareRequest) -> Share | None:
        """See `ports.Shares`. Untroubled: a look-up, and a call per page of its files."""
        remote = found_by_id(self._api, request) or found_by_name(self._api, request, taken=False)
        if remote is None or "deleted" in remote.barred:
            return None
        check_usable(remote)
        nodes = files.listed(self._api, "share", remote.id, "root")
        there = ((node.name, node.size) for node in nodes if not node.gone)
        return self._share(request, remote, remote.expires_at or request.expires_at, there)

    def _share(
        self, request: ShareRequest, remote: RemoteShare, ends_at: datetime, held: Iterable[tuple[str, int | None]]
    ) -> Share:
        # One that was made when link_key was another has another name.
        own = remote.name is None or request.own_name in (remote.name, remote.url)
        name = request.own_name if own else remote.name or ""
        link = shares.link(self._web_base, name)
        return Share(remote.id, name, link, ends_at, tuple(ShareFile(*file) for file in held))

    @property
    def listing(self) -> FastioShareListing:
        """All shares of the same account."""
        return FastioShareListing(self._api)

    def close(self, share_id: str) -> None:
        """See `ports.Shares`. Untroubled: one call."""
        check_id(share_id)
        with _advising(_NOT_CLOSED):
            try:
                change(self._api, share_id, "archive")
            except (FileMissing, ShareRefused):
                # Perhaps it is archived or gone already: what Fast.io answers then is not documented.
                if not self._is_closed(seen(self._api, share_id)):
                    raise

    def withdraw(self, share_id: str) -> None:
        """See `ports.Shares`. One call."""
        check_id(share_id)
        with _advising(_NOT_DELETED):
            self.listing.delete(share_id)

    def was_opened(self, share_id: str) -> bool | None:
        """See `ports.Shares`. Two calls at most, while Fast.io's pages are not empty."""
        check_id(share_id)
        return events.was_opened(self._api, share_id)

    def reopen(self, share_id: str, *, until: datetime) -> datetime | None:
        """See `ports.Shares`. Untroubled: a look-up, one call, an update if it ends at another time, one as a guest."""
        check_id(share_id)
        remote = seen(self._api, share_id)
        if remote is None:
            return None
        check_usable(remote)
        with _advising(_NOT_REOPENED):
            ends_at = opened_until(self._api, remote, until)
        if remote.name is not None:
            prove(self._api, remote.id, remote.name, {})
        return ends_at

    def _is_closed(self, remote: RemoteShare | None) -> bool:
        """Whether nobody gets in any more; a guest is sent to look where the share does not say."""
        if remote is None or remote.archived is not None:
            return remote is None or remote.archived is True
        return remote.name is not None and not lets_in(self._api, remote.id, remote.name)

    def strip(
        self, share_id: str, *, gone: tuple[Goods, ...], kept: tuple[Goods, ...], deadline: datetime | None = None
    ) -> None:
        """See `ports.Shares`. Untroubled: a look-up per node, a list of its files, and a call per file that goes."""
        check_id(share_id)
        api = self._api.until(deadline)
        staying, all_that_stay = files.resolved(api, kept)
        leaving, all_that_leave = files.resolved(api, gone)
        if not all_that_stay and not all_that_leave:
            self.close(share_id)
            return
        listed = tuple(files.listed(api, "share", share_id, "root"))
        out = contents.to_take_out(listed, gone=leaving if all_that_leave else None, kept=staying)
        take_out(api, share_id, out)


@contextmanager
def _advising(advice: str) -> Iterator[None]:
    """A refusal is ShareRefused with *advice*, whatever it would be in a delivery."""
    try:
        yield
    except (FileMissing, ShareRefused) as exc:
        raise ShareRefused(str(exc), advice=advice) from exc
