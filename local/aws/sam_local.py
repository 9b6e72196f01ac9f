"""
A template for `sam local invoke`: the built functions and their layer, with the environment of the running system.

`sam local invoke` passes only variables that the template names, and the real template names no endpoint of AWS:
on AWS there is none. So this one is made for the container, which reaches this machine by another name.
"""

from pathlib import Path
from typing import Any

import yaml

from local.aws import environs
from local.aws.deploying import BUILD
from local.aws.ministack import Aws
from local.hosting.endpoints import Endpoints
from local.settings import REGION

FILE = "sam-local.yaml"
HOST = "host.docker.internal"
"""What `sam local` calls this machine inside a container."""

_FUNCTIONS = ("Receive", "Deliver")
_LAYER = "DependenciesLayer"


def write(folder: Path, to: Endpoints) -> Path:
    """Write it into *folder*, for the system that runs at *to*; its path."""
    functions = Aws(to.aws_endpoint_url).client("lambda")
    extra = {**environs.ROOT_KEYS, "AWS_ENDPOINT_URL": to.aws_endpoint_url, "AWS_DEFAULT_REGION": REGION}
    extra["AWS_ENDPOINT_URL_SESV2"] = to.ses_url
    resources = {_LAYER: _layer(_LAYER)}
    for name in _FUNCTIONS:
        deployed = functions.get_function_configuration(FunctionName=to.outputs[f"{name}Function"])
        resources[name] = _function(name, deployed["Environment"]["Variables"] | extra)
    path = folder / FILE
    path.write_text(yaml.safe_dump({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}))
    return path


def _layer(name: str) -> dict[str, Any]:
    properties = {"ContentUri": str(BUILD / name), "CompatibleRuntimes": ["python3.13"]}
    return {"Type": "AWS::Serverless::LayerVersion", "Properties": properties}


def _function(name: str, variables: dict[str, str]) -> dict[str, Any]:
    properties = {
        "Runtime": "python3.13",
        "Handler": "handler.handler",
        "CodeUri": str(BUILD / name),
        "Layers": [{"Ref": _LAYER}],
        "MemorySize": 512,
        "Timeout": 60,
        "Environment": {"Variables": {key: _from_a_container(value) for key, value in variables.items()}},
    }
    return {"Type": "AWS::Serverless::Function", "Properties": properties}


def _from_a_container(value: str) -> str:
    return value.replace("//127.0.0.1:", f"//{HOST}:").replace("//localhost:", f"//{HOST}:")
