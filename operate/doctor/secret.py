"""The one secret: that everything in it is there, and could be right."""

from dataclasses import fields

from operate.doctor.checks import Check, Found, care, good, wrong
from operate.stacks import Stack
from paidshare.loose_json import object_in
from paidshare.receiving.signing_keys import SHORTEST_SECRET
from paidshare.secret import Secret

_GROUP = "secret"
_MEND = "put it in as README says: aws secretsmanager put-secret-value (docs/runbook.md, “Rotating a secret”)"
_SHORTEST_LINK_KEY = 32
"""Bytes: as many as the key of HMAC-SHA256 should have (RFC 2104, 3)."""


def _readable(to: Stack) -> Found:
    text = to.secretsmanager.get_secret_value(SecretId=to.secret_id).get("SecretString", "")
    known = {one.name for one in fields(Secret)}
    if others := sorted(set(object_in(text)) - known):
        return care(f"the secret has names that nobody reads: {', '.join(others)}", "is one of them misspelt?")
    Secret.read(text)
    return good("the secret is readable")


def _stripe_key(to: Stack) -> Found:
    key, mode = to.secret.stripe_api_key, "live" if to.livemode else "test"
    if not key:
        return wrong("stripe_api_key is empty", _MEND)
    if not key.startswith((f"rk_{mode}_", f"sk_{mode}_")):
        return wrong(f"stripe_api_key is no key of the {mode} mode, which the stack takes events of", _MEND)
    if key.startswith("sk_live_"):
        return care(
            "stripe_api_key may do everything at Stripe", "make a restricted key that only reads (README, “Stripe”)"
        )
    return good(f"stripe_api_key is of the {mode} mode")


def _webhook_secrets(to: Stack) -> Found:
    secrets = to.secret.stripe_webhook_secrets
    if not secrets:
        return wrong("stripe_webhook_secrets is empty: every webhook is refused", _MEND)
    if odd := sum(not one.startswith("whsec_") or len(one) < SHORTEST_SECRET for one in secrets):
        return wrong(f"{odd} of stripe_webhook_secrets are no signing secrets (whsec_…)", _MEND)
    if len(secrets) > 1:
        return care(
            f"{len(secrets)} webhook secrets are taken",
            "leave the new one alone once Stripe has stopped to sign with both",
        )
    return good("stripe_webhook_secrets has one")


def _fastio_key(to: Stack) -> Found:
    return good("fastio_api_key is there") if to.secret.fastio_api_key else wrong("fastio_api_key is empty", _MEND)


def _link_key(to: Stack) -> Found:
    if len(to.secret.link_key.encode()) >= _SHORTEST_LINK_KEY:
        return good("link_key is long enough")
    return wrong(
        "link_key is shorter than 32 characters: the names of shares, which are the links, could be guessed",
        "the stack made one when it was made: put that back, or a new one (shares that exist keep their names)",
    )


CHECKS = (
    Check(_GROUP, "readable", _readable),
    Check(_GROUP, "Stripe's key", _stripe_key),
    Check(_GROUP, "webhook secrets", _webhook_secrets),
    Check(_GROUP, "Fast.io's key", _fastio_key),
    Check(_GROUP, "link key", _link_key),
)
