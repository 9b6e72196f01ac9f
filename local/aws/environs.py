"""The environments of the programs we start: what they may see of ours, and what they must not."""

import os
import sys
from pathlib import Path

from local.settings import REGION, TOOLS

_NEUTRAL = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TERM", "SSL_CERT_FILE", "SSL_CERT_DIR")
# Services of our own are on this machine, whatever proxy leads out of it.
_NO_PROXY = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
# A user's credentials, profile and endpoints must not reach what we start: a deploy that saw them might
# leave the laptop. Make's own variables would make the Makefile that `sam build` runs talk to our make.
_KEPT_BACK = ("AWS_", "STRIPE_", "FASTIO_", "MAKE", "MFLAGS", "GNUMAKEFLAGS")
# MiniStack takes this pair for the account's root, which IAM does not restrict; functions get their role's keys.
ROOT_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def bare(**more: str) -> dict[str, str]:
    """Next to nothing. Functions inherit MiniStack's environment, and Lambda would not have ours."""
    return {name: os.environ[name] for name in _NEUTRAL if name in os.environ} | _NO_PROXY | more


def building() -> dict[str, str]:
    """For `sam build`: pip's settings and the way out to a package index stay; the right python3.13 comes first."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(_KEPT_BACK)}
    path = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{ours.get('PATH', os.defpath)}"
    return ours | {"PATH": path, "AWS_DEFAULT_REGION": REGION} | _SAM


def deploying(aws_url: str) -> dict[str, str]:
    """For `sam deploy`: the laptop's AWS and nothing else that AWS tools could find."""
    return bare(
        AWS_ENDPOINT_URL=aws_url,
        AWS_DEFAULT_REGION=REGION,
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        **ROOT_KEYS,
        **_SAM,
    )


_SAM = {
    "SAM_CLI_TELEMETRY": "0",
    "SAM_CLI_CHECK_FOR_UPDATES": "0",
    "SAM_CLI_POLL_DELAY": "0.2",  # Seconds; its 5 are meant for an AWS that is further away.
    "PYTHONUTF8": "1",
    "__SAM_CLI_APP_DIR": str(TOOLS / "sam" / "home"),  # Else it keeps a folder in the user's home.
}
