"""Shares on Fast.io: one Send share per order, filled by hash, so that no file's bytes pass through us."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from ssl import SSLContext
from typing import Any, Self

import httpx

from paidshare import shares
from paidshare.errors import FileMissing, ShareRefused
from paidshare.orders import Goods, Share, ShareFile, ShareRequest
from paidshare.ports import Clock
from paidshare.shares_fastio import contents, events, files, wire
from paidshare.shares_fastio.api import API_BASE, FastioApi, http_client
from paidshare.shares_fastio.at_once import AtOnce, Each, one_by_one
from paidshare.shares_fastio.filling import fill, take_out, tidied, wanted_files
from paidshare.shares_fastio.listing import FastioShareListing
from paidshare.shares_fastio.making import found_by_id, found_by_name, made, seen
from paidshare.shares_fastio.refusals import check_id, check_usable
from paidshare.shares_fastio.values import RemoteShare
from paidshare.shares_fastio.wire import path

WEB_BASE = "https://go.fast.io"

_FILES_OF_AN_ORDER = 8
"""Fast.io publishes no limit of its rate; one that it has stops an order's files after these (docs/decisions/0047)."""
_ORDERS, _FILES = 10, 20
"""What is asked at once: a batch's orders, and two files of each."""

_HARDLY_WAITED = timedelta(minutes=1)
"""What an end may differ by and is still the same: from the request to Fast.io's answer."""

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

    *api_key* is called for every request, so that a rotated key is used at once. *client* is the caller's to
    close. *each* says how many files are put into a share at once.
    """

    def __init__(
        self,
        *,
        client: httpx.Client,
        api_key: Callable[[], str],
        clock: Clock,
        api_base: str = API_BASE,
        web_base: str = WEB_BASE,
        share_limit: int = 0,
        each: Each = one_by_one,
    ) -> None:
        self._api = FastioApi(client=client, api_key=api_key, api_base=api_base, clock=clock)
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
        return cls(
            client=http_client(tls=tls, connections=_ORDERS + _FILES),
            api_key=api_key,
            clock=clock,
            api_base=api_base,
            web_base=web_base,
            each=AtOnce(threads, most=_FILES_OF_AN_ORDER),
            share_limit=share_limit,
        )

    def open(self, request: ShareRequest, *, deadline: datetime | None = None) -> Share:
        """See `ports.Shares`. Untroubled: one details call, one create, one call per file."""
        api = self._api.until(deadline)
        wanted = wanted_files(api, request.goods)
        remote, fresh = found_by_id(api, request), False
        if remote is None:
            remote, fresh = made(api, request, self._share_limit)
        missing, ends_at = wanted, remote.expires_at or request.expires_at
        if not fresh:
            check_usable(remote)
            # What narrows comes first: whatever breaks in between, the link never opens what it should not.
            missing = tidied(api, remote, wanted)
            ends_at = _ended(api, remote, request)
            _unarchive(api, remote)
        fill(api, remote, wanted, missing, each=self._each)
        return self._share(request, remote, ends_at, ((name, node.size) for name, node in wanted.items()))

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
        name = remote.name or request.own_name
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
                _change(self._api, share_id, "archive")
            except (FileMissing, ShareRefused):
                # Perhaps it is archived or gone already: what Fast.io answers then is not documented.
                remote = seen(self._api, share_id)
                if remote is not None and not remote.archived:
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
        """See `ports.Shares`. Untroubled: a look-up, an update if it ends at another time, one call."""
        check_id(share_id)
        remote = seen(self._api, share_id)
        if remote is None:
            return None
        check_usable(remote)
        with _advising(_NOT_REOPENED):
            # The end first: whatever breaks between the two, the share is closed, and the next run opens it. The
            # other way round it could stay open for longer than is due.
            ends_at = _end_set(self._api, remote, until)
            _unarchive(self._api, remote)
        return ends_at

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


# --- The share ------------------------------------------------------------------------------------------


def _ended(api: FastioApi, remote: RemoteShare, request: ShareRequest) -> datetime:
    """
    When the share ends, as Fast.io says: the days count from the letter, and a letter may be late. What a person
    prolonged is not cut short again.
    """
    ends_at, last = remote.expires_at, request.last_end
    if ends_at is not None and last is not None and ends_at > max(request.expires_at, last + _HARDLY_WAITED):
        return ends_at
    return _end_set(api, remote, request.expires_at)


def _end_set(api: FastioApi, remote: RemoteShare, until: datetime) -> datetime:
    """The share's end, set to *until* if it is another; a plan may allow less, and then Fast.io's word counts."""
    if remote.expires_at is not None and abs(remote.expires_at - until) <= _HARDLY_WAITED:
        return remote.expires_at
    answered = wire.share(_change(api, remote.id, "update", wire.expiry_form(until)))
    if answered is None or answered.expires_at is None:
        answered = seen(api, remote.id)
    return until if answered is None or answered.expires_at is None else answered.expires_at


def _unarchive(api: FastioApi, remote: RemoteShare) -> None:
    if remote.archived:
        _change(api, remote.id, "unarchive")


def _change(api: FastioApi, share_id: str, call: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    return api.data(api.post(path("share", share_id, call), form), doing=f"{call} share {share_id}")


@contextmanager
def _advising(advice: str) -> Iterator[None]:
    """A refusal is ShareRefused with *advice*, whatever it would be in a delivery."""
    try:
        yield
    except (FileMissing, ShareRefused) as exc:
        raise ShareRefused(str(exc), advice=advice) from exc


# --- What is in it --------------------------------------------------------------------------------------
