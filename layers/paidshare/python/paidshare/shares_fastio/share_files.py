"""What is in a share, or would be, for the order's page."""

from paidshare import shares
from paidshare.grants import Grants
from paidshare.orders import Goods
from paidshare.page.ports import Opened, PageFile
from paidshare.ports import Clock
from paidshare.shares_fastio import files
from paidshare.shares_fastio.api import FastioApi
from paidshare.shares_fastio.filling import wanted_files
from paidshare.shares_fastio.making import seen
from paidshare.shares_fastio.proving import lets_in
from paidshare.shares_fastio.refusals import check_id
from paidshare.shares_fastio.shares import WEB_BASE
from paidshare.shares_fastio.values import Node

_SHA256 = "sha256"


class FastioShareFiles:
    """The port `page.ports.ShareFiles`. Changes nothing."""

    def __init__(self, api: FastioApi, *, clock: Clock, web_base: str = WEB_BASE) -> None:
        self._api = api
        self._clock = clock
        self._web_base = web_base

    def inside(self, share_id: str) -> Opened | None:
        """See `page.ports.ShareFiles`. A look-up, and a call per page of its files."""
        check_id(share_id)
        remote = seen(self._api, share_id)
        if remote is None or remote.name is None or remote.archived or remote.barred:
            return None
        if remote.archived is None and not lets_in(self._api, share_id, remote.name):
            return None
        if remote.expires_at is not None and remote.expires_at <= self._clock():
            return None
        nodes = files.listed(self._api, "share", share_id, "root")
        there = tuple(_file(node.name, node) for node in nodes if not node.gone)
        return Opened(shares.link(self._web_base, remote.name), remote.expires_at, there)

    def of(self, grants: Grants) -> tuple[PageFile, ...]:
        """See `page.ports.ShareFiles`. A details call, and one for each folder."""
        goods = tuple(Goods("", grant.workspace, grant.nodes, 1) for grant in grants if grant.closed_at is None)
        return tuple(_file(name, node) for name, node in wanted_files(self._api, goods).items())


def _file(name: str, node: Node) -> PageFile:
    return PageFile(name, node.size, node.hash if node.hash_algo == _SHA256 else None)
