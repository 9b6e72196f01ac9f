"""
`make deploy`: `sam build` and `sam deploy` of an environment of samconfig.toml, in a region that it says.

What can be known to go wrong is said before anything is built. The region is the one that the operator's commands work
in: samconfig.toml's, else AWS_REGION, AWS_DEFAULT_REGION or the profile's. SAM by itself does not read AWS_REGION.
"""

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from operate import stacks
from operate.answers import Refused
from operate.stacks import Name
from scripts import way_back

_ROOT = Path(__file__).resolve().parent.parent
_SAM = _ROOT / ".tools" / "sam" / "bin" / "sam"
# A stack in them has nothing yet: not even its parameters count.
_NEVER_MADE = {"REVIEW_IN_PROGRESS"}
# A first creation that failed: CloudFormation lets such a stack only be deleted.
_FAILED_FIRST_TRY = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}


class NotDeployable(Exception):
    """Nothing was built; the message says what to do first."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes. `has` are the parameters of the stack that is there, None before the first deploy."""

    stack: str
    region: str
    account: str
    has: Mapping[str, str] | None


def target(name: Name, session: Any) -> Target:
    """Raises NotDeployable, and AWS's own errors (botocore's) when AWS cannot be asked."""
    if session.region_name is None:
        raise NotDeployable("no AWS region in this shell: set AWS_REGION, or the region of your profile")
    cloudformation = session.client("cloudformation")
    region, account = cloudformation.meta.region_name, session.client("sts").get_caller_identity()["Account"]
    try:
        [described] = cloudformation.describe_stacks(StackName=name.stack)["Stacks"]
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "ValidationError":
            raise
        return Target(name.stack, region, account, None)
    if described["StackStatus"] in _FAILED_FIRST_TRY:
        raise NotDeployable(
            f"the first try to make {name.stack} in {region} failed, and what it left must go before the next:"
            f" aws cloudformation delete-stack --region {region} --stack-name {name.stack}"
            " (README, “After a failed first try”)"
        )
    if described["StackStatus"] in _NEVER_MADE:
        return Target(name.stack, region, account, None)
    has = {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])}
    return Target(name.stack, region, account, has)


def merged(configured: Iterable[str], given: Iterable[str]) -> dict[str, str]:
    """
    The parameters of samconfig.toml (`Name=value`) with those *given* on top.

    Raises NotDeployable for what is no `Name=value`.
    """
    found: dict[str, str] = {}
    for each in (*configured, *given):
        parameter, equals, value = each.partition("=")
        if not equals or not parameter.isalnum():
            raise NotDeployable(f"{each!r} is no parameter: write Name=value, blanks between two, quotes round blanks")
        found[parameter] = value
    return found


def check(wanted: Mapping[str, str], known: Mapping[str, Mapping[str, Any]], to: Target) -> None:
    """
    *wanted* against the parameters that the template knows (name → its declaration) and those that the stack has.

    Raises NotDeployable.
    """
    if unknown := sorted(wanted.keys() - known):
        raise NotDeployable(f"the template has no parameter {', '.join(unknown)}; it has {', '.join(sorted(known))}")
    there = to.has or {}
    if missing := [name for name, body in known.items() if "Default" not in body and name not in {*wanted, *there}]:
        example = " ".join(f"{name}=…" for name in missing)
        raise NotDeployable(f'the first deploy of {to.stack} has to say it: make deploy PARAMETERS="{example}"')
    for name in ("Stage", "StripeMode"):
        if name in wanted and wanted[name] != there.get(name, wanted[name]):
            raise NotDeployable(
                f"{to.stack} has {name}={there[name]}, and {name}={wanted[name]} would make another shop of it:"
                " another secret, other logs, other orders. Give that one a stack of its own in samconfig.toml"
            )


def main(
    parameters: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...")] = None,
    *,
    env: Annotated[str, typer.Option(help="Which environment of samconfig.toml.")],
    watch: Annotated[float, typer.Option(min=0, help="For how many minutes an alarm takes it back.")] = 0,
) -> None:
    """Build, and deploy to AWS with the credentials of the shell."""
    try:
        name = stacks.configured(env)
        session = stacks.session(name)
        to = target(name, session)
        wanted = merged(stacks.overrides(env), parameters or [])
        check(wanted, _template()["Parameters"], to)
        kind = "the first time" if to.has is None else "a new version"
        print(f"{to.stack} in {to.region}, account {to.account}: {kind}", flush=True)
        with _watched(session, env, to, minutes=watch) if watch and to.has is not None else nullcontext():
            _sam("build")
            _sam("deploy", *_options(env, to), *_overrides(wanted))
    except (NotDeployable, Refused, BotoCoreError, ClientError) as exc:
        print(f"✗ {exc}", file=sys.stderr)
        raise typer.Exit(1) from None


@contextmanager
def _watched(session: Any, env: str, to: Target, *, minutes: float) -> Iterator[None]:
    """After the block's deploy, the version before it is deployed again, and this fails, when an alarm goes off."""
    with TemporaryDirectory() as folder:
        before = way_back.saved(session.client("cloudformation"), to.stack, Path(folder) / "template.yaml")
        rang = way_back.ringing(session, to.stack)
        yield
        print(
            f"Watching the stack's alarms for {minutes:g} minutes; Ctrl-C leaves the new version as it is", flush=True
        )
        alarm = way_back.gone_off(session, to.stack, besides=rang, minutes=minutes, wait=time.sleep)
        if alarm is None:
            return
        print(f"✗ {alarm} went off: back to the version before", file=sys.stderr, flush=True)
        there = [*_options(env, to), "--no-confirm-changeset", "--template-file", str(before)]
        _sam("deploy", *there, *_overrides(to.has or {}))
        raise typer.Exit(1)


def _sam(*arguments: str) -> None:
    if code := subprocess.run([str(_SAM), *arguments], cwd=_ROOT, check=False).returncode:
        raise typer.Exit(code)


def _options(env: str, to: Target) -> list[str]:
    return ["--config-env", env, "--region", to.region]


def _overrides(parameters: Mapping[str, str]) -> list[str]:
    # What has no value is given as SAM writes an empty one.
    given = [f"{name}={value or '""'}" for name, value in parameters.items()]
    return ["--parameter-overrides", *given] if given else []


class _Loader(yaml.SafeLoader):
    """Takes CloudFormation's short tags for nothing: no parameter's declaration has one."""


_Loader.add_multi_constructor("!", lambda *_: None)


def _template() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((_ROOT / "template.yaml").read_text(), _Loader)  # noqa: S506  # A SafeLoader.
    return found


if __name__ == "__main__":
    typer.run(main)
