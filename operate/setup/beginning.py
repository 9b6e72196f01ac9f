"""The command that makes a shop of nothing. All of it may be said again: what is in order stays as it is."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from operate import doctoring, stacks
from operate.answers import Answer, Misasked, Refused
from operate.goods import products as catalogue
from operate.options import EndpointOption, EnvOption, StackOption, address, confirm
from operate.orders import at_stripe
from operate.printing import aside
from operate.setup import endpoint, secret_text, sender, vault
from operate.setup.secret_text import Name
from operate.stacks import NoStack, Stack
from paidshare.errors import PaidshareError
from paidshare.payments_stripe import StripeAccess

_ROOT = Path(__file__).resolve().parents[2]
_ASKED = {
    Name.STRIPE_API_KEY: "Stripe: Developers, API keys, a restricted key that reads what README lists",
    Name.FASTIO_API_KEY: "Fast.io: Settings, API keys",
}
"""What only a person has, and where."""

_SenderOption = Annotated[str | None, typer.Option("--sender", callback=address, help="Who sends: a first deploy's.")]
_AlarmsOption = Annotated[str | None, typer.Option("--alarms", callback=address, help="Who is told: a first deploy's.")]


@dataclass
class _Begun:
    """What was found and done, told as it comes."""

    steps: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, step: str, words: str, *, did: bool, open_: bool = False) -> None:
        """*did*: something was changed; *open_*: something is left for a person."""
        aside(f"{'✗' if open_ else '✓'} {step}: {words}", "" if did else "dim")
        self.steps.append({"step": step, "words": words, "did": did, "open": open_})


def init(
    *,
    env: EnvOption = "prod",
    stack: StackOption = None,
    endpoint_url: EndpointOption = None,
    sender_address: _SenderOption = None,
    alarm_address: _AlarmsOption = None,
    whole_domain: Annotated[bool, typer.Option("--domain", help="Verify the sender's whole domain in SES.")] = False,
) -> Answer:
    """
    From nothing to a shop: stack, keys, Stripe's endpoint, the sender; ends with `doctor`.

    Asks for what is missing. Without a terminal it asks nothing, and takes the keys from standard input, as a JSON
    object: {"stripe_api_key": "…", "fastio_api_key": "…"}. Stripe's endpoint is made with the key in STRIPE_API_KEY,
    which may write Webhook endpoints and is kept nowhere. What is in order stays as it is.
    """
    given = _given()
    begun = _Begun()
    try:
        return _meant(begun, given, env, stack, endpoint_url, whole_domain=whole_domain)
    except NoStack as exc:
        if stack:
            raise
        aside(f"✗ {exc}")
    _deployed(env, sender_address, alarm_address)
    begun.tell("stack", "deployed", did=True)
    return _meant(begun, given, env, stack, endpoint_url, whole_domain=whole_domain)


def _meant(
    begun: _Begun,
    given: dict[Name, str],
    env: str,
    stack: str | None,
    endpoint_url: str | None,
    *,
    whole_domain: bool,
) -> Answer:
    with stacks.meant(env, stack=stack, endpoint_url=endpoint_url) as to:
        if not begun.steps:
            begun.tell("stack", to.where or to.name, did=False)
        _keys(to, begun, given)
        _sender(to, begun, whole_domain=whole_domain)
        _endpoint(to, begun)
        _goods(to, begun)
        aside("")
        looked = doctoring.doctor(replace(to))
    words: Sequence[RenderableType] = looked.words
    return Answer({"stack": to.name, "steps": begun.steps, "doctor": looked.data}, words, looked.code)


def _given() -> dict[Name, str]:
    """What came on standard input. Raises Misasked for what is no object of names that there are."""
    if sys.stdin.isatty():
        return {}
    text = sys.stdin.read().strip()
    try:
        raw = json.loads(text or "{}")
        return {Name(name): str(value).strip() for name, value in raw.items()}
    except (ValueError, AttributeError, RecursionError):
        # Not `from`: some of these quote what they were given.
        raise Misasked(f"standard input has to be a JSON object of {', '.join(_ASKED)}, or empty") from None


def _deployed(env: str, sender_address: str | None, alarm_address: str | None) -> None:
    """Raises Misasked where nobody can be asked, and Refused when it failed."""
    command = f'make deploy ENV={env} PARAMETERS="SenderAddress=… AlarmEmail=…"'
    if not sys.stdin.isatty():
        raise Misasked(f"nothing is deployed, and that is asked about first: {command}")
    sends = sender_address or address(typer.prompt("Who sends the letters (an address of your domain)", err=True))
    told = alarm_address or address(typer.prompt("Who is told of alarms (your own address)", err=True))
    confirm(f"Deploy {env} with your AWS credentials now? An idle shop costs some dollars a month.", yes=False)
    parameters = f"PARAMETERS=SenderAddress={sends} AlarmEmail={told}"
    # Its words go where ours go.
    done = subprocess.run(["make", "deploy", f"ENV={env}", parameters], cwd=_ROOT, stdout=sys.stderr, check=False)
    if done.returncode:
        raise Refused("the deploy did not come to its end: see above, and call `paidshare init` again")


def _keys(to: Stack, begun: _Begun, given: dict[Name, str]) -> None:
    raw = secret_text.mended(vault.raw(to))
    new = {name: value for name in _ASKED if not secret_text.values(raw, name) and (value := _key(to, name, given))}
    for name, value in new.items():
        if wrong := secret_text.fault(name, value, livemode=to.livemode):
            raise Misasked(f"{wrong}: nothing was put in")
    if new:
        for name, value in new.items():
            raw = secret_text.put(raw, name, value)
        vault.write(to, raw)
    for name in _ASKED:
        there = secret_text.values(raw, name)
        words = f"{name} {'put in' if name in new else 'is there' if there else 'is missing'}"
        begun.tell("secret", words, did=name in new, open_=not there)


def _key(to: Stack, name: Name, given: dict[Name, str]) -> str:
    """What is given, or answered; empty where nobody can be asked. Asked again while it cannot be one."""
    if name in given or not sys.stdin.isatty():
        return given.get(name, "")
    while True:
        value = str(typer.prompt(f"{name} ({_ASKED[name]}; it is not shown)", hide_input=True, err=True)).strip()
        if (wrong := secret_text.fault(name, value, livemode=to.livemode)) is None:
            return value
        aside(f"✗ {wrong}")


def _sender(to: Stack, begun: _Begun, *, whole_domain: bool) -> None:
    done = sender.mended(to, whole_domain=whole_domain)
    for words in done or (f"{to.parameters['SenderAddress']} may send",):
        begun.tell("sender", words, did=bool(done), open_=bool(done) and words == done[-1] != "it may send already")


def _endpoint(to: Stack, begun: _Begun) -> None:
    try:
        done = endpoint.mended(to, _access(to))
    except Refused as exc:
        begun.tell("endpoint", str(exc), did=False, open_=True)
        return
    for words in done or ("Stripe's endpoint is in order",):
        begun.tell("endpoint", words, did=bool(done))


def _access(to: Stack) -> StripeAccess | None:
    """With a key that somebody is asked for, where none is in the shell; None where nobody can be."""
    try:
        return at_stripe.writing(to, endpoint.PURPOSE)
    except Refused:
        if not sys.stdin.isatty():
            raise
    at_stripe.check_base(to)
    words = "A key of Stripe's that may write Webhook endpoints, for this once (it is not shown, and not kept)"
    key = str(typer.prompt(words, hide_input=True, err=True)).strip()
    return at_stripe.access(to, key)


def _goods(to: Stack, begun: _Begun) -> None:
    try:
        lines = to.stripe_access.answer("the products", lambda client: catalogue.lines(client.v1))
    except PaidshareError as exc:
        begun.tell("products", str(exc), did=False, open_=True)
        return
    ours = sum(catalogue.read(line, link_days=to.policy.link_days).goods is not None for line in lines)
    words = f"{ours} of {len(lines)} say what they deliver" + ("" if ours else ": paidshare products link PRODUCT")
    begun.tell("products", words, did=False, open_=not ours)
