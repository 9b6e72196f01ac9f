"""What Fast.io refuses, and in which words, whoever stands in front: by the state and its rules."""

import hashlib
from typing import Any

from local.fastio import codes
from local.fastio.forms import Refused
from local.fastio.nodes import Storage
from local.fastio.state import Fastio, Share, standing

MOST_IDS = 25
GUESTS_SECONDS = 3600


def check_key(state: Fastio, method: str, *, admin: bool) -> None:
    """Raises Refused when a good key may not do this: by the organisation's policy, or by its own scopes."""
    rules = state.rules
    if rules.policy is not None:
        raise Refused(403, codes.POLICY, "The organisation does not allow this", {"reason": rules.policy})
    if admin and rules.mode != "rwa":
        reason = {"reason": "scope_admin_required"}
        raise Refused(403, codes.SCOPE_ADMIN_REQUIRED, "A scope with the mode rwa is required", reason)
    if method != "GET" and rules.mode == "r":
        raise Refused(403, codes.KEY_NOT_SCOPED, "The key is not scoped for this")


def check_credits(state: Fastio) -> None:
    if not state.rules.credits:
        raise Refused(402, codes.CREDITS, "The credits are used up", {"reason": "credits_exhausted"})


def check_new(state: Fastio, name: str) -> None:
    """Raises Refused when no share called *name* can be made now."""
    rules = state.rules
    check_credits(state)
    if rules.contended:
        rules.contended -= 1
        raise Refused(409, codes.CONTENTION, "The workspace is locked by another request")
    if name in state.names:
        raise _taken(state)
    if len(state.shares) >= state.share_limit:
        raise Refused(rules.full, codes.PLAN_FULL, "The plan's limit of shares is reached")


def _taken(state: Fastio) -> Refused:
    match state.rules.taken:
        case "409":
            return Refused(409, codes.NAME_TAKEN, "A share of that name exists")
        case "406":
            params = [{"name": "custom_name", "kind": "invalid", "code": codes.NAME_TAKEN}]
            return Refused(406, codes.NAME_TAKEN, "A share of that name exists", params)
        case "10566":
            return Refused(406, codes.FIELD_REFUSED, "The custom_name exists already")


def check_change(state: Fastio, share: Share) -> None:
    """Raises Refused when the share takes no update: archiving “restricts modifications”."""
    if share.archived and not state.rules.archived_changes:
        raise Refused(409, codes.ARCHIVED, "The share is archived")


def archive(share: Share, *, archived: bool) -> None:
    """Raises Refused when it is so already."""
    if share.archived is archived:
        raise Refused(409, codes.ARCHIVED, f"The share is {'' if archived else 'not '}archived")
    share.archived = archived


def confirmed(share: Share, confirm: str | None) -> None:
    """Raises Refused unless *confirm*, of the query, names the share."""
    if confirm not in (share.id, share.custom_name):
        kind = "missing" if confirm is None else "invalid"
        params = [{"name": "confirm", "kind": kind, "code": codes.CONFIRM_MISSING}]
        raise Refused(406, codes.CONFIRM_MISSING, "confirm must be the share's id or name", params)


def admit(state: Fastio, share: Share | None) -> str:
    """A guest's token for *share*. Raises Refused; with which status is not documented."""
    found = standing(share, state.now())
    if share is None or found == "gone":
        raise Refused(404, codes.NOT_FOUND, "There is no such share")
    if found != "open":
        raise Refused(403, codes.GUEST, "The share is not open to guests")
    until = int(state.now().timestamp()) + GUESTS_SECONDS
    return f"guest-{share.id}-{until}-{_seal(share.id, until)}"


def admitted(state: Fastio, token: str) -> str | None:
    """The id of the share that a guest's *token* is for, None when it is none, or over."""
    match token.split("-"):
        case ["guest", share_id, until, seal] if until.isdecimal() and seal == _seal(share_id, int(until)):
            return share_id if int(until) > state.now().timestamp() else None
    return None


def _seal(share_id: str, until: int) -> str:
    return hashlib.sha256(f"{share_id} {until} of the stand-in".encode()).hexdigest()[:16]


def nodes(storage: Storage, wanted: list[str]) -> dict[str, Any]:
    """The nodes called *wanted*, in no order that was asked for. Raises Refused when none of them is to be had."""
    if len(wanted) > MOST_IDS:
        raise Refused(406, codes.TOO_MANY_NODES, f"At most {MOST_IDS} ids", [{"name": "node_id", "kind": "invalid"}])
    by_id = {node_id.lower(): node for node_id, node in storage.nodes.items()}
    found, errors = [], []
    for node_id in reversed(wanted):
        node = by_id.get(node_id.lower())
        if node is None:
            errors.append(_node_error(node_id, codes.NODE_UNKNOWN, "There is no such node"))
        elif node.lost:
            errors.append(_node_error(node_id, codes.NODE_LOST, "The content of the node is lost"))
        elif node.busy:
            errors.append(_node_error(node_id, codes.NODE_BUSY, "The node can not be read now"))
        else:
            found.append(node.shown())
    if len(wanted) == 1 and errors:
        raise Refused(404, errors[0]["code"], errors[0]["message"])
    if len(wanted) == 1:
        return {"format": "single", "node": found[0]}
    told = {"format": "multi", "nodes": found, "errors": errors}
    if not found:
        raise Refused(404, codes.NOT_FOUND, "None of the nodes was found", beside=told)
    return told


def _node_error(node_id: str, code: int, message: str) -> dict[str, Any]:
    return {"node_id": node_id, "code": code, "message": message}
