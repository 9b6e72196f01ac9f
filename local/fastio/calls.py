"""The Fast.io stand-in's calls, one method each. Every one answers in the envelope or raises Refused."""

import json
import secrets
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from local.fastio import codes, rulings
from local.fastio.forms import ADDABLE, CLEARABLE, CREATABLE, CREATE_NEEDS, UPDATABLE, Refused, check, read_form
from local.fastio.nodes import INSTANT, Storage
from local.fastio.paging import bad, cursor_page, done, offset_page, only, sort_key
from local.fastio.state import Fastio, Share, Workspace

_PAGE_SIZES = ("100", "250", "500")
_DEFAULTS = {
    "share_type": "exchange",
    "storage_mode": "independent",
    "access_options": "Only members of the Share or Workspace",
    "download_security": "off",
    "comments_enabled": "true",
}
_EVENT_SCOPES = ("user_id", "org_id", "workspace_id", "share_id", "parent_event_id")
_EVENT_FILTERS = ("event", "category", "object_id", "share_id", "workspace_id")
_EVENT_REST = ("created-min", "created-max", "limit", "offset", "user_id", "org_id", "parent_event_id")


class Calls:
    """*state* is shared with the guest's view and the control routes."""

    def __init__(self, state: Fastio) -> None:
        self._state = state

    # --- Shares -----------------------------------------------------------------------------------------

    async def create_share(self, request: Request) -> Response:
        state = self._state
        workspace = self._workspace(request.path_params["workspace"])
        form = await read_form(request)
        check(form, CREATABLE, state.now(), needed=CREATE_NEEDS)
        fields = _DEFAULTS | {"custom_name": secrets.token_hex(5)} | _without(form, state.rules.drops)
        rulings.check_new(state, fields["custom_name"])
        if fields["storage_mode"] == "independent":
            fields["share_type"] = "send"
        share = Share(
            id=state.number(),
            workspace=workspace.id,
            custom_name=fields.pop("custom_name"),
            expires=_instant(fields.pop("expires", None)),
            created=state.now(),
            fields=fields,
        )
        state.add_share(share)
        state.note("share_created", share, share.id)
        return self._shown(share)

    async def share_details(self, request: Request) -> Response:
        return self._shown(self._share(request))

    async def update_share(self, request: Request) -> Response:
        share = self._share(request)
        rulings.check_change(self._state, share)
        form = await read_form(request)
        cleared = {name for name, value in form.items() if name in CLEARABLE and value in ("", "null")}
        kept = {name: value for name, value in form.items() if name not in cleared}
        check(kept, UPDATABLE, self._state.now(), context=share.fields)
        dropped = self._state.rules.update_drops
        kept = _without(kept, dropped)
        if (url := kept.pop("custom_url", None)) is not None:
            if self._state.names.get(url, share.id) != share.id:
                raise Refused(409, codes.NAME_TAKEN, "A share of that name exists")
            self._state.rename_share(share, url)
        if "expires" in form and "expires" not in dropped:
            share.expires = _instant(kept.pop("expires", None))
        share.fields.update(kept)
        for name in cleared:
            share.fields.pop(name, None)
        self._state.note("share_updated", share, share.id)
        return self._shown(share)

    async def archive_share(self, request: Request) -> Response:
        share = self._share(request)
        rulings.archive(share, archived=True)
        self._state.note("share_archived", share, share.id)
        return self._shown(share)

    async def unarchive_share(self, request: Request) -> Response:
        share = self._share(request)
        rulings.archive(share, archived=False)
        self._state.note("share_unarchived", share, share.id)
        return self._shown(share)

    async def delete_share(self, request: Request) -> Response:
        share = self._share(request)
        # A body is not read.
        rulings.confirmed(share, request.query_params.get("confirm"))
        self._state.drop_share(share)
        self._state.note("share_deleted", share, share.id)
        return done()

    async def shares(self, request: Request) -> Response:
        """Archived ones are in a workspace's list alone, and only where they are asked for."""
        found, archived = list(self._state.shares.values()), False
        if "workspace" in request.path_params:
            workspace = self._workspace(request.path_params["workspace"])
            found = [s for s in found if s.workspace == workspace.id]
            only(request, ("limit", "offset", "archived"))
            archived = request.query_params.get("archived") == "true"
        else:
            only(request, ("limit", "offset"))
        found = [share for share in found if share.archived is archived]
        page, pagination = offset_page(request, found, most=500)
        # A share's own properties are documented for its details only.
        told = self._state.rules.archived_told
        listed = [{k: v for k, v in s.shown(archived=told).items() if k != "owner_defined"} for s in page]
        return done(shares=listed, pagination=pagination)

    async def name_check(self, request: Request) -> Response:
        return done(available=request.path_params["name"] not in self._state.names)

    async def guest(self, request: Request) -> Response:
        """A token for whoever has the link: asked for without a key."""
        if json.loads(await request.body() or b"null") != {}:
            raise Refused(406, codes.INVALID, "the body must be an empty object")
        token = rulings.admit(self._state, self._state.share(request.path_params["share"]))
        return done(auth_token=token, expires_in=rulings.GUESTS_SECONDS)

    # --- Storage ----------------------------------------------------------------------------------------

    async def node_details(self, request: Request) -> Response:
        return done(**rulings.nodes(self._storage(request), request.path_params["nodes"].split(",")))

    async def list_folder(self, request: Request) -> Response:
        storage, folder = self._storage(request), request.path_params["folder"]
        if folder != "root" and (folder not in storage.nodes or storage.nodes[folder].content is not None):
            raise Refused(404, codes.NOT_FOUND, "There is no such folder")
        only(request, ("sort_by", "sort_dir", "page_size", "cursor"))
        query = request.query_params
        if query.get("page_size", "100") not in _PAGE_SIZES:
            raise bad("page_size")
        if query.get("sort_by", "name") not in ("name", "updated", "created", "type"):
            raise bad("sort_by")
        if query.get("sort_dir", "asc") not in ("asc", "desc"):
            raise bad("sort_dir")
        inside = sorted(storage.inside(folder), key=sort_key(query.get("sort_by", "name")))
        if query.get("sort_dir") == "desc":
            inside.reverse()
        return cursor_page(inside, int(query.get("page_size", "100")), query.get("cursor"))

    async def add_file(self, request: Request) -> Response:
        share, folder = self._share(request), request.path_params["folder"]
        rulings.check_credits(self._state)
        form = await read_form(request)
        check(form, ADDABLE, self._state.now(), needed=("name", "from"))
        source = json.loads(form["from"])["hash"]
        content = self._state.content(source["hash_type"], source["hash"])
        if folder != "root" and folder not in share.storage.nodes:
            raise Refused(404, codes.NOT_FOUND, "There is no such folder")
        if content is None:
            raise Refused(404, codes.NOT_FOUND, "No stored file has that hash")
        node = self._state.put(share.storage, folder, form["name"], content)
        self._state.note("share_storage_file_added", share, node.id)
        return done(node=node.shown())

    async def delete_node(self, request: Request) -> Response:
        """Into the trash. What is there already is not found a second time."""
        node = self._storage(request).reachable(request.path_params["node"])
        if node is None:
            raise Refused(404, codes.NOT_FOUND, "There is no such node")
        node.trashed = True
        if request.path_params["owner"] == "share":
            kind = "folder" if node.content is None else "file"
            self._state.note(f"share_storage_{kind}_deleted", self._share(request, key="owner_id"), node.id)
        return done()

    # --- The rest ---------------------------------------------------------------------------------------

    async def auth_check(self, _request: Request) -> Response:
        return done(id="4800000000000000001")

    async def workspace_details(self, request: Request) -> Response:
        workspace = self._workspace(request.path_params["workspace"])
        return done(workspace={"id": workspace.id, "folder_name": workspace.folder_name})

    async def scopes(self, _request: Request) -> Response:
        mode = self._state.rules.mode
        return done(scopes=[f"user:*:{mode}"], full_access=False, admin=mode == "rwa", legacy=False)

    async def workspaces(self, request: Request) -> Response:
        only(request, ("limit", "offset"))
        page, pagination = offset_page(request, [w for w in self._state.workspaces.values() if w.member], most=500)
        shown = [{"id": one.id, "folder_name": one.folder_name, "archived": False} for one in page]
        return done(workspaces=shown, pagination=pagination)

    async def workspace_limits(self, request: Request) -> Response:
        self._workspace(request.path_params["workspace"])
        return done(limits={"shares": {"limit": self._state.share_limit}})

    async def events(self, request: Request) -> Response:
        only(request, (*_EVENT_FILTERS, *_EVENT_REST))
        query = request.query_params
        if not any(scope in query for scope in _EVENT_SCOPES):
            raise Refused(406, codes.INVALID, "One scope is needed", [{"name": "share_id", "kind": "missing"}])
        found = [
            event
            for event in self._state.events
            if all(event[name] == query[name] for name in _EVENT_FILTERS if name in query)
            and query.get("created-min", "") <= event["created"] <= query.get("created-max", "9")
        ]
        page, pagination = offset_page(request, found, most=250)
        return done(events=page, pagination=pagination)

    def _shown(self, share: Share) -> Response:
        return done(share=share.shown(archived=self._state.rules.archived_told))

    def _workspace(self, id_or_name: str) -> Workspace:
        workspace = self._state.workspace(id_or_name)
        if workspace is None:
            raise Refused(404, codes.NOT_FOUND, "There is no such workspace")
        if not workspace.member:
            raise Refused(401, codes.NOT_A_MEMBER, "You are not a member of this workspace")
        return workspace

    def _share(self, request: Request, *, key: str = "share") -> Share:
        share = self._state.share(request.path_params[key])
        if share is None:
            raise Refused(404, codes.NOT_FOUND, "There is no such share")
        return share

    def _storage(self, request: Request) -> Storage:
        kind, owner_id = request.path_params["owner"], request.path_params["owner_id"]
        if kind == "workspace":
            return self._workspace(owner_id).storage
        if kind == "share":
            return self._share(request, key="owner_id").storage
        raise Refused(404, codes.NOT_FOUND, f"There is no such {kind}")


def _without(form: dict[str, str], dropped: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in form.items() if name not in dropped}


def _instant(value: str | None) -> datetime | None:
    return datetime.strptime(value, INSTANT).replace(tzinfo=UTC) if value else None
