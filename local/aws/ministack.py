"""The laptop's AWS: MiniStack in a process of its own, and boto3 clients that talk to nothing else."""

import contextlib
import shutil
import time
import uuid
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx
from botocore.config import Config

from local.aws import environs, unpack_once
from local.hosting import processes
from local.hosting.processes import PartFailed
from local.hosting.serving import free_port
from local.settings import REGION, TOOLS

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient

_START_SECONDS = 30.0
_USUAL_PORT = 4566


class Aws:
    """Clients for the AWS at *url*, as the account's root."""

    def __init__(self, url: str) -> None:
        self.url = url
        # A session of its own, so that a profile or a default session of the user's does not count.
        self._session = boto3.session.Session(
            aws_access_key_id=environs.ROOT_KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environs.ROOT_KEYS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        self._config = Config(
            connect_timeout=2, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 2}, proxies={}
        )

    def client(self, service: str) -> Any:
        """Any service's client."""
        factory: Any = self._session.client
        return factory(service, endpoint_url=self.url, config=self._config)

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        return self.client("cloudformation")  # type: ignore[no-any-return]  # The stubs know it by the literal name.

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return self.client("dynamodb")  # type: ignore[no-any-return]  # As above.

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        return self.client("logs")  # type: ignore[no-any-return]  # As above.

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        return self.client("secretsmanager")  # type: ignore[no-any-return]  # As above.

    @cached_property
    def ses(self) -> "SESV2Client":
        return self.client("sesv2")  # type: ignore[no-any-return]  # As above.

    @cached_property
    def sns(self) -> Any:
        return self.client("sns")

    @cached_property
    def sqs(self) -> "SQSClient":
        return self.client("sqs")  # type: ignore[no-any-return]  # As above.


@contextlib.contextmanager
def ministack(home: Path, *, ses_url: str, usual_port: bool, bind: str = "127.0.0.1") -> Iterator[Aws]:
    """
    An empty AWS with IAM enforced, while the block runs. On port 4566 if wanted and free, else on a free one.

    Its functions find SES v2 at *ses_url* (`ses_events`), and know nothing of it. Raises PartFailed.
    """
    python = TOOLS / "ministack" / "bin" / "python"
    if not python.exists():
        raise PartFailed("MiniStack", "is not installed: `make local` and `make demo` set it up")
    scratch = home / "tmp"
    # A killed run cannot tidy up: its functions' unpacked layers are still here.
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    with contextlib.ExitStack() as started:
        started.callback(shutil.rmtree, scratch, ignore_errors=True)
        for preferred in (_USUAL_PORT if usual_port else 0, 0, 0):
            # Between our look and its start somebody else may take the port; then another one will do.
            with contextlib.suppress(_PortTaken), contextlib.ExitStack() as attempt:
                url = attempt.enter_context(_on_port(free_port(preferred), python, home, bind, ses_url))
                started.push(attempt.pop_all())
                break
        else:
            raise PartFailed("MiniStack", "found no free port", log=home / "logs" / "ministack.log")
        yield Aws(url)


class _PortTaken(Exception):
    """Somebody was quicker."""


@contextlib.contextmanager
def _on_port(port: int, python: Path, home: Path, bind: str, ses_url: str) -> Iterator[str]:
    log = home / "logs" / "ministack.log"
    # Shown by its health check, so that we never take somebody else's MiniStack for ours.
    mark = uuid.uuid4().hex
    environ = environs.bare(
        AUTH="true",
        BIND_HOST=bind,
        GATEWAY_PORT=str(port),
        IOT_MTLS_ENABLED="false",  # It would take port 8883.
        SFTP_ENABLED="0",
        LAMBDA_EXECUTOR="local",
        DOCKER_HOST=f"unix://{home / 'no-docker'}",  # Containers on this machine are none of its business.
        MINISTACK_REGION=REGION,
        MINISTACK_VERSION=mark,
        TMPDIR=str((home / "tmp").resolve()),
        AWS_ENDPOINT_URL_SESV2=ses_url,  # Functions inherit it.
        **environs.ROOT_KEYS,
    )
    with processes.kept([str(python), "-P", unpack_once.__file__], log=log, environ=environ) as process:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + _START_SECONDS
        while not _is_ours(url, mark):
            if process.poll() is not None:
                if "already in use" in log.read_text("utf-8", "replace"):
                    raise _PortTaken
                raise PartFailed("MiniStack", f"ended at once on port {port}", log=log)
            if time.monotonic() > deadline:
                raise PartFailed("MiniStack", f"does not answer after {_START_SECONDS:.0f} s", log=log)
            time.sleep(0.05)
        yield url


def _is_ours(url: str, mark: str) -> bool:
    try:
        health = httpx.get(f"{url}/_ministack/health", timeout=2, trust_env=False)
        return health.status_code == 200 and health.json().get("version") == mark
    except (httpx.TransportError, ValueError):
        return False  # Not up yet, or some other program.
