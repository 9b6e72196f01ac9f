"""What a refusal says of itself, as far as anything may be decided by it."""

import re
from datetime import datetime

from paidshare.errors import Barrier
from paidshare.shares_fastio.values import Problem, Reply
from paidshare.shares_fastio.wire.loose import dict_in, identifier, instant, json_object

REFUSED_FIELDS = frozenset({400, 406, 422})
"""What “a field is wrong” is answered with: 406 now, 400 in older documents, 422 to be safe."""

PERHAPS_TAKEN = REFUSED_FIELDS | {409}
"""What a name that exists may be refused with. Looking it up decides."""

KEY_OR_MEMBERSHIP = frozenset({401, 403})
"""The key is refused, or it is good and its account may not do this here: asking for the key decides."""

_SCOPE_CODES = frozenset({"10175", "10545", "10560", "10574", "10753", "10754", "10757", "10767", "10769"})
_SCOPE_REASONS = ("scope_",)
_POLICY_REASONS = (
    "ai_policy_",
    "cloud_sync_",
    "credential_policy_",
    "external_invites_",
    "geo_restricted",
    "mcp_access_denied",
)
_MONEY_REASONS = frozenset(
    {
        "subscription_required",
        "credits_exhausted",
        "trial_conversion_pending",
        "trial_conversion_lapsed",
        "upgrade_pending",
    }
)
_NO_SHARE_LEFT = re.compile(
    r"\bshares? (limit|quota)\b|\b(limit|maximum|quota|number) (of|for|on) (\w+ ){0,2}shares?\b"
)
_PLAN_FULL, _PERHAPS_FULL = 412, frozenset({402, 403, 406})
NODE_BUSY, NODE_LOST = "146256", "146950"
_WAIT_UNSAID, _SHORTEST_WAIT, _LONGEST_WAIT = 60.0, 1.0, 3600.0


def problem(reply: Reply) -> Problem:
    """What *reply* says is wrong. Never its text, which may repeat what we sent."""
    envelope = json_object(reply.body) or {}
    error = dict_in(envelope.get("error")) or envelope
    code = identifier(error.get("code")) or identifier(error.get("error_id"))
    # A list for refused fields, an object for anything else.
    params = error.get("params")
    each = [dict_in(one) for one in params] if isinstance(params, list) else []
    named = [identifier(one.get("name")) for one in each]
    reasons = [identifier(one.get("reason")) for one in (dict_in(params), *each)]
    return Problem(
        code=code,
        fields=tuple(dict.fromkeys(name for name in named if name)),
        request_id=identifier(reply.headers.get("x-ve-reqid")),
        reason=next(filter(None, reasons), None),
    )


def barrier(reply: Reply) -> Barrier | None:
    """What a 403 says that keeps our key from it, and so from every order; None where it does not say so."""
    if reply.status != 403:
        return None
    said = problem(reply)
    if said.reason is not None and said.reason.startswith(_POLICY_REASONS):
        return Barrier.POLICY
    scope = said.code in _SCOPE_CODES or (said.reason is not None and said.reason.startswith(_SCOPE_REASONS))
    return Barrier.SCOPE if scope else None


def says_full(reply: Reply) -> bool:
    """Whether a refused create says that the plan has no share left. The text decides where nothing else can."""
    said = problem(reply)
    if reply.status == _PLAN_FULL:
        return True
    if reply.status not in _PERHAPS_FULL or said.fields or is_about_money(reply) or barrier(reply):
        return False
    error = dict_in((json_object(reply.body) or {}).get("error"))
    return _NO_SHARE_LEFT.search(str(error.get("text") or error.get("message")).lower()) is not None


def is_about_money(reply: Reply) -> bool:
    """Whether a refusal is for want of credits or of a subscription, and nothing that makes room would help."""
    return problem(reply).reason in _MONEY_REASONS


def node_faults(body: bytes) -> dict[str, str]:
    """Why each node of a look-up was not found: its id in lower case → the code. Empty where nothing says so."""
    errors = (json_object(body) or {}).get("errors")
    read = [dict_in(one) for one in errors] if isinstance(errors, list) else []
    said = {identifier(one.get("node_id")) or identifier(one.get("id")): identifier(one.get("code")) for one in read}
    return {node_id.lower(): code for node_id, code in said.items() if node_id and code}


def wait(reply: Reply, now: datetime) -> float | None:
    """Seconds until Fast.io's limit ends, from 1 to 3600. None when it does not say and it is not a limit."""
    params = dict_in(dict_in((json_object(reply.body) or {}).get("error")).get("params"))
    # Its edge may strip the headers.
    asked = params.get("retry_after_seconds")
    if isinstance(asked, str | int) and re.fullmatch(r"[0-9]{1,9}", str(asked)):
        return min(max(float(asked), _SHORTEST_WAIT), _LONGEST_WAIT)
    said = reply.headers.get("x-ve-limit-expires") or reply.headers.get("x-rate-limit-expiry")
    if said is None:
        return _WAIT_UNSAID if reply.status == 429 else None
    ends = instant(said)
    if ends is not None:
        seconds = (ends - now).total_seconds()
    elif re.fullmatch(r"[0-9]{1,9}", said.strip()):
        seconds = float(said)
    else:
        seconds = _WAIT_UNSAID
    return min(max(seconds, _SHORTEST_WAIT), _LONGEST_WAIT)
