"""The secret in Secrets Manager: read as it lies there, written, and how old each value is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from operate.setup import secret_text
from operate.setup.secret_text import LISTS, Name
from operate.stacks import Stack
from paidshare.loose_json import object_in

_USED_WITHIN = timedelta(days=7)
_HOUR_S = 3_600


@dataclass(frozen=True, slots=True)
class Value:
    """
    One value of the secret. `since` is when it was put in; it has been there longer where `at_least`; None where
    nobody knows. `last_used` is when a signature was made with it last, to the hour, of the last seven days; None for
    never, or where nobody knows: of Stripe's and Fast.io's webhook secrets alone.
    """

    name: Name
    place: int
    fingerprint: str
    since: datetime | None
    at_least: bool
    last_used: datetime | None


def raw(to: Stack) -> dict[str, Any]:
    """Raises Refused, and AWS's own errors."""
    return secret_text.read(_text(to, "AWSCURRENT"))


def write(to: Stack, values: Mapping[str, Any]) -> None:
    """Raises AWS's own errors. Warm functions know it within a minute."""
    to.secretsmanager.put_secret_value(SecretId=to.secret_id, SecretString=secret_text.text(values))
    # It was read before.
    vars(to).pop("secret", None)


def held(to: Stack) -> list[Value]:
    """All values. Raises Refused, and AWS's own errors for the secret itself; ages may stay unknown."""
    now, before = raw(to), object_in(_if_let(lambda: _text(to, "AWSPREVIOUS")) or "")
    made = _if_let(lambda: _made(to)) or {}
    found = []
    for name in Name:
        old = secret_text.values(before, name)
        for place, value in enumerate(secret_text.values(now, name), 1):
            is_old = value in old
            since = made.get("AWSPREVIOUS" if is_old else "AWSCURRENT")
            used = _if_let(partial(_used, to, name, place)) if name in LISTS else None
            found.append(Value(name, place, secret_text.fingerprint(value), since, is_old, used))
    return found


def _text(to: Stack, version: str) -> str:
    return to.secretsmanager.get_secret_value(SecretId=to.secret_id, VersionStage=version).get("SecretString", "")


def _made(to: Stack) -> dict[str, datetime]:
    """When each version that has a stage was made."""
    versions = to.secretsmanager.list_secret_version_ids(SecretId=to.secret_id)["Versions"]
    return {stage: one["CreatedDate"] for one in versions for stage in one.get("VersionStages", ())}


def _used(to: Stack, name: Name, place: int) -> datetime | None:
    """By the metric `Signatures` (docs/runbook.md, “Rotating a secret”)."""
    now, source = datetime.now(UTC), name.value.partition("_")[0]
    wanted = [{"Name": key, "Value": said} for key, said in _dimensions(to, source, place)]
    metrics = to.cloudwatch.list_metrics(Namespace="Paidshare", MetricName="Signatures", Dimensions=wanted)["Metrics"]  # type: ignore[arg-type]
    points = [
        point["Timestamp"]
        for metric in metrics
        for point in to.cloudwatch.get_metric_statistics(
            Namespace="Paidshare",
            MetricName="Signatures",
            Dimensions=metric["Dimensions"],
            StartTime=now - _USED_WITHIN,
            EndTime=now,
            Period=_HOUR_S,
            Statistics=["Sum"],
        )["Datapoints"]
        if point["Sum"]
    ]
    return max(points, default=None)


def _dimensions(to: Stack, source: str, place: int) -> tuple[tuple[str, str], ...]:
    return ("stage", to.stage), ("source", source), ("secret", str(place))


def _if_let[T](ask: Callable[[], T]) -> T | None:
    """What AWS answers, None where there is no such thing, or the shell's credentials may not ask for it."""
    try:
        return ask()
    except ClientError:
        return None
