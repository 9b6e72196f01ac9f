"""
Cuts what pip installed down to what the functions use: `python cut.py PACKAGES`, the layer's build.

botocore describes all of AWS, and reads what it has of a service whole, at every cold start. `CALLS` is what our code
asks AWS for; `scripts/aws_calls.py` (`make build`, `make check`) fails when the code calls something else.
"""

import gzip
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CALLS = {
    "dynamodb": ["BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"],
    "secretsmanager": ["GetSecretValue"],
    "sesv2": ["SendEmail"],
    "sqs": [
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
        "DeleteMessageBatch",
        "GetQueueAttributes",
        "ReceiveMessage",
        "SendMessage",
        "SendMessageBatch",
    ],
}

UNUSED = (
    "anyio",  # httpx and stripe, when they are asynchronous.
    "boto3/data",  # Its resources; we have clients.
    "boto3/examples",
    "bin",
    "charset_normalizer",
    "requests",  # stripe looks for it, and is told to use httpx.
)
"""Nobody imports these, or whoever does makes do without; but stripe and httpx would, in 200 ms of a cold start."""


def main(packages: Path) -> None:
    data = packages / "botocore" / "data"
    for name in UNUSED:
        _gone(packages / name)
        for told in packages.glob(f"{name}-*.dist-info"):
            _gone(told)
    for service in data.iterdir():
        if service.is_dir():
            _cut_service(service)
    regions = data / "endpoints.json"
    regions.write_text(json.dumps(endpoints(json.loads(regions.read_text())), separators=(",", ":")))


def _cut_service(service: Path) -> None:
    """Only its newest version, and of that the calls we make; and the rules for its endpoints."""
    if service.name not in CALLS:
        _gone(service)
        return
    *older, newest = sorted(service.iterdir())
    for version in older:
        _gone(version)
    for file in newest.iterdir():
        if file.name == "service-2.json.gz":
            model = json.loads(gzip.decompress(file.read_bytes()))
            (newest / "service-2.json").write_text(json.dumps(cut(model, CALLS[service.name]), separators=(",", ":")))
        if not file.name.startswith("endpoint-rule-set"):
            _gone(file)


def cut(model: dict[str, Any], calls: list[str]) -> dict[str, Any]:
    """
    *model* with the operations *calls* alone, and the shapes that they need; without what it says to people.

    Raises KeyError for a call that there is not.
    """
    operations = {name: model["operations"][name] for name in calls}
    needed: dict[str, Any] = {}
    wanted = list(_shapes(operations))
    while wanted:
        if (name := wanted.pop()) not in needed:
            needed[name] = model["shapes"][name]
            wanted += _shapes(needed[name])
    kept = {name: value for name, value in model.items() if name not in ("documentation", "examples")}
    silent: dict[str, Any] = _without_documentation(kept | {"operations": operations, "shapes": needed})
    return silent


def _shapes(part: Any) -> Iterator[str]:
    """The names of the shapes that *part* of a model refers to."""
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _shapes(value)
    if isinstance(part, dict) and isinstance(part.get("shape"), str):
        yield part["shape"]


def _without_documentation(part: Any) -> Any:
    """A member may be called so: then it is no text."""
    if isinstance(part, list):
        return [_without_documentation(value) for value in part]
    if not isinstance(part, dict):
        return part
    return {
        name: _without_documentation(value)
        for name, value in part.items()
        if name != "documentation" or not isinstance(value, str)
    }


def endpoints(everything: dict[str, Any]) -> dict[str, Any]:
    """*everything* is botocore's list of regions: with our services alone. Where one is, its own rules say."""
    return everything | {
        "partitions": [
            partition | {"services": {name: told for name, told in partition["services"].items() if name in CALLS}}
            for partition in everything["partitions"]
        ]
    }


def _gone(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
