"""
A template for `sam local invoke`: the built functions and layers, with the environment of the running system.

`sam local invoke` passes only variables that the template names, and the real template names no endpoint of AWS:
on AWS there is none. So this one is made for the container, which reaches this machine by another name.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from local.settings import REGION

FILE = "sam-local.yaml"
HOST = "host.docker.internal"
"""What `sam local` calls this machine inside a container."""

_LAYERS = ("DependenciesLayer", "PaidshareLayer")


def write(
    folder: Path, *, build: Path, variables: Mapping[str, Mapping[str, str]], aws_url: str, keys: Mapping[str, str]
) -> Path:
    """
    Write it into *folder*; its path. *variables* are each function's, *build* is `sam build`'s folder.

    *keys* are the credentials for the laptop's AWS.
    """
    extra = {**keys, "AWS_ENDPOINT_URL": aws_url, "AWS_DEFAULT_REGION": REGION}
    resources: dict[str, Any] = {
        layer: {
            "Type": "AWS::Serverless::LayerVersion",
            "Properties": {"ContentUri": str(build / layer), "CompatibleRuntimes": ["python3.13"]},
        }
        for layer in _LAYERS
    }
    for function, own in variables.items():
        inside = {name: _from_a_container(value) for name, value in {**own, **extra}.items()}
        resources[function] = {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "handler.handler",
                "CodeUri": str(build / function),
                "Layers": [{"Ref": layer} for layer in _LAYERS],
                "MemorySize": 512,
                "Timeout": 60,
                "Environment": {"Variables": inside},
            },
        }
    path = folder / FILE
    path.write_text(yaml.safe_dump({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}))
    return path


def _from_a_container(value: str) -> str:
    return value.replace("//127.0.0.1:", f"//{HOST}:").replace("//localhost:", f"//{HOST}:")
