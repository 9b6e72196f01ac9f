"""The one secret: that everything in it is there, and could be right."""

from dataclasses import fields

from operate.doctor.checks import Check, Found, Mend, care, good, wrong
from operate.doctor.stripe import MEND as _ENDPOINT
from operate.setup import secret_text, vault
from operate.setup.secret_text import SHORTEST_LINK_KEY, Name
from operate.stacks import Stack
from paidshare.errors import SecretUnavailable
from paidshare.loose_json import object_in
from paidshare.secret import Secret

_GROUP = "secret"
_MEND = "paidshare secrets set {}"


def _readable(to: Stack) -> Found:
    text = to.secretsmanager.get_secret_value(SecretId=to.secret_id).get("SecretString", "")
    known = {one.name for one in fields(Secret)}
    if others := sorted(set(object_in(text)) - known):
        return care(f"the secret has names that nobody reads: {', '.join(others)}", "is one of them misspelt?")
    try:
        Secret.read(text)
    except SecretUnavailable as exc:
        return wrong(str(exc), "mend it in the console of Secrets Manager, or: paidshare doctor --fix", _STRUCTURE)
    return good("the secret is readable")


def _structured(to: Stack) -> list[str]:
    raw = vault.raw(to)
    vault.write(to, secret_text.mended(raw))
    return ["gave every name in the secret the kind of value that it has to have"]


_STRUCTURE = Mend("give every name in the secret the kind of value that it has to have", _structured)


def _stripe_key(to: Stack) -> Found:
    key, mode = to.secret.stripe_api_key, "live" if to.livemode else "test"
    if not key:
        return wrong("stripe_api_key is empty", _MEND.format(Name.STRIPE_API_KEY))
    if fault := secret_text.fault(Name.STRIPE_API_KEY, key, livemode=to.livemode):
        return wrong(fault, _MEND.format(Name.STRIPE_API_KEY))
    if key.startswith("sk_live_"):
        return care(
            "stripe_api_key may do everything at Stripe", "make a restricted key that only reads (README, “Stripe”)"
        )
    return good(f"stripe_api_key is of the {mode} mode")


def _webhook_secrets(to: Stack) -> Found:
    secrets, mend = to.secret.stripe_webhook_secrets, _MEND.format(Name.STRIPE_WEBHOOK_SECRETS)
    if not secrets:
        return wrong("stripe_webhook_secrets is empty: every webhook is refused", mend, _ENDPOINT)
    livemode = to.livemode
    if odd := sum(bool(secret_text.fault(Name.STRIPE_WEBHOOK_SECRETS, one, livemode=livemode)) for one in secrets):
        return wrong(f"{odd} of stripe_webhook_secrets are no signing secrets (whsec_…)", mend)
    if len(secrets) > 1:
        return care(
            f"{len(secrets)} webhook secrets are taken",
            "once Stripe has stopped to sign with both: paidshare secrets rotate stripe_webhook_secrets --end",
        )
    return good("stripe_webhook_secrets has one")


def _fastio_key(to: Stack) -> Found:
    return (
        good("fastio_api_key is there")
        if to.secret.fastio_api_key
        else wrong("fastio_api_key is empty", _MEND.format(Name.FASTIO_API_KEY))
    )


def _link_key(to: Stack) -> Found:
    if len(to.secret.link_key.encode()) >= SHORTEST_LINK_KEY:
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
