"""
The shop's keys, what its providers take for right, and the seller who renews them in the midst of a run: in the order
that docs/runbook.md says, or too late, or the wrong way round.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from simulation.chance import Chance
from simulation.clock import START
from simulation.stripe.account import DAY_S

WEBHOOK, STRIPE, FASTIO = "whsec_of_the_simulation", "sk_test_of_the_simulation", "fastio_key_of_the_simulation"
FASTIO_WEBHOOK = "whsec_of_the_simulated_fastio"
NEXT = "_renewed"
_RENEWED = 0.15
"""The share of runs in which a key is renewed, of each."""


@dataclass(slots=True)
class Keys:
    """
    `secret` is what Secrets Manager has, `signing` what Stripe signs a webhook with. `stripe` and `fastio` are the keys
    that are taken there.
    """

    secret: dict[str, Any] = field(
        default_factory=lambda: {
            "stripe_api_key": STRIPE,
            "stripe_webhook_secrets": [WEBHOOK],
            "fastio_api_key": FASTIO,
            "fastio_webhook_secrets": [FASTIO_WEBHOOK],
            "link_key": "k" * 64,
        }
    )
    signing: tuple[str, ...] = (WEBHOOK,)
    stripe: frozenset[str] = frozenset({STRIPE})
    fastio: frozenset[str] = frozenset({FASTIO})

    def writes(self, name: str, value: Any) -> None:
        """Into the secret, by the seller."""
        self.secret = self.secret | {name: value}

    def signs(self, *secrets: str) -> None:
        """With these from now on, at Stripe."""
        self.signing = secrets

    def takes(self, provider: str, *keys: str) -> None:
        """These and no others, at *provider*."""
        setattr(self, provider, frozenset(keys))


type Renewal = tuple[float, str, Callable[[Keys], None]]
"""At Unix seconds, in words for the trace, what is done."""


def renewals(chance: Chance, *, days: float) -> list[Renewal]:
    """Those of a run with so many *days* of trouble; at its end all keys are right."""
    end, found = START + days * DAY_S, list[Renewal]()
    for name, made in (
        ("webhook", _webhook),
        ("stripe", partial(_key, "stripe", STRIPE)),
        ("fastio", partial(_key, "fastio", FASTIO)),
    ):
        if chance.fixed(f"renews {name}") < _RENEWED:
            at = chance.between(f"renews {name} at", START, end)
            found += [(min(when, end), what, do) for when, what, do in made(chance, at)]
    return sorted(found, key=lambda one: one[0])


def _webhook(chance: Chance, at: float) -> Iterator[Renewal]:
    """Stripe signs with both for up to a day, as the seller chose (docs.stripe.com/webhooks#roll-endpoint-secrets)."""
    new = WEBHOOK + NEXT
    both = chance.one_of("webhook overlap", 0.0, 3_600.0, 24 * 3_600.0)
    written = at + chance.spread("webhook written", chance.one_of("webhook pace", 60.0, 1_800.0, 7_200.0))
    name = "stripe_webhook_secrets"
    if both:
        yield at, "Stripe signs with both", lambda keys: keys.signs(new, WEBHOOK)
    yield at + both, "Stripe signs with the new secret", lambda keys: keys.signs(new)
    yield written, "both are in the secret", lambda keys: keys.writes(name, [new, WEBHOOK])
    yield max(written, at + both) + 3_600, "the new one is in the secret", lambda keys: keys.writes(name, [new])


def _key(provider: str, old: str, chance: Chance, at: float) -> Iterator[Renewal]:
    """The new one is made, written into the secret, and the old one is revoked: before that, now and then."""
    new, name = old + NEXT, f"{provider}_api_key"
    written = at + chance.spread(f"{name} written", chance.one_of(f"{name} pace", 60.0, 1_800.0))
    revoked = at + chance.spread(f"{name} revoked", chance.one_of(f"{name} revoking", 60.0, 7_200.0))
    yield at, f"{provider} takes both", lambda keys: keys.takes(provider, old, new)
    yield written, f"the key for {provider} is in the secret", lambda keys: keys.writes(name, new)
    yield revoked, f"{provider} takes the new one", lambda keys: keys.takes(provider, new)
